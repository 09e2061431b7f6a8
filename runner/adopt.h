/* What a former process of this runner left in the state directory. Called at start, before any
 * thread. */
#pragma once

#include "runner/jobs.h"
#include "runner/node.h"

/* adopt_jobs: all jobs that can be gone on with, in an owned array, entered in `js`. Directories
 * that hold none are removed: their attempts were never accepted. */
NODISCARD int adopt_jobs(struct node *n, struct jobs *js, struct job ***ret, size_t *ret_n,
                         struct err *e);
