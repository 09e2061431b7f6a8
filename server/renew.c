/* Renewals and orders: op_renew (api/lease.md, rules 1, 3 and 4). Memory only. */
#include "server/queue.h"

#include <stdlib.h>
#include <string.h>

#include "lib/str.h"
#include "lib/banned.h"

/* held_lease: the lease that a runner's word is about, NULL when it is not this runner's. */
static struct lease *held_lease(struct queue *q, const struct runner *r,
                                const struct attempt_ref *ref)
{
    int64_t task = 0;
    uint32_t created_s = 0;
    if (!id_decode(store_ids(q->store), ID_TASK, ref->task, &task, &created_s))
        return NULL;
    struct lease *l = lease_of_task(&q->fleet, task);
    return l && l->runner == r && l->attempt == ref->attempt ? l : NULL;
}

/* extend: counted from the arrival, so only the first time that the operation runs. */
static void extend(struct queue *q, struct runner *r, const struct renew *n)
{
    r->seen_us = queue_now_us(q);
    int64_t end_ms = queue_lease_end_ms(q);
    for (size_t i = 0; i < n->n_held; i++) {
        struct lease *l = held_lease(q, r, &n->held[i].ref);
        if (!l)
            continue;
        l->confirmed = true;
        lease_extend(&q->fleet, l, end_ms);
    }
}

static void add_order(struct op_renew *o, const struct held *order)
{
    o->ret_orders = realloc(o->ret_orders, (o->ret_n + 1) * sizeof(*o->ret_orders));
    if (!o->ret_orders)
        abort();
    o->ret_orders[o->ret_n++] = *order;
}

static bool is_listed(const struct renew *n, const struct attempt_ref *ref)
{
    for (size_t i = 0; i < n->n_held; i++)
        if (n->held[i].ref.attempt == ref->attempt && strcmp(n->held[i].ref.task, ref->task) == 0)
            return true;
    return false;
}

/* listed_orders: for what the runner says it holds. */
static void listed_orders(struct queue *q, const struct runner *r, struct op_renew *o)
{
    for (size_t i = 0; i < o->renew->n_held; i++) {
        const struct held *h = &o->renew->held[i];
        const struct lease *l = held_lease(q, r, &h->ref);
        enum order order = !l ? ORDER_LOST : l->stopping ? ORDER_CANCEL : ORDER_NONE;
        if (order != ORDER_NONE && order != h->known)
            add_order(o, &(struct held){.ref = h->ref, .known = order});
    }
}

/* unlisted_orders: for grants that are still on their way to the runner. */
static int unlisted_orders(struct queue *q, const struct runner *r, struct op_renew *o,
                           struct err *e)
{
    for (const struct lease *l = r->leases; l; l = l->next) {
        if (!l->stopping)
            continue;
        struct task_row row;
        if (store_task_row(q->store, l->task, &row, e) < 0)
            return e->code;
        struct held h = {.ref.attempt = l->attempt, .known = ORDER_CANCEL};
        queue_task_id(q, row.n, row.created_us, h.ref.task);
        if (!is_listed(o->renew, &h.ref))
            add_order(o, &h);
    }
    return 0;
}

/* park: only the youngest renewal of a runner waits. */
static int park(struct queue *q, struct runner *r, struct op_renew *o)
{
    o->park.w = &o->w;
    o->park.runner = o->renew->runner;
    o->park.slot = -1;
    parked_add(&q->parking, &r->renewals, &o->park);
    return WORK_PARKED;
}

static void let_go_older(struct queue *q, struct runner *r)
{
    struct parked *older = r->renewals.first;
    if (!older)
        return;
    older->deadline_ms = INT64_MIN;
    queue_wake(q, older);
}

int run_renew(struct work *w, void *owner, struct err *e)
{
    struct op_renew *o = (struct op_renew *)w;
    struct queue *q = owner;
    if (q->stale)
        return err_set(e, ERR_UNAVAILABLE, "the queue could not be read yet");
    struct runner *r = fleet_runner(&q->fleet, o->renew->runner);
    if (o->park.order == 0) {
        o->park.deadline_ms = queue_now_ms(q) + o->renew->wait_s * 1000;
        let_go_older(q, r);
        extend(q, r, o->renew);
    }
    listed_orders(q, r, o);
    if (unlisted_orders(q, r, o, e) < 0)
        return e->code;
    bool over = o->park.deadline_ms <= queue_now_ms(q) || q->quiescing;
    return o->ret_n > 0 || over ? 0 : park(q, r, o);
}

void op_renew_init(struct op_renew *o, const struct renew *renew)
{
    *o = (struct op_renew){.w = {.run = run_renew}, .renew = renew};
}
