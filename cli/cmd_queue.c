/* queue: one task; with --wait its log on stdout, byte for byte, and its exit code as ours. */
#include "cli/command.h"

#include "api/task.h"
#include "cli/out.h"
#include "cli/payload.h"
#include "cli/wait.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

#define SECOND_MS 1000

struct queue_args {
    struct common common;
    struct payload_source payload;
    const char *label, *cluster;
    int64_t priority, timeout_ms, delay_ms;
    bool wait;
};

static const struct flag flags[] = {
    FLAG_STR('p', "payload", struct queue_args, payload.text, "TEXT", "what the task is given"),
    FLAG_STR('f', "payload-file", struct queue_args, payload.file, "FILE",
             "the same from a file; - is stdin"),
    FLAG_STR(0, "encryption-key-file", struct queue_args, payload.key_file, "FILE",
             "encrypt the payload for the runner with this RSA public key (PEM)"),
    FLAG_STR(0, "encryption-key", struct queue_args, payload.key_text, "PEM",
             "the same, the key itself"),
    FLAG_INT(0, "priority", struct queue_args, priority, 0, 2, "N",
             "0, 1 or 2; higher comes first"),
    FLAG_TIME(0, "timeout", struct queue_args, timeout_ms, INT64_MAX,
              "how long it may run: seconds, or with m, h; 0 = the maximum"),
    FLAG_TIME(0, "delay", struct queue_args, delay_ms, BOUND_DELAY_S * 1000LL,
              "how long it stays queued at least"),
    FLAG_STR(0, "label", struct queue_args, label, "TEXT", "shown in lists"),
    FLAG_STR(0, "cluster", struct queue_args, cluster, "NAME", "runners that may take it"),
    FLAG_BOOL('w', "wait", struct queue_args, wait, "follow its log and exit as it does"),
};

static void preset(void *args)
{
    struct queue_args *a = args;
    a->priority = a->timeout_ms = -1;
}

/* ---- queueing ---- */

static int64_t whole_seconds(int64_t ms)
{
    return ms < 0 ? -1 : ms / SECOND_MS + (ms % SECOND_MS != 0);
}

static void encode_request(const char *code_name, const struct queue_args *a,
                           const struct buf *payload, struct buf *out)
{
    const struct task_new t = {
        .code_name = code_name,
        .payload = buf_str(payload),
        .payload_len = payload->len,
        .priority = a->priority,
        .timeout_s = whole_seconds(a->timeout_ms),
        .delay_s = whole_seconds(a->delay_ms),
        .cluster = a->cluster,
        .label = a->label,
    };
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    jw_arr(&w, "tasks");
    task_new_encode(&t, &w, NULL);
    jw_arr_end(&w);
    jw_obj_end(&w);
}

static int queue(struct client *c, const char *code_name, const struct queue_args *a,
                 const struct buf *payload, struct reply *ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(buf) struct buf body = BUF_INIT(BOUND_JSON_BODY_BYTES * 2);
    client_path(c, &path, "/tasks");
    encode_request(code_name, a, payload, &body);
    if (buf_check(&body, "the request", e) < 0)
        return e->code;
    return client_post(c, buf_str(&path), body.data, body.len, ret, e);
}

static int run(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct queue_args *a = in->args;
    const char *name = in->words->v[0];
    FILE *say = a->common.json ? NULL : a->wait ? stderr : stdout;
    AUTO(buf) struct buf payload = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    if (a->wait && a->common.json)
        return err_set(e, ERR_USAGE, "--wait and --json exclude each other: both want stdout");
    int rc = payload_read(&a->payload, &payload, e);
    if (rc == 0)
        rc = command_open(&a->common, say, &c, e);
    if (rc < 0)
        return rc;
    out_group(say, "Queueing task");
    rc = queue(&c, name, a, &payload, &reply, e);
    if (rc < 0)
        return rc;
    const char *id = json_get_str(json_at(json_member(reply.root, "tasks"), 0), "id", "");
    if (!id[0])
        return err_set(e, ERR_PROTOCOL, "the server's answer has no task id");
    out_line(say, "Code package '%s' queued with id='%s'", name, id);
    if (!say)
        out_json(stdout, &reply.text);
    if (a->wait)
        return wait_for_task(&c, id, ret_exit, e);
    out_line(say, "Follow its log with '%s log -f %s'", in->program, id);
    return 0;
}

const struct command cmd_queue = {
    .name = "queue",
    .group = GROUP_TASKS,
    .words_usage = "NAME",
    .summary = "Queue a task of the code NAME",
    .details =
        "With --wait the task's log goes to stdout as it is, everything else to stderr, and the\n"
        "exit code is the task's own; 124 after a timeout, 130 when cancelled, 125 when it\n"
        "could not be run. Ctrl-C stops following; the task goes on.\n",
    .example = "queue hello --payload '{\"n\":1}' --timeout 10m --label nightly --wait",
    .min_words = 1,
    .max_words = 1,
    .flags = {flags, ARRAY_LEN(flags)},
    .args_bytes = sizeof(struct queue_args),
    .preset = preset,
    .run = run,
};
