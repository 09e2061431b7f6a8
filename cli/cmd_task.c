/* status, info task, why, cancel: one task. */
#include "cli/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/task.h"
#include "cli/out.h"
#include "cli/rows.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#include "lib/banned.h"

static void task_path(const struct client *c, const char *id, const char *tail, struct buf *path)
{
    client_path(c, path, "/tasks/");
    httpc_escape(path, id);
    buf_adds(path, tail);
}

/* ---- status ---- */

static void print_times(const struct rows *r, const struct task *t)
{
    row_time(r, "queued", t->created_us);
    row_time(r, "started", t->start_us);
    row_time(r, "finished", t->end_us);
    if (t->start_us != 0)
        row_span(r, "duration", (t->end_us != 0 ? t->end_us : clock_now_us()) - t->start_us);
    row_span(r, "timeout", t->timeout_s * 1000000);
    if (t->delay_s > 0)
        row_span(r, "delay", t->delay_s * 1000000);
}

static void print_task(const struct rows *r, const struct task *t)
{
    char word[OUT_WORD];
    row_text(r, "id", t->id);
    row_text(r, "code package", t->code_name);
    row_int(r, "revision", t->code_rev);
    row_text(r, "status", task_state_own_name(t->state));
    row_text(r, "stopping", t->stopping ? "its container is being stopped" : NULL);
    if (t->exit_code >= 0)
        row_int(r, "exit code", t->exit_code);
    row_text(r, "reason", t->reason);
    row_text(r, "error class", t->error_class);
    row_text(r, "message", t->msg);
    row_text(r, "label", t->label);
    row_int(r, "priority", t->priority);
    row_text(r, "cluster", t->cluster);
    print_times(r, t);
    if (t->attempt > 0)
        row_int(r, "attempt", t->attempt);
    row_text(r, "image", t->image);
    row_text(r, "retried as", t->retry_task_id);
    row_text(r, "retry of", t->original_task_id);
    row_text(r, "schedule", t->schedule_id);
    row_text(r, "payload", t->payload);
    row_text(r, "log", out_bytes((uint64_t)t->log_bytes, word));
}

/* show: the task in rows or as JSON. `say`: what opens it, or NULL. */
static int show(const struct invocation *in, FILE *say, const char *indent, struct err *e)
{
    const struct common *common = in->args;
    const struct rows rows = {stdout, indent};
    const char *id = in->words->v[0];
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    AUTO(task) struct task t = {0};
    int rc = command_check_id(id, e);
    if (rc == 0)
        rc = command_open(common, say, &c, e);
    if (rc < 0)
        return rc;
    out_group(say, "Getting task info");
    task_path(&c, id, "", &path);
    rc = client_get(&c, buf_str(&path), &reply, e);
    if (rc == 0 && common->json)
        out_json(stdout, &reply.text);
    else if (rc == 0 && (rc = task_decode(reply.root, &t, e)) == 0)
        print_task(&rows, &t);
    return rc;
}

static int run_status(const struct invocation *in, int *ret_exit, struct err *e)
{
    (void)ret_exit;
    return show(in, NULL, "", e);
}

const struct command cmd_status = {
    .name = "status",
    .group = GROUP_TASKS,
    .words_usage = "ID",
    .summary = "Show what is known about a task",
    .example = "status 5f0c7d009b2d4c0007a1c001",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_status,
};

static int run_info(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct common *common = in->args;
    (void)ret_exit;
    return show(in, common->json ? NULL : stdout, OUT_INDENT, e);
}

const struct command cmd_info_task = {
    .name = "info task",
    .group = GROUP_TASKS,
    .words_usage = "ID",
    .summary = "The same as status, in iron_worker's words",
    .example = "info task 5f0c7d009b2d4c0007a1c001",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_info,
};

/* ---- why ---- */

static int run_why(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct common *common = in->args;
    const char *id = in->words->v[0];
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    (void)ret_exit;
    int rc = command_check_id(id, e);
    if (rc == 0)
        rc = command_open(common, NULL, &c, e);
    if (rc < 0)
        return rc;
    task_path(&c, id, "/why", &path);
    rc = client_get(&c, buf_str(&path), &reply, e);
    if (rc < 0)
        return rc;
    if (common->json) {
        out_json(stdout, &reply.text);
        return 0;
    }
    const struct json *details = json_member(reply.root, "details");
    out_text(stdout, json_get_str(reply.root, "reason", ""));
    for (size_t i = 0; i < json_length(details); i++)
        out_line(stdout, "%s", json_string(json_at(details, i), NULL));
    return 0;
}

const struct command cmd_why = {
    .name = "why",
    .group = GROUP_TASKS,
    .words_usage = "ID",
    .summary = "Say why a task is not running, or how it ended",
    .example = "why 5f0c7d009b2d4c0007a1c001",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_why,
};

/* ---- cancel ---- */

#define MAX_CANCEL 1000

static int cancel(struct client *c, const char *id, bool json, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(reply) struct reply reply = {0};
    task_path(c, id, "/cancel", &path);
    int rc = client_post(c, buf_str(&path), "{}", 2, &reply, e);
    if (rc == 0 && json)
        out_json(stdout, &reply.text);
    else if (rc == 0)
        out_line(stdout, "Task with id='%s' cancelled", id);
    return rc;
}

static int run_cancel(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct common *common = in->args;
    AUTO(client) struct client c = {0};
    int rc = 0;
    (void)ret_exit;
    for (size_t i = 0; i < in->words->n && rc == 0; i++) /* all or none by mistake */
        rc = command_check_id(in->words->v[i], e);
    if (rc == 0)
        rc = command_open(common, NULL, &c, e);
    for (size_t i = 0; i < in->words->n && rc == 0; i++)
        rc = cancel(&c, in->words->v[i], common->json, e);
    return rc;
}

const struct command cmd_cancel = {
    .name = "cancel",
    .group = GROUP_TASKS,
    .words_usage = "ID…",
    .summary = "Cancel tasks, queued or running",
    .example = "cancel 5f0c7d009b2d4c0007a1c001",
    .min_words = 1,
    .max_words = MAX_CANCEL,
    .args_bytes = sizeof(struct common),
    .run = run_cancel,
};
