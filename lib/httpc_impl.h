/* What httpc.c shares with httpc_late.c, and with nobody else. */
#pragma once

#include <curl/curl.h>

#include "lib/httpc.h"

struct httpc {
    CURL *easy;
    CURLM *multi;
    char *base;
    char *unix_socket;
    char *auth_header; /* "Authorization: …" or NULL */
    char why[CURL_ERROR_SIZE];
    struct call *call; /* the one that runs; NULL between calls */
    struct buf late;   /* what stood unread in the connection that broke (httpc_late.c) */
};

/* One httpc_call, as the callbacks see it. */
struct call {
    struct httpc *c;
    const struct httpc_req *rq;
    struct httpc_resp *rs;
    struct err *e;
    int rc;              /* what one of our callbacks found; 0 while all is well */
    int64_t moved_ms;    /* when the last byte went either way */
    int64_t idle_ms;     /* when on_idle was last called */
    uint64_t body_at;    /* next byte of body_fd */
    uint64_t sent;       /* as last told to on_sent */
    size_t header_bytes; /* of the answer; 0: not one byte came */
    struct buf url;
    struct curl_slist *headers;
};

/* ---- httpc_late.c ---- */

/* late_watch: every connection of `c` is opened and closed by our callbacks. */
void late_watch(struct httpc *c);

/* late_answer: the whole refusal that the broken connection still held, if there is one. */
bool late_answer(const struct httpc *c, unsigned *ret_status, struct buf *body);
