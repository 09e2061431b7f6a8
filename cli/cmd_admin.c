/* project list, create, delete; token list, create, revoke: what an administrator's token may. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "cli/out.h"
#include "cli/table.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

/* ---- what they share ---- */

/* ask: a GET of a list; in JSON, or by `members` as the columns `titles`. */
static int ask(const struct common *common, const char *path, const char *list,
               const char *const *members, const char *const *titles, size_t n, struct err *e)
{
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    AUTO(table) struct table table;
    table_init(&table, titles, n);
    int rc = command_open(common, NULL, &c, e);
    if (rc == 0)
        rc = client_get(&c, path, &reply, e);
    if (rc < 0)
        return rc;
    const struct json *rows = json_member(reply.root, list);
    for (size_t i = 0; i < json_length(rows); i++)
        for (size_t m = 0; m < n; m++)
            table_add(&table, json_get_str(json_at(rows, i), members[m], ""), COLOUR_NONE);
    if (common->json)
        out_json(stdout, &reply.text);
    else
        table_print(&table, stdout);
    return 0;
}

/* change: one request; in JSON, or "<what> with id='…': <msg>". */
static int change(const struct common *common, const struct httpc_req *rq, const char *what,
                  const char *id, struct err *e)
{
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    int rc = command_open(common, NULL, &c, e);
    if (rc == 0)
        rc = client_send(&c, rq, &reply, e);
    if (rc == 0 && common->json)
        out_json(stdout, &reply.text);
    else if (rc == 0)
        out_line(stdout, "%s with id='%s': %s", what, id ? id : json_get_str(reply.root, "id", ""),
                 json_get_str(reply.root, "msg", ""));
    return rc;
}

static int delete_by_id(const struct invocation *in, const char *route, const char *what,
                        struct err *e)
{
    const char *id = in->words->v[0];
    autofree char *path = str_fmt("%s/%s", route, id);
    const struct httpc_req rq = {.method = "DELETE", .path = path};
    int rc = command_check_id(id, e);
    return rc == 0 ? change(in->args, &rq, what, id, e) : rc;
}

/* ---- projects ---- */

static int run_project_list(const struct invocation *in, int *ret_exit, struct err *e)
{
    static const char *const members[] = {"id", "name", "created_at"};
    static const char *const titles[] = {"ID", "NAME", "CREATED"};
    (void)ret_exit;
    return ask(in->args, "/2/projects?per_page=100", "projects", members, titles, ARRAY_LEN(titles),
               e);
}

static int run_project_create(const struct invocation *in, int *ret_exit, struct err *e)
{
    AUTO(buf) struct buf body = BUF_INIT(BOUND_CONFIG_BYTES);
    struct jsonw w = JSONW(&body);
    (void)ret_exit;
    jw_obj(&w, NULL);
    jw_str(&w, "name", in->words->v[0]);
    jw_obj_end(&w);
    if (buf_check(&body, "the request", e) < 0)
        return e->code;
    const struct httpc_req rq = {
        .method = "POST", .path = "/2/projects", .body = body.data, .body_len = body.len};
    return change(in->args, &rq, "Project", NULL, e);
}

static int run_project_delete(const struct invocation *in, int *ret_exit, struct err *e)
{
    (void)ret_exit;
    return delete_by_id(in, "/2/projects", "Project", e);
}

const struct command cmd_project_list = {
    .name = "project list",
    .group = GROUP_ADMIN,
    .words_usage = "",
    .summary = "List the projects that the token may see",
    .example = "project list --token-file admin.token",
    .args_bytes = sizeof(struct common),
    .run = run_project_list,
};

const struct command cmd_project_create = {
    .name = "project create",
    .group = GROUP_ADMIN,
    .words_usage = "NAME",
    .summary = "Make a project",
    .details = "It needs a token of its own: 'token create'.\n",
    .example = "project create reports --token-file admin.token",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_project_create,
};

