/* Pausing a code and resuming it. While it is paused its lanes leave their rings as the claim meets
 * them (server/lanes.h); schedules go on queueing. */
#include "server/queue.h"

#include "lib/banned.h"

int run_pause(struct work *w, void *owner, struct err *e)
{
    struct op_pause *o = (struct op_pause *)w;
    struct queue *q = owner;
    int64_t n;
    struct qcode *code;
    if (store_code_row(q->store, o->project, o->id, &n, e) < 0 ||
        codes_by_n(&q->codes, q->store, n, &code, e) < 0)
        return e->code;
    o->ret_changed = code->r.paused != o->paused;
    if (!o->ret_changed)
        return 0;
    if (store_code_pause(q->store, n, o->paused, queue_now_us(q), e) < 0)
        return e->code;
    code->r.paused = o->paused;
    lanes_released(code);
    return 0;
}

void op_pause_init(struct op_pause *o)
{
    *o = (struct op_pause){.w = {.run = run_pause, .writes = true}};
}
