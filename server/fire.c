/* Firing schedules: what has come due, which of it is fired by the catch-up policy, how each firing
 * meets the tasks of earlier ones, and what comes next. */
#include "server/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/banned.h"

/* A firing that comes no later than this was not missed: the server was only busy. */
#define ON_TIME_US INT64_C(5000000)
/* Missed firings that get a row of their own; one row stands for all before them. */
#define MISSED_ROWS 100
/* What one slice does at most, so that a return after a long time does not hold up the others:
 * schedules looked at, and rows written. */
#define LOOK_AT_ONCE 256
#define ROWS_AT_ONCE 2000
#define TRIM_EACH    64 /* old firings are forgotten now and then */
#define LIVE_AT_ONCE 64

/* ---- the schedule's state ---- */

int schedule_timetable(struct queue *q, const struct schedule_row *r, struct timetable *ret,
                       struct err *e)
{
    const struct zone *zone = NULL;
    if (r->s.spec.cron[0] && zones_get(&q->schedules.zones, r->s.spec.zone, &zone, e) < 0)
        return e->code;
    return timetable_init(ret, &r->s.spec, zone, (uint64_t)r->n, e);
}

static void say(struct schedule *s, const char *msg)
{
    free(s->msg);
    s->msg = str_dup(msg);
}

bool schedule_spent(const struct schedule_row *r)
{
    int64_t runs = r->s.run_count + (r->waiting_us != 0);
    return r->s.spec.run_times > 0 && runs >= r->s.spec.run_times;
}

/* end: nothing is due any more. One that could not fire even once keeps the reason. */
static void end(struct schedule_row *r)
{
    const struct schedule_spec *c = &r->s.spec;
    bool once = c->every_s == 0 && !c->cron[0];
    if (r->s.run_count == 0 && r->s.error_count > 0) {
        r->s.status = SCHEDULE_ERROR;
        return;
    }
    r->s.status = SCHEDULE_COMPLETE;
    if (schedule_spent(r) || (once && r->s.run_count > 0))
        say(&r->s, "Ran max times.");
    else
        say(&r->s, once ? "Did not run at its time." : "Reached end_at.");
}

void schedule_due(struct schedule_row *r, const struct timetable *t, int64_t due_us)
{
    r->due_us = due_us;
    r->s.next_us = due_us ? timetable_fire_us(t, due_us) : 0;
    r->wake_us = r->s.next_us;
    if (due_us)
        return;
    if (r->waiting_us)
        r->wake_us = INT64_MAX; /* until a task ends */
    else if (!r->s.spec.paused)
        end(r);
}

/* ---- one firing ---- */

static int start_task(struct queue *q, struct schedule_row *r, struct firing_row *f, struct err *e)
{
    const struct schedule_spec *c = &r->s.spec;
    const struct task_new t = {.code_name = c->code_name,
                               .payload = c->payload,
                               .payload_len = c->payload_len,
                               .priority = c->priority,
                               .timeout_s = c->timeout_s,
                               .delay_s = c->task_delay_s,
                               .cluster = c->cluster,
                               .label = c->label};
    int rc = queue_add_task(q, r->project, &t, r->s.id, f->fired_us, &f->task, e);
    if (rc == ERR_NOT_FOUND) { /* its code was deleted; nothing was written */
        f->outcome = FIRING_FAILED;
        str_copy(f->note, sizeof(f->note), e->msg);
        err_clear(e);
        return 0;
    }
    f->outcome = FIRING_FIRED;
    return rc;
}

static int replace(struct queue *q, const struct schedule_row *r, struct err *e)
{
    int64_t tasks[LIVE_AT_ONCE];
    int n;
    while ((n = store_schedule_live(q->store, r->s.id, tasks, LIVE_AT_ONCE, e)) > 0) {
        for (int i = 0; i < n; i++) {
            struct task_row row;
            if (store_task_row(q->store, tasks[i], &row, e) < 0 ||
                queue_cancel_task(q, &row, "replaced by the next firing of its schedule", e) < 0)
                return e->code;
        }
    }
    return n;
}

