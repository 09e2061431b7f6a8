/* Frames over an attach stream. */
#include "runner/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "lib/crypto.h"
#include "runner/sync.h"

#include "lib/banned.h"

#define RAW_BYTES     (1u << 20) /* one attach_recv brings at most a quarter of it */
#define ERR_OUT_BYTES 4096

void channel_init(struct channel *c)
{
    *c = (struct channel){.raw = BUF_INIT(RAW_BYTES), .err_out = BUF_INIT(ERR_OUT_BYTES)};
    frame_parser_init(&c->parser);
}

void channel_close(struct channel *c)
{
    attach_close(c->attach);
    c->attach = NULL;
    c->pending = false;
}

void channel_release(struct channel *c)
{
    channel_close(c);
    frame_parser_release(&c->parser);
    buf_release(&c->raw);
    buf_release(&c->err_out);
}

int channel_open(struct channel *c, struct engine *g, const char *container, struct err *e)
{
    channel_release(c);
    channel_init(c);
    return attach_open(g, container, &c->attach, e);
}

/* ---- sending ---- */

static int send_bytes(struct channel *c, const void *bytes, size_t len, struct err *e)
{
    if (attach_send(c->attach, bytes, len, e) || attach_flush(c->attach, &c->pending, e))
        return e->code;
    return 0;
}

int channel_send(struct channel *c, enum frame_type type, const void *body, uint32_t len,
                 struct err *e)
{
    AUTO(buf) struct buf frame = BUF_INIT(FRAME_HEADER_BYTES + BOUND_FRAME_BYTES);
    frame_put(&frame, type, 0, body, len);
    if (buf_check(&frame, "frame", e))
        return e->code;
    return send_bytes(c, frame.data, frame.len, e);
}

int channel_send_u64(struct channel *c, enum frame_type type, uint64_t v, struct err *e)
{
    uint8_t body[8];
    frame_u64(body, v);
    return channel_send(c, type, body, sizeof body, e);
}

int channel_send_doc(struct channel *c, const struct buf *doc, struct err *e)
{
    for (size_t at = 0; at < doc->len; at += FRAME_TASK_PART_BYTES) {
        size_t len = doc->len - at;
        if (len > FRAME_TASK_PART_BYTES)
            len = FRAME_TASK_PART_BYTES;
        if (channel_send(c, FRAME_TASK_PART, doc->data + at, (uint32_t)len, e))
            return e->code;
    }
    uint8_t body[4];
    frame_u32(body, (uint32_t)doc->len);
    return channel_send(c, FRAME_TASK_END, body, sizeof body, e);
}

int channel_send_resume(struct channel *c, uint64_t offset, uint8_t nonce[FRAME_NONCE_BYTES],
                        struct err *e)
{
    static const uint8_t zeros[FRAME_FLUSH_BYTES];
    uint8_t body[FRAME_NONCE_BYTES + 8];
    random_bytes(nonce, FRAME_NONCE_BYTES);
    memcpy(body, nonce, FRAME_NONCE_BYTES);
    frame_u64(body + FRAME_NONCE_BYTES, offset);
    if (send_bytes(c, zeros, sizeof zeros, e))
        return e->code;
    return channel_send(c, FRAME_RESUME, body, sizeof body, e);
}

/* ---- receiving ---- */

static int receive(struct channel *c, struct err *e)
{
    int rc = attach_recv(c->attach, &c->raw, &c->err_out, e);
    if (c->raw.len > 0) { /* also what came with the end of the stream */
        struct err feed_err;
        if (frame_feed(&c->parser, c->raw.data, c->raw.len, &feed_err)) {
            *e = feed_err;
            return e->code;
        }
        buf_clear(&c->raw);
    }
    return rc;
}

int channel_wait(struct channel *c, int wake_fd, int64_t timeout_ms, bool deaf, struct err *e)
{
    if (timeout_ms < 0)
        timeout_ms = 0;
    struct pollfd fds[2] = {
        {.fd = attach_fd(c->attach),
         .events = (short)((deaf ? 0 : POLLIN) | (c->pending ? POLLOUT : 0))},
        {.fd = wake_fd, .events = POLLIN},
    };
    if (poll(fds, 2, (int)timeout_ms) < 0 && errno != EINTR)
        return err_os(e, ERR_IO, errno, "poll");
    if (fds[1].revents)
        wake_lower(wake_fd);
    if ((fds[0].revents & POLLOUT) && attach_flush(c->attach, &c->pending, e))
        return e->code;
    if (deaf || !(fds[0].revents & (POLLIN | POLLHUP | POLLERR)))
        return 0;
    return receive(c, e);
}

bool channel_next(struct channel *c, struct frame *ret)
{
    return frame_next(&c->parser, ret);
}
