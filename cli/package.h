/* The code package of an upload: a folder, a zip or a single script becomes a zip file with the way
 * to start it. One thread. */
#pragma once

#include <stdint.h>

#include "lib/err.h"

/* What the user asked for; strings are borrowed, NULL = not said. */
struct package_want {
    const char *name;
    const char *image, *command, *runtime, *file_name, *stack;
};

struct package {
    int fd; /* the zip, at offset 0; -1: no file, the image alone */
    uint64_t bytes;
    /* all owned; NULL = not needed */
    char *name; /* as wanted, else the base name without its extension */
    char *runtime, *file_name, *stack, *command;
};

/* package_make: ERR_NOT_FOUND no such file, ERR_INVALID says what is wrong with it or what must be
 * given, ERR_TOO_BIG over what a server takes. A path that does not exist is the name of a code
 * whose image is all it needs, when an image is wanted. */
NODISCARD int package_make(const char *path, const struct package_want *want, struct package *ret,
                           struct err *e);
void package_release(struct package *p);

/* temp_file: an unnamed file in $TMPDIR or /tmp. */
NODISCARD int temp_file(int *ret_fd, struct err *e);
