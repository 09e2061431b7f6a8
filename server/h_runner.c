/* The runner protocol: api/lease.md. Its rules (who gets what, what a report means) are the
 * writer's; a report about an attempt that is not the live one is ERR_CONFLICT, which
 * server/http_reply.c sends as "order":"lost". */
#include <stdlib.h>
#include <string.h>

#include "api/runner.h"
#include "lib/bounds.h"
#include "lib/log.h"
#include "lib/str.h"
#include "server/app.h"
#include "server/credentials.h"
#include "server/handlers.h"
#include "server/logstore.h"
#include "server/metrics.h"
#include "server/ops_runner.h"
#include "server/packages.h"

#include "lib/banned.h"

/* In the writer's thread, while the request is parked: is anybody still listening? */
static bool alive(struct work *w)
{
    return req_alive(w->arg);
}

static int noted(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    if (e->code)
        return e->code;
    resp_msg(rq, "Noted");
    return 0;
}

/* ---- register ---- */

static int registered(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    if (e->code)
        return e->code;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_int(&w, "lease_s", RUNNER_LEASE_S);
    jw_int(&w, "renew_s", RUNNER_RENEW_S);
    jw_obj_end(&w);
    return 0;
}

int h_runner_register(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct call {
        struct runner_hello hello;
        struct op_register op;
    } *c = req_mem(rq, sizeof(*c));
    const struct json *root;
    if (req_json(rq, &root, e) || runner_hello_decode(root, &c->hello, e))
        return e->code;
    op_register_init(&c->op);
    c->op.hello = &c->hello;
    return req_await_writer(rq, &c->op.w, registered, c, e);
}

/* ---- lease ---- */

struct lease_call {
    struct lease_poll poll;
    struct op_lease op;
};

static void lease_release(void *arg)
{
    struct lease_call *c = arg;
    if (c->op.ret_some)
        grant_release(&c->op.ret_grant);
}

static int leased(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct lease_call *c = rq->state;
    if (e->code || (c->op.ret_some && credential_grant(rq, &c->op.ret_grant, e)))
        return e->code;
    if (c->op.ret_some)
        metrics_add(rq->app->metrics, METRIC_LEASES_GRANTED, 1);
    grant_encode(c->op.ret_some ? &c->op.ret_grant : NULL, &rq->out);
    return 0;
}

int h_runner_lease(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct lease_call *c = req_mem(rq, sizeof(*c));
    const struct json *root;
    if (req_json(rq, &root, e) || lease_poll_decode(root, &c->poll, e))
        return e->code;
    op_lease_init(&c->op, &c->poll);
    c->op.alive = alive;
    req_defer(rq, lease_release, c);
    return req_await_writer(rq, &c->op.w, leased, c, e);
}

/* ---- renew ---- */

struct renew_call {
    struct renew renew;
    struct op_renew op;
};

static void renew_call_release(void *arg)
{
    struct renew_call *c = arg;
    free(c->op.ret_orders);
    renew_release(&c->renew);
}

static int renewed(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct renew_call *c = rq->state;
    if (e->code)
        return e->code;
    orders_encode(c->op.ret_orders, c->op.ret_n, &rq->out);
    return 0;
}

int h_runner_renew(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct renew_call *c = req_mem(rq, sizeof(*c));
    const struct json *root;
    if (req_json(rq, &root, e) || renew_decode(root, &c->renew, e))
        return e->code;
    op_renew_init(&c->op, &c->renew);
    c->op.alive = alive;
    req_defer(rq, renew_call_release, c);
    return req_await_writer(rq, &c->op.w, renewed, c, e);
}

/* ---- started ---- */

int h_runner_started(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct call {
        struct started started;
        struct op_started op;
    } *c = req_mem(rq, sizeof(*c));
    const struct json *root;
    if (req_json(rq, &root, e) || started_decode(root, &c->started, e))
        return e->code;
    op_started_init(&c->op);
    c->op.started = &c->started;
    return req_await_writer(rq, &c->op.w, noted, c, e);
}

/* ---- log ---- */

static int find_live(struct req *rq, const struct attempt_ref *ref, const char *runner,
                     struct log_ref *ret, struct err *e)
{
    struct store *s;
    if (req_store(rq, &s, e))
        return e->code;
    int rc = store_attempt_live(s, ref, runner, &ret->task, e);
    req_store_done(rq, s);
    ret->attempt = ref->attempt;
    return rc;
}

/* reply_offset: `status` 200, everything below it is on disk, or 409, send from there. */
static void reply_offset(struct req *rq, struct resp *rs, unsigned status, const char *msg,
                         uint64_t offset)
{
    rs->status = status;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    if (msg)
        jw_str(&w, "msg", msg);
    jw_int(&w, "offset", (int64_t)offset);
    jw_obj_end(&w);
}

