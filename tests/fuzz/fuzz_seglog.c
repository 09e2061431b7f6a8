/* Fuzzes a seglog with whatever a crash or a peer may leave it: the first two bytes say how the
 * rest is shared between PATH.seg, PATH.log and wire segments to append. */
#include "lib/seglog.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CEILING (16u << 20)

/* Absolute paths: the fuzzer's own are relative to where it was started. */
static char dir[] = "/tmp/fuzz-seglog-XXXXXX";
static char log_path[64], copy_path[64];

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void clean_up(void)
{
    struct err e;
    (void)seglog_remove(log_path, &e); /* nobody is left to tell */
    (void)seglog_remove(copy_path, &e);
    (void)rmdir(dir);
}

static void set_up(void)
{
    need(mkdtemp(dir) != NULL);
    (void)snprintf(log_path, sizeof(log_path), "%s/f", dir);
    (void)snprintf(copy_path, sizeof(copy_path), "%s/g", dir);
    need(atexit(clean_up) == 0);
}

static void write_part(const char *suffix, const uint8_t *bytes, size_t len)
{
    char path[80];
    (void)snprintf(path, sizeof(path), "%s.%s", log_path, suffix);
    autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    need(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
}

/* Every view has the size that it says, and both streams are the whole. */
static void check_views(struct seglog *s)
{
    struct err e;
    static const enum seg_filter filters[] = {SEG_BOTH, SEG_ONLY_STDOUT, SEG_ONLY_STDERR};
    uint64_t out = seglog_stream_size(s, SEG_STDOUT), err = seglog_stream_size(s, SEG_STDERR);
    uint64_t want[] = {seglog_size(s), out, err};
    need(out + err == seglog_size(s));
    for (size_t i = 0; i < 3; i++) {
        AUTO(buf) struct buf whole = BUF_INIT(CEILING), tail = BUF_INIT(CEILING);
        need(seglog_read(s, filters[i], 0, CEILING, &whole, &e) == 0);
        need(whole.len == want[i]);
        size_t half = whole.len / 2;
        need(seglog_read(s, filters[i], half, CEILING, &tail, &e) == 0);
        need(tail.len == whole.len - half);
        need(tail.len == 0 || memcmp(tail.data, whole.data + half, tail.len) == 0);
    }
}

static void check_copy(struct seglog *s, struct seglog *copy, size_t piece)
{
    struct err e;
    char one[65], two[65];
    while (seglog_size(copy) < seglog_size(s)) {
        AUTO(buf) struct buf chunk = BUF_INIT(CEILING);
        size_t raw = 0;
        need(seglog_chunk(s, seglog_size(copy), piece, &chunk, &raw, &e) == 0 && raw > 0);
        need(seglog_append_chunk(copy, seglog_size(copy), chunk.data, chunk.len, &e) == 0);
    }
    need(seglog_sha256(s, one, &e) == 0 && seglog_sha256(copy, two, &e) == 0);
    need(strcmp(one, two) == 0);
    need(seglog_stream_size(s, SEG_STDERR) == seglog_stream_size(copy, SEG_STDERR));
}

static void fuzz_files(const uint8_t *seg, size_t seg_len, const uint8_t *log, size_t log_len)
{
    struct err e;
    struct seglog *s = NULL, *copy = NULL;
    write_part("seg", seg, seg_len);
    write_part("log", log, log_len);
    need(seglog_open_read(log_path, &s, &e) == 0);
    uint64_t readable = seglog_size(s);
    check_views(s);
    seglog_close(s);
    need(seglog_open(log_path, &s, &e) == 0 && seglog_size(s) == readable);
    need(seglog_remove(copy_path, &e) == 0 && seglog_open(copy_path, &copy, &e) == 0);
    check_copy(s, copy, log_len / 7 + 1);
    check_views(copy);
    seglog_close(copy);
    seglog_close(s);
}

/* On the log that fuzz_files has left. */
static void fuzz_chunk(const uint8_t *chunk, size_t len)
{
    struct err e;
    struct seglog *s = NULL;
    need(seglog_open(log_path, &s, &e) == 0);
    uint64_t before = seglog_size(s);
    uint64_t at = len > 0 ? before * chunk[0] / 255 : before;
    int rc = seglog_append_chunk(s, at, chunk + (len > 0), len - (len > 0), &e);
    need(rc == 0 || (rc == ERR_INVALID && seglog_size(s) == before));
    uint64_t after = seglog_size(s);
    check_views(s);
    seglog_close(s);
    need(seglog_open(log_path, &s, &e) == 0 && seglog_size(s) == after);
    seglog_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!log_path[0])
        set_up();
    if (size < 2)
        return 0;
    size_t rest = size - 2;
    size_t seg_len = data[0] * rest / 256, log_len = data[1] * (rest - seg_len) / 256;
    const uint8_t *seg = data + 2, *log = seg + seg_len, *chunk = log + log_len;
    fuzz_files(seg, seg_len, log, log_len);
    fuzz_chunk(chunk, rest - seg_len - log_len);
    return 0;
}
