/* Why a task is not running: the first cause that holds, in one sentence. */
#include "server/queue.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/str.h"
#include "lib/banned.h"

#define UNSEEN_US (90 * 1000000LL) /* runners speak at least every minute */
#define AHEAD_MAX 10000            /* counted no further */

struct question {
    struct queue *q;
    struct task_row row;
    struct qcode *code;
    struct cluster *cluster;
    int64_t now_us;
    struct buf *out; /* the sentence */
};

/* What the runners of a cluster are like, taken together. */
struct cluster_view {
    int64_t runners;              /* ever registered */
    int64_t seen;                 /* heard of lately */
    int64_t healthy;              /* of those: without a problem */
    int64_t slots, busy;          /* of the healthy ones */
    int64_t last_us;              /* when any was heard of */
    bool stack_known;             /* one of the healthy has the task's stack */
    const struct runner *problem; /* one that has a problem */
};

/* has_stack: `stacks` is the JSON array that the runner sent. */
static bool has_stack(const struct runner *r, const char *stack)
{
    autofree char *quoted = str_fmt("\"%s\"", stack);
    return strstr(r->stacks, quoted) != NULL;
}

static void view_runner(struct cluster_view *v, const struct question *x, const struct runner *r,
                        const char *stack)
{
    v->runners++;
    if (r->seen_us > v->last_us)
        v->last_us = r->seen_us;
    if (x->now_us - r->seen_us > UNSEEN_US)
        return;
    v->seen++;
    if (r->problem[0]) {
        v->problem = r;
        return;
    }
    v->healthy++;
    v->slots += r->slots;
    for (const struct lease *l = r->leases; l; l = l->next)
        v->busy++;
    v->stack_known |= has_stack(r, stack);
}

static struct cluster_view view(const struct question *x, const char *stack)
{
    struct cluster_view v = {0};
    size_t at = 0;
    for (struct runner *r; (r = map_next(&x->q->fleet.runners, &at));)
        if (strcmp(r->cluster, x->cluster->name) == 0)
            view_runner(&v, x, r, stack);
    return v;
}

/* ---- the causes, in the order in which they are looked at: 1 = this is it, 0 = it is not ---- */

static int because_live(struct question *x, struct err *e)
{
    (void)e;
    if (x->row.state == TASK_QUEUED)
        return 0;
    const struct lease *l = lease_of_task(&x->q->fleet, x->row.n);
    if (x->row.state == TASK_PREPARING && l)
        buf_addf(x->out, "runner %s is preparing attempt %lld", l->runner->name,
                 (long long)l->attempt);
    return 1;
}

static int because_deleted(struct question *x, struct err *e)
{
    (void)e;
    if (x->code->r.deleted)
        buf_adds(x->out, "its code was deleted; it is about to be cancelled");
    return x->code->r.deleted;
}

static int because_delayed(struct question *x, struct err *e)
{
    if (x->row.ready_us <= x->now_us)
        return 0;
    char at[CLOCK_TEXT];
    clock_format(x->row.ready_us, at);
    AUTO(attempt_row) struct attempt_row a = {0};
    if (x->row.infra == 0) {
        buf_addf(x->out, "delayed until %s", at);
        return 1;
    }
    if (store_attempt_find(x->q->store, x->row.n, x->row.attempt, &a, e) < 0)
        return e->code;
    buf_addf(x->out, "attempt %lld failed: %.120s; next try at %s", (long long)a.no,
             a.reason ? a.reason : "no reason given", at);
    return 1;
}

static int because_paused(struct question *x, struct err *e)
{
    (void)e;
    if (x->code->r.paused)
        buf_addf(x->out, "code \"%.128s\" is paused", x->code->r.name);
    return x->code->r.paused;
}

static int because_limited(struct question *x, struct err *e)
{
    (void)e;
    bool full = qcode_full(x->code);
    if (full)
        buf_addf(x->out, "code \"%.128s\" is at its limit of %lld at a time", x->code->r.name,
                 (long long)x->code->r.max_concurrency);
    return full;
}

static int because_runners(struct question *x, struct err *e)
{
    autofree char *stack = NULL;
    if (store_task_stack(x->q->store, x->row.n, &stack, e) < 0)
        return e->code;
    struct cluster_view v = view(x, stack);
    const char *name = x->cluster->name;
    if (v.runners == 0)
        buf_addf(x->out, "no runner has ever registered for cluster \"%.64s\"", name);
    else if (v.seen == 0)
        buf_addf(x->out, "no runner of cluster \"%.64s\" was heard of for %lld s", name,
                 (long long)((x->now_us - v.last_us) / 1000000));
    else if (v.healthy == 0)
        buf_addf(x->out, "no runner of cluster \"%.64s\" can run tasks; %s says: \"%.120s\"", name,
                 v.problem->name, v.problem->problem);
    else if (stack[0] && !v.stack_known)
        buf_addf(x->out, "no runner of cluster \"%.64s\" has the stack \"%.64s\"", name, stack);
    else if (v.busy >= v.slots)
        buf_addf(x->out, "all %lld slots of cluster \"%.64s\" are busy", (long long)v.slots, name);
    else
        return 0;
    return 1;
}

static int because_others(struct question *x, struct err *e)
{
    int64_t n;
    if (store_lane_ahead(x->q->store, &x->row, AHEAD_MAX, &n, e) < 0)
        return e->code;
    if (n > 0)
        buf_addf(x->out, "%s%lld tasks of its code are ahead of it",
                 n == AHEAD_MAX ? "at least " : "", (long long)n);
    return n > 0;
}

static int because_next(struct question *x, struct err *e)
{
    (void)e;
    buf_adds(x->out, "it is handed out as soon as a runner asks");
    return 1;
}

static int (*const causes[])(struct question *x, struct err *e) = {
    because_live,    because_deleted, because_delayed, because_paused,
    because_limited, because_runners, because_others,  because_next,
};

int run_why(struct work *w, void *owner, struct err *e)
{
    struct op_why *o = (struct op_why *)w;
    struct queue *q = owner;
    if (q->stale)
        return err_set(e, ERR_UNAVAILABLE, "the queue could not be read yet");
    AUTO(buf) struct buf text = BUF_INIT(4096);
    struct question x = {.q = q, .now_us = queue_now_us(q), .out = &text};
    if (store_task_resolve(q->store, o->project, o->id, &x.row, e) < 0 ||
        codes_by_n(&q->codes, q->store, x.row.code, &x.code, e) < 0 ||
        clusters_of_row(&q->clusters, q->store, x.row.cluster, &x.cluster, e) < 0)
        return e->code;
    int rc = 0;
    for (size_t i = 0; i < ARRAY_LEN(causes) && rc == 0; i++)
        rc = causes[i](&x, e);
    if (rc < 0)
        return rc;
    str_copy(o->ret_reason, sizeof(o->ret_reason), buf_str(&text));
    return 0;
}

void op_why_init(struct op_why *o)
{
    *o = (struct op_why){.w = {.run = run_why}};
}
