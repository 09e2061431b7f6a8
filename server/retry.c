/* Retries by hand. Those by a code's `retries` come with the end of an attempt: server/endings.c.
 */
#include "server/queue.h"

#include "lib/banned.h"

/* retry_row: the new task as it will be. */
static struct task_row retry_row(const struct queue *q, const struct task_row *old, int64_t delay_s)
{
    struct task_row row = *old;
    row.state = TASK_QUEUED;
    row.created_us = queue_now_us(q);
    row.ready_us = row.created_us + delay_s * 1000000;
    row.retry = 0;
    if (!row.original_id[0])
        queue_task_id(q, old->n, old->created_us, row.original_id);
    return row;
}

int run_retry(struct work *w, void *owner, struct err *e)
{
    struct op_retry *o = (struct op_retry *)w;
    struct queue *q = owner;
    struct task_row old;
    struct qcode *code;
    if (store_task_resolve(q->store, o->project, o->id, &old, e) < 0 ||
        codes_by_n(&q->codes, q->store, old.code, &code, e) < 0)
        return e->code;
    if (code->r.deleted)
        return err_set(e, ERR_NOT_FOUND, "the code of this task was deleted");
    struct task_row row = retry_row(q, &old, o->delay_s);
    if (store_task_copy(q->store, old.n, &row, code->r.revision, o->delay_s, &row.n, e) < 0 ||
        queue_requeued(q, &row, e) < 0)
        return e->code;
    queue_task_id(q, row.n, row.created_us, o->ret_id);
    return 0;
}

void op_retry_init(struct op_retry *o)
{
    *o = (struct op_retry){.w = {.run = run_retry, .writes = true}};
}
