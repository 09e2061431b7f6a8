#include "lib/seglog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/crypto.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

#define BIG (64u << 20)

/* What a log should hold, kept the simple way. */
struct model {
    struct buf bytes;   /* both streams */
    struct buf streams; /* 'o' or 'e' for each byte */
};

#define MODEL_INIT ((struct model){.bytes = BUF_INIT(BIG), .streams = BUF_INIT(BIG)})

static void model_release(struct model *m)
{
    buf_release(&m->bytes);
    buf_release(&m->streams);
}

static void model_view(const struct model *m, enum seg_filter filter, struct buf *out)
{
    for (size_t i = 0; i < m->bytes.len; i++)
        if (filter == SEG_BOTH || (m->streams.data[i] == 'o') == (filter == SEG_ONLY_STDOUT))
            buf_addc(out, m->bytes.data[i]);
}

static struct seglog *opened(const char *path)
{
    struct err e = {0};
    struct seglog *s = NULL;
    CHECK_OK(seglog_open(path, &s, &e), &e);
    return s;
}

static void append(struct seglog *s, struct model *m, enum seg_stream stream, const char *bytes,
                   size_t len)
{
    struct err e = {0};
    CHECK_OK(seglog_append(s, stream, bytes, len, &e), &e);
    for (size_t i = 0; m && i < len; i++) {
        buf_addc(&m->bytes, bytes[i]);
        buf_addc(&m->streams, stream == SEG_STDOUT ? 'o' : 'e');
    }
}

/* A repeatable source of choices. */
static uint32_t dice_state = 12345;

static uint32_t dice(uint32_t sides)
{
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % sides;
}

static void append_random(struct seglog *s, struct model *m, size_t runs, uint32_t longest)
{
    char bytes[4096];
    for (size_t i = 0; i < runs; i++) {
        size_t len = 1 + dice(longest);
        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)dice(256);
        append(s, m, dice(2) ? SEG_STDERR : SEG_STDOUT, bytes, len);
    }
}

static void check_view(struct seglog *s, const struct model *m, enum seg_filter filter,
                       uint64_t offset, size_t max)
{
    struct err e = {0};
    AUTO(buf) struct buf want = BUF_INIT(BIG), got = BUF_INIT(BIG);
    model_view(m, filter, &want);
    CHECK_OK(seglog_read(s, filter, offset, max, &got, &e), &e);
    size_t left = offset < want.len ? want.len - (size_t)offset : 0;
    CHECK_INT(got.len, left < max ? left : max);
    CHECK(got.len == 0 || memcmp(got.data, want.data + offset, got.len) == 0);
}

static void check_equal(struct seglog *s, const struct model *m)
{
    CHECK_INT(seglog_size(s), m->bytes.len);
    for (enum seg_filter f = SEG_BOTH; f <= SEG_ONLY_STDERR; f++)
        check_view(s, m, f, 0, BIG);
}

TEST(reads_back_what_was_appended)
{
    AUTO(model) struct model m = MODEL_INIT;
    struct seglog *s = opened("a");
    append(s, &m, SEG_STDOUT, "one\n", 4);
    append(s, &m, SEG_STDERR, "two\0\xff", 5);
    append(s, &m, SEG_STDOUT, "three", 5);
    append(s, &m, SEG_STDOUT, "", 0);
    check_equal(s, &m);
    CHECK_INT(seglog_stream_size(s, SEG_STDOUT), 9);
    CHECK_INT(seglog_stream_size(s, SEG_STDERR), 5);
    seglog_close(s);
    s = opened("a");
    check_equal(s, &m);
    seglog_close(s);
}

TEST(the_files_have_the_documented_form)
{
    struct seglog *s = opened("a");
    append(s, NULL, SEG_STDOUT, "abc", 3);
    append(s, NULL, SEG_STDERR, "de", 2);
    seglog_close(s);
    char bytes[16];
    autoclose int log = open("a.log", O_RDONLY | O_CLOEXEC);
    CHECK_INT(read(log, bytes, sizeof(bytes)), 5);
    CHECK(memcmp(bytes, "abcde", 5) == 0);
    autoclose int seg = open("a.seg", O_RDONLY | O_CLOEXEC);
    CHECK_INT(read(seg, bytes, sizeof(bytes)), 8);
    CHECK(memcmp(bytes, "\3\0\0\0\2\0\0\x80", 8) == 0);
}

