/* The log itself: opening and recovery, appending, reading. PATH.log has no framing, so reading
 * both streams is one pread; everything that tells the streams apart walks PATH.seg
 * (seglog_index.c). The wire form is in seglog_wire.c. */
#include "lib/seglog.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crypto.h"
#include "lib/fs.h"
#include "lib/seglog_impl.h"
#include "lib/str.h"

#include "lib/banned.h"

/* ---- opening ---- */

static int open_part(const char *path, const char *suffix, bool writable, int *ret_fd,
                     struct err *e)
{
    autofree char *name = str_fmt("%s.%s", path, suffix);
    int flags = (writable ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC;
    int fd = open(name, flags, 0600);
    if (fd < 0)
        return err_os(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "open %s", name);
    *ret_fd = fd;
    return 0;
}

static int size_of(int fd, uint64_t *ret, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_os(e, ERR_IO, errno, "size of a log");
    *ret = (uint64_t)st.st_size;
    return 0;
}

int seglog_refresh(struct seglog *s, uint64_t upto, struct err *e)
{
    /* The records are looked at first: their bytes were written before them. */
    uint64_t seg_bytes = 0, log_bytes = 0;
    int rc = size_of(s->seg_fd, &seg_bytes, e);
    if (rc == 0)
        rc = size_of(s->log_fd, &log_bytes, e);
    if (rc < 0)
        return rc;
    if (upto > log_bytes)
        upto = log_bytes;
    struct seg_walk w;
    seg_walk_init(&w, s->seg_fd, s->index.end, seg_bytes / SEG_RECORD_BYTES);
    for (;;) {
        struct seg_run run;
        rc = seg_walk_peek(&w, &run, e);
        if (rc < 0)
            return rc;
        if (run.len == 0 || s->index.end.raw + run.len > upto)
            return 0;
        seg_index_push(&s->index, run);
        w.at = s->index.end;
    }
}

/* cut: both files to what the index knows. */
static int cut(struct seglog *s, struct err *e)
{
    if (ftruncate(s->log_fd, (off_t)s->index.end.raw) == 0 &&
        ftruncate(s->seg_fd, (off_t)(s->index.end.rec * SEG_RECORD_BYTES)) == 0)
        return 0;
    s->broken = true;
    return err_os(e, ERR_IO, errno, "cut a log back");
}

/* find_punched: the hole at the beginning that seglog_punch has left. */
static void find_punched(struct seglog *s)
{
    off_t data = s->index.end.raw > 0 ? lseek(s->log_fd, 0, SEEK_DATA) : 0;
    if (data < 0 && errno == ENXIO)
        data = (off_t)s->index.end.raw; /* nothing but the hole */
    s->punched = data > 0 ? (uint64_t)data : 0;
}

static int open_both(const char *path, bool writable, struct seglog **ret, struct err *e)
{
    struct seglog *s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    s->log_fd = s->seg_fd = -1;
    s->writable = writable;
    s->dir_dirty = writable;
    s->path = str_dup(path);
    seg_index_init(&s->index);
    int rc = open_part(path, "log", writable, &s->log_fd, e);
    if (rc == 0)
        rc = open_part(path, "seg", writable, &s->seg_fd, e);
    if (rc == 0)
        rc = seglog_refresh(s, UINT64_MAX, e);
    if (rc == 0 && writable)
        rc = cut(s, e);
    if (rc < 0) {
        seglog_close(s);
        return rc;
    }
    find_punched(s);
    *ret = s;
    return 0;
}

int seglog_open(const char *path, struct seglog **ret, struct err *e)
{
    return open_both(path, true, ret, e);
}

int seglog_open_read(const char *path, struct seglog **ret, struct err *e)
{
    return open_both(path, false, ret, e);
}

void seglog_close(struct seglog *s)
{
    if (!s)
        return;
    if (s->log_fd >= 0)
        close(s->log_fd);
    if (s->seg_fd >= 0)
        close(s->seg_fd);
    seg_index_release(&s->index);
    sha256_free(s->sha);
    free(s->path);
    free(s);
}

int seglog_remove(const char *path, struct err *e)
{
    /* Records first: bytes without records count as nothing. */
    static const char *const suffixes[] = {"seg", "log"};
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        autofree char *name = str_fmt("%s.%s", path, suffixes[i]);
        if (unlink(name) != 0 && errno != ENOENT)
            return err_os(e, ERR_IO, errno, "remove %s", name);
    }
    return 0;
}

