/* codes and stacks: what there is to run, and to run it in. */
#include "cli/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/code.h"
#include "cli/out.h"
#include "cli/table.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#include "lib/banned.h"

/* ---- codes ---- */

struct codes_args {
    struct common common;
    int64_t per_page, page;
};

static const struct flag codes_flags[] = {
    FLAG_INT('n', "per-page", struct codes_args, per_page, 1, BOUND_PER_PAGE, "N", "how many (30)"),
    FLAG_INT(0, "page", struct codes_args, page, 0, BOUND_PAGE, "N", "which page, from 0"),
};

static void preset(void *args)
{
    ((struct codes_args *)args)->per_page = 30;
}

static const char *runs_in(const struct code *c)
{
    return c->image ? c->image : c->stack ? c->stack : c->runtime ? c->runtime : "-";
}

static const char *concurrency(const struct code *c, char word[OUT_WORD])
{
    if (c->paused)
        return "paused";
    if (c->max_concurrency == 0)
        return "-";
    snprintf(word, OUT_WORD, "%" PRId64, c->max_concurrency);
    return word;
}

static void add_code(struct table *table, const struct code *c, int64_t now_us)
{
    char word[OUT_WORD];
    table_add(table, c->id, COLOUR_NONE);
    table_add(table, c->name, COLOUR_NONE);
    snprintf(word, sizeof(word), "%" PRId64, c->rev);
    table_add(table, word, COLOUR_NONE);
    table_add(table, concurrency(c, word), c->paused ? COLOUR_YELLOW : COLOUR_NONE);
    table_add(table, out_age(c->latest_change_us, now_us, word), COLOUR_NONE);
    table_add(table, runs_in(c), COLOUR_NONE);
}

static int print_codes(const struct json *list, struct err *e)
{
    static const char *const titles[] = {"ID", "NAME", "REVISION", "LIMIT", "CHANGED", "RUNS IN"};
    AUTO(table) struct table table;
    int64_t now_us = clock_now_us();
    table_init(&table, titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < json_length(list); i++) {
        AUTO(code) struct code c = {0};
        if (code_decode(json_at(list, i), &c, e) < 0)
            return err_wrap(e, "code %zu of the list", i);
        add_code(&table, &c, now_us);
    }
    table_print(&table, stdout);
    return 0;
}

static int run_codes(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct codes_args *a = in->args;
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    (void)ret_exit;
    int rc = command_open(&a->common, NULL, &c, e);
    if (rc < 0)
        return rc;
    client_path(&c, &path, "/codes?page=%" PRId64 "&per_page=%" PRId64, a->page, a->per_page);
    rc = client_get(&c, buf_str(&path), &reply, e);
    if (rc < 0)
        return rc;
    if (!a->common.json)
        return print_codes(json_member(reply.root, "codes"), e);
    out_json(stdout, &reply.text);
    return 0;
}

const struct command cmd_codes = {
    .name = "codes",
    .group = GROUP_CODES,
    .words_usage = "",
    .summary = "List code packages",
    .example = "codes -n 100",
    .flags = {codes_flags, ARRAY_LEN(codes_flags)},
    .args_bytes = sizeof(struct codes_args),
    .preset = preset,
    .run = run_codes,
};

/* The list under the name that it has in most command lines. */
const struct command cmd_list = {
    .name = "list",
    .group = GROUP_CODES,
    .words_usage = "",
    .summary = "The same as codes",
    .example = "list --json",
    .flags = {codes_flags, ARRAY_LEN(codes_flags)},
    .args_bytes = sizeof(struct codes_args),
    .preset = preset,
    .run = run_codes,
};

/* ---- stacks ---- */

static int run_stacks(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct common *common = in->args;
    FILE *say = common->json ? NULL : stdout;
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    (void)ret_exit;
    int rc = command_open(common, say, &c, e);
    if (rc == 0)
        rc = client_get(&c, "/2/stacks", &reply, e);
    if (rc < 0)
        return rc;
    if (!say)
        out_json(stdout, &reply.text);
    out_group(say, "List of available stacks");
    for (size_t i = 0; say && i < json_length(reply.root); i++) {
        const char *name = json_string(json_at(reply.root, i), NULL);
        if (name) {
            fputs("* ", say);
            out_text(say, name);
        }
    }
    return 0;
}

const struct command cmd_stacks = {
    .name = "stacks",
    .group = GROUP_CODES,
    .words_usage = "",
    .summary = "List the stacks that the runners have",
    .example = "stacks",
    .args_bytes = sizeof(struct common),
    .run = run_stacks,
};
