/* The verbs: one table that the dispatcher, --help, the completions and the manual pages read. A
 * verb is one struct command, kept in a cmd_*.c with its relatives. Main thread. */
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

/* Under which title a verb is listed. */
enum command_group {
    GROUP_CODES,
    GROUP_TASKS,
    GROUP_SCHEDULES,
    GROUP_GO, /* in the words of the Go client, iron */
    GROUP_ADMIN,
    GROUP_HERE, /* about this program */
    COMMAND_GROUPS
};
extern const char *const command_group_titles[COMMAND_GROUPS];

struct command {
    const char *name; /* of one word, or of two: "info task" */
    enum command_group group;
    const char *words_usage; /* "NAME", "[VERB]" */
    const char *summary;     /* one line */
    const char *details;     /* NULL or more for --help, lines ended */
    const char *example;     /* one or more lines, without the program's name */
    size_t min_words, max_words;
    struct flag_table flags;    /* its own */
    bool local;                 /* takes no connection flags */
    bool words_end_flags;       /* what follows the first word is all words: a command */
    size_t args_bytes;          /* of its struct, which begins with a struct common */
    void (*preset)(void *args); /* NULL or: values that flags leave alone */
    /* Output to stdout; errors are returned, main prints them. *ret_exit: exit code of success. */
    int (*run)(const struct invocation *in, int *ret_exit, struct err *e);
};

extern const struct command *const commands[]; /* ends with NULL */

extern const struct command cmd_cancel, cmd_codes, cmd_complete, cmd_completion, cmd_delete,
    cmd_docker_login, cmd_download, cmd_health, cmd_help, cmd_info_code, cmd_info_schedule,
    cmd_info_task, cmd_list, cmd_log, cmd_man, cmd_pause, cmd_project_create, cmd_project_delete,
    cmd_project_list, cmd_queue, cmd_register, cmd_resume, cmd_retry, cmd_revisions, cmd_schedule,
    cmd_schedules, cmd_schedules_cancel, cmd_schedules_firings, cmd_schedules_pause,
    cmd_schedules_resume, cmd_schedules_trigger, cmd_stacks, cmd_status, cmd_tasks,
    cmd_token_create, cmd_token_list, cmd_token_revoke, cmd_update_schedule, cmd_upload,
    cmd_version, cmd_webhook, cmd_why, cmd_worker_log, cmd_worker_queue, cmd_worker_schedule,
    cmd_worker_status, cmd_worker_upload;

/* command_main: finds the verb, parses, runs. Returns the exit code; errors are on stderr. */
int command_main(char **argv);

/* command_find: the verb that `words` (up to a NULL) begin with, the longest there is, and of how
 * many words; NULL when there is none. command_nearest: the verb that `name` may have meant, or
 * NULL. */
const struct command *command_find(const char *const *words, size_t *ret_used);
const char *command_nearest(const char *name);
/* command_family: the second words of the verbs that begin with `word`, listed; false when there is
 * none. */
bool command_family(const char *word, struct buf *out);

/* The flags that all verbs have which talk to the server: those of struct common. */
extern const struct flag_table command_connection_flags;

/* ---- for the verbs ---- */

/* command_open: the client, after IronWorker's opening lines on `say` (NULL: nothing is asked or
 * said). */
NODISCARD int command_open(const struct common *flags, FILE *say, struct client *ret,
                           struct err *e);

/* command_open_go: the same with the Go client's lines. */
NODISCARD int command_open_go(const struct common *flags, FILE *say, struct client *ret,
                              struct err *e);

/* command_check_id: whether `id` can be one. */
NODISCARD int command_check_id(const char *id, struct err *e);
