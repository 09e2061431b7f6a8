/* What http.c and http_reply.c share of a connection. Only those two include it. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "server/req.h"

enum http_phase {
    PHASE_LINE,   /* the request line is there */
    PHASE_BODY,   /* accepted or refused; the body is coming */
    PHASE_WAIT,   /* suspended by req_await… */
    PHASE_ANSWER, /* a response is queued */
};

/* One connection, and the request that is on it. Made with the connection and used again for each
 * of its requests, so that buffers are as well. */
struct http_conn {
    struct req rq; /* first: a struct req * is a struct http_conn * */
    struct http *http;
    struct MHD_Connection *mhd;
    int fd; /* for req_alive */
    enum http_phase phase;
    struct buf target;  /* the text that rq.target points into */
    struct err refused; /* .code 0, or why the request is not carried out */
    struct resp rs;
    struct work *work; /* awaited */
    handler_fn then;
    bool suspended; /* counted in http.suspended */
    bool has_length, chunked, expects_100, broken_length;
    uint64_t length;     /* Content-Length */
    uint64_t body_bytes; /* received */
    unsigned status;     /* sent; 0 = none yet */
    unsigned patience_s; /* the connection's timeout as it is set */
};

struct http {
    struct MHD_Daemon *daemon;
    struct app *app;
    unsigned idle_s;
    atomic_uint_fast64_t requests; /* numbers them */
    atomic_int suspended;
    atomic_bool stopping;
    pthread_mutex_t mu;            /* for none_suspended */
    pthread_cond_t none_suspended; /* told while stopping */
};

/* http_ended_wait: back on the pool thread; fine when it was not suspended. */
void http_ended_wait(struct http_conn *hc);

/* http_reply: queues hc->rs (or the refusal `e`, when e->code). What MHD must answer the callback
 * with. */
enum MHD_Result http_reply(struct http_conn *hc, const struct err *e);
