/* What workers say about their progress. It moves no task: only shown. */
#include "server/queue.h"

#include "lib/banned.h"

int run_progress(struct work *w, void *owner, struct err *e)
{
    struct op_progress *o = (struct op_progress *)w;
    struct queue *q = owner;
    struct task_row row;
    if (store_task_resolve(q->store, o->project, o->id, &row, e) < 0)
        return e->code;
    return store_task_progress(q->store, row.n, o->percent, o->msg, queue_now_us(q), e);
}

void op_progress_init(struct op_progress *o)
{
    *o = (struct op_progress){.w = {.run = run_progress, .writes = true}, .percent = -1};
}
