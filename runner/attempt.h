/* An attempt in its container: from the start of the container (or the take-over from a former
 * process) to the moment when nothing more will come from it. Belongs to the thread of one slot.
 *
 * What init says is followed frame by frame; output goes to the job's spool and is acknowledged
 * from there. The server's orders, the timeout and a stop of the runner end the task in steps:
 * SIGTERM, grace, SIGKILL, the engine's kill. See api/init.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/frame.h"
#include "lib/buf.h"
#include "runner/channel.h"
#include "runner/classify.h"
#include "runner/job.h"

enum attempt_phase {
    PHASE_RESUMING, /* waits for RESUMED */
    PHASE_GREETING, /* waits for HELLO */
    PHASE_SETUP,    /* the document is with init */
    PHASE_RUNNING,
};

enum stop_step { STEP_NONE, STEP_TERM, STEP_KILL, STEP_ENGINE_KILL, STEP_GIVE_UP };

struct attempt {
    struct node *node;
    struct job *job;
    struct engine *engine;
    struct channel ch;
    const struct buf *doc; /* borrowed; NULL when taken over */

    enum attempt_phase phase;
    int64_t phase_end_ms; /* monotonic: when patience with this phase ends */
    uint8_t nonce[FRAME_NONCE_BYTES];

    uint64_t received, acked; /* in init's count of output bytes */
    uint64_t missing;         /* bytes that init could not send again */
    uint64_t dropped;         /* bytes over the log's ceiling: counted, not kept */
    bool full;                /* the ceiling is reached */
    bool stuck;               /* the spool's disk is full: `held` waits for room */
    struct frame held;
    int64_t retry_ms;

    enum stop_why why;
    enum stop_step step;
    int64_t step_ms; /* when the next step is due */
    char broken[256];

    bool has_end;
    struct init_end end;
    bool has_state; /* the container has ended without END */
    struct engine_state state;
};

void attempt_init(struct attempt *a, struct node *n, struct job *j, struct engine *g);
void attempt_release(struct attempt *a);

/* attempt_start: attaches and starts the created container. ERR_CONFLICT when the engine could not
 * execute init itself. */
NODISCARD int attempt_start(struct attempt *a, struct err *e);
/* attempt_resume: attaches to a running container of a former process. */
NODISCARD int attempt_resume(struct attempt *a, struct err *e);
/* attempt_follow: until END, or until the container has ended. Connections that break are made
 * again. */
void attempt_follow(struct attempt *a);
/* attempt_bye: the end is safe: init may exit. */
void attempt_bye(struct attempt *a);
/* attempt_confirm_gone: kills the container and waits until it does not run any more. False when
 * that could not be had in time. */
bool attempt_confirm_gone(struct attempt *a);

/* attempt_inspect: the container's state, waiting for an engine that is away. ERR_NOT_FOUND when it
 * is gone; other errors: the engine stayed away too long, or there is an order to stop. */
NODISCARD int attempt_inspect(struct attempt *a, struct engine_state *ret, struct err *e);

void attempt_verdict(const struct attempt *a, struct verdict *ret);
