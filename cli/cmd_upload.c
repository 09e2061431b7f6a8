/* upload: make a package, send it, say what became of it. Neighbours: package.c, upload.c. */
#include "cli/command.h"

#include <string.h>

#include "cli/follow.h"
#include "cli/out.h"
#include "cli/package.h"
#include "cli/upload.h"
#include "cli/wait.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

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
    FLAG_STR(0, "build", struct upload_args, want.build, "COMMAND",
             "shell command that runs in the package's folder on the server; what it leaves is "
             "the package"),
    FLAG_STR(0, "worker-config", struct upload_args, config_file, "FILE",
             "configuration handed to every task"),
    FLAG_STR(0, "worker-config-text", struct upload_args, config_text, "TEXT",
             "the same, given here"),
    FLAG_LIST('e', "env", struct upload_args, env, "NAME=VALUE",
              "environment variable of every task; without \"=\": section of iron.json"),
    FLAG_INT('c', "max-concurrency", struct upload_args, max_concurrency, 0, UPLOAD_MAX_CONCURRENCY,
             "N", "tasks of this code at a time; 0 = no limit"),
    FLAG_INT('r', "retries", struct upload_args, retries, 0, BOUND_RETRIES, "N",
             "how often a failed task is tried again"),
    FLAG_TIME('d', "retries-delay", struct upload_args, retries_delay_ms, BOUND_DELAY_S * 1000LL,
              "wait before each retry"),
    FLAG_INT('p', "default-priority", struct upload_args, priority, 0, 2, "N",
             "priority of its tasks"),
};

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

/* await_build: follows the task that makes the package, when there is one. Only the revision that
 * was current before can be told of a failure; *ret_exit is as the build's. */
static int await_build(struct client *c, const struct reply *reply, FILE *log, int *ret_exit,
                       struct err *e)
{
    AUTO(task) struct task t = {0};
    const char *id = json_get_str(reply->root, "build_task_id", "");
    int64_t rev = json_get_int(reply->root, "rev", 0);
    if (!id[0])
        return 0;
    out_group(stderr, "Building the package in task %s", id);
    int rc = follow_task(c, id, log, &t, e);
    if (rc < 0)
        return rc;
    *ret_exit = wait_exit_code(&t);
    if (*ret_exit == 0)
        return 0;
    if (t.exit_code > 0)
        out_group(stderr, "The build failed with exit code %lld", (long long)t.exit_code);
    else
        out_group(stderr, "The build failed: %s",
                  t.reason ? t.reason
                  : t.msg  ? t.msg
                           : task_state_own_name(t.state));
    if (rev > 0)
        out_line(stderr, "Revision %lld stays the current one", (long long)rev);
    else
        out_line(stderr, "There is no revision to run yet");
    return 0;
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
    AUTO(reply) struct reply reply = {0};
    int rc = upload_split_env(&a->env, &common.env, &env, e);
    if (rc == 0) /* what is wrong here is said before anybody is asked */
        rc = package_make(in->words->v[0], &a->want, &p, e);
    if (rc == 0)
        rc = command_open(&common, say, &c, e);
    if (rc < 0)
        return rc;
    warn(&p);
    out_group(say, "Creating code package");
    out_line(say, "Code package name is '%s'", p.name);
    out_group(say, "Uploading code package '%s'", p.name);
    rc = upload_send(&c, a, &p, &env, &reply, e);
    if (rc == 0)
        rc = await_build(&c, &reply, say ? stdout : stderr, ret_exit, e);
    if (rc == 0 && !say)
        out_json(stdout, &reply.text);
    else if (rc == 0 && *ret_exit == 0)
        rc = report(&c, &p, &reply, in->program, e);
    return rc;
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
        "its only script, or what --file-name or --command says.\n"
        "\n"
        "With --build, or a .worker file that needs a build, the server runs it as a task in the\n"
        "code's own stack, and its log is shown. If it fails, its exit code is ours, and the\n"
        "revision there was stays current. What was built of the same before is taken at once.\n",
    .example = "upload hello.py --name hello --retries 2 --env GREETING=hi",
    .min_words = 1,
    .max_words = 1,
    .flags = {flags, ARRAY_LEN(flags)},
    .args_bytes = sizeof(struct upload_args),
    .preset = upload_args_preset,
    .run = run,
};
