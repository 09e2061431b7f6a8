/* An upload: what the flags say of a code, as the request that sends it. One thread. */
#pragma once

#include <stdint.h>

#include "cli/client.h"
#include "cli/flags.h"
#include "cli/package.h"
#include "lib/buf.h"
#include "lib/err.h"

#define UPLOAD_MAX_CONCURRENCY 1000000

/* As every verb's own struct it begins with the connection flags. */
struct upload_args {
    struct common common;
    struct package_want want;
    const char *zip; /* of the Go client's verb */
    const char *config_text, *config_file;
    struct words env; /* NAME=VALUE; else a section of the configuration file, as -e always is */
    int64_t max_concurrency, retries, retries_delay_ms, priority;
};

/* upload_args_preset: nothing is said. */
void upload_args_preset(void *args);

/* upload_split_env: the variables of --env as a JSON object in `out`; a word without "=" is the
 * section of iron.json, for *ret_section. ERR_USAGE when there are two of those. */
NODISCARD int upload_split_env(const struct words *env, const char **ret_section, struct buf *out,
                               struct err *e);

/* upload_send: describes the code by `a` and `p`, with the variables `env` (of upload_split_env),
 * and sends it with the package, if there is one. A bar on stderr shows how far it is. */
NODISCARD int upload_send(struct client *c, const struct upload_args *a, const struct package *p,
                          const struct buf *env, struct reply *ret, struct err *e);
