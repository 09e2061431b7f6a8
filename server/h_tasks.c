/* Tasks: queue, list, get, cancel, why, progress, retry. Webhooks are in h_webhook.c. */
#include <stdlib.h>
#include <string.h>

#include "api/task.h"
#include "lib/bounds.h"
#include "server/app.h"
#include "server/handlers.h"
#include "server/metrics.h"
#include "server/once.h"

#include "lib/banned.h"

/* ---- queue ---- */

static int decode_tasks(struct req *rq, struct task_new **ret, size_t *ret_n, struct err *e)
{
    const struct json *root;
    if (req_json(rq, &root, e))
        return e->code;
    const struct json *list = json_member(root, "tasks");
    if (json_kind(list) == JSON_NULL)
        return err_set(e, ERR_MISSING, "tasks is required");
    if (json_kind(list) != JSON_ARRAY)
        return err_set(e, ERR_INVALID, "tasks: an array is expected");
    size_t n = json_length(list);
    if (n == 0)
        return err_set(e, ERR_MISSING, "tasks is empty");
    if (n > BOUND_TASKS_PER_REQUEST)
        return err_set(e, ERR_TOO_BIG, "tasks: %zu are over the limit of %d a request", n,
                       BOUND_TASKS_PER_REQUEST);
    struct task_new *tasks = req_mem(rq, n * sizeof(*tasks));
    for (size_t i = 0; i < n; i++) {
        if (task_new_decode(json_at(list, i), &rq->app->limits, &tasks[i], e))
            return n == 1 ? e->code : err_wrap(e, "tasks[%zu]", i);
    }
    *ret = tasks;
    *ret_n = n;
    return 0;
}

static void encode_queued(struct req *rq, const char (*ids)[ID_TEXT], size_t n)
{
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_str(&w, "msg", "Queued up");
    jw_arr(&w, "tasks");
    for (size_t i = 0; i < n; i++) {
        jw_obj(&w, NULL);
        jw_str(&w, "id", ids[i]);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
}

static int queued(struct req *rq, struct resp *rs, struct err *e)
{
    const struct op_enqueue *op = rq->state;
    if (e->code)
        return e->code;
    encode_queued(rq, op->ret_ids, op->n);
    metrics_add(rq->app->metrics, METRIC_TASKS_QUEUED, op->ret_again ? 0 : op->n);
    once_header(op, rs);
    return 0;
}

int h_task_post(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct task_new *tasks = NULL;
    size_t n = 0;
    if (decode_tasks(rq, &tasks, &n, e))
        return e->code;
    struct op_enqueue *op = req_mem(rq, sizeof(*op));
    op_enqueue_init(op);
    if (once_read(rq, op, e))
        return e->code;
    op->project = rq->project;
    op->tasks = tasks;
    op->n = n;
    op->ret_ids = req_mem(rq, n * sizeof(*op->ret_ids));
    return req_await_writer(rq, &op->w, queued, op, e);
}

/* ---- list ---- */

/* Old clients send 1, true, and Go's %!d(bool=true): a flag is set unless it says that it is not.
 */
static bool is_set(const char *flag)
{
    return strcmp(flag, "0") != 0 && strcmp(flag, "false") != 0;
}

/* "queued" covers preparing as well: that is what such a task is shown as. */
static unsigned states_asked(const struct req *rq)
{
    unsigned states = 0;
    for (size_t i = 0; i < rq->target.args.n; i++) {
        const struct arg *a = &rq->target.args.at[i];
        enum task_state s;
        if (!task_state_parse(a->name, &s) || !is_set(a->value))
            continue;
        states |= 1u << s;
        if (s == TASK_QUEUED)
            states |= 1u << TASK_PREPARING;
    }
    return states;
}

static int filter_of(const struct req *rq, struct store_task_filter *ret, struct err *e)
{
    *ret = (struct store_task_filter){
        .states = states_asked(rq),
        .code_name = req_arg(rq, "code_name"),
        .label = req_arg(rq, "label"),
        .cluster = req_arg(rq, "cluster"),
    };
    return req_arg_time(rq, "from_time", 0, &ret->from_us, e) ||
                   req_arg_time(rq, "to_time", 0, &ret->to_us, e)
               ? e->code
               : 0;
}

int h_task_list(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct store_task_filter filter;
    struct store_page page;
    struct store *s;
    struct task *tasks;
    size_t n;
    if (filter_of(rq, &filter, e) || req_page(rq, &page, e) || req_store(rq, &s, e))
        return e->code;
    int rc = store_task_list(s, rq->project, &filter, page, &tasks, &n, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_arr(&w, "tasks");
    for (size_t i = 0; i < n; i++) {
        task_encode(&tasks[i], &w, NULL);
        task_release(&tasks[i]);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    free(tasks);
    return 0;
}

/* ---- one task ---- */

int h_task_get(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct store *s;
    struct task t;
    if (req_store(rq, &s, e))
        return e->code;
    int rc = store_task_find(s, rq->project, rq->name, &t, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    task_encode(&t, &w, NULL);
    task_release(&t);
    return 0;
}

static int cancelled(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    if (e->code)
        return e->code;
    resp_msg(rq, "Cancelled");
    return 0;
}

int h_task_cancel(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct op_cancel *op = req_mem(rq, sizeof(*op));
    op_cancel_init(op);
    op->project = rq->project;
    op->id = rq->name;
    return req_await_writer(rq, &op->w, cancelled, op, e);
}

static int explained(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct op_why *op = rq->state;
    if (e->code)
        return e->code;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_str(&w, "reason", op->ret_reason);
    jw_obj_end(&w);
    return 0;
}

int h_task_why(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct op_why *op = req_mem(rq, sizeof(*op));
    op_why_init(op);
    op->project = rq->project;
    op->id = rq->name;
    return req_await_writer(rq, &op->w, explained, op, e);
}

/* ---- progress, retry ---- */

static int progress_set(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    if (e->code)
        return e->code;
    resp_msg(rq, "Progress set");
    return 0;
}

int h_task_progress(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    static const struct json_field fields[] = {
        {"percent", JT_INT, offsetof(struct op_progress, percent), 0, 0, 100},
        {"msg", JT_STR, offsetof(struct op_progress, msg), 0, 0, BOUND_MSG_BYTES},
    };
    const struct json *root;
    struct op_progress *op = req_mem(rq, sizeof(*op));
    op_progress_init(op);
    if (req_json(rq, &root, e) || json_decode(root, fields, ARRAY_LEN(fields), JSON_LENIENT, op, e))
        return e->code;
    op->project = rq->project;
    op->id = rq->name;
    return req_await_writer(rq, &op->w, progress_set, op, e);
}

static int retried(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct op_retry *op = rq->state;
    if (e->code)
        return e->code;
    encode_queued(rq, &op->ret_id, 1);
    metrics_add(rq->app->metrics, METRIC_TASKS_QUEUED, 1);
    return 0;
}

int h_task_retry(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct json_field fields[] = {
        {"delay", JT_SECS, offsetof(struct op_retry, delay_s), 0, 0, rq->app->limits.max_delay_s},
    };
    const struct json *root;
    struct op_retry *op = req_mem(rq, sizeof(*op));
    op_retry_init(op);
    if (req_json_opt(rq, &root, e) ||
        (root && json_decode(root, fields, ARRAY_LEN(fields), JSON_LENIENT, op, e)))
        return e->code;
    op->project = rq->project;
    op->id = rq->name;
    return req_await_writer(rq, &op->w, retried, op, e);
}
