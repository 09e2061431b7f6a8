/* An inbox: a locked list that many threads fill and one thread empties in batches.
 *
 * The lock covers the two lists and the flag alone; nothing is called while it is held. A batch is
 * what had gathered while the one before was being committed, so the batches grow with the load and
 * a lone item waits for nobody. Errors of the whole batch (begin, commit, an item that could not be
 * undone) replace what the items thought of themselves: none of it is on disk. */
#include "server/work.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/banned.h"

#define BATCH_DEFAULT 512

struct work_list {
    struct work *first, **last; /* last: where the next one is hung in */
};

struct inbox {
    struct inbox_owner o;
    pthread_t thread;
    pthread_mutex_t mu;
    pthread_cond_t more;      /* something was submitted, or `stopping` was set */
    struct work_list waiting; /* guarded by mu */
    struct work_list refused; /* guarded by mu: came after the stop */
    bool stopping;            /* guarded by mu */
};

static void list_init(struct work_list *l)
{
    l->first = NULL;
    l->last = &l->first;
}

static void list_push(struct work_list *l, struct work *w)
{
    w->next = NULL;
    *l->last = w;
    l->last = &w->next;
}

/* list_cut: takes at most `max` items out of the front, as a chain that ends with NULL. */
static struct work *list_cut(struct work_list *l, unsigned max)
{
    struct work *head = l->first, *end = head;
    if (!head)
        return NULL;
    for (unsigned i = 1; i < max && end->next; i++)
        end = end->next;
    l->first = end->next;
    if (!l->first)
        l->last = &l->first;
    end->next = NULL;
    return head;
}

/* ---- one batch ---- */

struct batch {
    struct work_list ran; /* to be told; what was parked is not here */
    bool open;            /* between begin and commit */
    struct err err;       /* code 0, or why nothing of this batch counts */
};

/* run_writing: one item between its savepoint and its release. Returns what run said. */
static int run_writing(const struct inbox_owner *o, struct batch *b, struct work *w)
{
    if (!b->open && o->begin && o->begin(o->owner, &b->err) != 0)
        return b->err.code;
    b->open = true;
    if (!w->bare && o->item_begin && o->item_begin(o->owner, &b->err) != 0)
        return b->err.code;
    int rc = w->run(w, o->owner, &w->err);
    if (o->item_end)
        (void)o->item_end(o->owner, rc >= 0, &b->err); /* b->err carries its failure */
    return rc;
}

static void run_items(const struct inbox_owner *o, struct batch *b, struct work *chain)
{
    while (chain) {
        struct work *w = chain;
        chain = w->next;
        err_clear(&w->err);
        int rc = 0;
        if (b->err.code == 0)
            rc = w->writes ? run_writing(o, b, w) : w->run(w, o->owner, &w->err);
        if (rc == 0)
            err_clear(&w->err); /* a call inside may have failed and been forgiven */
        if (rc != WORK_PARKED)
            list_push(&b->ran, w);
    }
}

static void run_batch(const struct inbox_owner *o, struct work *chain)
{
    struct batch b = {0};
    list_init(&b.ran);
    run_items(o, &b, chain);
    if (b.err.code == 0 && b.open && o->commit)
        (void)o->commit(o->owner, &b.err); /* b.err carries its failure */
    if (b.err.code != 0 && o->rollback)
        o->rollback(o->owner);
    for (struct work *w = b.ran.first, *next; w; w = next) {
        next = w->next; /* done may free it */
        if (b.err.code != 0)
            w->err = b.err;
        w->done(w);
    }
}

static void refuse(struct work *chain)
{
    for (struct work *w = chain, *next; w; w = next) {
        next = w->next;
        (void)err_set(&w->err, ERR_UNAVAILABLE, "the server is stopping"); /* for done */
        w->done(w);
    }
}

/* ---- the thread ---- */

static void wait_until(struct inbox *in, int64_t due_ms)
{
    if (due_ms == INT64_MAX) {
        pthread_cond_wait(&in->more, &in->mu);
        return;
    }
    struct timespec t = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};
    pthread_cond_timedwait(&in->more, &in->mu, &t);
}

