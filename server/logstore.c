/* The log thread. Neighbours: server/h_runner.c submits, server/follow.c and h_logs.c read.
 *
 * Invariant: what a runner was told is on disk. A sync that failed leaves it open which bytes the
 * kernel dropped (it may say yes to the next one), so such a log takes nothing more until the
 * server starts again and reads what is really there. */
#include "server/logstore.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/crypto.h"
#include "lib/fs.h"
#include "lib/str.h"
#include "server/follow.h"

#include "lib/banned.h"

#define SHARDS    256
#define OPEN_MAX  64 /* logs open for appending; each takes two descriptors and about 100 KiB */
#define BATCH_MAX 32 /* less than OPEN_MAX: a batch never has to close a log that it touched */
/* The runner cuts a log at its ceiling and adds a mark; the server's own is a little behind it. */
#define LOG_CEILING (BOUND_LOG_BYTES + (1u << 20))

struct slot {
    struct log_ref ref; /* .task 0 = free */
    struct seglog *log;
    uint64_t published; /* guarded by mu */
    uint64_t used;      /* the store's count when it was used last */
    bool touched;       /* appended to since the last sync */
    bool unhashed;
    bool broken;
};

struct logstore {
    char *dir;
    struct followers *followers;
    struct inbox *inbox;
    uint64_t uses;
    pthread_mutex_t mu; /* for `ref` and `published` of the slots: readers look at them */
    struct slot slot[OPEN_MAX];
};

/* ---- names ---- */

static char *path_of(const struct logstore *ls, struct log_ref ref)
{
    return str_fmt("%s/%02x/%lld.%lld", ls->dir, (unsigned)(ref.task % SHARDS), (long long)ref.task,
                   (long long)ref.attempt);
}

static bool same(struct log_ref a, struct log_ref b)
{
    return a.task == b.task && a.attempt == b.attempt;
}

/* ---- the open logs ---- */

static void publish(struct logstore *ls, struct slot *s, struct log_ref ref)
{
    pthread_mutex_lock(&ls->mu);
    s->ref = ref;
    s->published = s->log ? seglog_size(s->log) : 0;
    pthread_mutex_unlock(&ls->mu);
}

static void slot_close(struct logstore *ls, struct slot *s)
{
    struct seglog *log = TAKE(s->log);
    publish(ls, s, (struct log_ref){0, 0});
    seglog_close(log);
    s->touched = s->unhashed = s->broken = false;
}

/* slot_spare: a free one, or the one that was not used for longest. */
static struct slot *slot_spare(struct logstore *ls)
{
    struct slot *oldest = NULL;
    for (size_t i = 0; i < OPEN_MAX; i++) {
        struct slot *s = &ls->slot[i];
        if (!s->log)
            return s;
        if (!s->touched && !s->broken && (!oldest || s->used < oldest->used))
            oldest = s;
    }
    if (oldest)
        slot_close(ls, oldest);
    return oldest;
}

static int slot_get(struct logstore *ls, struct log_ref ref, struct slot **ret, struct err *e)
{
    struct slot *s = NULL;
    for (size_t i = 0; i < OPEN_MAX && !s; i++) {
        if (ls->slot[i].log && same(ls->slot[i].ref, ref))
            s = &ls->slot[i];
    }
    if (!s) {
        s = slot_spare(ls);
        if (!s)
            return err_set(e, ERR_UNAVAILABLE, "logs: the disk failed too often");
        autofree char *path = path_of(ls, ref);
        if (seglog_open(path, &s->log, e))
            return err_wrap(e, "log");
        s->unhashed = true;
        publish(ls, s, ref);
    }
    if (s->broken)
        return err_set(e, ERR_IO, "log: the disk failed to keep it; restart the server");
    s->used = ++ls->uses;
    *ret = s;
    return 0;
}

/* ---- work items, in the log thread ---- */

static int append_run(struct work *w, void *owner, struct err *e)
{
    struct log_append *a = (struct log_append *)w;
    struct logstore *ls = owner;
    struct slot *s;
    if (slot_get(ls, a->ref, &s, e))
        return e->code;
    a->ret_bytes = seglog_size(s->log);
    if (a->offset > a->ret_bytes) {
        a->ret_gap = true;
        return err_set(e, ERR_CONFLICT, "the log has %llu bytes: send from there",
                       (unsigned long long)a->ret_bytes);
    }
    if (a->offset + a->len > LOG_CEILING)
        return err_set(e, ERR_TOO_BIG, "the log is over the limit of %llu bytes",
                       (unsigned long long)BOUND_LOG_BYTES);
    if (seglog_append_chunk(s->log, a->offset, a->bytes, a->len, e))
        return e->code;
    s->touched = s->unhashed = true;
    a->ret_bytes = seglog_size(s->log);
    publish(ls, s, a->ref);
    followers_wake(ls->followers, a->ref.task);
    return 0;
}

void log_append_init(struct log_append *a, struct log_ref ref)
{
    *a = (struct log_append){.w = {.run = append_run, .writes = true}, .ref = ref};
}

/* size_of: without creating a log that never got a byte. */
static int open_if_there(struct logstore *ls, struct log_ref ref, struct slot **ret, struct err *e)
{
    autofree char *path = path_of(ls, ref);
    autofree char *file = str_fmt("%s.log", path);
    struct stat st;
    if (stat(file, &st) == 0)
        return slot_get(ls, ref, ret, e);
    if (errno != ENOENT)
        return err_os(e, ERR_IO, errno, "read %s", file);
    *ret = NULL;
    return 0;
}

