/* What administrators change: rows that no rule of the queue depends on. */
#include "server/ops_admin.h"
#include "server/queue.h"

#include "lib/banned.h"

static int run_credential(struct work *w, void *owner, struct err *e)
{
    struct op_credential *o = (struct op_credential *)w;
    struct queue *q = owner;
    if (!o->credential.sealed)
        return store_credential_delete(q->store, o->project, o->credential.registry, e);
    o->credential.updated_us = queue_now_us(q);
    return store_credential_put(q->store, o->project, &o->credential, e);
}

void op_credential_init(struct op_credential *o)
{
    *o = (struct op_credential){.w = {.run = run_credential, .writes = true}};
}
