/* Queueing tasks, the hot path: per task one lookup in memory, one insert, one id.
 *
 * The operation is bare (no savepoint): everything that can be wrong with the request is looked at
 * before the first row is written. */
#include "server/queue.h"

#include <string.h>

#include "lib/banned.h"

static int find_code(struct queue *q, int64_t project, const struct task_new *t, struct qcode **ret,
                     struct err *e)
{
    int rc = codes_by_name(&q->codes, q->store, project, t->code_name, ret, e);
    if (rc == ERR_NOT_FOUND)
        return err_set(e, ERR_NOT_FOUND, "no code is named \"%.128s\"", t->code_name);
    return rc;
}

static int add_task(struct queue *q, int64_t project, const struct task_new *t, int64_t now_us,
                    char ret_id[ID_TEXT], struct err *e)
{
    struct qcode *code;
    struct cluster *cluster;
    if (find_code(q, project, t, &code, e) < 0 ||
        clusters_row(&q->clusters, q->store, t->cluster, &cluster, e) < 0)
        return e->code;
    int64_t priority = t->priority >= 0 ? t->priority : code->r.default_priority;
    struct task_insert row = {.project = project,
                              .code = code->r.n,
                              .revision = code->r.revision,
                              .cluster = cluster->n,
                              .priority = priority,
                              .created_us = now_us,
                              .ready_us = now_us + t->delay_s * 1000000,
                              .timeout_s = t->timeout_s,
                              .delay_s = t->delay_s,
                              .label = t->label,
                              .payload = t->payload,
                              .payload_len = t->payload_len};
    int64_t n;
    if (store_task_add(q->store, &row, &n, e) < 0)
        return e->code;
    queue_task_id(q, n, now_us, ret_id);
    lane_task(&q->lanes, lanes_get(&q->lanes, cluster, code, priority), row.ready_us, now_us);
    return 0;
}

int run_enqueue(struct work *w, void *owner, struct err *e)
{
    struct op_enqueue *o = (struct op_enqueue *)w;
    struct queue *q = owner;
    struct qcode *code;
    for (size_t i = 0; i < o->n; i++)
        if (find_code(q, o->project, &o->tasks[i], &code, e) < 0)
            return e->code;
    int64_t now_us = queue_now_us(q);
    for (size_t i = 0; i < o->n; i++)
        if (add_task(q, o->project, &o->tasks[i], now_us, o->ret_ids[i], e) < 0)
            return e->code;
    return 0;
}

void op_enqueue_init(struct op_enqueue *o)
{
    *o = (struct op_enqueue){.w = {.run = run_enqueue, .writes = true, .bare = true}};
}
