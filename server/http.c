/* The daemon and the way of a request through it. Neighbours: server/http_reply.c queues answers,
 * server/http_wait.c suspends, server/routes.c knows whom to call, server/auth.c who may.
 */
#include "server/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/bounds.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "server/app.h"
#include "server/auth.h"
#include "server/http_conn.h"
#include "server/metrics.h"
#include "server/routes.h"

#include "lib/banned.h"

#define CONNECTIONS_MAX        4000
#define CONNECTIONS_PER_IP_MAX 2000        /* behind one gateway there may be many */
#define CONNECTION_MEMORY      (32u << 10) /* bounds request line and header fields */
#define DRAIN_BYTES            (64u << 20) /* of a refused body, so that the client sees why */
#define KEEP_BYTES             (64u << 10) /* buffers up to this stay with the connection */

/* ---- a request, from its line to its answer ---- */

static enum MHD_Result answer(struct http_conn *hc, int rc, struct err *e)
{
    if (rc == REQ_LATER) {
        hc->phase = PHASE_WAIT;
        return MHD_YES;
    }
    if (rc == 0)
        err_clear(e);
    return http_reply(hc, e);
}

/* refuse: for later, when the body has been drained; at once where that cannot be or need not. */
static enum MHD_Result refuse(struct http_conn *hc, const struct err *e)
{
    bool drain = !hc->broken_length && !hc->expects_100 &&
                 (hc->chunked || !hc->has_length || hc->length <= DRAIN_BYTES);
    if (!drain)
        return http_reply(hc, e);
    hc->refused = *e;
    hc->phase = PHASE_BODY;
    return MHD_YES;
}

static enum MHD_Result on_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    (void)kind;
    struct http_conn *hc = cls;
    struct req_fields *f = &hc->rq.fields;
    if (!value)
        value = "";
    if (strcasecmp(name, MHD_HTTP_HEADER_AUTHORIZATION) == 0) {
        f->authorization = value;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_TYPE) == 0) {
        f->content_type = value;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_ACCEPT) == 0) {
        f->accept = value;
    } else if (strcasecmp(name, "Last-Event-ID") == 0) {
        f->last_event_id = value;
    } else if (strcasecmp(name, "Idempotency-Key") == 0) {
        f->idempotency_key = value;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_EXPECT) == 0) {
        hc->expects_100 = strcasecmp(value, "100-continue") == 0;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        hc->broken_length |= hc->has_length;
        hc->has_length = true;
        hc->length = strtoull(value, NULL, 10); /* libmicrohttpd has checked that it is a number */
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        hc->broken_length |= hc->chunked || strcasecmp(value, "chunked") != 0;
        hc->chunked = true;
    }
    return MHD_YES;
}

/* Two lengths are how a request is smuggled past a proxy that believes the other one
 * (RFC 9112 §6.3). */
static int check_length(struct http_conn *hc, struct err *e)
{
    hc->broken_length |= hc->has_length && hc->chunked;
    if (hc->broken_length)
        return err_set(e, ERR_INVALID,
                       "the length of the body is given in two ways, or in one not understood");
    return 0;
}

static int too_long(int64_t max, struct err *e)
{
    return err_set(e, ERR_TOO_BIG, "the request body is over the limit of %lld bytes",
                   (long long)max);
}

/* accept_request: whom it is for, whether it may, whether its body can be taken. */
static int accept_request(struct http_conn *hc, const char *method, struct err *e)
{
    struct req *rq = &hc->rq;
    struct route_match m;
    if (hc->refused.code) { /* by on_line */
        *e = hc->refused;
        return e->code;
    }
    if (check_length(hc, e) || routes_find(method, &rq->target, &m, e))
        return e->code;
    rq->route = m.route;
    rq->project_id = m.project_id;
    rq->name = m.name;
    if (auth_check(rq, e))
        return e->code;
    if (atomic_load(&hc->http->stopping))
        return err_set(e, ERR_UNAVAILABLE, "the server is stopping");
    if (rq->route->body == BODY_NONE)
        return 0;
    int64_t max = route_max_body(rq->route, rq->app);
    if (hc->has_length && hc->length > (uint64_t)max)
        return too_long(max, e);
    if (rq->route->body == BODY_STREAM)
        return rq->route->sink->open(rq, e);
    rq->body.max = (size_t)max;
    if (hc->has_length)
        (void)buf_reserve(&rq->body, hc->length); /* a hint; its failure shows in on_piece */
    return 0;
}

