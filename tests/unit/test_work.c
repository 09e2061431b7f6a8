/* The inbox: batches, errors of one item and of all, parking, ticks, stopping. */
#include "server/work.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/tap.h"
#include "lib/banned.h"

/* An owner that writes down what it is asked, in order: B begin, [ item_begin, + run, ] item_end,
 * C commit, R rollback, d done. */
struct owner {
    char calls[512];
    size_t n;
    int fail_begin, fail_commit, fail_item_end; /* the Nth call from now fails; 0 = none */
    atomic_int ticks;
    int64_t tick_due_ms;
};

static void note(struct owner *o, char c)
{
    if (o->n < sizeof(o->calls) - 1)
        o->calls[o->n++] = c;
}

static int maybe_fail(int *countdown, struct err *e)
{
    if (*countdown > 0 && --*countdown == 0)
        return err_set(e, ERR_UNAVAILABLE, "disk full");
    return 0;
}

static int o_begin(void *owner, struct err *e)
{
    struct owner *o = owner;
    note(o, 'B');
    return maybe_fail(&o->fail_begin, e);
}

static int o_commit(void *owner, struct err *e)
{
    struct owner *o = owner;
    note(o, 'C');
    return maybe_fail(&o->fail_commit, e);
}

static void o_rollback(void *owner)
{
    note(owner, 'R');
}

static int o_item_begin(void *owner, struct err *e)
{
    (void)e;
    note(owner, '[');
    return 0;
}

static int o_item_end(void *owner, bool ok, struct err *e)
{
    struct owner *o = owner;
    note(o, ok ? ']' : '!');
    return maybe_fail(&o->fail_item_end, e);
}

static int64_t o_tick(void *owner, int64_t now_ms)
{
    (void)now_ms;
    struct owner *o = owner;
    atomic_fetch_add(&o->ticks, 1);
    return o->tick_due_ms;
}

static struct inbox *start(struct owner *o, unsigned max_batch)
{
    struct inbox_owner io = {.name = "test",
                             .owner = o,
                             .begin = o_begin,
                             .commit = o_commit,
                             .rollback = o_rollback,
                             .item_begin = o_item_begin,
                             .item_end = o_item_end,
                             .max_batch = max_batch};
    struct inbox *in;
    struct err e = {0};
    CHECK_OK(inbox_start(&io, &in, &e), &e);
    return in;
}

static int run_ok(struct work *w, void *owner, struct err *e)
{
    (void)w, (void)e;
    note(owner, '+');
    return 0;
}

static int run_bad(struct work *w, void *owner, struct err *e)
{
    (void)w;
    note(owner, '-');
    return err_set(e, ERR_INVALID, "no");
}

/* A call inside failed, and the item went on all the same. */
static int run_forgiving(struct work *w, void *owner, struct err *e)
{
    (void)w, (void)owner;
    (void)err_set(e, ERR_EMPTY, "the end of something");
    return 0;
}

/* A gate holds the thread inside an item, so that what is submitted meanwhile becomes one batch. */
struct gate {
    struct work w;
    pthread_mutex_t mu;
    pthread_cond_t cv;
    bool entered, open;
};

static int run_gate(struct work *w, void *owner, struct err *e)
{
    (void)owner, (void)e;
    struct gate *g = w->arg;
    pthread_mutex_lock(&g->mu);
    g->entered = true;
    pthread_cond_broadcast(&g->cv);
    while (!g->open)
        pthread_cond_wait(&g->cv, &g->mu);
    pthread_mutex_unlock(&g->mu);
    return 0;
}

static void done_nothing(struct work *w)
{
    (void)w;
}

static void gate_close(struct gate *g, struct inbox *in)
{
    *g = (struct gate){.w = {.run = run_gate, .done = done_nothing, .arg = g},
                       .mu = PTHREAD_MUTEX_INITIALIZER,
                       .cv = PTHREAD_COND_INITIALIZER};
    inbox_submit(in, &g->w);
    pthread_mutex_lock(&g->mu);
    while (!g->entered)
        pthread_cond_wait(&g->cv, &g->mu);
    pthread_mutex_unlock(&g->mu);
}

static void gate_open(struct gate *g)
{
    pthread_mutex_lock(&g->mu);
    g->open = true;
    pthread_cond_broadcast(&g->cv);
    pthread_mutex_unlock(&g->mu);
}

