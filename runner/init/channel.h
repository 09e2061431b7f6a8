/* The way to the runner: frames in on one descriptor, frames out on the other, neither ever blocks.
 * Owner: the session. One thread. */
#pragma once

#include <stdbool.h>

#include "api/frame.h"
#include "lib/buf.h"

struct channel {
    int in, out;     /* borrowed: standard input and output */
    bool in_open;    /* false after end of file */
    bool out_broken; /* nobody can ever read it again */
    struct frame_parser parser;
    struct buf pending; /* frames on their way out */
    size_t written;     /* bytes of `pending` that are out */
};

void channel_init(struct channel *c, int in, int out);
void channel_release(struct channel *c);

/* channel_read: takes in what arrived, up to one large read; then channel_next until it is false.
 */
void channel_read(struct channel *c);
bool channel_next(struct channel *c, struct frame *ret);

/* channel_put: queues a frame behind what is pending. */
void channel_put(struct channel *c, enum frame_type type, uint8_t stream, const void *body,
                 uint32_t len);
/* channel_restart: forgets what is pending and queues the flush zeros, for a reader that is new. */
void channel_restart(struct channel *c);
/* channel_flush: writes what the descriptor takes. True when nothing is pending any more. */
bool channel_flush(struct channel *c);
bool channel_idle(const struct channel *c); /* nothing is pending, or nothing can be */
