/* Which image a task runs in, and that it is on the engine. */
#pragma once

#include "api/runner.h"
#include "lib/err.h"
#include "runner/engine/engine.h"
#include "runner/node.h"

/* image_resolve: inspects the task's image, and pulls one that is not there; a stack is never
 * pulled, but one of IronWorker's that is not there gives way to today's. *ret_ref is the
 * reference, owned. ERR_INVALID when there is no such image; an absent stack or a registry that
 * does not answer is ERR_UNAVAILABLE, since another node or another time may do. Blocks on the
 * engine; a pull is broken off when the runner stops. */
NODISCARD int image_resolve(struct engine *g, struct node *n, const struct grant *grant,
                            struct engine_image *ret, char **ret_ref, struct err *e);
