/* Attempts: the claim, what a runner is handed, the reports, the end. */
#include "server/store_write.h"

#include <stdlib.h>

#include "lib/bounds.h"
#include "lib/str.h"
#include "server/store_priv.h"
#include "lib/banned.h"

/* ---- the claim ---- */

static int claim_row(struct store *s, int64_t task, int64_t now_us, int64_t *ret_no, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TASK_CLAIM);
    query_int(&q, task);
    query_int(&q, now_us);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_CONFLICT, "the task is no longer queued");
    int64_t no = read_int(&q);
    rc = query_row(&q, e); /* to the end, where the change takes effect */
    if (rc == 0)
        *ret_no = no;
    return rc;
}

int store_task_claim(struct store *s, int64_t task, const struct lease_poll *p, int64_t now_us,
                     int64_t *ret_no, struct err *e)
{
    int64_t no = 0;
    if (claim_row(s, task, now_us, &no, e) < 0)
        return e->code;
    AUTO(query) struct query q = query_start(s, SQL_ATTEMPT_ADD);
    query_int(&q, task);
    query_int(&q, no);
    query_text(&q, p->runner);
    query_int(&q, p->slot);
    query_text(&q, p->poll);
    query_int(&q, now_us);
    if (query_done(&q, e) < 0)
        return e->code;
    *ret_no = no;
    return 0;
}

static void read_grant(struct query *q, struct grant *g)
{
    read_id(q, ID_TASK, g->ref.task);
    read_id(q, ID_PROJECT, g->project_id);
    read_id(q, ID_CODE, g->code_id);
    read_id(q, ID_REVISION, g->revision_id);
    read_copy(q, g->schedule_id, sizeof(g->schedule_id));
    g->code_name = read_text(q);
    g->code_rev = read_int(q);
    g->image = read_text(q);
    g->command = read_text(q);
    g->runtime = read_text(q);
    g->stack = read_text(q);
    g->file_name = read_text(q);
    g->config = read_text(q);
    g->env_vars = read_text(q);
    read_copy(q, g->package_sha256, sizeof(g->package_sha256));
    g->package_bytes = read_int(q);
    g->payload = read_bytes(q, &g->payload_len);
    if (!g->payload)
        g->payload = str_dup("");
    g->timeout_s = read_int(q);
    g->collect = read_bool(q);
}

int store_grant_load(struct store *s, int64_t task, int64_t no, struct grant *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_GRANT);
    query_int(&q, task);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_INTERNAL, "a claimed task has no row");
    struct grant g = {.ref.attempt = no};
    read_grant(&q, &g);
    *ret = g;
    return 0;
}

/* ---- rows ---- */

void attempt_row_release(struct attempt_row *a)
{
    free(TAKE(a->reason));
}

static void read_attempt(struct query *q, struct attempt_row *a)
{
    a->task = read_int(q);
    a->no = read_int(q);
    a->slot = read_int(q);
    a->started_us = read_int(q);
    a->ended_us = read_int(q);
    a->exit_code = read_int(q);
    a->signal = read_int(q);
    a->log_bytes = read_int(q);
    a->class = (enum attempt_class)read_int(q);
    read_copy(q, a->runner, sizeof(a->runner));
    read_copy(q, a->poll, sizeof(a->poll));
    read_copy(q, a->log_sha256, sizeof(a->log_sha256));
    a->reason = read_text_opt(q);
}

int store_attempt_find(struct store *s, int64_t task, int64_t no, struct attempt_row *ret,
                       struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_ATTEMPT_FIND);
    query_int(&q, task);
    query_int(&q, no);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_NOT_FOUND, "no such attempt");
    read_attempt(&q, ret);
    return 0;
}

int store_attempt_each(struct store *s,
                       int (*fn)(const struct attempt_row *a, void *arg, struct err *e), void *arg,
                       struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_ATTEMPT_ALL_LIVE);
    int rc;
    while ((rc = query_row(&q, e)) > 0) {
        AUTO(attempt_row) struct attempt_row a = {0};
        read_attempt(&q, &a);
        if (fn(&a, arg, e) < 0)
            return e->code;
    }
    return rc;
}

int store_attempt_live(struct store *s, const struct attempt_ref *ref, const char *runner,
                       int64_t *ret_task, struct err *e)
{
    int64_t task = 0;
    uint32_t created_s = 0;
    if (!id_decode(&s->ids, ID_TASK, ref->task, &task, &created_s))
        return err_set(e, ERR_CONFLICT, "no such task");
    AUTO(query) struct query q = query_start(s, SQL_ATTEMPT_LIVE);
    query_int(&q, task);
    query_int(&q, ref->attempt);
    query_text(&q, runner);
    int rc = query_row(&q, e);
    if (rc < 0)
        return rc;
    if (rc == 0 || !id_matches(created_s, read_int(&q)))
        return err_set(e, ERR_CONFLICT, "attempt %lld is not the live one of this runner",
                       (long long)ref->attempt);
    *ret_task = task;
    return 0;
}

/* ---- reports ---- */

int store_attempt_started(struct store *s, int64_t task, const struct started *st, int64_t now_us,
                          struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_ATTEMPT_STARTED);
    query_int(&q, task);
    query_int(&q, st->ref.attempt);
    query_int(&q, now_us);
    query_text(&q, st->container);
    query_text(&q, st->image);
    query_text(&q, st->image_id);
    return query_hit(&q, e);
}

int store_attempt_end(struct store *s, int64_t task, const struct finish *f, int64_t now_us,
                      struct err *e)
{
    AUTO(buf) struct buf facts = BUF_INIT(BOUND_JSON_BODY_BYTES);
    if (f->facts)
        json_text(f->facts, &facts);
    if (buf_check(&facts, "facts", e) < 0)
        return e->code;
    AUTO(query) struct query q = query_start(s, SQL_ATTEMPT_END);
    query_int(&q, task);
    query_int(&q, f->ref.attempt);
    query_int(&q, now_us);
    query_int(&q, f->class);
    query_int(&q, f->exit_code);
    query_int(&q, f->signal);
    query_text(&q, f->reason);
    query_int(&q, f->log_bytes);
    query_int(&q, f->stdout_bytes);
    query_text(&q, f->log_sha256);
    query_int(&q, f->log_complete);
    query_text(&q, f->facts ? buf_str(&facts) : NULL);
    return query_hit(&q, e);
}