/* meet: the overlap policy. Leaves f->outcome at FIRING_FIRED when a task is to be queued. */
static int meet(struct queue *q, struct schedule_row *r, struct firing_row *f, struct err *e)
{
    enum schedule_overlap policy = r->s.spec.overlap;
    struct task_row live;
    char id[ID_TEXT];
    if (policy == OVERLAP_ALLOW)
        return 0;
    if (policy == OVERLAP_REPLACE)
        return replace(q, r, e);
    int n = store_schedule_live(q->store, r->s.id, &live.n, 1, e);
    if (n <= 0 && !r->waiting_us)
        return n;
    if (n < 0 || (n > 0 && store_task_row(q->store, live.n, &live, e) < 0))
        return e->code;
    if (r->waiting_us) {
        f->outcome = FIRING_SKIPPED;
        str_copy(f->note, sizeof(f->note), "another firing waits already");
        return 0;
    }
    f->outcome = policy == OVERLAP_SKIP ? FIRING_SKIPPED : FIRING_WAITING;
    snprintf(f->note, sizeof(f->note), "task %s has not ended",
             queue_task_id(q, live.n, live.created_us, id));
    return 0;
}

static void count(struct schedule_row *r, const struct firing_row *f)
{
    switch (f->outcome) {
    case FIRING_FIRED:
        r->s.run_count++;
        r->s.last_us = f->fired_us;
        free(TAKE(r->s.msg)); /* what went wrong before is over */
        break;
    case FIRING_WAITING:
        r->waiting_us = f->due_us;
        break;
    case FIRING_FAILED:
        r->s.error_count++;
        say(&r->s, f->note);
        break;
    case FIRING_SKIPPED:
    case FIRING_MISSED:
        break;
    }
}

int schedule_fire(struct queue *q, struct schedule_row *r, int64_t due_us, struct firing_row *ret,
                  struct err *e)
{
    struct firing_row f = {
        .schedule = r->n, .due_us = due_us, .fired_us = queue_now_us(q), .outcome = FIRING_FIRED};
    if (meet(q, r, &f, e) < 0 || (f.outcome == FIRING_FIRED && start_task(q, r, &f, e) < 0) ||
        store_firing_add(q->store, &f, e) < 0)
        return e->code;
    count(r, &f);
    *ret = f;
    return 0;
}

/* release_waiting: the firing that waits is fired once all earlier tasks have ended. */
static int release_waiting(struct queue *q, struct schedule_row *r, struct err *e)
{
    int64_t task;
    int live = store_schedule_live(q->store, r->s.id, &task, 1, e);
    if (live != 0)
        return live < 0 ? live : 0;
    struct firing_row f = {.schedule = r->n, .due_us = r->waiting_us, .fired_us = queue_now_us(q)};
    if (start_task(q, r, &f, e) < 0 || store_firing_settle(q->store, &f, e) < 0)
        return e->code;
    r->waiting_us = 0;
    count(r, &f);
    return 0;
}

int schedule_drop_waiting(struct queue *q, struct schedule_row *r, const char *why, struct err *e)
{
    if (!r->waiting_us)
        return 0;
    struct firing_row f = {.schedule = r->n,
                           .due_us = r->waiting_us,
                           .fired_us = queue_now_us(q),
                           .outcome = FIRING_SKIPPED};
    str_copy(f.note, sizeof(f.note), why);
    r->waiting_us = 0;
    return store_firing_settle(q->store, &f, e);
}

/* ---- all that has come due ---- */

/* Due times of one schedule whose firing has come, oldest first. */
struct come {
    int64_t due_us[BOUND_CATCH_UP];
    size_t n;
    bool more; /* there were others before them */
};

/* first_to_fire: the ones before it count as missed. */
static size_t first_to_fire(const struct schedule_spec *c, const struct timetable *t,
                            const struct come *come, int64_t now_us)
{
    size_t on_time = come->n, wanted = 0;
    while (on_time > 0 && timetable_fire_us(t, come->due_us[on_time - 1]) >= now_us - ON_TIME_US)
        on_time--;
    if (c->catch_up == CATCH_UP_LATEST)
        wanted = 1;
    else if (c->catch_up == CATCH_UP_ALL)
        wanted = (size_t)c->catch_up_max;
    size_t made_up = come->n - (wanted < come->n ? wanted : come->n);
    return on_time < made_up ? on_time : made_up;
}

