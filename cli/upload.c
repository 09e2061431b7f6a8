/* Uploads. Neighbours: package.c, upload_body.c. */
#include "cli/upload.h"

#include <stdio.h>
#include <string.h>

#include "api/code.h"
#include "cli/progress.h"
#include "cli/upload_body.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

#define SECOND_MS 1000
#define STALL_MS  60000 /* a connection that moves nothing for so long is dead */

void upload_args_preset(void *args)
{
    struct upload_args *a = args;
    a->max_concurrency = a->retries = a->retries_delay_ms = a->priority = CODE_UNSET;
}

/* ---- what the request says ---- */

int upload_split_env(const struct words *env, const char **ret_section, struct buf *out,
                     struct err *e)
{
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    for (size_t i = 0; i < env->n; i++) {
        const char *equals = strchr(env->v[i], '=');
        if (!equals && *ret_section)
            return err_set(e, ERR_USAGE, "--env \"%s\": a variable is given as NAME=VALUE",
                           env->v[i]);
        if (!equals) {
            *ret_section = env->v[i];
            continue;
        }
        autofree char *name = str_dupn(env->v[i], (size_t)(equals - env->v[i]));
        if (!name[0] || !str_is_utf8(env->v[i], strlen(env->v[i])))
            return err_set(e, ERR_USAGE, "--env must be NAME=VALUE in UTF-8");
        jw_str(&w, name, equals + 1);
    }
    jw_obj_end(&w);
    return buf_check(out, "--env", e);
}

static int read_config(const struct upload_args *a, struct buf *out, struct err *e)
{
    if (a->config_file && a->config_text)
        return err_set(e, ERR_USAGE, "--worker-config and --worker-config-text exclude each other");
    if (a->config_text)
        buf_adds(out, a->config_text);
    int rc = a->config_file ? fs_read(a->config_file, out, e) : 0;
    if (rc == 0)
        rc = buf_check(out, "the worker's configuration", e);
    if (rc == 0 && !str_is_utf8(buf_str(out), out->len))
        rc = err_set(e, ERR_INVALID, "the worker's configuration is not UTF-8 text");
    return rc;
}

/* describe: the `data` part. */
static int describe(const struct upload_args *a, const struct package *p, const struct buf *env,
                    struct buf *out, struct err *e)
{
    AUTO(buf) struct buf config = BUF_INIT(BOUND_CONFIG_BYTES);
    autojson struct json *env_vars = NULL;
    int rc = read_config(a, &config, e);
    if (rc == 0)
        rc = json_parse(buf_str(env), env->len, BOUND_JSON_DEPTH, &env_vars, e);
    if (rc < 0)
        return rc;
    const struct code_upload u = {
        .name = p->name,
        .image = a->want.image,
        .command = p->command,
        .runtime = p->runtime,
        .file_name = p->file_name,
        .stack = p->stack,
        .build = p->build,
        .config = buf_str(&config),
        .env_vars = a->env.n > 0 ? env_vars : NULL,
        .max_concurrency = a->max_concurrency,
        .retries = a->retries,
        .retries_delay_s = a->retries_delay_ms < 0
                               ? CODE_UNSET
                               : (a->retries_delay_ms + SECOND_MS - 1) / SECOND_MS,
        .default_priority = a->priority,
        .timeout_s = CODE_UNSET,
    };
    struct jsonw w = JSONW(out);
    code_upload_encode(&u, &w);
    return buf_check(out, "the upload's description", e);
}

/* ---- sending ---- */

static void on_sent(uint64_t sent, uint64_t total, void *arg)
{
    progress_update(arg, sent, total);
}

static int send(struct client *c, const struct upload_body *body, struct reply *ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    struct progress progress;
    client_path(c, &path, "/codes");
    progress_init(&progress);
    const struct httpc_req rq = {
        .method = "POST",
        .path = buf_str(&path),
        .content_type = body->content_type,
        .body_fd = body->fd,
        .body_fd_len = body->bytes,
        .timeout_ms = -1, /* as long as it moves */
        .stall_timeout_ms = STALL_MS,
        .on_sent = on_sent,
        .arg = &progress,
    };
    int rc = client_send(c, &rq, ret, e);
    progress_done(&progress);
    return rc;
}

int upload_send(struct client *c, const struct upload_args *a, const struct package *p,
                const struct buf *env, struct reply *ret, struct err *e)
{
    AUTO(buf) struct buf data = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(upload_body) struct upload_body body = {.fd = -1};
    autofree char *zip_name = str_fmt("%s.zip", p->name);
    int rc = describe(a, p, env, &data, e);
    if (rc == 0)
        rc = upload_body_make(buf_str(&data), data.len, p->fd, zip_name, &body, e);
    (void)fflush(stdout); /* before the bar; a failure is seen at the end */
    return rc == 0 ? send(c, &body, ret, e) : rc;
}
