/* A request by hand. Three steps, each with the same deadline: connect, send while watching for an
 * early answer, read the head. Neighbours: attach.c and archive.c call it, client.c knows versions
 * and errors. */
#include "runner/engine/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/fs.h"
#include "lib/str.h"
#include "runner/engine/client.h"

#include "lib/banned.h"

#define CHUNK_BYTES (64u << 10)

struct dialing {
    int fd;
    int64_t deadline_ms;
    struct buf in; /* the answer as it comes */
};

/* ---- socket ---- */

static int set_nonblocking(int fd, struct err *e)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return err_os(e, ERR_IO, errno, "engine socket");
    return 0;
}

/* A Unix socket connects at once or waits for room in the listener's queue; only a blocking one
 * waits, and SO_SNDTIMEO bounds that. */
static int connect_to(const char *socket_path, int *ret_fd, struct err *e)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    const struct timeval wait = {.tv_sec = ENGINE_CONNECT_MS / 1000};
    str_copy(addr.sun_path, sizeof(addr.sun_path), socket_path);
    autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_os(e, ERR_IO, errno, "engine socket");
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
        return err_os(e, ERR_IO, errno, "engine socket");
    int rc;
    do
        rc = connect(fd, (const struct sockaddr *)&addr, sizeof(addr));
    while (rc < 0 && errno == EINTR);
    if (rc < 0)
        return err_os(e, ERR_UNREACHABLE, errno, "%s", socket_path);
    rc = set_nonblocking(fd, e);
    if (rc == 0)
        *ret_fd = TAKE_FD(fd);
    return rc;
}

/* await: until one of `events` is there (also an error or a hang-up), which it returns. */
static int await(const struct dialing *d, short events, short *ret_got, struct err *e)
{
    struct pollfd p = {.fd = d->fd, .events = events};
    int64_t stall = clock_mono_ms() + ENGINE_STALL_MS;
    int64_t until = stall < d->deadline_ms ? stall : d->deadline_ms;
    for (;;) {
        int64_t left = until - clock_mono_ms();
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n > 0) {
            *ret_got = p.revents;
            return 0;
        }
        if (n == 0)
            return err_set(e, ERR_TIMEOUT, "engine did not answer in time");
        if (errno != EINTR)
            return err_os(e, ERR_IO, errno, "poll");
    }
}

/* ---- sending ---- */

static bool would_block(int os_errno)
{
    return os_errno == EAGAIN || os_errno == EWOULDBLOCK || os_errno == EINTR;
}

/* send_all: *ret_early when the engine has said something, or hung up, before all was sent: then
 * the rest does not matter and the answer does. */
