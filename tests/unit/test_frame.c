/* The codec between runner and wrought-init: whole frames, torn ones, forged ones, documents and
 * endings. */
#include "api/frame.h"

#include <stdlib.h>

#include "tests/unit/tap.h"
#include "lib/banned.h"

static void feed(struct frame_parser *p, const void *bytes, size_t len)
{
    struct err e;
    CHECK_OK(frame_feed(p, bytes, len, &e), &e);
}

static void check_next(struct frame_parser *p, enum frame_type type, const void *body, size_t len)
{
    struct frame f;
    CHECK(frame_next(p, &f));
    CHECK_INT(f.type, type);
    CHECK_INT(f.len, len);
    CHECK(memcmp(f.body, body, len) == 0);
}

static void check_none(struct frame_parser *p)
{
    struct frame f;
    CHECK(!frame_next(p, &f));
}

TEST(a_frame_has_the_documented_layout)
{
    AUTO(buf) struct buf b = BUF_INIT(1000);
    frame_put(&b, FRAME_OUTPUT, 1, "123456789", 9);
    CHECK_INT(b.len, FRAME_HEADER_BYTES + 9);
    CHECK(memcmp(b.data, "WRI1\x43\x01\0\0\x09\0\0\0", 12) == 0);
    /* python3: zlib.crc32(b"WRI1\x43\x01\0\0\x09\0\0\0" + b"123456789") */
    CHECK_INT(frame_get_u32((const uint8_t *)b.data + 12), 0x8d36caccu);
}

TEST(numbers_are_little_endian)
{
    uint8_t b[8];
    frame_u64(b, 0x0102030405060708ull);
    CHECK(memcmp(b, "\x08\x07\x06\x05\x04\x03\x02\x01", 8) == 0);
    CHECK(frame_get_u64(b) == 0x0102030405060708ull);
    frame_u32(b, 0xfffefdfcu);
    CHECK(frame_get_u32(b) == 0xfffefdfcu);
}

TEST(frames_come_out_in_order_whatever_the_pieces)
{
    AUTO(buf) struct buf b = BUF_INIT(1u << 20);
    static const enum frame_type order[] = {FRAME_HELLO, FRAME_STARTED, FRAME_OUTPUT};
    frame_put(&b, FRAME_HELLO, 0, "\x01\0", 2);
    frame_put(&b, FRAME_STARTED, 0, NULL, 0);
    frame_put(&b, FRAME_OUTPUT, 1, "WRI1WRI1", 8);
    for (size_t piece = 1; piece <= b.len; piece++) {
        AUTO(frame_parser) struct frame_parser p;
        frame_parser_init(&p);
        struct frame f;
        int seen = 0;
        for (size_t at = 0; at < b.len; at += piece) {
            feed(&p, b.data + at, b.len - at < piece ? b.len - at : piece);
            while (frame_next(&p, &f))
                CHECK_INT(f.type, order[seen++]);
        }
        CHECK_INT(seen, 3);
        CHECK_INT(p.skipped, 0);
    }
}

TEST(the_longest_frame_passes)
{
    AUTO(buf) struct buf b = BUF_INIT(1u << 20);
    uint8_t *body = calloc(1, BOUND_FRAME_BYTES);
    CHECK(body != NULL);
    body[BOUND_FRAME_BYTES - 1] = 7;
    frame_put(&b, FRAME_OUTPUT, 0, body, BOUND_FRAME_BYTES);
    AUTO(frame_parser) struct frame_parser p;
    frame_parser_init(&p);
    feed(&p, b.data, b.len);
    check_next(&p, FRAME_OUTPUT, body, BOUND_FRAME_BYTES);
    free(body);
}

TEST(garbage_before_a_frame_is_skipped_and_counted)
{
    AUTO(buf) struct buf b = BUF_INIT(1000);
    buf_adds(&b, "WRWRIWRI2 garbage W");
    size_t garbage = b.len;
    frame_put(&b, FRAME_BYE, 0, NULL, 0);
    AUTO(frame_parser) struct frame_parser p;
    frame_parser_init(&p);
    feed(&p, b.data, b.len);
    check_next(&p, FRAME_BYE, "", 0);
    check_none(&p);
    CHECK_INT(p.skipped, garbage);
}

