/* queue: one task; with --wait its log on stdout, byte for byte, and its exit code as ours. */
#include "cli/command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/task.h"
#include "cli/follow.h"
#include "cli/out.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/crypto_payload.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

#define SECOND_MS  1000
#define READ_BYTES (64u << 10)

struct queue_args {
    struct common common;
    const char *payload, *payload_file, *key_text, *key_file, *label, *cluster;
    int64_t priority, timeout_ms, delay_ms;
    bool wait;
};

static const struct flag flags[] = {
    FLAG_STR('p', "payload", struct queue_args, payload, "TEXT", "what the task is given"),
    FLAG_STR('f', "payload-file", struct queue_args, payload_file, "FILE",
             "the same from a file; - is stdin"),
    FLAG_STR(0, "encryption-key-file", struct queue_args, key_file, "FILE",
             "encrypt the payload for the runner with this RSA public key (PEM)"),
    FLAG_STR(0, "encryption-key", struct queue_args, key_text, "PEM", "the same, the key itself"),
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

/* ---- payload ---- */

static int read_stdin(struct buf *out, struct err *e)
{
    for (;;) {
        char *room = buf_reserve(out, READ_BYTES);
        ssize_t n = room ? read(STDIN_FILENO, room, READ_BYTES) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_os(e, ERR_IO, errno, "read the payload from stdin");
        if (n == 0)
            return buf_check(out, "the payload", e);
        buf_commit(out, (size_t)n);
    }
}

static int read_payload(const struct queue_args *a, struct buf *out, struct err *e)
{
    int rc = 0;
    if (a->payload && a->payload_file)
        return err_set(e, ERR_USAGE, "--payload and --payload-file exclude each other");
    if (a->payload)
        buf_adds(out, a->payload);
    else if (a->payload_file && strcmp(a->payload_file, "-") == 0)
        rc = read_stdin(out, e);
    else if (a->payload_file)
        rc = fs_read(a->payload_file, out, e);
    if (rc < 0)
        return rc;
    return buf_check(out, "the payload", e);
}

static int check_plain(const struct buf *payload, struct err *e)
{
    if (payload->len > 0 && memchr(payload->data, '\0', payload->len))
        return err_set(e, ERR_INVALID, "the payload holds a NUL byte; send it as base64");
    if (!str_is_utf8(buf_str(payload), payload->len))
        return err_set(e, ERR_INVALID, "the payload is not UTF-8 text; send it as base64");
    return 0;
}

/* encrypt: whatever bytes the payload has, what goes out is text. */
static int encrypt(const struct queue_args *a, struct buf *payload, struct err *e)
{
    AUTO(buf) struct buf pem = BUF_INIT(PAYLOAD_KEY_PEM_BYTES);
    AUTO(buf) struct buf text = BUF_INIT(payload->max);
    autopayloadkey struct payload_key *key = NULL;
    if (a->key_text && a->key_file)
        return err_set(e, ERR_USAGE,
                       "--encryption-key and --encryption-key-file exclude each other");
    if (a->key_text)
        buf_adds(&pem, a->key_text);
    else if (fs_read(a->key_file, &pem, e) < 0)
        return e->code;
    if (buf_check(&pem, "the encryption key", e) < 0)
        return e->code;
    if (payload_key_public(buf_str(&pem), pem.len, &key, e) < 0)
        return err_wrap(e, "%s", a->key_text ? "--encryption-key" : a->key_file);
    if (payload_encrypt(key, buf_str(payload), payload->len, &text, e) < 0)
        return e->code;
    buf_clear(payload);
    buf_add(payload, text.data, text.len);
    return 0;
}

/* make_payload: what is sent. */
static int make_payload(const struct queue_args *a, struct buf *out, struct err *e)
{
    int rc = read_payload(a, out, e);
    if (rc < 0)
        return rc;
    return a->key_text || a->key_file ? encrypt(a, out, e) : check_plain(out, e);
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

/* ---- waiting ---- */

/* exit_code: DESIGN §3. An error without an exit code is not the task's own doing. */
static int exit_code(const struct task *t)
{
    switch (t->state) {
    case TASK_COMPLETE:
        return 0;
    case TASK_TIMEOUT:
        return err_exit_code(ERR_TIMEOUT);
    case TASK_CANCELLED:
        return err_exit_code(ERR_CANCELLED);
    default:
        return t->exit_code > 0 ? (int)t->exit_code : err_exit_code(ERR_INTERNAL);
    }
}

static int wait_for(struct client *c, const char *id, int *ret_exit, struct err *e)
{
    AUTO(task) struct task t = {0};
    int rc = follow_task(c, id, stdout, &t, e);
    if (rc < 0)
        return rc;
    out_group(stderr, "Task ended: %s", task_state_own_name(t.state));
    if (t.exit_code > 0)
        out_line(stderr, "exit code %lld", (long long)t.exit_code);
    else if (t.state != TASK_COMPLETE && (t.reason || t.msg))
        out_line(stderr, "%s", t.reason ? t.reason : t.msg);
    *ret_exit = exit_code(&t);
    return 0;
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
    int rc = make_payload(a, &payload, e);
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
        return wait_for(&c, id, ret_exit, e);
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