uint64_t seglog_size(const struct seglog *s)
{
    return s->index.end.raw;
}

uint64_t seglog_stream_size(const struct seglog *s, enum seg_stream stream)
{
    return seg_view(&s->index.end, stream == SEG_STDOUT ? SEG_ONLY_STDOUT : SEG_ONLY_STDERR);
}

/* ---- appending ---- */

static int pwrite_all(int fd, const uint8_t *bytes, size_t len, uint64_t at, struct err *e)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, bytes, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_os(e, ERR_IO, errno, "write to a log");
        bytes += n;
        len -= (size_t)n;
        at += (uint64_t)n;
    }
    return 0;
}

int seglog_write(struct seglog *s, const void *bytes, const struct seg_run *runs, size_t n_runs,
                 struct err *e)
{
    assert(s->writable);
    if (s->broken)
        return err_set(e, ERR_IO, "a log could not be cut back after a failed write");
    AUTO(buf) struct buf records = BUF_INIT(n_runs * SEG_RECORD_BYTES);
    uint64_t len = 0;
    for (size_t i = 0; i < n_runs; i++) {
        uint8_t record[SEG_RECORD_BYTES];
        seg_run_encode(runs[i], record);
        buf_add(&records, record, sizeof(record));
        len += runs[i].len;
    }
    struct seg_pos end = s->index.end;
    int rc = pwrite_all(s->log_fd, bytes, len, end.raw, e);
    if (rc == 0)
        rc = pwrite_all(s->seg_fd, (const uint8_t *)buf_str(&records), records.len,
                        end.rec * SEG_RECORD_BYTES, e);
    if (rc < 0) {
        struct err second; /* the first cause wins; s->broken remembers this one */
        (void)cut(s, &second);
        return rc;
    }
    for (size_t i = 0; i < n_runs; i++)
        seg_index_push(&s->index, runs[i]);
    return 0;
}

int seglog_append(struct seglog *s, enum seg_stream stream, const void *bytes, size_t len,
                  struct err *e)
{
    if (len > SEG_RUN_MAX)
        return err_set(e, ERR_TOO_BIG, "one append of %zu bytes is over %u", len, SEG_RUN_MAX);
    const struct seg_run run = {.stream = stream, .len = (uint32_t)len};
    return len == 0 ? 0 : seglog_write(s, bytes, &run, 1, e);
}

int seglog_sync(struct seglog *s, struct err *e)
{
    if (fdatasync(s->log_fd) != 0 || fdatasync(s->seg_fd) != 0)
        return err_os(e, ERR_IO, errno, "sync a log");
    if (!s->dir_dirty)
        return 0;
    autofree char *copy = str_dup(s->path); /* dirname writes into it */
    int rc = fs_sync_dir(dirname(copy), e);
    s->dir_dirty = rc < 0;
    return rc;
}

void seglog_punch(struct seglog *s, uint64_t offset)
{
    struct stat st;
    if (offset > s->index.end.raw)
        offset = s->index.end.raw;
    /* Whole blocks only: of a part of one, nobody could tell after a reopen that it is gone. */
    if (fstat(s->log_fd, &st) != 0 || st.st_blksize <= 0)
        return;
    offset -= offset % (uint64_t)st.st_blksize;
    if (offset <= s->punched)
        return;
    s->punched = offset;
    /* Not every file system can; then the space stays taken until the log is removed. */
    (void)fallocate(s->log_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)offset);
}

/* ---- reading ---- */

int seglog_pread(const struct seglog *s, void *out, size_t len, uint64_t at, struct err *e)
{
    if (at < s->punched)
        return err_set(e, ERR_NOT_FOUND, "the log before byte %llu was given up",
                       (unsigned long long)s->punched);
    return fs_pread_all(s->log_fd, out, len, at, "log", e);
}

