/* Giving work to runners: op_lease (api/lease.md, rules 1 and 2). */
#include "server/queue.h"

#include <string.h>

#include "lib/str.h"
#include "lib/banned.h"

/* ---- what the slot had before ---- */

/* settle_slot: the runner says that this slot holds nothing. A grant under this poll number is
 * given again (*ret_again); one under another number that the runner never confirmed did not
 * arrive, and its task goes back at once. It counts as a failure of ours only if the command had
 * started. */
static int settle_slot(struct queue *q, struct runner *r, const struct lease_poll *p,
                       struct lease **ret_again, struct err *e)
{
    for (struct lease *l = r->leases, *next; l; l = next) {
        next = l->next;
        if (l->slot != p->slot)
            continue;
        if (strcmp(l->poll, p->poll) == 0)
            *ret_again = l;
        else if (!l->confirmed &&
                 queue_lose(q, l, "the runner never got this grant", !l->started, e) < 0)
            return e->code;
    }
    return 0;
}

/* ---- the claim ---- */

/* next_task: the task whose turn it is in the cluster; ERR_EMPTY. Lanes that turn out to have
 * nothing ready leave the ring on the way. */
static int next_task(struct queue *q, struct cluster *c, struct lane **ret_lane, int64_t *ret_task,
                     struct err *e)
{
    for (struct lane *lane; (lane = lanes_head(c));) {
        struct store_lane key = lane_row(lane);
        int64_t task, ready_us;
        int rc = store_lane_first(q->store, &key, &task, &ready_us, e);
        if (rc == ERR_EMPTY) {
            err_clear(e);
            lane_empty(&q->lanes, lane);
        } else if (rc < 0) {
            return rc;
        } else if (ready_us > queue_now_us(q)) {
            lane_sleep(&q->lanes, lane, ready_us);
        } else {
            *ret_lane = lane;
            *ret_task = task;
            return 0;
        }
    }
    return err_set(e, ERR_EMPTY, "nothing is ready in cluster %.64s", c->name);
}

static int hand_out(struct queue *q, int64_t task, int64_t no, struct grant *ret, struct err *e)
{
    if (store_grant_load(q->store, task, no, ret, e) < 0)
        return e->code;
    ret->lease_s = RUNNER_LEASE_S;
    return 0;
}

static int claim(struct queue *q, struct runner *r, struct cluster *c, struct op_lease *o,
                 struct err *e)
{
    struct lane *lane = NULL;
    struct attempt_row a = {.slot = o->poll->slot};
    if (next_task(q, c, &lane, &a.task, e) < 0 ||
        store_task_claim(q->store, a.task, o->poll, queue_now_us(q), &a.no, e) < 0 ||
        hand_out(q, a.task, a.no, &o->ret_grant, e) < 0)
        return e->code;
    o->ret_some = true;
    str_copy(a.poll, sizeof(a.poll), o->poll->poll);
    lease_new(&q->fleet, r, lane->code, &a, queue_lease_end_ms(q));
    lane_served(lane);
    queue_touch(q, a.task);
    return 0;
}

/* ---- the poll ---- */

static bool still_there(struct op_lease *o)
{
    return !o->alive || o->alive(&o->w);
}

/* let_go: whoever waits for the same slot is an older try of the same runner. */
static void let_go_older(struct queue *q, const struct cluster *c, const struct lease_poll *p)
{
    struct parked *older = parked_find(&c->polls, p->runner, p->slot);
    if (!older)
        return;
    older->deadline_ms = INT64_MIN;
    queue_wake(q, older);
}

static int claim_or_park(struct queue *q, struct runner *r, struct cluster *c, struct op_lease *o,
                         struct err *e)
{
    int rc = claim(q, r, c, o, e);
    if (rc != ERR_EMPTY)
        return rc;
    err_clear(e);
    if (o->park.deadline_ms <= queue_now_ms(q) || q->quiescing)
        return 0; /* nothing came; the runner asks again */
    o->park.w = &o->w;
    o->park.runner = o->poll->runner;
    o->park.slot = o->poll->slot;
    parked_add(&q->parking, &c->polls, &o->park);
    return WORK_PARKED;
}

static int first_try(struct queue *q, struct runner *r, struct cluster *c, struct op_lease *o,
                     struct err *e)
{
    o->park.deadline_ms = queue_now_ms(q) + o->poll->wait_s * 1000;
    r->seen_us = queue_now_us(q);
    let_go_older(q, c, o->poll);
    struct lease *again = NULL;
    if (settle_slot(q, r, o->poll, &again, e) < 0)
        return e->code;
    if (!again)
        return claim_or_park(q, r, c, o, e);
    if (hand_out(q, again->task, again->attempt, &o->ret_grant, e) < 0)
        return e->code;
    o->ret_some = true;
    return 0;
}

/* slot_taken: a younger poll of the slot overtook a parked one and was served. */
static bool slot_taken(const struct runner *r, int64_t slot)
{
    for (const struct lease *l = r->leases; l; l = l->next)
        if (l->slot == slot && !l->confirmed)
            return true;
    return false;
}

int run_lease(struct work *w, void *owner, struct err *e)
{
    struct op_lease *o = (struct op_lease *)w;
    struct queue *q = owner;
    if (!still_there(o))
        return 0;
    struct runner *r = fleet_runner(&q->fleet, o->poll->runner);
    struct cluster *c = clusters_get(&q->clusters, o->poll->cluster);
    if (o->park.order == 0)
        return first_try(q, r, c, o, e);
    if (o->park.deadline_ms <= queue_now_ms(q) || slot_taken(r, o->poll->slot))
        return 0;
    r->seen_us = queue_now_us(q); /* it still listens */
    return claim_or_park(q, r, c, o, e);
}

void op_lease_init(struct op_lease *o, const struct lease_poll *poll)
{
    *o = (struct op_lease){.w = {.run = run_lease, .writes = true}, .poll = poll};
}