/* next_batch: waits for work; false when the inbox is stopped and empty. */
static bool next_batch(struct inbox *in, struct work **ret_run, struct work **ret_refuse)
{
    int64_t due_ms = in->o.tick ? in->o.tick(in->o.owner, clock_mono_ms()) : INT64_MAX;
    pthread_mutex_lock(&in->mu);
    if (!in->waiting.first && !in->refused.first && !in->stopping)
        wait_until(in, due_ms);
    *ret_run = list_cut(&in->waiting, in->o.max_batch);
    *ret_refuse = list_cut(&in->refused, UINT_MAX);
    bool over = in->stopping && !*ret_run && !*ret_refuse;
    pthread_mutex_unlock(&in->mu);
    return !over;
}

static void *inbox_main(void *arg)
{
    struct inbox *in = arg;
    pthread_setname_np(pthread_self(), in->o.name);
    pthread_mutex_lock(&in->mu); /* until inbox_start is through */
    pthread_mutex_unlock(&in->mu);
    struct work *run, *late;
    while (next_batch(in, &run, &late)) {
        if (run)
            run_batch(&in->o, run);
        refuse(late);
    }
    return NULL;
}

/* thread_start: with every signal blocked, as the main thread's signalfd is their only reader. */
static int thread_start(struct inbox *in, struct err *e)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&in->thread, NULL, inbox_main, in);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc ? err_os(e, ERR_IO, rc, "start of thread %s", in->o.name) : 0;
}

static void inbox_free(struct inbox *in)
{
    pthread_cond_destroy(&in->more);
    pthread_mutex_destroy(&in->mu);
    free(in);
}

int inbox_start(const struct inbox_owner *o, struct inbox **ret, struct err *e)
{
    struct inbox *in = calloc(1, sizeof(*in));
    if (!in)
        abort();
    in->o = *o;
    if (in->o.max_batch == 0)
        in->o.max_batch = BATCH_DEFAULT;
    list_init(&in->waiting);
    list_init(&in->refused);
    pthread_mutex_init(&in->mu, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&in->more, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_lock(&in->mu); /* *ret is set before the thread calls anything of the owner's */
    int rc = thread_start(in, e);
    if (rc == 0)
        *ret = in;
    pthread_mutex_unlock(&in->mu);
    if (rc < 0)
        inbox_free(in);
    return rc;
}

void inbox_submit(struct inbox *in, struct work *w)
{
    pthread_mutex_lock(&in->mu);
    list_push(in->stopping ? &in->refused : &in->waiting, w);
    pthread_cond_signal(&in->more);
    pthread_mutex_unlock(&in->mu);
}

void inbox_stop(struct inbox *in)
{
    if (!in)
        return;
    pthread_mutex_lock(&in->mu);
    in->stopping = true;
    pthread_cond_signal(&in->more);
    pthread_mutex_unlock(&in->mu);
    pthread_join(in->thread, NULL);
    inbox_free(in);
}

/* ---- waiting for one item ---- */

struct waiter {
    pthread_mutex_t mu;
    pthread_cond_t ended;
    bool over; /* guarded by mu */
};

static void waiter_done(struct work *w)
{
    struct waiter *wt = w->arg;
    pthread_mutex_lock(&wt->mu);
    wt->over = true;
    pthread_cond_signal(&wt->ended);
    pthread_mutex_unlock(&wt->mu);
}

int inbox_run(struct inbox *in, struct work *w)
{
    struct waiter wt = {.mu = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
    void (*done)(struct work *) = w->done;
    void *arg = w->arg;
    w->done = waiter_done;
    w->arg = &wt;
    inbox_submit(in, w);
    pthread_mutex_lock(&wt.mu);
    while (!wt.over)
        pthread_cond_wait(&wt.ended, &wt.mu);
    pthread_mutex_unlock(&wt.mu);
    w->done = done;
    w->arg = arg;
    return w->err.code;
}