int seg_window_copy(struct seg_window *win, const struct seglog *s, uint64_t at, size_t len,
                    struct buf *out, struct err *e)
{
    while (len > 0) {
        if (at < win->at || at - win->at >= win->n) {
            uint64_t left = s->index.end.raw - at;
            size_t n = left < sizeof(win->bytes) ? (size_t)left : sizeof(win->bytes);
            win->n = 0;
            int rc = seglog_pread(s, win->bytes, n, at, e);
            if (rc < 0)
                return rc;
            win->at = at;
            win->n = n;
        }
        size_t from = (size_t)(at - win->at);
        size_t n = win->n - from < len ? win->n - from : len;
        buf_add(out, win->bytes + from, n);
        at += n;
        len -= n;
    }
    return 0;
}

int seglog_peek(struct seg_walk *w, struct seg_run *ret, struct err *e)
{
    int rc = seg_walk_peek(w, ret, e);
    if (rc == 0 && ret->len == 0)
        return err_set(e, ERR_IO, "the records of a log are gone");
    return rc;
}

int seglog_seek(struct seglog *s, enum seg_filter filter, uint64_t offset, struct seg_walk *w,
                struct err *e)
{
    struct seg_pos from = seg_index_find(&s->index, filter, offset);
    /* A reader mostly goes on where it stopped. */
    if (s->cursor.rec > from.rec && seg_view(&s->cursor, filter) <= offset)
        from = s->cursor;
    seg_walk_init(w, s->seg_fd, from, s->index.end.rec);
    for (;;) {
        struct seg_run run;
        int rc = seg_walk_peek(w, &run, e);
        if (rc < 0 || run.len == 0)
            return rc;
        if (seg_wants(filter, run.stream) && offset - seg_view(&w->at, filter) < run.len)
            return 0;
        seg_pos_step(&w->at, run);
    }
}

static int read_both(struct seglog *s, uint64_t offset, size_t len, struct buf *out, struct err *e)
{
    char *to = buf_reserve(out, len);
    if (!to)
        return buf_check(out, "log", e);
    int rc = seglog_pread(s, to, len, offset, e);
    if (rc == 0)
        buf_commit(out, len);
    return rc;
}

static int read_one(struct seglog *s, enum seg_filter filter, uint64_t offset, size_t len,
                    struct buf *out, struct err *e)
{
    struct seg_walk w;
    struct seg_window win = {.n = 0};
    int rc = seglog_seek(s, filter, offset, &w, e);
    while (rc == 0 && len > 0) {
        struct seg_run run;
        rc = seglog_peek(&w, &run, e);
        if (rc < 0)
            return rc;
        if (seg_wants(filter, run.stream)) {
            uint64_t skip = offset - seg_view(&w.at, filter);
            size_t n = run.len - skip < len ? (size_t)(run.len - skip) : len;
            rc = seg_window_copy(&win, s, w.at.raw + skip, n, out, e);
            offset += n;
            len -= n;
            if (skip + n < run.len)
                break;
        }
        seg_pos_step(&w.at, run);
    }
    s->cursor = w.at;
    return rc < 0 ? rc : buf_check(out, "log", e);
}

int seglog_read(struct seglog *s, enum seg_filter filter, uint64_t offset, size_t max,
                struct buf *out, struct err *e)
{
    uint64_t end = seg_view(&s->index.end, filter);
    if (offset >= end || max == 0)
        return 0;
    size_t len = end - offset < max ? (size_t)(end - offset) : max;
    return filter == SEG_BOTH ? read_both(s, offset, len, out, e)
                              : read_one(s, filter, offset, len, out, e);
}

int seglog_sha256(struct seglog *s, char out[65], struct err *e)
{
    char block[65536];
    if (!s->sha)
        s->sha = sha256_new();
    while (s->hashed < s->index.end.raw) {
        uint64_t left = s->index.end.raw - s->hashed;
        size_t n = left < sizeof(block) ? (size_t)left : sizeof(block);
        int rc = seglog_pread(s, block, n, s->hashed, e);
        if (rc < 0)
            return rc;
        sha256_add(s->sha, block, n);
        s->hashed += n;
    }
    sha256_peek(s->sha, out);
    return 0;
}
