/* Schedules in two tables: what the client said, which few requests change, and a slim row that
 * every firing rewrites. Firings hang on the schedule by their due time, which is what makes it
 * impossible to record one twice. */
#include "server/store_schedule.h"

#include <stdlib.h>

#include "lib/str.h"
#include "server/schedule_reads.h"
#include "server/store_priv.h"
#include "lib/banned.h"

void schedule_row_release(struct schedule_row *r)
{
    schedule_release(&r->s);
}

static int no_schedule(struct err *e)
{
    return err_set(e, ERR_NOT_FOUND, "schedule not found");
}

/* ---- reading ---- */

static void read_spec(struct query *q, struct schedule_spec *s)
{
    s->code_name = read_text(q);
    s->priority = read_int(q);
    s->timeout_s = read_int(q);
    s->task_delay_s = read_int(q);
    s->cluster = read_text(q);
    s->label = read_text(q);
    s->start_us = read_int(q);
    s->end_us = read_int(q);
    s->delay_s = read_int(q);
    s->every_s = read_int(q);
    s->run_times = read_int(q);
    s->cron = read_text(q);
    s->zone = read_text(q);
    s->overlap = (enum schedule_overlap)read_int(q);
    s->catch_up = (enum schedule_catch_up)read_int(q);
    s->catch_up_max = read_int(q);
    s->jitter_s = read_int(q);
    s->paused = read_bool(q);
    s->payload = read_bytes(q, &s->payload_len);
}

static void read_schedule(struct query *q, struct schedule_row *r)
{
    r->n = read_int(q);
    r->s.created_us = read_int(q);
    id_encode(&q->s->ids, ID_SCHEDULE, r->n, r->s.created_us, r->s.id);
    r->project = read_int(q);
    int64_t project_created_us = read_int(q);
    id_encode(&q->s->ids, ID_PROJECT, r->project, project_created_us, r->s.project_id);
    r->s.updated_us = read_int(q);
    r->s.status = (enum schedule_status)read_int(q);
    r->due_us = read_int(q);
    r->s.next_us = read_int(q);
    r->wake_us = read_int(q);
    r->waiting_us = read_int(q);
    r->s.last_us = read_int(q);
    r->s.run_count = read_int(q);
    r->s.error_count = read_int(q);
    r->s.msg = read_text_opt(q);
    read_spec(q, &r->s.spec);
}

int store_schedule_row(struct store *s, int64_t n, struct schedule_row *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_SCHEDULE_ROW);
    query_int(&q, n);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : no_schedule(e);
    struct schedule_row r = {0};
    read_schedule(&q, &r);
    *ret = r;
    return 0;
}

int store_schedule_resolve(struct store *s, int64_t project, const char *id,
                           struct schedule_row *ret, struct err *e)
{
    int64_t n = 0;
    uint32_t created_s = 0;
    struct schedule_row r;
    if (!id_decode(&s->ids, ID_SCHEDULE, id, &n, &created_s))
        return no_schedule(e);
    if (store_schedule_row(s, n, &r, e) < 0)
        return e->code;
    if (r.project != project || !id_matches(created_s, r.s.created_us)) {
        schedule_row_release(&r);
        return no_schedule(e);
    }
    *ret = r;
    return 0;
}

int store_schedule_find(struct store *s, int64_t project, const char *id, struct schedule *ret,
                        struct err *e)
{
    struct schedule_row r;
    if (store_schedule_resolve(s, project, id, &r, e) < 0)
        return e->code;
    *ret = r.s;
    return 0;
}

static const char *given(const char *s)
{
    return s && s[0] ? s : NULL;
}