TEST(filters_count_offsets_in_their_own_view)
{
    AUTO(model) struct model m = MODEL_INIT;
    struct seglog *s = opened("a");
    append_random(s, &m, 400, 40);
    for (int i = 0; i < 600; i++)
        check_view(s, &m, (enum seg_filter)dice(3), dice(9000), dice(3000));
    seglog_close(s);
}

TEST(long_runs_and_small_ones_mix)
{
    AUTO(model) struct model m = MODEL_INIT;
    struct seglog *s = opened("a");
    autofree char *big = calloc(1, 300000);
    for (size_t i = 0; i < 300000; i++)
        big[i] = (char)(i * 7);
    append(s, &m, SEG_STDERR, big, 300000);
    append(s, &m, SEG_STDOUT, "x", 1);
    append(s, &m, SEG_STDERR, big, 200000);
    append(s, &m, SEG_STDOUT, "y", 1);
    check_equal(s, &m);
    check_view(s, &m, SEG_ONLY_STDERR, 299990, 20);
    check_view(s, &m, SEG_ONLY_STDOUT, 1, 5);
    seglog_close(s);
}

TEST(sequential_small_reads_give_the_whole)
{
    AUTO(model) struct model m = MODEL_INIT;
    struct seglog *s = opened("a");
    append_random(s, &m, 3000, 9);
    for (enum seg_filter f = SEG_BOTH; f <= SEG_ONLY_STDERR; f++) {
        AUTO(buf) struct buf want = BUF_INIT(BIG), got = BUF_INIT(BIG);
        struct err e = {0};
        model_view(&m, f, &want);
        size_t before;
        do {
            before = got.len;
            CHECK_OK(seglog_read(s, f, got.len, 1 + dice(30), &got, &e), &e);
        } while (got.len > before);
        CHECK_INT(got.len, want.len);
        CHECK(memcmp(got.data, want.data, want.len) == 0);
    }
    seglog_close(s);
}

/* ---- recovery ---- */

static void make_files(const char *log, size_t log_len, const char *seg, size_t seg_len)
{
    autoclose int l = open("b.log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    autoclose int s = open("b.seg", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(write(l, log, log_len) == (ssize_t)log_len);
    CHECK(write(s, seg, seg_len) == (ssize_t)seg_len);
}

static void check_recovers(const struct model *m, size_t at_least)
{
    struct err e = {0};
    struct seglog *r = NULL;
    CHECK_OK(seglog_open_read("b", &r, &e), &e); /* a reader copes without cutting */
    uint64_t readable = seglog_size(r);
    seglog_close(r);

    struct seglog *s = opened("b");
    size_t left = (size_t)seglog_size(s);
    CHECK_INT(left, readable);
    CHECK(left >= at_least && left <= m->bytes.len);
    AUTO(model) struct model prefix = MODEL_INIT;
    buf_add(&prefix.bytes, m->bytes.data, left);
    buf_add(&prefix.streams, m->streams.data, left);
    check_equal(s, &prefix);
    append(s, &prefix, SEG_STDERR, "after", 5); /* and it goes on from there */
    check_equal(s, &prefix);
    seglog_close(s);
    struct stat log, seg;
    CHECK(stat("b.log", &log) == 0 && stat("b.seg", &seg) == 0);
    CHECK_INT(log.st_size, left + 5);
    CHECK_INT(seg.st_size % 4, 0);
}

TEST(a_cut_at_any_byte_of_either_file_leaves_a_prefix)
{
    AUTO(model) struct model m = MODEL_INIT;
    struct seglog *s = opened("a");
    size_t ends[30];
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        append_random(s, &m, 1, 12);
        ends[i] = m.bytes.len;
    }
    seglog_close(s);
    char seg[4 * ARRAY_LEN(ends)];
    autoclose int fd = open("a.seg", O_RDONLY | O_CLOEXEC);
    CHECK_INT(read(fd, seg, sizeof(seg)), sizeof(seg));
    for (size_t n = 0; n <= sizeof(seg); n++) {
        make_files(m.bytes.data, m.bytes.len, seg, n);
        check_recovers(&m, n / 4 > 0 ? ends[n / 4 - 1] : 0);
    }
    for (size_t n = 0, whole = 0; n <= m.bytes.len; n++) {
        if (n == ends[whole] && whole + 1 < ARRAY_LEN(ends))
            whole++;
        make_files(m.bytes.data, n, seg, sizeof(seg));
        check_recovers(&m, whole > 0 ? ends[whole - 1] : 0);
    }
}

