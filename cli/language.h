/* What runs a script, by its first line or its name. Any thread. */
#pragma once

#include <stddef.h>

/* The package kind A of ironworker-api §6 (runtime and file name) where a runtime fits, else a
 * command. NULL where there is none. */
struct language {
    const char *runtime;
    const char *command; /* the interpreter; the file name is put behind it */
    const char *stack;   /* NULL: the server's choice for the runtime */
};

/* language_of: `head` are the first bytes of the file. A #! line beats the extension, since it says
 * more (bash is not sh). NULL when neither tells. */
const struct language *language_of(const char *name, const char *head, size_t len);
