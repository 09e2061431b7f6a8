/* What runners ask of the writer (api/lease.md), as items for its inbox; how they are used is said
 * in server/ops.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/runner.h"
#include "server/parked.h"
#include "server/writer.h"

struct op_lease { /* parks until there is work, the wait is over, or alive says that nobody listens
                     any more */
    struct work w;
    const struct lease_poll *poll;
    bool (*alive)(struct work *w); /* in the writer's thread; NULL = always */
    struct parked park;            /* the queue's */
    bool ret_some;
    struct grant ret_grant; /* when ret_some: grant_release it, also after an error */
};
void op_lease_init(struct op_lease *o, const struct lease_poll *poll);

struct op_renew { /* parks until there is an order that the runner does not know, or the wait is
                     over */
    struct work w;
    const struct renew *renew;
    bool (*alive)(struct work *w); /* as in op_lease */
    struct parked park;            /* the queue's */
    struct held *ret_orders;       /* free() it, also after an error */
    size_t ret_n;
};
void op_renew_init(struct op_renew *o, const struct renew *renew);

struct op_started {
    struct work w;
    const struct started *started;
};
void op_started_init(struct op_started *o); /* ERR_CONFLICT: not the live attempt */

struct op_finish {
    struct work w;
    const struct finish *finish; /* its log is complete on disk and hashed: the caller saw to it */
    const char *stderr_tail;     /* the last lines of the log's stderr; NULL or "" = none */
};
void op_finish_init(
    struct op_finish *o); /* ERR_CONFLICT: not the live attempt; the same finish again is fine */

struct op_register {
    struct work w;
    const struct runner_hello *hello;
};
void op_register_init(struct op_register *o);
