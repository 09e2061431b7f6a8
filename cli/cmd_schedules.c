/* schedules and what is done with one: info, cancel, pause, resume, trigger, firings. */
#include "cli/command.h"

#include <inttypes.h>
#include <string.h>

#include "cli/out.h"
#include "cli/rows.h"
#include "cli/table.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/str.h"

#include "lib/banned.h"

/* ---- lists ---- */

struct list_args {
    struct common common;
    const char *code, *label;
    int64_t per_page, page;
};

static const struct flag list_flags[] = {
    FLAG_INT('n', "per-page", struct list_args, per_page, 1, BOUND_PER_PAGE, "N", "how many (30)"),
    FLAG_INT(0, "page", struct list_args, page, 0, BOUND_PAGE, "N", "which page, from 0"),
    FLAG_STR('c', "code", struct list_args, code, "NAME", "schedules of this code"),
    FLAG_STR('l', "label", struct list_args, label, "TEXT", "schedules with this label"),
};
#define FIRINGS_FLAGS 2 /* the first of them */

static void preset(void *args)
{
    ((struct list_args *)args)->per_page = 30;
}

static void add_filter(struct buf *path, const char *key, const char *value)
{
    if (!value)
        return;
    buf_addf(path, "&%s=", key);
    httpc_escape(path, value);
}

/* list: one page; `print` gets its rows, unless JSON is asked for. */
static int list(const struct list_args *a, const char *route, const char *member,
                void (*print)(const struct json *rows), struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    int rc = command_open(&a->common, NULL, &c, e);
    if (rc < 0)
        return rc;
    client_path(&c, &path, "%s?page=%" PRId64 "&per_page=%" PRId64, route, a->page, a->per_page);
    add_filter(&path, "code_name", a->code);
    add_filter(&path, "label", a->label);
    rc = client_get(&c, buf_str(&path), &reply, e);
    if (rc == 0 && a->common.json)
        out_json(stdout, &reply.text);
    else if (rc == 0)
        print(json_member(reply.root, member));
    return rc;
}

/* time_of: as the server wrote it; "-" for the unset time. */
static const char *time_of(const struct json *object, const char *key)
{
    const char *text = json_get_str(object, key, "");
    return !text[0] || str_starts(text, "0001-") ? "-" : text;
}

static const char *rhythm(const struct json *schedule, char word[OUT_WORD])
{
    int64_t every_s = json_get_int(schedule, "run_every", 0);
    const char *cron = json_get_str(schedule, "cron", "");
    if (cron[0])
        return cron;
    return every_s > 0 ? out_span(every_s * 1000000, word) : "once";
}

static void add_schedule(struct table *table, const struct json *s)
{
    char word[OUT_WORD];
    const char *status = json_get_str(s, "status", "");
    bool paused = json_get_bool(s, "paused", false);
    bool failed = strcmp(status, "error") == 0;
    table_add(table, json_get_str(s, "id", ""), COLOUR_NONE);
    table_add(table, json_get_str(s, "code_name", ""), COLOUR_NONE);
    table_add(table, paused ? "paused" : status,
              paused   ? COLOUR_YELLOW
              : failed ? COLOUR_RED
                       : COLOUR_NONE);
    table_add(table, rhythm(s, word), COLOUR_NONE);
    table_add(table, time_of(s, "next_start"), COLOUR_NONE);
    snprintf(word, sizeof(word), "%" PRId64, json_get_int(s, "run_count", 0));
    table_add(table, word, COLOUR_NONE);
    table_add(table, json_get_str(s, "label", ""), COLOUR_NONE);
}

static void print_schedules(const struct json *rows)
{
    static const char *const titles[] = {"ID", "CODE", "STATUS", "EVERY", "NEXT", "RUNS", "LABEL"};
    AUTO(table) struct table table;
    table_init(&table, titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < json_length(rows); i++)
        add_schedule(&table, json_at(rows, i));
    table_print(&table, stdout);
}

static int run_list(const struct invocation *in, int *ret_exit, struct err *e)
{
    (void)ret_exit;
    return list(in->args, "/schedules", "schedules", print_schedules, e);
}

const struct command cmd_schedules = {
    .name = "schedules",
    .group = GROUP_SCHEDULES,
    .words_usage = "",
    .summary = "List schedules, newest first",
    .example = "schedules --code hello -n 100",
    .flags = {list_flags, ARRAY_LEN(list_flags)},
    .args_bytes = sizeof(struct list_args),
    .preset = preset,
    .run = run_list,
};

static void print_firings(const struct json *rows)
{
    static const char *const titles[] = {"DUE", "FIRED", "OUTCOME", "TASK", "NOTE"};
    AUTO(table) struct table table;
    table_init(&table, titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < json_length(rows); i++) {
        const struct json *f = json_at(rows, i);
        table_add(&table, time_of(f, "due_at"), COLOUR_NONE);
        table_add(&table, time_of(f, "fired_at"), COLOUR_NONE);
        table_add(&table, json_get_str(f, "outcome", ""), COLOUR_NONE);
        table_add(&table, json_get_str(f, "task_id", "-"), COLOUR_NONE);
        table_add(&table, json_get_str(f, "note", ""), COLOUR_NONE);
    }
    table_print(&table, stdout);
}

