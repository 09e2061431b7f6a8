/* HTTP client over libcurl. The multi interface drives one easy handle, because curl_easy_perform
 * looks at its progress callback about once a second only, and on_idle promises four times that.
 * Connections live in the multi handle, so they outlast the calls; a kept connection that the peer
 * has closed meanwhile is replaced by libcurl without the caller noticing. */
#include "lib/httpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/bounds.h"
#include "lib/clock.h"
#include "lib/httpc_impl.h"
#include "lib/str.h"

#include "lib/banned.h"

#define CONNECT_TIMEOUT_MS  5000
#define CALL_TIMEOUT_MS     30000
#define IDLE_MS             200         /* under the 250 that on_idle promises */
#define QUIET_MS            1000        /* poll when nobody wants on_idle */
#define HEADERS_TOTAL_BYTES (256 << 10) /* libcurl 7.88 bounds one header line, not their sum */
#define KEPT_CONNECTIONS    2

static const char *peer(const struct httpc *c)
{
    return c->unix_socket ? c->unix_socket : c->base;
}

static void *need(void *p)
{
    if (!p)
        abort(); /* out of memory */
    return p;
}

void httpc_global_init(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        abort();
}

struct httpc *httpc_new(const char *base, const char *unix_socket, const char *auth)
{
    struct httpc *c = need(calloc(1, sizeof(*c)));
    c->easy = need(curl_easy_init());
    c->multi = need(curl_multi_init());
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    c->base = str_dup(base);
    c->unix_socket = str_dup(unix_socket);
    c->auth_header = auth ? str_fmt("Authorization: %s", auth) : NULL;
    return c;
}

void httpc_free(struct httpc *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->easy);
    curl_multi_cleanup(c->multi);
    free(c->base);
    free(c->unix_socket);
    free(c->auth_header);
    buf_release(&c->late);
    free(c);
}

void httpc_resp_release(struct httpc_resp *r)
{
    buf_release(&r->body);
    r->status = 0;
}

void httpc_escape(struct buf *out, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (strchr(plain, c)) {
            buf_addc(out, (char)c);
        } else {
            const char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};
            buf_add(out, escaped, sizeof(escaped));
        }
    }
}

/* ---- callbacks of libcurl ---- */

static long status_of(const struct httpc *c)
{
    long status = 0;
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool connected_anew(const struct httpc *c)
{
    long connects = 0;
    curl_easy_getinfo(c->easy, CURLINFO_NUM_CONNECTS, &connects);
    return connects > 0;
}

static void moved(struct call *call)
{
    call->moved_ms = clock_mono_ms();
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
    (void)bytes;
    struct call *call = arg;
    moved(call);
    call->header_bytes += size * n;
    if (call->header_bytes <= HEADERS_TOTAL_BYTES)
        return size * n;
    call->rc = err_set(call->e, ERR_TOO_BIG, "%s: the headers of the answer are over %d bytes",
                       peer(call->c), HEADERS_TOTAL_BYTES);
    return 0;
}

static int body_check(const struct call *call)
{
    const struct buf *body = &call->rs->body;
    return body->failed ? err_set(call->e, ERR_TOO_BIG, "%s: the answer is over %zu bytes",
                                  peer(call->c), body->max)
                        : 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct call *call = arg;
    size_t len = size * n;
    long status = status_of(call->c);
    if (call->rq->on_data && status >= 200 && status < 300) {
        if (call->rq->on_data(bytes, len, call->rq->arg) != 0)
            call->rc = err_set(call->e, ERR_CANCELLED, "%s: the answer was given up by its reader",
                               peer(call->c));
    } else {
        buf_add(&call->rs->body, bytes, len);
        call->rc = body_check(call);
    }
    moved(call);
    return call->rc < 0 ? 0 : len;
}

/* pread, so that the same request can be sent again on a new connection (on_seek). */
static size_t on_read(char *out, size_t size, size_t n, void *arg)
{
    struct call *call = arg;
    uint64_t left = call->rq->body_fd_len - call->body_at;
    size_t want = size * n < left ? size * n : (size_t)left;
    if (want == 0)
        return 0;
    ssize_t got;
    do
        got = pread(call->rq->body_fd, out, want, (off_t)call->body_at);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        call->body_at += (uint64_t)got;
        return (size_t)got;
    }
    call->rc = got < 0 ? err_os(call->e, ERR_IO, errno, "read the body to send")
                       : err_set(call->e, ERR_IO, "the body to send ends %llu bytes early",
                                 (unsigned long long)left);
    return CURL_READFUNC_ABORT;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
    struct call *call = arg;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > call->rq->body_fd_len)
        return CURL_SEEKFUNC_CANTSEEK;
    call->body_at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static int on_progress(void *arg, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total,
                       curl_off_t ul_now)
{
    (void)dl_total, (void)dl_now, (void)ul_total;
    struct call *call = arg;
    if (ul_now < 0 || (uint64_t)ul_now == call->sent)
        return 0;
    moved(call);
    call->sent = (uint64_t)ul_now;
    if (call->rq->on_sent)
        call->rq->on_sent(call->sent,
                          call->rq->body_fd_len > 0 ? call->rq->body_fd_len : call->rq->body_len,
                          call->rq->arg);
    return 0;
}

