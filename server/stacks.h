/* Which stacks there are: the union of what the registered runners reported. Any thread. */
#pragma once

#include "lib/err.h"
#include "lib/json.h"
#include "server/req.h"

/* stack_check: a stack there is, or an old name of one (api/stack.h). ERR_INVALID that lists those
 * there are; fine while no runner has reported any. */
NODISCARD int stack_check(struct req *rq, const char *name, struct err *e);
/* stack_list: sorted names, each once, as the elements of an array that is open in `w`. */
NODISCARD int stack_list(struct req *rq, struct jsonw *w, struct err *e);
