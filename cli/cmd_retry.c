/* retry: the same task once more, as a task of its own. */
#include "cli/command.h"

#include <inttypes.h>

#include "cli/out.h"
#include "cli/task_args.h"
#include "cli/wait.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

#define SECOND_MS 1000

struct retry_args {
    struct common common;
    int64_t delay_ms;
    bool wait;
};

static const struct flag flags[] = {
    FLAG_TIME(0, "delay", struct retry_args, delay_ms, BOUND_DELAY_S * 1000LL,
              "how long it stays queued at least"),
    FLAG_BOOL('w', "wait", struct retry_args, wait, "follow its log and exit as it does"),
};

static int retry(struct client *c, const char *id, int64_t delay_ms, struct reply *ret,
                 struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(buf) struct buf body = BUF_INIT(BOUND_URL_BYTES);
    struct jsonw w = JSONW(&body);
    client_path(c, &path, "/tasks/%s/retry", id);
    jw_obj(&w, NULL);
    jw_int(&w, "delay", (delay_ms + SECOND_MS - 1) / SECOND_MS);
    jw_obj_end(&w);
    return client_post(c, buf_str(&path), body.data, body.len, ret, e);
}

static int run(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct retry_args *a = in->args;
    const char *id = in->words->v[0];
    FILE *say = a->common.json ? NULL : a->wait ? stderr : stdout;
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    if (a->wait && a->common.json)
        return err_set(e, ERR_USAGE, "--wait and --json exclude each other: both want stdout");
    int rc = command_check_id(id, e);
    if (rc == 0)
        rc = command_open(&a->common, say, &c, e);
    if (rc < 0)
        return rc;
    out_group(say, "Retrying task with id='%s'", id);
    rc = retry(&c, id, a->delay_ms, &reply, e);
    if (rc < 0)
        return rc;
    const char *new_id = reply_task_id(&reply, 0);
    if (!new_id[0])
        return err_set(e, ERR_PROTOCOL, "the server's answer has no task id");
    out_line(say, "Task retried with id='%s'", new_id);
    if (!say)
        out_json(stdout, &reply.text);
    if (a->wait)
        return wait_for_task(&c, new_id, ret_exit, e);
    out_line(say, "Follow its log with '%s log -f %s'", in->program, new_id);
    return 0;
}

const struct command cmd_retry = {
    .name = "retry",
    .group = GROUP_TASKS,
    .words_usage = "ID",
    .summary = "Queue a task with the same payload and settings as task ID",
    .example = "retry 5f0c7d009b2d4c0007a1c001 --delay 10m",
    .min_words = 1,
    .max_words = 1,
    .flags = {flags, ARRAY_LEN(flags)},
    .args_bytes = sizeof(struct retry_args),
    .run = run,
};
