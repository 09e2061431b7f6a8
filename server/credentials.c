/* Sealed and in X-Registry-Auth it is the same JSON object, Docker's AuthConfig (Engine API,
 * "Docker Registry authentication"), there in the URL alphabet of base64. Neighbours:
 * server/vault.c, server/h_credentials.c, server/h_runner.c. */
#include "server/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/str.h"
#include "server/app.h"
#include "server/store_admin.h"
#include "server/vault.h"

#include "lib/banned.h"

void credential_release(struct credential *c)
{
    if (c->password)
        explicit_bzero(c->password, strlen(c->password));
    free(TAKE(c->password));
    free(TAKE(c->username));
    free(TAKE(c->email));
}

/* ---- its JSON ---- */

static int from_json(const char *text, size_t len, struct credential *ret, struct err *e)
{
    struct {
        const char *username, *password, *email, *server;
    } c = {.email = "", .server = ""};
    const struct json_field fields[] = {
        {"username", JT_STR, offsetof(typeof(c), username), JF_REQUIRED, 0, BOUND_NAME_BYTES},
        {"password", JT_STR, offsetof(typeof(c), password), JF_REQUIRED, 0, BOUND_CREDENTIAL_BYTES},
        {"email", JT_STR, offsetof(typeof(c), email), 0, 0, BOUND_NAME_BYTES},
        {"serveraddress", JT_STR, offsetof(typeof(c), server), 0, 0, BOUND_NAME_BYTES},
    };
    autojson struct json *root = NULL;
    if (json_parse(text, len, BOUND_JSON_DEPTH, &root, e) ||
        json_decode(root, fields, ARRAY_LEN(fields), JSON_LENIENT, &c, e))
        return e->code;
    if (!registry_of_address(c.server, ret->registry))
        return err_set(e, ERR_INVALID, "serveraddress: the host of a registry is expected");
    ret->username = str_dup(c.username);
    ret->password = str_dup(c.password);
    ret->email = str_dup(c.email);
    return 0;
}

static void to_json(const struct credential *c, struct buf *out)
{
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    jw_str(&w, "username", c->username);
    jw_str(&w, "password", c->password);
    jw_str(&w, "email", c->email);
    jw_str(&w, "serveraddress", c->registry);
    jw_obj_end(&w);
}

int credential_decode(const char *auth, struct credential *ret, struct err *e)
{
    autofree uint8_t *text = NULL;
    size_t len;
    if (str_unbase64(auth, &text, &len, e) || from_json((const char *)text, len, ret, e))
        return err_wrap(e, "auth");
    return 0;
}

/* ---- sealing ---- */

static void about(const char *project_id, const char *registry, struct buf *out)
{
    buf_addf(out, "credential %s %s", project_id, registry);
}

int credential_seal(const struct req *rq, const char *project_id, const struct credential *c,
                    struct buf *out, struct err *e)
{
    AUTO(buf) struct buf where = BUF_INIT(512), text = BUF_INIT(BOUND_REGISTRY_AUTH_BYTES);
    about(project_id, c->registry, &where);
    to_json(c, &text);
    if (buf_check(&text, "auth", e))
        return e->code;
    vault_seal(rq->app->vault, buf_str(&where), text.data, text.len, out);
    explicit_bzero(text.data, text.len);
    return buf_check(out, "auth", e);
}

int credential_unseal(const struct req *rq, const char *project_id, const char *registry,
                      const char *sealed, size_t len, struct credential *ret, struct err *e)
{
    AUTO(buf) struct buf where = BUF_INIT(512), text = BUF_INIT(BOUND_REGISTRY_AUTH_BYTES);
    about(project_id, registry, &where);
    if (vault_unseal(rq->app->vault, buf_str(&where), sealed, len, &text, e))
        return e->code;
    int rc = from_json(buf_str(&text), text.len, ret, e);
    explicit_bzero(text.data, text.len);
    return rc;
}

/* ---- grants ---- */

static int find(struct req *rq, const char *project_id, const char *registry,
                struct store_credential *ret, struct err *e)
{
    struct store *s;
    struct store_project p;
    if (req_store(rq, &s, e))
        return e->code;
    int rc = store_project_find(s, project_id, &p, e);
    if (rc == 0)
        rc = store_credential_find(s, p.n, registry, ret, e);
    req_store_done(rq, s);
    return rc;
}

static char *registry_auth(const struct credential *c)
{
    AUTO(buf) struct buf text = BUF_INIT(BOUND_REGISTRY_AUTH_BYTES);
    to_json(c, &text);
    char *auth = str_base64(buf_str(&text), text.len);
    explicit_bzero(text.data, text.len);
    for (char *p = auth; *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    return auth;
}

int credential_grant(struct req *rq, struct grant *g, struct err *e)
{
    char registry[REGISTRY_BYTES];
    AUTO(store_credential) struct store_credential row = {0};
    AUTO(credential) struct credential c = {0};
    if (!g->image || !*g->image || !registry_of_image(g->image, registry))
        return 0;
    int rc = find(rq, g->project_id, registry, &row, e);
    if (rc == ERR_NOT_FOUND) {
        err_clear(e);
        return 0;
    }
    if (rc < 0)
        return rc;
    if (credential_unseal(rq, g->project_id, registry, row.sealed, row.sealed_len, &c, e) < 0) {
        log_error("credentials are not readable registry=%s project=%s error=\"%s\"", registry,
                  g->project_id, e->msg);
        err_clear(e);
        return 0;
    }
    free(g->registry_auth);
    g->registry_auth = registry_auth(&c);
    return 0;
}
