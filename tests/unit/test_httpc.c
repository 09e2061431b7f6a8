/* httpc against a peer that each test scripts: a thread that accepts, reads and writes raw bytes.
 */
#include "lib/httpc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/clock.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

struct peer {
    int listener;
    char base[64];
    pthread_t thread;
    void (*script)(struct peer *);
    struct buf seen; /* the last request, headers and body */
    size_t body_len;
};

static void *peer_main(void *arg)
{
    struct peer *p = arg;
    p->script(p);
    return NULL;
}

static void peer_start(struct peer *p, void (*script)(struct peer *))
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    *p = (struct peer){.script = script, .seen = BUF_INIT(64 << 20)};
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(p->listener, (struct sockaddr *)&at, len) == 0);
    CHECK(listen(p->listener, 8) == 0);
    CHECK(getsockname(p->listener, (struct sockaddr *)&at, &len) == 0);
    snprintf(p->base, sizeof(p->base), "http://127.0.0.1:%d", ntohs(at.sin_port));
    CHECK(pthread_create(&p->thread, NULL, peer_main, p) == 0);
}

static void peer_start_unix(struct peer *p, const char *path, void (*script)(struct peer *))
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    *p = (struct peer){.script = script, .seen = BUF_INIT(64 << 20), .base = "http://engine"};
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(p->listener, (struct sockaddr *)&at, sizeof(at)) == 0);
    CHECK(listen(p->listener, 8) == 0);
    CHECK(pthread_create(&p->thread, NULL, peer_main, p) == 0);
}

static void peer_join(struct peer *p)
{
    CHECK(pthread_join(p->thread, NULL) == 0);
    close(p->listener);
    buf_release(&p->seen);
}

static int accept_one(struct peer *p)
{
    int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

/* One request into p->seen; false at the end of the connection. */
static bool read_request(struct peer *p, int fd)
{
    buf_clear(&p->seen);
    p->body_len = 0;
    size_t want = 0;
    for (;;) {
        char *at = buf_reserve(&p->seen, 65536);
        ssize_t n = read(fd, at, 65536);
        if (n <= 0)
            return false;
        buf_commit(&p->seen, (size_t)n);
        const char *text = buf_str(&p->seen);
        const char *end = strstr(text, "\r\n\r\n");
        if (!end)
            continue;
        const char *length = strstr(text, "Content-Length: ");
        p->body_len = length ? strtoull(length + 16, NULL, 10) : 0;
        want = (size_t)(end + 4 - text) + p->body_len;
        if (p->seen.len >= want)
            return true;
    }
}

static void say(int fd, const char *text)
{
    size_t len = strlen(text);
    CHECK(send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len);
}

/* Until the client has closed: what a server that hangs does, without a clock. */
static void wait_for_close(int fd)
{
    char byte;
    while (read(fd, &byte, 1) > 0)
        ;
}

static struct httpc *client(const struct peer *p)
{
    httpc_global_init();
    return httpc_new(p->base, NULL, "OAuth sesame");
}

static const struct httpc_req get = {.method = "GET", .path = "/x"};

/* ---- answers ---- */

static void serve_hello(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    say(fd, OK_HELLO);
    CHECK(strstr(buf_str(&p->seen), "GET /x HTTP/1.1\r\n"));
    CHECK(strstr(buf_str(&p->seen), "Authorization: OAuth sesame\r\n"));
    CHECK(!strstr(buf_str(&p->seen), "Expect"));
    CHECK(!strstr(buf_str(&p->seen), "Content-"));
}

TEST(a_get_fills_status_and_body)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_hello);
    autohttpc struct httpc *c = client(&p);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    CHECK_OK(httpc_call(c, &get, &r, &e), &e);
    CHECK_INT(r.status, 200);
    CHECK_STR(buf_str(&r.body), "hello");
    peer_join(&p);
}

TEST(a_unix_socket_serves_and_no_proxy_is_asked)
{
    struct peer p;
    struct err e = {0};
    CHECK(setenv("http_proxy", "http://127.0.0.1:1", 1) == 0);
    CHECK(setenv("ALL_PROXY", "http://127.0.0.1:1", 1) == 0);
    peer_start_unix(&p, "s.sock", serve_hello);
    httpc_global_init();
    autohttpc struct httpc *c = httpc_new(p.base, "s.sock", "OAuth sesame");
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    CHECK_OK(httpc_call(c, &get, &r, &e), &e);
    CHECK_STR(buf_str(&r.body), "hello");
    peer_join(&p);
}

