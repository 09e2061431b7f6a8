/* runner/engine/attach and archive: what goes over connections of their own. */
#include "runner/engine/attach.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/bounds.h"
#include "lib/clock.h"
#include "tests/fake/bench.h"

#include "lib/banned.h"

#define V41 FAKE_VERSION("1.41", "1.12")
#define UPGRADED                                                                                   \
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"                 \
    "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
#define ATTACH       "POST /v1.41/containers/x/attach?stream=1&stdin=1&stdout=1&stderr=1 "
#define FRAMES       "\1\0\0\0\0\0\0\5hello\2\0\0\0\0\0\0\4oops"
#define ANSWER(text) .raw = (text), .raw_len = sizeof(text) - 1

/* What one attach has said. */
struct heard {
    struct buf out, err_out;
};

static void heard_release(struct heard *h)
{
    buf_release(&h->out);
    buf_release(&h->err_out);
}

#define HEARD(out_max)                                                                             \
    {                                                                                              \
        BUF_INIT(out_max), BUF_INIT(1000)                                                          \
    }

static void wait_on(const struct attach *a, short events)
{
    struct pollfd p = {.fd = attach_fd(a), .events = events};
    CHECK(poll(&p, 1, 60000) == 1);
}

/* Everything up to the end, whose code it returns. */
static int hear_all(struct attach *a, struct heard *h, struct err *e)
{
    for (;;) {
        int rc = attach_recv(a, &h->out, &h->err_out, e);
        if (rc < 0)
            return rc;
        wait_on(a, POLLIN);
    }
}

/* ---- attach ---- */

TEST(both_streams_are_heard_to_their_end)
{
    OPEN(b, V41, {.expect = ATTACH, ANSWER(UPGRADED FRAMES FRAMES), .then = FAKE_CLOSE});
    AUTO(heard) struct heard h = HEARD(1000);
    struct attach *a = NULL;
    CHECK_OK(attach_open(b.g, "x", &a, &b.e), &b.e);
    CHECK_INT(hear_all(a, &h, &b.e), ERR_EMPTY);
    CHECK_STR(buf_str(&h.out), "hellohello");
    CHECK_STR(buf_str(&h.err_out), "oopsoops");
    attach_close(a);
    bench_join(&b);
    CHECK_HAS(b.fake.requests[1], "\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n");
    bench_release(&b);
}

TEST(an_answer_may_come_in_single_bytes)
{
    OPEN(b, V41, {ANSWER(UPGRADED FRAMES), .then = FAKE_DRIBBLE});
    AUTO(heard) struct heard h = HEARD(1000);
    struct attach *a = NULL;
    CHECK_OK(attach_open(b.g, "x", &a, &b.e), &b.e);
    CHECK_INT(hear_all(a, &h, &b.e), ERR_EMPTY);
    CHECK_STR(buf_str(&h.out), "hello");
    attach_close(a);
    bench_close(&b);
}

TEST(nothing_to_hear_is_no_error_and_does_not_block)
{
    OPEN(b, V41, {ANSWER(UPGRADED), .then = FAKE_STREAM});
    AUTO(heard) struct heard h = HEARD(1000);
    struct attach *a = NULL;
    CHECK_OK(attach_open(b.g, "x", &a, &b.e), &b.e);
    CHECK_OK(attach_recv(a, &h.out, &h.err_out, &b.e), &b.e);
    CHECK_INT(h.out.len, 0);
    attach_close(a);
    attach_close(NULL);
    bench_close(&b);
}

TEST(what_the_reader_has_no_room_for_waits)
{
    OPEN(b, V41, {ANSWER(UPGRADED FRAMES FRAMES), .then = FAKE_CLOSE});
    AUTO(heard) struct heard h = HEARD(3);
    AUTO(buf) struct buf all = BUF_INIT(100);
    struct attach *a = NULL;
    CHECK_OK(attach_open(b.g, "x", &a, &b.e), &b.e);
    int rc;
    while ((rc = attach_recv(a, &h.out, &h.err_out, &b.e)) == 0) {
        CHECK(h.out.len <= 3);
        buf_add(&all, buf_str(&h.out), h.out.len);
        buf_clear(&h.out);
        wait_on(a, POLLIN);
    }
    CHECK_INT(rc, ERR_EMPTY);
    buf_add(&all, buf_str(&h.out), h.out.len);
    CHECK_STR(buf_str(&all), "hellohello");
    attach_close(a);
    bench_close(&b);
}

