/* The writer: the one thread that owns the read-write store and the rules, and the inbox before it.
 *
 * A batch is one transaction. After its commit the followers of changed tasks are told; after a
 * rollback the queue's memory is built again from the file, at once or, if the disk does not even
 * let us read, before the next batch. */
#include "server/writer.h"

#include <stdlib.h>

#include "lib/log.h"
#include "server/queue.h"
#include "lib/banned.h"

struct writer {
    struct store *store;
    struct queue queue;
    struct inbox *inbox;
    void (*on_task)(int64_t task, void *arg);
    void *arg;
};

/* What the operations get as their owner is the queue; the inbox's owner is the same pointer. */
static struct writer *writer_of(void *owner)
{
    return CONTAINER_OF(owner, struct writer, queue);
}

static int on_begin(void *owner, struct err *e)
{
    struct queue *q = owner;
    if (q->stale && queue_rebuild(q, e) < 0)
        return e->code;
    return store_begin(q->store, e);
}

static int on_commit(void *owner, struct err *e)
{
    struct writer *wr = writer_of(owner);
    struct queue *q = &wr->queue;
    if (store_commit(q->store, e) < 0)
        return e->code;
    for (size_t i = 0; i < q->n_touched && wr->on_task; i++)
        wr->on_task(q->touched[i], wr->arg);
    q->n_touched = 0;
    return 0;
}

static void on_rollback(void *owner)
{
    struct queue *q = owner;
    struct err e = {0};
    store_rollback(q->store);
    if (queue_rebuild(q, &e) < 0)
        log_error("queue not readable, no work until it is error=\"%s\"", e.msg);
}

static int on_item_begin(void *owner, struct err *e)
{
    return store_item_begin(((struct queue *)owner)->store, e);
}

static int on_item_end(void *owner, bool ok, struct err *e)
{
    return store_item_end(((struct queue *)owner)->store, ok, e);
}

static int64_t on_tick(void *owner, int64_t now_ms)
{
    return queue_tick(owner, now_ms);
}

static void submit(void *arg, struct work *w)
{
    writer_submit(arg, w);
}

int writer_open(const struct writer_conf *c, struct writer **ret, struct err *e)
{
    struct writer *wr = calloc(1, sizeof(*wr));
    if (!wr)
        abort();
    wr->on_task = c->on_task;
    wr->arg = c->arg;
    int rc = store_open(c->data_dir, &wr->store, e);
    if (rc == 0) {
        queue_init(&wr->queue, wr->store, c, submit, wr);
        rc = queue_rebuild(&wr->queue, e);
    }
    const struct inbox_owner owner = {.name = "writer",
                                      .owner = &wr->queue,
                                      .begin = on_begin,
                                      .commit = on_commit,
                                      .rollback = on_rollback,
                                      .item_begin = on_item_begin,
                                      .item_end = on_item_end,
                                      .tick = on_tick};
    if (rc == 0)
        rc = inbox_start(&owner, &wr->inbox, e);
    if (rc < 0) {
        queue_release(&wr->queue);
        store_close(wr->store);
        free(wr);
        return rc;
    }
    *ret = wr;
    return 0;
}

void writer_submit(struct writer *wr, struct work *w)
{
    inbox_submit(wr->inbox, w);
}

int writer_run(struct writer *wr, struct work *w)
{
    return inbox_run(wr->inbox, w);
}

const struct id_key *writer_ids(const struct writer *wr)
{
    return store_ids(wr->store);
}

static int run_quiesce(struct work *w, void *owner, struct err *e)
{
    (void)w, (void)e;
    struct queue *q = owner;
    q->quiescing = true;
    for (struct parked *it; (it = parking_next(&q->parking));)
        queue_wake(q, it);
    return 0;
}

static int run_nothing(struct work *w, void *owner, struct err *e)
{
    (void)w, (void)owner, (void)e;
    return 0;
}

void writer_quiesce(struct writer *wr)
{
    struct work quiesce = {.run = run_quiesce}, after = {.run = run_nothing};
    (void)inbox_run(wr->inbox, &quiesce); /* neither can fail */
    (void)inbox_run(wr->inbox, &after);   /* those that were woken are in the inbox before it */
}

void writer_close(struct writer *wr)
{
    if (!wr)
        return;
    writer_quiesce(wr);
    inbox_stop(wr->inbox);
    queue_release(&wr->queue);
    store_close(wr->store);
    free(wr);
}