static int count_data(const void *bytes, size_t len, void *arg)
{
    (void)bytes;
    *(size_t *)arg += len;
    return 0;
}

static void serve_404(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
}

TEST(a_404_is_an_answer_and_its_body_is_kept_even_when_streaming)
{
    struct peer p;
    struct err e = {0};
    size_t streamed = 0;
    peer_start(&p, serve_404);
    autohttpc struct httpc *c = client(&p);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    struct httpc_req rq = get;
    rq.on_data = count_data;
    rq.arg = &streamed;
    CHECK_OK(httpc_call(c, &rq, &r, &e), &e);
    CHECK_INT(r.status, 404);
    CHECK_STR(buf_str(&r.body), "gone");
    CHECK_INT(streamed, 0);
    peer_join(&p);
}

static void serve_chunked(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    say(fd, "4\r\ndefg\r\n0\r\n\r\n");
}

TEST(a_chunked_answer_is_put_together)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_chunked);
    autohttpc struct httpc *c = client(&p);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    CHECK_OK(httpc_call(c, &get, &r, &e), &e);
    CHECK_STR(buf_str(&r.body), "abcdefg");
    peer_join(&p);
}

static void serve_redirect(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    say(fd, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    CHECK(!read_request(p, fd));
}

TEST(a_redirect_is_an_answer_and_not_followed)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_redirect);
    struct httpc *c = client(&p);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    CHECK_OK(httpc_call(c, &get, &r, &e), &e);
    CHECK_INT(r.status, 302);
    httpc_free(c);
    peer_join(&p);
}

static void serve_head(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    CHECK(strstr(buf_str(&p->seen), "HEAD /x HTTP/1.1\r\n"));
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
    CHECK(read_request(p, fd)); /* the next call comes on the same connection */
    say(fd, OK_HELLO);
}

TEST(head_has_no_body_and_keeps_the_connection)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_head);
    autohttpc struct httpc *c = client(&p);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    struct httpc_req rq = {.method = "HEAD", .path = "/x"};
    CHECK_OK(httpc_call(c, &rq, &r, &e), &e);
    CHECK_INT(r.status, 200);
    CHECK_INT(r.body.len, 0);
    CHECK_OK(httpc_call(c, &get, &r, &e), &e);
    CHECK_STR(buf_str(&r.body), "hello");
    peer_join(&p);
}

/* ---- requests ---- */

