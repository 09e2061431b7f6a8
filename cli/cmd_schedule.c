/* schedule, update schedule: make a schedule, change it. Neighbour: cmd_schedules.c. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "cli/out.h"
#include "cli/schedule_args.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

/* ---- schedule ---- */

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
    int rc = schedule_args_request(a, name, NULL, &body, e);
    if (rc == 0)
        rc = command_open(&a->common, say, &c, e);
    if (rc < 0)
        return rc;
    out_group(say, "Scheduling task");
    client_path(&c, &path, "/schedules");
    rc = client_post(&c, buf_str(&path), body.data, body.len, &reply, e);
    if (rc < 0)
        return rc;
    const char *id = reply_schedule_id(&reply);
    if (!id[0])
        return err_set(e, ERR_PROTOCOL, "the server's answer has no schedule id");
    if (!say)
        out_json(stdout, &reply.text);
    out_line(say, "Code package '%s' scheduled with id='%s'", name, id);
    out_line(say, "See it with '%s info schedule %s'", in->program, id);
    return 0;
}

static const struct flag schedule_flags[] = {SCHEDULE_FLAGS};

const struct command cmd_schedule = {
    .name = "schedule",
    .group = GROUP_SCHEDULES,
    .words_usage = "NAME",
    .summary = "Queue tasks of the code NAME at times",
    .details = "Without a word about times it runs once, at once.\n",
    .example =
        "schedule hello --cron '0 9 * * mon-fri' --zone Europe/Berlin --label 'Daily report'",
    .min_words = 1,
    .max_words = 1,
    .flags = {schedule_flags, ARRAY_LEN(schedule_flags)},
    .args_bytes = sizeof(struct schedule_args),
    .preset = schedule_args_preset,
    .run = run_schedule,
};

/* ---- update ---- */

/* encode_changes: what -s says, or what the flags do. */
static int encode_changes(const struct schedule_args *a, struct buf *out, struct err *e)
{
    AUTO(buf) struct buf payload = BUF_INIT(BOUND_JSON_BODY_BYTES);
    bool given = a->payload.text || a->payload.file;
    struct jsonw w = JSONW(out);
    int rc = given ? payload_read(&a->payload, &payload, e) : 0;
    if (rc < 0)
        return rc;
    jw_obj(&w, NULL);
    rc = schedule_args_encode(a, given ? &payload : NULL, &w, e);
    jw_obj_end(&w);
    if (rc < 0)
        return rc;
    bool flags_say = strcmp(buf_str(out), "{}") != 0;
    if (!flags_say == !a->changes)
        return err_set(e, ERR_USAGE, "what changes? say it by --schedule JSON or by flags");
    if (!a->changes)
        return buf_check(out, "the request", e);
    autojson struct json *root = NULL;
    rc = json_parse(a->changes, strlen(a->changes), BOUND_JSON_DEPTH, &root, e);
    if (rc < 0)
        return err_wrap(e, "--schedule");
    buf_clear(out);
    buf_adds(out, a->changes);
    return buf_check(out, "the request", e);
}

static int run_update(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct schedule_args *a = in->args;
    const char *id = in->words->v[0];
    FILE *say = a->common.json ? NULL : stdout;
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(buf) struct buf body = BUF_INIT(BOUND_JSON_BODY_BYTES * 2);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    (void)ret_exit;
    int rc = command_check_id(id, e);
    if (rc == 0)
        rc = encode_changes(a, &body, e);
    if (rc == 0)
        rc = command_open(&a->common, say, &c, e);
    if (rc < 0)
        return rc;
    out_group(say, "Updating scheduled task with id=%s", id);
    client_path(&c, &path, "/schedules/%s", id);
    const struct httpc_req rq = {
        .method = "PUT", .path = buf_str(&path), .body = body.data, .body_len = body.len};
    rc = client_send(&c, &rq, &reply, e);
    if (rc < 0)
        return rc;
    if (!say)
        out_json(stdout, &reply.text);
    bool updated = strcmp(json_get_str(reply.root, "msg", ""), "Updated") == 0;
    out_line(say, "%s", updated ? "Scheduled task updated successfully" : "Something went wrong");
    return 0;
}

static const struct flag update_flags[] = {
    FLAG_STR('s', "schedule", struct schedule_args, changes, "JSON", "the members that change"),
    SCHEDULE_FLAGS,
};

const struct command cmd_update_schedule = {
    .name = "update schedule",
    .group = GROUP_SCHEDULES,
    .words_usage = "ID",
    .summary = "Change a schedule, which keeps its id",
    .details = "An empty text takes a label, an end or a cron expression away.\n",
    .example = "update schedule 5f0c7d009b2d4c0007a1c0aa --label nightly --run-every 1h",
    .min_words = 1,
    .max_words = 1,
    .flags = {update_flags, ARRAY_LEN(update_flags)},
    .args_bytes = sizeof(struct schedule_args),
    .preset = schedule_args_preset,
    .run = run_update,
};
