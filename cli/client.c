/* The API client: one place that turns answers into errors, and one policy for trying again. */
#include "cli/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/task.h"
#include "cli/interrupt.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/crypto.h"
#include "lib/str.h"

#include "lib/banned.h"

#define TRIES            5
#define FIRST_BACKOFF_MS 250
#define KEY_BYTES        16

int client_open(const struct common *flags, struct client *ret, struct err *e)
{
    struct client c = {0};
    const char *token = NULL;
    int rc = config_load(flags, &c.config, e);
    if (rc == 0)
        rc = config_need(&c.config, CONFIG_TOKEN, &token, e);
    if (rc == 0)
        rc = config_need(&c.config, CONFIG_PROJECT_ID, &c.project_id, e);
    if (rc < 0) {
        config_release(&c.config);
        return rc;
    }
    AUTO(buf) struct buf base = BUF_INIT(BOUND_URL_BYTES);
    config_base(&c.config, &base);
    c.base = buf_take(&base);
    c.auth = str_fmt("OAuth %s", token);
    c.http = httpc_new(c.base, NULL, c.auth);
    *ret = c;
    return 0;
}

void client_release(struct client *c)
{
    httpc_free(TAKE(c->http));
    free(TAKE(c->base));
    free(TAKE(c->auth));
    config_release(&c->config);
}

void reply_release(struct reply *r)
{
    buf_release(&r->text);
    json_free(TAKE(r->root));
}

void client_path(const struct client *c, struct buf *out, const char *fmt, ...)
{
    autofree char *tail = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&tail, fmt, ap) < 0)
        abort();
    va_end(ap);
    buf_adds(out, "/2/projects/");
    httpc_escape(out, c->project_id);
    buf_adds(out, tail);
}

/* ---- errors ---- */

/* explain: adds to a failed call what a person can do about it. */
static int explain(const struct client *c, struct err *e)
{
    const struct setting *host = &c->config.set[CONFIG_HOST];
    const struct setting *port = &c->config.set[CONFIG_PORT];
    if (e->code != ERR_UNREACHABLE)
        return e->code;
    int os_errno = e->os_errno;
    (void)err_set(e, ERR_UNREACHABLE, "no server at %s:%s%s%s (host from %s, port from %s)",
                  host->value, port->value, os_errno ? ": " : "",
                  os_errno ? strerror(os_errno) : "", host->source, port->source);
    e->os_errno = os_errno;
    return e->code;
}

/* refusal: what an answer that is not 2xx says. */
static int refusal(const struct client *c, unsigned status, const struct buf *body, struct err *e)
{
    struct err no_json; /* then there is no msg */
    autojson struct json *root = NULL;
    int parsed = json_parse(buf_str(body), body->len, BOUND_JSON_DEPTH, &root, &no_json);
    const char *msg = parsed == 0 ? json_get_str(root, "msg", "") : "";
    int code = err_from_http(status);
    if (msg[0])
        err_set(e, code, "%s", msg);
    else
        err_set(e, code, "%s answered with HTTP %u", c->base, status);
    if (code == ERR_UNAUTHORIZED)
        err_set(e, code, "%s (token from %s)", msg[0] ? msg : "not authorised",
                c->config.set[CONFIG_TOKEN].source);
    return code;
}

static int read_reply(const struct client *c, struct httpc_resp *rs, struct reply *ret,
                      struct err *e)
{
    if (err_from_http(rs->status) != ERR_NONE)
        return refusal(c, rs->status, &rs->body, e);
    struct json *root = NULL;
    if (json_parse(buf_str(&rs->body), rs->body.len, BOUND_JSON_DEPTH, &root, e) < 0) {
        (void)err_wrap(e, "%s sent no JSON", c->base);
        return e->code = ERR_PROTOCOL;
    }
    ret->root = root;
    ret->text = rs->body;
    rs->body = (struct buf){0};
    return 0;
}

/* ---- calls ---- */

static int call_once(struct client *c, struct httpc *http, const struct httpc_req *rq,
                     struct reply *ret, struct err *e)
{
    AUTO(httpc_resp) struct httpc_resp rs = HTTPC_RESP_INIT;
    if (httpc_call(http, rq, &rs, e) < 0)
        return explain(c, e);
    return read_reply(c, &rs, ret, e);
}

/* may_pass: what asking again can cure. `safe`: although the request may have been carried out. */
static bool may_pass(int rc, bool safe)
{
    bool busy = rc == ERR_UNAVAILABLE || rc == ERR_TOO_MANY;
    bool no_answer = rc == ERR_UNREACHABLE || rc == ERR_PROTOCOL || rc == ERR_TIMEOUT;
    return busy || (safe && no_answer);
}

/* call_patiently: with pauses that double. */
static int call_patiently(struct client *c, const struct httpc_req *rq, bool safe,
                          struct reply *ret, struct err *e)
{
    int backoff_ms = FIRST_BACKOFF_MS;
    for (int left = TRIES;; left--) {
        int rc = call_once(c, c->http, rq, ret, e);
        if (!may_pass(rc, safe) || left == 1 || interrupt_wait(backoff_ms))
            return rc;
        backoff_ms *= 2;
    }
}

int client_get(struct client *c, const char *path, struct reply *ret, struct err *e)
{
    const struct httpc_req rq = {.method = "GET", .path = path};
    return call_patiently(c, &rq, false, ret, e);
}

int client_post_once(struct client *c, const char *path, const char *body, size_t body_len,
                     struct reply *ret, struct err *e)
{
    char key[2 * KEY_BYTES + 1];
    random_hex(key, KEY_BYTES);
    autofree char *header = str_fmt("Idempotency-Key: %s", key);
    const char *const headers[] = {header, NULL};
    const struct httpc_req rq = {
        .method = "POST", .path = path, .body = body, .body_len = body_len, .headers = headers};
    return call_patiently(c, &rq, true, ret, e);
}

int client_send(struct client *c, const struct httpc_req *rq, struct reply *ret, struct err *e)
{
    autohttpc struct httpc *fresh = httpc_new(c->base, NULL, c->auth);
    return call_once(c, fresh, rq, ret, e);
}

int client_post(struct client *c, const char *path, const char *body, size_t body_len,
                struct reply *ret, struct err *e)
{
    const struct httpc_req rq = {
        .method = "POST", .path = path, .body = body, .body_len = body_len};
    return client_send(c, &rq, ret, e);
}

int client_stream(struct client *c, const struct httpc_req *rq, unsigned *ret_status, struct err *e)
{
    AUTO(httpc_resp) struct httpc_resp rs = HTTPC_RESP_INIT;
    int rc = httpc_call(c->http, rq, &rs, e);
    *ret_status = rs.status;
    if (rc < 0)
        return explain(c, e);
    return err_from_http(rs.status) == ERR_NONE ? 0 : refusal(c, rs.status, &rs.body, e);
}

int client_task(struct client *c, const char *id, struct task *ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(reply) struct reply reply = {0};
    client_path(c, &path, "/tasks/");
    httpc_escape(&path, id);
    int rc = client_get(c, buf_str(&path), &reply, e);
    return rc == 0 ? task_decode(reply.root, ret, e) : rc;
}

int client_project_name(struct client *c, char **ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(reply) struct reply reply = {0};
    client_path(c, &path, "%s", "");
    int rc = client_get(c, buf_str(&path), &reply, e);
    if (rc == 0)
        *ret = str_dup(json_get_str(reply.root, "name", ""));
    return rc;
}
