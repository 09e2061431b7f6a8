/* Candidates from the table of verbs: verbs, flags, and the values of flags that have few. */
#include "cli/complete.h"

#include <string.h>

#include "cli/command.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define NAME_BYTES 64

struct completion {
    const char *current;
    struct buf *out;
};

static void add(const struct completion *c, const char *candidate, const char *description)
{
    if (str_starts(candidate, c->current))
        buf_addf(c->out, "%s\t%s\n", candidate, description);
}

/* ---- verbs ---- */

/* add_family: "info", once, with what it goes on with. */
static void add_family(const struct completion *c, size_t at)
{
    const char *name = commands[at]->name;
    size_t len = strcspn(name, " ");
    AUTO(buf) struct buf seconds = BUF_INIT(NAME_BYTES * 4);
    autofree char *first = str_dupn(name, len);
    for (size_t i = 0; i < at; i++)
        if (strncmp(commands[i]->name, name, len + 1) == 0)
            return;
    (void)command_family(first, &seconds);
    add(c, first, buf_str(&seconds));
}

static void add_verbs(const struct completion *c)
{
    for (size_t i = 0; commands[i]; i++)
        if (strchr(commands[i]->name, ' '))
            add_family(c, i);
        else
            add(c, commands[i]->name, commands[i]->summary);
}

/* add_second_words: of the verbs that begin with `first`. */
static void add_second_words(const struct completion *c, const char *first)
{
    size_t len = strlen(first);
    for (size_t i = 0; commands[i]; i++) {
        const char *name = commands[i]->name;
        if (strncmp(name, first, len) == 0 && name[len] == ' ')
            add(c, name + len + 1, commands[i]->summary);
    }
}

/* ---- flags ---- */

static void add_flags(const struct completion *c, const struct flag_table *table,
                      const struct flag_table *over)
{
    for (size_t i = 0; i < table->n; i++) {
        autofree char *flag = str_fmt("--%s", table->flags[i].opt.name);
        if (!over || !flags_find(over, flag))
            add(c, flag, table->flags[i].opt.help);
    }
}

/* add_choices: the words of "a|b|c". */
static void add_choices(const struct completion *c, const char *choices)
{
    while (choices && *choices) {
        size_t len = strcspn(choices, "|");
        autofree char *word = str_dupn(choices, len);
        add(c, word, "");
        choices += len + (choices[len] == '|');
    }
}

/* awaiting: the flag whose value comes next, or NULL. */
static const struct flag *awaiting(const struct command *verb, const char *last)
{
    const struct flag *f = flags_find(&verb->flags, last);
    if (!f && !verb->local)
        f = flags_find(&command_connection_flags, last);
    return f && f->opt.type != CONF_BOOL && !strchr(last, '=') ? f : NULL;
}

/* ---- all together ---- */

static void complete_verb(const struct completion *c, const struct command *verb, const char *last)
{
    const struct flag *f = last ? awaiting(verb, last) : NULL;
    if (f) {
        add_choices(c, f->choices);
    } else if (c->current[0] == '-') {
        add_flags(c, &verb->flags, NULL);
        if (!verb->local)
            add_flags(c, &command_connection_flags, &verb->flags);
        add(c, "--help", "what the verb does");
    } else if (verb == &cmd_help) {
        add_verbs(c);
    } else if (strchr(verb->words_usage, '|')) {
        add_choices(c, verb->words_usage);
    }
}

void complete(const char *const *words, const char *current, struct buf *out)
{
    const struct completion c = {current, out};
    const char *const *at =
        words + flags_span(&command_connection_flags, (char **)(uintptr_t)words);
    size_t used;
    const struct command *verb = command_find(at, &used);
    if (!at[0]) {
        if (current[0] == '-')
            add_flags(&c, &command_connection_flags, NULL);
        else
            add_verbs(&c);
    } else if (verb) {
        const char *last = NULL;
        for (at += used; *at; at++)
            last = *at;
        complete_verb(&c, verb, last);
    } else if (!at[1]) {
        add_second_words(&c, at[0]);
    }
}
