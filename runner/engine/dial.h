/* One request over a connection of its own, for the two calls that libcurl serves badly: attach,
 * whose connection becomes a raw stream, and a large upload, which the engine may answer and cut
 * off in the middle (libcurl then reports the broken pipe and drops the answer). One thread. */
#pragma once

#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

struct engine;

struct dial_req {
    const char *method;
    const char *path;         /* after "/v1.NN", escaped */
    const char *headers;      /* "Name: value\r\n" each */
    const char *content_type; /* of the body */
    int fd;                   /* the body is `len` bytes of this file from its current offset … */
    const void *bytes;        /* … or these, when fd is -1 */
    uint64_t len;
    unsigned want_status; /* any other is an error */
    int timeout_ms;       /* whole call; a stall ends it earlier */
};

/* dial_request: sends it and reads the head of the answer. On success *ret_fd is the connection,
 * non-blocking, the caller's to close, and `rest` holds what came after the head. Errors: as
 * engine.h says; the engine's answer is read even when it came before all was sent. */
NODISCARD int dial_request(struct engine *g, const struct dial_req *rq, int *ret_fd,
                           struct buf *rest, struct err *e);