TEST(a_full_buffer_reads_nothing)
{
    OPEN(b, V41, {ANSWER(UPGRADED FRAMES), .then = FAKE_CLOSE});
    AUTO(heard) struct heard h = HEARD(2);
    struct attach *a = NULL;
    CHECK_OK(attach_open(b.g, "x", &a, &b.e), &b.e);
    buf_adds(&h.out, "ab");
    CHECK_OK(attach_recv(a, &h.out, &h.err_out, &b.e), &b.e);
    CHECK_STR(buf_str(&h.out), "ab");
    attach_close(a);
    bench_close(&b);
}

TEST(an_end_in_the_middle_of_a_frame_is_no_end)
{
    OPEN(b, V41, {ANSWER(UPGRADED FRAMES "\1\0\0\0\0\0\0\5he"), .then = FAKE_CLOSE});
    AUTO(heard) struct heard h = HEARD(1000);
    struct attach *a = NULL;
    CHECK_OK(attach_open(b.g, "x", &a, &b.e), &b.e);
    CHECK_INT(hear_all(a, &h, &b.e), ERR_PROTOCOL);
    CHECK_STR(buf_str(&h.out), "hellohe");
    attach_close(a);
    bench_close(&b);
}

TEST(a_refused_attach_says_why)
{
    OPEN(b, V41, {.status = 404, .body = "{\"message\":\"No such container: x\"}"},
         {.status = 409, .body = "{\"message\":\"is paused\"}", .then = FAKE_DRIBBLE},
         {.status = 200, .body = "{}"});
    struct attach *a = NULL;
    CHECK_INT(attach_open(b.g, "x", &a, &b.e), ERR_NOT_FOUND);
    CHECK_HAS(b.e.msg, "No such container: x");
    CHECK_INT(attach_open(b.g, "x", &a, &b.e), ERR_CONFLICT);
    CHECK_STR(b.e.msg, "engine answered 409: is paused");
    CHECK_INT(attach_open(b.g, "x", &a, &b.e), ERR_PROTOCOL);
    CHECK(a == NULL);
    bench_close(&b);
}

TEST(an_attach_in_a_version_that_a_new_engine_refuses_is_repeated)
{
    OPEN(b, V41, {.expect = ATTACH, .status = 400}, FAKE_VERSION("1.45", "1.44"),
         {.expect = "POST /v1.45/containers/x/attach", ANSWER(UPGRADED), .then = FAKE_CLOSE});
    struct attach *a = NULL;
    CHECK_OK(attach_open(b.g, "x", &a, &b.e), &b.e);
    attach_close(a);
    bench_close(&b);
}

TEST(an_attach_that_is_not_answered_in_http_is_a_protocol_error)
{
    static char endless[100000];
    memset(endless, 'a', sizeof(endless) - 1);
    const struct {
        const char *raw;
        int code;
    } rows[] = {{"garbage\r\n\r\n", ERR_PROTOCOL},
                {"HTTP/1.1 x01 UPGRADED\r\n\r\n", ERR_PROTOCOL},
                {"HTTP/1.1\r\n\r\n", ERR_PROTOCOL},
                {"HTTP/1.1 101 UPGRADED\r\n", ERR_PROTOCOL},
                {endless, ERR_TOO_BIG}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        OPEN(b, V41, {.raw = rows[i].raw, .then = FAKE_CLOSE});
        struct attach *a = NULL;
        CHECK_INT(attach_open(b.g, "x", &a, &b.e), rows[i].code);
        bench_close(&b);
    }
}

TEST(an_engine_that_never_upgrades_times_out)
{
    OPEN(b, V41, {.expect = ATTACH, .then = FAKE_HANG});
    struct attach *a = NULL;
    int64_t start = clock_mono_ms();
    CHECK_INT(attach_open(b.g, "x", &a, &b.e), ERR_TIMEOUT);
    CHECK(clock_mono_ms() - start < 15000);
    bench_close(&b);
}

TEST(input_arrives_whole_however_much_the_socket_takes_at_once)
{
    enum { PIECE = 1 << 20, PIECES = 6 };
    OPEN(b, V41, {ANSWER(UPGRADED), .then = FAKE_STREAM});
    struct attach *a = NULL;
    autofree uint8_t *bytes = malloc(PIECES * PIECE);
    CHECK(bytes != NULL);
    for (size_t i = 0; i < PIECES * PIECE; i++)
        bytes[i] = (uint8_t)(i * 31 >> 7);
    CHECK_OK(attach_open(b.g, "x", &a, &b.e), &b.e);
    for (size_t i = 0; i < PIECES; i++)
        CHECK_OK(attach_send(a, bytes + i * PIECE, PIECE, &b.e), &b.e);
    for (bool pending = true; pending;) {
        CHECK_OK(attach_flush(a, &pending, &b.e), &b.e);
        if (pending)
            wait_on(a, POLLOUT);
    }
    fake_await_stream(&b.fake, PIECES * PIECE);
    attach_close(a);
    bench_join(&b);
    CHECK(memcmp(b.fake.streamed.data, bytes, PIECES * PIECE) == 0);
    bench_release(&b);
}

