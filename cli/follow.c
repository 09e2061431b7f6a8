/* The follower: a stream until it breaks or ends, then a look at the task: ended, or once more from
 * the offset reached. The look is what tells a server that stopped from a task that ended. A new
 * attempt has a log of its own, so the offset belongs to an attempt (api/lifecycle.md). */
#include "cli/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/interrupt.h"
#include "cli/out.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#include "lib/banned.h"

#define FIRST_BACKOFF_MS 250
#define MAX_BACKOFF_MS   5000
#define SIDE_CALL_MS     3000 /* the log waits meanwhile */
#define TELL_WHY_MS      3000 /* a task that waits so long deserves a word */

struct follower {
    struct client *c;
    const char *id;
    FILE *to;
    uint64_t offset; /* of the next byte, in the log of `attempt` */
    int64_t attempt; /* whose log it is; meaningless while offset is 0 */
    int64_t begun_ms;
    int backoff_ms;
    bool told_why;
    bool away; /* the server is, and we said so */
    int write_errno;
};

/* ---- while a stream is open: calls beside it, on connections of their own ---- */

static int stop_on_interrupt(void *arg)
{
    (void)arg;
    return interrupt_seen();
}

static int side_call(struct follower *f, const char *tail, struct reply *ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    client_path(f->c, &path, "/tasks/");
    httpc_escape(&path, f->id);
    buf_adds(&path, tail);
    const struct httpc_req rq = {
        .method = "GET",
        .path = buf_str(&path),
        .timeout_ms = SIDE_CALL_MS,
        .on_idle = stop_on_interrupt,
    };
    return client_send(f->c, &rq, ret, e);
}

/* note_source: remembers whose log begins to arrive. Without an answer the attempt of the last look
 * stays, which is right unless it changed while the stream was silent. */
static void note_source(struct follower *f)
{
    AUTO(reply) struct reply reply = {0};
    struct err silent;
    if (side_call(f, "", &reply, &silent) == 0)
        f->attempt = json_get_int(reply.root, "attempt", f->attempt);
}

static void note_connected(struct follower *f)
{
    if (f->away)
        out_line(stderr, "connected again");
    f->away = false;
    f->backoff_ms = FIRST_BACKOFF_MS;
}

static int on_data(const void *bytes, size_t len, void *arg)
{
    struct follower *f = arg;
    struct err e;
    note_connected(f);
    f->told_why = true; /* it runs */
    if (fwrite(bytes, 1, len, f->to) != len || out_flush(f->to, &e) < 0) {
        f->write_errno = errno;
        return 1;
    }
    if (f->offset == 0)
        note_source(f);
    f->offset += len;
    return interrupt_seen();
}

/* tell_why: one line on why nothing comes. Not knowing it is no reason to stop. */
static void tell_why(struct follower *f)
{
    AUTO(reply) struct reply reply = {0};
    struct err silent;
    f->told_why = true;
    if (side_call(f, "/why", &reply, &silent) < 0)
        return;
    const char *reason = json_get_str(reply.root, "reason", "");
    if (reason[0])
        out_line(stderr, "waiting: %s", reason);
}

static int on_idle(void *arg)
{
    struct follower *f = arg;
    if (!f->told_why && clock_mono_ms() - f->begun_ms >= TELL_WHY_MS)
        tell_why(f);
    return interrupt_seen();
}

/* stream: one connection's worth of log. */
static int stream(struct follower *f, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    client_path(f->c, &path, "/tasks/");
    httpc_escape(&path, f->id);
    buf_addf(&path, "/log?follow=1&offset=%" PRIu64, f->offset);
    const struct httpc_req rq = {
        .method = "GET",
        .path = buf_str(&path),
        .timeout_ms = -1,
        .on_data = on_data,
        .on_idle = on_idle,
        .arg = f,
    };
    unsigned status;
    int rc = client_stream(f->c, &rq, &status, e);
    if (rc == ERR_CANCELLED && f->write_errno != 0)
        return err_os(e, ERR_IO, f->write_errno, "write the log");
    return rc;
}

/* ---- between streams ---- */

/* What a server that restarts, or a network that does, makes of a call. */
static bool may_pass(int rc)
{
    return rc == ERR_UNREACHABLE || rc == ERR_UNAVAILABLE || rc == ERR_TOO_MANY ||
           rc == ERR_PROTOCOL || rc == ERR_TIMEOUT;
}

static int interrupted(const struct follower *f, struct err *e)
{
    out_line(stderr, "Stopped following. Task %s goes on; 'wrought cancel %s' ends it.", f->id,
             f->id);
    return err_set(e, ERR_CANCELLED, "interrupted");
}

/* back_off: 0 to try again, or the error to give up with. */
static int back_off(struct follower *f, int rc, struct err *e)
{
    if (interrupt_seen())
        return interrupted(f, e);
    if (!may_pass(rc))
        return rc;
    if (!f->away)
        out_line(stderr, "%s; trying again", e->msg);
    f->away = true;
    if (interrupt_wait(f->backoff_ms))
        return interrupted(f, e);
    f->backoff_ms = f->backoff_ms * 2 < MAX_BACKOFF_MS ? f->backoff_ms * 2 : MAX_BACKOFF_MS;
    return 0;
}

/* note_attempt: the log of a new attempt starts at its first byte. */
static void note_attempt(struct follower *f, int64_t attempt)
{
    if (f->offset > 0 && attempt != f->attempt) {
        out_line(stderr, "attempt %lld starts over; the log up to here is that of a lost one",
                 (long long)attempt);
        f->offset = 0;
    }
    f->attempt = attempt;
}

/* look: 1 when the task has ended and its whole log is out (`streamed`: the last stream came to its
 * end), with the task in *ret; else 0. */
static int look(struct follower *f, bool streamed, struct task *ret, struct err *e)
{
    AUTO(task) struct task t = {0};
    int rc = client_task(f->c, f->id, &t, e);
    if (rc < 0)
        return rc;
    bool same_log = f->offset == 0 || t.attempt == f->attempt;
    if (task_state_ended(t.state) && streamed && same_log) {
        *ret = t;
        t = (struct task){0};
        return 1;
    }
    note_attempt(f, t.attempt);
    /* A server that is stopping ends its streams: give it a moment. */
    if (streamed && interrupt_wait(FIRST_BACKOFF_MS))
        return interrupted(f, e);
    return 0;
}

int follow_task(struct client *c, const char *id, FILE *to, struct task *ret, struct err *e)
{
    struct follower f = {.c = c, .id = id, .to = to, .backoff_ms = FIRST_BACKOFF_MS};
    bool streamed = false;
    f.begun_ms = clock_mono_ms();
    int rc = interrupt_watch(e);
    while (rc == 0) {
        rc = look(&f, streamed, ret, e);
        streamed = false;
        if (rc == 0) {
            rc = stream(&f, e);
            streamed = rc == 0;
        }
        if (rc < 0)
            rc = back_off(&f, rc, e);
    }
    return rc < 0 ? rc : 0;
}
