/* Cancelling tasks: at once on the books; the container, if there is one, follows. */
#include "server/queue.h"

#include "lib/banned.h"

/* The lease stays, and with it the slot and the code's limit, until the runner says that the
 * container is gone or the lease has run out. */
int queue_cancel_task(struct queue *q, const struct task_row *row, const char *msg, struct err *e)
{
    struct lease *l = lease_of_task(&q->fleet, row->n);
    int64_t now_us = queue_now_us(q);
    struct task_row now = *row;
    now.state = TASK_CANCELLED;
    now.stopping = l != NULL;
    now.end_us = now_us;
    if (store_task_update(q->store, row, &now, msg, now_us, e) < 0 ||
        schedules_task_ended(q, row, e) < 0)
        return e->code;
    queue_touch(q, row->n);
    if (!l)
        return 0; /* its lane finds out */
    l->stopping = true;
    while (l->runner->renewals.first)
        queue_wake(q, l->runner->renewals.first);
    return 0;
}

int run_cancel(struct work *w, void *owner, struct err *e)
{
    struct op_cancel *o = (struct op_cancel *)w;
    struct queue *q = owner;
    struct task_row row;
    if (store_task_resolve(q->store, o->project, o->id, &row, e) < 0)
        return e->code;
    return task_state_ended(row.state) ? 0 : queue_cancel_task(q, &row, NULL, e);
}

void op_cancel_init(struct op_cancel *o)
{
    *o = (struct op_cancel){.w = {.run = run_cancel, .writes = true}};
}

/* ---- all of a code ---- */

#define CANCEL_AT_ONCE 2000 /* queued tasks of one slice */

static void touch_task(int64_t task, void *arg)
{
    queue_touch(arg, task);
}

/* cancel_queued: at most one slice of them; *ret_n = how many. The lanes find out by themselves. */
static int cancel_queued(struct queue *q, const struct qcode *code, int64_t through, int64_t *ret_n,
                         struct err *e)
{
    int64_t n = 0;
    for (struct lane *lane = code->lanes; lane && n < CANCEL_AT_ONCE; lane = lane->next_of_code) {
        struct store_lane key = lane_row(lane);
        int64_t some = 0;
        if (lane->place == LANE_OUT)
            continue;
        if (store_lane_cancel(q->store, &key, through, CANCEL_AT_ONCE - n, NULL, queue_now_us(q),
                              touch_task, q, &some, e) < 0)
            return e->code;
        n += some;
    }
    *ret_n = n;
    return n > 0 ? schedules_tasks_ended(q, e) : 0;
}

static int cancel_live(struct queue *q, const struct qcode *code, int64_t through, struct err *e)
{
    size_t at = 0;
    for (struct lease *l; (l = map_next(&q->fleet.leases, &at));) {
        struct task_row row;
        if (l->code != code || l->stopping || l->task > through)
            continue;
        if (store_task_row(q->store, l->task, &row, e) < 0 ||
            queue_cancel_task(q, &row, NULL, e) < 0)
            return e->code;
    }
    return 0;
}

/* The live ones in every slice: a task that was still queued in the last one may be live now. */
int run_cancel_all(struct work *w, void *owner, struct err *e)
{
    struct op_cancel_all *o = (struct op_cancel_all *)w;
    struct queue *q = owner;
    int64_t n, cancelled = 0;
    struct qcode *code;
    if (store_code_row(q->store, o->project, o->id, &n, e) < 0 ||
        codes_by_n(&q->codes, q->store, n, &code, e) < 0 ||
        (o->through == 0 && store_task_last(q->store, &o->through, e) < 0) ||
        cancel_queued(q, code, o->through, &cancelled, e) < 0 ||
        cancel_live(q, code, o->through, e) < 0)
        return e->code;
    o->ret_more = cancelled == CANCEL_AT_ONCE;
    return 0;
}

void op_cancel_all_init(struct op_cancel_all *o)
{
    *o = (struct op_cancel_all){.w = {.run = run_cancel_all, .writes = true}};
}
