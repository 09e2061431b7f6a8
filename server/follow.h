/* Live logs: `…/log?follow=1`, from a byte on to the end of the task, as plain text or server-sent
 * events. A follower is a response stream that reads a piece of the file when its client can take
 * one, and is suspended while there is none. It waits for nobody and nobody waits for it: memory is
 * bounded by a piece, however slow the client.
 *
 * Woken by: the log thread after an append, the writer after a change of the task, and
 * followers_sweep, which also finds clients that are gone. */
#pragma once

#include <stdint.h>

#include "lib/err.h"
#include "server/req.h"
#include "server/store.h"

struct followers;

struct followers *followers_new(void);
void followers_free(struct followers *fs); /* NULL is fine; none may be left */

/* followers_wake: something about the task changed. Any thread. */
void followers_wake(struct followers *fs, int64_t task);
/* followers_sweep: ends those whose client is gone. Every few seconds. */
void followers_sweep(struct followers *fs);
/* followers_quiesce: ends all streams, in the middle, so that clients know to come again. */
void followers_quiesce(struct followers *fs);

struct follow_start {
    struct store_log_ref ref; /* the task, and the attempt to begin with */
    uint64_t offset;          /* of the first byte, in that attempt's log */
    bool one_attempt;         /* end with that attempt and do not go on to the next */
    bool events;              /* text/event-stream */
};
/* follow: makes `rs` a stream. */
void follow(struct req *rq, struct resp *rs, const struct follow_start *start);
