/* The hijacked attach connection: a plain Unix socket, not libcurl, because after 101 it is a raw
 * stream. What the container writes comes multiplexed (Tty false): 8-byte headers {stream, 0,0,0,
 * u32 big-endian length}. Attach before start, so that nothing is lost. Never half-close: with
 * StdinOnce=false the engine would close the output too. Source: Docker Engine API v1.41,
 * ContainerAttach, "Stream format". One thread each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

struct engine;
struct attach;

/* attach_open: POST /containers/{id}/attach with stream, stdin, stdout, stderr. Waits for the 101
 * with a deadline. */
NODISCARD int attach_open(struct engine *g, const char *id, struct attach **ret, struct err *e);
void attach_close(struct attach *a);   /* NULL is fine */
int attach_fd(const struct attach *a); /* for poll; non-blocking */

/* attach_recv: reads what is there without blocking and demultiplexes it: container stdout is
 * appended to `out`, its stderr to `err_out` (keep it small: over its ceiling the rest is dropped).
 * At most ~256 KiB a call. 0 = fine, maybe nothing came; ERR_EMPTY = the stream has ended;
 * ERR_PROTOCOL, ERR_IO. */
NODISCARD int attach_recv(struct attach *a, struct buf *out, struct buf *err_out, struct err *e);

/* attach_send: queues bytes for the container's stdin and writes what the socket takes. */
NODISCARD int attach_send(struct attach *a, const void *bytes, size_t len, struct err *e);
/* attach_flush: writes on; *ret_pending says whether something is left (then poll for POLLOUT). */
NODISCARD int attach_flush(struct attach *a, bool *ret_pending, struct err *e);

/* The demultiplexer by itself, for tests and the fuzzer. */
struct demux {
    uint8_t header[8];
    size_t have;   /* bytes of the header that are there */
    uint32_t left; /* of the current payload */
    uint8_t stream;
};
NODISCARD int demux_feed(struct demux *d, const void *bytes, size_t len, struct buf *out,
                         struct buf *err_out, struct err *e);
