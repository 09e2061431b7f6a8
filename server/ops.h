/* Every operation that changes something, as an item for the writer's inbox (server/work.h).
 *
 * A handler fills the inputs, sets w.done, and calls writer_submit; when `done` runs, w.err says
 * how it went and the outputs are filled and durable. The rules (who may be claimed, what a finish
 * means) are behind server/queue.h and only ever run in the writer's thread: they need no locks.
 * Inputs are borrowed until `done`. Errors carry messages for clients. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/code.h"
#include "api/runner.h"
#include "api/task.h"
#include "server/parked.h"
#include "server/writer.h"

/* Inputs first, outputs (ret_…) last. op_X_init sets w.run and clears; w.done and w.arg are the
 * caller's. */

/* First start: the project `default` and the three tokens. Does nothing and says so when there is a
 * project. */
struct op_bootstrap {
    struct work w;
    const uint8_t *project_hash, *runner_hash, *admin_hash; /* SHA-256 of the tokens */
    bool ret_created;
    char ret_project_id[ID_TEXT];
};
void op_bootstrap_init(struct op_bootstrap *o);

/* A new revision, a new code, or (only_options) changed options. Options that the upload leaves out
 * (CODE_UNSET) stay as they were. ERR_NOT_FOUND: only_options of a name that no code has. */
struct op_code_put {
    struct work w;
    int64_t project;
    const struct code_upload *up;
    bool only_options;
    const char *package_sha256, *package_md5; /* NULL = no package; it is on disk already */
    int64_t package_bytes;
    char ret_id[ID_TEXT];
    int64_t ret_rev;
};
void op_code_put_init(struct op_code_put *o);

struct op_code_delete { /* its queued tasks become cancelled with the reason in msg; running ones go
                           on */
    struct work w;
    int64_t project;
    const char *id;
};
void op_code_delete_init(struct op_code_delete *o);

struct op_enqueue {
    struct work w;
    int64_t project;
    const struct task_new *tasks;
    size_t n;
    char (*ret_ids)[ID_TEXT]; /* n of them, the caller's memory */
};
void op_enqueue_init(struct op_enqueue *o); /* all or none */

struct op_cancel { /* an ended task: success, unchanged */
    struct work w;
    int64_t project;
    const char *id;
};
void op_cancel_init(struct op_cancel *o);

/* op_cancel_all: everything that is queued or live of a code. In slices, so that a long queue holds
 * nobody up: submit it again while ret_more. What is queued after the first slice is left alone. */
struct op_cancel_all {
    struct work w;
    int64_t project;
    const char *id;
    int64_t through; /* 0, then what the first slice set: the last task that it concerns */
    bool ret_more;
};
void op_cancel_all_init(struct op_cancel_all *o);

struct op_pause { /* while a code is paused its tasks wait; they keep their revision */
    struct work w;
    int64_t project;
    const char *id;
    bool paused;
    bool ret_changed; /* false: it was so already */
};
void op_pause_init(struct op_pause *o);

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

struct op_probe { /* for /health: a durable write */
    struct work w;
};
void op_probe_init(struct op_probe *o);

/* op_why: why a task is not running, from what the writer's memory and the file know (memory only).
 */
struct op_why {
    struct work w;
    int64_t project;
    const char *id;
    char ret_reason[256]; /* one sentence; "" = it is running or has ended */
};
void op_why_init(struct op_why *o);
