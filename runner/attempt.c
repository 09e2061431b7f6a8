/* The conversation with init, and how a task is ended from outside. */
#include "runner/attempt.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"

#include "lib/banned.h"

#define GREETING_MS     30000
#define SETUP_MS        (10 * 60 * 1000) /* copying a large package */
#define KILL_MS         2000             /* from SIGKILL for the task to END */
#define ENGINE_KILL_MS  10000            /* from the engine's kill to the end of the stream */
#define ENGINE_AWAY_MS  120000           /* so long an engine may be away under a running task */
#define ENGINE_RETRY_MS 500
#define EXIT_SETTLES_MS 2000  /* the engine notices an exit a little after the stream has ended */
#define GONE_MS         60000 /* for a killed container to be seen gone */
#define GONE_SILENT_MS  10000 /* while the engine does not answer at all */
#define WITHHELD_MS     100   /* between looks whether the spool has room again */
#define DISK_RETRY_MS   1000
#define LONG_WAIT_MS    60000
#define REATTACH_MAX    5

void attempt_init(struct attempt *a, struct node *n, struct job *j, struct engine *g)
{
    *a = (struct attempt){.node = n, .job = j, .engine = g};
    channel_init(&a->ch);
}

void attempt_release(struct attempt *a)
{
    channel_release(&a->ch);
}

static void enter(struct attempt *a, enum attempt_phase phase, int64_t patience_ms)
{
    a->phase = phase;
    a->phase_end_ms = clock_mono_ms() + patience_ms;
}

/* ---- ending the task from outside ---- */

static void engine_kill_now(struct attempt *a)
{
    struct err e = {0};
    int rc = engine_kill(a->engine, a->job->container, SIGKILL, &e);
    if (rc && rc != ERR_CONFLICT && rc != ERR_NOT_FOUND) {
        node_engine_failed(a->node, &e);
        log_warn("cannot kill: %s task=%s", e.msg, a->job->grant.ref.task);
    }
}

static int signal_task(struct attempt *a, int signal, struct err *e)
{
    uint8_t body = (uint8_t)signal;
    return channel_send(&a->ch, FRAME_SIGNAL, &body, 1, e);
}

static int take_step(struct attempt *a, enum stop_step step, struct err *e)
{
    int64_t now_ms = clock_mono_ms();
    a->step = step;
    switch (step) {
    case STEP_TERM:
        a->step_ms = now_ms + a->node->set.grace_ms;
        return signal_task(a, SIGTERM, e);
    case STEP_KILL:
        a->step_ms = now_ms + KILL_MS;
        return signal_task(a, SIGKILL, e);
    case STEP_ENGINE_KILL:
        a->step_ms = now_ms + ENGINE_KILL_MS;
        engine_kill_now(a);
        return 0;
    default:
        return err_set(e, ERR_TIMEOUT, "container does not end");
    }
}

/* The first reason stays, but that a lost attempt is lost. */
static int stop(struct attempt *a, enum stop_why why, bool at_once, struct err *e)
{
    if (a->why == STOP_NONE || why == STOP_LOST)
        a->why = why;
    at_once |= a->phase != PHASE_RUNNING;
    if (at_once)
        return a->step < STEP_ENGINE_KILL ? take_step(a, STEP_ENGINE_KILL, e) : 0;
    return a->step == STEP_NONE ? take_step(a, STEP_TERM, e) : 0;
}

static int broken(struct attempt *a, const char *what, struct err *e)
{
    str_copy(a->broken, sizeof a->broken, what);
    return stop(a, STOP_BROKEN, true, e);
}

/* What the server and the runner's own stop demand. */
static int obey(struct attempt *a, struct err *e)
{
    enum order order = job_order(a->job);
    enum stop_level level = node_stopping(a->node);
    if (order == ORDER_LOST)
        return stop(a, STOP_LOST, true, e);
    if (order == ORDER_CANCEL && stop(a, STOP_CANCEL, false, e))
        return e->code;
    if (level >= GIVE_BACK)
        return stop(a, STOP_SHUTDOWN, level >= STOP_NOW, e);
    return 0;
}

