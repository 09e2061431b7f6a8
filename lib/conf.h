/* Program options: one table per program gives flags, environment variables and --help.
 *
 * `--listen X`, `--listen=X` and WROUGHT_LISTEN=X set the option "listen"; a flag beats the
 * variable. A secret option "token" is given as `--token-file F` or WROUGHT_TOKEN_FILE=F, never by
 * value. An unknown flag, an unknown WROUGHT_* variable that only differs from a known one by case
 * or a value that cannot be used is ERR_USAGE with a message that names it. One thread, at start.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

enum conf_type {
    CONF_STR,      /* const char * */
    CONF_INT,      /* int64_t in min … max */
    CONF_BYTES,    /* int64_t; suffixes K M G (1024) */
    CONF_DURATION, /* int64_t milliseconds; suffixes ms s m h d; a bare number is seconds */
    CONF_BOOL,     /* bool; the bare flag means true; --no-NAME means false; variables take
                      1/0/true/false */
};

struct conf_opt {
    const char *name; /* "data-dir"; the variable is WROUGHT_DATA_DIR */
    enum conf_type type;
    size_t offset;    /* in the struct that is filled */
    const char *dflt; /* text as on the command line; NULL: the field keeps its value */
    int64_t min, max; /* CONF_INT, CONF_BYTES, CONF_DURATION (ms); 0,0 = no limit */
    const char *arg;  /* placeholder in --help: "DIR" */
    const char *help; /* one line */
};

/* conf_load: defaults, then environment, then argv[1…]. Stops at "--" or at the first word without
 * a dash when `stop_at_word`, and stores the index of the rest in *ret_rest; else such a word is an
 * error. Strings are borrowed from argv, the environment or the table. --help, --man and --version
 * are the caller's: conf_load returns ERR_EMPTY with msg "help", "man" or "version" when it meets
 * one. */
NODISCARD int conf_load(const struct conf_opt *opts, size_t n, int argc, char **argv,
                        bool stop_at_word, void *out, int *ret_rest, struct err *e);

/* conf_args: defaults and flags alone, for the verbs of a command line: a variable that one person
 * exports for a daemon must not change what another's `queue` does. `argv` starts at the first flag
 * and ends with NULL; a word that is no flag is an error. */
NODISCARD int conf_args(const struct conf_opt *opts, size_t n, char **argv, void *out,
                        struct err *e);

/* conf_man: the same as items of a manual page. */
void conf_man(const struct conf_opt *opts, size_t n, struct buf *out);

/* conf_help: one line per option with its default and variable, appended to `out`. */
void conf_help(const struct conf_opt *opts, size_t n, struct buf *out);