TEST(an_item_that_went_through_has_no_error)
{
    struct owner o = {0};
    struct inbox *in = start(&o, 0);
    struct work w = {.run = run_forgiving};
    CHECK_INT(inbox_run(in, &w), 0);
    CHECK_INT(w.err.code, 0);
    inbox_stop(in);
}

static void done_note(struct work *w)
{
    note(w->arg, 'd');
}

TEST(a_batch_is_begun_once_and_told_after_the_commit)
{
    struct owner o = {0};
    struct inbox *in = start(&o, 0);
    struct gate g;
    gate_close(&g, in);
    struct work w[3];
    for (int i = 0; i < 3; i++) {
        w[i] = (struct work){.run = run_ok, .done = done_note, .arg = &o, .writes = true};
        inbox_submit(in, &w[i]);
    }
    gate_open(&g);
    inbox_stop(in);
    CHECK_STR(o.calls, "B[+][+][+]Cddd");
}

TEST(a_batch_has_a_largest_size)
{
    struct owner o = {0};
    struct inbox *in = start(&o, 2);
    struct gate g;
    gate_close(&g, in);
    struct work w[3];
    for (int i = 0; i < 3; i++) {
        w[i] = (struct work){.run = run_ok, .done = done_note, .arg = &o, .writes = true};
        inbox_submit(in, &w[i]);
    }
    gate_open(&g);
    inbox_stop(in);
    CHECK_STR(o.calls, "B[+][+]CddB[+]Cd");
}

TEST(items_that_only_read_memory_open_no_transaction)
{
    struct owner o = {0};
    struct inbox *in = start(&o, 0);
    struct work w = {.run = run_ok};
    CHECK_INT(inbox_run(in, &w), 0);
    inbox_stop(in);
    CHECK_STR(o.calls, "+");
}

TEST(a_bare_item_has_no_savepoint)
{
    struct owner o = {0};
    struct inbox *in = start(&o, 0);
    struct work w = {.run = run_ok, .writes = true, .bare = true};
    CHECK_INT(inbox_run(in, &w), 0);
    inbox_stop(in);
    CHECK_STR(o.calls, "B+]C");
}

TEST(an_item_that_fails_leaves_the_others_alone)
{
    struct owner o = {0};
    struct inbox *in = start(&o, 0);
    struct gate g;
    gate_close(&g, in);
    struct work good = {.run = run_ok, .done = done_note, .arg = &o, .writes = true};
    struct work bad = {.run = run_bad, .done = done_note, .arg = &o, .writes = true};
    inbox_submit(in, &bad);
    inbox_submit(in, &good);
    gate_open(&g);
    inbox_stop(in);
    CHECK_STR(o.calls, "B[-![+]Cdd");
    CHECK_INT(bad.err.code, ERR_INVALID);
    CHECK_INT(good.err.code, 0);
}

TEST(a_failed_commit_fails_every_item)
{
    struct owner o = {.fail_commit = 1};
    struct inbox *in = start(&o, 0);
    struct gate g;
    gate_close(&g, in);
    struct work good = {.run = run_ok, .done = done_note, .arg = &o, .writes = true};
    struct work bad = {.run = run_bad, .done = done_note, .arg = &o, .writes = true};
    inbox_submit(in, &good);
    inbox_submit(in, &bad);
    gate_open(&g);
    inbox_stop(in);
    CHECK_STR(o.calls, "B[+][-!CRdd");
    CHECK_INT(good.err.code, ERR_UNAVAILABLE);
    CHECK_INT(bad.err.code, ERR_UNAVAILABLE);
    CHECK_STR(good.err.msg, "disk full");
}

TEST(a_failed_begin_runs_nothing)
{
    struct owner o = {.fail_begin = 1};
    struct inbox *in = start(&o, 0);
    struct work w = {.run = run_ok, .writes = true};
    CHECK_INT(inbox_run(in, &w), ERR_UNAVAILABLE);
    struct work again = {.run = run_ok, .writes = true};
    CHECK_INT(inbox_run(in, &again), 0);
    inbox_stop(in);
    CHECK_STR(o.calls, "BRB[+]C");
}

