/* One loop: look under the lock what is due, do it without the lock, note the result. Output goes
 * at once when the line is idle; what gathers while a request is on its way goes with the next
 * one, up to BOUND_LOG_APPEND_BYTES. While the server is away, the spool is the buffer. */
#include "runner/ship.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "runner/sync.h"

#include "lib/banned.h"

#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 5000
#define LAST_TRY_MS    5000 /* for an end report while the runner stops */

struct ship {
    pthread_t thread;
    struct job *job;
    struct uplink *up;
    struct seglog *log; /* the spool, for reading; NULL until the first byte is due */
    int64_t backoff_ms;
    int64_t give_up_ms; /* monotonic; 0 = the runner is not stopping */
};

enum due { DUE_NOTHING, DUE_STARTED, DUE_OFFSET, DUE_LOG, DUE_FINISH };

/* mu held */
static enum due what_is_due(const struct job *j)
{
    if (j->started_due)
        return DUE_STARTED;
    if (!j->offset_known && (j->spooled > 0 || j->finish_due))
        return DUE_OFFSET;
    if (j->spooled > j->shipped)
        return DUE_LOG;
    return j->finish_due ? DUE_FINISH : DUE_NOTHING;
}

static void note_shipped(struct job *j, uint64_t offset)
{
    pthread_mutex_lock(&j->mu);
    if (offset > j->spooled) /* a server that has more than we made: another spool was here */
        offset = j->spooled;
    atomic_fetch_sub(&j->node->unshipped_bytes, (int64_t)offset - (int64_t)j->shipped);
    j->shipped = offset;
    j->offset_known = true;
    pthread_mutex_unlock(&j->mu);
}

/* ---- the four things to say ---- */

static int say_started(struct ship *s, enum said *said, struct err *e)
{
    struct job *j = s->job;
    struct started st = {.runner = j->node->name,
                         .ref = j->grant.ref,
                         .container = j->container,
                         .image = j->image,
                         .image_id = j->image_id};
    int rc = uplink_started(s->up, &st, said, e);
    if (rc == 0) {
        pthread_mutex_lock(&j->mu);
        j->started_due = false;
        pthread_mutex_unlock(&j->mu);
    }
    return rc;
}

/* Takes in what the slot has published; `to` is the end of it. */
static int open_log(struct ship *s, uint64_t to, struct err *e)
{
    autofree char *path = job_spool_path(s->job);
    if (!s->log && seglog_open_read(path, &s->log, e))
        return e->code;
    return seglog_refresh(s->log, to, e);
}

/* A failure of our own disk: to be tried again, not the server's refusal. */
static int spool_failed(struct err *e)
{
    log_error("cannot read the spool: %s", e->msg);
    e->code = ERR_IO;
    return e->code;
}

static int say_log(struct ship *s, uint64_t from, uint64_t to, enum said *said, struct err *e)
{
    struct job *j = s->job;
    size_t raw = 0;
    AUTO(buf) struct buf chunk = BUF_INIT(BOUND_LOG_APPEND_BYTES); /* takes what fits */
    if (to > from &&
        (open_log(s, to, e) || seglog_chunk(s->log, from, (size_t)(to - from), &chunk, &raw, e)))
        return spool_failed(e);
    uint64_t offset = 0;
    int rc = uplink_log(s->up, &j->grant.ref, from, chunk.data, chunk.len, said, &offset, e);
    if (rc == 0 && *said != SAID_LOST)
        note_shipped(j, offset);
    return rc;
}

static int say_finish(struct ship *s, enum said *said, struct err *e)
{
    struct job *j = s->job;
    uint64_t offset = 0;
    /* once it is due it does not change, and the job outlives this thread */
    int rc = uplink_finish(s->up, j->finish, strlen(j->finish), said, &offset, e);
    if (rc == 0 && *said == SAID_OFFSET)
        note_shipped(j, offset);
    if (rc == 0 && *said == SAID_OK)
        job_settle(j, JOB_DELIVERED);
    return rc;
}

/* ---- the loop ---- */

/* Waits until something is due or the job is settled. */
static enum due wait_due(struct ship *s, uint64_t *from, uint64_t *to)
{
    struct job *j = s->job;
    enum due due = DUE_NOTHING;
    pthread_mutex_lock(&j->mu);
    while (j->outcome == JOB_OPEN && (due = what_is_due(j)) == DUE_NOTHING)
        sync_wait(&j->changed, &j->mu, clock_mono_ms() + 60000);
    if (j->outcome != JOB_OPEN)
        due = DUE_NOTHING;
    *from = due == DUE_OFFSET ? j->spooled : j->shipped;
    *to = j->spooled;
    pthread_mutex_unlock(&j->mu);
    return due;
}

/* A refusal that no repetition changes. */
static bool is_final(int rc)
{
    return rc == ERR_INVALID || rc == ERR_NOT_FOUND || rc == ERR_METHOD || rc == ERR_MISSING ||
           rc == ERR_TOO_BIG;
}

static void lost(struct job *j)
{
    job_give_order(j, ORDER_LOST);
    job_settle(j, JOB_DROPPED);
}

static bool is_finish_due(struct job *j)
{
    pthread_mutex_lock(&j->mu);
    bool due = j->finish_due;
    pthread_mutex_unlock(&j->mu);
    return due;
}

/* Waits before the next try; while the runner stops it gives up after a while: the directory of the
 * job stays, and its next start delivers. */
static void back_off(struct ship *s)
{
    struct job *j = s->job;
    if (s->give_up_ms == 0 && node_stopping(j->node) != RUN && is_finish_due(j))
        s->give_up_ms = clock_mono_ms() + LAST_TRY_MS;
    if (s->give_up_ms && clock_mono_ms() >= s->give_up_ms) {
        job_settle(j, JOB_KEPT);
        return;
    }
    s->backoff_ms = s->backoff_ms ? s->backoff_ms * 2 : BACKOFF_MIN_MS;
    if (s->backoff_ms > BACKOFF_MAX_MS)
        s->backoff_ms = BACKOFF_MAX_MS;
    node_pause(j->node, s->backoff_ms);
}

static void *ship_main(void *arg)
{
    struct ship *s = arg;
    struct job *j = s->job;
    uint64_t from, to;
    enum due due;
    while ((due = wait_due(s, &from, &to)) != DUE_NOTHING) {
        struct err e = {0};
        enum said said = SAID_OK;
        int rc = due == DUE_STARTED  ? say_started(s, &said, &e)
                 : due == DUE_FINISH ? say_finish(s, &said, &e)
                                     : say_log(s, from, due == DUE_LOG ? to : from, &said, &e);
        if (rc == 0 && said == SAID_LOST) {
            lost(j);
        } else if (is_final(rc)) {
            log_error("server refuses a report: %s task=%s attempt=%lld", e.msg, j->grant.ref.task,
                      (long long)j->grant.ref.attempt);
            lost(j);
        } else if (rc != 0) {
            if (!err_retryable(rc) && s->backoff_ms == 0) /* an outage is logged by the node */
                log_error("cannot report: %s task=%s", e.msg, j->grant.ref.task);
            back_off(s);
        } else {
            s->backoff_ms = 0;
        }
    }
    return NULL;
}

struct ship *ship_start(struct job *j, struct uplink *u)
{
    struct ship *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->job = j;
    s->up = u;
    if (pthread_create(&s->thread, NULL, ship_main, s) != 0)
        abort();
    return s;
}

void ship_join(struct ship *s)
{
    pthread_join(s->thread, NULL);
    seglog_close(s->log);
    free(s);
}
