/* Every operation of clients that changes something (those of runners: server/ops_runner.h), as an
 * item for the writer's inbox (server/work.h).
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
#include "api/task.h"
#include "lib/crypto.h"
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
    /* NULL, or a key under which the request is carried out once: said again within
     * ENQUEUE_ONCE_US it gets the ids of the first time. ERR_CONFLICT: another request has it. */
    const char *once_key;
    char once_hash[SHA256_TEXT]; /* what the request says */
    char (*ret_ids)[ID_TEXT];    /* n of them, the caller's memory */
    bool ret_again;              /* they are of an earlier request */
};
#define ENQUEUE_ONCE_US (86400 * 1000000ll)
void op_enqueue_init(struct op_enqueue *o); /* all or none */

struct op_cancel { /* an ended task: success, unchanged */
    struct work w;
    int64_t project;
    const char *id;
};
void op_cancel_init(struct op_cancel *o);

struct op_progress { /* in any state: the last word counts, also after the end */
    struct work w;
    int64_t project;
    const char *id;
    int64_t percent; /* 0 … 100; -1 = unchanged */
    const char *msg; /* NULL = unchanged, "" = none */
};
void op_progress_init(struct op_progress *o);

/* op_retry: a new task like the old one, whatever the state of that, of its code's current
 * revision; with a fresh budget of retries. ERR_NOT_FOUND also when the code was deleted. */
struct op_retry {
    struct work w;
    int64_t project;
    const char *id;
    int64_t delay_s;
    char ret_id[ID_TEXT];
};
void op_retry_init(struct op_retry *o);

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
