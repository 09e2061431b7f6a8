/* What happens in the file system before the command runs: the marker that proves that the code
 * volume is the right one, the copy of the code, the files of the task. One thread; blocks while it
 * copies (the runner's frames wait in the pipe meanwhile). */
#pragma once

#include "lib/err.h"
#include "runner/init/task.h"

/* prepare: changes into the working directory and fills it. Relative paths of the document start
 * there. Errors: ERR_IO, ERR_UNAVAILABLE (disk full), ERR_CONFLICT (marker), naming the file. */
NODISCARD int prepare(const struct task *t, struct err *e);
