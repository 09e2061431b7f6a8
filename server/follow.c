/* Followers. Neighbours: server/h_logs.c starts them, server/logstore.c has the files.
 *
 * The race between "nothing to read" and "something came" is closed by `woken`: it is cleared
 * before the look and asked for, under the lock, before the suspension. Lock order: followers.mu,
 * then libmicrohttpd's own. */
#include "server/follow.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/log.h"
#include "server/app.h"
#include "server/logstore.h"

#include "lib/banned.h"

#define BUCKETS     256
#define PIECE_BYTES (8u << 10)  /* of log in one event */
#define FRAME_BYTES (64u << 10) /* an event: every byte may be six */
#define PATIENCE_S  3600        /* of a pager that does not read on */

struct follower {
    struct req *rq;
    const char *id;
    int64_t project;
    struct log_ref at;
    uint64_t offset;
    bool one_attempt, events, over;
    struct seglog *log; /* NULL until there is one */
    struct buf piece;   /* read and not yet sent; for events: framed */
    char tail[4];       /* events: read, and the beginning of a character that goes on */
    size_t tail_len;
    size_t sent;                   /* of `piece` */
    struct follower *next, **prev; /* guarded by mu, as are these: */
    bool asleep, woken, gone;
};

struct followers {
    pthread_mutex_t mu;
    struct follower *bucket[BUCKETS];
    bool stopping;
};

/* ---- the registry ---- */

struct followers *followers_new(void)
{
    struct followers *fs = calloc(1, sizeof(*fs));
    if (!fs)
        abort();
    pthread_mutex_init(&fs->mu, NULL);
    return fs;
}

void followers_free(struct followers *fs)
{
    if (!fs)
        return;
    pthread_mutex_destroy(&fs->mu);
    free(fs);
}

static void link_in(struct followers *fs, struct follower *f)
{
    pthread_mutex_lock(&fs->mu);
    struct follower **head = &fs->bucket[f->at.task % BUCKETS];
    f->next = *head;
    f->prev = head;
    if (f->next)
        f->next->prev = &f->next;
    *head = f;
    pthread_mutex_unlock(&fs->mu);
}

static void unlink_from(struct followers *fs, struct follower *f)
{
    pthread_mutex_lock(&fs->mu);
    *f->prev = f->next;
    if (f->next)
        f->next->prev = f->prev;
    pthread_mutex_unlock(&fs->mu);
}

/* With mu held. */
static void wake(struct follower *f)
{
    f->woken = true;
    if (f->asleep) {
        f->asleep = false;
        req_resume(f->rq);
    }
}

void followers_wake(struct followers *fs, int64_t task)
{
    pthread_mutex_lock(&fs->mu);
    for (struct follower *f = fs->bucket[task % BUCKETS]; f; f = f->next) {
        if (f->at.task == task)
            wake(f);
    }
    pthread_mutex_unlock(&fs->mu);
}

void followers_sweep(struct followers *fs)
{
    pthread_mutex_lock(&fs->mu);
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct follower *f = fs->bucket[i]; f; f = f->next) {
            if (f->asleep && !req_alive(f->rq)) {
                f->gone = true;
                wake(f);
            }
        }
    }
    pthread_mutex_unlock(&fs->mu);
}

void followers_quiesce(struct followers *fs)
{
    pthread_mutex_lock(&fs->mu);
    fs->stopping = true;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct follower *f = fs->bucket[i]; f; f = f->next)
            wake(f);
    }
    pthread_mutex_unlock(&fs->mu);
}

/* look_now: clears `woken`; false when the stream has to be cut. */
static bool look_now(struct followers *fs, struct follower *f)
{
    pthread_mutex_lock(&fs->mu);
    f->woken = false;
    bool go_on = !f->gone && !fs->stopping;
    pthread_mutex_unlock(&fs->mu);
    return go_on;
}

/* fall_asleep: false when something came meanwhile. */
static bool fall_asleep(struct followers *fs, struct follower *f)
{
    pthread_mutex_lock(&fs->mu);
    bool sleep_now = !f->woken && !fs->stopping;
    if (sleep_now) {
        f->asleep = true;
        req_suspend(f->rq);
    }
    pthread_mutex_unlock(&fs->mu);
    return sleep_now;
}

/* ---- reading ---- */

/* read_log: up to `max` bytes of the attempt's log into f->piece; none when there is no more yet.
 */
static int read_log(struct follower *f, size_t max, struct err *e)
{
    struct logstore *ls = f->rq->app->logs;
    uint64_t upto = logstore_published(ls, f->at);
    if (!f->log) {
        int rc = logstore_read(ls, f->at, &f->log, e);
        if (rc == ERR_NOT_FOUND)
            return 0;
        if (rc)
            return rc;
    } else if (seglog_refresh(f->log, upto, e)) {
        return e->code;
    }
    uint64_t size = seglog_size(f->log) < upto ? seglog_size(f->log) : upto;
    if (f->offset >= size)
        return 0;
    if (max > size - f->offset)
        max = (size_t)(size - f->offset);
    return seglog_read(f->log, SEG_BOTH, f->offset, max, &f->piece, e);
}

static int ask_state(struct follower *f, struct store_log_ref *ret, struct err *e)
{
    struct store *s;
    if (req_store(f->rq, &s, e))
        return e->code;
    int rc = store_log_find(s, f->project, f->id, ret, e);
    req_store_done(f->rq, s);
    return rc;
}