/* ---- one call ---- */

static void add_header(struct call *call, const char *line)
{
    call->headers = need(curl_slist_append(call->headers, line));
}

static bool has_body(const struct httpc_req *rq)
{
    return rq->body || rq->body_fd_len > 0;
}

static void set_headers(struct call *call)
{
    const struct httpc_req *rq = call->rq;
    add_header(call, "Expect:"); /* costs a round trip, and some peers never answer it */
    if (call->c->auth_header)
        add_header(call, call->c->auth_header);
    if (has_body(rq)) {
        autofree char *type =
            str_fmt("Content-Type: %s", rq->content_type ? rq->content_type : "application/json");
        add_header(call, type);
    } else {
        add_header(call, "Content-Type:"); /* libcurl would name a form */
    }
    for (const char *const *h = rq->headers; h && *h; h++)
        add_header(call, *h);
    curl_easy_setopt(call->c->easy, CURLOPT_HTTPHEADER, call->headers);
}

static void set_method_and_body(struct call *call)
{
    CURL *h = call->c->easy;
    const struct httpc_req *rq = call->rq;
    bool sends_length = strcmp(rq->method, "POST") == 0 || strcmp(rq->method, "PUT") == 0;
    if (rq->body_fd_len > 0) {
        curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, (curl_off_t)rq->body_fd_len);
        curl_easy_setopt(h, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(h, CURLOPT_READDATA, call);
        curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(h, CURLOPT_SEEKDATA, call);
    } else if (rq->body || sends_length) {
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, rq->body ? rq->body : "");
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(rq->body ? rq->body_len : 0));
    } else if (strcmp(rq->method, "HEAD") == 0) {
        curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, rq->method);
}

static void set_times(struct call *call)
{
    CURL *h = call->c->easy;
    const struct httpc_req *rq = call->rq;
    long connect_ms = rq->connect_timeout_ms > 0 ? rq->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    long whole_ms = rq->timeout_ms == 0 ? CALL_TIMEOUT_MS : rq->timeout_ms;
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, whole_ms < 0 ? 0L : whole_ms);
}

static void set_options(struct call *call)
{
    struct httpc *c = call->c;
    CURL *h = c->easy;
    curl_easy_reset(h);
    c->why[0] = '\0';
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->why);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L); /* threads */
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(h, CURLOPT_USERAGENT, "wrought/" WROUGHT_VERSION);
    curl_easy_setopt(h, CURLOPT_URL, buf_str(&call->url));
    if (c->unix_socket) {
        curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, c->unix_socket);
        curl_easy_setopt(h, CURLOPT_PROXY, ""); /* whatever http_proxy says */
    }
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(h, CURLOPT_XFERINFODATA, call);
    late_watch(c);
    set_times(call);
    set_method_and_body(call);
    set_headers(call);
}

/* tick: what has to happen while nothing else does. */
static int tick(struct call *call)
{
    const struct httpc_req *rq = call->rq;
    int64_t now = clock_mono_ms();
    if (rq->stall_timeout_ms > 0 && now - call->moved_ms >= rq->stall_timeout_ms)
        return err_set(call->e, ERR_TIMEOUT, "%s: nothing moved for %d ms", peer(call->c),
                       rq->stall_timeout_ms);
    if (!rq->on_idle || now - call->idle_ms < IDLE_MS)
        return 0;
    call->idle_ms = now;
    if (rq->on_idle(rq->arg) != 0)
        return err_set(call->e, ERR_CANCELLED, "%s: the call was cancelled", peer(call->c));
    return 0;
}

