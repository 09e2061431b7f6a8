/* Requests to the server. What a 409 means is in its body, see api/lease.md rules 3 and 5. */
#include "runner/uplink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/bounds.h"
#include "lib/crypto.h"
#include "lib/fs.h"
#include "lib/httpc.h"
#include "lib/json.h"
#include "runner/node.h"

#include "lib/banned.h"

#define CALL_TIMEOUT_MS  15000 /* over the time that a poll may be parked */
#define STALL_TIMEOUT_MS 30000 /* of a package */

struct uplink {
    struct node *node;
    struct httpc *http;
};

struct uplink *uplink_new(struct node *n)
{
    struct uplink *u = calloc(1, sizeof *u);
    if (!u)
        abort();
    u->node = n;
    u->http = httpc_new(n->set.server, NULL, n->auth);
    return u;
}

void uplink_free(struct uplink *u)
{
    if (!u)
        return;
    httpc_free(u->http);
    free(u);
}

/* The server's own sentence in a refusal. */
static int refused(const struct httpc_resp *rs, struct err *e)
{
    autojson struct json *root = NULL;
    struct err broken;
    const char *msg = "";
    if (json_parse(buf_str(&rs->body), rs->body.len, BOUND_JSON_DEPTH, &root, &broken) == 0)
        msg = json_get_str(root, "msg", "");
    return err_set(e, err_from_http(rs->status), "server says %u: %s", rs->status, msg);
}

/* A server that is stopping or out of order counts as away; one that refuses does not. */
static bool is_away(int rc)
{
    return rc != 0 && rc != ERR_CANCELLED && err_retryable(rc);
}

/* One call. 0: 2xx or 409, *root is the parsed answer. */
static int call(struct uplink *u, struct httpc_req *rq, struct json **ret_root,
                unsigned *ret_status, struct err *e)
{
    __attribute__((cleanup(httpc_resp_release))) struct httpc_resp rs = HTTPC_RESP_INIT;
    int rc = httpc_call(u->http, rq, &rs, e);
    if (rc == 0 && rs.status != 409 && (rs.status < 200 || rs.status > 299))
        rc = refused(&rs, e);
    if (rc == 0)
        rc = json_parse(buf_str(&rs.body), rs.body.len, BOUND_JSON_DEPTH, ret_root, e);
    if (rc != ERR_CANCELLED)
        node_server_seen(u->node, is_away(rc) ? rc : 0, e);
    *ret_status = rs.status;
    return rc;
}

static int post(struct uplink *u, const char *path, const struct buf *body, int wait_s,
                const struct uplink_idle *idle, struct json **ret_root, unsigned *ret_status,
                struct err *e)
{
    if (buf_check(body, path, e))
        return e->code;
    struct httpc_req rq = {.method = "POST",
                           .path = path,
                           .body = body->data,
                           .body_len = body->len,
                           .timeout_ms = wait_s * 1000 + CALL_TIMEOUT_MS};
    if (idle) {
        rq.on_idle = idle->fn;
        rq.arg = idle->arg;
    }
    return call(u, &rq, ret_root, ret_status, e);
}

/* What the answer to a report says. */
static int read_said(unsigned status, const struct json *root, enum said *ret, uint64_t *ret_offset,
                     struct err *e)
{
    int64_t offset = json_get_int(root, "offset", -1);
    if (offset >= 0 && ret_offset)
        *ret_offset = (uint64_t)offset;
    if (status != 409)
        *ret = SAID_OK;
    else if (strcmp(json_get_str(root, "order", ""), "lost") == 0)
        *ret = SAID_LOST;
    else if (offset >= 0)
        *ret = SAID_OFFSET;
    else
        return err_set(e, ERR_PROTOCOL, "server refuses without a reason: %s",
                       json_get_str(root, "msg", ""));
    return 0;
}

int uplink_register(struct uplink *u, const char *const *stacks, struct err *e)
{
    const struct node *n = u->node;
    struct node_status st;
    node_status(u->node, &st);
    struct runner_hello hello = {.runner = n->name,
                                 .cluster = n->set.cluster,
                                 .version = WROUGHT_VERSION,
                                 .slots = n->set.slots,
                                 .engine_version = st.engine_up ? st.engine_version : "",
                                 .problem = st.problem};
    size_t n_stacks = 0;
    while (stacks && stacks[n_stacks])
        n_stacks++;
    AUTO(buf) struct buf body = BUF_INIT(BOUND_JSON_BODY_BYTES);
    runner_hello_encode(&hello, stacks, n_stacks, &body);
    autojson struct json *root = NULL;
    unsigned status;
    return post(u, "/runner/1/register", &body, 0, NULL, &root, &status, e);
}

int uplink_lease(struct uplink *u, int slot, const char *poll, int wait_s,
                 const struct uplink_idle *idle, bool *ret_some, struct grant *ret, struct err *e)
{
    struct lease_poll p = {.runner = u->node->name,
                           .cluster = u->node->set.cluster,
                           .slot = slot,
                           .poll = poll,
                           .wait_s = wait_s};
    AUTO(buf) struct buf body = BUF_INIT(BOUND_JSON_BODY_BYTES);
    lease_poll_encode(&p, &body);
    autojson struct json *root = NULL;
    unsigned status;
    if (post(u, "/runner/1/lease", &body, wait_s, idle, &root, &status, e))
        return e->code;
    if (status == 409)
        return err_set(e, ERR_CONFLICT, "server says 409: %s", json_get_str(root, "msg", ""));
    node_polled(u->node);
    return grant_decode(root, ret_some, ret, e);
}