TEST(any_flipped_bit_makes_the_frame_vanish_and_the_next_one_is_found)
{
    AUTO(buf) struct buf b = BUF_INIT(1u << 20);
    frame_put(&b, FRAME_SIGNAL, 0, "\x0f", 1);
    size_t first = b.len;
    char zeros[FRAME_FLUSH_BYTES] = {0};
    buf_add(&b, zeros, sizeof(zeros));
    frame_put(&b, FRAME_BYE, 0, NULL, 0);
    for (size_t bit = 0; bit < first * 8; bit++) {
        AUTO(frame_parser) struct frame_parser p;
        frame_parser_init(&p);
        b.data[bit / 8] ^= (char)(1 << bit % 8);
        feed(&p, b.data, b.len);
        b.data[bit / 8] ^= (char)(1 << bit % 8);
        check_next(&p, FRAME_BYE, "", 0);
    }
}

TEST(flush_zeros_end_a_torn_frame_wherever_it_was_torn)
{
    AUTO(buf) struct buf torn = BUF_INIT(1u << 20);
    char body[500];
    memset(body, 'W', sizeof(body));
    frame_put(&torn, FRAME_TASK_PART, 0, body, sizeof(body));
    char zeros[FRAME_FLUSH_BYTES] = {0};
    for (size_t cut = 0; cut < torn.len; cut++) {
        AUTO(buf) struct buf b = BUF_INIT(1u << 20);
        buf_add(&b, torn.data, cut);
        buf_add(&b, zeros, sizeof(zeros));
        frame_put(&b, FRAME_RESUME, 0, "x", 1);
        AUTO(frame_parser) struct frame_parser p;
        frame_parser_init(&p);
        feed(&p, b.data, b.len);
        check_next(&p, FRAME_RESUME, "x", 1);
    }
}

TEST(a_header_forged_in_torn_bytes_cannot_swallow_what_follows_the_zeros)
{
    /* The tail of an OUTPUT whose front was lost: its bytes are the task's, and look like the
     * header of the longest frame. */
    AUTO(buf) struct buf b = BUF_INIT(1u << 20);
    uint8_t forged[FRAME_HEADER_BYTES] = {'W', 'R', 'I', '1', FRAME_RESUMED};
    frame_u32(forged + 8, BOUND_FRAME_BYTES);
    buf_add(&b, forged, sizeof(forged));
    char zeros[FRAME_FLUSH_BYTES] = {0};
    buf_add(&b, zeros, sizeof(zeros));
    frame_put(&b, FRAME_RESUMED, 0, "true", 4);
    AUTO(frame_parser) struct frame_parser p;
    frame_parser_init(&p);
    feed(&p, b.data, b.len);
    check_next(&p, FRAME_RESUMED, "true", 4);
}

TEST(feeding_without_taking_frames_out_is_refused)
{
    AUTO(frame_parser) struct frame_parser p;
    frame_parser_init(&p);
    char junk[4096] = {0};
    struct err e;
    int rc = 0;
    for (int i = 0; i < 1000 && rc == 0; i++)
        rc = frame_feed(&p, junk, sizeof(junk), &e);
    CHECK_INT(rc, ERR_TOO_BIG);
    check_none(&p);
    feed(&p, junk, sizeof(junk));
}

TEST(a_document_gives_its_records_back)
{
    AUTO(buf) struct buf doc = BUF_INIT(1000);
    doc_put(&doc, DOC_ARG, "sh", 2);
    doc_put(&doc, DOC_ENV, NULL, 0);
    doc_put(&doc, DOC_FILE, "a\0b", 3);
    static const struct {
        enum doc_tag tag;
        const char *bytes;
        size_t len;
    } want[] = {{DOC_ARG, "sh", 2}, {DOC_ENV, "", 0}, {DOC_FILE, "a\0b", 3}};
    size_t pos = 0, len;
    enum doc_tag tag;
    const uint8_t *bytes, *d = (const uint8_t *)doc.data;
    struct err e;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        CHECK_INT(doc_next(d, doc.len, &pos, &tag, &bytes, &len, &e), 1);
        CHECK_INT(tag, want[i].tag);
        CHECK_INT(len, want[i].len);
        CHECK(memcmp(bytes, want[i].bytes, len) == 0);
    }
    CHECK_INT(doc_next(d, doc.len, &pos, &tag, &bytes, &len, &e), 0);
}

