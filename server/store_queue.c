/* Tasks as the rules see them: queueing, moving, and the lanes they wait in. */
#include "server/store_write.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/str.h"
#include "server/store_priv.h"
#include "lib/banned.h"

/* Above it a payload has a table of its own: every move of a task rewrites the task's row. */
#define INLINE_PAYLOAD_BYTES 1024

/* ---- new tasks ---- */

static int add_payload(struct store *s, int64_t task, const struct task_insert *t, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_PAYLOAD_ADD);
    query_int(&q, task);
    query_bytes(&q, t->payload, t->payload_len);
    return query_done(&q, e);
}

int store_task_add(struct store *s, const struct task_insert *t, int64_t *ret_n, struct err *e)
{
    bool is_inline = t->payload_len <= INLINE_PAYLOAD_BYTES;
    int64_t n = 0;
    {
        AUTO(query) struct query q = query_start(s, SQL_TASK_ADD);
        query_int(&q, t->project);
        query_int(&q, t->code);
        query_int(&q, t->revision);
        query_int(&q, t->cluster);
        query_int(&q, t->priority);
        query_int(&q, t->ready_us);
        query_int(&q, t->created_us);
        query_int(&q, t->timeout_s);
        query_int(&q, t->delay_s);
        query_text(&q, t->label && t->label[0] ? t->label : NULL);
        query_text(&q, t->schedule_id);
        if (is_inline)
            query_bytes(&q, t->payload, t->payload_len);
        else
            query_null(&q);
        if (query_insert(&q, &n, e) < 0)
            return e->code;
    }
    if (!is_inline && add_payload(s, n, t, e) < 0)
        return e->code;
    *ret_n = n;
    return 0;
}

static int copy_payload(struct store *s, int64_t from, int64_t to, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_PAYLOAD_COPY);
    query_int(&q, from);
    query_int(&q, to);
    return query_done(&q, e);
}

int store_task_copy(struct store *s, int64_t from, const struct task_row *as, int64_t revision,
                    int64_t delay_s, int64_t *ret_n, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TASK_COPY);
    query_int(&q, from);
    query_int(&q, revision);
    query_int(&q, as->ready_us);
    query_int(&q, as->created_us);
    query_int(&q, delay_s);
    query_int(&q, as->retry);
    query_text(&q, as->original_id);
    int64_t n = 0;
    if (query_insert(&q, &n, e) < 0 || copy_payload(s, from, n, e) < 0)
        return e->code;
    *ret_n = n;
    return 0;
}

/* ---- rows and moves ---- */

int store_task_row(struct store *s, int64_t n, struct task_row *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TASK_ROW);
    query_int(&q, n);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_NOT_FOUND, "task not found");
    ret->n = read_int(&q);
    ret->project = read_int(&q);
    ret->code = read_int(&q);
    ret->cluster = read_int(&q);
    ret->priority = read_int(&q);
    ret->created_us = read_int(&q);
    ret->attempt = read_int(&q);
    ret->retry = read_int(&q);
    ret->infra = read_int(&q);
    ret->state = (enum task_state)read_int(&q);
    ret->stopping = read_bool(&q);
    ret->ready_us = read_int(&q);
    ret->start_us = read_int(&q);
    ret->end_us = read_int(&q);
    ret->told = read_bool(&q);
    read_copy(&q, ret->original_id, sizeof(ret->original_id));
    read_copy(&q, ret->retry_id, sizeof(ret->retry_id));
    read_copy(&q, ret->schedule_id, sizeof(ret->schedule_id));
    return 0;
}

int store_task_stack(struct store *s, int64_t n, char **ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TASK_STACK);
    query_int(&q, n);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_NOT_FOUND, "task not found");
    *ret = read_text(&q);
    return 0;
}

int store_task_last(struct store *s, int64_t *ret_n, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TASK_LAST);
    if (query_row(&q, e) < 0)
        return e->code;
    *ret_n = read_int(&q); /* NULL of an empty table reads as 0 */
    return 0;
}

int store_task_resolve(struct store *s, int64_t project, const char *id, struct task_row *ret,
                       struct err *e)
{
    int64_t n = 0;
    uint32_t created_s = 0;
    if (!id_decode(&s->ids, ID_TASK, id, &n, &created_s))
        return err_set(e, ERR_NOT_FOUND, "task not found");
    struct task_row row;
    if (store_task_row(s, n, &row, e) < 0)
        return e->code;
    if (!id_matches(created_s, row.created_us) || (project && row.project != project))
        return err_set(e, ERR_NOT_FOUND, "task not found");
    *ret = row;
    return 0;
}

