/* The multiplexed stream of a container without a terminal. Each payload follows a header of 8
 * bytes: {stream, 0, 0, 0, length as u32 big-endian}. Invariant between calls: either the header is
 * not whole (have < 8, left is 0), or it is and `left` bytes of its payload are to come. */
#include "runner/engine/attach.h"

#include <string.h>

#include "lib/banned.h"

enum { TO_STDIN = 0, TO_STDOUT = 1, TO_STDERR = 2, FROM_ENGINE = 3 };

static int begin_payload(struct demux *d, struct err *e)
{
    const uint8_t *h = d->header;
    if (h[0] > FROM_ENGINE || h[1] || h[2] || h[3])
        return err_set(e, ERR_PROTOCOL, "attach: %02x %02x %02x %02x is no start of a frame", h[0],
                       h[1], h[2], h[3]);
    d->stream = h[0];
    d->left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
    if (d->left == 0)
        d->have = 0;
    return 0;
}

/* Stream 0 is documented as "written on stdout"; 3 is the engine's own complaint, for people. */
static void deliver(const struct demux *d, const uint8_t *bytes, size_t len, struct buf *out,
                    struct buf *err_out)
{
    if (d->stream == TO_STDIN || d->stream == TO_STDOUT) {
        buf_add(out, bytes, len);
        return;
    }
    size_t room = err_out->max - err_out->len;
    buf_add(err_out, bytes, len < room ? len : room);
}

int demux_feed(struct demux *d, const void *bytes, size_t len, struct buf *out, struct buf *err_out,
               struct err *e)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        size_t want = d->have < sizeof(d->header) ? sizeof(d->header) - d->have : d->left;
        size_t n = want < len ? want : len;
        if (d->have < sizeof(d->header)) {
            memcpy(d->header + d->have, at, n);
            d->have += n;
            if (d->have == sizeof(d->header) && begin_payload(d, e) < 0)
                return e->code;
        } else {
            deliver(d, at, n, out, err_out);
            d->left -= (uint32_t)n;
            if (d->left == 0)
                d->have = 0;
        }
        at += n;
        len -= n;
    }
    return buf_check(out, "attach output", e);
}
