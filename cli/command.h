/* The verbs: one table that the dispatcher, --help, and whatever is generated from it (completions,
 * manual pages) read. One verb is one cmd_*.c with one struct command. Main thread. */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "cli/client.h"
#include "cli/config.h"
#include "cli/flags.h"
#include "lib/buf.h"
#include "lib/err.h"

struct invocation {
    const char *program; /* as called: "wrought" or "iron_worker" */
    const struct command *command;
    const void *args; /* the verb's own struct, filled */
    const struct words *words;
};

struct command {
    const char *name;
    const char *words_usage; /* "NAME", "[VERB]" */
    const char *summary;     /* one line */
    const char *details;     /* NULL or more for --help, lines ended */
    const char *example;     /* one or more lines, without the program's name */
    size_t min_words, max_words;
    struct flag_table flags;    /* its own */
    bool local;                 /* takes no connection flags */
    size_t args_bytes;          /* of its struct, which begins with a struct common */
    void (*preset)(void *args); /* NULL or: values that flags leave alone */
    /* Output to stdout; errors are returned, main prints them. *ret_exit: exit code of success. */
    int (*run)(const struct invocation *in, int *ret_exit, struct err *e);
};

extern const struct command *const commands[]; /* ends with NULL */

extern const struct command cmd_cancel, cmd_codes, cmd_help, cmd_log, cmd_queue, cmd_stacks,
    cmd_status, cmd_tasks, cmd_upload, cmd_version, cmd_why;

/* command_main: finds the verb, parses, runs. Returns the exit code; errors are on stderr. */
int command_main(char **argv);

/* command_find: NULL when there is none. command_nearest: the verb that `name` may have meant, or
 * NULL. */
const struct command *command_find(const char *name);
const char *command_nearest(const char *name);

void command_help(const char *program, const struct command *c, struct buf *out);
void commands_help(const char *program, struct buf *out);

/* ---- for the verbs ---- */

/* command_open: the client, after IronWorker's opening lines on `say` (NULL: nothing is asked or
 * said). */
NODISCARD int command_open(const struct common *flags, FILE *say, struct client *ret,
                           struct err *e);

/* command_check_id: whether `id` can be one. */
NODISCARD int command_check_id(const char *id, struct err *e);