static void serve_echo(struct peer *p)
{
    autoclose int fd = accept_one(p);
    while (read_request(p, fd)) {
        AUTO(buf) struct buf out = BUF_INIT(1 << 20);
        buf_addf(&out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", p->seen.len);
        buf_add(&out, p->seen.data, p->seen.len);
        CHECK(send(fd, out.data, out.len, MSG_NOSIGNAL) == (ssize_t)out.len);
    }
}

static void check_echo(struct httpc *c, const struct httpc_req *rq, const char *line,
                       const char *header, const char *body)
{
    struct err e = {0};
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    CHECK_OK(httpc_call(c, rq, &r, &e), &e);
    const char *seen = buf_str(&r.body);
    CHECK(strncmp(seen, line, strlen(line)) == 0);
    CHECK_HAS(seen, header);
    CHECK_STR(strstr(seen, "\r\n\r\n") + 4, body);
}

TEST(every_method_may_carry_a_body)
{
    struct peer p;
    peer_start(&p, serve_echo);
    struct httpc *c = client(&p);
    static const char *const methods[] = {"POST", "PUT", "DELETE", "GET"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct httpc_req rq = {.method = methods[i], .path = "/x", .body = "{}", .body_len = 2};
        check_echo(c, &rq, methods[i], "Content-Type: application/json\r\n", "{}");
        check_echo(c, &rq, methods[i], "Content-Length: 2\r\n", "{}");
    }
    struct httpc_req bytes = {.method = "POST",
                              .path = "/x",
                              .body = "a\0b",
                              .body_len = 1,
                              .content_type = "application/octet-stream"};
    check_echo(c, &bytes, "POST", "Content-Type: application/octet-stream\r\n", "a");
    struct httpc_req empty = {.method = "POST", .path = "/x"};
    check_echo(c, &empty, "POST /x HTTP/1.1\r\n", "Content-Length: 0\r\n", "");
    struct httpc_req bare = {.method = "DELETE", .path = "/x?a=b%20c"};
    check_echo(c, &bare, "DELETE /x?a=b%20c HTTP/1.1\r\n", "Host: ", "");
    httpc_free(c);
    peer_join(&p);
}

TEST(more_headers_are_sent)
{
    struct peer p;
    peer_start(&p, serve_echo);
    struct httpc *c = client(&p);
    const char *const more[] = {"X-One: 1", "X-Two: 2", NULL};
    struct httpc_req rq = get;
    rq.headers = more;
    check_echo(c, &rq, "GET", "X-One: 1\r\nX-Two: 2\r\n", "");
    httpc_free(c);
    peer_join(&p);
}

static void serve_upload(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    const char *body = strstr(buf_str(&p->seen), "\r\n\r\n") + 4;
    CHECK_INT(p->body_len, 3 << 20);
    for (size_t i = 0; i < p->body_len; i++)
        CHECK(body[i] == (char)('a' + i % 23));
    CHECK(!strstr(buf_str(&p->seen), "Expect"));
    say(fd, OK_HELLO);
}

struct progress {
    uint64_t sent, total;
    int calls;
};

static void note_sent(uint64_t sent, uint64_t total, void *arg)
{
    struct progress *pr = arg;
    CHECK(sent > pr->sent);
    pr->sent = sent;
    pr->total = total;
    pr->calls++;
}

static int file_of(size_t len)
{
    int fd = open("upload", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    autofree char *bytes = malloc(len);
    CHECK(bytes != NULL);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)('a' + i % 23);
    CHECK(write(fd, bytes, len) == (ssize_t)len);
    return fd;
}

TEST(uploads_from_a_descriptor_and_reports_progress)
{
    struct peer p;
    struct err e = {0};
    struct progress pr = {0};
    autoclose int fd = file_of(3 << 20);
    peer_start(&p, serve_upload);
    autohttpc struct httpc *c = client(&p);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    struct httpc_req rq = {.method = "PUT",
                           .path = "/x",
                           .body_fd = fd,
                           .body_fd_len = 3 << 20,
                           .on_sent = note_sent,
                           .arg = &pr};
    CHECK_OK(httpc_call(c, &rq, &r, &e), &e);
    CHECK_STR(buf_str(&r.body), "hello");
    CHECK_INT(pr.sent, 3 << 20);
    CHECK_INT(pr.total, 3 << 20);
    CHECK(pr.calls > 1);
    peer_join(&p);
}

static void serve_until_close(struct peer *p)
{
    autoclose int fd = accept_one(p);
    wait_for_close(fd);
}

TEST(a_file_that_ends_early_is_an_io_error)
{
    struct peer p;
    struct err e = {0};
    autoclose int fd = file_of(1000);
    peer_start(&p, serve_until_close);
    autohttpc struct httpc *c = client(&p);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    struct httpc_req rq = {.method = "PUT", .path = "/x", .body_fd = fd, .body_fd_len = 2000};
    CHECK_INT(httpc_call(c, &rq, &r, &e), ERR_IO);
    CHECK_HAS(e.msg, "1000 bytes early");
    peer_join(&p);
}

static const char *const early_refusals[] = {
    "HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbad",
    "HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n1\r\nb\r\n2\r\nad\r\n0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 500 No\r\nContent-Length:3\r\n\r\nbad",
};

/* The engine does this to a tar that it cannot unpack: it answers and closes without reading on. */
static void serve_early_refusals(struct peer *p)
{
    for (int i = 0; i < 50; i++) {
        autoclose int fd = accept_one(p);
        char some[100];
        CHECK(read(fd, some, sizeof(some)) > 0);
        say(fd, early_refusals[i % ARRAY_LEN(early_refusals)]);
    }
}

static void serve_a_byte_and_go(struct peer *p)
{
    autoclose int fd = accept_one(p);
    char some[100];
    CHECK(read(fd, some, sizeof(some)) > 0);
}

static void check_refusals(struct peer *p, const char *unix_socket)
{
    autoclose int fd = file_of(8 << 20);
    httpc_global_init();
    autohttpc struct httpc *c = httpc_new(p->base, unix_socket, NULL);
    struct progress pr;
    struct httpc_req rq = {.method = "PUT",
                           .path = "/x",
                           .body_fd = fd,
                           .body_fd_len = 8 << 20,
                           .on_sent = note_sent,
                           .arg = &pr};
    for (int i = 0; i < 50; i++) {
        struct err e = {0};
        AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
        pr = (struct progress){0};
        CHECK_OK(httpc_call(c, &rq, &r, &e), &e);
        CHECK_INT(r.status, 500);
        CHECK_STR(buf_str(&r.body), "bad");
    }
    peer_join(p);
}

TEST(a_refusal_in_mid_upload_is_read_from_a_unix_socket)
{
    struct peer p;
    peer_start_unix(&p, "s.sock", serve_early_refusals);
    check_refusals(&p, "s.sock");
}

static void serve_early_refusals_over_tcp(struct peer *p)
{
    for (int i = 0; i < 50; i++) {
        autoclose int fd = accept_one(p);
        char some[100];
        CHECK(read(fd, some, sizeof(some)) > 0);
        say(fd, early_refusals[i % ARRAY_LEN(early_refusals)]);
        shutdown(fd, SHUT_WR); /* as servers do that know of RST: read on for a while */
        char block[65536];
        for (int k = 0; k < 8 && read(fd, block, sizeof(block)) > 0; k++)
            ;
    }
}

TEST(a_refusal_in_mid_upload_is_read_over_tcp)
{
    struct peer p;
    peer_start(&p, serve_early_refusals_over_tcp);
    check_refusals(&p, NULL);
}

TEST(a_peer_that_goes_in_mid_upload_without_a_word_is_unreachable)
{
    struct peer p;
    struct err e = {0};
    autoclose int fd = file_of(8 << 20);
    peer_start_unix(&p, "s.sock", serve_a_byte_and_go);
    httpc_global_init();
    autohttpc struct httpc *c = httpc_new(p.base, "s.sock", NULL);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    struct httpc_req rq = {.method = "PUT", .path = "/x", .body_fd = fd, .body_fd_len = 8 << 20};
    CHECK_INT(httpc_call(c, &rq, &r, &e), ERR_UNREACHABLE);
    CHECK_INT(r.status, 0);
    peer_join(&p);
}

TEST(escapes_for_paths_and_queries)
{
    AUTO(buf) struct buf b = BUF_INIT(100);
    httpc_escape(&b, "a/b c+%\xc3\xa9~_-.");
    CHECK_STR(buf_str(&b), "a%2Fb%20c%2B%25%C3%A9~_-.");
}

/* ---- failures ---- */

static int call_once(struct peer *p, const struct httpc_req *rq, struct err *e)
{
    struct httpc *c = client(p);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    int rc = httpc_call(c, rq, &r, e);
    httpc_free(c);
    CHECK(!strstr(e->msg, "sesame"));
    return rc;
}

static void serve_cut(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this");
}

TEST(an_answer_cut_in_its_body_is_a_protocol_error)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_cut);
    CHECK_INT(call_once(&p, &get, &e), ERR_PROTOCOL);
    CHECK_HAS(e.msg, p.base);
    peer_join(&p);
}

