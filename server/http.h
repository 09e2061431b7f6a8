/* The HTTP daemon: the server's only user of libmicrohttpd. An epoll loop in each of a few pool
 * threads; a connection stays with its thread. What handlers see is server/req.h.
 *
 * A request: the target is taken apart as soon as the request line is there; at the end of the
 * header fields it is matched, authorised and its body's size checked; the body is collected,
 * streamed or dropped; the handler answers or suspends. A refusal that comes while a body is still
 * on its way is sent at once when the client waits for `100 Continue`, else after the body was
 * drained (within bounds), for a client that is still sending would lose the answer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct app;
struct http;

struct http_conf {
    int listen_fd; /* listening; the daemon's from then on, also on error */
    unsigned threads;
    unsigned idle_s; /* without a byte from or to the client; not while suspended */
};

NODISCARD int http_start(const struct http_conf *c, struct app *app, struct http **ret,
                         struct err *e);

/* http_quiesce: takes no more connections; requests that come by old ones get 503 and a close. */
void http_quiesce(struct http *h);
/* http_drain: waits until no request is suspended, at most so long. Whoever parks requests has to
 * let them go before. False when some are left: http_stop must not be called then. */
bool http_drain(struct http *h, int64_t timeout_ms);
void http_stop(struct http *h); /* after http_drain; NULL is fine */