TEST(records_that_a_crash_left_as_zeros_are_cut)
{
    AUTO(model) struct model m = MODEL_INIT;
    buf_adds(&m.bytes, "abcdef");
    buf_adds(&m.streams, "oooeee");
    make_files("abcdef\0\0\0", 9, "\3\0\0\0\3\0\0\x80\0\0\0\0\2\0\0\0", 16);
    check_recovers(&m, 6);
}

TEST(one_absent_file_counts_as_nothing)
{
    struct err e = {0};
    struct seglog *s = opened("a");
    append(s, NULL, SEG_STDOUT, "abc", 3);
    seglog_close(s);
    CHECK(unlink("a.seg") == 0);
    s = NULL;
    CHECK_INT(seglog_open_read("a", &s, &e), ERR_NOT_FOUND);
    s = opened("a");
    CHECK_INT(seglog_size(s), 0);
    seglog_close(s);
}

/* ---- a full disk ---- */

static void limit_file_size(rlim_t bytes)
{
    struct rlimit lim = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_FSIZE, &lim) == 0);
}

TEST(a_failed_append_leaves_nothing_of_itself)
{
    AUTO(model) struct model m = MODEL_INIT;
    struct err e = {0};
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    struct seglog *s = opened("a");
    append(s, &m, SEG_STDOUT, "abcdef", 6);
    limit_file_size(10); /* a short write, then EFBIG */
    CHECK_INT(seglog_append(s, SEG_STDERR, "0123456789", 10, &e), ERR_IO);
    CHECK_INT(e.os_errno, EFBIG);
    check_equal(s, &m);
    struct stat st;
    CHECK(stat("a.log", &st) == 0);
    CHECK_INT(st.st_size, 6);
    append(s, &m, SEG_STDERR, "0123", 4); /* fits again */
    limit_file_size(RLIM_INFINITY);
    append(s, &m, SEG_STDERR, "0123456789", 10);
    check_equal(s, &m);
    seglog_close(s);
    s = opened("a");
    check_equal(s, &m);
    seglog_close(s);
}

TEST(a_record_that_cannot_be_written_takes_its_bytes_back)
{
    AUTO(model) struct model m = MODEL_INIT;
    struct err e = {0};
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    struct seglog *s = opened("a");
    for (int i = 0; i < 10; i++)
        append(s, &m, i % 2 ? SEG_STDERR : SEG_STDOUT, "x", 1);
    limit_file_size(42); /* .seg has 40 bytes: half a record fits; .log has 10 */
    CHECK_INT(seglog_append(s, SEG_STDERR, "0123", 4, &e), ERR_IO);
    check_equal(s, &m);
    struct stat log, seg;
    CHECK(stat("a.log", &log) == 0 && stat("a.seg", &seg) == 0);
    CHECK_INT(log.st_size, 10);
    CHECK_INT(seg.st_size, 40);
    seglog_close(s);
}

/* ---- the wire ---- */

static void copy_by_chunks(struct seglog *from, struct seglog *to, uint32_t largest)
{
    struct err e = {0};
    while (seglog_size(to) < seglog_size(from)) {
        AUTO(buf) struct buf chunk = BUF_INIT(BIG);
        size_t raw = 0;
        uint64_t at = seglog_size(to);
        CHECK_OK(seglog_chunk(from, at, 1 + dice(largest), &chunk, &raw, &e), &e);
        CHECK(raw > 0);
        CHECK_OK(seglog_append_chunk(to, at, chunk.data, chunk.len, &e), &e);
        CHECK_INT(seglog_size(to), at + raw);
    }
}

TEST(chunks_of_any_size_rebuild_the_log)
{
    AUTO(model) struct model m = MODEL_INIT;
    struct seglog *a = opened("a");
    append_random(a, &m, 2000, 300);
    static const uint32_t sizes[] = {1, 7, 100, 5000, 1 << 20};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct err e = {0};
        CHECK_OK(seglog_remove("b", &e), &e);
        struct seglog *b = opened("b");
        if (sizes[i] > 50)
            copy_by_chunks(a, b, sizes[i]);
        else
            for (int k = 0; k < 50; k++) { /* the first bytes only: an append each */
                AUTO(buf) struct buf chunk = BUF_INIT(BIG);
                size_t raw = 0;
                CHECK_OK(seglog_chunk(a, seglog_size(b), sizes[i], &chunk, &raw, &e), &e);
                CHECK_INT(raw, sizes[i]);
                CHECK_OK(seglog_append_chunk(b, seglog_size(b), chunk.data, chunk.len, &e), &e);
            }
        AUTO(model) struct model part = MODEL_INIT;
        buf_add(&part.bytes, m.bytes.data, (size_t)seglog_size(b));
        buf_add(&part.streams, m.streams.data, (size_t)seglog_size(b));
        check_equal(b, &part);
        seglog_close(b);
    }
    seglog_close(a);
}

