/* worker queue, schedule, status, log: the verbs of the Go client, `iron`, and what it printed. Its
 * exit code was 0 whatever the server said; ours are those of every verb. */
#include "cli/command.h"

#include <stdio.h>

#include "cli/follow.h"
#include "cli/out.h"
#include "cli/schedule_args.h"
#include "cli/task_args.h"
#include "cli/wait.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

#define MAX_COUNT 1000

/* ---- queue ---- */

static const struct flag queue_flags[] = {
    TASK_FLAGS,
    FLAG_INT('n', "count", struct task_args, count, 1, MAX_COUNT, "N", "so many tasks alike"),
};

/* wait_as_iron: its lines and the log, both on stdout; then our exit code. */
static int wait_as_iron(struct client *c, const char *id, int *ret_exit, struct err *e)
{
    AUTO(task) struct task t = {0};
    out_step(stdout, "Waiting for task to start running");
    out_step(stdout, "Printing Log:");
    int rc = follow_task(c, id, stdout, &t, e);
    if (rc < 0)
        return rc;
    out_step(stdout, "Done");
    int code = wait_exit_code(&t);
    if (code != 0)
        fprintf(stderr, "error running task: %s\n", t.msg ? t.msg : task_state_name(t.state));
    if (*ret_exit == 0)
        *ret_exit = code;
    return 0;
}

static int run_queue(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct task_args *a = in->args;
    const char *name = in->words->v[0];
    FILE *say = a->common.json ? NULL : stdout;
    AUTO(buf) struct buf payload = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    if (a->wait && a->common.json)
        return err_set(e, ERR_USAGE, "--wait and --json exclude each other: both want stdout");
    int rc = payload_read(&a->payload, &payload, e);
    if (rc == 0)
        rc = command_open_go(&a->common, say, &c, e);
    if (rc < 0)
        return rc;
    out_step(say, "Queueing task '%s'", name);
    rc = task_args_queue(&c, name, a, &payload, &reply, e);
    if (rc < 0)
        return rc;
    if (!say)
        out_json(stdout, &reply.text);
    for (size_t i = 0; reply_task_id(&reply, i)[0]; i++)
        out_line(say, "Queued task with id='%s'", reply_task_id(&reply, i));
    for (size_t i = 0; a->wait && rc == 0 && reply_task_id(&reply, i)[0]; i++)
        rc = wait_as_iron(&c, reply_task_id(&reply, i), ret_exit, e);
    return rc;
}

const struct command cmd_worker_queue = {
    .name = "worker queue",
    .group = GROUP_GO,
    .words_usage = "NAME",
    .summary = "Queue tasks of the code NAME",
    .details = "With -wait the exit code is that of the first task that did not succeed.\n",
    .example = "worker queue -payload '{\"n\":1}' -n 3 -wait hello",
    .min_words = 1,
    .max_words = 1,
    .flags = {queue_flags, ARRAY_LEN(queue_flags)},
    .args_bytes = sizeof(struct task_args),
    .preset = task_args_preset,
    .run = run_queue,
};

/* ---- schedule ---- */

static const struct flag schedule_flags[] = {
    SCHEDULE_FLAGS,
    FLAG_INT(0, "max-concurrency", struct schedule_args, max_concurrency, 0, INT32_MAX, "N",
             "sent as the Go client does; it has no effect"),
};

static int run_schedule(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct schedule_args *a = in->args;
    const char *name = in->words->v[0];
    FILE *say = a->common.json ? NULL : stdout;
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(buf) struct buf body = BUF_INIT(BOUND_JSON_BODY_BYTES * 2);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    (void)ret_exit;
    int rc = schedule_args_request(a, name, "{}", &body, e);
    if (rc == 0)
        rc = command_open_go(&a->common, say, &c, e);
    if (rc < 0)
        return rc;
    out_step(say, "Scheduling task '%s'", name);
    client_path(&c, &path, "/schedules");
    rc = client_post(&c, buf_str(&path), body.data, body.len, &reply, e);
    if (rc == 0 && !say)
        out_json(stdout, &reply.text);
    else if (rc == 0)
        out_line(say, "Scheduled task with id='%s'", reply_schedule_id(&reply));
    return rc;
}

const struct command cmd_worker_schedule = {
    .name = "worker schedule",
    .group = GROUP_GO,
    .words_usage = "NAME",
    .summary = "Queue tasks of the code NAME at times",
    .example = "worker schedule -run-every 3600 -start-at 2015-01-01T00:00:00Z hello",
    .min_words = 1,
    .max_words = 1,
    .flags = {schedule_flags, ARRAY_LEN(schedule_flags)},
    .args_bytes = sizeof(struct schedule_args),
    .preset = schedule_args_preset,
    .run = run_schedule,
};

/* ---- status ---- */

static int run_status(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct common *common = in->args;
    const char *id = in->words->v[0];
    FILE *say = common->json ? NULL : stdout;
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    (void)ret_exit;
    int rc = command_check_id(id, e);
    if (rc == 0)
        rc = command_open_go(common, say, &c, e);
    if (rc < 0)
        return rc;
    out_step(say, "Getting status of task with id='%s'", id);
    client_path(&c, &path, "/tasks/%s", id);
    rc = client_get(&c, buf_str(&path), &reply, e);
    if (rc == 0 && !say)
        out_json(stdout, &reply.text);
    else if (rc == 0)
        out_line(say, "%s", json_get_str(reply.root, "status", ""));
    return rc;
}

const struct command cmd_worker_status = {
    .name = "worker status",
    .group = GROUP_GO,
    .words_usage = "ID",
    .summary = "Print the state of a task, a word",
    .example = "worker status 5f0c7d009b2d4c0007a1c001",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_status,
};
