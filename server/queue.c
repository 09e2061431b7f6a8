/* The queue as a whole: building its memory from the file, and what time brings. */
#include "server/queue.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/banned.h"

#define TERM_MS        (RUNNER_LEASE_S * 1000)
#define STALL_MS       2000 /* the thread came so much too late: nobody could renew meanwhile */
#define UPKEEP_MS      1000 /* pause after an own operation failed, as on a full disk */
#define DELAY_CHECK_MS 1000 /* delayed tasks are ready by the wall clock, which may jump */

static int64_t system_now_us(void *arg)
{
    (void)arg;
    return clock_now_us();
}

static int64_t system_mono_ms(void *arg)
{
    (void)arg;
    return clock_mono_ms();
}

static const struct time_source system_time = {system_now_us, system_mono_ms, NULL};

static void own_work_done(struct work *w)
{
    struct queue *q = w->arg;
    w->arg = NULL;
    if (w->err.code == 0)
        return;
    log_warn("queue upkeep failed error=\"%s\"", w->err.msg);
    q->upkeep_ms = queue_now_ms(q) + UPKEEP_MS;
}

void queue_init(struct queue *q, struct store *s, const struct writer_conf *c,
                void (*submit)(void *arg, struct work *w), void *submit_arg)
{
    *q = (struct queue){
        .store = s,
        .time = c->time ? c->time : &system_time,
        .infra_retries = c->infra_retries,
        .submit = submit,
        .submit_arg = submit_arg,
        .expire = {.run = run_expire, .done = own_work_done, .writes = true},
        .purge = {.run = run_purge, .done = own_work_done, .writes = true},
        .fire = {.run = run_fire, .done = own_work_done, .writes = true},
        .due_ms = INT64_MAX,
        .stale = true,
    };
}

/* ---- memory from the file ---- */

static void forget(struct queue *q)
{
    q->n_touched = 0;
    q->purge_due = false;
    lanes_release(&q->lanes, &q->clusters);
    fleet_drop_leases(&q->fleet);
    codes_release(&q->codes);
    clusters_forget_rows(&q->clusters);
}

void queue_release(struct queue *q)
{
    forget(q);
    fleet_release(&q->fleet);
    clusters_release(&q->clusters);
    parking_release(&q->parking);
    zones_release(&q->schedules.zones);
    free(q->touched);
}

static int load_runners(struct queue *q, struct err *e)
{
    struct store_runner *list = NULL;
    size_t n = 0;
    if (store_runner_list(q->store, &list, &n, e) < 0)
        return e->code;
    for (size_t i = 0; i < n; i++) {
        struct runner *r = fleet_runner(&q->fleet, list[i].name);
        runner_told(r, list[i].cluster, list[i].slots, list[i].problem, list[i].stacks);
        if (r->seen_us < list[i].seen_us)
            r->seen_us = list[i].seen_us;
        store_runner_release(&list[i]);
    }
    free(list);
    return 0;
}

static int load_attempt(const struct attempt_row *a, void *arg, struct err *e)
{
    struct queue *q = arg;
    struct task_row row;
    struct qcode *code;
    if (store_task_row(q->store, a->task, &row, e) < 0 ||
        codes_by_n(&q->codes, q->store, row.code, &code, e) < 0)
        return e->code;
    struct runner *r = fleet_runner(&q->fleet, a->runner);
    struct lease *l = lease_new(&q->fleet, r, code, a, queue_lease_end_ms(q));
    l->stopping = row.stopping;
    l->confirmed = l->started; /* it had the grant, or it could not have started */
    return 0;
}

static int load_lane(struct queue *q, const struct store_lane *at, struct err *e)
{
    struct cluster *cluster;
    struct qcode *code;
    int64_t task, ready_us;
    if (clusters_of_row(&q->clusters, q->store, at->cluster, &cluster, e) < 0 ||
        codes_by_n(&q->codes, q->store, at->code, &code, e) < 0 ||
        store_lane_first(q->store, at, &task, &ready_us, e) < 0)
        return e->code;
    struct lane *lane = lanes_get(&q->lanes, cluster, code, at->priority);
    lane_task(&q->lanes, lane, ready_us, queue_now_us(q));
    q->purge_due |= code->r.deleted;
    return 0;
}

static int load_lanes(struct queue *q, struct err *e)
{
    struct store_lane at = {-1, -1, -1};
    int rc;
    while ((rc = store_lane_next(q->store, &at, e)) == 0)
        if (load_lane(q, &at, e) < 0)
            return e->code;
    if (rc != ERR_EMPTY)
        return rc;
    err_clear(e);
    return 0;
}

int queue_rebuild(struct queue *q, struct err *e)
{
    q->stale = true;
    forget(q);
    if (load_runners(q, e) < 0 || store_attempt_each(q->store, load_attempt, q, e) < 0 ||
        load_lanes(q, e) < 0 || schedules_look(q, e) < 0)
        return err_wrap(e, "reading the queue");
    q->stale = false;
    return 0;
}

/* ---- small things that the rules share ---- */

int64_t queue_now_us(const struct queue *q)
{
    return q->time->now_us(q->time->arg);
}