TEST(a_chunk_merges_neighbours_and_has_the_documented_form)
{
    struct err e = {0};
    struct seglog *s = opened("a");
    append(s, NULL, SEG_STDOUT, "ab", 2);
    append(s, NULL, SEG_STDOUT, "cd", 2);
    append(s, NULL, SEG_STDERR, "ef", 2);
    AUTO(buf) struct buf chunk = BUF_INIT(100);
    size_t raw = 0;
    CHECK_OK(seglog_chunk(s, 1, 4, &chunk, &raw, &e), &e);
    CHECK_INT(raw, 4);
    CHECK_INT(chunk.len, 14);
    CHECK(memcmp(chunk.data, "\0\3\0\0\0bcd\1\1\0\0\0e", 14) == 0);
    buf_clear(&chunk);
    CHECK_OK(seglog_chunk(s, 6, 4, &chunk, &raw, &e), &e);
    CHECK_INT(raw, 0);
    CHECK_INT(chunk.len, 0);
    seglog_close(s);
}

TEST(a_chunk_stops_at_the_ceiling_of_its_buffer)
{
    struct err e = {0};
    struct seglog *s = opened("a");
    for (int i = 0; i < 100; i++)
        append(s, NULL, i % 2 ? SEG_STDERR : SEG_STDOUT, "x", 1);
    AUTO(buf) struct buf chunk = BUF_INIT(20);
    size_t raw = 0;
    CHECK_OK(seglog_chunk(s, 0, 100, &chunk, &raw, &e), &e);
    CHECK_INT(raw, 3);
    CHECK_INT(chunk.len, 18);
    AUTO(buf) struct buf tiny = BUF_INIT(5);
    CHECK_INT(seglog_chunk(s, 0, 100, &tiny, &raw, &e), ERR_TOO_BIG);
    seglog_close(s);
}

TEST(repeats_are_harmless_and_overlaps_add_only_what_is_new)
{
    AUTO(model) struct model m = MODEL_INIT;
    struct err e = {0};
    struct seglog *a = opened("a"), *b = opened("b");
    append_random(a, &m, 50, 20);
    uint64_t have = 0;
    for (int i = 0; i < 400 || have < m.bytes.len; i++) {
        AUTO(buf) struct buf chunk = BUF_INIT(BIG);
        size_t raw = 0;
        uint64_t at = dice((uint32_t)have + 1);
        CHECK_OK(seglog_chunk(a, at, 1 + dice(60), &chunk, &raw, &e), &e);
        CHECK_OK(seglog_append_chunk(b, at, buf_str(&chunk), chunk.len, &e), &e);
        have = at + raw > have ? at + raw : have;
        CHECK_INT(seglog_size(b), have);
    }
    check_equal(b, &m);
    seglog_close(a);
    seglog_close(b);
}

TEST(a_gap_is_a_conflict)
{
    struct err e = {0};
    struct seglog *s = opened("a");
    CHECK_INT(seglog_append_chunk(s, 1, "\0\1\0\0\0x", 6, &e), ERR_CONFLICT);
    CHECK_INT(seglog_size(s), 0);
    seglog_close(s);
}

TEST(broken_segments_add_nothing)
{
    struct err e = {0};
    struct seglog *s = opened("a");
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\0\1\0\0", 4},                  /* half a header */
        {"\0\2\0\0\0x", 6},               /* fewer bytes than said */
        {"\2\1\0\0\0x", 6},               /* no such stream */
        {"\0\0\0\0\0", 5},                /* empty */
        {"\0\xff\xff\xff\xffx", 6},       /* absurd length */
        {"\0\1\0\0\0x\1\1\0\0\0y\0", 13}, /* good ones before */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK_INT(seglog_append_chunk(s, 0, bad[i].bytes, bad[i].len, &e), ERR_INVALID);
        CHECK_INT(seglog_size(s), 0);
    }
    CHECK_OK(seglog_append_chunk(s, 0, NULL, 0, &e), &e);
    seglog_close(s);
}

/* ---- size ---- */

