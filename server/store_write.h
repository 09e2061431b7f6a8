/* The write side of the store: what the queue's rules do to rows. The writer's thread only, inside
 * a transaction. Row numbers throughout; a move of a task or an attempt is a compare-and-set that
 * answers ERR_CONFLICT when the row is no longer what the caller saw. A full disk or an I/O error
 * is ERR_UNAVAILABLE. Reads for rules are here too: they see the open transaction. */
#pragma once

#include "server/store.h"

/* ---- transactions ---- */

NODISCARD int store_begin(struct store *s, struct err *e);
NODISCARD int store_commit(struct store *s, struct err *e);
void store_rollback(struct store *s); /* no open transaction is fine: SQLite may have ended it */
/* Around one item. store_item_begin opens a savepoint; it may be left out for an item that checks
 * first and writes after. store_item_end(ok = false) undoes what the item wrote, and fails when it
 * cannot, or when the disk failed the item: then nothing of the transaction can be kept. */
NODISCARD int store_item_begin(struct store *s, struct err *e);
NODISCARD int store_item_end(struct store *s, bool ok, struct err *e);

/* ---- codes ---- */

struct code_rules { /* what decides how a code's tasks run */
    int64_t n, project, created_us;
    char *name; /* owned */
    int64_t rev, revision;
    int64_t max_concurrency; /* 0 = no limit */
    int64_t retries, retries_delay_s, default_priority;
    bool paused, deleted;
};
void code_rules_release(struct code_rules *r);
NODISCARD int store_code_rules(struct store *s, int64_t n, struct code_rules *ret, struct err *e);
NODISCARD int store_code_rules_by_name(struct store *s, int64_t project, const char *name,
                                       struct code_rules *ret, struct err *e);
/* store_code_row: the row number that a code's id names. ERR_NOT_FOUND. */
NODISCARD int store_code_row(struct store *s, int64_t project, const char *id, int64_t *ret_n,
                             struct err *e);
/* store_code_add: of r it takes project, name and the options; a code has no revision at first. */
NODISCARD int store_code_add(struct store *s, const struct code_rules *r, int64_t now_us,
                             int64_t *ret_n, struct err *e);
/* store_code_update: the options, and the current revision. */
NODISCARD int store_code_update(struct store *s, const struct code_rules *r, bool new_revision,
                                int64_t now_us, struct err *e);
NODISCARD int store_code_pause(struct store *s, int64_t n, bool paused, int64_t now_us,
                               struct err *e);
NODISCARD int store_code_delete(struct store *s, int64_t n, int64_t now_us, struct err *e);

struct store_package { /* of a revision; sha256 NULL = none */
    const char *sha256, *md5;
    int64_t bytes;
};
NODISCARD int store_revision_add(struct store *s, int64_t code, int64_t rev,
                                 const struct code_upload *up, const struct store_package *p,
                                 int64_t now_us, int64_t *ret_n, struct err *e);

/* ---- tasks ---- */

struct task_insert {
    int64_t project, code, revision, cluster, priority;
    int64_t created_us, ready_us, timeout_s, delay_s;
    const char *label;       /* "" = none */
    const char *schedule_id; /* NULL = none */
    const char *payload;
    size_t payload_len;
};
NODISCARD int store_task_add(struct store *s, const struct task_insert *t, int64_t *ret_n,
                             struct err *e);

struct task_row { /* what the rules need of a task */
    int64_t n, project, code, cluster, priority, created_us;
    int64_t attempt, retry, infra; /* infra: failures of ours so far */
    enum task_state state;
    bool stopping;
    int64_t ready_us, start_us, end_us;
    bool told;                 /* the worker has set a message: it stays to the end */
    char original_id[ID_TEXT]; /* first of a chain of retries; "" = it is the first */
    char retry_id[ID_TEXT];    /* the next one */
    char schedule_id[ID_TEXT]; /* "" = none */
};
NODISCARD int store_task_row(struct store *s, int64_t n, struct task_row *ret, struct err *e);
/* store_task_resolve: the row that an id names. project 0 = any. ERR_NOT_FOUND. */
NODISCARD int store_task_resolve(struct store *s, int64_t project, const char *id,
                                 struct task_row *ret, struct err *e);