static void serve_cut_chunked(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
}

TEST(a_chunked_answer_without_its_end_is_a_protocol_error)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_cut_chunked);
    CHECK_INT(call_once(&p, &get, &e), ERR_PROTOCOL);
    peer_join(&p);
}

static void serve_nonsense(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    say(fd, "220 this is mail\r\n");
}

TEST(an_answer_that_is_no_http_is_a_protocol_error)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_nonsense);
    CHECK_INT(call_once(&p, &get, &e), ERR_PROTOCOL);
    peer_join(&p);
}

static void serve_nothing(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
}

TEST(a_connection_lost_before_an_answer_is_unreachable)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_nothing);
    CHECK_INT(call_once(&p, &get, &e), ERR_UNREACHABLE);
    peer_join(&p);
}

static void serve_big(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
    wait_for_close(fd);
}

TEST(an_answer_over_its_ceiling_is_too_big)
{
    struct peer p;
    struct err e = {0};
    struct httpc_req rq = get;
    rq.max_reply = 10;
    peer_start(&p, serve_big);
    CHECK_INT(call_once(&p, &rq, &e), ERR_TOO_BIG);
    CHECK_HAS(e.msg, "10 bytes");
    peer_join(&p);
}

static void serve_endless_headers(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    say(fd, "HTTP/1.1 200 OK\r\n");
    static const char line[] = "X-More: 0123456789012345678901234567890123456789\r\n";
    while (send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) > 0)
        ;
}