static int watch_clock(struct attempt *a, struct err *e)
{
    static const char *const impatience[] = {
        [PHASE_RESUMING] = "wrought-init does not answer its new runner",
        [PHASE_GREETING] = "wrought-init does not answer",
        [PHASE_SETUP] = "the task could not be set up in time",
    };
    int64_t now_ms = clock_mono_ms();
    if (a->step != STEP_NONE)
        return now_ms >= a->step_ms ? take_step(a, a->step + 1, e) : 0;
    if (now_ms < a->phase_end_ms)
        return 0;
    if (a->phase == PHASE_RUNNING)
        return stop(a, STOP_TIMEOUT, false, e);
    return broken(a, impatience[a->phase], e);
}

/* ---- frames ---- */

/* Puts output into the spool, up to the log's ceiling. */
static int store(struct attempt *a, enum seg_stream stream, const uint8_t *bytes, size_t len,
                 struct err *e)
{
    uint64_t size = seglog_size(a->job->spool), ceiling = (uint64_t)a->node->set.log_bytes;
    size_t keep = size >= ceiling ? 0 : len;
    if (keep > ceiling - size)
        keep = (size_t)(ceiling - size);
    if (a->full)
        keep = 0;
    if (keep > 0 && job_spool(a->job, stream, bytes, keep, e))
        return e->code;
    if (keep < len && !a->full) {
        static const char mark[] =
            "\n[wrought: the log's limit is reached; the rest is not kept]\n";
        a->full = true;
        struct err mark_err = {0};
        if (job_spool(a->job, SEG_STDERR, mark, sizeof mark - 1, &mark_err))
            log_warn("cannot mark the log's end: %s", mark_err.msg);
    }
    a->dropped += len - keep;
    a->received += len;
    return 0;
}

static int on_output(struct attempt *a, const struct frame *f, struct err *e)
{
    if (f->len < 8)
        return err_set(e, ERR_PROTOCOL, "output frame of %u bytes", f->len);
    uint64_t offset = frame_get_u64(f->body);
    size_t len = f->len - 8;
    if (offset > a->received) {
        a->missing += offset - a->received;
        a->received = offset;
    }
    uint64_t known = a->received - offset;
    if (known >= len)
        return 0;
    return store(a, f->stream == 1 ? SEG_STDERR : SEG_STDOUT, f->body + 8 + known,
                 len - (size_t)known, e);
}

static int on_hello(struct attempt *a, const struct frame *f, struct err *e)
{
    (void)f;
    if (a->phase != PHASE_GREETING)
        return 0;
    enter(a, PHASE_SETUP, SETUP_MS);
    return channel_send_doc(&a->ch, a->doc, e);
}

static int on_started(struct attempt *a, const struct frame *f, struct err *e)
{
    (void)f, (void)e;
    job_started(a->job);
    int64_t gone_ms = (clock_now_us() - a->job->start_us) / 1000;
    int64_t timeout_ms = a->job->asked.timeout_s * 1000;
    if (gone_ms < 0) /* the wall clock was set back while no runner watched */
        gone_ms = 0;
    enter(a, PHASE_RUNNING, gone_ms < timeout_ms ? timeout_ms - gone_ms : 0);
    return 0;
}

static int on_end(struct attempt *a, const struct frame *f, struct err *e)
{
    if (init_end_decode(f->body, f->len, &a->end, e))
        return e->code;
    a->has_end = true;
    if (a->end.log_bytes > a->received)
        a->missing += a->end.log_bytes - a->received;
    return 0;
}

static int on_resumed(struct attempt *a, const struct frame *f, struct err *e)
{
    if (f->len < FRAME_NONCE_BYTES + 9 || memcmp(f->body, a->nonce, FRAME_NONCE_BYTES) != 0)
        return 0; /* not the answer to what we asked */
    enum init_phase phase = f->body[FRAME_NONCE_BYTES];
    uint64_t offset = frame_get_u64(f->body + FRAME_NONCE_BYTES + 1);
    if (offset > a->received) {
        *(a->full ? &a->dropped : &a->missing) += offset - a->received;
        a->received = offset;
    }
    a->acked = a->received;
    if (phase == INIT_WAITING)
        return broken(a, "the task had not reached its container when the connection ended", e);
    enter(a, PHASE_SETUP, SETUP_MS);
    return 0;
}

