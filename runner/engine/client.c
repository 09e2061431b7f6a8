/* One request to the engine: which version it is spoken in, and what its answer means. Everything
 * but attach and archives (dial.c) comes through here. Invariant: `api` is not 0 only while nothing
 * suggests that the engine behind the socket may be another one than the one that was asked. */
#include "runner/engine/client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define SCHEME "unix://"

int engine_new(const char *address, struct engine **ret, struct err *e)
{
    const char *path = str_starts(address, SCHEME) ? address + strlen(SCHEME) : address;
    if (path[0] != '/')
        return err_set(e, ERR_USAGE, "engine address \"%s\" is not unix:///path", address);
    if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return err_set(e, ERR_USAGE, "engine address \"%s\" is too long for a Unix socket",
                       address);
    struct engine *g = calloc(1, sizeof(*g));
    if (!g)
        abort();
    g->socket = str_dup(path);
    g->http = httpc_new("http://engine", path, NULL);
    *ret = g;
    return 0;
}

void engine_free(struct engine *g)
{
    if (!g)
        return;
    httpc_free(g->http);
    free(g->socket);
    free(g);
}

const char *engine_socket(const struct engine *g)
{
    return g->socket;
}

/* ---- what an answer means ---- */

int engine_garbled(const char *what, struct err *e)
{
    return err_set(e, ERR_PROTOCOL, "engine's %s makes no sense: %s", what, e->msg);
}

static int parse_answer(const struct buf *body, struct json **ret, struct err *e)
{
    if (json_parse(buf_str(body), body->len, BOUND_ENGINE_JSON_DEPTH, ret, e) < 0)
        return engine_garbled("answer", e);
    return 0;
}

/* error_text: the engine's own words, {"message": …} or plain text, on one line. */
static void error_text(const struct buf *body, struct buf *out)
{
    struct err ignored;
    autojson struct json *root = NULL;
    const char *text = NULL;
    if (parse_answer(body, &root, &ignored) == 0) /* plain text is no JSON, and that is fine */
        text = json_get_str(root, "message", NULL);
    if (!text)
        text = buf_str(body);
    size_t len = strnlen(text, out->max);
    while (len > 0 && (unsigned char)text[len - 1] <= ' ')
        len--;
    for (size_t i = 0; i < len; i++)
        buf_addc(out, (unsigned char)text[i] < ' ' ? ' ' : text[i]);
}

/* By number alone: the wording changes between releases. */
static int code_of(unsigned status)
{
    if (status == 404)
        return ERR_NOT_FOUND;
    if (status == 409)
        return ERR_CONFLICT;
    if (status >= 400 && status < 500)
        return ERR_INVALID;
    return status >= 500 && status < 600 ? ERR_UNAVAILABLE : ERR_PROTOCOL;
}

int engine_refused(unsigned status, const struct buf *body, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(BOUND_ENGINE_ERROR_BYTES);
    error_text(body, &text);
    return err_set(e, code_of(status), "engine answered %u: %s", status, buf_str(&text));
}

static bool is_success(unsigned status)
{
    return (status >= 200 && status < 300) || status == 304; /* 304: it is so already */
}

int engine_copy_id(const char *id, size_t out_bytes, char *out, struct err *e)
{
    if (id[0] == '\0' || strlen(id) >= out_bytes)
        return err_set(e, ERR_PROTOCOL, "engine's id \"%s\" is none", id);
    str_copy(out, out_bytes, id);
    return 0;
}

/* ---- version ---- */

struct version_answer {
    const char *version, *api, *api_min;
    const struct json *platform, *components;
};

static const struct json_field version_fields[] = {
    {"Version", JT_STR, offsetof(struct version_answer, version), JF_REQUIRED, 0, 0},
    {"ApiVersion", JT_STR, offsetof(struct version_answer, api), JF_REQUIRED, 0, 0},
    {"MinAPIVersion", JT_STR, offsetof(struct version_answer, api_min), 0, 0, 0},
    {"Platform", JT_OBJ, offsetof(struct version_answer, platform), 0, 0, 0},
    {"Components", JT_ARR, offsetof(struct version_answer, components), 0, 0, 0},
};

static int minor_of(const char *api, int *ret, struct err *e)
{
    int64_t minor = 0;
    if (!str_starts(api, "1."))
        return err_set(e, ERR_PROTOCOL, "engine speaks API \"%s\", which is no 1.x", api);
    if (str_int(api + 2, "API version", 0, 9999, &minor, e) < 0)
        return engine_garbled("version", e);
    *ret = (int)minor;
    return 0;
}

/* choose: the highest version that both sides know. */
static int choose(const struct version_answer *v, int *ret, struct err *e)
{
    int newest = 0, oldest = 0;
    int rc = minor_of(v->api, &newest, e);
    if (rc == 0)
        rc = minor_of(v->api_min, &oldest, e);
    if (rc < 0)
        return rc;
    int use = newest < ENGINE_API_MAX ? newest : ENGINE_API_MAX;
    if (use < ENGINE_API_MIN || use < oldest)
        return err_set(e, ERR_UNAVAILABLE,
                       "engine %s speaks API %s to %s, this program 1.%d to 1.%d", v->version,
                       v->api_min, v->api, ENGINE_API_MIN, ENGINE_API_MAX);
    *ret = use;
    return 0;
}

