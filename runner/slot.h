/* A slot: one thread, in it the life of a task from top to bottom. */
#pragma once

#include "runner/janitor.h"
#include "runner/jobs.h"
#include "runner/node.h"
#include "runner/sandbox.h"
#include "runner/volumes.h"

struct slot;

struct slot_shared { /* what all slots work with; borrowed */
    struct node *node;
    struct jobs *jobs;
    struct volumes *volumes;
    struct sandboxes *sandboxes;
    struct janitor *janitor;
    int done_fd; /* eventfd, raised when a slot has ended */
};

/* slot_start: `adopted` (or NULL) is a job of a former process, owned by the slot from now on; it
 * is in `jobs` already. `once`: no polling, the slot ends with that job. */
struct slot *slot_start(const struct slot_shared *shared, int number, struct job *adopted,
                        bool once);
bool slot_is_done(const struct slot *s);
void slot_join(struct slot *s); /* waits and frees */
