/* Help as text. The manual pages say the same in another form: man.c. */
#include "cli/help.h"

#include <string.h>

#include "lib/banned.h"

void command_help(const char *program, const struct command *c, struct buf *out)
{
    buf_addf(out, "Usage: %s %s%s%s [FLAGS]\n\n%s.\n", program, c->name,
             c->words_usage[0] ? " " : "", c->words_usage, c->summary);
    if (c->details)
        buf_addf(out, "\n%s", c->details);
    if (c->flags.n > 0) {
        buf_adds(out, "\nFlags:\n");
        flags_help(&c->flags, NULL, out);
    }
    if (!c->local) {
        buf_adds(out, "\nConnection:\n");
        flags_help(&command_connection_flags, &c->flags, out);
    }
    buf_addf(out, "\nExample:\n  %s %s\n", program, c->example);
}

static size_t longest_name(void)
{
    size_t longest = 0;
    for (size_t i = 0; commands[i]; i++) {
        size_t len = strlen(commands[i]->name);
        longest = len > longest ? len : longest;
    }
    return longest;
}

void commands_help(const char *program, struct buf *out)
{
    int width = (int)longest_name();
    buf_addf(out, "Usage: %s VERB [WORDS] [FLAGS]\n", program);
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        if (i == 0 || c->group != commands[i - 1]->group)
            buf_addf(out, "\n%s:\n", command_group_titles[c->group]);
        buf_addf(out, "  %-*s  %s\n", width, c->name, c->summary);
    }
    buf_addf(out,
             "\n'%s help VERB' says more. The server and the project are found in flags,\n"
             "--config FILE, ./iron.json, IRON_WORKER_* and IRON_* variables, and ~/.iron.json.\n",
             program);
}
