/* Following a task's log to its end, through lost connections and server restarts. Main thread: it
 * listens for Ctrl-C (cli/interrupt.h). */
#pragma once

#include <stdio.h>

#include "api/task.h"
#include "cli/client.h"
#include "lib/err.h"

/* follow_task: writes the log to `to` as it comes, every byte once, and returns when the task has
 * ended, with the task in *ret (caller task_release()s it). Waits for a task that is not running
 * yet and says on stderr why, where the server knows. Notices go to stderr. Errors: ERR_CANCELLED
 * on Ctrl-C, after saying that the task goes on; ERR_NOT_FOUND; ERR_IO when `to` cannot be written;
 * what cannot be cured by trying again. */
NODISCARD int follow_task(struct client *c, const char *id, FILE *to, struct task *ret,
                          struct err *e);
