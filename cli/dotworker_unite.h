/* Names in a package: each is one file's. One thread. */
#pragma once

#include "cli/dotworker_tree.h"
#include "lib/err.h"

void dw_file_release(struct dw_file *f);

/* dw_unite: sorts the files by name and drops those that are there twice. ERR_INVALID, with the
 * line of `worker_file`, when a name would be two different files, a file and a folder, or one of
 * the scripts that are ours. */
NODISCARD int dw_unite(const char *worker_file, struct dw_tree *t, struct err *e);
