/* Schedules: new, list, get, change, cancel, pause, resume, trigger, firings. */
#include <stdlib.h>

#include "api/schedule.h"
#include "lib/bounds.h"
#include "server/app.h"
#include "server/handlers.h"
#include "server/schedule_ops.h"
#include "server/schedule_reads.h"

#include "lib/banned.h"

static struct schedule_limits limits_of(const struct req *rq)
{
    return (struct schedule_limits){.task = rq->app->limits,
                                    .min_interval_s = rq->app->min_interval_s};
}

/* ---- new ---- */

static void drop_spec(void *spec)
{
    schedule_spec_release(spec);
}

static int decode_one(struct req *rq, const struct json *v, struct schedule_spec *spec,
                      struct err *e)
{
    const struct schedule_limits limits = limits_of(rq);
    bool timed;
    schedule_spec_init(spec, &limits);
    req_defer(rq, drop_spec, spec);
    return schedule_spec_decode(v, &limits, spec, &timed, e);
}

static int decode_all(struct req *rq, struct schedule_spec **ret, size_t *ret_n, struct err *e)
{
    const struct json *root;
    if (req_json(rq, &root, e))
        return e->code;
    const struct json *list = json_member(root, "schedules");
    if (json_kind(list) == JSON_NULL)
        return err_set(e, ERR_MISSING, "schedules is required");
    if (json_kind(list) != JSON_ARRAY)
        return err_set(e, ERR_INVALID, "schedules: an array is expected");
    size_t n = json_length(list);
    if (n == 0)
        return err_set(e, ERR_MISSING, "schedules is empty");
    if (n > BOUND_TASKS_PER_REQUEST)
        return err_set(e, ERR_TOO_BIG, "schedules: %zu are over the limit of %d a request", n,
                       BOUND_TASKS_PER_REQUEST);
    struct schedule_spec *specs = req_mem(rq, n * sizeof(*specs));
    for (size_t i = 0; i < n; i++) {
        if (decode_one(rq, json_at(list, i), &specs[i], e))
            return n == 1 ? e->code : err_wrap(e, "schedules[%zu]", i);
    }
    *ret = specs;
    *ret_n = n;
    return 0;
}

static int scheduled(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct op_schedule_add *op = rq->state;
    if (e->code)
        return e->code;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_str(&w, "msg", "Scheduled");
    jw_arr(&w, "schedules");
    for (size_t i = 0; i < op->n; i++) {
        jw_obj(&w, NULL);
        jw_str(&w, "id", op->ret_ids[i]);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    return 0;
}

int h_schedule_post(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct schedule_spec *specs = NULL;
    size_t n = 0;
    if (decode_all(rq, &specs, &n, e))
        return e->code;
    struct op_schedule_add *op = req_mem(rq, sizeof(*op));
    op_schedule_add_init(op);
    op->project = rq->project;
    op->specs = specs;
    op->n = n;
    op->ret_ids = req_mem(rq, n * sizeof(*op->ret_ids));
    return req_await_writer(rq, &op->w, scheduled, op, e);
}

/* ---- reading ---- */

int h_schedule_list(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct store_schedule_filter filter = {.code_name = req_arg(rq, "code_name"),
                                                 .label = req_arg(rq, "label")};
    struct store_page page;
    struct store *s;
    struct schedule *list;
    size_t n;
    if (req_page(rq, &page, e) || req_store(rq, &s, e))
        return e->code;
    int rc = store_schedule_list(s, rq->project, &filter, page, &list, &n, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_arr(&w, "schedules");
    for (size_t i = 0; i < n; i++) {
        schedule_encode(&list[i], &w, NULL);
        schedule_release(&list[i]);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    free(list);
    return 0;
}

int h_schedule_get(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct store *s;
    struct schedule found;
    if (req_store(rq, &s, e))
        return e->code;
    int rc = store_schedule_find(s, rq->project, rq->name, &found, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    schedule_encode(&found, &w, NULL);
    schedule_release(&found);
    return 0;
}

int h_schedule_firings(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct store_page page;
    struct store *s;
    struct firing *list;
    size_t n;
    if (req_page(rq, &page, e) || req_store(rq, &s, e))
        return e->code;
    int rc = store_firing_list(s, rq->project, rq->name, page, &list, &n, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_arr(&w, "firings");
    for (size_t i = 0; i < n; i++) {
        firing_encode(&list[i], &w, NULL);
        firing_release(&list[i]);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    free(list);
    return 0;
}

/* ---- changing ---- */

static int updated(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    if (e->code)
        return e->code;
    resp_msg(rq, "Updated");
    return 0;
}

int h_schedule_put(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct json *changes;
    if (req_json(rq, &changes, e))
        return e->code;
    struct schedule_limits *limits = req_mem(rq, sizeof(*limits));
    *limits = limits_of(rq);
    struct op_schedule_put *op = req_mem(rq, sizeof(*op));
    op_schedule_put_init(op);
    op->project = rq->project;
    op->id = rq->name;
    op->changes = changes;
    op->limits = limits;
    return req_await_writer(rq, &op->w, updated, op, e);
}

static const struct {
    const char *msg, *already;
} order_words[] = {[SCHEDULE_CANCEL] = {"Cancelled", "Cancelled"},
                   [SCHEDULE_PAUSE] = {"Paused", "Already paused"},
                   [SCHEDULE_RESUME] = {"Resumed", "Already resumed"}};

static int ordered(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct op_schedule_order *op = rq->state;
    if (e->code)
        return e->code;
    resp_msg(rq, op->ret_changed ? order_words[op->order].msg : order_words[op->order].already);
    return 0;
}

static int give_order(struct req *rq, enum schedule_order order, struct err *e)
{
    struct op_schedule_order *op = req_mem(rq, sizeof(*op));
    op_schedule_order_init(op);
    op->project = rq->project;
    op->id = rq->name;
    op->order = order;
    return req_await_writer(rq, &op->w, ordered, op, e);
}

int h_schedule_cancel(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    return give_order(rq, SCHEDULE_CANCEL, e);
}

int h_schedule_pause(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    return give_order(rq, SCHEDULE_PAUSE, e);
}

int h_schedule_resume(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    return give_order(rq, SCHEDULE_RESUME, e);
}

/* ---- trigger ---- */

static void drop_firing(void *firing)
{
    firing_release(firing);
}

static int triggered(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct op_schedule_trigger *op = rq->state;
    if (e->code)
        return e->code;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_str(&w, "msg", "Triggered");
    firing_encode(&op->ret_firing, &w, "firing");
    jw_obj_end(&w);
    return 0;
}

int h_schedule_trigger(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct op_schedule_trigger *op = req_mem(rq, sizeof(*op));
    op_schedule_trigger_init(op);
    req_defer(rq, drop_firing, &op->ret_firing);
    op->project = rq->project;
    op->id = rq->name;
    return req_await_writer(rq, &op->w, triggered, op, e);
}
