/* Frames over standard input and output. They are pipes of the engine: an end of file or a broken
 * pipe means that the engine let go of them, which init survives (the task runs on). */
#include "runner/init/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/bounds.h"
#include "lib/banned.h"

#define READ_BYTES (64u << 10)
/* The zeros of a restart, what answers it, and one output frame. */
#define PENDING_BYTES (2 * FRAME_FLUSH_BYTES + (64u << 10))

static void make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK); /* cannot fail with valid flags */
}

void channel_init(struct channel *c, int in, int out)
{
    *c =
        (struct channel){.in = in, .out = out, .in_open = true, .pending = BUF_INIT(PENDING_BYTES)};
    frame_parser_init(&c->parser);
    make_nonblocking(in);
    make_nonblocking(out);
}

void channel_release(struct channel *c)
{
    frame_parser_release(&c->parser);
    buf_release(&c->pending);
}

void channel_read(struct channel *c)
{
    static uint8_t bytes[READ_BYTES];
    ssize_t n = read(c->in, bytes, sizeof(bytes));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        c->in_open = false;
        return;
    }
    struct err e;
    if (frame_feed(&c->parser, bytes, (size_t)n, &e) != 0)
        c->in_open = false; /* our bug: frames were not taken out */
}

bool channel_next(struct channel *c, struct frame *ret)
{
    return frame_next(&c->parser, ret);
}

void channel_put(struct channel *c, enum frame_type type, uint8_t stream, const void *body,
                 uint32_t len)
{
    frame_put(&c->pending, type, stream, body, len);
}

void channel_restart(struct channel *c)
{
    static const uint8_t zeros[FRAME_FLUSH_BYTES];
    buf_clear(&c->pending);
    c->written = 0;
    buf_add(&c->pending, zeros, sizeof(zeros));
}

bool channel_flush(struct channel *c)
{
    while (!channel_idle(c)) {
        ssize_t n = write(c->out, c->pending.data + c->written, c->pending.len - c->written);
        if (n >= 0)
            c->written += (size_t)n;
        else if (errno == EAGAIN)
            return false;
        else if (errno != EINTR)
            c->out_broken = true;
    }
    buf_clear(&c->pending);
    c->written = 0;
    return true;
}

bool channel_idle(const struct channel *c)
{
    return c->out_broken || c->written == c->pending.len;
}