static int note_missed(struct queue *q, const struct schedule_row *r, int64_t due_us,
                       const char *note, struct err *e)
{
    struct firing_row f = {
        .schedule = r->n, .due_us = due_us, .fired_us = queue_now_us(q), .outcome = FIRING_MISSED};
    str_copy(f.note, sizeof(f.note), note);
    return store_firing_add(q->store, &f, e);
}

/* note_all_missed: rows for the `n` first in `come`, and one for those that are not in it. */
static int note_all_missed(struct queue *q, const struct schedule_row *r, const struct come *come,
                           size_t n, struct err *e)
{
    size_t from = n > MISSED_ROWS ? n - MISSED_ROWS : 0;
    if (from > 0 || come->more) {
        char until[CLOCK_TEXT], note[FIRING_NOTE_BYTES];
        snprintf(note, sizeof(note), "this firing and all before %s were missed",
                 clock_format(come->due_us[from], until));
        if (note_missed(q, r, r->due_us, note, e) < 0)
            return e->code;
    }
    for (; from < n; from++)
        if (note_missed(q, r, come->due_us[from], "the server was not running", e) < 0)
            return e->code;
    return 0;
}

static int fire_come(struct queue *q, struct schedule_row *r, const struct timetable *t,
                     int64_t *io_rows, struct err *e)
{
    struct come come = {0};
    struct firing_row f;
    int64_t now_us = queue_now_us(q), due_us = 0;
    if (!r->due_us || r->s.next_us > now_us)
        return 0;
    come.n = timetable_recent(t, r->due_us, now_us, BOUND_CATCH_UP, come.due_us, &come.more);
    size_t first = first_to_fire(&r->s.spec, t, &come, now_us);
    if (note_all_missed(q, r, &come, first, e) < 0)
        return e->code;
    for (size_t i = first; i < come.n && !schedule_spent(r); i++)
        if (schedule_fire(q, r, come.due_us[i], &f, e) < 0)
            return e->code;
    *io_rows += (int64_t)come.n;
    int rc = schedule_spent(r) ? ERR_EMPTY : timetable_next(t, come.due_us[come.n - 1], &due_us, e);
    if (rc < 0)
        due_us = 0;
    err_clear(e);
    schedule_due(r, t, due_us);
    return map_hash_int((uint64_t)come.due_us[0]) % TRIM_EACH == 0 || come.n > 1
               ? store_firing_trim(q->store, r->n, BOUND_FIRINGS_KEPT, e)
               : 0;
}

/* look_at: everything about one schedule. What is wrong with it alone (a zone that is gone) ends
 * it, so that it cannot hold up the others. */
static int look_at(struct queue *q, int64_t n, int64_t *io_rows, struct err *e)
{
    struct timetable t;
    AUTO(schedule_row) struct schedule_row r = {0};
    if (store_schedule_row(q->store, n, &r, e) < 0)
        return e->code;
    if (schedule_timetable(q, &r, &t, e) < 0) {
        log_warn("schedule ended schedule=%s error=\"%s\"", r.s.id, e->msg);
        r.s.status = SCHEDULE_ERROR;
        r.due_us = r.s.next_us = r.wake_us = 0;
        say(&r.s, e->msg);
        err_clear(e);
        return store_schedule_move(q->store, &r, e);
    }
    if (r.waiting_us && release_waiting(q, &r, e) < 0)
        return e->code;
    schedule_due(&r, &t, r.due_us); /* it may have been woken before its time */
    if (fire_come(q, &r, &t, io_rows, e) < 0)
        return e->code;
    return store_schedule_move(q->store, &r, e);
}

int run_fire(struct work *w, void *owner, struct err *e)
{
    (void)w;
    struct queue *q = owner;
    int64_t n, wake_us, rows = 0;
    int rc = 0;
    for (int i = 0; i < LOOK_AT_ONCE && rows < ROWS_AT_ONCE; i++) {
        rc = store_schedule_first(q->store, &n, &wake_us, e);
        if (rc < 0 || wake_us > queue_now_us(q))
            break;
        if (look_at(q, n, &rows, e) < 0)
            return e->code;
    }
    if (rc < 0 && rc != ERR_EMPTY)
        return rc;
    err_clear(e);
    return schedules_look(q, e);
}