int64_t queue_now_ms(const struct queue *q)
{
    return q->time->mono_ms(q->time->arg);
}

int64_t queue_lease_end_ms(const struct queue *q)
{
    return queue_now_ms(q) + TERM_MS;
}

void queue_touch(struct queue *q, int64_t task)
{
    if (q->n_touched == q->cap_touched) {
        q->cap_touched = q->cap_touched ? q->cap_touched * 2 : 64;
        q->touched = realloc(q->touched, q->cap_touched * sizeof(*q->touched));
        if (!q->touched)
            abort();
    }
    q->touched[q->n_touched++] = task;
}

const char *queue_task_id(const struct queue *q, int64_t task, int64_t created_us,
                          char out[ID_TEXT])
{
    return id_encode(store_ids(q->store), ID_TASK, task, created_us, out);
}

int queue_requeued(struct queue *q, const struct task_row *row, struct err *e)
{
    struct cluster *cluster;
    struct qcode *code;
    if (clusters_of_row(&q->clusters, q->store, row->cluster, &cluster, e) < 0 ||
        codes_by_n(&q->codes, q->store, row->code, &code, e) < 0)
        return e->code;
    struct lane *lane = lanes_get(&q->lanes, cluster, code, row->priority);
    lane_task(&q->lanes, lane, row->ready_us, queue_now_us(q));
    return 0;
}

void queue_wake(struct queue *q, struct parked *it)
{
    parked_remove(&q->parking, it);
    q->submit(q->submit_arg, it->w);
}

/* ---- time ---- */

static void start_own_work(struct queue *q, struct work *w)
{
    if (w->arg || q->upkeep_ms > queue_now_ms(q))
        return;
    w->arg = q; /* under way until own_work_done */
    q->submit(q->submit_arg, w);
}

/* wake_polls: as many as there may be work for. How many tasks wait is not known, only that some
 * do: those that came since the last time, or twice what was granted since then, so that a long
 * queue is given out in a few rounds. A poll that is woken for nothing keeps its place. */
static void wake_polls(struct queue *q)
{
    size_t at = 0;
    for (struct cluster *c; (c = map_next(&q->clusters.by_name, &at));) {
        if (!c->polls.first || !lanes_head(c))
            continue;
        int64_t n = c->granted * 2 > c->fresh ? c->granted * 2 : c->fresh;
        c->fresh = c->granted = 0;
        do
            queue_wake(q, c->polls.first);
        while (--n > 0 && c->polls.first);
    }
}

static void wake_due_polls(struct queue *q, int64_t now_ms)
{
    struct parked *it;
    while ((it = parking_next(&q->parking)) && (q->quiescing || it->deadline_ms <= now_ms))
        queue_wake(q, it);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* wall_due_ms: when to look again for something that comes at `at_us` of the wall clock. */
static int64_t wall_due_ms(const struct queue *q, int64_t at_us, int64_t now_ms)
{
    if (at_us == INT64_MAX)
        return INT64_MAX;
    int64_t wait_ms = (at_us - queue_now_us(q)) / 1000 + 1;
    return now_ms + least(wait_ms, DELAY_CHECK_MS);
}

/* next_due_ms: by the queue's own clock. */
static int64_t next_due_ms(const struct queue *q, int64_t now_ms)
{
    int64_t due = INT64_MAX;
    const struct lease *l = fleet_first_due(&q->fleet);
    if (l && !q->expire.arg)
        due = most(l->deadline_ms.key, q->upkeep_ms);
    if (q->purge_due && !q->purge.arg)
        due = least(due, q->upkeep_ms);
    const struct parked *it = parking_next(&q->parking);
    if (it)
        due = least(due, it->deadline_ms);
    due = least(due, wall_due_ms(q, lanes_next_us(&q->lanes), now_ms));
    if (!q->fire.arg)
        due = least(due, most(wall_due_ms(q, q->schedules.wake_us, now_ms), q->upkeep_ms));
    return due;
}

int64_t queue_tick(struct queue *q, int64_t inbox_now_ms)
{
    int64_t now_ms = queue_now_ms(q);
    if (q->stale) { /* the next operation that writes builds it again */
        wake_due_polls(q, now_ms);
        return inbox_now_ms + UPKEEP_MS;
    }
    if (q->due_ms != INT64_MAX && inbox_now_ms - q->due_ms > STALL_MS)
        fleet_extend_all(&q->fleet, now_ms + TERM_MS);
    lanes_wake(&q->lanes, queue_now_us(q));
    const struct lease *l = fleet_first_due(&q->fleet);
    if (l && l->deadline_ms.key <= now_ms)
        start_own_work(q, &q->expire);
    if (q->purge_due)
        start_own_work(q, &q->purge);
    if (q->schedules.wake_us <= queue_now_us(q))
        start_own_work(q, &q->fire);
    wake_due_polls(q, now_ms);
    wake_polls(q);
    int64_t due = next_due_ms(q, now_ms);
    q->due_ms = due == INT64_MAX ? INT64_MAX : inbox_now_ms + (due - now_ms);
    return q->due_ms;
}