TEST(a_document_that_is_cut_is_refused)
{
    AUTO(buf) struct buf doc = BUF_INIT(1000);
    doc_put(&doc, DOC_ARG, "command", 7);
    for (size_t cut = 1; cut < doc.len; cut++) {
        size_t pos = 0, len;
        enum doc_tag tag;
        const uint8_t *bytes;
        struct err e;
        CHECK_INT(doc_next((const uint8_t *)doc.data, cut, &pos, &tag, &bytes, &len, &e),
                  ERR_PROTOCOL);
    }
}

TEST(an_ending_survives_the_wire)
{
    struct init_end end, got;
    init_end_init(&end);
    end.kind = END_DISK_FULL;
    end.code = 3;
    end.signal = 9;
    end.os_errno = 28;
    snprintf(end.where, sizeof(end.where), "two words");
    end.log_bytes = 10ull << 30;
    end.stdout_bytes = 1;
    end.memory_peak_bytes = INT64_MAX;
    end.cpu_us = 0;
    end.cap_eff = 0x1ffffffffff;
    end.rootfs_read_only = 1;
    AUTO(buf) struct buf b = BUF_INIT(BOUND_FRAME_BYTES);
    init_end_encode(&end, &b);
    struct err e;
    CHECK_OK(init_end_decode((const uint8_t *)b.data, b.len, &got, &e), &e);
    CHECK_INT(got.kind, END_DISK_FULL);
    CHECK_INT(got.code, 3);
    CHECK_INT(got.signal, 9);
    CHECK_INT(got.os_errno, 28);
    CHECK_STR(got.where, "two words");
    CHECK_INT(got.log_bytes, 10ll << 30);
    CHECK_INT(got.stdout_bytes, 1);
    CHECK_INT(got.memory_peak_bytes, INT64_MAX);
    CHECK_INT(got.cpu_us, 0);
    CHECK_INT(got.oom_kills, -1);
    CHECK_INT(got.cap_eff, 0x1ffffffffff);
    CHECK_INT(got.uid, -1);
    CHECK_INT(got.rootfs_read_only, 1);
}

TEST(a_line_break_in_where_cannot_add_a_key)
{
    struct init_end end, got;
    init_end_init(&end);
    snprintf(end.where, sizeof(end.where), "x\ncode 7");
    AUTO(buf) struct buf b = BUF_INIT(BOUND_FRAME_BYTES);
    init_end_encode(&end, &b);
    struct err e;
    CHECK_OK(init_end_decode((const uint8_t *)b.data, b.len, &got, &e), &e);
    CHECK_INT(got.code, 0);
    CHECK_STR(got.where, "x?code 7");
}

static int decode(const char *text)
{
    struct init_end end;
    struct err e;
    return init_end_decode((const uint8_t *)text, strlen(text), &end, &e);
}

TEST(an_ending_of_another_version_is_read)
{
    CHECK_INT(decode("kind exited\ncode 1\nnew_key what ever\n"), 0);
}

TEST(an_ending_that_makes_no_sense_is_refused)
{
    static const char *const bad[] = {
        "",
        "code 1\n",
        "kind exited",
        "kind odd\n",
        "kind exited\ncode",
        "kind exited\ncode\n",
        "kind\n",
        "kind exited\ncode \n",
        "kind exited\ncode 1x\n",
        "kind exited\ncode 99999999999\n",
        "kind exited\nlog_bytes -1\n",
        "kind exited\ncpu_us 99999999999999999999\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_INT(decode(bad[i]), ERR_PROTOCOL);
    struct init_end end;
    struct err e;
    CHECK_INT(init_end_decode((const uint8_t *)"kind exited\n\0", 13, &end, &e), ERR_PROTOCOL);
}

TAP_MAIN