NODISCARD int store_task_last(struct store *s, int64_t *ret_n,
                              struct err *e); /* the newest row, 0 = none */
NODISCARD int store_task_stack(struct store *s, int64_t n, char **ret, struct err *e);
/* store_task_update: from `was` to `now` in state, stopping, infra, the times and retry_id; msg
 * NULL = unchanged. The move must be legal (asserted). ERR_CONFLICT: it is not as `was` says. */
NODISCARD int store_task_update(struct store *s, const struct task_row *was,
                                const struct task_row *now, const char *msg, int64_t now_us,
                                struct err *e);
/* store_task_progress: percent -1 and msg NULL = unchanged, msg "" = none. */
NODISCARD int store_task_progress(struct store *s, int64_t n, int64_t percent, const char *msg,
                                  int64_t now_us, struct err *e);
/* store_task_copy: a new task like `from`, payload included, of another revision. original_id,
 * retry, ready_us and created_us are of `as`. */
NODISCARD int store_task_copy(struct store *s, int64_t from, const struct task_row *as,
                              int64_t revision, int64_t delay_s, int64_t *ret_n, struct err *e);

/* ---- lanes: the queued tasks of (cluster, code, priority) ---- */

struct store_lane {
    int64_t cluster, code, priority;
};
/* store_lane_next: the lane after `lane` in any fixed order; {-1,-1,-1} asks for the first. One
 * seek per lane however many tasks there are. ERR_EMPTY behind the last. */
NODISCARD int store_lane_next(struct store *s, struct store_lane *lane, struct err *e);
/* store_lane_first: its task that is ready first, ready or not. ERR_EMPTY. */
NODISCARD int store_lane_first(struct store *s, const struct store_lane *lane, int64_t *ret_task,
                               int64_t *ret_ready_us, struct err *e);
/* store_lane_ahead: how many of its tasks come before `t`, counted up to `limit`. */
NODISCARD int store_lane_ahead(struct store *s, const struct task_row *t, int64_t limit,
                               int64_t *ret, struct err *e);
/* store_lane_cancel: makes at most `limit` of its tasks, up to row `through`, cancelled; calls fn
 * for each. msg NULL = unchanged. */
NODISCARD int store_lane_cancel(struct store *s, const struct store_lane *lane, int64_t through,
                                int64_t limit, const char *msg, int64_t now_us,
                                void (*fn)(int64_t task, void *arg), void *arg, int64_t *ret_n,
                                struct err *e);

/* ---- attempts ---- */

struct attempt_row {
    int64_t task, no, slot, started_us, ended_us;
    int64_t exit_code, signal, log_bytes;
    enum attempt_class class;
    char runner[RUNNER_NAME_BYTES + 1], poll[RUNNER_POLL_HEX + 1], log_sha256[65];
    char *reason; /* owned; NULL = none */
};
void attempt_row_release(struct attempt_row *a);
/* store_task_claim: queued → preparing as attempt *ret_no of the poller, or ERR_CONFLICT. */
NODISCARD int store_task_claim(struct store *s, int64_t task, const struct lease_poll *p,
                               int64_t now_us, int64_t *ret_no, struct err *e);
/* store_grant_load: all that a runner needs; lease_s and caps stay 0. grant_release it. */
NODISCARD int store_grant_load(struct store *s, int64_t task, int64_t no, struct grant *ret,
                               struct err *e);
NODISCARD int store_attempt_find(struct store *s, int64_t task, int64_t no, struct attempt_row *ret,
                                 struct err *e); /* ERR_NOT_FOUND */
NODISCARD int store_attempt_started(struct store *s, int64_t task, const struct started *st,
                                    int64_t now_us, struct err *e);
/* store_attempt_end: class, exit, log and facts; ERR_CONFLICT when it had ended. */
NODISCARD int store_attempt_end(struct store *s, int64_t task, const struct finish *f,
                                int64_t now_us, struct err *e);
/* store_attempt_each: every attempt that has not ended; fn's first negative result ends it. */
NODISCARD int store_attempt_each(struct store *s,
                                 int (*fn)(const struct attempt_row *a, void *arg, struct err *e),
                                 void *arg, struct err *e);