const struct command cmd_project_delete = {
    .name = "project delete",
    .group = GROUP_ADMIN,
    .words_usage = "ID",
    .summary = "Delete a project without codes, and its tokens",
    .example = "project delete 5f0c6a1e9b2d4c0007a1b2c0 --token-file admin.token",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_project_delete,
};

/* ---- tokens ---- */

static int run_token_list(const struct invocation *in, int *ret_exit, struct err *e)
{
    static const char *const members[] = {"id", "scope", "name", "project_id", "created_at"};
    static const char *const titles[] = {"ID", "SCOPE", "NAME", "PROJECT", "CREATED"};
    (void)ret_exit;
    return ask(in->args, "/2/tokens?per_page=100", "tokens", members, titles, ARRAY_LEN(titles), e);
}

struct token_args {
    struct common common;
    const char *scope, *name, *project;
};

static const struct flag token_flags[] = {
    FLAG_CHOICE(0, "scope", struct token_args, scope, "project|runner|admin",
                "what it opens (project)"),
    FLAG_STR('n', "name", struct token_args, name, "TEXT", "what it is for, shown in the list"),
    FLAG_STR(0, "for-project", struct token_args, project, "ID",
             "which project it opens (the configured one)"),
};

static void preset_token(void *args)
{
    ((struct token_args *)args)->scope = "project";
}

static int create_token(struct client *c, const struct token_args *a, struct reply *ret,
                        struct err *e)
{
    AUTO(buf) struct buf body = BUF_INIT(BOUND_CONFIG_BYTES);
    struct jsonw w = JSONW(&body);
    jw_obj(&w, NULL);
    jw_str(&w, "scope", a->scope);
    if (strcmp(a->scope, "project") == 0)
        jw_str(&w, "project_id", a->project ? a->project : c->project_id);
    if (a->name)
        jw_str(&w, "name", a->name);
    jw_obj_end(&w);
    if (buf_check(&body, "the request", e) < 0)
        return e->code;
    return client_post(c, "/2/tokens", body.data, body.len, ret, e);
}

static int run_token_create(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct token_args *a = in->args;
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    (void)ret_exit;
    if (a->project && strcmp(a->scope, "project") != 0)
        return err_set(e, ERR_USAGE, "--for-project goes with --scope project alone");
    int rc = command_open(&a->common, NULL, &c, e);
    if (rc == 0)
        rc = create_token(&c, a, &reply, e);
    if (rc < 0)
        return rc;
    if (a->common.json) {
        out_json(stdout, &reply.text);
        return 0;
    }
    out_line(stderr, "Token with id='%s', shown this once:", json_get_str(reply.root, "id", ""));
    out_text(stdout, json_get_str(reply.root, "token", ""));
    return 0;
}

static int run_token_revoke(const struct invocation *in, int *ret_exit, struct err *e)
{
    (void)ret_exit;
    return delete_by_id(in, "/2/tokens", "Token", e);
}

const struct command cmd_token_list = {
    .name = "token list",
    .group = GROUP_ADMIN,
    .words_usage = "",
    .summary = "List tokens, without what they are",
    .example = "token list --token-file admin.token",
    .args_bytes = sizeof(struct common),
    .run = run_token_list,
};

const struct command cmd_token_create = {
    .name = "token create",
    .group = GROUP_ADMIN,
    .words_usage = "",
    .summary = "Make a token; it alone goes to stdout, this once",
    .example = "token create --scope runner --name 'node 2' --token-file admin.token",
    .flags = {token_flags, ARRAY_LEN(token_flags)},
    .args_bytes = sizeof(struct token_args),
    .preset = preset_token,
    .run = run_token_create,
};

const struct command cmd_token_revoke = {
    .name = "token revoke",
    .group = GROUP_ADMIN,
    .words_usage = "ID",
    .summary = "Make a token a wrong one",
    .example = "token revoke 5f0c6a1e9b2d4c0007a1b2c1 --token-file admin.token",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_token_revoke,
};