static int appended(struct req *rq, struct resp *rs, struct err *e)
{
    const struct log_append *a = rq->state;
    if (a->ret_gap && e->code == ERR_CONFLICT) {
        reply_offset(rq, rs, err_http_status(ERR_CONFLICT), e->msg, a->ret_bytes);
        return 0;
    }
    if (e->code)
        return e->code;
    metrics_add(rq->app->metrics, METRIC_LOG_BYTES, a->len);
    reply_offset(rq, rs, 200, NULL, a->ret_bytes);
    return 0;
}

int runner_required_arg(const struct req *rq, const char *name, const char **ret, struct err *e)
{
    *ret = req_arg(rq, name);
    return *ret && **ret ? 0 : err_set(e, ERR_MISSING, "%s is required", name);
}

int runner_attempt_args(const struct req *rq, const char **ret_runner, struct attempt_ref *ret,
                        struct err *e)
{
    const char *task;
    if (runner_required_arg(rq, "runner", ret_runner, e) ||
        runner_required_arg(rq, "task", &task, e) ||
        req_arg_int(rq, "attempt", 1, INT64_MAX, 0, &ret->attempt, e))
        return e->code;
    if (strlen(task) != ID_HEX)
        return err_set(e, ERR_INVALID, "task: an id has %d hex digits", ID_HEX);
    str_copy(ret->task, sizeof(ret->task), task);
    return 0;
}

int h_runner_log(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const char *runner;
    struct attempt_ref at;
    struct log_ref ref;
    int64_t offset;
    if (runner_attempt_args(rq, &runner, &at, e) ||
        req_arg_int(rq, "offset", 0, INT64_MAX, 0, &offset, e))
        return e->code;
    if (find_live(rq, &at, runner, &ref, e))
        return e->code;
    struct log_append *a = req_mem(rq, sizeof(*a));
    log_append_init(a, ref);
    a->offset = (uint64_t)offset;
    a->bytes = rq->body.data;
    a->len = rq->body.len;
    return req_await_inbox(rq, logstore_inbox(rq->app->logs), &a->w, appended, a, e);
}

/* ---- finish ---- */

struct finish_call {
    struct finish finish;
    struct log_verify verify;
    struct op_finish op;
};

static int finished(struct req *rq, struct resp *rs, struct err *e)
{
    if (e->code == 0)
        metrics_add(rq->app->metrics, METRIC_FINISHES, 1);
    return noted(rq, rs, e);
}

static int finish(struct req *rq, struct finish_call *c, struct err *e)
{
    op_finish_init(&c->op);
    c->op.finish = &c->finish;
    c->op.stderr_tail = c->verify.ret_stderr;
    return req_await_writer(rq, &c->op.w, finished, c, e);
}

/* A log that is not the one the runner sent can be mended by nobody: the ending is recorded, and
 * the log marked, for a task without an end would be worse. */
static int verified(struct req *rq, struct resp *rs, struct err *e)
{
    struct finish_call *c = rq->state;
    if (e->code)
        return e->code;
    if (c->verify.ret_short) { /* a runner counts the bytes that it can send */
        reply_offset(rq, rs, err_http_status(ERR_CONFLICT), "the log is not complete yet",
                     c->verify.ret_bytes);
        return 0;
    }
    if (!c->verify.ret_same && c->finish.log_complete) {
        log_error("log differs from what the runner sent task=%s attempt=%lld bytes=%llu",
                  c->finish.ref.task, (long long)c->finish.ref.attempt,
                  (unsigned long long)c->verify.ret_bytes);
        c->finish.log_complete = false;
    }
    return finish(rq, c, e);
}

int h_runner_finish(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct finish_call *c = req_mem(rq, sizeof(*c));
    const struct json *root;
    struct log_ref ref;
    if (req_json(rq, &root, e) || finish_decode(root, &c->finish, e))
        return e->code;
    int rc = find_live(rq, &c->finish.ref, c->finish.runner, &ref, e);
    if (rc == ERR_CONFLICT || rc == ERR_NOT_FOUND)
        return finish(rq, c, e); /* said before, or lost: the rules know */
    if (rc)
        return rc;
    log_verify_init(&c->verify, ref);
    c->verify.bytes = (uint64_t)c->finish.log_bytes;
    c->verify.sha256 = c->finish.log_sha256 ? c->finish.log_sha256 : "";
    return req_await_inbox(rq, logstore_inbox(rq->app->logs), &c->verify.w, verified, c, e);
}

/* ---- package ---- */

int h_runner_package(struct req *rq, struct resp *rs, struct err *e)
{
    int fd;
    uint64_t bytes;
    if (packages_get(rq->app->packages, rq->name, &fd, &bytes, e))
        return e->code;
    resp_fd_take(rs, fd, bytes, "application/zip");
    return 0;
}
