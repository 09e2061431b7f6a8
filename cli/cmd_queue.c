/* queue: one task; with --wait its log on stdout, byte for byte, and its exit code as ours. */
#include "cli/command.h"

#include "cli/out.h"
#include "cli/task_args.h"
#include "cli/wait.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

static const struct flag flags[] = {TASK_FLAGS};

static int run(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct task_args *a = in->args;
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
    rc = task_args_queue(&c, name, a, &payload, &reply, e);
    if (rc < 0)
        return rc;
    const char *id = reply_task_id(&reply, 0);
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
    .args_bytes = sizeof(struct task_args),
    .preset = task_args_preset,
    .run = run,
};