static void next_attempt(struct follower *f, int64_t attempt)
{
    seglog_close(f->log);
    f->log = NULL;
    f->at.attempt = attempt;
    f->offset = 0;
    f->tail_len = 0; /* no character goes on in another log */
}

/* fill: more bytes into the empty f->piece. 0 also when there are none now; f->over at the end. The
 * state is asked before the last look at the log: what an ending promises is there by then. */
static int fill(struct follower *f, struct store_log_ref *now, struct err *e)
{
    for (;;) {
        if (read_log(f, PIECE_BYTES, e) || f->piece.len > 0)
            return e->code;
        if (ask_state(f, now, e))
            return e->code;
        if (read_log(f, PIECE_BYTES, e) || f->piece.len > 0)
            return e->code;
        bool newer = now->attempt > f->at.attempt;
        if (newer && !(f->one_attempt && f->at.attempt > 0)) {
            next_attempt(f, now->attempt);
            continue;
        }
        f->over = newer || (task_state_ended(now->state) && !now->stopping);
        return 0;
    }
}

/* ---- server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) ---- */

/* whole_utf8: how many of the bytes are whole characters: the rest comes with the next piece. */
static size_t whole_utf8(const char *bytes, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = (unsigned char)bytes[len - back];
        if ((c & 0xc0) == 0x80)
            continue;
        size_t need = c >= 0xf8 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        return need > back ? len - back : len;
    }
    return len;
}

/* put_event: the text as a JSON string, for an event's data may hold no line end. The id is where
 * to go on: attempt and offset. */
static void put_event(struct follower *f, const char *text, size_t len)
{
    buf_addf(&f->piece, "id: %lld-%llu\ndata: ", (long long)f->at.attempt,
             (unsigned long long)(f->offset - f->tail_len));
    struct jsonw w = JSONW(&f->piece);
    jw_obj(&w, NULL);
    jw_strn(&w, "text", text, len);
    jw_obj_end(&w);
    buf_adds(&f->piece, "\n\n");
}

/* frame: what was read becomes an event, but for a character of which the rest is yet to come.
 * Bytes that are no text at all are not held back for ever: a character has four at most. */
static void frame(struct follower *f)
{
    AUTO(buf) struct buf text = BUF_INIT(PIECE_BYTES + sizeof(f->tail));
    buf_add(&text, f->tail, f->tail_len);
    buf_add(&text, f->piece.data, f->piece.len);
    buf_clear(&f->piece);
    size_t len = whole_utf8(text.data, text.len);
    f->tail_len = text.len - len;
    memcpy(f->tail, text.data + len, f->tail_len);
    if (len > 0)
        put_event(f, text.data, len);
}

static void put_end(struct follower *f, const struct store_log_ref *now)
{
    size_t len = f->tail_len;
    f->tail_len = 0;
    if (len > 0)
        put_event(f, f->tail, len);
    buf_addf(&f->piece, "event: end\ndata: {\"status\":\"%s\"}\n\n", task_state_name(now->state));
}

/* ---- the stream ---- */

static int64_t hand_out(struct follower *f, char *out, size_t max)
{
    size_t n = f->piece.len - f->sent;
    if (n > max)
        n = max;
    memcpy(out, f->piece.data + f->sent, n);
    f->sent += n;
    if (f->sent == f->piece.len) {
        buf_clear(&f->piece);
        f->sent = 0;
    }
    return (int64_t)n;
}

/* refill: bytes into the empty f->piece, as they go out. */
static int refill(struct follower *f, struct err *e)
{
    struct store_log_ref now;
    if (f->over)
        return 0;
    if (fill(f, &now, e))
        return e->code;
    f->offset += f->piece.len;
    if (f->piece.len > 0 && f->events)
        frame(f);
    else if (f->over && f->events)
        put_end(f, &now);
    return 0;
}

static int64_t follow_read(void *arg, uint64_t pos, char *out, size_t max)
{
    (void)pos;
    struct follower *f = arg;
    struct followers *fs = f->rq->app->followers;
    for (;;) {
        struct err e = {0};
        if (!look_now(fs, f))
            return RESP_BROKEN;
        if (f->piece.len == 0 && refill(f, &e)) {
            log_warn("follow failed req=%llu task=%s why=%s", (unsigned long long)f->rq->id, f->id,
                     e.msg);
            return RESP_BROKEN;
        }
        if (f->piece.len > 0)
            return hand_out(f, out, max);
        if (f->over)
            return RESP_END;
        if (fall_asleep(fs, f))
            return RESP_SUSPENDED;
    }
}

static void follow_free(void *arg)
{
    struct follower *f = arg;
    unlink_from(f->rq->app->followers, f);
    seglog_close(f->log);
    buf_release(&f->piece);
}

void follow(struct req *rq, struct resp *rs, const struct follow_start *start)
{
    static const struct resp_stream stream = {follow_read, follow_free};
    struct follower *f = req_mem(rq, sizeof(*f));
    *f = (struct follower){.rq = rq,
                           .id = rq->name,
                           .project = rq->project,
                           .at = {start->ref.task, start->ref.attempt},
                           .offset = start->offset,
                           .one_attempt = start->one_attempt,
                           .events = start->events,
                           .piece = BUF_INIT(FRAME_BYTES)};
    link_in(rq->app->followers, f);
    resp_stream_take(rs, &stream, f, -1,
                     start->events ? "text/event-stream" : "text/plain; charset=utf-8");
    resp_header(rs, "Cache-Control", "no-store");
    rs->patience_s = PATIENCE_S;
}
