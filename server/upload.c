/* Codes come and go: bootstrap of the first project, uploads, options, deletion. */
#include "server/queue.h"

#include <string.h>

#include "lib/str.h"
#include "server/store_admin.h"
#include "lib/banned.h"

#define DELETED_MSG   "its code was deleted while it was queued"
#define PURGE_AT_ONCE 2000 /* queued tasks of a deleted code that one operation cancels */

/* ---- the first start ---- */

int run_bootstrap(struct work *w, void *owner, struct err *e)
{
    struct op_bootstrap *o = (struct op_bootstrap *)w;
    struct queue *q = owner;
    bool any;
    if (store_project_any(q->store, &any, e) < 0 || any)
        return e->code;
    int64_t now_us = queue_now_us(q), project = 0, token = 0;
    if (store_project_add(q->store, "default", now_us, &project, e) < 0 ||
        store_token_add(q->store, o->project_hash, SCOPE_PROJECT, project, "first", now_us, &token,
                        e) < 0 ||
        store_token_add(q->store, o->runner_hash, SCOPE_RUNNER, 0, "first", now_us, &token, e) <
            0 ||
        store_token_add(q->store, o->admin_hash, SCOPE_ADMIN, 0, "first", now_us, &token, e) < 0)
        return e->code;
    id_encode(store_ids(q->store), ID_PROJECT, project, now_us, o->ret_project_id);
    o->ret_created = true;
    return 0;
}

void op_bootstrap_init(struct op_bootstrap *o)
{
    *o = (struct op_bootstrap){.w = {.run = run_bootstrap, .writes = true}};
}

/* ---- uploads ---- */

static int64_t option(int64_t given, int64_t otherwise)
{
    return given == CODE_UNSET ? otherwise : given;
}

static void merge_options(struct code_rules *r, const struct code_upload *up)
{
    r->max_concurrency = option(up->max_concurrency, r->max_concurrency);
    r->retries = option(up->retries, r->retries);
    r->retries_delay_s = option(up->retries_delay_s, r->retries_delay_s);
    r->default_priority = option(up->default_priority, r->default_priority);
}

static int write_code(struct queue *q, struct code_put *p, struct err *e)
{
    int64_t now_us = queue_now_us(q);
    struct code_rules *r = &p->ret;
    if (r->n == 0) {
        r->created_us = now_us;
        if (store_code_add(q->store, r, now_us, &r->n, e) < 0)
            return e->code;
    }
    if (p->name_alone)
        return 0;
    if (p->revision && store_revision_add(q->store, r->n, ++r->rev, p->up, &p->package, now_us,
                                          &r->revision, e) < 0)
        return e->code;
    return store_code_update(q->store, r, p->revision, now_us, e);
}

int queue_put_code(struct queue *q, struct code_put *p, struct err *e)
{
    struct qcode *code = NULL;
    bool must_exist = !p->revision && !p->name_alone;
    int rc = codes_by_name(&q->codes, q->store, p->project, p->up->name, &code, e);
    if (rc < 0 && (rc != ERR_NOT_FOUND || must_exist))
        return rc;
    err_clear(e);
    p->ret = (struct code_rules){.project = p->project, .name = (char *)p->up->name};
    if (code)
        p->ret = code->r;
    if (!code || !p->name_alone)
        merge_options(&p->ret, p->up);
    if (write_code(q, p, e) < 0)
        return e->code;
    if (code) { /* a new one is read when it is first used */
        code->r = p->ret;
        lanes_released(code);
    }
    id_encode(store_ids(q->store), ID_CODE, p->ret.n, p->ret.created_us, p->ret_id);
    return 0;
}

int run_code_put(struct work *w, void *owner, struct err *e)
{
    struct op_code_put *o = (struct op_code_put *)w;
    struct code_put put = {.project = o->project,
                           .up = o->up,
                           .revision = !o->only_options,
                           .package = {o->package_sha256, o->package_md5, o->package_bytes}};
    if (queue_put_code(owner, &put, e) < 0)
        return e->code;
    memcpy(o->ret_id, put.ret_id, ID_TEXT);
    o->ret_rev = put.ret.rev;
    return 0;
}

void op_code_put_init(struct op_code_put *o)
{
    *o = (struct op_code_put){.w = {.run = run_code_put, .writes = true}};
}

/* ---- deletion ---- */

static void touch_task(int64_t task, void *arg)
{
    queue_touch(arg, task);
}

/* purge_code: cancels what is queued of a deleted code, at most `limit` tasks; *ret_n = how many.
 */
static int purge_code(struct queue *q, struct qcode *code, int64_t limit, int64_t *ret_n,
                      struct err *e)
{
    int64_t n = 0;
    for (struct lane *lane = code->lanes; lane && n < limit; lane = lane->next_of_code) {
        struct store_lane key = lane_row(lane);
        int64_t some = 0;
        if (lane->place == LANE_OUT)
            continue;
        if (store_lane_cancel(q->store, &key, INT64_MAX, limit - n, DELETED_MSG, queue_now_us(q),
                              touch_task, q, &some, e) < 0)
            return e->code;
        n += some;
        if (n < limit)
            lane_empty(&q->lanes, lane);
    }
    *ret_n = n;
    return n > 0 ? schedules_tasks_ended(q, e) : 0;
}

int run_code_delete(struct work *w, void *owner, struct err *e)
{
    struct op_code_delete *o = (struct op_code_delete *)w;
    struct queue *q = owner;
    int64_t n, cancelled;
    struct qcode *code;
    if (store_code_row(q->store, o->project, o->id, &n, e) < 0 ||
        codes_by_n(&q->codes, q->store, n, &code, e) < 0 ||
        store_code_delete(q->store, n, queue_now_us(q), e) < 0)
        return e->code;
    codes_deleted(&q->codes, code);
    if (purge_code(q, code, PURGE_AT_ONCE, &cancelled, e) < 0)
        return e->code;
    q->purge_due |= cancelled == PURGE_AT_ONCE;
    return 0;
}

void op_code_delete_init(struct op_code_delete *o)
{
    *o = (struct op_code_delete){.w = {.run = run_code_delete, .writes = true}};
}

/* next_to_purge: a deleted code with queued tasks, or NULL. */
static struct qcode *next_to_purge(const struct queue *q)
{
    size_t at = 0;
    for (struct qcode *c; (c = map_next(&q->codes.by_n, &at));)
        for (const struct lane *lane = c->r.deleted ? c->lanes : NULL; lane;
             lane = lane->next_of_code)
            if (lane->place != LANE_OUT)
                return c;
    return NULL;
}

/* run_purge: a deleted code may have had so many tasks queued that cancelling them all at once
 * would hold everybody up: the rest goes slice by slice. */
int run_purge(struct work *w, void *owner, struct err *e)
{
    (void)w;
    struct queue *q = owner;
    struct qcode *code;
    int64_t left = PURGE_AT_ONCE, n;
    while (left > 0 && (code = next_to_purge(q))) {
        if (purge_code(q, code, left, &n, e) < 0)
            return e->code;
        left -= n;
    }
    q->purge_due = left <= 0;
    return 0;
}
