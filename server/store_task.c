/* Tasks as clients see them: one, a page of them, and what the log routes ask. */
#include "server/store_admin.h"
#include "server/store_write.h"

#include <stdlib.h>
#include <string.h>

#include "lib/str.h"
#include "server/store_priv.h"
#include "lib/banned.h"

/* error_class: IronWorker's short word for how a failed task ended. */
static char *error_class(enum task_state state, enum attempt_class class, int64_t exit_code,
                         int64_t signal)
{
    if (state != TASK_ERROR && state != TASK_TIMEOUT)
        return NULL;
    switch (class) {
    case CLASS_TASK:
        return signal ? str_fmt("Process Signal %lld", (long long)signal)
                      : str_fmt("Process Exit %lld", (long long)exit_code);
    case CLASS_TIMEOUT:
        return str_dup("Timeout");
    case CLASS_REQUEST:
        return str_dup("Bad Request");
    case CLASS_INFRA:
    case CLASS_LOST:
        return str_dup("Infrastructure");
    default:
        return NULL;
    }
}

/* read_attempt: the columns of the last attempt. How it ended is the task's business only when the
 * task has ended too: a task that waits for another try shows nothing of the last one. */
static void read_attempt(struct query *q, struct task *t)
{
    enum attempt_class class = (enum attempt_class)read_int(q);
    int64_t exit_code = read_int(q), signal = read_int(q);
    bool counts = class != CLASS_NONE && task_state_ended(t->state);
    t->error_class = error_class(t->state, class, exit_code, signal);
    t->exit_code = counts ? exit_code : -1;
    t->log_bytes = read_int(q);
    t->image = read_text_opt(q);
}

static void read_task(struct query *q, struct task *t)
{
    read_id(q, ID_TASK, t->id);
    read_id(q, ID_PROJECT, t->project_id);
    read_id(q, ID_CODE, t->code_id);
    read_id(q, ID_REVISION, t->code_history_id);
    read_copy(q, t->schedule_id, sizeof(t->schedule_id));
    read_copy(q, t->original_task_id, sizeof(t->original_task_id));
    read_copy(q, t->retry_task_id, sizeof(t->retry_task_id));
    t->code_name = read_text(q);
    t->code_rev = read_int(q);
    t->state = (enum task_state)read_int(q);
    t->created_us = read_int(q);
    t->updated_us = read_int(q);
    t->start_us = read_int(q);
    t->end_us = read_int(q);
    t->timeout_s = read_int(q);
    t->delay_s = read_int(q);
    t->priority = read_int(q);
    t->cluster = read_text(q);
    t->label = read_text_opt(q);
    t->msg = read_text_opt(q);
    t->percent = read_int(q);
    t->retry = read_int(q);
    t->attempt = read_int(q);
    t->stopping = read_bool(q);
    read_attempt(q, t);
    t->payload = read_bytes(q, &t->payload_len);
}

static int no_task(struct err *e)
{
    return err_set(e, ERR_NOT_FOUND, "task not found");
}

int store_task_find(struct store *s, int64_t project, const char *id, struct task *ret,
                    struct err *e)
{
    int64_t n = 0;
    uint32_t created_s = 0;
    if (!id_decode(&s->ids, ID_TASK, id, &n, &created_s))
        return no_task(e);
    AUTO(query) struct query q = query_start(s, SQL_TASK_FIND);
    query_int(&q, n);
    query_int(&q, project);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : no_task(e);
    struct task t = {0};
    read_task(&q, &t);
    if (!id_matches(created_s, t.created_us)) {
        task_release(&t);
        return no_task(e);
    }
    if (!t.payload)
        t.payload = str_dup("");
    *ret = t;
    return 0;
}

/* ---- lists ---- */

static const char *given(const char *s)
{
    return s && s[0] ? s : NULL;
}

/* codes_of: how many codes ever had the name (2 = several), and the first of them. */
static int codes_of(struct store *s, int64_t project, const char *name, int64_t *ret_code,
                    struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TASK_CODES);
    query_int(&q, project);
    query_text(&q, name);
    int n = 0, rc;
    for (; (rc = query_row(&q, e)) > 0; n++)
        *ret_code = read_int(&q);
    return rc < 0 ? rc : n;
}

static void bind_filter(struct query *q, const struct store_task_filter *f, int64_t cluster,
                        struct store_page page)
{
    query_int(q, f->states ? (int64_t)f->states : INT64_MAX);
    query_text(q, given(f->label));
    if (cluster)
        query_int(q, cluster);
    else
        query_null(q);
    query_int(q, f->from_us);
    query_int(q, f->to_us ? f->to_us : INT64_MAX);
    query_page(q, page);
}

static int collect(struct query *q, struct task **ret, size_t *ret_n, struct err *e)
{
    struct task *list = NULL;
    size_t n = 0, cap = 0;
    int rc;
    while ((rc = query_row(q, e)) > 0) {
        list = store_grow(list, n, &cap, sizeof(*list));
        read_task(q, &list[n++]);
    }
    if (rc < 0) {
        while (n > 0)
            task_release(&list[--n]);
        free(list);
        return rc;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

static int none(struct task **ret, size_t *ret_n)
{
    *ret = NULL;
    *ret_n = 0;
    return 0;
}

int store_task_list(struct store *s, int64_t project, const struct store_task_filter *f,
                    struct store_page page, struct task **ret, size_t *ret_n, struct err *e)
{
    int64_t cluster = 0, code = 0;
    int rc = given(f->cluster) ? store_cluster_find(s, f->cluster, &cluster, e) : 0;
    if (rc == ERR_NOT_FOUND)
        return none(ret, ret_n);
    int codes = rc == 0 && given(f->code_name) ? codes_of(s, project, f->code_name, &code, e) : rc;
    if (codes < 0)
        return codes;
    if (given(f->code_name) && codes == 0)
        return none(ret, ret_n);
    AUTO(query) struct query q = query_start(s, codes == 1 ? SQL_TASK_LIST_CODE : SQL_TASK_LIST);
    query_int(&q, codes == 1 ? code : project);
    bind_filter(&q, f, cluster, page);
    if (codes != 1)
        query_text(&q, given(f->code_name));
    return collect(&q, ret, ret_n, e);
}

/* ---- logs ---- */

int store_log_find(struct store *s, int64_t project, const char *id, struct store_log_ref *ret,
                   struct err *e)
{
    int64_t n = 0;
    uint32_t created_s = 0;
    if (!id_decode(&s->ids, ID_TASK, id, &n, &created_s))
        return no_task(e);
    AUTO(query) struct query q = query_start(s, SQL_TASK_LOG);
    query_int(&q, n);
    query_int(&q, project);
    int rc = query_row(&q, e);
    if (rc < 0)
        return rc;
    struct store_log_ref r = {.task = n};
    if (rc == 0 || !id_matches(created_s, read_int(&q)))
        return no_task(e);
    r.attempt = read_int(&q);
    r.state = (enum task_state)read_int(&q);
    r.stopping = read_bool(&q);
    bool complete = read_bool(&q);
    bool ended = read_bool(&q);
    r.incomplete = ended && !complete;
    *ret = r;
    return 0;
}
