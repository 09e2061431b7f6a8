/* How attempts end, and what that makes of their tasks (api/lifecycle.md).
 *
 * One table says where each class leads. A cancelled task stays cancelled whatever is reported;
 * everything else is a legal move of the task, made in the same transaction as the attempt's end
 * and, for a failed task of a code with retries, the new task that tries again. */
#include "server/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/banned.h"

#define BACKOFF_MAX_S 60
#define LOSE_AT_ONCE  256 /* leases that one operation ends */

static const struct {
    enum task_state to;
    bool retried; /* by the code's `retries`, as a new task */
} outcomes[] = {
    [CLASS_OK] = {TASK_COMPLETE, false},
    [CLASS_TASK] = {TASK_ERROR, true},
    [CLASS_TIMEOUT] = {TASK_TIMEOUT, true},
    [CLASS_REQUEST] = {TASK_ERROR, false},
    /* not the task's fault: the same task again */
    [CLASS_INFRA] = {TASK_QUEUED, false},
    [CLASS_LOST] = {TASK_QUEUED, false},
    [CLASS_CANCELLED] = {TASK_QUEUED, false}, /* the task is not: its runner drains */
};

/* ---- where it goes ---- */

/* back_off_us: 1, 2, 4 … 60 s after the first, second, third … failure of ours. */
static int64_t back_off_us(int64_t failures)
{
    int64_t s = failures > 6 ? BACKOFF_MAX_S : (int64_t)1 << (failures - 1);
    return (s < BACKOFF_MAX_S ? s : BACKOFF_MAX_S) * 1000000;
}

/* The plan for one ending. */
struct ending {
    struct task_row row; /* as the task will be */
    char *msg;           /* owned; NULL = unchanged */
    bool retry;
};

static void ending_release(struct ending *n)
{
    free(TAKE(n->msg));
}

/* set_times: the command ran as long as its runner says, by a clock of one machine; when it began
 * is what this server noted. */
static void set_times(struct task_row *row, const struct finish *f, int64_t now_us)
{
    int64_t ran_us = f->start_us > 0 && f->end_us > f->start_us ? f->end_us - f->start_us : 0;
    row->end_us = now_us;
    if (row->start_us == 0) {
        int64_t start_us = now_us - ran_us;
        row->start_us = start_us > row->created_us ? start_us : row->created_us;
    } else if (f->start_us > 0 && row->start_us + ran_us < now_us) {
        row->end_us = row->start_us + ran_us;
    }
}

/* said_why: the command ended by itself with an exit code, so its last words on stderr say more
 * than the number. An end by memory, disk or signal has the runner's reason. */
static bool said_why(const struct finish *f, const char *stderr_tail)
{
    return f->class == CLASS_TASK && f->exit_code > 0 && f->signal == 0 &&
           json_get_int(f->facts, "oom_kills", 0) <= 0 && stderr_tail && stderr_tail[0];
}

static char *failure_text(const struct finish *f, const char *stderr_tail)
{
    if (said_why(f, stderr_tail))
        return str_dup(stderr_tail);
    if (f->reason && f->reason[0])
        return str_dup(f->reason);
    if (f->signal)
        return str_fmt("ended by signal %lld", (long long)f->signal);
    return str_fmt("exit code %lld", (long long)f->exit_code);
}

static void plan_again(const struct queue *q, struct ending *n, const struct finish *f,
                       bool forgiven, int64_t now_us)
{
    if (!forgiven)
        n->row.infra++;
    if (n->row.infra > q->infra_retries) {
        n->row.state = TASK_ERROR;
        n->row.end_us = now_us;
        n->msg = str_fmt("given up after %lld failed attempts: %s", (long long)n->row.infra,
                         f->reason ? f->reason : "");
        return;
    }
    n->row.start_us = 0;
    n->row.ready_us = forgiven ? now_us : now_us + back_off_us(n->row.infra);
}

static struct ending plan(const struct queue *q, const struct task_row *row,
                          const struct qcode *code, const struct finish *f, const char *stderr_tail,
                          bool forgiven)
{
    struct ending n = {.row = *row};
    int64_t now_us = queue_now_us(q);
    if (row->state == TASK_CANCELLED) {
        n.row.stopping = false;
        return n;
    }
    n.row.state = outcomes[f->class].to;
    if (n.row.state != TASK_QUEUED) {
        set_times(&n.row, f, now_us);
        n.msg = n.row.state == TASK_COMPLETE || row->told ? NULL : failure_text(f, stderr_tail);
        n.retry = outcomes[f->class].retried && row->retry < code->r.retries && !code->r.deleted;
    } else if (code->r.deleted) {
        n.row.state = TASK_CANCELLED;
        n.row.end_us = now_us;
        n.msg = str_dup("its code was deleted");
    } else {
        plan_again(q, &n, f, forgiven || f->class == CLASS_CANCELLED, now_us);
    }
    return n;
}

