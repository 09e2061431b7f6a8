/* Task logs on disk: one lib/seglog.h pair per attempt, DIR/logs/<shard>/<task>.<attempt>. All
 * appending is done by one thread that owns the open files: what waits is appended, each touched
 * log is synced once, and only then the runners are told. Reading is done by handles of their own,
 * on any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/seglog.h"
#include "server/work.h"

struct logstore;
struct followers;

struct log_ref {
    int64_t task, attempt; /* row number; number of the attempt */
};

/* logstore_open: makes DIR/logs and starts the thread. `followers` are woken as soon as bytes can
 * be read, which is before they are synced: after a crash the runner sends them again. */
NODISCARD int logstore_open(const char *data_dir, struct followers *followers,
                            struct logstore **ret, struct err *e);
void logstore_close(struct logstore *ls); /* NULL is fine; what waits is done first */
struct inbox *logstore_inbox(struct logstore *ls);

/* logstore_read: a handle for reading. ERR_NOT_FOUND when nothing was ever appended. */
NODISCARD int logstore_read(const struct logstore *ls, struct log_ref ref, struct seglog **ret,
                            struct err *e);
/* logstore_raw: the file with the bytes of both streams in their order. Caller closes. */
NODISCARD int logstore_raw(const struct logstore *ls, struct log_ref ref, int *ret_fd,
                           struct err *e);
/* logstore_published: how much of a log may be read while it is appended to. */
uint64_t logstore_published(struct logstore *ls, struct log_ref ref);

/* Wire segments that start at raw `offset`. A gap, and a log over its ceiling, is an error of the
 * item; ret_bytes says in any case what the log has. */
struct log_append {
    struct work w;
    struct log_ref ref;
    uint64_t offset;
    const void *bytes;
    size_t len;
    bool ret_gap;
    uint64_t ret_bytes;
};
void log_append_init(struct log_append *a, struct log_ref ref);

/* Whether the whole log is here, synced, and the one that the runner sent. ret_short: bytes are
 * missing, ret_bytes says where they start; ret_same: length and hash are equal. ret_stderr: the
 * last whole lines of stderr, as text (a NUL in it is shown as a space). */
#define LOG_TAIL_BYTES 2048
struct log_verify {
    struct work w;
    struct log_ref ref;
    uint64_t bytes;
    const char *sha256; /* "" = not told */
    bool ret_short, ret_same;
    uint64_t ret_bytes;
    char ret_stderr[LOG_TAIL_BYTES + 1];
};
void log_verify_init(struct log_verify *v, struct log_ref ref);
