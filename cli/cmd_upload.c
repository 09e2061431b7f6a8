/* upload: make a package, send it, say what became of it. Neighbours: package.c, upload_body.c. */
#include "cli/command.h"

#include <string.h>

#include "api/code.h"
#include "cli/out.h"
#include "cli/package.h"
#include "cli/progress.h"
#include "cli/upload_body.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

#define SECOND_MS       1000
#define STALL_MS        60000 /* a connection that moves nothing for so long is dead */
#define MAX_CONCURRENCY 1000000

struct upload_args {
    struct common common;
    struct package_want want;
    const char *config_text, *config_file;
    struct words env; /* NAME=VALUE; else a section of the configuration file, as -e always is */
    int64_t max_concurrency, retries, retries_delay_ms, priority;
};

static const struct flag flags[] = {
    FLAG_STR('n', "name", struct upload_args, want.name, "NAME",
             "name of the code (default: that of the file or folder)"),
    FLAG_STR(0, "stack", struct upload_args, want.stack, "STACK",
             "stack to run in ('stacks' lists them; a script's own language is the default)"),
    FLAG_STR(0, "image", struct upload_args, want.image, "IMAGE", "Docker image to run in"),
    FLAG_STR(0, "command", struct upload_args, want.command, "COMMAND", "command that starts it"),
    FLAG_STR(0, "runtime", struct upload_args, want.runtime, "RUNTIME",
             "interpreter: sh, python, ruby, node, php, perl"),
    FLAG_STR(0, "file-name", struct upload_args, want.file_name, "FILE",
             "script in the package that the runtime starts"),
    FLAG_STR(0, "worker-config", struct upload_args, config_file, "FILE",
             "configuration handed to every task"),
    FLAG_STR(0, "worker-config-text", struct upload_args, config_text, "TEXT",
             "the same, given here"),
    FLAG_LIST('e', "env", struct upload_args, env, "NAME=VALUE",
              "environment variable of every task; without \"=\": section of iron.json"),
    FLAG_INT('c', "max-concurrency", struct upload_args, max_concurrency, 0, MAX_CONCURRENCY, "N",
             "tasks of this code at a time; 0 = no limit"),
    FLAG_INT('r', "retries", struct upload_args, retries, 0, BOUND_RETRIES, "N",
             "how often a failed task is tried again"),
    FLAG_TIME('d', "retries-delay", struct upload_args, retries_delay_ms, BOUND_DELAY_S * 1000LL,
              "wait before each retry"),
    FLAG_INT('p', "priority", struct upload_args, priority, 0, 2, "N", "priority of its tasks"),
};

static void preset(void *args)
{
    struct upload_args *a = args;
    a->max_concurrency = a->retries = a->retries_delay_ms = a->priority = CODE_UNSET;
}

/* ---- what the request says ---- */

/* split_env: variables into a JSON object in `out`; a word without "=" is the section. */
static int split_env(const struct words *env, const char **ret_section, struct buf *out,
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

/* report: id and revision; the reply carries only the id. */
static int report(struct client *c, const struct package *p, const struct reply *reply,
                  const char *program, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(reply) struct reply code = {0};
    const char *id = json_get_str(reply->root, "id", "");
    client_path(c, &path, "/codes/");
    httpc_escape(&path, id);
    int rc = client_get(c, buf_str(&path), &code, e);
    if (rc < 0)
        return rc;
    out_line(stdout, "Code package uploaded with id='%s' and revision='%lld'", id,
             (long long)json_get_int(code.root, "rev", 0));
    out_line(stdout, "Queue a task with '%s queue %s'", program, p->name);
    return 0;
}

static int upload(const struct invocation *in, const struct package *p, const struct buf *env,
                  struct client *c, struct err *e)
{
    const struct upload_args *a = in->args;
    FILE *say = a->common.json ? NULL : stdout;
    AUTO(buf) struct buf data = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(upload_body) struct upload_body body = {.fd = -1};
    AUTO(reply) struct reply reply = {0};
    autofree char *zip_name = str_fmt("%s.zip", p->name);
    int rc = describe(a, p, env, &data, e);
    if (rc == 0)
        rc = upload_body_make(buf_str(&data), data.len, p->fd, zip_name, &body, e);
    if (rc < 0)
        return rc;
    out_group(say, "Uploading code package '%s'", p->name);
    if (say)
        (void)fflush(say); /* before the bar; a failure is seen at the end */
    rc = send(c, &body, &reply, e);
    if (rc == 0 && say)
        rc = report(c, p, &reply, in->program, e);
    else if (rc == 0)
        out_json(stdout, &reply.text);
    return rc;
}

/* warn: on stderr, so that --json stays JSON. */
static void warn(const struct package *p)
{
    for (const char *line = p->warnings; line && *line;) {
        size_t len = strcspn(line, "\n");
        out_line(stderr, "Warning: %.*s", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static int run(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct upload_args *a = in->args;
    struct common common = a->common;
    FILE *say = common.json ? NULL : stdout;
    AUTO(buf) struct buf env = BUF_INIT(BOUND_ENV_BYTES * 2);
    AUTO(package) struct package p = {.fd = -1};
    AUTO(client) struct client c = {0};
    (void)ret_exit;
    int rc = split_env(&a->env, &common.env, &env, e);
    if (rc == 0) /* what is wrong here is said before anybody is asked */
        rc = package_make(in->words->v[0], &a->want, &p, e);
    if (rc == 0)
        rc = command_open(&common, say, &c, e);
    if (rc < 0)
        return rc;
    warn(&p);
    out_group(say, "Creating code package");
    out_line(say, "Code package name is '%s'", p.name);
    return upload(in, &p, &env, &c, e);
}

const struct command cmd_upload = {
    .name = "upload",
    .group = GROUP_CODES,
    .words_usage = "PATH",
    .summary = "Upload a folder, a zip, a script or a .worker file's package",
    .details =
        "PATH is a folder, a zip file, a single script, or a .worker file, whose ending may be\n"
        "left out: 'upload hello' takes hello.worker. With --image it may also be just a name:\n"
        "the image is then all there is. What starts a folder is its script main.* or NAME.*,\n"
        "its only script, or what --file-name or --command says.\n",
    .example = "upload hello.py --name hello --retries 2 --env GREETING=hi",
    .min_words = 1,
    .max_words = 1,
    .flags = {flags, ARRAY_LEN(flags)},
    .args_bytes = sizeof(struct upload_args),
    .preset = preset,
    .run = run,
};