static int poll_ms(const struct call *call)
{
    int64_t now = clock_mono_ms();
    int64_t wait = call->rq->on_idle ? call->idle_ms + IDLE_MS - now : QUIET_MS;
    int64_t stall = call->moved_ms + call->rq->stall_timeout_ms - now;
    if (call->rq->stall_timeout_ms > 0 && stall < wait)
        wait = stall;
    return wait > 0 ? (int)wait : 0;
}

/* run: until libcurl is done (0, *ret_code) or one of us has had enough (ERR_*). */
static int run(struct call *call, CURLcode *ret_code)
{
    CURLM *m = call->c->multi;
    int running = 1, queued;
    for (;;) {
        CURLMcode mc = curl_multi_perform(m, &running);
        const CURLMsg *done = curl_multi_info_read(m, &queued);
        if (done) {
            *ret_code = done->data.result;
            return 0;
        }
        int rc = tick(call);
        if (rc < 0)
            return rc;
        if (mc == CURLM_OK)
            mc = curl_multi_poll(m, NULL, 0, poll_ms(call), NULL);
        if (mc != CURLM_OK)
            return err_set(call->e, ERR_INTERNAL, "libcurl: %s", curl_multi_strerror(mc));
    }
}

/* connected: whether the request could be sent at all. */
static bool connected(const struct httpc *c)
{
    curl_off_t ready_us = 0;
    curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    return ready_us > 0;
}

static int code_of(const struct call *call, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PROXY:
        return ERR_UNREACHABLE;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return call->header_bytes > 0 ? ERR_PROTOCOL : ERR_UNREACHABLE;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return connected(call->c) ? ERR_PROTOCOL : ERR_INVALID; /* also "the peer speaks no HTTP" */
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return ERR_INTERNAL;
    default:
        return ERR_PROTOCOL;
    }
}

/* report: libcurl's code as ours. Its wording is shown and nothing depends on it. */
static int report(struct call *call, CURLcode code)
{
    struct httpc *c = call->c;
    const char *why = c->why[0] ? c->why : curl_easy_strerror(code);
    long os = 0;
    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &os);
    if (code != CURLE_OPERATION_TIMEDOUT) {
        int rc = err_set(call->e, code_of(call, code), "%s: %s", peer(c), why);
        call->e->os_errno = (int)os;
        return rc;
    }
    if (connected(c))
        return err_set(call->e, ERR_TIMEOUT, "%s: %s", peer(c), why);
    int rc = err_set(call->e, ERR_UNREACHABLE, "%s: %s", peer(c), why);
    call->e->os_errno = ETIMEDOUT;
    return rc;
}

static int perform(struct call *call)
{
    struct httpc *c = call->c;
    CURLcode code = CURLE_OK;
    call->moved_ms = call->idle_ms = clock_mono_ms();
    if (curl_multi_add_handle(c->multi, c->easy) != CURLM_OK)
        return err_set(call->e, ERR_INTERNAL, "libcurl refused a request to %s", peer(c));
    int rc = run(call, &code);
    call->rs->status = (unsigned)status_of(c);
    call->rs->new_connection = connected_anew(c);
    if (rc == 0 && call->rc < 0)
        rc = call->rc;
    else if (code == CURLE_SEND_ERROR && late_answer(c, &call->rs->status, &call->rs->body))
        rc = body_check(call);
    else if (rc == 0 && code != CURLE_OK)
        rc = report(call, code);
    curl_multi_remove_handle(c->multi, c->easy);
    return rc;
}

int httpc_call(struct httpc *c, const struct httpc_req *rq, struct httpc_resp *rs, struct err *e)
{
    struct call call = {.c = c, .rq = rq, .rs = rs, .e = e, .url = BUF_INIT(2 * BOUND_URL_BYTES)};
    rs->status = 0;
    rs->new_connection = false;
    buf_clear(&rs->body);
    rs->body.max = rq->max_reply > 0 ? rq->max_reply : BOUND_JSON_REPLY_BYTES;
    buf_adds(&call.url, c->base);
    buf_adds(&call.url, rq->path);
    int rc = buf_check(&call.url, "URL", e);
    c->call = &call;
    if (rc == 0) {
        set_options(&call);
        rc = perform(&call);
    }
    c->call = NULL;
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(call.headers);
    buf_release(&call.url);
    return rc;
}
