/* help and version. */
#include "cli/command.h"

#include <stdio.h>

#include "cli/help.h"

#include "lib/banned.h"

static int run_help(const struct invocation *in, int *ret_exit, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(HELP_BYTES);
    (void)ret_exit;
    if (in->words->n == 0) {
        commands_help(in->program, &text);
    } else {
        const char *const name[] = {in->words->v[0], in->words->n > 1 ? in->words->v[1] : NULL,
                                    NULL};
        size_t used;
        const struct command *c = command_find(name, &used);
        if (!c || used < in->words->n)
            return err_set(e, ERR_USAGE, "there is no verb \"%s%s%s\"", name[0], name[1] ? " " : "",
                           name[1] ? name[1] : "");
        command_help(in->program, c, &text);
    }
    fputs(buf_str(&text), stdout);
    return 0;
}

const struct command cmd_help = {
    .name = "help",
    .group = GROUP_HERE,
    .words_usage = "[VERB]",
    .summary = "Say what the verbs do",
    .example = "help queue",
    .max_words = 2,
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
    .group = GROUP_HERE,
    .words_usage = "",
    .summary = "Print the version",
    .example = "version",
    .local = true,
    .args_bytes = sizeof(struct common),
    .run = run_version,
};
