/* Cancelling tasks: at once on the books; the container, if there is one, follows. */
#include "server/queue.h"

#include "lib/banned.h"

/* cancel_row: the lease stays, and with it the slot and the code's limit, until the runner says
 * that the container is gone or the lease has run out. */
static int cancel_row(struct queue *q, const struct task_row *row, struct err *e)
{
    struct lease *l = lease_of_task(&q->fleet, row->n);
    int64_t now_us = queue_now_us(q);
    struct task_row now = *row;
    now.state = TASK_CANCELLED;
    now.stopping = l != NULL;
    now.end_us = now_us;
    if (store_task_update(q->store, row, &now, NULL, now_us, e) < 0)
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
    return task_state_ended(row.state) ? 0 : cancel_row(q, &row, e);
}

void op_cancel_init(struct op_cancel *o)
{
    *o = (struct op_cancel){.w = {.run = run_cancel, .writes = true}};
}
