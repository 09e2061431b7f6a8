/* The answer to an upload that the peer would not read to its end. A peer that refuses answers and
 * closes at once; our next send then fails, and libcurl 7.88 gives up although the answer is there
 * to be read. So when such a connection is closed, what it still holds is kept and read here.
 * (Giving the bytes to libcurl again by a socket pair was tried: this version cannot use a
 * connected socket.) Only refusals count, and only whole ones. Not for TLS, whose session is gone.
 * Neighbour: httpc.c. */
#include "lib/httpc_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/str.h"

#include "lib/banned.h"

#define LATE_BYTES (64 << 10) /* an error page and its headers */
#define PIECE      4096

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *at)
{
    (void)purpose;
    struct httpc *c = arg;
    buf_clear(&c->late); /* from an older connection */
    int fd = socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static void keep_unread(struct httpc *c, int fd)
{
    for (;;) {
        char *to = buf_reserve(&c->late, PIECE);
        ssize_t n = to ? recv(fd, to, PIECE, MSG_DONTWAIT) : 0;
        if (n > 0)
            buf_commit(&c->late, (size_t)n);
        else if (n == 0 || errno != EINTR)
            return;
    }
}

static int on_close(void *arg, curl_socket_t fd)
{
    struct httpc *c = arg;
    const struct call *call = c->call;
    bool uploads = call && (call->rq->body || call->rq->body_fd_len > 0);
    if (uploads && call->header_bytes == 0 && !str_starts(c->base, "https:"))
        keep_unread(c, fd);
    return close(fd);
}

void late_watch(struct httpc *c)
{
    c->late.max = LATE_BYTES;
    curl_easy_setopt(c->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(c->easy, CURLOPT_OPENSOCKETDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(c->easy, CURLOPT_CLOSESOCKETDATA, c);
}

/* ---- reading it ---- */

/* status_in: of a status line "HTTP/1.1 500 …"; 0 when it is none. */
static unsigned status_in(const char *line)
{
    if (strncmp(line, "HTTP/1.", 7) != 0 || strspn(line + 7, "01") < 1 || line[8] != ' ' ||
        strspn(line + 9, "0123456789") != 3)
        return 0;
    return (unsigned)strtoul(line + 9, NULL, 10);
}

/* header_in: the value of the header `name` ("\nname:") in the lines before `end`, or NULL. */
static const char *header_in(const char *head, const char *end, const char *name)
{
    const char *at = strcasestr(head, name);
    return at && at < end ? at + strlen(name) + strspn(at + strlen(name), " \t") : NULL;
}

static bool add_exactly(const char **p, const char *end, unsigned long long n, struct buf *body)
{
    if ((unsigned long long)(end - *p) < n)
        return false;
    buf_add(body, *p, (size_t)n);
    *p += n;
    return true;
}

/* unchunk: RFC 9112 section 7.1; a last chunk without its trailer will do. */
static bool unchunk(const char *p, const char *end, struct buf *body)
{
    for (;;) {
        char *after;
        unsigned long long n = strtoull(p, &after, 16);
        const char *line = strstr(p, "\r\n");
        if (after == p || !line)
            return false;
        p = line + 2;
        if (n == 0)
            return true;
        if (!add_exactly(&p, end, n, body) || end - p < 2)
            return false;
        p += 2;
    }
}

bool late_answer(const struct httpc *c, unsigned *ret_status, struct buf *body)
{
    const char *head = buf_str(&c->late), *end = head + c->late.len, *stop;
    unsigned status;
    for (;;) { /* past interim answers */
        status = status_in(head);
        stop = strstr(head, "\r\n\r\n");
        if (!stop || status < 100)
            return false;
        if (status >= 200)
            break;
        head = stop + 4;
    }
    if (status < 300)
        return false;
    const char *p = stop + 4;
    const char *coding = header_in(head, stop, "\ntransfer-encoding:");
    const char *length = header_in(head, stop, "\ncontent-length:");
    bool whole = coding   ? strncasecmp(coding, "chunked", 7) == 0 && unchunk(p, end, body)
                 : length ? add_exactly(&p, end, strtoull(length, NULL, 10), body)
                          : false; /* until the end, and the end was a reset */
    if (whole)
        *ret_status = status;
    else
        buf_clear(body);
    return whole;
}