int store_schedule_list(struct store *s, int64_t project, const struct store_schedule_filter *f,
                        struct store_page page, struct schedule **ret, size_t *ret_n, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_SCHEDULE_LIST);
    query_int(&q, project);
    query_text(&q, given(f->code_name));
    query_text(&q, given(f->label));
    query_page(&q, page);
    struct schedule *list = NULL;
    size_t n = 0, cap = 0;
    int rc;
    while ((rc = query_row(&q, e)) > 0) {
        struct schedule_row r = {0};
        list = store_grow(list, n, &cap, sizeof(*list));
        read_schedule(&q, &r);
        list[n++] = r.s;
    }
    if (rc < 0) {
        while (n > 0)
            schedule_release(&list[--n]);
        free(list);
        return rc;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

/* ---- writing ---- */

int store_schedule_add(struct store *s, struct schedule_row *r, struct err *e)
{
    {
        AUTO(query) struct query q = query_start(s, SQL_SCHEDULE_ADD);
        query_int(&q, r->project);
        query_int(&q, r->s.created_us);
        if (query_insert(&q, &r->n, e) < 0)
            return e->code;
    }
    {
        AUTO(query) struct query q = query_start(s, SQL_SCHEDULE_RUN_ADD);
        query_int(&q, r->n);
        if (query_done(&q, e) < 0)
            return e->code;
    }
    id_encode(&s->ids, ID_SCHEDULE, r->n, r->s.created_us, r->s.id);
    return store_schedule_update(s, r, e);
}

int store_schedule_update(struct store *s, const struct schedule_row *r, struct err *e)
{
    const struct schedule_spec *c = &r->s.spec;
    AUTO(query) struct query q = query_start(s, SQL_SCHEDULE_UPDATE);
    query_int(&q, r->n);
    query_int(&q, r->s.updated_us);
    query_text(&q, c->code_name);
    query_int(&q, c->priority);
    query_int(&q, c->timeout_s);
    query_int(&q, c->task_delay_s);
    query_text(&q, c->cluster);
    query_text(&q, c->label);
    query_int(&q, c->start_us);
    query_int(&q, c->end_us);
    query_int(&q, c->delay_s);
    query_int(&q, c->every_s);
    query_int(&q, c->run_times);
    query_text(&q, c->cron);
    query_text(&q, c->zone);
    query_int(&q, c->overlap);
    query_int(&q, c->catch_up);
    query_int(&q, c->catch_up_max);
    query_int(&q, c->jitter_s);
    query_int(&q, c->paused);
    query_bytes(&q, c->payload, c->payload_len);
    return query_hit(&q, e);
}

int store_schedule_move(struct store *s, const struct schedule_row *r, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_SCHEDULE_MOVE);
    query_int(&q, r->n);
    query_int(&q, r->s.status);
    query_int(&q, r->due_us);
    query_int(&q, r->s.next_us);
    query_int(&q, r->wake_us);
    query_int(&q, r->waiting_us);
    query_int(&q, r->s.last_us);
    query_int(&q, r->s.run_count);
    query_int(&q, r->s.error_count);
    query_text(&q, r->s.msg);
    return query_hit(&q, e);
}

/* ---- what is due ---- */

int store_schedule_first(struct store *s, int64_t *ret_n, int64_t *ret_wake_us, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_SCHEDULE_FIRST);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_EMPTY, "no schedule is due");
    *ret_n = read_int(&q);
    *ret_wake_us = read_int(&q);
    return 0;
}

int store_schedule_wake(struct store *s, int64_t n, int64_t now_us, struct err *e)
{
    AUTO(query) struct query q = query_start(s, n ? SQL_SCHEDULE_WAKE : SQL_SCHEDULE_WAKE_ALL);
    query_int(&q, now_us);
    if (n)
        query_int(&q, n);
    return query_done(&q, e);
}

int store_schedule_live(struct store *s, const char *id, int64_t *ret_tasks, int max, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_SCHEDULE_LIVE);
    query_text(&q, id);
    query_int(&q, max);
    int n = 0, rc;
    while ((rc = query_row(&q, e)) > 0)
        ret_tasks[n++] = read_int(&q);
    return rc < 0 ? rc : n;
}

/* ---- firings ---- */

static void bind_firing(struct query *q, const struct firing_row *f)
{
    query_int(q, f->schedule);
    query_int(q, f->due_us);
    query_int(q, f->fired_us);
    query_int(q, f->outcome);
    query_int(q, f->task);
    query_text(q, f->note[0] ? f->note : NULL);
}

int store_firing_add(struct store *s, const struct firing_row *f, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_FIRING_ADD);
    bind_firing(&q, f);
    return query_done(&q, e);
}

int store_firing_settle(struct store *s, const struct firing_row *f, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_FIRING_SETTLE);
    bind_firing(&q, f);
    query_int(&q, FIRING_WAITING);
    return query_hit(&q, e);
}

int store_firing_known(struct store *s, int64_t schedule, int64_t due_us, bool *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_FIRING_KNOWN);
    query_int(&q, schedule);
    query_int(&q, due_us);
    int rc = query_row(&q, e);
    if (rc < 0)
        return rc;
    *ret = rc > 0;
    return 0;
}

int store_firing_trim(struct store *s, int64_t schedule, int64_t keep, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_FIRING_TRIM);
    query_int(&q, schedule);
    query_int(&q, keep);
    query_int(&q, FIRING_WAITING);
    return query_done(&q, e);
}

int store_firing_list(struct store *s, int64_t project, const char *id, struct store_page page,
                      struct firing **ret, size_t *ret_n, struct err *e)
{
    struct schedule_row r;
    if (store_schedule_resolve(s, project, id, &r, e) < 0)
        return e->code;
    schedule_row_release(&r);
    AUTO(query) struct query q = query_start(s, SQL_FIRING_LIST);
    query_int(&q, r.n);
    query_page(&q, page);
    struct firing *list = NULL;
    size_t n = 0, cap = 0;
    int rc;
    while ((rc = query_row(&q, e)) > 0) {
        list = store_grow(list, n, &cap, sizeof(*list));
        struct firing *f = &list[n++];
        f->due_us = read_int(&q);
        f->fired_us = read_int(&q);
        f->outcome = (enum firing_outcome)read_int(&q);
        read_id(&q, ID_TASK, f->task_id);
        f->note = read_text_opt(&q);
    }
    if (rc < 0) {
        while (n > 0)
            firing_release(&list[--n]);
        free(list);
        return rc;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}
