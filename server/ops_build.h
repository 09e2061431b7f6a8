/* The operations of remote builds, as items for the writer's inbox (server/ops.h says how, and
 * docs/decisions/004-remote-builds.md what). */
#pragma once

#include "server/ops.h"
#include "server/store_build.h"

/* op_build_put: an upload whose package is yet to be built. What was built of the same before makes
 * the revision at once; else a task does, and the code stays as it is until that has ended well. */
struct op_build_put {
    struct work w;
    int64_t project;
    const struct code_upload *up; /* with `build` */
    struct store_package source;  /* on disk already */
    char ret_id[ID_TEXT];
    int64_t ret_rev;           /* the current revision; 0 = none yet */
    char ret_task_id[ID_TEXT]; /* "" = it was built before */
};
void op_build_put_init(struct op_build_put *o);
bool build_name_fits(const char *name); /* room for what is appended to it */

struct op_build_result { /* what a build left; kept until its end says that it counts */
    struct work w;
    const struct attempt_ref *ref;
    const char *runner;
    struct build_result result; /* on disk already */
};
void op_build_result_init(struct op_build_result *o); /* ERR_CONFLICT: not the live attempt */