TEST(endless_headers_are_too_big)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_endless_headers);
    CHECK_INT(call_once(&p, &get, &e), ERR_TOO_BIG);
    peer_join(&p);
}

TEST(a_refused_connection_is_unreachable_and_says_why)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_hello);
    CHECK_INT(call_once(&p, &get, &e), 0);
    peer_join(&p); /* nobody listens there any more */
    CHECK_INT(call_once(&p, &get, &e), ERR_UNREACHABLE);
    CHECK_INT(e.os_errno, ECONNREFUSED);
    CHECK_HAS(e.msg, p.base);
}

TEST(an_absent_socket_is_unreachable)
{
    struct err e = {0};
    httpc_global_init();
    autohttpc struct httpc *c = httpc_new("http://engine", "none.sock", NULL);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    CHECK_INT(httpc_call(c, &get, &r, &e), ERR_UNREACHABLE);
    CHECK_INT(r.status, 0);
    CHECK_HAS(e.msg, "none.sock");
}

TEST(other_protocols_are_refused)
{
    struct err e = {0};
    httpc_global_init();
    autohttpc struct httpc *c = httpc_new("file:///etc", NULL, NULL);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    struct httpc_req rq = {.method = "GET", .path = "/hostname"};
    CHECK_INT(httpc_call(c, &rq, &r, &e), ERR_INVALID);
}

TEST(a_call_ends_at_its_timeout)
{
    struct peer p;
    struct err e = {0};
    struct httpc_req rq = get;
    rq.timeout_ms = 120;
    peer_start(&p, serve_until_close);
    int64_t from = clock_mono_ms();
    CHECK_INT(call_once(&p, &rq, &e), ERR_TIMEOUT);
    CHECK(clock_mono_ms() - from < 5000);
    peer_join(&p);
}

static void serve_a_part(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this");
    wait_for_close(fd);
}

TEST(an_answer_that_stalls_ends_at_the_stall_timeout)
{
    struct peer p;
    struct err e = {0};
    size_t streamed = 0;
    struct httpc_req rq = get;
    rq.timeout_ms = -1;
    rq.stall_timeout_ms = 150;
    rq.on_data = count_data;
    rq.arg = &streamed;
    peer_start(&p, serve_a_part);
    int64_t from = clock_mono_ms();
    CHECK_INT(call_once(&p, &rq, &e), ERR_TIMEOUT);
    CHECK_HAS(e.msg, "nothing moved for 150 ms");
    CHECK_INT(streamed, 9);
    CHECK(clock_mono_ms() - from >= 150);
    CHECK(clock_mono_ms() - from < 5000);
    peer_join(&p);
}

static void serve_slowly(struct peer *p)
{
    autoclose int fd = accept_one(p);
    CHECK(read_request(p, fd));
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
    for (int i = 0; i < 8; i++) {
        poll(NULL, 0, 60); /* the pace is what is tested */
        say(fd, "x");
    }
}

TEST(a_slow_answer_does_not_stall)
{
    struct peer p;
    struct err e = {0};
    struct httpc_req rq = get;
    rq.stall_timeout_ms = 300; /* under the 480 ms of the whole */
    peer_start(&p, serve_slowly);
    CHECK_OK(call_once(&p, &rq, &e), &e);
    peer_join(&p);
}

/* ---- callbacks ---- */

static int stop_after_5(const void *bytes, size_t len, void *arg)
{
    (void)bytes;
    size_t *n = arg;
    *n += len;
    return *n >= 5;
}

TEST(a_reader_may_end_the_call)
{
    struct peer p;
    struct err e = {0};
    size_t n = 0;
    struct httpc_req rq = get;
    rq.timeout_ms = -1;
    rq.on_data = stop_after_5;
    rq.arg = &n;
    peer_start(&p, serve_a_part);
    CHECK_INT(call_once(&p, &rq, &e), ERR_CANCELLED);
    CHECK_INT(n, 9);
    peer_join(&p);
}

struct idle {
    int calls;
    int64_t last_ms, longest_ms;
};

static int stop_at_third(void *arg)
{
    struct idle *idle = arg;
    int64_t now = clock_mono_ms();
    if (now - idle->last_ms > idle->longest_ms)
        idle->longest_ms = now - idle->last_ms;
    idle->last_ms = now;
    return ++idle->calls == 3;
}

