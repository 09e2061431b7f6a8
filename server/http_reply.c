/* Answers: from struct resp to libmicrohttpd. The one place where error bodies are made. Neighbour:
 * server/http.c. */
#include "server/http_conn.h"

#include <string.h>

#include "lib/str.h"
#include "server/routes.h"

#include "lib/banned.h"

#define STREAM_BLOCK_BYTES (32u << 10)

/* A lost attempt is told by a member of its own, so that runners need not read words
 * (api/lease.md). */
static bool is_lost_attempt(const struct req *rq, const struct err *e)
{
    return e->code == ERR_CONFLICT && rq->route && rq->route->scope == RUNNER;
}

static void encode_error(struct http_conn *hc, const struct err *e)
{
    buf_clear(&hc->rq.out);
    struct jsonw w = JSONW(&hc->rq.out);
    jw_obj(&w, NULL);
    jw_str(&w, "msg", e->msg);
    if (is_lost_attempt(&hc->rq, e))
        jw_str(&w, "order", "lost");
    jw_obj_end(&w);
}

static void error_headers(struct http_conn *hc, const struct err *e)
{
    struct resp *rs = &hc->rs;
    if (e->code == ERR_METHOD) {
        char *allow = req_mem(&hc->rq, 64);
        routes_allow(&hc->rq.target, allow, 64);
        resp_header(rs, "Allow", allow);
    } else if (e->code == ERR_UNAUTHORIZED) {
        resp_header(rs, "WWW-Authenticate", "OAuth");
    } else if (rs->status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        resp_header(rs, "Retry-After", "1");
    }
}

static ssize_t read_stream(void *cls, uint64_t pos, char *out, size_t max)
{
    struct http_conn *hc = cls;
    http_ended_wait(hc);
    int64_t n = hc->rs.stream->read(hc->rs.stream_arg, pos, out, max);
    if (n == RESP_END)
        return MHD_CONTENT_READER_END_OF_STREAM;
    return n == RESP_BROKEN ? MHD_CONTENT_READER_END_WITH_ERROR : (ssize_t)n;
}

/* The stream's argument is freed at the request's end and not with the response, which
 * libmicrohttpd keeps a little longer. */
static struct MHD_Response *make_response(struct http_conn *hc)
{
    struct resp *rs = &hc->rs;
    if (rs->stream) {
        uint64_t size = rs->stream_bytes < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)rs->stream_bytes;
        return MHD_create_response_from_callback(size, STREAM_BLOCK_BYTES, read_stream, hc, NULL);
    }
    if (rs->fd >= 0) {
        struct MHD_Response *r = MHD_create_response_from_fd64(rs->fd_bytes, rs->fd);
        if (r)
            rs->fd = -1; /* closed with the response */
        return r;
    }
    return MHD_create_response_from_buffer(hc->rq.out.len, hc->rq.out.data, MHD_RESPMEM_PERSISTENT);
}

static void set_patience(struct http_conn *hc, unsigned seconds)
{
    if (hc->patience_s == seconds)
        return;
    if (MHD_set_connection_option(hc->mhd, MHD_CONNECTION_OPTION_TIMEOUT, seconds) == MHD_YES)
        hc->patience_s = seconds;
}

static bool add_headers(struct http_conn *hc, struct MHD_Response *r)
{
    const struct resp *rs = &hc->rs;
    bool ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, rs->type) == MHD_YES;
    for (size_t i = 0; ok && i < rs->n_headers; i++)
        ok = MHD_add_response_header(r, rs->header[i].name, rs->header[i].value) == MHD_YES;
    if (ok && (atomic_load(&hc->http->stopping) || hc->broken_length))
        ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
    return ok;
}

enum MHD_Result http_reply(struct http_conn *hc, const struct err *e)
{
    struct resp *rs = &hc->rs;
    if (e->code == 0 && rs->fd < 0 && !rs->stream && hc->rq.out.failed) {
        struct err big;
        (void)err_set(&big, ERR_INTERNAL, "the answer is too long"); /* sent below */
        return http_reply(hc, &big);
    }
    if (e->code) {
        rs->status = err_http_status(e->code);
        encode_error(hc, e);
        error_headers(hc, e);
    }
    struct MHD_Response *r = make_response(hc);
    if (!r)
        return MHD_NO;
    set_patience(hc, rs->patience_s ? rs->patience_s : hc->http->idle_s);
    enum MHD_Result ok = MHD_NO;
    if (add_headers(hc, r))
        ok = MHD_queue_response(hc->mhd, rs->status, r);
    MHD_destroy_response(r); /* queued ones are counted */
    hc->phase = PHASE_ANSWER;
    hc->status = rs->status;
    return ok;
}
