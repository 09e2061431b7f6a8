/* First start, and every later look at its files. Neighbour: server/main.c. */
#include "server/bootstrap.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/crypto.h"
#include "lib/fs.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/str.h"
#include "server/app.h"
#include "server/ops.h"
#include "server/store.h"

#include "lib/banned.h"

#define TOKEN_BYTES 24 /* random; 48 hex digits */

/* read_iron: token and project of an iron.json that is there; "" each when it is not. */
struct iron {
    char token[256];
    char project_id[ID_TEXT];
    bool there;
};

static int read_iron(const char *path, struct iron *ret, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(BOUND_CONFIG_BYTES);
    autojson struct json *root = NULL;
    *ret = (struct iron){0};
    int rc = fs_read(path, &text, e);
    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc || json_parse(buf_str(&text), text.len, BOUND_JSON_DEPTH, &root, e))
        return err_wrap(e, "%s", path);
    str_copy(ret->token, sizeof(ret->token), json_get_str(root, "token", ""));
    str_copy(ret->project_id, sizeof(ret->project_id), json_get_str(root, "project_id", ""));
    if (!ret->token[0])
        return err_set(e, ERR_INVALID, "%s: it holds no token", path);
    ret->there = true;
    return 0;
}

static int write_iron(const char *path, const struct bootstrap_conf *c, const struct iron *iron,
                      struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(BOUND_CONFIG_BYTES);
    struct jsonw w = JSONW(&text);
    jw_obj(&w, NULL);
    jw_str(&w, "token", iron->token);
    jw_str(&w, "project_id", iron->project_id);
    jw_str(&w, "scheme", c->scheme);
    jw_str(&w, "protocol", c->scheme); /* the same to other clients */
    jw_str(&w, "host", c->host);
    jw_int(&w, "port", c->port);
    jw_str(&w, "api_version", "2");
    jw_obj_end(&w);
    buf_addc(&text, '\n');
    AUTO(buf) struct buf old = BUF_INIT(BOUND_CONFIG_BYTES);
    struct err absent;
    bool same = fs_read(path, &old, &absent) == 0 && old.len == text.len &&
                memcmp(old.data, text.data, text.len) == 0;
    return same ? 0 : fs_write_durable(path, text.data, text.len, 0600, e);
}

static void new_token(char *out, size_t out_bytes)
{
    char token[2 * TOKEN_BYTES + 1];
    random_hex(token, TOKEN_BYTES);
    str_copy(out, out_bytes, token);
}

/* token_file: the token in it, after writing a new one when there is none. */
static int token_file(const char *path, char *ret, size_t ret_bytes, struct err *e)
{
    char *found = NULL;
    int rc = fs_read_secret(path, &found, e);
    if (rc == 0) {
        str_copy(ret, ret_bytes, found);
        free(found);
        return 0;
    }
    if (rc != ERR_NOT_FOUND)
        return rc;
    new_token(ret, ret_bytes);
    autofree char *line = str_fmt("%s\n", ret);
    return fs_write_durable(path, line, strlen(line), 0600, e);
}

static int first_project(struct app *app, char ret_id[ID_TEXT], bool *ret_there, struct err *e)
{
    struct store *s;
    struct store_project *list;
    size_t n;
    if (store_reader_get(app->readers, &s, e))
        return e->code;
    int rc = store_project_list(s, 0, (struct store_page){0, 1}, &list, &n, e);
    store_reader_put(app->readers, s);
    if (rc)
        return rc;
    *ret_there = n > 0;
    if (n > 0)
        str_copy(ret_id, ID_TEXT, list[0].id);
    free(list);
    return 0;
}

struct paths {
    char *iron, *runner, *admin;
};

static void paths_release(struct paths *p)
{
    free(p->iron);
    free(p->runner);
    free(p->admin);
}

static int create(struct app *app, const struct paths *p, const struct bootstrap_conf *c,
                  struct iron *iron, struct err *e)
{
    char runner[256], admin[256];
    uint8_t hash[3][SHA256_BYTES];
    if (!iron->there) {
        new_token(iron->token, sizeof(iron->token));
        if (write_iron(p->iron, c, iron, e)) /* the project's id comes later */
            return e->code;
    }
    if (token_file(p->runner, runner, sizeof(runner), e) ||
        token_file(p->admin, admin, sizeof(admin), e))
        return e->code;
    sha256_bytes(iron->token, strlen(iron->token), hash[0]);
    sha256_bytes(runner, strlen(runner), hash[1]);
    sha256_bytes(admin, strlen(admin), hash[2]);
    struct op_bootstrap op;
    op_bootstrap_init(&op);
    op.project_hash = hash[0];
    op.runner_hash = hash[1];
    op.admin_hash = hash[2];
    return writer_run(app->writer, &op.w) ? (*e = op.w.err, e->code) : 0;
}

static void warn_missing(const char *path)
{
    AUTO(buf) struct buf text = BUF_INIT(BOUND_CONFIG_BYTES);
    struct err e;
    if (fs_read(path, &text, &e) == ERR_NOT_FOUND)
        log_warn("file is missing and its token cannot be had back, only its hash is kept path=%s",
                 path);
}

int bootstrap(struct app *app, const struct bootstrap_conf *c, struct err *e)
{
    AUTO(paths)
    struct paths p = {.iron = str_fmt("%s/iron.json", c->data_dir),
                      .runner = c->runner_token_file[0] ? str_dup(c->runner_token_file)
                                                        : str_fmt("%s/runner.token", c->data_dir),
                      .admin = str_fmt("%s/admin.token", c->data_dir)};
    struct iron iron;
    bool there;
    char project_id[ID_TEXT] = "";
    if (read_iron(p.iron, &iron, e) || first_project(app, project_id, &there, e))
        return e->code;
    if (!there) {
        if (create(app, &p, c, &iron, e) || first_project(app, project_id, &there, e))
            return err_wrap(e, "first start");
        iron.there = true;
    }
    if (!iron.there)
        warn_missing(p.iron);
    warn_missing(p.runner);
    warn_missing(p.admin);
    str_copy(iron.project_id, sizeof(iron.project_id), project_id);
    return iron.there ? write_iron(p.iron, c, &iron, e) : 0;
}
