/* The table of verbs, in the order in which they are listed. */
#include "cli/command.h"

#include <string.h>

#include "cli/nearest.h"
#include "lib/str.h"

#include "lib/banned.h"

const struct command *const commands[] = {
    /* codes */
    &cmd_upload,
    &cmd_codes,
    &cmd_list,
    &cmd_info_code,
    &cmd_revisions,
    &cmd_download,
    &cmd_delete,
    &cmd_pause,
    &cmd_resume,
    &cmd_webhook,
    &cmd_stacks,
    /* tasks */
    &cmd_queue,
    &cmd_tasks,
    &cmd_status,
    &cmd_info_task,
    &cmd_why,
    &cmd_log,
    &cmd_retry,
    &cmd_cancel,
    /* schedules */
    &cmd_schedule,
    &cmd_schedules,
    &cmd_info_schedule,
    &cmd_update_schedule,
    &cmd_schedules_firings,
    &cmd_schedules_trigger,
    &cmd_schedules_pause,
    &cmd_schedules_resume,
    &cmd_schedules_cancel,
    /* Go */
    &cmd_worker_upload,
    &cmd_register,
    &cmd_worker_queue,
    &cmd_worker_schedule,
    &cmd_worker_status,
    &cmd_worker_log,
    &cmd_docker_login,
    /* administration */
    &cmd_project_list,
    &cmd_project_create,
    &cmd_project_delete,
    &cmd_token_list,
    &cmd_token_create,
    &cmd_token_revoke,
    /* here */
    &cmd_help,
    &cmd_version,
    &cmd_health,
    &cmd_completion,
    &cmd_complete,
    &cmd_man,
    NULL,
};

const char *const command_group_titles[COMMAND_GROUPS] = {
    [GROUP_CODES] = "Code packages",  [GROUP_TASKS] = "Tasks",
    [GROUP_SCHEDULES] = "Schedules",  [GROUP_GO] = "As the Go client, iron, spelt it",
    [GROUP_ADMIN] = "Administration", [GROUP_HERE] = "This program",
};

static const struct flag connection_flags[] = {
    FLAG_STR(0, "config", struct common, config, "FILE",
             "configuration instead of ./iron.json and ~/.iron.json"),
    FLAG_STR('e', "env", struct common, env, "NAME", "section of the configuration file"),
    FLAG_STR(0, "host", struct common, host, "HOST", "server"),
    FLAG_INT(0, "port", struct common, port, 1, 65535, "PORT", "its port"),
    FLAG_CHOICE(0, "scheme", struct common, scheme, "http|https", "how it is spoken to"),
    FLAG_STR(0, "project-id", struct common, project_id, "ID", "project"),
    FLAG_STR(0, "token", struct common, token, "TOKEN", "token (visible in the process list)"),
    FLAG_STR(0, "token-file", struct common, token_file, "FILE", "file that holds the token"),
    FLAG_BOOL(0, "json", struct common, json, "print the server's JSON"),
};
const struct flag_table command_connection_flags = {connection_flags, ARRAY_LEN(connection_flags)};

/* words_in: how many of `words` the name stands for; 0 when they are others. */
static size_t words_in(const char *name, const char *const *words)
{
    const char *space = strchr(name, ' ');
    if (!words[0])
        return 0;
    if (!space)
        return strcmp(name, words[0]) == 0 ? 1 : 0;
    size_t first = (size_t)(space - name);
    bool both = strlen(words[0]) == first && memcmp(name, words[0], first) == 0 && words[1] &&
                strcmp(space + 1, words[1]) == 0;
    return both ? 2 : 0;
}

const struct command *command_find(const char *const *words, size_t *ret_used)
{
    const struct command *found = NULL;
    size_t best = 0;
    for (size_t i = 0; commands[i]; i++) {
        size_t used = words_in(commands[i]->name, words);
        if (used > best) {
            best = used;
            found = commands[i];
        }
    }
    *ret_used = best;
    return found;
}

static const char *name_at(size_t i)
{
    return commands[i] ? commands[i]->name : NULL;
}

const char *command_nearest(const char *name)
{
    return nearest(name, name_at);
}

bool command_family(const char *word, struct buf *out)
{
    size_t len = strlen(word), n = 0;
    for (size_t i = 0; commands[i]; i++) {
        const char *name = commands[i]->name;
        if (strncmp(name, word, len) == 0 && name[len] == ' ')
            buf_addf(out, "%s%s", n++ > 0 ? ", " : "", name + len + 1);
    }
    return n > 0;
}
