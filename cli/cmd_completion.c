/* completion, complete: the shells' scripts, and what they ask. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "lib/cleanup.h"
#include "lib/embed.h"

#include "lib/banned.h"

#define CANDIDATES_BYTES (64u << 10)

/* ---- completion ---- */

EMBED(shell_bash, "cli/shell/wrought.bash");
EMBED(shell_zsh, "cli/shell/wrought.zsh");
EMBED(shell_fish, "cli/shell/wrought.fish");

static int run_completion(const struct invocation *in, int *ret_exit, struct err *e)
{
    static const struct {
        const char *shell, *script;
    } scripts[] = {{"bash", shell_bash}, {"zsh", shell_zsh}, {"fish", shell_fish}};
    const char *shell = in->words->v[0];
    (void)ret_exit;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
        if (strcmp(scripts[i].shell, shell) == 0) {
            fputs(scripts[i].script, stdout);
            return 0;
        }
    return err_set(e, ERR_USAGE, "there is no completion for \"%s\", only for %s", shell,
                   in->command->words_usage);
}

const struct command cmd_completion = {
    .name = "completion",
    .group = GROUP_HERE,
    .words_usage = "bash|zsh|fish",
    .summary = "Print a shell's completion script",
    .details = "In ~/.bashrc:                            . <(wrought completion bash)\n"
               "In ~/.zshrc, behind compinit:            . <(wrought completion zsh)\n"
               "In ~/.config/fish/completions/*.fish:    wrought completion fish | source\n",
    .example = "completion bash",
    .min_words = 1,
    .max_words = 1,
    .local = true,
    .args_bytes = sizeof(struct common),
    .run = run_completion,
};

/* ---- complete ---- */

struct complete_args {
    struct common common;
    const char *current;
};

static const struct flag complete_flags[] = {
    FLAG_STR(0, "current", struct complete_args, current, "TEXT", "the word that is being typed"),
};

static int run_complete(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct complete_args *a = in->args;
    AUTO(buf) struct buf out = BUF_INIT(CANDIDATES_BYTES);
    struct words words = {0};
    (void)ret_exit, (void)e;
    for (size_t i = 0; i < in->words->n; i++)
        words_add(&words, in->words->v[i]);
    words_add(&words, NULL);
    complete(words.v, a->current ? a->current : "", &out);
    words_release(&words);
    fputs(buf_str(&out), stdout);
    return 0;
}

const struct command cmd_complete = {
    .name = "complete",
    .group = GROUP_HERE,
    .words_usage = "[WORD]…",
    .summary = "Say what may follow on a command line, for the shells",
    .details = "A line each: a candidate, a tab, what it is. Behind --: the whole words so far.\n",
    .example = "complete --current=--pay -- queue hello",
    .max_words = SIZE_MAX,
    .flags = {complete_flags, ARRAY_LEN(complete_flags)},
    .local = true,
    .args_bytes = sizeof(struct complete_args),
    .run = run_complete,
};
