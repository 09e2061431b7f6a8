/* How an attempt ended: from structure (init's report, the engine's state, what we did ourselves)
 * to a failure class, never from wording. Pure functions, any thread. See docs/ARCHITECTURE.md,
 * "Failure classes". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/frame.h"
#include "api/runner.h"
#include "lib/buf.h"
#include "runner/engine/engine.h"

/* Why we ended the task ourselves. */
enum stop_why {
    STOP_NONE = 0,
    STOP_TIMEOUT,
    STOP_CANCEL,
    STOP_LOST,     /* the attempt is not ours any more: nothing is reported */
    STOP_SHUTDOWN, /* the runner ends */
    STOP_BROKEN,   /* init or the engine does not do its part; `broken` says what */
};

#define VERDICT_REASON_BYTES 512

struct verdict {
    enum attempt_class class;
    int64_t exit_code; /* -1 = none */
    int64_t signal;    /* 0 = none */
    char reason[VERDICT_REASON_BYTES];
};
/* verdict_set: a verdict without exit code and signal. */
void verdict_set(struct verdict *v, enum attempt_class class, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* verdict_prepare: of a preparation that failed: ERR_INVALID is the request's own fault, everything
 * else ours. */
void verdict_prepare(struct verdict *v, const struct err *e);

/* verdict_collect: of a build that ended well and whose folder makes no package. */
void verdict_collect(struct verdict *v, const struct err *e);

struct asked { /* what the container was created with */
    struct task_caps caps;
    int64_t uid; /* -1 = the image names the user by a word: not compared */
    int64_t timeout_s;
};

struct ending {
    enum stop_why why;
    const char *broken;               /* STOP_BROKEN: what, for a person */
    const struct init_end *end;       /* init's report, or NULL */
    const struct engine_state *state; /* after the stream ended without one; NULL = vanished */
    const struct asked *asked;
};

void classify(const struct ending *in, struct verdict *ret);

/* limits_unapplied: appends what was asked for and did not apply, "" when all is well. A figure
 * that init could not read counts as not applied, as that is what a missing controller looks like;
 * but swap, which some kernels do not count. */
void limits_unapplied(const struct init_end *end, const struct asked *asked, struct buf *ret);
