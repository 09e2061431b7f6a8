/* Waiting for a task with --wait. Main thread: it listens for Ctrl-C. */
#pragma once

#include "api/task.h"
#include "cli/client.h"
#include "lib/err.h"

/* wait_for_task: follows its log on stdout, byte for byte, says on stderr how it ended, and stores
 * the exit code that stands for that (DESIGN §3). Errors: those of follow_task. */
NODISCARD int wait_for_task(struct client *c, const char *id, int *ret_exit, struct err *e);

/* wait_exit_code: the one of a task that has ended. */
int wait_exit_code(const struct task *t);
