/* What seglog.c shares with seglog_wire.c, and with nobody else. */
#pragma once

#include "lib/crypto.h"
#include "lib/seglog.h"
#include "lib/seglog_index.h"

struct seglog {
    char *path; /* without the suffix */
    int log_fd, seg_fd;
    bool writable;
    bool broken;    /* a failed write could not be undone: no more appends */
    bool dir_dirty; /* the directory was not synced since the files may have been created */
    uint64_t punched;
    struct seg_index index;
    struct seg_pos cursor; /* where the last walk ended */
    struct sha256 *sha;    /* of the first `hashed` bytes */
    uint64_t hashed;
};

/* A piece of PATH.log, so that a read of many short runs is not a system call each. */
struct seg_window {
    uint64_t at;
    size_t n;
    uint8_t bytes[32768];
};

/* seglog_write: the bytes of all `runs`, one after the other, and their records; or nothing. */
NODISCARD int seglog_write(struct seglog *s, const void *bytes, const struct seg_run *runs,
                           size_t n_runs, struct err *e);

/* seglog_pread: raw bytes that exist; ERR_NOT_FOUND when they were punched. */
NODISCARD int seglog_pread(const struct seglog *s, void *out, size_t len, uint64_t at,
                           struct err *e);
NODISCARD int seg_window_copy(struct seg_window *win, const struct seglog *s, uint64_t at,
                              size_t len, struct buf *out, struct err *e);

/* seglog_peek: seg_walk_peek where a run must be. */
NODISCARD int seglog_peek(struct seg_walk *w, struct seg_run *ret, struct err *e);

/* seglog_seek: sets `w` on the run that holds `offset` of the filtered view, or at the end. */
NODISCARD int seglog_seek(struct seglog *s, enum seg_filter filter, uint64_t offset,
                          struct seg_walk *w, struct err *e);
