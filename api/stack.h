/* Runtimes and stacks: what runs a package's file, and in which stack when the package names none
 * (ironworker-api §5–§7). The one table that the server validates uploads by and the runner makes
 * commands from. Pure functions over constant data. Any thread. */
#pragma once

#include <stdbool.h>

#include "lib/err.h"

/* Where a package runs that names neither stack nor image, as old clients send it. It has every
 * runtime, for such a package is mostly a shell script that calls another one. */
#define STACK_CLASSIC "classic"

struct runtime {
    const char *name;
    const char *suffix;  /* of files whose package says no runtime; NULL: of none */
    const char *stack;   /* where it runs if the package does not say; NULL: no stack has it */
    const char *argv[4]; /* what the file's name is put behind; ends with NULL */
};

/* runtime_choose: what runs the file of a package: the named runtime, else (NULL or "") what the
 * file's suffix says; a file of no known kind is executed itself. `placed`: the package names a
 * stack or an image, so that it need not have a stack of its own.
 * Errors: ERR_INVALID for an unknown runtime or one that no stack has; lists those there are. */
NODISCARD int runtime_choose(const char *runtime, const char *file_name, bool placed,
                             const struct runtime **ret, struct err *e);

/* stack_today: the stack that has taken the place of IronWorker's stack `old`; NULL if `old` is no
 * such name, or nothing took its place. Ask for it only where there is no stack named `old`: an
 * operator may have made one. */
const char *stack_today(const char *old);