static enum MHD_Result on_headers(struct http_conn *hc, const char *method)
{
    struct err e = {0};
    hc->rq.method = method;
    MHD_get_connection_values(hc->mhd, MHD_HEADER_KIND, on_field, hc);
    if (accept_request(hc, method, &e)) {
        err_clear(&hc->refused);
        return refuse(hc, &e);
    }
    hc->phase = PHASE_BODY;
    return MHD_YES;
}

static int take_piece(struct http_conn *hc, const char *bytes, size_t len, struct err *e)
{
    struct req *rq = &hc->rq;
    int64_t max = route_max_body(rq->route, rq->app);
    if (rq->route->body == BODY_NONE)
        return 0;
    if (hc->body_bytes > (uint64_t)max)
        return too_long(max, e);
    if (rq->route->body == BODY_STREAM)
        return rq->route->sink->feed(rq, bytes, len, e);
    buf_add(&rq->body, bytes, len);
    return buf_check(&rq->body, "request body", e);
}

static enum MHD_Result on_piece(struct http_conn *hc, const char *bytes, size_t *len)
{
    size_t n = *len;
    *len = 0;
    hc->body_bytes += n;
    bool dropped = hc->refused.code || hc->rq.route->body == BODY_NONE;
    if (dropped)
        return hc->body_bytes > DRAIN_BYTES ? MHD_NO : MHD_YES;
    struct err e = {0};
    if (take_piece(hc, bytes, n, &e))
        hc->refused = e;
    return MHD_YES;
}

static enum MHD_Result on_whole(struct http_conn *hc)
{
    struct err e = hc->refused;
    if (e.code)
        return http_reply(hc, &e);
    return answer(hc, hc->rq.route->handler(&hc->rq, &hc->rs, &e), &e);
}

static enum MHD_Result on_resumed(struct http_conn *hc)
{
    http_ended_wait(hc);
    struct err e = hc->work->err;
    return answer(hc, hc->then(&hc->rq, &hc->rs, &e), &e);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *len, void **con_cls)
{
    (void)cls, (void)c, (void)url, (void)version;
    struct http_conn *hc = *con_cls;
    if (!hc)
        return MHD_NO;
    switch (hc->phase) {
    case PHASE_LINE:
        return on_headers(hc, method);
    case PHASE_BODY:
        return *len > 0 ? on_piece(hc, bytes, len) : on_whole(hc);
    case PHASE_WAIT:
        return on_resumed(hc);
    case PHASE_ANSWER:
        break; /* a body that goes on after an early answer */
    }
    *len = 0;
    return MHD_YES;
}

/* on_line: the request line is there, its target as it was sent. A fault is told once the header
 * fields are read. */
static void *on_line(void *cls, const char *uri, struct MHD_Connection *c)
{
    struct http *h = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_conn *hc = info ? info->socket_context : NULL;
    if (!hc)
        return NULL;
    hc->mhd = c;
    hc->rq.id = atomic_fetch_add(&h->requests, 1) + 1;
    hc->rq.since_ms = clock_mono_ms();
    buf_adds(&hc->target, uri);
    if (hc->target.failed)
        (void)err_set(&hc->refused, ERR_TOO_BIG, "the request target is over %d bytes",
                      BOUND_URL_BYTES);
    else if (hc->target.len == 0)
        (void)err_set(&hc->refused, ERR_INVALID, "the request target is not a path");
    else if (target_parse(hc->target.data, &hc->rq.target, &hc->refused) == 0)
        err_clear(&hc->refused);
    return hc;
}

/* ---- the end of a request ---- */

/* One line a request: failures of ours as warnings, refusals as information, the rest for those
 * who debug. Path without query: tokens may stand there. */
static void log_request(const struct http_conn *hc)
{
    const struct req *rq = &hc->rq;
    enum log_level level = hc->status >= 500 ? LOG_WARN : hc->status >= 400 ? LOG_INFO : LOG_DEBUG;
    char path[256] = "";
    for (size_t i = 0, at = 0; i < rq->target.n && at < sizeof(path); i++)
        at += (size_t)snprintf(path + at, sizeof(path) - at, "/%s", rq->target.segment[i]);
    log_line(level, "request req=%llu method=%s path=%s status=%u ms=%lld%s%s",
             (unsigned long long)rq->id, rq->method ? rq->method : "-", path, hc->status,
             (long long)(clock_mono_ms() - rq->since_ms), hc->status >= 400 ? " why=" : "",
             hc->status >= 400 ? buf_str(&rq->out) : "");
}

