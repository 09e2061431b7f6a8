/* What a build leaves in /task, as a package on the server. While its container still waits for
 * BYE: afterwards the volume is gone. May be repeated: the same files are the same package. */
#pragma once

#include "runner/engine/engine.h"
#include "runner/job.h"
#include "runner/uplink.h"

struct collect { /* borrowed */
    struct node *node;
    struct engine *engine;
    struct uplink *up;
    struct job *job;
};

/* collect_package: ERR_INVALID and ERR_TOO_BIG: the files are not such as a package may hold.
 * ERR_CANCELLED: the attempt is to end. Waits for a server that is away, as long as the attempt is
 * ours. */
NODISCARD int collect_package(const struct collect *c, struct err *e);
