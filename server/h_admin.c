/* Administration: projects made and deleted, tokens made, listed, revoked. For the admin's token.
 */
#include <stdlib.h>
#include <string.h>

#include "api/wire.h"
#include "lib/crypto.h"
#include "server/app.h"
#include "server/auth.h"
#include "server/handlers.h"
#include "server/ops_admin.h"

#include "lib/banned.h"

/* ---- projects ---- */

static int project_added(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct op_project_add *op = rq->state;
    if (e->code)
        return e->code;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_str(&w, "msg", "Created");
    jw_str(&w, "id", op->ret_id);
    jw_str(&w, "name", op->name);
    jw_obj_end(&w);
    return 0;
}

int h_project_post(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    static const struct json_field fields[] = {
        {"name", JT_STR, offsetof(struct op_project_add, name), JF_REQUIRED, 0, BOUND_NAME_BYTES}};
    const struct json *root;
    struct op_project_add *op = req_mem(rq, sizeof(*op));
    op_project_add_init(op);
    if (req_json(rq, &root, e) ||
        json_decode(root, fields, ARRAY_LEN(fields), JSON_STRICT, op, e) ||
        wire_name_check(op->name, "name", e))
        return e->code;
    return req_await_writer(rq, &op->w, project_added, op, e);
}

/* answer_changed: what was cached of tokens and projects is asked again from now on. */
static int answer_changed(struct req *rq, const char *msg, struct err *e)
{
    if (e->code)
        return e->code;
    auth_forget(rq->app->auth);
    resp_msg(rq, msg);
    return 0;
}

static int project_deleted(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    return answer_changed(rq, "Deleted", e);
}

int h_project_delete(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct op_project_delete *op = req_mem(rq, sizeof(*op));
    op_project_delete_init(op);
    op->project = rq->project;
    return req_await_writer(rq, &op->w, project_deleted, op, e);
}

/* ---- tokens ---- */

#define NEW_TOKEN_BYTES 24 /* random; twice as many hex digits */

static const char *const scope_names[] = {
    [SCOPE_PROJECT] = "project", [SCOPE_RUNNER] = "runner", [SCOPE_ADMIN] = "admin"};

struct token_post {
    const char *scope, *project_id, *name;
    char token[2 * NEW_TOKEN_BYTES + 1];
    uint8_t hash[SHA256_BYTES];
    struct op_token_add op;
};

static int decode_scope(const char *word, enum token_scope *ret, struct err *e)
{
    for (size_t i = SCOPE_PROJECT; i < ARRAY_LEN(scope_names); i++) {
        if (strcmp(scope_names[i], word) == 0) {
            *ret = (enum token_scope)i;
            return 0;
        }
    }
    return err_set(e, ERR_INVALID, "scope: project, runner or admin is expected, not \"%.32s\"",
                   word);
}

/* find_project: a token of the scope project is for one, the others are for none. */
static int find_project(struct req *rq, const struct token_post *tp, int64_t *ret, struct err *e)
{
    struct store *s;
    struct store_project p;
    if (tp->op.scope != SCOPE_PROJECT)
        return *tp->project_id
                   ? err_set(e, ERR_INVALID, "project_id: only a token of a project has one")
                   : 0;
    if (!*tp->project_id)
        return err_set(e, ERR_MISSING, "project_id is required");
    if (req_store(rq, &s, e))
        return e->code;
    int rc = store_project_find(s, tp->project_id, &p, e);
    req_store_done(rq, s);
    if (rc == 0)
        *ret = p.n;
    return rc;
}

static int token_added(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct token_post *tp = rq->state;
    if (e->code)
        return e->code;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_str(&w, "msg", "Created");
    jw_str(&w, "id", tp->op.ret_id);
    jw_str(&w, "token", tp->token);
    jw_obj_end(&w);
    return 0;
}

int h_token_post(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    static const struct json_field fields[] = {
        {"scope", JT_STR, offsetof(struct token_post, scope), JF_REQUIRED, 0, 0},
        {"project_id", JT_STR, offsetof(struct token_post, project_id), 0, 0, 0},
        {"name", JT_STR, offsetof(struct token_post, name), 0, 0, BOUND_NAME_BYTES},
    };
    const struct json *root;
    struct token_post *tp = req_mem(rq, sizeof(*tp));
    tp->project_id = tp->name = "";
    op_token_add_init(&tp->op);
    if (req_json(rq, &root, e) ||
        json_decode(root, fields, ARRAY_LEN(fields), JSON_STRICT, tp, e) ||
        decode_scope(tp->scope, &tp->op.scope, e) ||
        (*tp->name && wire_name_check(tp->name, "name", e)) ||
        find_project(rq, tp, &tp->op.project, e))
        return e->code;
    random_hex(tp->token, NEW_TOKEN_BYTES);
    sha256_bytes(tp->token, strlen(tp->token), tp->hash);
    tp->op.hash = tp->hash;
    tp->op.name = tp->name;
    return req_await_writer(rq, &tp->op.w, token_added, tp, e);
}

static void encode_token(const struct store_token_row *t, struct jsonw *w)
{
    jw_obj(w, NULL);
    jw_str(w, "id", t->id);
    jw_str(w, "scope", scope_names[t->scope]);
    if (t->project_id[0])
        jw_str(w, "project_id", t->project_id);
    jw_str(w, "name", t->name);
    jw_time(w, "created_at", t->created_us);
    jw_obj_end(w);
}

int h_token_list(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct store_page page;
    struct store *s;
    struct store_token_row *list;
    size_t n;
    if (req_page(rq, &page, e) || req_store(rq, &s, e))
        return e->code;
    int rc = store_token_list(s, page, &list, &n, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_arr(&w, "tokens");
    for (size_t i = 0; i < n; i++)
        encode_token(&list[i], &w);
    jw_arr_end(&w);
    jw_obj_end(&w);
    free(list);
    return 0;
}

static int token_revoked(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    return answer_changed(rq, "Revoked", e);
}

int h_token_delete(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct op_token_revoke *op = req_mem(rq, sizeof(*op));
    op_token_revoke_init(op);
    op->id = rq->name;
    return req_await_writer(rq, &op->w, token_revoked, op, e);
}
