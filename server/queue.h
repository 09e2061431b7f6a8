/* The rules, as one struct that the writer's thread owns: who is served, what a report means, when
 * a lease is over. Nothing here needs a lock.
 *
 * Memory follows the file. An operation checks first, then writes rows, and changes memory when the
 * last of its writes went through; if the batch is lost all the same (a full disk), memory is built
 * again from the file. Until that has worked the queue is `stale` and answers nothing. */
#pragma once

#include "server/clusters.h"
#include "server/codes.h"
#include "server/fleet.h"
#include "server/lanes.h"
#include "server/ops.h"
#include "server/ops_runner.h"
#include "server/parked.h"
#include "server/schedules.h"
#include "server/store_write.h"

struct queue {
    struct store *store;
    const struct time_source *time;
    int64_t infra_retries;
    void (*submit)(void *arg, struct work *w); /* into the writer's inbox */
    void *submit_arg;

    struct codes codes;
    struct clusters clusters;
    struct lanes lanes;
    struct fleet fleet;
    struct parking parking;
    struct schedules schedules;

    int64_t *touched; /* tasks that this batch changed, for on_task */
    size_t n_touched, cap_touched;
    struct work expire, purge, fire; /* the rules' own operations; arg NULL = not under way */
    int64_t due_ms;    /* when the last tick asked to be called again, by the inbox's clock */
    int64_t upkeep_ms; /* own operations wait until then, after one failed */
    bool purge_due;    /* a deleted code still has queued tasks */
    bool stale, quiescing;
};

void queue_init(struct queue *q, struct store *s, const struct writer_conf *c,
                void (*submit)(void *arg, struct work *w), void *submit_arg);
void queue_release(struct queue *q);
/* queue_rebuild: all memory from the file; every live attempt gets a full term. */
NODISCARD int queue_rebuild(struct queue *q, struct err *e);
/* queue_tick: what is due: leases that ran out, delayed tasks, parked polls. As inbox_owner.tick.
 */
int64_t queue_tick(struct queue *q, int64_t now_ms);
/* queue_wake: a parked operation runs again. */
void queue_wake(struct queue *q, struct parked *it);

int64_t queue_now_us(const struct queue *q);
int64_t queue_now_ms(const struct queue *q);
int64_t queue_lease_end_ms(const struct queue *q); /* a full term from now */
void queue_touch(struct queue *q, int64_t task);   /* its state or attempt changed */
const char *queue_task_id(const struct queue *q, int64_t task, int64_t created_us,
                          char out[ID_TEXT]);
/* queue_requeued: the task in `row` (as it is now) waits in its lane again. */
NODISCARD int queue_requeued(struct queue *q, const struct task_row *row, struct err *e);

/* queue_add_task: a new task (server/enqueue.c). schedule_id NULL = of no schedule. ERR_NOT_FOUND:
 * no such code, and nothing was written. */
NODISCARD int queue_add_task(struct queue *q, int64_t project, const struct task_new *t,
                             const char *schedule_id, int64_t now_us, int64_t *ret_n,
                             struct err *e);
/* queue_cancel_task: of one that has not ended (server/cancel.c). msg NULL = unchanged. */
NODISCARD int queue_cancel_task(struct queue *q, const struct task_row *row, const char *msg,
                                struct err *e);

/* An upload: what it asks for, and the code as it is then (its name borrowed). */
struct code_put {
    int64_t project;
    const struct code_upload *up;
    bool revision;   /* a new revision of `package` and `up`; else options alone */
    bool name_alone; /* a code that is not there yet gets its row, and no revision */
    struct store_package package;
    struct code_rules ret;
    char ret_id[ID_TEXT];
};
NODISCARD int queue_put_code(struct queue *q, struct code_put *p, struct err *e);
/* queue_build_ends: before the end of an attempt: when it was a build and went well, its package
 * becomes a revision; when the package is missing, `f` becomes a failure of ours. */
NODISCARD int queue_build_ends(struct queue *q, const struct task_row *row, struct finish *f,
                               struct err *e);

/* queue_end_attempt: ends the attempt of `row` as `f` says and moves the task (server/endings.c).
 * `forgiven`: it does not count against the budget, and the task is ready at once. */
NODISCARD int queue_end_attempt(struct queue *q, const struct task_row *row, const struct finish *f,
                                const char *stderr_tail, bool forgiven, struct err *e);
/* queue_lose: ends a lease as `lost`. */
NODISCARD int queue_lose(struct queue *q, const struct lease *l, const char *reason, bool forgiven,
                         struct err *e);
/* queue_live: the live attempt that a report names, and its task. ERR_CONFLICT. */
NODISCARD int queue_live(struct queue *q, const struct attempt_ref *ref, const char *runner,
                         struct lease **ret, struct task_row *ret_row, struct err *e);
/* queue_release_lease: its attempt has ended: the slot is free, the code's limit too. */
void queue_release_lease(struct queue *q, struct lease *l);

/* What `run` of each operation is; the owner is the queue. */
int run_bootstrap(struct work *w, void *owner, struct err *e);
int run_code_put(struct work *w, void *owner, struct err *e);
int run_code_delete(struct work *w, void *owner, struct err *e);
int run_build_put(struct work *w, void *owner, struct err *e);
int run_build_result(struct work *w, void *owner, struct err *e);
int run_enqueue(struct work *w, void *owner, struct err *e);
int run_cancel(struct work *w, void *owner, struct err *e);
int run_cancel_all(struct work *w, void *owner, struct err *e);
int run_progress(struct work *w, void *owner, struct err *e);
int run_retry(struct work *w, void *owner, struct err *e);
int run_pause(struct work *w, void *owner, struct err *e);
int run_lease(struct work *w, void *owner, struct err *e);
int run_renew(struct work *w, void *owner, struct err *e);
int run_started(struct work *w, void *owner, struct err *e);
int run_finish(struct work *w, void *owner, struct err *e);
int run_register(struct work *w, void *owner, struct err *e);
int run_probe(struct work *w, void *owner, struct err *e);
int run_why(struct work *w, void *owner, struct err *e);
int run_expire(struct work *w, void *owner, struct err *e);
int run_purge(struct work *w, void *owner, struct err *e);
