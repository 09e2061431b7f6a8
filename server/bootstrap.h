/* What an empty data directory gets: project `default` and its tokens, told in DIR/iron.json,
 * DIR/admin.token, and DIR/runner.token or where the operator wants that one. At start, one
 * thread. */
#pragma once

#include "lib/err.h"

struct app;

struct bootstrap_conf {
    const char *data_dir;
    const char *runner_token_file; /* "": runner.token in data_dir */
    const char *scheme, *host;     /* how clients reach the server */
    int port;
};

/* bootstrap: every step may be the last before a crash. Tokens are written to their files before
 * the database knows their hashes, so that a start which finds files without a project uses them. A
 * file that is missing when there is a project stays missing, with a warning: its token is known by
 * hash alone. iron.json is written again when the address has changed. */
NODISCARD int bootstrap(struct app *app, const struct bootstrap_conf *c, struct err *e);
