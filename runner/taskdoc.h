/* The task document that a container's init gets (api/frame.h): argv, environment, files, limits.
 * Pure functions, any thread. */
#pragma once

#include <stddef.h>

#include "api/runner.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "runner/command.h"

/* How a code volume is laid out; see volumes.h. */
#define CODE_MOUNT  "/code"
#define CODE_FILES  CODE_MOUNT "/files"
#define CODE_MARKER CODE_MOUNT "/complete"

/* The default log and payload ceilings bound it: payload, config, environment, and some. */
#define TASKDOC_BYTES (8u << 20)

/* taskdoc_env: the whole environment: the image's, HOME, the code's env_vars, and TASK_ID,
 * TASK_DIR, PAYLOAD_FILE and, with a config, CONFIG_FILE, which nothing overrides. A later value
 * replaces an earlier one. ERR_INVALID when env_vars is no object of strings. */
NODISCARD int taskdoc_env(const struct grant *g, char *const *image_env, struct words *ret,
                          struct err *e);

struct taskdoc {
    const struct grant *grant;
    const struct buf *payload; /* as the task reads it */
    const struct words *argv, *env;
    const char *dir;
    const struct task_caps *caps; /* resolved: no zeros */
    const struct buf *seccomp;    /* filter program */
};
NODISCARD int taskdoc_build(const struct taskdoc *t, struct buf *ret, struct err *e);
