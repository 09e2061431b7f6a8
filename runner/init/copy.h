/* Copying a tree of regular files and directories. One thread, blocks. */
#pragma once

#include "lib/err.h"

#define COPY_DEPTH 128 /* nesting of directories; each level holds two descriptors */

/* copy_tree: the content of directory `from` into directory `to`, with the permission bits. Follows
 * no link, and refuses whatever is neither file nor directory (ERR_INVALID): a package has none.
 * Files that are there are replaced, directories are merged.
 * Errors: ERR_IO, ERR_UNAVAILABLE (disk full); both name the path within the tree. */
NODISCARD int copy_tree(const char *from, const char *to, struct err *e);
