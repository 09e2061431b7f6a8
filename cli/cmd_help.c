/* help and version. */
#include "cli/command.h"

#include <stdio.h>

#include "lib/banned.h"

#define HELP_BYTES (64u << 10)

static int run_help(const struct invocation *in, int *ret_exit, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(HELP_BYTES);
    (void)ret_exit;
    if (in->words->n == 0) {
        commands_help(in->program, &text);
    } else {
        const struct command *c = command_find(in->words->v[0]);
        if (!c)
            return err_set(e, ERR_USAGE, "there is no verb \"%s\"", in->words->v[0]);
        command_help(in->program, c, &text);
    }
    fputs(buf_str(&text), stdout);
    return 0;
}

const struct command cmd_help = {
    .name = "help",
    .words_usage = "[VERB]",
    .summary = "Say what the verbs do",
    .example = "help queue",
    .max_words = 1,
    .local = true,
    .args_bytes = sizeof(struct common),
    .run = run_help,
};

static int run_version(const struct invocation *in, int *ret_exit, struct err *e)
{
    (void)in, (void)ret_exit, (void)e;
    puts("wrought " WROUGHT_VERSION);
    return 0;
}

const struct command cmd_version = {
    .name = "version",
    .words_usage = "",
    .summary = "Print the version",
    .example = "version",
    .local = true,
    .args_bytes = sizeof(struct common),
    .run = run_version,
};
