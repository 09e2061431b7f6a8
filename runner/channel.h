/* The frames to and from a container's init, over the attach stream (api/init.md). Belongs to the
 * thread of one slot. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/frame.h"
#include "runner/engine/attach.h"

struct channel {
    struct attach *attach; /* NULL while closed */
    struct frame_parser parser;
    struct buf raw;     /* what came and was not fed yet */
    struct buf err_out; /* what PID 1 itself said on its stderr */
    bool pending;       /* bytes wait to be written */
};

void channel_init(struct channel *c);
void channel_release(struct channel *c);

/* channel_open: attaches; what was left of a former connection is dropped. */
NODISCARD int channel_open(struct channel *c, struct engine *g, const char *container,
                           struct err *e);
void channel_close(struct channel *c);

NODISCARD int channel_send(struct channel *c, enum frame_type type, const void *body, uint32_t len,
                           struct err *e);
NODISCARD int channel_send_u64(struct channel *c, enum frame_type type, uint64_t v, struct err *e);
/* channel_send_doc: a task document in parts, and its end. */
NODISCARD int channel_send_doc(struct channel *c, const struct buf *doc, struct err *e);
/* channel_send_resume: what a new runner says first; `nonce` is filled with fresh random bytes. */
NODISCARD int channel_send_resume(struct channel *c, uint64_t offset,
                                  uint8_t nonce[FRAME_NONCE_BYTES], struct err *e);

/* channel_wait: until frames may be there, `wake_fd` is raised, or `timeout_ms` passed. With
 * `deaf` nothing is read from the container. 0, or ERR_EMPTY when the stream has ended. */
NODISCARD int channel_wait(struct channel *c, int wake_fd, int64_t timeout_ms, bool deaf,
                           struct err *e);
bool channel_next(struct channel *c, struct frame *ret);
