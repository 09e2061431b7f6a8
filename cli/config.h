/* Where the server is and who we are: the configuration every Iron client finds
 * (ironworker-api §1). From strongest to weakest: flags, --config FILE, ./iron.json, IRON_WORKER_*,
 * IRON_*, ~/.iron.json. In a file the section "iron_worker" overrides the top level, and an
 * environment section (--env, IRON_WORKER_ENV, IRON_ENV) wraps everything. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

/* The flags that every verb has. First member of every verb's own struct. */
struct common {
    const char *config, *env;
    const char *host, *scheme, *project_id, *token, *token_file;
    int64_t port; /* 0 = not given */
    bool json;
};

enum config_key {
    CONFIG_HOST,
    CONFIG_PORT,
    CONFIG_SCHEME,
    CONFIG_TOKEN,
    CONFIG_PROJECT_ID,
    CONFIG_API_VERSION,
    CONFIG_KEYS
};

struct setting {
    char *value;  /* owned; NULL = nobody said */
    char *source; /* owned: "./iron.json", "IRON_TOKEN", "--host" */
};

struct config {
    struct setting set[CONFIG_KEYS];
};

/* config_load: ERR_USAGE names the file, variable or flag that is wrong; ERR_NOT_FOUND an absent
 * --config file. What nobody set is filled in for a server on this machine, but for token and
 * project. */
NODISCARD int config_load(const struct common *flags, struct config *ret, struct err *e);
void config_release(struct config *c);

/* config_need: the value; ERR_UNAUTHORIZED or ERR_USAGE with where one may be put when it is not
 * set. */
NODISCARD int config_need(const struct config *c, enum config_key key, const char **ret,
                          struct err *e);

/* config_base: "http://127.0.0.1:8080", appended. */
void config_base(const struct config *c, struct buf *out);
