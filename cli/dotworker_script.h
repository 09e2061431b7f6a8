/* The scripts in a worker's package that are ours. One thread. */
#pragma once

#include "cli/dotworker.h"
#include "lib/buf.h"

#define DW_RUNNER_FILE "__runner__.sh"
#define DW_BUILD_FILE  "__build__.sh"
/* The folder of what only the build needs. */
#define DW_BUILD_FOLDER "__build__"

/* dw_runner_script: DW_RUNNER_FILE, which the package is started by. */
void dw_runner_script(const struct dotworker *w, struct buf *out);

/* dw_helper_script: the runtime's helper; only for a runtime that has one. */
void dw_helper_script(const struct dotworker *w, struct buf *out);

/* dw_build_script: DW_BUILD_FILE, which the build task is started by, with -d and its folder like
 * every worker. It exits with the code of the first step that fails; after the last it removes
 * itself and DW_BUILD_FOLDER, and what is then in its folder is the package. */
void dw_build_script(const struct dotworker *w, struct buf *out);

/* dw_build_input: where the file of the i-th item lies for the build script: a name in the package,
 * the caller's to free. */
char *dw_build_input(const struct dotworker *w, size_t i);
