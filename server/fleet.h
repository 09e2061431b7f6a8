/* The runners that were heard of, and the leases they hold.
 *
 * A lease is the memory of a live attempt (an attempt row that has not ended): whose it is and
 * until when. Deadlines are monotonic and only here, so neither a jump of the clock nor time in
 * which the server was down ends one. The writer's thread only. */
#pragma once

#include "server/codes.h"
#include "server/heap.h"
#include "server/map.h"
#include "server/parked.h"
#include "server/store_write.h"

struct runner {
    char name[RUNNER_NAME_BYTES + 1];
    char *cluster, *problem, *stacks; /* as registered; cluster "" = never registered */
    int64_t slots;
    int64_t seen_us; /* last word of it, 0 = never */
    struct lease *leases;
    struct parked_list renewals; /* it waits for orders */
};

struct lease {
    int64_t task, attempt;
    struct qcode *code;
    struct runner *runner;
    int64_t slot;
    char poll[RUNNER_POLL_HEX + 1];
    bool started;   /* the command was executed */
    bool confirmed; /* the runner has said that it holds it */
    bool stopping;  /* the task is cancelled: the runner is to end it */
    struct heap_node deadline_ms;
    struct lease *prev, *next; /* of the runner */
};

struct fleet { /* zeroed = empty */
    struct map runners, leases;
    struct heap deadlines;
};

void fleet_release(struct fleet *f);
struct runner *fleet_runner(struct fleet *f, const char *name);      /* made when it is new */
struct runner *fleet_known(const struct fleet *f, const char *name); /* or NULL */
/* runner_told: it registered; strings are copied. */
void runner_told(struct runner *r, const char *cluster, int64_t slots, const char *problem,
                 const char *stacks);

/* lease_new: a full term from now, and the code has one more live attempt. */
struct lease *lease_new(struct fleet *f, struct runner *r, struct qcode *code,
                        const struct attempt_row *a, int64_t deadline_ms);
void lease_free(struct fleet *f, struct lease *l);
void lease_extend(struct fleet *f, struct lease *l, int64_t deadline_ms);
/* lease_of_task: the live attempt of a task, or NULL: there is at most one. */
struct lease *lease_of_task(const struct fleet *f, int64_t task);
struct lease *fleet_first_due(const struct fleet *f); /* or NULL */
void fleet_drop_leases(struct fleet *f);              /* they are read again from the file */
void fleet_extend_all(struct fleet *f, int64_t deadline_ms);
