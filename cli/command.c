/* The dispatcher: from a command line to a verb's run. Neighbour: commands.c. */
#include "cli/command.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"
#include "cli/out.h"
#include "lib/cleanup.h"
#include "lib/id.h"
#include "lib/str.h"

#include "lib/banned.h"

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

/* answer: to a flag that asks about the program instead of running a verb. */
static int answer(const char *program, const struct command *c, const char *asked, struct err *e)
{
    int exit_code;
    if (strcmp(asked, "help") == 0)
        return print_help(program, c, e);
    c = strcmp(asked, "man") == 0 ? &cmd_man : &cmd_version;
    return c->run(NULL, &exit_code, e);
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
    const struct flag_table tables[2] = {c->flags, c->local ? none : command_connection_flags};
    struct parsed parsed = {0};
    autofree void *args = calloc(1, c->args_bytes);
    if (!args)
        abort();
    if (c->preset)
        c->preset(args);
    int rc = flags_parse(tables, argv, c->words_end_flags, args, &parsed, e);
    if (rc == ERR_EMPTY) {
        rc = answer(program, c, e->msg, e);
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

/* ---- finding the verb ---- */

static int unknown_verb(const char *program, const char *name, struct err *e)
{
    AUTO(buf) struct buf family = BUF_INIT(HELP_BYTES);
    if (command_family(name, &family))
        return err_set(e, ERR_USAGE, "%s goes on with one of: %s", name, buf_str(&family));
    const char *near = command_nearest(name);
    if (near)
        return err_set(e, ERR_USAGE, "there is no verb \"%s\"; did you mean \"%s\"?", name, near);
    return err_set(e, ERR_USAGE, "there is no verb \"%s\"; '%s help' lists them", name, program);
}

/* Verbs that people write as flags. */
static const char *verb_meant(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return cmd_help.name;
    if (strcmp(word, "--version") == 0 || strcmp(word, "-v") == 0)
        return cmd_version.name;
    return word;
}

/* find_and_run: `argv` begins behind the program's name. Connection flags may stand before the
 * verb; they are moved behind it. */
static int find_and_run(const char *program, char **argv, int *ret_exit, struct err *e)
{
    size_t leading = flags_span(&command_connection_flags, argv);
    char **at = argv + leading;
    if (!at[0])
        return err_set(e, ERR_USAGE, "which verb? '%s help' lists them", program);
    const char *const name[] = {verb_meant(at[0]), at[1], NULL};
    size_t used;
    const struct command *c = command_find(name, &used);
    if (!c)
        return unknown_verb(program, at[0], e);
    struct words rest = {0};
    for (size_t i = 0; i < leading; i++)
        words_add(&rest, argv[i]);
    for (at += used; *at; at++)
        words_add(&rest, *at);
    words_add(&rest, NULL);
    int rc = run(program, c, (char **)(uintptr_t)rest.v, ret_exit, e);
    words_release(&rest);
    return rc;
}

int command_main(char **argv)
{
    const char *slash = argv[0] ? strrchr(argv[0], '/') : NULL;
    const char *program = slash ? slash + 1 : argv[0] ? argv[0] : "wrought";
    struct err e = {0};
    int exit_code = 0;
    if (!argv[0] || !argv[1] || !argv[1][0]) {
        AUTO(buf) struct buf text = BUF_INIT(HELP_BYTES);
        commands_help(program, &text);
        fputs(buf_str(&text), stderr);
        return err_exit_code(ERR_USAGE);
    }
    int rc = find_and_run(program, argv + 1, &exit_code, &e);
    return rc < 0 ? fail(&e) : exit_code;
}

/* ---- for the verbs ---- */

/* open_client: after the opening line, the line about the project, which proves that all is right.
 */
static int open_client(const struct common *flags, FILE *say, struct client *ret, struct err *e)
{
    autofree char *name = NULL;
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

int command_open(const struct common *flags, FILE *say, struct client *ret, struct err *e)
{
    out_group(say, "Creating client");
    return open_client(flags, say, ret, e);
}

int command_open_go(const struct common *flags, FILE *say, struct client *ret, struct err *e)
{
    out_step(say, "Configuring client");
    return open_client(flags, say, ret, e);
}

int command_check_id(const char *id, struct err *e)
{
    if (strlen(id) != ID_HEX || strspn(id, "0123456789abcdef") != ID_HEX)
        return err_set(e, ERR_INVALID, "\"%s\" is no id: one has %d digits 0-9 a-f", id, ID_HEX);
    return 0;
}
