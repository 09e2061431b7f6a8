/* Credentials for image registries: set (`docker login`), list, delete. A password never comes out
 * again but in a grant. */
#include "server/handlers.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "server/app.h"
#include "server/credentials.h"
#include "server/ops_admin.h"

#include "lib/banned.h"

/* ---- set ---- */

static int stored(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    if (e->code)
        return e->code;
    resp_msg(rq, "Credentials stored");
    return 0;
}

static void free_sealed(void *arg)
{
    store_credential_release(arg);
}

static int seal_auth(struct req *rq, const char *auth, struct store_credential *ret, struct err *e)
{
    AUTO(credential) struct credential c = {0};
    AUTO(buf) struct buf sealed = BUF_INIT(BOUND_REGISTRY_AUTH_BYTES + 64);
    if (credential_decode(auth, &c, e) || credential_seal(rq, rq->project_id, &c, &sealed, e))
        return e->code;
    memcpy(ret->registry, c.registry, sizeof(ret->registry));
    ret->sealed_len = sealed.len;
    ret->sealed = buf_take(&sealed);
    return 0;
}

int h_credential_post(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const char *auth;
    const struct json_field fields[] = {
        {"auth", JT_STR, 0, JF_REQUIRED, 0, 2 * BOUND_REGISTRY_AUTH_BYTES}};
    const struct json *root;
    struct op_credential *op = req_mem(rq, sizeof(*op));
    op_credential_init(op);
    op->project = rq->project;
    req_defer(rq, free_sealed, &op->credential);
    if (req_json(rq, &root, e) || json_decode(root, fields, 1, JSON_LENIENT, &auth, e) ||
        seal_auth(rq, auth, &op->credential, e))
        return e->code;
    return req_await_writer(rq, &op->w, stored, op, e);
}

/* ---- list ---- */

static void encode(struct req *rq, const struct store_credential *row, struct jsonw *w)
{
    AUTO(credential) struct credential c = {0};
    struct err e = {0};
    int rc =
        credential_unseal(rq, rq->project_id, row->registry, row->sealed, row->sealed_len, &c, &e);
    jw_obj(w, NULL);
    jw_str(w, "serveraddress", row->registry);
    if (rc == 0) {
        jw_str(w, "username", c.username);
        jw_str(w, "email", c.email);
    } else {
        jw_str(w, "problem", e.msg);
    }
    jw_time(w, "updated_at", row->updated_us);
    jw_obj_end(w);
}

int h_credential_list(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct store_page page;
    struct store *s;
    struct store_credential *list;
    size_t n;
    if (req_page(rq, &page, e) || req_store(rq, &s, e))
        return e->code;
    int rc = store_credential_list(s, rq->project, page, &list, &n, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_arr(&w, "credentials");
    for (size_t i = 0; i < n; i++) {
        encode(rq, &list[i], &w);
        store_credential_release(&list[i]);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    free(list);
    return 0;
}

/* ---- delete ---- */

static int deleted(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    if (e->code)
        return e->code;
    resp_msg(rq, "Deleted");
    return 0;
}

int h_credential_delete(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct op_credential *op = req_mem(rq, sizeof(*op));
    op_credential_init(op);
    op->project = rq->project;
    if (!registry_of_address(rq->name, op->credential.registry))
        return err_set(e, ERR_NOT_FOUND, "no credentials for %.128s", rq->name);
    return req_await_writer(rq, &op->w, deleted, op, e);
}