/* ---- doing it ---- */

/* add_retry: the task that tries again, of the code's current revision, linked both ways. */
static int add_retry(struct queue *q, const struct qcode *code, struct task_row *row,
                     struct task_row *ret, struct err *e)
{
    int64_t now_us = queue_now_us(q), delay_s = code->r.retries_delay_s;
    struct task_row next = *row;
    next.state = TASK_QUEUED;
    next.created_us = now_us;
    next.ready_us = now_us + delay_s * 1000000;
    next.retry = row->retry + 1;
    if (!next.original_id[0])
        queue_task_id(q, row->n, row->created_us, next.original_id);
    if (store_task_copy(q->store, row->n, &next, code->r.revision, delay_s, &next.n, e) < 0)
        return e->code;
    queue_task_id(q, next.n, now_us, row->retry_id);
    *ret = next;
    return 0;
}

/* move_task: by way of `running` when `started` never arrived. */
static int move_task(struct queue *q, const struct task_row *was, const struct ending *n,
                     struct err *e)
{
    struct task_row from = *was;
    int64_t now_us = queue_now_us(q);
    if (from.state != n->row.state && !task_move_legal(from.state, n->row.state)) {
        struct task_row running = from;
        running.state = TASK_RUNNING;
        if (store_task_update(q->store, &from, &running, NULL, now_us, e) < 0)
            return e->code;
        from = running;
    }
    return store_task_update(q->store, &from, &n->row, n->msg, now_us, e);
}

int queue_end_attempt(struct queue *q, const struct task_row *row, const struct finish *f,
                      const char *stderr_tail, bool forgiven, struct err *e)
{
    struct qcode *code;
    if (codes_by_n(&q->codes, q->store, row->code, &code, e) < 0)
        return e->code;
    AUTO(ending) struct ending n = plan(q, row, code, f, stderr_tail, forgiven);
    struct task_row retry = {0};
    if (store_attempt_end(q->store, row->n, f, queue_now_us(q), e) < 0 ||
        (n.retry && add_retry(q, code, &n.row, &retry, e) < 0) || move_task(q, row, &n, e) < 0)
        return e->code;
    if (task_state_ended(n.row.state) && schedules_task_ended(q, row, e) < 0)
        return e->code;
    if (n.row.state == TASK_QUEUED && queue_requeued(q, &n.row, e) < 0)
        return e->code;
    if (n.retry && queue_requeued(q, &retry, e) < 0)
        return e->code;
    struct lease *l = lease_of_task(&q->fleet, row->n);
    if (l)
        queue_release_lease(q, l);
    queue_touch(q, row->n);
    return 0;
}

void queue_release_lease(struct queue *q, struct lease *l)
{
    struct qcode *code = l->code;
    lease_free(&q->fleet, l);
    lanes_released(code);
}

/* ---- leases that are over ---- */

int queue_lose(struct queue *q, const struct lease *l, const char *reason, bool forgiven,
               struct err *e)
{
    struct task_row row;
    if (store_task_row(q->store, l->task, &row, e) < 0)
        return e->code;
    struct finish f = {
        .class = CLASS_LOST, .ref.attempt = l->attempt, .exit_code = -1, .reason = reason};
    return queue_end_attempt(q, &row, &f, NULL, forgiven, e);
}

int run_expire(struct work *w, void *owner, struct err *e)
{
    (void)w;
    struct queue *q = owner;
    int64_t now_ms = queue_now_ms(q);
    for (int i = 0; i < LOSE_AT_ONCE; i++) {
        const struct lease *l = fleet_first_due(&q->fleet);
        if (!l || l->deadline_ms.key > now_ms)
            break;
        log_warn("lease lost task=%lld attempt=%lld runner=%s slot=%lld", (long long)l->task,
                 (long long)l->attempt, l->runner->name, (long long)l->slot);
        autofree char *reason =
            str_fmt("runner %s was not heard of for %d s", l->runner->name, RUNNER_LEASE_S);
        if (queue_lose(q, l, reason, false, e) < 0)
            return e->code;
    }
    return 0;
}
