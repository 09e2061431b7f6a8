/* The package that a .worker file describes. One thread. */
#pragma once

#include "cli/package.h"
#include "lib/err.h"

/* package_worker: fills `p`, which has what the user wants, from the .worker file at `path`; p->fd
 * is then the zip at offset 0. ERR_INVALID has file, line and column, or says which of the user's
 * wishes the file leaves no room for. The caller releases `p`, also after an error. */
NODISCARD int package_worker(const char *path, const struct package_want *want, struct package *p,
                             struct err *e);
