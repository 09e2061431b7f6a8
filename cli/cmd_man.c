/* man: wrought(1), from the table of verbs. `make` writes the page with it. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/roff.h"

#include "lib/banned.h"

#define PAGE_BYTES (256u << 10)
#define LINE_BYTES 1024

/* DESIGN's contract; lib/err.c maps errors to them. */
static const struct {
    const char *code, *meaning;
} exits[] = {
    {"0", "success"},
    {"64", "wrong usage"},
    {"65", "input that the server or the program refuses"},
    {"66", "what was named is not there"},
    {"69", "no server can be reached"},
    {"75", "the server cannot just now: try again"},
    {"77", "no token, or one that may not do this"},
    {"124", "a timeout; with --wait, the task's"},
    {"125", "with --wait, the task could not be run; else a failure of the machinery"},
    {"130", "interrupted; with --wait, the task was cancelled"},
};

static const struct {
    const char *name, *meaning;
} places[] = {
    {"./iron.json, ~/.iron.json",
     "host, port, scheme, token and project_id, as every Iron client reads them. A section "
     "iron_worker overrides the top level; --env names a section that wraps everything."},
    {"IRON_WORKER_TOKEN, IRON_TOKEN, …",
     "the same by variables: HOST, PORT, SCHEME, TOKEN, PROJECT_ID. They stand between the two "
     "files."},
    {"NO_COLOR", "when set, tables have no colours on a terminal either."},
};

static void add_flags(struct buf *out, const struct flag_table *table)
{
    AUTO(buf) struct buf usage = BUF_INIT(LINE_BYTES);
    for (size_t i = 0; i < table->n; i++) {
        buf_clear(&usage);
        flag_usage(&table->flags[i], &usage);
        roff_item(out, buf_str(&usage), table->flags[i].opt.help);
    }
}

static void add_verb(struct buf *out, const struct command *c)
{
    AUTO(buf) struct buf line = BUF_INIT(LINE_BYTES);
    buf_addf(&line, "%s%s%s", c->name, c->words_usage[0] ? " " : "", c->words_usage);
    roff_subsection(out, buf_str(&line));
    buf_clear(&line);
    buf_addf(&line, "%s.", c->summary);
    roff_text(out, buf_str(&line));
    if (c->details)
        roff_text(out, c->details);
    add_flags(out, &c->flags);
    buf_clear(&line);
    buf_addf(&line, "wrought %s", c->example);
    roff_example(out, buf_str(&line));
}

static void add_ends(struct buf *out)
{
    roff_section(out, "ENVIRONMENT AND FILES");
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        roff_item(out, places[i].name, places[i].meaning);
    roff_section(out, "EXIT STATUS");
    for (size_t i = 0; i < ARRAY_LEN(exits); i++)
        roff_item(out, exits[i].code, exits[i].meaning);
    roff_text(out, "With --wait a task that ran to its end gives its own exit code.");
    roff_see_also(out, "wrought-server(8), wrought-runner(8)");
}

static int run(const struct invocation *in, int *ret_exit, struct err *e)
{
    AUTO(buf) struct buf out = BUF_INIT(PAGE_BYTES);
    (void)in, (void)ret_exit;
    roff_open(&out, "wrought", 1, "upload code, queue tasks, follow their logs",
              "wrought VERB [WORDS] [FLAGS]");
    roff_section(&out, "DESCRIPTION");
    roff_text(&out, "The command line of Wrought, a self-hosted task runner. It answers to "
                    "iron_worker as well. Flags may stand anywhere behind the verb, their long "
                    "names behind one dash or two; connection flags also before it. Data goes to "
                    "stdout, notices of a followed task to stderr.");
    for (size_t i = 0; commands[i]; i++) {
        if (i == 0 || commands[i]->group != commands[i - 1]->group)
            roff_section(&out, command_group_titles[commands[i]->group]);
        add_verb(&out, commands[i]);
    }
    roff_section(&out, "CONNECTION FLAGS");
    roff_text(&out, "Every verb that talks to the server has them.");
    add_flags(&out, &command_connection_flags);
    add_ends(&out);
    fputs(buf_str(&out), stdout);
    return buf_check(&out, "the page", e);
}

const struct command cmd_man = {
    .name = "man",
    .group = GROUP_HERE,
    .words_usage = "",
    .summary = "Print the manual page as roff",
    .example = "man",
    .local = true,
    .args_bytes = sizeof(struct common),
    .run = run,
};
