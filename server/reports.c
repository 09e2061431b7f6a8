/* What runners report: who they are, that a command started, how an attempt ended.
 *
 * Every report about an attempt is fenced: it names (task, attempt), and unless that is the live
 * attempt of this runner nothing changes and the answer is ERR_CONFLICT. */
#include "server/queue.h"
#include "server/store_admin.h"

#include <string.h>

#include "lib/bounds.h"
#include "lib/str.h"
#include "lib/banned.h"

static int not_live(struct err *e, const struct attempt_ref *ref)
{
    return err_set(e, ERR_CONFLICT, "attempt %lld of task %s is not the live one of this runner",
                   (long long)ref->attempt, ref->task);
}

int queue_live(struct queue *q, const struct attempt_ref *ref, const char *runner,
               struct lease **ret, struct task_row *ret_row, struct err *e)
{
    struct task_row row;
    int rc = store_task_resolve(q->store, 0, ref->task, &row, e);
    if (rc == ERR_NOT_FOUND)
        return not_live(e, ref);
    if (rc < 0)
        return rc;
    struct lease *l = lease_of_task(&q->fleet, row.n);
    if (!l || l->attempt != ref->attempt || strcmp(l->runner->name, runner) != 0)
        return not_live(e, ref);
    *ret = l;
    *ret_row = row;
    return 0;
}

/* heard: a report is as good as a renewal. */
static void heard(struct queue *q, struct lease *l)
{
    l->runner->seen_us = queue_now_us(q);
    l->confirmed = true;
    lease_extend(&q->fleet, l, queue_lease_end_ms(q));
}

/* ---- started ---- */

int run_started(struct work *w, void *owner, struct err *e)
{
    struct op_started *o = (struct op_started *)w;
    struct queue *q = owner;
    struct lease *l;
    struct task_row row;
    if (queue_live(q, &o->started->ref, o->started->runner, &l, &row, e) < 0)
        return e->code;
    int64_t now_us = queue_now_us(q);
    if (store_attempt_started(q->store, row.n, o->started, now_us, e) < 0)
        return e->code;
    if (row.state == TASK_PREPARING) { /* else cancelled meanwhile, or said before */
        struct task_row now = row;
        now.state = TASK_RUNNING;
        now.start_us = now_us;
        if (store_task_update(q->store, &row, &now, NULL, now_us, e) < 0)
            return e->code;
    }
    l->started = true;
    heard(q, l);
    queue_touch(q, row.n);
    return 0;
}

void op_started_init(struct op_started *o)
{
    *o = (struct op_started){.w = {.run = run_started, .writes = true}};
}

/* ---- finish ---- */

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* said_before: the runner did not get our answer and says the same once more. */
static bool said_before(const struct attempt_row *a, const struct finish *f)
{
    return a->ended_us != 0 && a->class == f->class && a->exit_code == f->exit_code &&
           a->signal == f->signal && a->log_bytes == f->log_bytes &&
           same_text(a->runner, f->runner) && same_text(a->log_sha256, f->log_sha256);
}

/* stale_finish: it is not about the live attempt; fine if it is a repetition. */
static int stale_finish(struct queue *q, const struct finish *f, struct err *e)
{
    struct task_row row;
    AUTO(attempt_row) struct attempt_row a = {0};
    int rc = store_task_resolve(q->store, 0, f->ref.task, &row, e);
    if (rc == 0)
        rc = store_attempt_find(q->store, row.n, f->ref.attempt, &a, e);
    if (rc == ERR_NOT_FOUND || (rc == 0 && !said_before(&a, f)))
        return not_live(e, &f->ref);
    if (rc == 0)
        err_clear(e);
    return rc;
}

int run_finish(struct work *w, void *owner, struct err *e)
{
    struct op_finish *o = (struct op_finish *)w;
    struct queue *q = owner;
    const struct finish *f = o->finish;
    if (f->class == CLASS_NONE || f->class == CLASS_LOST)
        return err_set(e, ERR_INVALID, "a runner may not report the class \"%s\"",
                       attempt_class_name(f->class));
    struct lease *l;
    struct task_row row;
    int rc = queue_live(q, &f->ref, f->runner, &l, &row, e);
    if (rc == ERR_CONFLICT)
        return stale_finish(q, f, e);
    if (rc < 0)
        return rc;
    l->runner->seen_us = queue_now_us(q);
    struct finish end = *f;
    if (queue_build_ends(q, &row, &end, e) < 0)
        return e->code;
    return queue_end_attempt(q, &row, &end, o->stderr_tail, false, e);
}

void op_finish_init(struct op_finish *o)
{
    *o = (struct op_finish){.w = {.run = run_finish, .writes = true}};
}

/* ---- register ---- */

int run_register(struct work *w, void *owner, struct err *e)
{
    struct op_register *o = (struct op_register *)w;
    struct queue *q = owner;
    int64_t now_us = queue_now_us(q);
    if (store_runner_put(q->store, o->hello, now_us, e) < 0)
        return e->code;
    AUTO(buf) struct buf stacks = BUF_INIT(BOUND_JSON_BODY_BYTES);
    json_text(o->hello->stacks, &stacks);
    struct runner *r = fleet_runner(&q->fleet, o->hello->runner);
    runner_told(r, o->hello->cluster, o->hello->slots, o->hello->problem, buf_str(&stacks));
    r->seen_us = now_us;
    return 0;
}

void op_register_init(struct op_register *o)
{
    *o = (struct op_register){.w = {.run = run_register, .writes = true}};
}

/* ---- probe ---- */

int run_probe(struct work *w, void *owner, struct err *e)
{
    (void)w;
    struct queue *q = owner;
    return store_probe(q->store, e);
}

void op_probe_init(struct op_probe *o)
{
    *o = (struct op_probe){.w = {.run = run_probe, .writes = true}};
}