static int on_frame(struct attempt *a, const struct frame *f, struct err *e)
{
    if (a->phase == PHASE_RESUMING && f->type != FRAME_RESUMED)
        return 0; /* what the former runner was sent comes again after RESUMED */
    switch (f->type) {
    case FRAME_HELLO:
        return on_hello(a, f, e);
    case FRAME_STARTED:
        return on_started(a, f, e);
    case FRAME_OUTPUT:
        return on_output(a, f, e);
    case FRAME_END:
        return on_end(a, f, e);
    case FRAME_RESUMED:
        return on_resumed(a, f, e);
    default:
        return 0; /* a newer init may say more */
    }
}

/* Handles a frame; one that finds the disk full is held and tried again later. */
static int handle(struct attempt *a, const struct frame *f, struct err *e)
{
    bool was = a->stuck;
    int rc = on_frame(a, f, e);
    a->stuck = rc == ERR_UNAVAILABLE;
    if (a->stuck) {
        a->held = *f;
        a->retry_ms = clock_mono_ms() + DISK_RETRY_MS;
        if (!was)
            log_error("task waits, the spool takes nothing: %s task=%s", e->msg,
                      a->job->grant.ref.task);
        rc = 0;
    }
    return rc;
}

static int take_frames(struct attempt *a, struct err *e)
{
    if (a->stuck) {
        if (clock_mono_ms() < a->retry_ms)
            return 0;
        struct frame again = a->held;
        if (handle(a, &again, e))
            return e->code;
    }
    struct frame f;
    while (!a->stuck && !a->has_end && channel_next(&a->ch, &f))
        if (handle(a, &f, e))
            return e->code;
    return 0;
}

/* A task that is being ended is acknowledged whatever the spool holds, so that its end can come. */
static bool may_ack(const struct attempt *a)
{
    return a->why != STOP_NONE || job_may_ack(a->job);
}

static int acknowledge(struct attempt *a, struct err *e)
{
    if (a->received == a->acked || !may_ack(a))
        return 0;
    if (channel_send_u64(&a->ch, FRAME_ACK, a->received, e))
        return e->code;
    a->acked = a->received;
    job_trim(a->job);
    return 0;
}

/* ---- following ---- */

static int64_t patience_ms(const struct attempt *a)
{
    int64_t now_ms = clock_mono_ms();
    int64_t until_ms = a->step != STEP_NONE ? a->step_ms : a->phase_end_ms;
    if (a->stuck && a->retry_ms < until_ms)
        until_ms = a->retry_ms;
    if (a->received != a->acked && now_ms + WITHHELD_MS < until_ms)
        until_ms = now_ms + WITHHELD_MS;
    if (now_ms + LONG_WAIT_MS < until_ms)
        until_ms = now_ms + LONG_WAIT_MS;
    return until_ms - now_ms;
}

/* One connection: 0 when END came, else why it is over. */
static int follow_stream(struct attempt *a, struct err *e)
{
    while (!a->has_end) {
        int rc = channel_wait(&a->ch, a->job->wake_fd, patience_ms(a), a->stuck, e);
        struct err frames_err = {0};
        if (take_frames(a, &frames_err)) {
            *e = frames_err;
            return e->code;
        }
        if (rc && !a->has_end)
            return rc;
        if (!a->has_end && (acknowledge(a, e) || obey(a, e) || watch_clock(a, e)))
            return e->code;
    }
    return 0;
}

int attempt_inspect(struct attempt *a, struct engine_state *ret, struct err *e)
{
    int64_t deadline_ms = clock_mono_ms() + ENGINE_AWAY_MS;
    for (;;) {
        int rc = engine_inspect(a->engine, a->job->container, ret, e);
        if (rc == 0 || rc == ERR_NOT_FOUND)
            return rc;
        node_engine_failed(a->node, e);
        if (job_order(a->job) == ORDER_LOST || node_stopping(a->node) >= GIVE_BACK ||
            clock_mono_ms() >= deadline_ms)
            return rc;
        node_pause(a->node, ENGINE_RETRY_MS);
    }
}

