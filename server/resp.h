/* An answer, as a handler describes it; server/http_reply.c sends it. Belongs to its request. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A body that is made while it is sent. Runs on the request's pool thread. */
enum { RESP_END = -1, RESP_BROKEN = -2, RESP_SUSPENDED = 0 };
struct resp_stream {
    /* Up to `max` bytes into `out`, from position `pos`; or RESP_END, RESP_BROKEN (the connection
     * is cut), RESP_SUSPENDED after a req_suspend: called again after the req_resume. */
    int64_t (*read)(void *arg, uint64_t pos, char *out, size_t max);
    void (*free)(void *arg);
};

#define RESP_HEADERS 4

struct resp {
    unsigned status;  /* 200 */
    const char *type; /* Content-Type; application/json */
    struct {
        const char *name, *value; /* must live as long as the request */
    } header[RESP_HEADERS];
    size_t n_headers;
    /* The body: rq->out, or one of these. */
    int fd; /* -1, or a file that is sent from its beginning; owned */
    uint64_t fd_bytes;
    const struct resp_stream *stream; /* NULL, or */
    void *stream_arg;                 /* owned: stream->free is called for it */
    int64_t stream_bytes;             /* -1 = not known, sent in chunks */
    unsigned patience_s;              /* how long a reader may stall; 0 = the default */
};

void resp_header(struct resp *rs, const char *name, const char *value);
void resp_fd_take(struct resp *rs, int fd, uint64_t bytes, const char *type);
void resp_stream_take(struct resp *rs, const struct resp_stream *s, void *arg, int64_t bytes,
                      const char *type);
