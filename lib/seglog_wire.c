/* Wire segments {u8 stream, u32 length little-endian, bytes}: out of a log, and into one.
 * Neighbour: seglog.c. */
#include "lib/seglog.h"

#include <string.h>

#include "lib/seglog_impl.h"

#include "lib/banned.h"

#define HEADER_BYTES 5

static void put_header(struct buf *out, struct seg_run run)
{
    uint8_t h[HEADER_BYTES] = {(uint8_t)run.stream};
    for (int i = 0; i < 4; i++)
        h[1 + i] = (uint8_t)(run.len >> 8 * i);
    buf_add(out, h, sizeof(h));
}

/* gather: the run from raw offset `at` on, over neighbouring records of one stream, up to `max`
 * bytes that exist; leaves `w` on the record where it ends. */
static int gather(struct seg_walk *w, uint64_t at, size_t max, struct seg_run *ret, struct err *e)
{
    struct seg_run all = {0};
    while (all.len < max) {
        struct seg_run run;
        int rc = seglog_peek(w, &run, e);
        if (rc < 0)
            return rc;
        if (all.len > 0 && run.stream != all.stream)
            break;
        uint64_t left = w->at.raw + run.len - (at + all.len);
        all.stream = run.stream;
        if (left > max - all.len) {
            all.len = (uint32_t)max;
            break;
        }
        all.len += (uint32_t)left;
        seg_pos_step(&w->at, run);
    }
    *ret = all;
    return 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

int seglog_chunk(struct seglog *s, uint64_t offset, size_t max, struct buf *out, size_t *ret_raw,
                 struct err *e)
{
    struct seg_walk w;
    struct seg_window win = {.n = 0};
    size_t done = 0;
    uint64_t end = seglog_size(s);
    max = offset >= end ? 0 : end - offset < max ? (size_t)(end - offset) : max;
    int rc = seglog_seek(s, SEG_BOTH, offset, &w, e);
    while (rc == 0 && done < max) {
        size_t room = out->max - out->len;
        if (room <= HEADER_BYTES)
            break;
        size_t want = least(least(max - done, room - HEADER_BYTES), SEG_RUN_MAX);
        struct seg_run run;
        rc = gather(&w, offset + done, want, &run, e);
        if (rc < 0)
            break;
        put_header(out, run);
        rc = seg_window_copy(&win, s, offset + done, run.len, out, e);
        done += run.len;
    }
    s->cursor = w.at;
    if (rc < 0)
        return rc;
    if (done == 0 && max > 0)
        return err_set(e, ERR_TOO_BIG, "no room for a log segment in %zu bytes", out->max);
    *ret_raw = done;
    return 0;
}

/* take: the segment at *p, which moves past it. False when it is broken. */
static bool take(const uint8_t **p, const uint8_t *end, struct seg_run *ret, const uint8_t **bytes)
{
    const uint8_t *h = *p;
    if (end - h < HEADER_BYTES || h[0] > SEG_STDERR)
        return false;
    uint32_t len =
        (uint32_t)h[1] | (uint32_t)h[2] << 8 | (uint32_t)h[3] << 16 | (uint32_t)h[4] << 24;
    if (len == 0 || len > SEG_RUN_MAX || (size_t)(end - h - HEADER_BYTES) < len)
        return false;
    *ret = (struct seg_run){.stream = h[0], .len = len};
    *bytes = h + HEADER_BYTES;
    *p = *bytes + len;
    return true;
}

/* unpack: the bytes and runs behind the first `skip` raw bytes. False when a segment is broken. */
static bool unpack(const uint8_t *p, size_t len, uint64_t skip, struct buf *bytes, struct buf *runs)
{
    const uint8_t *end = p + len, *from;
    struct seg_run run;
    while (p < end) {
        if (!take(&p, end, &run, &from))
            return false;
        if (skip >= run.len) {
            skip -= run.len;
            continue;
        }
        run.len -= (uint32_t)skip;
        buf_add(bytes, from + skip, run.len);
        buf_add(runs, &run, sizeof(run));
        skip = 0;
    }
    return true;
}

int seglog_append_chunk(struct seglog *s, uint64_t offset, const void *bytes, size_t len,
                        struct err *e)
{
    uint64_t size = seglog_size(s);
    if (offset > size)
        return err_set(e, ERR_CONFLICT, "log bytes at %llu leave a gap: the log has %llu",
                       (unsigned long long)offset, (unsigned long long)size);
    if (len == 0)
        return 0;
    /* A segment has at least HEADER_BYTES + 1 bytes. */
    AUTO(buf) struct buf raw = BUF_INIT(len);
    AUTO(buf) struct buf runs = BUF_INIT((len / (HEADER_BYTES + 1)) * sizeof(struct seg_run));
    if (!unpack(bytes, len, size - offset, &raw, &runs))
        return err_set(e, ERR_INVALID, "broken log segments");
    if (raw.len == 0)
        return 0;
    return seglog_write(s, raw.data, (const struct seg_run *)(const void *)runs.data,
                        runs.len / sizeof(struct seg_run), e);
}
