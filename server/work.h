/* A thread with an inbox: the only way in which the server's threads hand each other something to
 * do.
 *
 * The owner of a resource (the database writer, the log files) runs all that waits as one batch:
 * `begin`, each item's `run`, `commit` (one fsync for all), then each item's `done`. An item whose
 * run fails is reported with its own error; when commit fails every item of the batch gets that
 * error. Items are owned by whoever submitted them and must live until `done`, which is called
 * exactly once and may free or resubmit the item. Only what `run` parks stays out: it counts as
 * submitted no more, and its owner submits it again.
 *
 * Used by: server/writer.c, server/logstore.c. Any thread may submit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct inbox;

/* What `run` returns beside 0 and ERR_*: the item was put aside by its owner, who submits it again
 * later. */
#define WORK_PARKED 1

struct work {
    int (*run)(struct work *w, void *owner, struct err *e); /* in the owner's thread */
    void (*done)(struct work *w); /* in the owner's thread, after the commit */
    void *arg;                    /* the submitter's */
    bool writes;                  /* false: run needs no begin and commit (memory only) */
    bool bare;                    /* writes, but no item_begin: after its first write its run can
                                     fail only by the owner's fault (a full disk), which ends the
                                     batch. Saves a savepoint per item on the hot path. */
    struct err err;               /* for done: err.code 0 = it went through */
    struct work *next;            /* the inbox's */
};

struct inbox_owner {
    const char *name; /* of the thread; at most 15 characters */
    void *owner;      /* passed to all of these */
    int (*begin)(void *owner, struct err *e);
    int (*commit)(void *owner, struct err *e);
    void (*rollback)(void *owner); /* after a failed begin or commit; what memory holds must follow
                                      the file again */
    /* around one item that writes: savepoint (left out for bare items), release or roll back to it;
     * may be NULL. An error of these means that the batch cannot be saved: no further item runs,
     * rollback is called, and every item of the batch gets the error. */
    int (*item_begin)(void *owner, struct err *e);
    int (*item_end)(void *owner, bool ok, struct err *e);
    /* tick: called before the thread waits; does what is due and returns the monotonic ms of the
     * next call, INT64_MAX = none. It may submit items, and may write only through them. */
    int64_t (*tick)(void *owner, int64_t now_ms);
    unsigned max_batch; /* 0 = 512 */
};

NODISCARD int inbox_start(const struct inbox_owner *o, struct inbox **ret, struct err *e);
void inbox_submit(struct inbox *in, struct work *w);
/* inbox_run: submits and waits for the end; for start-up and tests, never on a pool thread. Returns
 * w->err.code. */
int inbox_run(struct inbox *in, struct work *w);
/* inbox_stop: runs what waits, refuses what comes later with ERR_UNAVAILABLE (through its done, in
 * the owner's thread), ends the thread, frees. Nobody may submit once it returns. NULL is fine. */
void inbox_stop(struct inbox *in);
