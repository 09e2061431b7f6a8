/* Starting the command of a task. One thread. */
#pragma once

#include <sys/types.h>

#include "lib/err.h"
#include "runner/init/task.h"

struct spawned {
    int exec_errno; /* 0 = the command runs; else it could not be executed and is reaped */
    pid_t pid;
    int out, err; /* our ends of its standard output and error: non-blocking, to be closed */
};

/* spawn: runs t->argv in a session of its own with /dev/null as standard input, exactly t->env, the
 * limits and the filter. Returns once it is known whether exec succeeded.
 * Errors: ERR_IO for everything before the exec; nothing is left behind then. */
NODISCARD int spawn(const struct task *t, struct spawned *ret, struct err *e);