/* stderr_tail: what a failed command said last; the first line is dropped when it was cut. */
static int stderr_tail(struct seglog *log, char out[LOG_TAIL_BYTES + 1], struct err *e)
{
    AUTO(buf) struct buf tail = BUF_INIT(LOG_TAIL_BYTES);
    uint64_t size = seglog_stream_size(log, SEG_STDERR);
    uint64_t from = size > LOG_TAIL_BYTES ? size - LOG_TAIL_BYTES : 0;
    int rc = seglog_read(log, SEG_ONLY_STDERR, from, LOG_TAIL_BYTES, &tail, e);
    if (rc || tail.len == 0)
        return rc;
    const char *cut = from > 0 ? memchr(tail.data, '\n', tail.len - 1) : NULL;
    const char *start = cut ? cut + 1 : tail.data;
    size_t len = (size_t)(tail.data + tail.len - start);
    for (size_t i = 0; i < len; i++)
        out[i] = start[i] ? start[i] : ' ';
    out[len] = '\0';
    return 0;
}

static int verify_run(struct work *w, void *owner, struct err *e)
{
    struct log_verify *v = (struct log_verify *)w;
    struct slot *s;
    char hash[SHA256_TEXT];
    if (open_if_there(owner, v->ref, &s, e))
        return e->code;
    v->ret_bytes = s ? seglog_size(s->log) : 0;
    v->ret_short = v->ret_bytes < v->bytes;
    v->ret_same = v->ret_bytes == v->bytes;
    if (!s || v->ret_short)
        return 0;
    if (stderr_tail(s->log, v->ret_stderr, e))
        return e->code;
    if (!v->ret_same)
        return 0;
    s->touched = true; /* a log opened just now may hold what a crash left unsynced */
    if (!v->sha256[0])
        return 0;
    if (seglog_sha256(s->log, hash, e))
        return e->code;
    v->ret_same = strcmp(hash, v->sha256) == 0;
    return 0;
}

void log_verify_init(struct log_verify *v, struct log_ref ref)
{
    *v = (struct log_verify){.w = {.run = verify_run, .writes = true}, .ref = ref, .sha256 = ""};
}

static int commit(void *owner, struct err *e)
{
    struct logstore *ls = owner;
    for (size_t i = 0; i < OPEN_MAX; i++) {
        struct slot *s = &ls->slot[i];
        if (!s->touched)
            continue;
        s->touched = false;
        struct err own;
        if (seglog_sync(s->log, &own)) {
            s->broken = true;
            if (e->code == 0)
                *e = own;
        }
    }
    return e->code;
}

/* Hashes what was appended while it is still in the page cache, after the runners have their
 * answers: the end of a task then has little left to read. */
static int64_t tick(void *owner, int64_t now_ms)
{
    (void)now_ms;
    struct logstore *ls = owner;
    for (size_t i = 0; i < OPEN_MAX; i++) {
        struct slot *s = &ls->slot[i];
        char hash[SHA256_TEXT];
        struct err later; /* verify_run meets it again */
        if (!s->log || !s->unhashed)
            continue;
        s->unhashed = false;
        if (seglog_sha256(s->log, hash, &later))
            continue;
    }
    return INT64_MAX;
}

/* ---- reading, on any thread ---- */

int logstore_read(const struct logstore *ls, struct log_ref ref, struct seglog **ret, struct err *e)
{
    autofree char *path = path_of(ls, ref);
    return seglog_open_read(path, ret, e);
}

int logstore_raw(const struct logstore *ls, struct log_ref ref, int *ret_fd, struct err *e)
{
    autofree char *path = path_of(ls, ref);
    autofree char *file = str_fmt("%s.log", path);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_os(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "open %s", file);
    *ret_fd = fd;
    return 0;
}

uint64_t logstore_published(struct logstore *ls, struct log_ref ref)
{
    uint64_t n = UINT64_MAX; /* nobody appends: all that is there */
    pthread_mutex_lock(&ls->mu);
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (same(ls->slot[i].ref, ref))
            n = ls->slot[i].published;
    }
    pthread_mutex_unlock(&ls->mu);
    return n;
}

/* ---- start and stop ---- */

static int make_dirs(const struct logstore *ls, struct err *e)
{
    if (fs_mkdirs(ls->dir, 0700, e))
        return e->code;
    for (unsigned i = 0; i < SHARDS; i++) {
        autofree char *path = str_fmt("%s/%02x", ls->dir, i);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return err_os(e, ERR_IO, errno, "create %s", path);
    }
    return fs_sync_dir(ls->dir, e);
}

int logstore_open(const char *data_dir, struct followers *followers, struct logstore **ret,
                  struct err *e)
{
    struct logstore *ls = calloc(1, sizeof(*ls));
    if (!ls)
        abort();
    ls->dir = str_fmt("%s/logs", data_dir);
    ls->followers = followers;
    pthread_mutex_init(&ls->mu, NULL);
    const struct inbox_owner owner = {
        .name = "logs", .owner = ls, .commit = commit, .tick = tick, .max_batch = BATCH_MAX};
    if (make_dirs(ls, e) || inbox_start(&owner, &ls->inbox, e)) {
        logstore_close(ls);
        return err_wrap(e, "logs");
    }
    *ret = ls;
    return 0;
}

void logstore_close(struct logstore *ls)
{
    if (!ls)
        return;
    inbox_stop(ls->inbox);
    for (size_t i = 0; i < OPEN_MAX; i++)
        seglog_close(ls->slot[i].log);
    pthread_mutex_destroy(&ls->mu);
    free(ls->dir);
    free(ls);
}

struct inbox *logstore_inbox(struct logstore *ls)
{
    return ls->inbox;
}