/* The stream is over: has the container ended? Notes its last state then. */
static bool has_ended(struct attempt *a)
{
    int64_t deadline_ms = clock_mono_ms() + EXIT_SETTLES_MS;
    do {
        struct err e = {0};
        int rc = attempt_inspect(a, &a->state, &e);
        if (rc && rc != ERR_NOT_FOUND) {
            a->why = a->why == STOP_NONE ? STOP_BROKEN : a->why;
            str_copy(a->broken, sizeof a->broken, e.msg);
        }
        a->has_state = rc == 0;
        if (rc || !a->state.running)
            return true;
        node_pause(a->node, 20);
    } while (clock_mono_ms() < deadline_ms);
    a->has_state = false;
    return false;
}

int attempt_resume(struct attempt *a, struct err *e)
{
    uint64_t size = seglog_size(a->job->spool), ceiling = (uint64_t)a->node->set.log_bytes;
    if (a->received == 0) { /* the first connection of this process */
        a->full = size >= ceiling;
        a->received = a->full ? ceiling : size;
    }
    a->stuck = false;
    enter(a, PHASE_RESUMING, GREETING_MS);
    if (channel_open(&a->ch, a->engine, a->job->container, e))
        return e->code;
    return channel_send_resume(&a->ch, a->received, a->nonce, e);
}

int attempt_start(struct attempt *a, struct err *e)
{
    enter(a, PHASE_GREETING, GREETING_MS);
    if (channel_open(&a->ch, a->engine, a->job->container, e))
        return err_wrap(e, "attach");
    if (engine_start(a->engine, a->job->container, e) == 0)
        return 0;
    struct engine_state state;
    struct err start_err = *e;
    if (start_err.code == ERR_CONFLICT)
        start_err.code = ERR_UNAVAILABLE; /* the network that it should join is gone */
    if (engine_inspect(a->engine, a->job->container, &state, e) == 0 &&
        (state.exit_code == 127 || state.exit_code == 126))
        start_err.code = ERR_CONFLICT;
    *e = start_err;
    return err_wrap(e, "start");
}

void attempt_follow(struct attempt *a)
{
    struct err e = {0};
    for (int tries = 0; follow_stream(a, &e) != 0; tries++) {
        channel_close(&a->ch);
        if (a->step >= STEP_ENGINE_KILL || has_ended(a))
            return;
        log_warn("attaching again: %s task=%s", e.msg, a->job->grant.ref.task);
        struct err again = {0};
        if (tries >= REATTACH_MAX || attempt_resume(a, &again)) {
            a->why = a->why == STOP_NONE ? STOP_BROKEN : a->why;
            snprintf(a->broken, sizeof a->broken, "attach stream: %.200s",
                     again.code ? again.msg : e.msg);
            return;
        }
        err_clear(&e);
    }
}

void attempt_bye(struct attempt *a)
{
    struct err e = {0};
    if (!a->ch.attach || channel_send(&a->ch, FRAME_BYE, NULL, 0, &e))
        return; /* it is removed by force anyway */
    for (int tries = 0; tries < 10 && a->ch.pending; tries++)
        if (channel_wait(&a->ch, a->job->wake_fd, 100, true, &e))
            return;
}

bool attempt_confirm_gone(struct attempt *a)
{
    int64_t deadline_ms = clock_mono_ms() + GONE_MS;
    int64_t answer_ms = clock_mono_ms() + GONE_SILENT_MS;
    int64_t pause_ms = 10;
    do {
        struct err e = {0};
        struct engine_state state;
        int rc = engine_inspect(a->engine, a->job->container, &state, &e);
        if (rc == ERR_NOT_FOUND || (rc == 0 && !state.running))
            return true;
        if (rc)
            node_engine_failed(a->node, &e);
        else
            answer_ms = clock_mono_ms() + GONE_SILENT_MS;
        engine_kill_now(a);
        node_pause(a->node, pause_ms);
        pause_ms = pause_ms < 1000 ? pause_ms * 2 : 2000;
    } while (clock_mono_ms() < deadline_ms && clock_mono_ms() < answer_ms);
    return false;
}

void attempt_verdict(const struct attempt *a, struct verdict *ret)
{
    const struct ending in = {.why = a->why,
                              .broken = a->broken,
                              .end = a->has_end ? &a->end : NULL,
                              .state = a->has_state ? &a->state : NULL,
                              .asked = &a->job->asked};
    classify(&in, ret);
}
