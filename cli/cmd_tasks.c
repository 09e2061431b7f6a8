/* tasks: a page of the list, newest first. */
#include "cli/command.h"

#include <inttypes.h>
#include <stdlib.h>

#include "api/task.h"
#include "cli/out.h"
#include "cli/table.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#include "lib/banned.h"

#define TASK_STATUSES "queued|preparing|running|complete|error|cancelled|timeout"

struct tasks_args {
    struct common common;
    struct words status;
    const char *code, *label;
    int64_t per_page, page;
};

static const struct flag flags[] = {
    FLAG_CHOICES('s', "status", struct tasks_args, status, TASK_STATUSES, "tasks in this state"),
    FLAG_STR('c', "code", struct tasks_args, code, "NAME", "tasks of this code"),
    FLAG_STR('l', "label", struct tasks_args, label, "TEXT", "tasks with this label"),
    FLAG_INT('n', "per-page", struct tasks_args, per_page, 1, BOUND_PER_PAGE, "N", "how many (30)"),
    FLAG_INT(0, "page", struct tasks_args, page, 0, BOUND_PAGE, "N", "which page, from 0"),
};

static void preset(void *args)
{
    ((struct tasks_args *)args)->per_page = 30;
}

static void add_filter(struct buf *path, const char *key, const char *value)
{
    if (!value)
        return;
    buf_addf(path, "&%s=", key);
    httpc_escape(path, value);
}

static int list_path(const struct client *c, const struct tasks_args *a, struct buf *path,
                     struct err *e)
{
    client_path(c, path, "/tasks?page=%" PRId64 "&per_page=%" PRId64, a->page, a->per_page);
    add_filter(path, "code_name", a->code);
    add_filter(path, "label", a->label);
    for (size_t i = 0; i < a->status.n; i++)
        buf_addf(path, "&%s=1", a->status.v[i]);
    return buf_check(path, "the request", e);
}

static enum colour colour_of(enum task_state state)
{
    static const enum colour colours[TASK_STATES] = {[TASK_RUNNING] = COLOUR_CYAN,
                                                     [TASK_COMPLETE] = COLOUR_GREEN,
                                                     [TASK_ERROR] = COLOUR_RED,
                                                     [TASK_TIMEOUT] = COLOUR_RED,
                                                     [TASK_CANCELLED] = COLOUR_YELLOW};
    return colours[state];
}

/* How long it ran, or has run. */
static const char *duration(const struct task *t, int64_t now_us, char word[OUT_WORD])
{
    if (t->start_us == 0)
        return "-";
    return out_span((t->end_us != 0 ? t->end_us : now_us) - t->start_us, word);
}

static void add_task(struct table *table, const struct task *t, int64_t now_us)
{
    char word[OUT_WORD];
    table_add(table, t->id, COLOUR_NONE);
    table_add(table, t->code_name ? t->code_name : "", COLOUR_NONE);
    table_add(table, task_state_own_name(t->state), colour_of(t->state));
    table_add(table, out_age(t->created_us, now_us, word), COLOUR_NONE);
    table_add(table, duration(t, now_us, word), COLOUR_NONE);
    table_add(table, t->label ? t->label : "", COLOUR_NONE);
}

static int print_tasks(const struct json *list, struct err *e)
{
    static const char *const titles[] = {"ID", "CODE", "STATUS", "AGE", "DURATION", "LABEL"};
    AUTO(table) struct table table;
    int64_t now_us = clock_now_us();
    table_init(&table, titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < json_length(list); i++) {
        AUTO(task) struct task t = {0};
        if (task_decode(json_at(list, i), &t, e) < 0)
            return err_wrap(e, "task %zu of the list", i);
        add_task(&table, &t, now_us);
    }
    table_print(&table, stdout);
    return 0;
}

static int run(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct tasks_args *a = in->args;
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    (void)ret_exit;
    int rc = command_open(&a->common, NULL, &c, e);
    if (rc == 0)
        rc = list_path(&c, a, &path, e);
    if (rc == 0)
        rc = client_get(&c, buf_str(&path), &reply, e);
    if (rc < 0)
        return rc;
    if (!a->common.json)
        return print_tasks(json_member(reply.root, "tasks"), e);
    out_json(stdout, &reply.text);
    return 0;
}

const struct command cmd_tasks = {
    .name = "tasks",
    .group = GROUP_TASKS,
    .words_usage = "",
    .summary = "List tasks, newest first",
    .example = "tasks --status running --status queued -n 20",
    .flags = {flags, ARRAY_LEN(flags)},
    .args_bytes = sizeof(struct tasks_args),
    .preset = preset,
    .run = run,
};