TEST(an_item_that_cannot_be_undone_ends_the_batch)
{
    struct owner o = {.fail_item_end = 1};
    struct inbox *in = start(&o, 0);
    struct gate g;
    gate_close(&g, in);
    struct work bad = {.run = run_bad, .done = done_note, .arg = &o, .writes = true};
    struct work next = {.run = run_ok, .done = done_note, .arg = &o, .writes = true};
    inbox_submit(in, &bad);
    inbox_submit(in, &next);
    gate_open(&g);
    inbox_stop(in);
    CHECK_STR(o.calls, "B[-!Rdd");
    CHECK_INT(bad.err.code, ERR_UNAVAILABLE);
    CHECK_INT(next.err.code, ERR_UNAVAILABLE);
}

/* Parks at first; the owner's tick submits it again. */
struct parker {
    struct owner o;
    struct inbox *in;
    struct work *parked;
    int runs;
};

static int run_parker(struct work *w, void *owner, struct err *e)
{
    (void)e;
    struct parker *p = owner;
    if (p->runs++ == 0) {
        p->parked = w;
        return WORK_PARKED;
    }
    return 0;
}

static int64_t tick_unpark(void *owner, int64_t now_ms)
{
    (void)now_ms;
    struct parker *p = owner;
    if (p->parked) {
        struct work *w = p->parked;
        p->parked = NULL;
        inbox_submit(p->in, w);
    }
    return INT64_MAX;
}

TEST(a_parked_item_is_told_when_it_was_submitted_again)
{
    struct parker p = {0};
    struct inbox_owner io = {.name = "test", .owner = &p, .tick = tick_unpark};
    struct err e = {0};
    CHECK_OK(inbox_start(&io, &p.in, &e), &e);
    struct work w = {.run = run_parker};
    CHECK_INT(inbox_run(p.in, &w), 0);
    CHECK_INT(p.runs, 2);
    inbox_stop(p.in);
}

TEST(tick_comes_again_when_it_said_so)
{
    struct owner o = {.tick_due_ms = 0}; /* always due */
    struct inbox_owner io = {.name = "test", .owner = &o, .tick = o_tick};
    struct inbox *in;
    struct err e = {0};
    CHECK_OK(inbox_start(&io, &in, &e), &e);
    while (atomic_load(&o.ticks) < 5)
        sched_yield(); /* the test's own deadline ends it */
    inbox_stop(in);
}

/* Submits itself again until it is refused: so it is, for certain, there after the stop. */
struct stubborn {
    struct work w;
    struct inbox *in;
    int runs, last_code;
};

static int run_stubborn(struct work *w, void *owner, struct err *e)
{
    (void)owner, (void)e;
    struct stubborn *s = w->arg;
    s->runs++;
    return 0;
}

static void done_again(struct work *w)
{
    struct stubborn *s = w->arg;
    s->last_code = w->err.code;
    if (w->err.code == 0)
        inbox_submit(s->in, w);
}

TEST(what_is_submitted_while_it_stops_is_refused)
{
    struct owner o = {0};
    struct stubborn s = {.in = start(&o, 0)};
    s.w = (struct work){.run = run_stubborn, .done = done_again, .arg = &s};
    inbox_submit(s.in, &s.w);
    inbox_stop(s.in);
    CHECK_INT(s.last_code, ERR_UNAVAILABLE);
    CHECK(s.runs >= 1);
}

#define SUBMITTERS 4
#define PER_THREAD 5000

struct load {
    struct inbox *in;
    atomic_int done;
};

static void done_count(struct work *w)
{
    struct load *l = w->arg;
    free(w);
    atomic_fetch_add(&l->done, 1);
}

static void *submit_many(void *arg)
{
    struct load *l = arg;
    for (int i = 0; i < PER_THREAD; i++) {
        struct work *w = malloc(sizeof(*w));
        *w = (struct work){.run = run_ok, .done = done_count, .arg = l, .writes = true};
        inbox_submit(l->in, w);
    }
    return NULL;
}

TEST(many_threads_submit_and_each_item_is_told_once)
{
    struct owner o = {0};
    struct load l = {.in = start(&o, 0)};
    pthread_t t[SUBMITTERS];
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_create(&t[i], NULL, submit_many, &l);
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(t[i], NULL);
    inbox_stop(l.in);
    CHECK_INT(atomic_load(&l.done), SUBMITTERS * PER_THREAD);
}

TAP_MAIN
