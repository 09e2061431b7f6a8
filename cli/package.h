/* The code package of an upload: a folder, a zip, a single script or what a .worker file says
 * becomes a zip file with the way to start it. One thread. */
#pragma once

#include <stdint.h>

#include "lib/err.h"

/* What the user asked for; strings are borrowed, NULL = not said. */
struct package_want {
    const char *name;
    const char *image, *command, *runtime, *file_name, *stack;
    const char *build; /* for the shell, on the server before the first task */
};

struct package {
    int fd; /* the zip, at offset 0; -1: no file, the image alone */
    uint64_t bytes;
    /* all owned; NULL = not needed */
    char *name; /* as wanted, else the base name without its extension */
    char *runtime, *file_name, *stack, *command;
    char *build;    /* command that makes the package of this one */
    char *warnings; /* lines for the user */
};

/* package_make: ERR_NOT_FOUND no such file, ERR_INVALID says what is wrong with it or what must be
 * given, ERR_TOO_BIG over what a server takes. A path that does not exist is the name of a code
 * whose image is all it needs, when an image is wanted. A .worker file is found by its name without
 * the ending, before a folder of that name; it may be a URL. */
NODISCARD int package_make(const char *path, const struct package_want *want, struct package *ret,
                           struct err *e);
void package_release(struct package *p);

/* temp_file: an unnamed file in $TMPDIR or /tmp. */
NODISCARD int temp_file(int *ret_fd, struct err *e);
