/* HTTP client over libcurl (its only user): TCP, TLS or a Unix socket, kept alive between calls.
 * A struct httpc belongs to one thread at a time. httpc_global_init once, before threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

struct httpc;

void httpc_global_init(void);

/* httpc_new: `base` is prefixed to every path ("http://127.0.0.1:8080"; with a Unix socket
 * "http://engine"). unix_socket: path, or NULL. auth: value of the Authorization header, or NULL;
 * never logged. */
struct httpc *httpc_new(const char *base, const char *unix_socket, const char *auth);
void httpc_free(struct httpc *c); /* NULL is fine */
static inline void httpc_freep(struct httpc **c)
{
    httpc_free(*c);
}
#define autohttpc __attribute__((cleanup(httpc_freep)))

struct httpc_req {
    const char *method;       /* "GET", "POST", "PUT", "DELETE", "HEAD" */
    const char *path;         /* after the base, with its query; already escaped */
    const char *content_type; /* NULL: application/json when there is a body */
    const void
        *body; /* sent as it is, with Content-Length; NULL: none (POST then sends length 0) */
    size_t body_len;
    int body_fd; /* with body_fd_len > 0: the body is read from here instead of from `body` */
    uint64_t body_fd_len;
    const char *const *headers; /* more "Name: value" lines, NULL-terminated; may be NULL */
    int connect_timeout_ms;     /* 0 = 5000 */
    int timeout_ms;             /* whole call; 0 = 30000; -1 = no limit (streams) */
    int stall_timeout_ms;       /* abort when not one byte moved for so long; 0 = off */
    size_t max_reply; /* ceiling of `body`; 0 = BOUND_JSON_REPLY_BYTES; over it ERR_TOO_BIG */

    /* Streaming: called with each piece of a 2xx answer's body instead of filling httpc_resp.body;
     * other answers fill the body as always. Return non-zero to end the call with ERR_CANCELLED. */
    int (*on_data)(const void *bytes, size_t len, void *arg);
    /* Called about every 250 ms or faster, also while nothing moves; non-zero ends the call with
     * ERR_CANCELLED. */
    int (*on_idle)(void *arg);
    /* Upload progress: bytes sent so far of the body. */
    void (*on_sent)(uint64_t sent, uint64_t total, void *arg);
    void *arg;
};

struct httpc_resp {
    unsigned status;     /* 0 when no answer came */
    bool new_connection; /* it came over a connection that this call made: perhaps another peer */
    struct buf body;
};

#define HTTPC_RESP_INIT ((struct httpc_resp){0})
void httpc_resp_release(struct httpc_resp *r);

/* httpc_call: one request. 0 when an answer came, whatever its status; else ERR_UNREACHABLE (no
 * connection, or lost before the first byte of an answer: os_errno says why), ERR_TIMEOUT,
 * ERR_PROTOCOL (cut in mid-answer, or no HTTP), ERR_TOO_BIG, ERR_CANCELLED, ERR_IO (body_fd),
 * ERR_INVALID (an unusable base or path). The message names the peer (base or socket path), never
 * the token. A kept connection that was lost before the answer is replaced and the request sent
 * once more. Blocks. */
NODISCARD int httpc_call(struct httpc *c, const struct httpc_req *rq, struct httpc_resp *rs,
                         struct err *e);

/* httpc_escape: appends `text` percent-escaped for a path segment or a query value. */
void httpc_escape(struct buf *out, const char *text);
