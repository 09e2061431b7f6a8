/* runner/engine/demux: frames cut anywhere, and what is none. */
#include "runner/engine/attach.h"

#include "tests/unit/tap.h"

#include "lib/banned.h"

/* "out" on 1, an empty frame, "ER" on 2, "!" on 1, "eng" from the engine itself. */
static const uint8_t stream[] = "\1\0\0\0\0\0\0\3out\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\2ER"
                                "\1\0\0\0\0\0\0\1!\3\0\0\0\0\0\0\3eng";
#define STREAM_BYTES (sizeof(stream) - 1)

static void check_pieces(size_t first, size_t second)
{
    AUTO(buf) struct buf out = BUF_INIT(100);
    AUTO(buf) struct buf err_out = BUF_INIT(100);
    struct demux d = {0};
    struct err e = {0};
    CHECK_OK(demux_feed(&d, stream, first, &out, &err_out, &e), &e);
    CHECK_OK(demux_feed(&d, stream + first, second - first, &out, &err_out, &e), &e);
    CHECK_OK(demux_feed(&d, stream + second, STREAM_BYTES - second, &out, &err_out, &e), &e);
    CHECK_STR(buf_str(&out), "out!");
    CHECK_STR(buf_str(&err_out), "EReng");
    CHECK_INT(d.have, 0);
}

TEST(a_stream_may_be_cut_at_every_two_points)
{
    for (size_t first = 0; first <= STREAM_BYTES; first++)
        for (size_t second = first; second <= STREAM_BYTES; second++)
            check_pieces(first, second);
}

TEST(a_stream_may_come_byte_by_byte)
{
    AUTO(buf) struct buf out = BUF_INIT(100);
    AUTO(buf) struct buf err_out = BUF_INIT(100);
    struct demux d = {0};
    struct err e = {0};
    for (size_t i = 0; i < STREAM_BYTES; i++)
        CHECK_OK(demux_feed(&d, stream + i, 1, &out, &err_out, &e), &e);
    CHECK_STR(buf_str(&out), "out!");
    CHECK_STR(buf_str(&err_out), "EReng");
}

TEST(the_length_is_big_endian)
{
    AUTO(buf) struct buf out = BUF_INIT(100);
    AUTO(buf) struct buf err_out = BUF_INIT(100);
    struct demux d = {0};
    struct err e = {0};
    CHECK_OK(demux_feed(&d, "\1\0\0\0\1\2\3\4x", 9, &out, &err_out, &e), &e);
    CHECK_INT(d.left, 0x01020304 - 1);
}

TEST(bytes_of_every_value_pass_through)
{
    AUTO(buf) struct buf out = BUF_INIT(1000);
    AUTO(buf) struct buf err_out = BUF_INIT(100);
    uint8_t frame[8 + 256] = {1, 0, 0, 0, 0, 0, 1, 0};
    struct demux d = {0};
    struct err e = {0};
    for (size_t i = 0; i < 256; i++)
        frame[8 + i] = (uint8_t)i;
    CHECK_OK(demux_feed(&d, frame, sizeof(frame), &out, &err_out, &e), &e);
    CHECK_INT(out.len, 256);
    CHECK(memcmp(out.data, frame + 8, 256) == 0);
}

TEST(an_unknown_stream_or_a_filled_gap_is_a_protocol_error)
{
    static const char *const headers[] = {"\4\0\0\0\0\0\0\1", "\1\1\0\0\0\0\0\1",
                                          "\1\0\1\0\0\0\0\1", "\1\0\0\1\0\0\0\1", "HTTP/1.1"};
    AUTO(buf) struct buf out = BUF_INIT(100);
    AUTO(buf) struct buf err_out = BUF_INIT(100);
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct demux d = {0};
        struct err e = {0};
        CHECK_INT(demux_feed(&d, headers[i], 8, &out, &err_out, &e), ERR_PROTOCOL);
    }
    CHECK_INT(out.len, 0);
}

TEST(stderr_over_its_ceiling_is_dropped_and_stdout_goes_on)
{
    AUTO(buf) struct buf out = BUF_INIT(100);
    AUTO(buf) struct buf err_out = BUF_INIT(3);
    struct demux d = {0};
    struct err e = {0};
    CHECK_OK(demux_feed(&d, stream, STREAM_BYTES, &out, &err_out, &e), &e);
    CHECK_STR(buf_str(&err_out), "ERe");
    CHECK(!err_out.failed);
    CHECK_STR(buf_str(&out), "out!");
}

TEST(stdout_over_its_ceiling_is_an_error)
{
    AUTO(buf) struct buf out = BUF_INIT(3);
    AUTO(buf) struct buf err_out = BUF_INIT(100);
    struct demux d = {0};
    struct err e = {0};
    CHECK_INT(demux_feed(&d, stream, STREAM_BYTES, &out, &err_out, &e), ERR_TOO_BIG);
}

TAP_MAIN
