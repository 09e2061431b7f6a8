/* Who this runner is: its state directory, its lasting id and name, its token, and the hash of the
 * init it ships. Called once at start. */
#pragma once

#include "runner/node.h"

/* identity_load: makes and locks the state directory, and fills n->id, name, auth, init_sha256.
 * ERR_CONFLICT when another runner works on that directory. */
NODISCARD int identity_load(struct node *n, struct err *e);