int uplink_renew(struct uplink *u, const struct held *held, size_t n, int wait_s,
                 const struct uplink_idle *idle, struct held **ret, size_t *ret_n, struct err *e)
{
    struct renew r = {
        .runner = u->node->name, .wait_s = wait_s, .held = (struct held *)held, .n_held = n};
    AUTO(buf) struct buf body = BUF_INIT(BOUND_JSON_BODY_BYTES);
    renew_encode(&r, &body);
    autojson struct json *root = NULL;
    unsigned status;
    if (post(u, "/runner/1/renew", &body, wait_s, idle, &root, &status, e))
        return e->code;
    return orders_decode(root, ret, ret_n, e);
}

int uplink_started(struct uplink *u, const struct started *s, enum said *ret, struct err *e)
{
    AUTO(buf) struct buf body = BUF_INIT(BOUND_JSON_BODY_BYTES);
    started_encode(s, &body);
    autojson struct json *root = NULL;
    unsigned status;
    if (post(u, "/runner/1/started", &body, 0, NULL, &root, &status, e))
        return e->code;
    return read_said(status, root, ret, NULL, e);
}

int uplink_log(struct uplink *u, const struct attempt_ref *ref, uint64_t offset,
               const void *segments, size_t len, enum said *ret, uint64_t *ret_offset,
               struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    buf_adds(&path, "/runner/1/log?runner=");
    httpc_escape(&path, u->node->name);
    buf_addf(&path, "&task=%s&attempt=%lld&offset=%llu", ref->task, (long long)ref->attempt,
             (unsigned long long)offset);
    struct httpc_req rq = {.method = "POST",
                           .path = buf_str(&path),
                           .content_type = "application/octet-stream",
                           .body = segments,
                           .body_len = len,
                           .timeout_ms = CALL_TIMEOUT_MS};
    autojson struct json *root = NULL;
    unsigned status;
    if (call(u, &rq, &root, &status, e) || read_said(status, root, ret, ret_offset, e))
        return e->code;
    if (*ret == SAID_OK && json_get_int(root, "offset", -1) < 0)
        return err_set(e, ERR_PROTOCOL, "server took log bytes and named no offset");
    return 0;
}

int uplink_finish(struct uplink *u, const char *body, size_t len, enum said *ret,
                  uint64_t *ret_offset, struct err *e)
{
    struct httpc_req rq = {.method = "POST",
                           .path = "/runner/1/finish",
                           .body = body,
                           .body_len = len,
                           .timeout_ms = CALL_TIMEOUT_MS};
    autojson struct json *root = NULL;
    unsigned status;
    if (call(u, &rq, &root, &status, e))
        return e->code;
    return read_said(status, root, ret, ret_offset, e);
}

int uplink_result(struct uplink *u, const struct attempt_ref *ref, const char *sha256, int fd,
                  enum said *ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    off_t len = lseek(fd, 0, SEEK_END);
    if (len < 0 || lseek(fd, 0, SEEK_SET) != 0)
        return err_os(e, ERR_IO, errno, "package");
    buf_adds(&path, "/runner/1/package?runner=");
    httpc_escape(&path, u->node->name);
    buf_addf(&path, "&task=%s&attempt=%lld&sha256=%s", ref->task, (long long)ref->attempt, sha256);
    struct httpc_req rq = {.method = "PUT",
                           .path = buf_str(&path),
                           .content_type = "application/zip",
                           .body_fd = fd,
                           .body_fd_len = (uint64_t)len,
                           .timeout_ms = -1,
                           .stall_timeout_ms = STALL_TIMEOUT_MS};
    autojson struct json *root = NULL;
    unsigned status;
    if (call(u, &rq, &root, &status, e))
        return e->code;
    return read_said(status, root, ret, NULL, e);
}

struct sink {
    int fd;
    struct err *e;
};

static int write_piece(const void *bytes, size_t len, void *arg)
{
    struct sink *s = arg;
    return fs_write_all(s->fd, bytes, len, "package", s->e);
}

int uplink_package(struct uplink *u, const char *sha256, int fd, struct err *e)
{
    char path[128], got[SHA256_TEXT], md5[MD5_TEXT];
    snprintf(path, sizeof path, "/runner/1/package/%s", sha256);
    struct err write_err = {0};
    struct sink sink = {fd, &write_err};
    struct httpc_req rq = {.method = "GET",
                           .path = path,
                           .timeout_ms = -1,
                           .stall_timeout_ms = STALL_TIMEOUT_MS,
                           .on_data = write_piece,
                           .arg = &sink};
    __attribute__((cleanup(httpc_resp_release))) struct httpc_resp rs = HTTPC_RESP_INIT;
    int rc = httpc_call(u->http, &rq, &rs, e);
    if (write_err.code) {
        *e = write_err;
        return e->code;
    }
    if (rc == 0 && (rs.status < 200 || rs.status > 299))
        rc = refused(&rs, e);
    node_server_seen(u->node, is_away(rc) ? rc : 0, e);
    if (rc)
        return err_wrap(e, "package");
    if (file_digests(fd, got, md5, e))
        return err_wrap(e, "package");
    if (strcmp(got, sha256) != 0)
        return err_set(e, ERR_PROTOCOL, "package came with another content than its hash says");
    return 0;
}