int store_task_update(struct store *s, const struct task_row *was, const struct task_row *now,
                      const char *msg, int64_t now_us, struct err *e)
{
    assert(was->state == now->state || task_move_legal(was->state, now->state));
    AUTO(query) struct query q = query_start(s, SQL_TASK_UPDATE);
    query_int(&q, was->n);
    query_int(&q, was->state);
    query_int(&q, was->attempt);
    query_int(&q, now->state);
    query_int(&q, now->stopping);
    query_int(&q, now->infra);
    query_int(&q, now->ready_us);
    query_int(&q, now->start_us);
    query_int(&q, now->end_us);
    query_text(&q, now->retry_id[0] ? now->retry_id : NULL);
    query_text(&q, msg);
    query_int(&q, now_us);
    return query_hit(&q, e);
}

int store_task_progress(struct store *s, int64_t n, int64_t percent, const char *msg,
                        int64_t now_us, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TASK_PROGRESS);
    query_int(&q, n);
    if (percent < 0)
        query_null(&q);
    else
        query_int(&q, percent);
    query_text(&q, msg);
    query_int(&q, now_us);
    return query_hit(&q, e);
}

/* ---- lanes ---- */

/* seek: the next value of a column of the index: the `n` values fix those before it, and the last
 * of them is to be exceeded. ERR_EMPTY: there is none. */
static int seek(struct store *s, enum sql id, const int64_t *values, int n, int64_t *ret,
                struct err *e)
{
    AUTO(query) struct query q = query_start(s, id);
    for (int i = 0; i < n; i++)
        query_int(&q, values[i]);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_EMPTY, "no further lane");
    *ret = read_int(&q);
    return 0;
}

int store_lane_next(struct store *s, struct store_lane *lane, struct err *e)
{
    struct store_lane at = *lane;
    for (;;) {
        int64_t key[] = {at.cluster, at.code, at.priority};
        int rc = seek(s, SQL_LANE_NEXT_PRIORITY, key, 3, &at.priority, e);
        if (rc == 0) {
            *lane = at;
            return 0;
        }
        if (rc == ERR_EMPTY) {
            at.priority = -1;
            rc = seek(s, SQL_LANE_NEXT_CODE, key, 2, &at.code, e);
        }
        if (rc == ERR_EMPTY) {
            at.code = -1;
            rc = seek(s, SQL_LANE_NEXT_CLUSTER, key, 1, &at.cluster, e);
        }
        if (rc < 0)
            return rc;
    }
}

int store_lane_first(struct store *s, const struct store_lane *lane, int64_t *ret_task,
                     int64_t *ret_ready_us, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_LANE_FIRST);
    query_int(&q, lane->cluster);
    query_int(&q, lane->code);
    query_int(&q, lane->priority);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_EMPTY, "the lane is empty");
    *ret_task = read_int(&q);
    *ret_ready_us = read_int(&q);
    return 0;
}

int store_lane_ahead(struct store *s, const struct task_row *t, int64_t limit, int64_t *ret,
                     struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_LANE_AHEAD);
    query_int(&q, t->cluster);
    query_int(&q, t->code);
    query_int(&q, t->priority);
    query_int(&q, t->ready_us);
    query_int(&q, t->n);
    query_int(&q, limit);
    if (query_row(&q, e) < 0)
        return e->code;
    *ret = read_int(&q);
    return 0;
}

int store_lane_cancel(struct store *s, const struct store_lane *lane, int64_t through,
                      int64_t limit, const char *msg, int64_t now_us,
                      void (*fn)(int64_t task, void *arg), void *arg, int64_t *ret_n, struct err *e)
{
    assert(task_move_legal(TASK_QUEUED, TASK_CANCELLED));
    AUTO(query) struct query q = query_start(s, SQL_TASK_CANCEL_LANE);
    query_int(&q, lane->cluster);
    query_int(&q, lane->code);
    query_int(&q, lane->priority);
    query_int(&q, limit);
    query_text(&q, msg);
    query_int(&q, now_us);
    query_int(&q, through);
    int64_t n = 0;
    int rc;
    for (; (rc = query_row(&q, e)) > 0; n++)
        fn(read_int(&q), arg);
    if (rc < 0)
        return rc;
    *ret_n = n;
    return 0;
}
