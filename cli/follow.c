/* The follower: a stream until it breaks or ends, then a look at the task: ended, or once more from
 * the offset reached. A new attempt has a log of its own (api/lifecycle.md), so an offset means
 * nothing without its attempt: every stream that is printed is bound to one. While there is no
 * attempt yet, an unbound stream waits for the first byte, and its coming is all that counts. */
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
#define WHY_MS           3000 /* for the answer; the log waits meanwhile */
#define TELL_WHY_MS      3000 /* a task that waits so long deserves a word */

struct follower {
    struct client *c;
    const char *id;
    FILE *to;
    int64_t attempt; /* whose log is printed; 0 = there is none yet */
    uint64_t offset; /* of its next byte */
    int64_t begun_ms;
    int backoff_ms;
    bool told_why;
    bool away;  /* the server is, and we said so */
    bool awake; /* the first byte of a first attempt has come */
    int write_errno;
};

/* ---- while a stream is open ---- */

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
    f->awake = f->attempt == 0;
    if (f->awake)
        return 1;
    if (fwrite(bytes, 1, len, f->to) != len || out_flush(f->to, &e) < 0) {
        f->write_errno = errno;
        return 1;
    }
    f->offset += len;
    return interrupt_seen();
}

static int stop_on_interrupt(void *arg)
{
    (void)arg;
    return interrupt_seen();
}

/* tell_why: one line on why nothing comes, asked for beside the stream. Not knowing it is no reason
 * to stop. */
static void tell_why(struct follower *f)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(reply) struct reply reply = {0};
    struct err silent;
    f->told_why = true;
    client_path(f->c, &path, "/tasks/");
    httpc_escape(&path, f->id);
    buf_adds(&path, "/why");
    const struct httpc_req rq = {
        .method = "GET",
        .path = buf_str(&path),
        .timeout_ms = WHY_MS,
        .on_idle = stop_on_interrupt,
    };
    if (client_send(f->c, &rq, &reply, &silent) < 0)
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

/* stream: one connection's worth of log; *ret_whole: it came to its end. */
static int stream(struct follower *f, bool *ret_whole, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    client_path(f->c, &path, "/tasks/");
    httpc_escape(&path, f->id);
    buf_addf(&path, "/log?follow=1&offset=%" PRIu64, f->offset);
    if (f->attempt > 0)
        buf_addf(&path, "&attempt=%" PRId64, f->attempt);
    const struct httpc_req rq = {
        .method = "GET",
        .path = buf_str(&path),
        .timeout_ms = -1,
        .on_data = on_data,
        .on_idle = on_idle,
        .arg = f,
    };
    unsigned status;
    f->awake = false;
    int rc = client_stream(f->c, &rq, &status, e);
    *ret_whole = rc == 0;
    if (rc == ERR_CANCELLED && f->awake)
        return 0;
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
    if (attempt == f->attempt)
        return;
    if (f->offset > 0)
        out_line(stderr,
                 "attempt %" PRId64 " starts over; the log up to here is of one that was lost",
                 attempt);
    f->attempt = attempt;
    f->offset = 0;
}

/* look: 1 when the task has ended and all its log is out, with the task in *ret; else 0. */
static int look(struct follower *f, bool whole, struct task *ret, struct err *e)
{
    AUTO(task) struct task t = {0};
    int rc = client_task(f->c, f->id, &t, e);
    if (rc < 0)
        return rc;
    bool all_out = t.attempt == 0 || (whole && t.attempt == f->attempt);
    if (task_state_ended(t.state) && all_out) {
        *ret = t;
        t = (struct task){0};
        return 1;
    }
    /* The same attempt, not ended, and yet its stream has: no reason to ask in a tight loop. */
    if (whole && t.attempt == f->attempt && interrupt_wait(FIRST_BACKOFF_MS))
        return interrupted(f, e);
    note_attempt(f, t.attempt);
    return 0;
}

int follow_task(struct client *c, const char *id, FILE *to, struct task *ret, struct err *e)
{
    struct follower f = {.c = c, .id = id, .to = to, .backoff_ms = FIRST_BACKOFF_MS};
    bool whole = false; /* the stream before came to its end */
    f.begun_ms = clock_mono_ms();
    int rc = interrupt_watch(e);
    while (rc == 0) {
        rc = look(&f, whole, ret, e);
        whole = false;
        if (rc == 0)
            rc = stream(&f, &whole, e);
        if (rc < 0)
            rc = back_off(&f, rc, e);
    }
    return rc < 0 ? rc : 0;
}
