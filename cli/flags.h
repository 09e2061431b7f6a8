/* The flags of a verb: tables over lib/conf.h with letters, flags that may be repeated, and words
 * that stand anywhere between the flags. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/err.h"

struct flag {
    struct conf_opt opt;
    char letter;         /* -x; 0 = none */
    bool list;           /* may be repeated: CONF_STR, the field is a struct words */
    const char *choices; /* NULL, or all that it may be: "a|b|c" */
};

/* FLAG_x(letter, name, struct type, member, placeholder, help) */
#define FLAG_STR(letter, name, type, member, arg, help)                                            \
    {                                                                                              \
        {name, CONF_STR, offsetof(type, member), NULL, 0, 0, arg, help}, letter, false, NULL       \
    }
#define FLAG_LIST(letter, name, type, member, arg, help)                                           \
    {                                                                                              \
        {name, CONF_STR, offsetof(type, member), NULL, 0, 0, arg, help}, letter, true, NULL        \
    }
#define FLAG_CHOICE(letter, name, type, member, choices, help)                                     \
    {                                                                                              \
        {name, CONF_STR, offsetof(type, member), NULL, 0, 0, choices, help}, letter, false,        \
            choices                                                                                \
    }
#define FLAG_CHOICES(letter, name, type, member, choices, help)                                    \
    {                                                                                              \
        {name, CONF_STR, offsetof(type, member), NULL, 0, 0, choices, help}, letter, true, choices \
    }
#define FLAG_BOOL(letter, name, type, member, help)                                                \
    {                                                                                              \
        {name, CONF_BOOL, offsetof(type, member), NULL, 0, 0, NULL, help}, letter, false, NULL     \
    }
#define FLAG_INT(letter, name, type, member, min, max, arg, help)                                  \
    {                                                                                              \
        {name, CONF_INT, offsetof(type, member), NULL, min, max, arg, help}, letter, false, NULL   \
    }
/* In milliseconds. */
#define FLAG_TIME(letter, name, type, member, max_ms, help)                                        \
    {                                                                                              \
        {name, CONF_DURATION, offsetof(type, member), NULL, 0, max_ms, NULL, help}, letter, false, \
            NULL                                                                                   \
    }

struct flag_table {
    const struct flag *flags;
    size_t n;
};

/* Words of the command line: the array is owned, the strings are argv's. */
struct words {
    const char **v;
    size_t n;
};
void words_add(struct words *w, const char *word);
void words_release(struct words *w);

/* What parsing had to make; values in the filled struct point into it. */
struct parsed {
    struct words words; /* those that are no flags */
    char **made;
    size_t n_made;
};

/* flags_parse: fills *out by both tables and collects the other words. `argv` starts behind the
 * verb and ends with NULL. words_end: behind the first word there are no flags. A name may follow
 * one dash or two, as Go has it. ERR_USAGE names the flag; ERR_EMPTY with msg "help" for --help or
 * -h. */
NODISCARD int flags_parse(const struct flag_table tables[2], char **argv, bool words_end, void *out,
                          struct parsed *ret, struct err *e);
/* flags_find: the flag of `table` that `word` ("--name", "-name", "-x", "--name=…") names, or NULL.
 */
const struct flag *flags_find(const struct flag_table *table, const char *word);
/* flags_span: how many of the first words are flags of `table` and their values. */
size_t flags_span(const struct flag_table *table, char **argv);
/* flags_release: also the lists in *out. */
void flags_release(const struct flag_table tables[2], void *out, struct parsed *p);

/* flag_usage: "-p, --payload TEXT", appended. */
void flag_usage(const struct flag *f, struct buf *out);
/* flags_help: one aligned line per flag of `table`, appended to `out`, but for those that `over`
 * (or NULL) has under the same name. */
void flags_help(const struct flag_table *table, const struct flag_table *over, struct buf *out);
