/* A job: one attempt in the hands of this runner, from the grant until the server has its end.
 *
 * Its directory STATE/jobs/TASK.ATTEMPT survives the process:
 *   grant.json   written before anything else is done about the attempt
 *   container.json   limits and image of its container, before that is started
 *   started      time of the start, once the command ran
 *   spool.log, spool.seg   its output (lib/seglog.h); what the server has may be punched out
 *   finish.json  how it ended, as it will be posted; written before init is told BYE
 *
 * Two threads work on a job: the slot's (everything but the shipping) and its shipper's. What they
 * share is guarded by `mu`; `wake_fd` wakes the slot's poll, `changed` the shipper. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/runner.h"
#include "lib/err.h"
#include "lib/seglog.h"
#include "runner/classify.h"
#include "runner/node.h"

#define JOB_CONTAINER_BYTES 64

enum job_outcome {
    JOB_OPEN = 0,
    JOB_DELIVERED, /* the server has its end */
    JOB_DROPPED,   /* the server does not want it: lost, or refused for good */
    JOB_KEPT,      /* the runner stops first: the directory stays for its next start */
};

struct job {
    struct node *node;
    struct grant grant;
    int slot;
    char container[JOB_CONTAINER_BYTES]; /* name: wrought-TASK-ATTEMPT */
    char sandbox[JOB_CONTAINER_BYTES];   /* whose network it joined; "" = none */
    char *dir;
    struct seglog *spool;   /* the slot's handle; the shipper reads with its own */
    uint64_t trimmed;       /* bytes punched out by this process */
    bool adopted;           /* found in the state directory at start */
    struct asked asked;     /* what its container was made with */
    char *image, *image_id; /* and from; NULL until then */
    int64_t start_us;       /* 0 = not started */
    int64_t arrived_ms;     /* when this process got it (monotonic) */
    int wake_fd;

    pthread_mutex_t mu;
    pthread_cond_t changed;
    /* guarded by mu */
    enum order order;  /* the server's */
    uint64_t spooled;  /* bytes of the spool that the shipper may read */
    uint64_t shipped;  /* bytes that are on the server's disk */
    bool offset_known; /* false after adoption: ask the server how much it has */
    bool started_due;  /* `started` is to be reported */
    char *finish;      /* how it ended, as it will be posted; NULL while it runs */
    bool finish_due;   /* and now is the time */
    enum job_outcome outcome;
};

/* job_new: takes the grant over and makes the directory. */
NODISCARD int job_new(struct node *n, int slot, struct grant *grant_take, struct job **ret,
                      struct err *e);
/* job_load: from a directory of a former process; `finish` is set when it had ended. */
NODISCARD int job_load(struct node *n, const char *dir, struct job **ret, struct err *e);
void job_free(struct job *j); /* closes; the directory stays */
/* job_discard: removes the directory. */
void job_discard(struct job *j);

char *job_spool_path(const struct job *j); /* for seglog_open_read; owned */

/* ---- the slot's side ---- */

/* job_spool: appends output. ERR_UNAVAILABLE: the disk is full, nothing was taken. */
NODISCARD int job_spool(struct job *j, enum seg_stream stream, const void *bytes, size_t len,
                        struct err *e);
/* job_may_ack: the spools of this runner are within their limit. */
bool job_may_ack(const struct job *j);
/* job_trim: gives disk space of shipped output back. */
void job_trim(struct job *j);
/* job_prepared: the container was made. */
void job_prepared(struct job *j, const struct asked *asked, const char *image, const char *image_id,
                  const char *sandbox);
void job_started(struct job *j);
enum order job_order(struct job *j);

struct job_end {
    const struct verdict *verdict;
    const struct init_end *facts; /* or NULL */
    bool log_complete;
    uint64_t dropped_bytes; /* over the log's ceiling */
};
/* job_finish: writes finish.json durably. An error leaves the report in memory alone. */
NODISCARD int job_finish(struct job *j, const struct job_end *end, struct err *e);
/* job_report: lets the shipper post it, once the whole log is shipped. */
void job_report(struct job *j);
/* job_wait_outcome: until the shipper is done with it. */
enum job_outcome job_wait_outcome(struct job *j);

/* ---- anybody ---- */

/* job_give_order: the strongest order wins; wakes the slot. */
void job_give_order(struct job *j, enum order order);
void job_wake(struct job *j);
void job_settle(struct job *j, enum job_outcome outcome); /* the shipper's last word */