static void reuse(struct buf *b)
{
    if (b->cap > KEEP_BYTES)
        buf_release(b);
    buf_clear(b);
}

static void conn_reset(struct http_conn *hc)
{
    struct req *rq = &hc->rq;
    req_cleanup(rq);
    reuse(&rq->body);
    reuse(&rq->out);
    buf_clear(&hc->target);
    rq->route = NULL;
    rq->method = rq->project_id = rq->name = NULL;
    rq->target.n = rq->target.args.n = 0;
    rq->fields = (struct req_fields){0};
    rq->who = (struct caller){0};
    rq->project = 0;
    rq->sink = rq->state = NULL;
    hc->rs = (struct resp){.status = 200, .type = "application/json", .fd = -1};
    hc->phase = PHASE_LINE;
    err_clear(&hc->refused);
    hc->has_length = hc->chunked = hc->expects_100 = hc->broken_length = false;
    hc->length = hc->body_bytes = 0;
    hc->status = 0;
}

static void on_completed(void *cls, struct MHD_Connection *c, void **con_cls,
                         enum MHD_RequestTerminationCode how)
{
    (void)cls, (void)c, (void)how;
    struct http_conn *hc = *con_cls;
    *con_cls = NULL;
    if (!hc)
        return;
    http_ended_wait(hc);
    if (hc->rs.stream && hc->rs.stream->free)
        hc->rs.stream->free(hc->rs.stream_arg);
    if (hc->rs.fd >= 0)
        close(hc->rs.fd);
    metrics_request(hc->http->app->metrics, hc->rq.route, hc->status);
    log_request(hc);
    conn_reset(hc);
}

/* ---- connections ---- */

static void on_connection(void *cls, struct MHD_Connection *c, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http *h = cls;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        struct http_conn *hc = *context;
        *context = NULL;
        if (!hc)
            return;
        buf_release(&hc->rq.body);
        buf_release(&hc->rq.out);
        buf_release(&hc->target);
        free(hc);
        return;
    }
    struct http_conn *hc = calloc(1, sizeof(*hc));
    if (!hc)
        abort();
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    hc->http = h;
    hc->rq.app = h->app;
    hc->fd = info ? info->connect_fd : -1;
    hc->patience_s = h->idle_s;
    hc->target = BUF_INIT(BOUND_URL_BYTES);
    hc->rq.out = BUF_INIT(BOUND_JSON_REPLY_BYTES);
    conn_reset(hc);
    *context = hc;
}

/* ---- start and stop ---- */

static void http_free(struct http *h)
{
    pthread_cond_destroy(&h->none_suspended);
    pthread_mutex_destroy(&h->mu);
    free(h);
}

int http_start(const struct http_conf *c, struct app *app, struct http **ret, struct err *e)
{
    struct http *h = calloc(1, sizeof(*h));
    if (!h)
        abort();
    h->app = app;
    h->idle_s = c->idle_s;
    pthread_mutex_init(&h->mu, NULL);
    pthread_cond_init(&h->none_suspended, NULL);
    errno = 0;
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
        MHD_OPTION_LISTEN_SOCKET, c->listen_fd, MHD_OPTION_THREAD_POOL_SIZE, c->threads,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_PER_IP_MAX, MHD_OPTION_CONNECTION_TIMEOUT, c->idle_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_URI_LOG_CALLBACK,
        on_line, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, h, MHD_OPTION_END);
    if (!h->daemon) {
        int rc = err_os(e, ERR_UNAVAILABLE, errno, "start the HTTP daemon");
        http_free(h);
        return rc;
    }
    *ret = h;
    return 0;
}

void http_quiesce(struct http *h)
{
    atomic_store(&h->stopping, true);
    int fd = MHD_quiesce_daemon(h->daemon);
    if (fd >= 0)
        close(fd);
}

void http_stop(struct http *h)
{
    if (!h)
        return;
    MHD_stop_daemon(h->daemon);
    http_free(h);
}