TEST(input_over_the_queue_is_refused_and_the_queue_stays)
{
    OPEN(b, V41, {ANSWER(UPGRADED), .then = FAKE_STREAM});
    struct attach *a = NULL;
    size_t len = BOUND_ATTACH_QUEUE_BYTES + 1;
    autofree char *bytes = calloc(1, len);
    CHECK_OK(attach_open(b.g, "x", &a, &b.e), &b.e);
    CHECK_INT(attach_send(a, bytes, len, &b.e), ERR_TOO_BIG);
    CHECK_OK(attach_send(a, "abc", 3, &b.e), &b.e);
    fake_await_stream(&b.fake, 3);
    attach_close(a);
    bench_join(&b);
    CHECK_STR(buf_str(&b.fake.streamed), "abc");
    bench_release(&b);
}

TEST(input_for_a_stream_that_has_ended_is_an_error_and_no_signal)
{
    OPEN(b, V41, {ANSWER(UPGRADED), .then = FAKE_CLOSE});
    struct attach *a = NULL;
    CHECK_OK(attach_open(b.g, "x", &a, &b.e), &b.e);
    wait_on(a, POLLIN);
    CHECK_INT(attach_send(a, "abc", 3, &b.e), ERR_IO);
    CHECK_INT(b.e.os_errno, EPIPE);
    attach_close(a);
    bench_close(&b);
}

/* ---- archive ---- */

#define PUT "PUT /v1.41/containers/x/archive?path=%2Fcode%20dir "

TEST(a_tar_in_memory_is_put_whole)
{
    OPEN(b, V41, {.expect = PUT});
    CHECK_OK(engine_put_tar(b.g, "x", "/code dir", -1, "tar bytes", 9, &b.e), &b.e);
    bench_join(&b);
    CHECK_HAS(b.fake.requests[1], "\r\nContent-Type: application/x-tar\r\nContent-Length: 9\r\n");
    CHECK_STR(fake_body(&b.fake, 1), "tar bytes");
    bench_release(&b);
}

static int file_of(size_t len)
{
    int fd = open("tar", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    autofree char *bytes = malloc(len);
    CHECK(fd >= 0 && bytes != NULL);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)('a' + i % 23);
    CHECK(write(fd, bytes, len) == (ssize_t)len);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

TEST(a_tar_file_is_put_from_its_offset)
{
    enum { BYTES = 3000000, FROM = 5 };
    OPEN(b, V41, {.expect = PUT});
    autoclose int fd = file_of(BYTES);
    CHECK(lseek(fd, FROM, SEEK_SET) == FROM);
    CHECK_OK(engine_put_tar(b.g, "x", "/code dir", fd, NULL, BYTES - FROM - 1, &b.e), &b.e);
    bench_join(&b);
    const char *body = fake_body(&b.fake, 1);
    CHECK_INT(strlen(body), BYTES - FROM - 1);
    for (size_t i = 0; i < BYTES - FROM - 1; i++)
        CHECK(body[i] == (char)('a' + (i + FROM) % 23));
    bench_release(&b);
}

TEST(an_answer_that_comes_while_the_tar_is_being_sent_is_read)
{
    OPEN(b, V41,
         {.expect = PUT, .status = 500, .body = "{\"message\":\"read-only\"}", .then = FAKE_EARLY},
         {.expect = PUT, .status = 200, .then = FAKE_EARLY});
    autoclose int fd = file_of(8 << 20);
    CHECK_INT(engine_put_tar(b.g, "x", "/code dir", fd, NULL, 8 << 20, &b.e), ERR_UNAVAILABLE);
    CHECK_HAS(b.e.msg, "read-only");
    /* The engine stops reading at the mark that ends a tar. */
    CHECK_OK(engine_put_tar(b.g, "x", "/code dir", fd, NULL, 8 << 20, &b.e), &b.e);
    bench_close(&b);
}

TEST(a_put_without_an_answer_is_a_protocol_error)
{
    OPEN(b, V41, {.expect = PUT, .then = FAKE_RESTART});
    CHECK_INT(engine_put_tar(b.g, "x", "/code dir", -1, "t", 1, &b.e), ERR_PROTOCOL);
    bench_close(&b);
}

TEST(a_tar_file_that_is_too_short_is_an_io_error)
{
    OPEN(b, V41);
    autoclose int fd = file_of(10);
    CHECK_INT(engine_put_tar(b.g, "x", "/code dir", fd, NULL, 11, &b.e), ERR_IO);
    bench_close(&b);
}

TAP_MAIN