TEST(on_idle_is_called_four_times_a_second_and_may_end_the_call)
{
    struct peer p;
    struct err e = {0};
    struct idle idle = {.last_ms = clock_mono_ms()};
    struct httpc_req rq = get;
    rq.on_idle = stop_at_third;
    rq.arg = &idle;
    peer_start(&p, serve_until_close);
    int64_t from = clock_mono_ms();
    CHECK_INT(call_once(&p, &rq, &e), ERR_CANCELLED);
    CHECK_INT(idle.calls, 3);
    CHECK(clock_mono_ms() - from >= 300); /* not a busy loop */
    CHECK(idle.longest_ms < 900);         /* libcurl's own pace is 1000 */
    peer_join(&p);
}

/* ---- connections ---- */

static void serve_twice_on_one_connection(struct peer *p)
{
    autoclose int fd = accept_one(p);
    for (int i = 0; i < 2; i++) {
        CHECK(read_request(p, fd));
        say(fd, OK_HELLO);
    }
}

TEST(the_connection_is_used_again)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_twice_on_one_connection);
    autohttpc struct httpc *c = client(&p);
    for (int i = 0; i < 2; i++) {
        AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
        CHECK_OK(httpc_call(c, &get, &r, &e), &e);
        CHECK_STR(buf_str(&r.body), "hello");
        CHECK(r.new_connection == (i == 0));
    }
    peer_join(&p);
}

/* A kept connection that dies under the second request, before a byte of its answer. */
static void serve_and_drop_the_second(struct peer *p)
{
    int first = accept_one(p);
    CHECK(read_request(p, first));
    say(first, OK_HELLO);
    CHECK(read_request(p, first));
    struct linger reset = {.l_onoff = 1};
    CHECK(setsockopt(first, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0);
    close(first);
    autoclose int second = accept_one(p);
    CHECK(read_request(p, second));
    CHECK_STR(strstr(buf_str(&p->seen), "\r\n\r\n") + 4, "aaaa");
    say(second, OK_HELLO);
}

TEST(a_stale_connection_is_replaced_and_the_body_sent_again)
{
    struct peer p;
    struct err e = {0};
    autoclose int fd = open("body", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(write(fd, "aaaa", 4) == 4);
    peer_start(&p, serve_and_drop_the_second);
    autohttpc struct httpc *c = client(&p);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    CHECK_OK(httpc_call(c, &get, &r, &e), &e);
    struct httpc_req put = {.method = "PUT", .path = "/x", .body_fd = fd, .body_fd_len = 4};
    CHECK_OK(httpc_call(c, &put, &r, &e), &e);
    CHECK_STR(buf_str(&r.body), "hello");
    CHECK(r.new_connection);
    peer_join(&p);
}

static void serve_closing(struct peer *p)
{
    for (int i = 0; i < 2; i++) {
        autoclose int fd = accept_one(p);
        CHECK(read_request(p, fd));
        say(fd, OK_HELLO); /* and close, though keep-alive was promised */
    }
}

TEST(a_connection_closed_between_calls_is_replaced)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_closing);
    autohttpc struct httpc *c = client(&p);
    for (int i = 0; i < 2; i++) {
        AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
        CHECK_OK(httpc_call(c, &get, &r, &e), &e);
        CHECK_STR(buf_str(&r.body), "hello");
        CHECK(r.new_connection);
    }
    peer_join(&p);
}

static void serve_after_a_failure(struct peer *p)
{
    int fd = accept_one(p);
    wait_for_close(fd);
    close(fd);
    serve_hello(p);
}

TEST(a_client_works_again_after_a_failed_call)
{
    struct peer p;
    struct err e = {0};
    peer_start(&p, serve_after_a_failure);
    autohttpc struct httpc *c = client(&p);
    AUTO(httpc_resp) struct httpc_resp r = HTTPC_RESP_INIT;
    struct httpc_req rq = get;
    rq.timeout_ms = 50;
    CHECK_INT(httpc_call(c, &rq, &r, &e), ERR_TIMEOUT);
    CHECK_OK(httpc_call(c, &get, &r, &e), &e);
    CHECK_STR(buf_str(&r.body), "hello");
    peer_join(&p);
}

TAP_MAIN