static int send_all(const struct dialing *d, const uint8_t *bytes, size_t len, bool *ret_early,
                    struct err *e)
{
    while (len > 0) {
        short got = 0;
        int rc = await(d, POLLIN | POLLOUT, &got, e);
        if (rc < 0)
            return rc;
        if (got & (POLLIN | POLLHUP | POLLERR)) {
            *ret_early = true;
            return 0;
        }
        ssize_t n = send(d->fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && would_block(errno))
            continue;
        if (n < 0) { /* EPIPE, ECONNRESET: what it said before is still there to be read */
            *ret_early = true;
            return 0;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

static int send_file(const struct dialing *d, const struct dial_req *rq, bool *ret_early,
                     struct err *e)
{
    off_t start = lseek(rq->fd, 0, SEEK_CUR);
    if (start < 0)
        return err_os(e, ERR_IO, errno, "archive");
    autofree uint8_t *chunk = malloc(CHUNK_BYTES);
    if (!chunk)
        abort();
    for (uint64_t sent = 0; sent < rq->len && !*ret_early;) {
        uint64_t left = rq->len - sent;
        size_t n = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
        int rc = fs_pread_all(rq->fd, chunk, n, (uint64_t)start + sent, "archive", e);
        if (rc == 0)
            rc = send_all(d, chunk, n, ret_early, e);
        if (rc < 0)
            return rc;
        sent += n;
    }
    return 0;
}

static int send_request(const struct dialing *d, const struct dial_req *rq, const char *path,
                        struct err *e)
{
    AUTO(buf) struct buf head = BUF_INIT(BOUND_ENGINE_HEAD_BYTES);
    bool early = false;
    buf_addf(&head, "%s %s HTTP/1.1\r\nHost: engine\r\n%s", rq->method, path, rq->headers);
    if (rq->content_type)
        buf_addf(&head, "Content-Type: %s\r\n", rq->content_type);
    buf_addf(&head, "Content-Length: %llu\r\n\r\n", (unsigned long long)rq->len);
    int rc = buf_check(&head, "engine request", e);
    if (rc == 0)
        rc = send_all(d, (const uint8_t *)buf_str(&head), head.len, &early, e);
    if (rc < 0 || early || rq->len == 0)
        return rc;
    return rq->fd >= 0 ? send_file(d, rq, &early, e)
                       : send_all(d, rq->bytes, (size_t)rq->len, &early, e);
}

/* ---- the answer ---- */

/* read_more: ERR_EMPTY at the end of the stream. */
static int read_more(struct dialing *d, struct err *e)
{
    char chunk[4096];
    for (;;) {
        short got = 0;
        int rc = await(d, POLLIN, &got, e);
        if (rc < 0)
            return rc;
        ssize_t n = recv(d->fd, chunk, sizeof(chunk), 0);
        if (n > 0) {
            buf_add(&d->in, chunk, (size_t)n);
            return buf_check(&d->in, "engine answer", e);
        }
        if (n == 0)
            return err_set(e, ERR_EMPTY, "engine closed the connection");
        if (!would_block(errno))
            return err_os(e, ERR_PROTOCOL, errno, "engine");
    }
}

/* read_head: *ret_len is the head's length with the blank line that ends it. */
static int read_head(struct dialing *d, size_t *ret_len, struct err *e)
{
    for (;;) {
        const char *end = d->in.len ? memmem(d->in.data, d->in.len, "\r\n\r\n", 4) : NULL;
        if (end) {
            *ret_len = (size_t)(end - d->in.data) + 4;
            return 0;
        }
        int rc = read_more(d, e);
        if (rc == ERR_EMPTY)
            return err_set(e, ERR_PROTOCOL, "engine closed the connection before its answer");
        if (rc < 0)
            return rc;
    }
}

/* status_of: of "HTTP/1.1 101 UPGRADED"; 0 when it is no such line. */
static unsigned status_of(const char *head)
{
    if (!str_starts(head, "HTTP/1.") || strlen(head) < strlen("HTTP/1.x NNN") || head[8] != ' ')
        return 0;
    unsigned status = 0;
    for (const char *p = head + 9; p < head + 12; p++) {
        if (*p < '0' || *p > '9')
            return 0;
        status = status * 10 + (unsigned)(*p - '0');
    }
    return status;
}

/* body_len: what Content-Length says; 0 without one, since only an error's text depends on it. */
static size_t body_len(const char *head, size_t len)
{
    static const char name[] = "\r\ncontent-length:";
    for (size_t i = 0; i + sizeof(name) < len; i++) {
        if (strncasecmp(head + i, name, sizeof(name) - 1) != 0)
            continue;
        size_t value = 0;
        const char *p = head + i + sizeof(name) - 1;
        while (*p == ' ')
            p++;
        for (; *p >= '0' && *p <= '9' && value < BOUND_ENGINE_HEAD_BYTES; p++)
            value = value * 10 + (size_t)(*p - '0');
        return value;
    }
    return 0;
}

/* read_error: what the answer other than the wanted one says. A text that is cut is still one. */
static int read_error(struct dialing *d, size_t head, unsigned status, struct err *e)
{
    size_t whole = head + body_len(d->in.data, head);
    struct err ignored;
    while (d->in.len < whole && read_more(d, &ignored) == 0)
        continue;
    buf_consume(&d->in, head);
    return engine_refused(status, &d->in, e);
}

static int exchange(struct dialing *d, const struct dial_req *rq, const char *path,
                    unsigned *ret_status, struct err *e)
{
    size_t head = 0;
    int rc = send_request(d, rq, path, e);
    if (rc == 0)
        rc = read_head(d, &head, e);
    if (rc < 0)
        return rc;
    *ret_status = status_of(buf_str(&d->in));
    if (*ret_status == 0)
        return err_set(e, ERR_PROTOCOL, "engine's answer is not HTTP");
    if (*ret_status != rq->want_status)
        return read_error(d, head, *ret_status, e);
    buf_consume(&d->in, head);
    return 0;
}

static int try_once(struct engine *g, const struct dial_req *rq, int *ret_fd, struct buf *rest,
                    unsigned *ret_status, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    int64_t deadline = clock_mono_ms() + rq->timeout_ms;
    autoclose int fd = -1;
    int rc = engine_versioned(g, rq->path, &path, e);
    if (rc == 0)
        rc = connect_to(g->socket, &fd, e);
    if (rc < 0)
        return rc;
    struct dialing d = {.fd = fd, .deadline_ms = deadline, .in = BUF_INIT(BOUND_ENGINE_HEAD_BYTES)};
    rc = exchange(&d, rq, buf_str(&path), ret_status, e);
    if (rc == 0) {
        buf_add(rest, buf_str(&d.in), d.in.len);
        rc = buf_check(rest, "engine answer", e);
    }
    if (rc == 0)
        *ret_fd = TAKE_FD(fd);
    buf_release(&d.in);
    return rc;
}

int dial_request(struct engine *g, const struct dial_req *rq, int *ret_fd, struct buf *rest,
                 struct err *e)
{
    unsigned status = 0;
    int rc = try_once(g, rq, ret_fd, rest, &status, e);
    int used = g->api;
    if (status == 400 && engine_version_moved(g, used))
        rc = try_once(g, rq, ret_fd, rest, &status, e);
    return rc;
}
