/* Schedules as clients change them: new ones, changes, cancel, pause, resume, trigger. Firing is in
 * server/fire.c. */
#include "server/schedules.h"

#include <stdlib.h>
#include <string.h>

#include "lib/str.h"
#include "server/queue.h"
#include "server/schedule_ops.h"
#include "lib/banned.h"

int schedules_look(struct queue *q, struct err *e)
{
    int64_t n, wake_us = INT64_MAX;
    int rc = store_schedule_first(q->store, &n, &wake_us, e);
    if (rc < 0 && rc != ERR_EMPTY)
        return rc;
    err_clear(e);
    q->schedules.wake_us = wake_us;
    return 0;
}

int schedules_task_ended(struct queue *q, const struct task_row *row, struct err *e)
{
    int64_t n, now_us = queue_now_us(q);
    uint32_t created_s;
    if (!row->schedule_id[0] ||
        !id_decode(store_ids(q->store), ID_SCHEDULE, row->schedule_id, &n, &created_s))
        return 0;
    return store_schedule_wake(q->store, n, now_us, e) < 0 ? e->code : schedules_look(q, e);
}

int schedules_tasks_ended(struct queue *q, struct err *e)
{
    return store_schedule_wake(q->store, 0, queue_now_us(q), e) < 0 ? e->code
                                                                    : schedules_look(q, e);
}

/* ---- starting ---- */

/* set_start: from now on the schedule counts from an instant. */
static void set_start(struct schedule_row *r, int64_t now_us)
{
    struct schedule_spec *c = &r->s.spec;
    if (c->start_us == 0)
        c->start_us = now_us + c->delay_s * 1000000;
}

/* first_due: the first due time from now on that has not been fired; ERR_EMPTY. */
static int first_due(struct queue *q, const struct schedule_row *r, const struct timetable *t,
                     int64_t *ret_us, struct err *e)
{
    bool known = true;
    if (schedule_spent(r))
        return err_set(e, ERR_EMPTY, "it has run run_times times");
    int rc = timetable_first(t, queue_now_us(q), ret_us, e);
    while (rc == 0 && (rc = store_firing_known(q->store, r->n, *ret_us, &known, e)) == 0 && known)
        rc = timetable_next(t, *ret_us, ret_us, e);
    return rc;
}

/* start: what the schedule waits for from now on. ERR_EMPTY: nothing is to come. */
static int start(struct queue *q, struct schedule_row *r, struct err *e)
{
    struct timetable t;
    int64_t due_us = 0;
    if (schedule_timetable(q, r, &t, e) < 0 || first_due(q, r, &t, &due_us, e) < 0)
        return e->code;
    schedule_due(r, &t, r->s.spec.paused ? 0 : due_us);
    return 0;
}

/* would_never: ERR_EMPTY of a request, in the words of a refusal. */
static int would_never(int rc, struct err *e)
{
    if (rc == ERR_EMPTY) {
        e->code = ERR_INVALID;
        return err_wrap(e, "the schedule would never run");
    }
    return rc;
}

static int check_code(struct queue *q, const struct schedule_row *r, struct err *e)
{
    struct qcode *code;
    int rc = codes_by_name(&q->codes, q->store, r->project, r->s.spec.code_name, &code, e);
    if (rc == ERR_NOT_FOUND)
        return err_set(e, ERR_NOT_FOUND, "no code is named \"%.128s\"", r->s.spec.code_name);
    return rc;
}

/* ---- new ---- */

/* add_one: the spec's texts are borrowed. */
static int add_one(struct queue *q, int64_t project, const struct schedule_spec *spec,
                   char ret_id[ID_TEXT], struct err *e)
{
    int64_t now_us = queue_now_us(q);
    struct schedule_row r = {.project = project,
                             .s = {.spec = *spec, .created_us = now_us, .updated_us = now_us}};
    set_start(&r, now_us);
    if (check_code(q, &r, e) < 0 || store_schedule_add(q->store, &r, e) < 0 ||
        would_never(start(q, &r, e), e) < 0 || store_schedule_move(q->store, &r, e) < 0)
        return e->code;
    memcpy(ret_id, r.s.id, ID_TEXT);
    return 0;
}

static int run_schedule_add(struct work *w, void *owner, struct err *e)
{
    struct op_schedule_add *o = (struct op_schedule_add *)w;
    struct queue *q = owner;
    for (size_t i = 0; i < o->n; i++)
        if (add_one(q, o->project, &o->specs[i], o->ret_ids[i], e) < 0)
            return o->n == 1 ? e->code : err_wrap(e, "schedules[%zu]", i);
    return schedules_look(q, e);
}

void op_schedule_add_init(struct op_schedule_add *o)
{
    *o = (struct op_schedule_add){.w = {.run = run_schedule_add, .writes = true}};
}

/* ---- changes ---- */

static const char *const ended_word[] = {[SCHEDULE_COMPLETE] = "is complete",
                                         [SCHEDULE_CANCELLED] = "is cancelled",
                                         [SCHEDULE_ERROR] = "has ended with an error"};

/* check_runs: only one that has not ended can fire again. */
static int check_runs(const struct schedule_row *r, struct err *e)
{
    if (r->s.status == SCHEDULE_SCHEDULED)
        return 0;
    return err_set(e, ERR_CONFLICT, "the schedule %s; make a new one", ended_word[r->s.status]);
}

