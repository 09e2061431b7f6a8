/* Queueing tasks, the hot path: per task one lookup in memory, one insert, one id.
 *
 * The operation is bare (no savepoint): everything that can be wrong with the request is looked at
 * before the first row is written. */
#include "server/queue.h"

#include <string.h>

#include "lib/bounds.h"
#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/str.h"
#include "server/store_admin.h"
#include "lib/banned.h"

static int find_code(struct queue *q, int64_t project, const struct task_new *t, struct qcode **ret,
                     struct err *e)
{
    int rc = codes_by_name(&q->codes, q->store, project, t->code_name, ret, e);
    if (rc == ERR_NOT_FOUND)
        return err_set(e, ERR_NOT_FOUND, "no code is named \"%.128s\"", t->code_name);
    if (rc == 0 && (*ret)->r.revision == 0)
        return err_set(e, ERR_NOT_FOUND,
                       "code \"%.128s\" has no revision: its first build has not succeeded",
                       t->code_name);
    return rc;
}

int queue_add_task(struct queue *q, int64_t project, const struct task_new *t,
                   const char *schedule_id, int64_t now_us, int64_t *ret_n, struct err *e)
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
                              .schedule_id = schedule_id,
                              .payload = t->payload,
                              .payload_len = t->payload_len};
    if (store_task_add(q->store, &row, ret_n, e) < 0)
        return e->code;
    lane_task(&q->lanes, lanes_get(&q->lanes, cluster, code, priority), row.ready_us, now_us);
    return 0;
}

/* ---- once ---- */

/* recall: the ids that an earlier request with this key got; *ret_known false: there was none. */
static int recall(struct queue *q, struct op_enqueue *o, bool *ret_known, struct err *e)
{
    AUTO(once_row) struct once_row row = {0};
    int64_t since_us = queue_now_us(q) - ENQUEUE_ONCE_US;
    int rc = store_once_find(q->store, o->project, o->once_key, since_us, &row, e);
    if (rc == ERR_NOT_FOUND) {
        err_clear(e);
        *ret_known = false;
        return 0;
    }
    if (rc < 0)
        return rc;
    if (strcmp(row.hash, o->once_hash) != 0)
        return err_set(e, ERR_CONFLICT, "this Idempotency-Key was used for another request");
    if (strlen(row.ids) != o->n * ID_HEX)
        return err_set(e, ERR_INTERNAL, "an Idempotency-Key was kept with %zu bytes of ids",
                       strlen(row.ids));
    for (size_t i = 0; i < o->n; i++)
        str_copy(o->ret_ids[i], ID_TEXT, row.ids + i * ID_HEX);
    *ret_known = o->ret_again = true;
    return 0;
}

static int remember(struct queue *q, const struct op_enqueue *o, int64_t now_us, struct err *e)
{
    AUTO(buf) struct buf ids = BUF_INIT(BOUND_TASKS_PER_REQUEST * ID_HEX + 1);
    for (size_t i = 0; i < o->n; i++)
        buf_adds(&ids, o->ret_ids[i]);
    if (buf_check(&ids, "ids", e) < 0 ||
        store_once_prune(q->store, now_us - ENQUEUE_ONCE_US, e) < 0)
        return e->code;
    return store_once_put(q->store, o->project, o->once_key, o->once_hash, buf_str(&ids), now_us,
                          e);
}

/* ---- the operation ---- */

int run_enqueue(struct work *w, void *owner, struct err *e)
{
    struct op_enqueue *o = (struct op_enqueue *)w;
    struct queue *q = owner;
    struct qcode *code;
    bool known = false;
    if (o->once_key && recall(q, o, &known, e) < 0)
        return e->code;
    if (known)
        return 0;
    for (size_t i = 0; i < o->n; i++)
        if (find_code(q, o->project, &o->tasks[i], &code, e) < 0)
            return e->code;
    int64_t now_us = queue_now_us(q);
    for (size_t i = 0; i < o->n; i++) {
        int64_t n;
        if (queue_add_task(q, o->project, &o->tasks[i], NULL, now_us, &n, e) < 0)
            return e->code;
        queue_task_id(q, n, now_us, o->ret_ids[i]);
    }
    return o->once_key ? remember(q, o, now_us, e) : 0;
}

void op_enqueue_init(struct op_enqueue *o)
{
    *o = (struct op_enqueue){.w = {.run = run_enqueue, .writes = true, .bare = true}};
}