TEST(a_hundred_thousand_alternating_bytes_are_quick_everywhere)
{
    enum { N = 100000 };
    struct err e = {0};
    struct seglog *s = opened("a");
    int64_t from = clock_mono_ms();
    for (int i = 0; i < N; i++) {
        char c = (char)('a' + i % 26);
        append(s, NULL, i % 2 ? SEG_STDERR : SEG_STDOUT, &c, 1);
    }
    AUTO(buf) struct buf out = BUF_INIT(BIG);
    CHECK_OK(seglog_read(s, SEG_ONLY_STDERR, 0, BIG, &out, &e), &e);
    CHECK_INT(out.len, N / 2);
    for (int i = 0; i < N / 2; i++)
        CHECK(out.data[i] == 'a' + (2 * i + 1) % 26);
    for (int i = 0; i < 2000; i++) { /* far jumps cost no walk from the beginning */
        uint64_t at = dice(N / 2);
        buf_clear(&out);
        CHECK_OK(seglog_read(s, SEG_ONLY_STDOUT, at, 1, &out, &e), &e);
        CHECK_INT(out.data[0], 'a' + (2 * at) % 26);
    }
    struct seglog *b = opened("b");
    copy_by_chunks(s, b, 100000);
    seglog_close(b);
    seglog_close(s);
    s = opened("a");
    CHECK_INT(seglog_size(s), N);
    seglog_close(s);
    CHECK(clock_mono_ms() - from < 20000);
}

/* 5 million records pass the point where the marks are thinned out. */
TEST(five_million_records_are_found_after_a_reopen)
{
    enum { N = 5000000 };
    struct err e = {0};
    struct seglog *s = opened("a");
    AUTO(buf) struct buf chunk = BUF_INIT(BIG);
    for (int i = 0; i < N; i++) {
        const char segment[6] = {(char)(i % 2), 1, 0, 0, 0, (char)('a' + i % 26)};
        buf_add(&chunk, segment, sizeof(segment));
    }
    CHECK_OK(buf_check(&chunk, "chunk", &e), &e);
    CHECK_OK(seglog_append_chunk(s, 0, chunk.data, chunk.len, &e), &e);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            AUTO(buf) struct buf out = BUF_INIT(16);
            uint64_t at = dice(N / 2);
            CHECK_OK(seglog_read(s, SEG_ONLY_STDERR, at, 1, &out, &e), &e);
            CHECK_INT(out.data[0], 'a' + (2 * at + 1) % 26);
        }
        seglog_close(s);
        s = opened("a");
    }
    seglog_close(s);
}

/* ---- readers ---- */

TEST(absent_logs)
{
    struct err e = {0};
    struct seglog *s = NULL;
    CHECK_INT(seglog_open_read("none", &s, &e), ERR_NOT_FOUND);
    CHECK_OK(seglog_remove("none", &e), &e);
    s = opened("a");
    seglog_close(s);
    CHECK_OK(seglog_remove("a", &e), &e);
    CHECK(access("a.log", F_OK) != 0 && access("a.seg", F_OK) != 0);
    seglog_close(NULL);
}

TEST(a_reader_sees_growth_up_to_what_was_published)
{
    AUTO(model) struct model m = MODEL_INIT;
    struct err e = {0};
    struct seglog *s = opened("a"), *r = NULL;
    append(s, &m, SEG_STDOUT, "abc", 3);
    CHECK_OK(seglog_open_read("a", &r, &e), &e);
    check_equal(r, &m);
    append(s, &m, SEG_STDERR, "de", 2);
    CHECK_INT(seglog_size(r), 3);
    append(s, NULL, SEG_STDERR, "unpublished", 11);
    CHECK_OK(seglog_refresh(r, 5, &e), &e);
    check_equal(r, &m);
    CHECK_OK(seglog_refresh(r, 10, &e), &e); /* within a run: not yet */
    CHECK_INT(seglog_size(r), 5);
    CHECK_OK(seglog_refresh(r, 2, &e), &e); /* less than it has: nothing changes */
    CHECK_INT(seglog_size(r), 5);
    CHECK_OK(seglog_refresh(r, UINT64_MAX, &e), &e);
    CHECK_INT(seglog_size(r), 16);
    seglog_close(r);
    seglog_close(s);
}

struct follow {
    _Atomic uint64_t published;
    uint64_t total;
    char sha[SHA256_TEXT];
};