static int run_firings(const struct invocation *in, int *ret_exit, struct err *e)
{
    AUTO(buf) struct buf route = BUF_INIT(BOUND_URL_BYTES);
    (void)ret_exit;
    int rc = command_check_id(in->words->v[0], e);
    buf_addf(&route, "/schedules/%s/firings", in->words->v[0]);
    return rc == 0 ? list(in->args, buf_str(&route), "firings", print_firings, e) : rc;
}

const struct command cmd_schedules_firings = {
    .name = "schedules firings",
    .group = GROUP_SCHEDULES,
    .words_usage = "ID",
    .summary = "List when a schedule was due and what became of it",
    .example = "schedules firings 5f0c7d009b2d4c0007a1c0aa",
    .min_words = 1,
    .max_words = 1,
    .flags = {list_flags, FIRINGS_FLAGS},
    .args_bytes = sizeof(struct list_args),
    .preset = preset,
    .run = run_firings,
};

/* ---- info ---- */

static void print_schedule(const struct json *s)
{
    static const char *const policies[] = {"zone", "overlap", "catch_up"};
    const struct rows rows = {stdout, OUT_INDENT};
    char word[OUT_WORD];
    row_text(&rows, "id", json_get_str(s, "id", ""));
    row_text(&rows, "code package", json_get_str(s, "code_name", ""));
    row_text(&rows, "status", json_get_str(s, "status", ""));
    row_text(&rows, "paused", json_get_bool(s, "paused", false) ? "yes" : NULL);
    row_text(&rows, "message", json_get_str(s, "msg", ""));
    row_text(&rows, "label", json_get_str(s, "label", ""));
    row_text(&rows, "created", time_of(s, "created_at"));
    row_text(&rows, "next start", time_of(s, "next_start"));
    row_text(&rows, "last run", time_of(s, "last_run_time"));
    row_int(&rows, "run count", json_get_int(s, "run_count", 0));
    row_text(&rows, "every", rhythm(s, word));
    row_text(&rows, "start at", time_of(s, "start_at"));
    row_text(&rows, "end at", time_of(s, "end_at"));
    row_int(&rows, "run times", json_get_int(s, "run_times", 0));
    for (size_t i = 0; i < ARRAY_LEN(policies); i++)
        row_text(&rows, policies[i], json_get_str(s, policies[i], ""));
    row_int(&rows, "priority", json_get_int(s, "priority", 0));
    row_span(&rows, "timeout", json_get_int(s, "timeout", 0) * 1000000);
    row_text(&rows, "cluster", json_get_str(s, "cluster", ""));
    row_text(&rows, "payload", json_get_str(s, "payload", ""));
}

static int run_info(const struct invocation *in, int *ret_exit, struct err *e)
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
        rc = command_open(common, say, &c, e);
    if (rc < 0)
        return rc;
    out_group(say, "Getting schedule info");
    client_path(&c, &path, "/schedules/%s", id);
    rc = client_get(&c, buf_str(&path), &reply, e);
    if (rc == 0 && !say)
        out_json(stdout, &reply.text);
    else if (rc == 0)
        print_schedule(reply.root);
    return rc;
}

const struct command cmd_info_schedule = {
    .name = "info schedule",
    .group = GROUP_SCHEDULES,
    .words_usage = "ID",
    .summary = "Show what is known about a schedule",
    .example = "info schedule 5f0c7d009b2d4c0007a1c0aa",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_info,
};

/* ---- one word to a schedule ---- */

/* tell: POSTs to …/schedules/ID/<the verb's second word>. */
static int tell(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct common *common = in->args;
    const char *id = in->words->v[0];
    const char *action = strchr(in->command->name, ' ') + 1;
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    (void)ret_exit;
    int rc = command_check_id(id, e);
    if (rc == 0)
        rc = command_open(common, NULL, &c, e);
    if (rc < 0)
        return rc;
    client_path(&c, &path, "/schedules/%s/%s", id, action);
    rc = client_post(&c, buf_str(&path), "{}", 2, &reply, e);
    if (rc == 0 && common->json)
        out_json(stdout, &reply.text);
    else if (rc == 0)
        out_line(stdout, "Schedule with id='%s': %s", id, json_get_str(reply.root, "msg", ""));
    return rc;
}

#define SCHEDULE_VERB(word, text)                                                                  \
    {                                                                                              \
        .name = "schedules " word, .group = GROUP_SCHEDULES, .words_usage = "ID", .summary = text, \
        .example = "schedules " word " 5f0c7d009b2d4c0007a1c0aa", .min_words = 1, .max_words = 1,  \
        .args_bytes = sizeof(struct common), .run = tell                                           \
    }

const struct command cmd_schedules_cancel =
    SCHEDULE_VERB("cancel", "End a schedule; tasks that it queued stay");
const struct command cmd_schedules_pause =
    SCHEDULE_VERB("pause", "Let nothing become due until it is resumed");
const struct command cmd_schedules_resume = SCHEDULE_VERB("resume", "Go on with a paused schedule");
const struct command cmd_schedules_trigger =
    SCHEDULE_VERB("trigger", "Let it fire now, by its own rules");
