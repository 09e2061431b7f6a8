/* The dispatcher. */
#include "cli/command.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nearest.h"
#include "cli/out.h"
#include "lib/cleanup.h"
#include "lib/id.h"
#include "lib/str.h"

#include "lib/banned.h"

#define HELP_BYTES (64u << 10)

const struct command *const commands[] = {
    &cmd_upload, &cmd_queue,  &cmd_log,    &cmd_status, &cmd_why,     &cmd_tasks,
    &cmd_codes,  &cmd_cancel, &cmd_stacks, &cmd_help,   &cmd_version, NULL,
};

static const struct flag common_flags[] = {
    FLAG_STR(0, "config", struct common, config, "FILE",
             "configuration instead of ./iron.json and ~/.iron.json"),
    FLAG_STR('e', "env", struct common, env, "NAME", "section of the configuration file"),
    FLAG_STR(0, "host", struct common, host, "HOST", "server"),
    FLAG_INT(0, "port", struct common, port, 1, 65535, "PORT", "its port"),
    FLAG_STR(0, "scheme", struct common, scheme, "SCHEME", "http or https"),
    FLAG_STR(0, "project-id", struct common, project_id, "ID", "project"),
    FLAG_STR(0, "token", struct common, token, "TOKEN", "token (visible in the process list)"),
    FLAG_STR(0, "token-file", struct common, token_file, "FILE", "file that holds the token"),
    FLAG_BOOL(0, "json", struct common, json, "print the server's JSON"),
};
static const struct flag_table common_table = {common_flags, ARRAY_LEN(common_flags)};

/* ---- finding a verb ---- */

const struct command *command_find(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static const char *verb_at(size_t i)
{
    return commands[i] ? commands[i]->name : NULL;
}

const char *command_nearest(const char *name)
{
    return nearest(name, verb_at);
}

/* ---- help ---- */

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
        flags_help(&common_table, &c->flags, out);
    }
    buf_addf(out, "\nExample:\n  %s %s\n", program, c->example);
}

void commands_help(const char *program, struct buf *out)
{
    buf_addf(out, "Usage: %s VERB [WORDS] [FLAGS]\n\nVerbs:\n", program);
    for (size_t i = 0; commands[i]; i++)
        buf_addf(out, "  %-8s  %s\n", commands[i]->name, commands[i]->summary);
    buf_addf(out,
             "\n'%s help VERB' says more. The server and the project are found in flags,\n"
             "--config FILE, ./iron.json, IRON_WORKER_* and IRON_* variables, and ~/.iron.json.\n",
             program);
}

/* ---- running ---- */

/* fail: the one line on stderr. What Ctrl-C stopped has said so itself, and a reader that went away
 * wants to hear nothing. */
static int fail(const struct err *e)
{
    if (e->code != ERR_CANCELLED && e->os_errno != EPIPE)
        fprintf(stderr, "wrought: %s\n", e->msg);
    return e->os_errno == EPIPE ? 128 + SIGPIPE : err_exit_code(e->code);
}

static int print_help(const char *program, const struct command *c, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(HELP_BYTES);
    command_help(program, c, &text);
    fputs(buf_str(&text), stdout);
    return out_flush(stdout, e);
}

static int check_words(const char *program, const struct command *c, const struct words *words,
                       struct err *e)
{
    if (words->n < c->min_words)
        return err_set(e, ERR_USAGE, "%s needs %s; '%s help %s' says more", c->name, c->words_usage,
                       program, c->name);
    if (words->n > c->max_words)
        return err_set(e, ERR_USAGE, "%s does not know what to do with \"%s\"", c->name,
                       words->v[c->max_words]);
    for (size_t i = 0; i < words->n; i++)
        if (words->v[i][0] == '\0')
            return err_set(e, ERR_USAGE, "%s was given an empty word for %s", c->name,
                           c->words_usage);
    return 0;
}

static int run(const char *program, const struct command *c, char **argv, int *ret_exit,
               struct err *e)
{
    static const struct flag_table none = {NULL, 0};
    const struct flag_table tables[2] = {c->flags, c->local ? none : common_table};
    struct parsed parsed = {0};
    autofree void *args = calloc(1, c->args_bytes);
    if (!args)
        abort();
    if (c->preset)
        c->preset(args);
    int rc = flags_parse(tables, argv, args, &parsed, e);
    if (rc == ERR_EMPTY) {
        rc = strcmp(e->msg, "help") == 0 ? print_help(program, c, e)
                                         : cmd_version.run(NULL, ret_exit, e);
    } else if (rc == 0) {
        const struct invocation in = {program, c, args, &parsed.words};
        rc = check_words(program, c, &parsed.words, e);
        if (rc == 0)
            rc = c->run(&in, ret_exit, e);
        if (rc == 0)
            rc = out_flush(stdout, e);
    }
    flags_release(tables, args, &parsed);
    return rc;
}

static int unknown_verb(const char *program, const char *name, struct err *e)
{
    const char *near = command_nearest(name);
    if (near)
        return err_set(e, ERR_USAGE, "there is no verb \"%s\"; did you mean \"%s\"?", name, near);
    return err_set(e, ERR_USAGE, "there is no verb \"%s\"; '%s help' lists them", name, program);
}

int command_main(char **argv)
{
    const char *slash = argv[0] ? strrchr(argv[0], '/') : NULL;
    const char *program = slash ? slash + 1 : argv[0] ? argv[0] : "wrought";
    const char *name = argv[0] && argv[1] ? argv[1] : "";
    struct err e = {0};
    int exit_code = 0;
    if (name[0] == '\0') {
        AUTO(buf) struct buf text = BUF_INIT(HELP_BYTES);
        commands_help(program, &text);
        fputs(buf_str(&text), stderr);
        return err_exit_code(ERR_USAGE);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = cmd_help.name;
    if (strcmp(name, "--version") == 0 || strcmp(name, "-v") == 0)
        name = cmd_version.name;
    const struct command *c = command_find(name);
    int rc = c ? run(program, c, argv + 2, &exit_code, &e) : unknown_verb(program, name, &e);
    return rc < 0 ? fail(&e) : exit_code;
}

/* ---- for the verbs ---- */

int command_open(const struct common *flags, FILE *say, struct client *ret, struct err *e)
{
    autofree char *name = NULL;
    out_group(say, "Creating client");
    int rc = client_open(flags, ret, e);
    if (rc < 0 || !say)
        return rc;
    rc = client_project_name(ret, &name, e);
    if (rc < 0) {
        client_release(ret);
        return rc;
    }
    out_line(say, "Project '%s' with id='%s'", name, ret->project_id);
    return 0;
}

int command_check_id(const char *id, struct err *e)
{
    if (strlen(id) != ID_HEX || strspn(id, "0123456789abcdef") != ID_HEX)
        return err_set(e, ERR_INVALID, "\"%s\" is no id: one has %d digits 0-9 a-f", id, ID_HEX);
    return 0;
}