static void *follow(void *arg)
{
    struct follow *f = arg;
    struct err e = {0};
    struct seglog *r = NULL;
    CHECK_OK(seglog_open_read("a", &r, &e), &e);
    do {
        uint64_t upto = atomic_load(&f->published);
        CHECK_OK(seglog_refresh(r, upto, &e), &e);
        CHECK(seglog_size(r) >= upto);
        CHECK_OK(seglog_sha256(r, f->sha, &e), &e);
    } while (seglog_size(r) < f->total);
    seglog_close(r);
    return NULL;
}

TEST(a_reader_follows_in_another_thread)
{
    struct err e = {0};
    struct follow f = {.total = 20000};
    char sha[SHA256_TEXT];
    pthread_t t;
    struct seglog *s = opened("a");
    CHECK(pthread_create(&t, NULL, follow, &f) == 0);
    for (int i = 0; i < 20000; i++) {
        char c = (char)dice(256);
        append(s, NULL, i % 3 ? SEG_STDERR : SEG_STDOUT, &c, 1);
        atomic_store(&f.published, seglog_size(s));
    }
    CHECK(pthread_join(t, NULL) == 0);
    CHECK_OK(seglog_sha256(s, sha, &e), &e);
    CHECK_STR(f.sha, sha);
    seglog_close(s);
}

/* ---- hash, space, sync ---- */

TEST(the_hash_grows_with_the_log)
{
    AUTO(model) struct model m = MODEL_INIT;
    struct err e = {0};
    struct seglog *s = opened("a");
    for (int i = 0; i < 10; i++) {
        char got[SHA256_TEXT], want[SHA256_TEXT];
        CHECK_OK(seglog_sha256(s, got, &e), &e);
        sha256_hex(buf_str(&m.bytes), m.bytes.len, want);
        CHECK_STR(got, want);
        append_random(s, &m, 100, 4000);
    }
    seglog_close(s);
}

TEST(punched_bytes_are_gone_and_the_rest_stays)
{
    enum { N = 1 << 20, HALF = N / 2 };
    AUTO(model) struct model m = MODEL_INIT;
    struct err e = {0};
    char sha[SHA256_TEXT], want[SHA256_TEXT];
    struct seglog *s = opened("a");
    autofree char *bytes = malloc(N);
    for (int i = 0; i < N; i++)
        bytes[i] = (char)dice(256);
    append(s, &m, SEG_STDOUT, bytes, N);
    CHECK_OK(seglog_sync(s, &e), &e);
    CHECK_OK(seglog_sha256(s, sha, &e), &e);
    struct stat before, after;
    CHECK(stat("a.log", &before) == 0);
    seglog_punch(s, HALF + 5); /* the 5 are no whole block */
    CHECK(stat("a.log", &after) == 0);
    CHECK(after.st_blocks <= before.st_blocks - HALF / 512);
    for (int round = 0; round < 2; round++) {
        AUTO(buf) struct buf out = BUF_INIT(BIG);
        CHECK_INT(seglog_size(s), N);
        CHECK_INT(seglog_read(s, SEG_BOTH, HALF - 1, 10, &out, &e), ERR_NOT_FOUND);
        CHECK_INT(seglog_read(s, SEG_ONLY_STDOUT, 0, 10, &out, &e), ERR_NOT_FOUND);
        check_view(s, &m, SEG_BOTH, HALF, HALF);
        append(s, &m, SEG_STDERR, "more", 4);
        if (round == 0) { /* the hash needs no byte twice */
            CHECK_OK(seglog_sha256(s, sha, &e), &e);
            sha256_hex(m.bytes.data, m.bytes.len, want);
            CHECK_STR(sha, want);
            CHECK(truncate("a.log", N) == 0 && truncate("a.seg", 4) == 0);
            m.bytes.len = m.streams.len = N;
        } else {
            CHECK_INT(seglog_sha256(s, sha, &e), ERR_NOT_FOUND);
        }
        seglog_close(s);
        s = opened("a");
        m.bytes.len = m.streams.len = (size_t)seglog_size(s);
        if (round == 1)
            CHECK_INT(seglog_size(s), N + 4);
    }
    seglog_close(s);
}

TEST(sync_reaches_the_directory_of_a_new_log)
{
    struct err e = {0};
    CHECK(mkdir("d", 0700) == 0);
    struct seglog *s = opened("d/a");
    append(s, NULL, SEG_STDOUT, "x", 1);
    CHECK_OK(seglog_sync(s, &e), &e);
    CHECK_OK(seglog_sync(s, &e), &e);
    seglog_close(s);
}

TAP_MAIN
