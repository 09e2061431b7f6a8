/* The queue of a code: pause, resume, cancel all, statistics. */
#include "api/task.h"
#include "lib/clock.h"
#include "server/app.h"
#include "server/handlers.h"
#include "server/ops.h"

#include "lib/banned.h"

#define DAY_US (86400 * 1000000ll)

/* ---- pause, resume ---- */

static int paused(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    static const char *const msg[2][2] = {{"Already resumed", "Resumed"},
                                          {"Already paused", "Paused"}};
    const struct op_pause *op = rq->state;
    if (e->code)
        return e->code;
    resp_msg(rq, msg[op->paused][op->ret_changed]);
    return 0;
}

static int set_paused(struct req *rq, bool to, struct err *e)
{
    struct op_pause *op = req_mem(rq, sizeof(*op));
    op_pause_init(op);
    op->project = rq->project;
    op->id = rq->name;
    op->paused = to;
    return req_await_writer(rq, &op->w, paused, op, e);
}

int h_code_pause(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    return set_paused(rq, true, e);
}

int h_code_resume(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    return set_paused(rq, false, e);
}

/* ---- cancel all ---- */

static int slice_cancelled(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct op_cancel_all *op = rq->state;
    if (e->code)
        return e->code;
    if (op->ret_more)
        return req_await_writer(rq, &op->w, slice_cancelled, op, e);
    resp_msg(rq, "Cancelled");
    return 0;
}

int h_code_cancel_all(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct op_cancel_all *op = req_mem(rq, sizeof(*op));
    op_cancel_all_init(op);
    op->project = rq->project;
    op->id = rq->name;
    return req_await_writer(rq, &op->w, slice_cancelled, op, e);
}

/* ---- statistics ---- */

int h_code_stats(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    int64_t from_us, to_us, now_us = clock_now_us(), counts[TASK_STATES];
    struct store *s;
    if (req_arg_time(rq, "start_date", now_us - DAY_US, &from_us, e) ||
        req_arg_time(rq, "end_date", INT64_MAX, &to_us, e) || req_store(rq, &s, e))
        return e->code;
    int rc = store_code_stats(s, rq->project, rq->name, from_us, to_us, counts, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    for (int state = 0; state < TASK_STATES; state++)
        jw_int(&w, task_state_own_name((enum task_state)state), counts[state]);
    jw_obj_end(&w);
    return 0;
}
