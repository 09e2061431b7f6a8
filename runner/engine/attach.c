/* The attached streams of one container. What dial.c read past the head of the answer is the first
 * of the output. */
#include "runner/engine/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "runner/engine/client.h"
#include "runner/engine/dial.h"

#include "lib/banned.h"

#define CHUNK_BYTES (32u << 10)
#define RECV_BYTES  (256u << 10) /* a call: so that one loud task leaves the loop room for more */

struct attach {
    int fd;
    struct demux demux;
    struct buf early; /* came together with the answer's head; not yet demultiplexed */
    struct buf queue; /* for stdin; the first `sent` bytes are gone */
    size_t sent;
    int broken; /* errno of the stream; 0 while it works */
};

int attach_open(struct engine *g, const char *id, struct attach **ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(buf) struct buf early = BUF_INIT(BOUND_ENGINE_HEAD_BYTES);
    autoclose int fd = -1;
    buf_adds(&path, "/containers/");
    httpc_escape(&path, id);
    buf_adds(&path, "/attach?stream=1&stdin=1&stdout=1&stderr=1");
    int rc = buf_check(&path, "engine path", e);
    if (rc < 0)
        return rc;
    const struct dial_req rq = {.method = "POST",
                                .path = buf_str(&path),
                                .headers = "Connection: Upgrade\r\nUpgrade: tcp\r\n",
                                .fd = -1,
                                .want_status = 101,
                                .timeout_ms = ENGINE_ATTACH_MS};
    rc = dial_request(g, &rq, &fd, &early, e);
    if (rc < 0)
        return rc;
    struct attach *a = calloc(1, sizeof(*a));
    if (!a)
        abort();
    a->fd = TAKE_FD(fd);
    a->early = early;
    a->queue = BUF_INIT(BOUND_ATTACH_QUEUE_BYTES);
    early = BUF_INIT(0);
    *ret = a;
    return 0;
}

void attach_close(struct attach *a)
{
    if (!a)
        return;
    close(a->fd);
    buf_release(&a->early);
    buf_release(&a->queue);
    free(a);
}

int attach_fd(const struct attach *a)
{
    return a->fd;
}

/* ---- output ---- */

/* ended: nothing more will come. In the middle of a frame that is no end. */
static int ended(const struct attach *a, struct err *e)
{
    if (a->broken)
        return err_os(e, ERR_IO, a->broken, "attach");
    if (a->demux.have > 0)
        return err_set(e, ERR_PROTOCOL, "attach: the stream ends in the middle of a frame");
    return err_set(e, ERR_EMPTY, "attach: the stream has ended");
}

static size_t room_in(const struct buf *out)
{
    size_t room = out->max - out->len;
    return room < CHUNK_BYTES ? room : CHUNK_BYTES;
}

static int feed_early(struct attach *a, struct buf *out, struct buf *err_out, struct err *e)
{
    size_t room = out->max - out->len;
    size_t n = a->early.len < room ? a->early.len : room;
    int rc = demux_feed(&a->demux, buf_str(&a->early), n, out, err_out, e);
    buf_consume(&a->early, n);
    return rc;
}

int attach_recv(struct attach *a, struct buf *out, struct buf *err_out, struct err *e)
{
    uint8_t chunk[CHUNK_BYTES];
    size_t total = a->early.len;
    int rc = feed_early(a, out, err_out, e);
    total -= a->early.len;
    while (rc == 0 && total < RECV_BYTES) {
        /* Never more than `out` can take: what is left in the socket holds the container back. */
        size_t want = room_in(out);
        if (want == 0)
            return 0;
        ssize_t n = a->broken ? 0 : recv(a->fd, chunk, want, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (n < 0)
            a->broken = errno;
        if (n <= 0)
            return total > 0 ? 0 : ended(a, e); /* first what came before it */
        rc = demux_feed(&a->demux, chunk, (size_t)n, out, err_out, e);
        total += (size_t)n;
    }
    return rc;
}

/* ---- input ---- */

int attach_send(struct attach *a, const void *bytes, size_t len, struct err *e)
{
    buf_consume(&a->queue, a->sent);
    a->sent = 0;
    /* Checked before, so that a refused piece leaves the queue as it was. */
    if (len > a->queue.max - a->queue.len)
        return err_set(e, ERR_TOO_BIG, "attach: over %zu bytes wait for the container's stdin",
                       a->queue.max);
    buf_add(&a->queue, bytes, len);
    bool pending;
    return attach_flush(a, &pending, e);
}

int attach_flush(struct attach *a, bool *ret_pending, struct err *e)
{
    while (a->sent < a->queue.len) {
        ssize_t n = send(a->fd, a->queue.data + a->sent, a->queue.len - a->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0)
            return err_os(e, ERR_IO, errno, "attach: write to the container's stdin");
        a->sent += (size_t)n;
    }
    *ret_pending = a->sent < a->queue.len;
    if (!*ret_pending) {
        buf_clear(&a->queue);
        a->sent = 0;
    }
    return 0;
}
