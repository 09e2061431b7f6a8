/* What tests of schedules say, on top of the queue's world. */
#pragma once

#include "server/schedule_ops.h"
#include "server/schedule_reads.h"
#include "server/store_schedule.h"
#include "tests/unit/queue_world.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

static const struct schedule_limits limits = {.task = {.max_payload_bytes = 100000,
                                                       .max_timeout_s = 86400,
                                                       .max_delay_s = 86400,
                                                       .default_timeout_s = 60},
                                              .min_interval_s = 1};

/* set_time: the wall clock stands still there, until later(). */
static inline void set_time(const char *text)
{
    int64_t us;
    CHECK_OK(clock_parse(text, &us, &e), &e);
    atomic_store(&frozen_us, us - atomic_load(&ahead_ms) * 1000);
}

static inline struct json *parse(const char *text)
{
    struct json *root = NULL;
    CHECK_OK(json_parse(text, strlen(text), 5, &root, &e), &e);
    return root;
}

static inline int add_rc(struct world *w, const char *text, struct id *ret)
{
    autojson struct json *root = parse(text);
    AUTO(schedule_spec) struct schedule_spec spec;
    bool timed;
    schedule_spec_init(&spec, &limits);
    if (schedule_spec_decode(root, &limits, &spec, &timed, &e) < 0)
        return e.code;
    struct op_schedule_add o;
    op_schedule_add_init(&o);
    o.project = w->project;
    o.specs = &spec;
    o.n = 1;
    o.ret_ids = &ret->text;
    int rc = writer_run(w->wr, &o.w);
    e = o.w.err;
    return rc;
}

static inline struct id add(struct world *w, const char *text)
{
    struct id id;
    CHECK_OK(add_rc(w, text, &id), &e);
    return id;
}

static inline int put_rc(struct world *w, const char *id, const char *text)
{
    autojson struct json *root = parse(text);
    struct op_schedule_put o;
    op_schedule_put_init(&o);
    o.project = w->project;
    o.id = id;
    o.changes = root;
    o.limits = &limits;
    int rc = writer_run(w->wr, &o.w);
    e = o.w.err;
    return rc;
}

static inline void order(struct world *w, const char *id, enum schedule_order what)
{
    struct op_schedule_order o;
    op_schedule_order_init(&o);
    o.project = w->project;
    o.id = id;
    o.order = what;
    CHECK_RUN(w, &o);
}

/* view: the schedule as a client sees it; schedule_release it. */
static inline struct schedule view(struct world *w, const char *id)
{
    struct schedule s;
    CHECK_OK(store_schedule_find(w->r, w->project, id, &s, &e), &e);
    return s;
}

static inline int64_t runs_of(struct world *w, const char *id)
{
    struct schedule s = view(w, id);
    int64_t n = s.run_count;
    schedule_release(&s);
    return n;
}

static inline void check_status(struct world *w, const char *id, enum schedule_status status,
                                const char *msg)
{
    struct schedule s = view(w, id);
    CHECK_INT(s.status, status);
    CHECK_STR(s.msg ? s.msg : "", msg);
    schedule_release(&s);
}

static inline void check_next(struct world *w, const char *id, const char *want)
{
    struct schedule s = view(w, id);
    char got[CLOCK_TEXT];
    CHECK_STR(clock_format(s.next_us, got), want);
    schedule_release(&s);
}

/* The firings of a schedule, oldest first, a letter each: f(ired) w(aiting) s(kipped) m(issed)
 * x (failed). */
#define FIRINGS_SEEN 2000
static inline const char *firings(struct world *w, const char *id)
{
    static char letters[FIRINGS_SEEN + 1];
    struct firing *list;
    size_t n;
    const struct store_page page = {.per_page = FIRINGS_SEEN};
    CHECK_OK(store_firing_list(w->r, w->project, id, page, &list, &n, &e), &e);
    for (size_t i = 0; i < n; i++) {
        letters[n - 1 - i] = "fwsmx"[list[i].outcome];
        CHECK((list[i].outcome == FIRING_FIRED) == (list[i].task_id[0] != '\0'));
        firing_release(&list[i]);
    }
    free(list);
    letters[n] = '\0';
    return letters;
}
