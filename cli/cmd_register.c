/* worker upload, register: codes in an image, as the Go client uploads and prints them. */
#include "cli/command.h"

#include <string.h>

#include "cli/out.h"
#include "cli/upload.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define COMMAND_BYTES BOUND_CONFIG_BYTES

#define GO_UPLOAD_FLAGS                                                                            \
    FLAG_STR(0, "name", struct upload_args, want.name, "NAME", "name of the code"),                \
        FLAG_INT(0, "max-concurrency", struct upload_args, max_concurrency, 0,                     \
                 UPLOAD_MAX_CONCURRENCY, "N", "tasks of this code at a time; 0 = no limit"),       \
        FLAG_INT(0, "retries", struct upload_args, retries, 0, BOUND_RETRIES, "N",                 \
                 "how often a failed task is tried again"),                                        \
        FLAG_TIME(0, "retries-delay", struct upload_args, retries_delay_ms,                        \
                  BOUND_DELAY_S * 1000LL, "wait before each retry"),                               \
        FLAG_INT(0, "default-priority", struct upload_args, priority, 0, 2, "N",                   \
                 "priority of its tasks"),                                                         \
        FLAG_STR(0, "config", struct upload_args, config_text, "TEXT",                             \
                 "configuration handed to every task"),                                            \
        FLAG_STR(0, "config-file", struct upload_args, config_file, "FILE",                        \
                 "the same from a file"),                                                          \
        FLAG_LIST('e', "env", struct upload_args, env, "NAME=VALUE",                               \
                  "environment variable of every task; without \"=\": section of iron.json")

/* What the two say. */
struct go_words {
    const char *sending, *sent;
};

/* join: the words behind the image, which are its command. */
static void join(const struct words *words, struct buf *out)
{
    for (size_t i = 1; i < words->n; i++)
        buf_addf(out, "%s%s", i > 1 ? " " : "", words->v[i]);
}

/* pack: the zip if there is one, else the image alone. */
static int pack(const struct upload_args *a, struct package *ret, struct err *e)
{
    if (a->zip)
        return package_make(a->zip, &a->want, ret, e);
    *ret = (struct package){
        .fd = -1,
        .name = str_dup(a->want.name),
        .command = a->want.command[0] ? str_dup(a->want.command) : NULL,
    };
    return 0;
}

/* send: `a` with the image, the name and the command in it. */
static int send(const struct upload_args *a, const struct go_words *words, struct err *e)
{
    struct common common = a->common;
    FILE *say = common.json ? NULL : stdout;
    AUTO(buf) struct buf env = BUF_INIT(BOUND_ENV_BYTES * 2);
    AUTO(package) struct package p = {.fd = -1};
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    int rc = upload_split_env(&a->env, &common.env, &env, e);
    if (rc == 0)
        rc = pack(a, &p, e);
    if (rc == 0)
        rc = command_open_go(&common, say, &c, e);
    if (rc < 0)
        return rc;
    out_step(say, "%s worker '%s'", words->sending, p.name);
    rc = upload_send(&c, a, &p, &env, &reply, e);
    if (rc == 0 && !say)
        out_json(stdout, &reply.text);
    else if (rc == 0)
        out_line(say, "%s code package with id='%s'", words->sent,
                 json_get_str(reply.root, "id", ""));
    return rc;
}

/* ---- worker upload ---- */

static const struct flag upload_flags[] = {
    GO_UPLOAD_FLAGS,
    FLAG_STR(0, "zip", struct upload_args, zip, "FILE", "package that is unpacked in the image"),
};

static int run_upload(const struct invocation *in, int *ret_exit, struct err *e)
{
    static const struct go_words words = {"Uploading", "Uploaded"};
    struct upload_args a = *(const struct upload_args *)in->args;
    AUTO(buf) struct buf command = BUF_INIT(COMMAND_BYTES);
    (void)ret_exit;
    if (!a.want.name)
        return err_set(e, ERR_USAGE, "must specify -name for your worker");
    join(in->words, &command);
    a.want.image = in->words->v[0];
    a.want.command = buf_str(&command);
    return send(&a, &words, e);
}

const struct command cmd_worker_upload = {
    .name = "worker upload",
    .group = GROUP_GO,
    .words_usage = "IMAGE [COMMAND…]",
    .summary = "Upload a code that runs COMMAND in IMAGE, with a zip or without",
    .example = "worker upload -name hello -zip hello.zip -e GREETING=hi acme/ruby ruby hello.rb",
    .min_words = 1,
    .max_words = SIZE_MAX,
    .words_end_flags = true,
    .flags = {upload_flags, ARRAY_LEN(upload_flags)},
    .args_bytes = sizeof(struct upload_args),
    .preset = upload_args_preset,
    .run = run_upload,
};

/* ---- register ---- */

static const struct flag register_flags[] = {GO_UPLOAD_FLAGS};

/* name_of: the image without its tag; a colon before a slash is a port. */
static char *name_of(const char *image)
{
    const char *slash = strrchr(image, '/');
    const char *tag = strchr(slash ? slash : image, ':');
    return str_dupn(image, tag ? (size_t)(tag - image) : strlen(image));
}

static int run_register(const struct invocation *in, int *ret_exit, struct err *e)
{
    static const struct go_words words = {"Registering", "Registered"};
    struct upload_args a = *(const struct upload_args *)in->args;
    AUTO(buf) struct buf command = BUF_INIT(COMMAND_BYTES);
    autofree char *name = name_of(in->words->v[0]);
    (void)ret_exit;
    join(in->words, &command);
    a.want.image = in->words->v[0];
    a.want.command = buf_str(&command);
    if (!a.want.name)
        a.want.name = name;
    return send(&a, &words, e);
}

const struct command cmd_register = {
    .name = "register",
    .group = GROUP_GO,
    .words_usage = "IMAGE [COMMAND…]",
    .summary = "Make a code of an image, named like it",
    .example = "register -retries 2 acme/thumb:2",
    .min_words = 1,
    .max_words = SIZE_MAX,
    .words_end_flags = true,
    .flags = {register_flags, ARRAY_LEN(register_flags)},
    .args_bytes = sizeof(struct upload_args),
    .preset = upload_args_preset,
    .run = run_register,
};