static int save(struct queue *q, struct schedule_row *r, struct err *e)
{
    r->s.updated_us = queue_now_us(q);
    if (store_schedule_update(q->store, r, e) < 0 || store_schedule_move(q->store, r, e) < 0)
        return e->code;
    return schedules_look(q, e);
}

static int run_schedule_put(struct work *w, void *owner, struct err *e)
{
    struct op_schedule_put *o = (struct op_schedule_put *)w;
    struct queue *q = owner;
    AUTO(schedule_row) struct schedule_row r = {0};
    bool timed;
    if (store_schedule_resolve(q->store, o->project, o->id, &r, e) < 0)
        return e->code;
    bool was_paused = r.s.spec.paused;
    if (schedule_spec_decode(o->changes, o->limits, &r.s.spec, &timed, e) < 0 ||
        check_code(q, &r, e) < 0)
        return e->code;
    if (timed || r.s.spec.paused != was_paused) {
        set_start(&r, queue_now_us(q));
        if (check_runs(&r, e) < 0 || would_never(start(q, &r, e), e) < 0)
            return e->code;
    }
    return save(q, &r, e);
}

void op_schedule_put_init(struct op_schedule_put *o)
{
    *o = (struct op_schedule_put){.w = {.run = run_schedule_put, .writes = true}};
}

/* ---- orders ---- */

static int cancel(struct queue *q, struct schedule_row *r, bool *ret_changed, struct err *e)
{
    if (r->s.status != SCHEDULE_SCHEDULED)
        return 0;
    *ret_changed = true;
    r->s.status = SCHEDULE_CANCELLED;
    r->due_us = r->s.next_us = r->wake_us = 0;
    return schedule_drop_waiting(q, r, "the schedule was cancelled", e);
}

static int hold(struct queue *q, struct schedule_row *r, bool *ret_changed, struct err *e)
{
    (void)q;
    *ret_changed = !r->s.spec.paused;
    if (check_runs(r, e) < 0)
        return e->code;
    r->s.spec.paused = true;
    schedule_due(r, NULL, 0);
    return 0;
}

static int resume(struct queue *q, struct schedule_row *r, bool *ret_changed, struct err *e)
{
    *ret_changed = r->s.spec.paused;
    if (check_runs(r, e) < 0 || !r->s.spec.paused)
        return e->code;
    r->s.spec.paused = false;
    if (start(q, r, e) < 0) {
        if (e->code != ERR_EMPTY)
            return e->code;
        err_clear(e);
        schedule_due(r, NULL, 0); /* its end came while it was paused */
    }
    return 0;
}

static int (*const orders[])(struct queue *q, struct schedule_row *r, bool *ret_changed,
                             struct err *e) = {
    [SCHEDULE_CANCEL] = cancel, [SCHEDULE_PAUSE] = hold, [SCHEDULE_RESUME] = resume};

static int run_schedule_order(struct work *w, void *owner, struct err *e)
{
    struct op_schedule_order *o = (struct op_schedule_order *)w;
    struct queue *q = owner;
    AUTO(schedule_row) struct schedule_row r = {0};
    o->ret_changed = false;
    if (store_schedule_resolve(q->store, o->project, o->id, &r, e) < 0 ||
        orders[o->order](q, &r, &o->ret_changed, e) < 0)
        return e->code;
    return o->ret_changed ? save(q, &r, e) : 0;
}

void op_schedule_order_init(struct op_schedule_order *o)
{
    *o = (struct op_schedule_order){.w = {.run = run_schedule_order, .writes = true}};
}

/* ---- trigger ---- */

/* free_due: now, or the first instant after it that no firing has. */
static int free_due(struct queue *q, int64_t schedule, int64_t *ret_us, struct err *e)
{
    bool known = true;
    for (*ret_us = queue_now_us(q); known; *ret_us += known)
        if (store_firing_known(q->store, schedule, *ret_us, &known, e) < 0)
            return e->code;
    return 0;
}

static int run_schedule_trigger(struct work *w, void *owner, struct err *e)
{
    struct op_schedule_trigger *o = (struct op_schedule_trigger *)w;
    struct queue *q = owner;
    AUTO(schedule_row) struct schedule_row r = {0};
    struct timetable t;
    struct firing_row f;
    int64_t due_us;
    if (store_schedule_resolve(q->store, o->project, o->id, &r, e) < 0 || check_runs(&r, e) < 0 ||
        schedule_timetable(q, &r, &t, e) < 0 || free_due(q, r.n, &due_us, e) < 0 ||
        schedule_fire(q, &r, due_us, &f, e) < 0)
        return e->code;
    schedule_due(&r, &t, schedule_spent(&r) ? 0 : r.due_us);
    if (store_schedule_move(q->store, &r, e) < 0)
        return e->code;
    o->ret_firing = (struct firing){.due_us = f.due_us,
                                    .fired_us = f.fired_us,
                                    .outcome = f.outcome,
                                    .note = f.note[0] ? str_dup(f.note) : NULL};
    if (f.task)
        queue_task_id(q, f.task, f.fired_us, o->ret_firing.task_id);
    return schedules_look(q, e);
}

void op_schedule_trigger_init(struct op_schedule_trigger *o)
{
    *o = (struct op_schedule_trigger){.w = {.run = run_schedule_trigger, .writes = true}};
}