/* describe: who is it. Podman names its platform by the operating system and itself as a component;
 * distributions build Docker without a platform name. */
static void describe(const struct version_answer *v, int api, struct engine_version *out)
{
    const char *component = json_get_str(json_at(v->components, 0), "Name", "Engine");
    const char *platform = json_get_str(v->platform, "Name", "");
    if (strcmp(component, "Engine") != 0)
        platform = component;
    else if (platform[0] == '\0')
        platform = "Docker Engine";
    str_copy(out->version, sizeof(out->version), v->version);
    str_copy(out->platform, sizeof(out->platform), platform);
    out->api = api;
}

static int ask_version(struct engine *g, struct httpc_resp *rs, struct err *e)
{
    const struct httpc_req rq = {.method = "GET",
                                 .path = "/version",
                                 .timeout_ms = ENGINE_PING_MS,
                                 .connect_timeout_ms = ENGINE_CONNECT_MS,
                                 .max_reply = BOUND_ENGINE_REPLY_BYTES};
    int rc = httpc_call(g->http, &rq, rs, e);
    if (rc < 0 || rs->status == 200)
        return rc;
    rc = engine_refused(rs->status, &rs->body, e);
    /* A 404 here says nothing about the container that the caller asks for. */
    return rc == ERR_UNAVAILABLE ? rc : engine_garbled("version", e);
}

int engine_ping(struct engine *g, struct engine_version *ret, struct err *e)
{
    AUTO(httpc_resp) struct httpc_resp rs = HTTPC_RESP_INIT;
    autojson struct json *root = NULL;
    struct version_answer v = {.api_min = "1.0"}; /* Podman before 3.0 names none */
    g->api = 0;
    int rc = ask_version(g, &rs, e);
    if (rc == 0)
        rc = parse_answer(&rs.body, &root, e);
    if (rc < 0)
        return rc;
    if (json_decode(root, version_fields, ARRAY_LEN(version_fields), JSON_LENIENT, &v, e) < 0)
        return engine_garbled("version", e);
    rc = choose(&v, &g->api, e);
    if (rc == 0)
        describe(&v, g->api, ret);
    return rc;
}

int engine_versioned(struct engine *g, const char *path, struct buf *out, struct err *e)
{
    struct engine_version unused;
    int rc = g->api ? 0 : engine_ping(g, &unused, e);
    if (rc == 0)
        buf_addf(out, "/v1.%d%s", g->api, path);
    return rc < 0 ? rc : buf_check(out, "engine path", e);
}

bool engine_version_moved(struct engine *g, int used)
{
    struct engine_version now;
    struct err ignored; /* the refusal at hand is reported then */
    return engine_ping(g, &now, &ignored) == 0 && now.api != used;
}

/* ---- requests ---- */

/* send_once: one round. A connection that was made for it may lead to another engine than the one
 * that was asked for its version, hence *ret_doubt and a new question before the next request. */
static int send_once(struct engine *g, const struct httpc_req *rq, struct httpc_resp *rs,
                     bool *ret_doubt, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    int rc = engine_versioned(g, rq->path, &path, e);
    if (rc < 0)
        return rc;
    struct httpc_req versioned = *rq;
    versioned.path = buf_str(&path);
    versioned.connect_timeout_ms = ENGINE_CONNECT_MS;
    if (versioned.max_reply == 0)
        versioned.max_reply = BOUND_ENGINE_REPLY_BYTES;
    rc = httpc_call(g->http, &versioned, rs, e);
    *ret_doubt = rc < 0 || rs->new_connection;
    return rc;
}

int engine_request(struct engine *g, const struct httpc_req *rq, struct json **ret_root,
                   struct err *e)
{
    AUTO(httpc_resp) struct httpc_resp rs = HTTPC_RESP_INIT;
    bool doubt = false;
    int rc = send_once(g, rq, &rs, &doubt, e);
    int used = g->api;
    /* A version that it does not take is a 400, and such a request has done nothing yet. */
    if (rc == 0 && doubt && rs.status == 400 && engine_version_moved(g, used))
        rc = send_once(g, rq, &rs, &doubt, e);
    if (doubt)
        g->api = 0;
    if (rc < 0)
        return rc;
    if (!is_success(rs.status))
        return engine_refused(rs.status, &rs.body, e);
    return ret_root ? parse_answer(&rs.body, ret_root, e) : 0;
}

int engine_call(struct engine *g, const char *method, const struct buf *path,
                const struct buf *body, int timeout_ms, struct json **ret_root, struct err *e)
{
    int rc = buf_check(path, "engine path", e);
    if (rc == 0 && body)
        rc = buf_check(body, "engine request", e);
    if (rc < 0)
        return rc;
    const struct httpc_req rq = {.method = method,
                                 .path = buf_str(path),
                                 .body = body ? buf_str(body) : NULL,
                                 .body_len = body ? body->len : 0,
                                 .timeout_ms = timeout_ms};
    return engine_request(g, &rq, ret_root, e);
}
