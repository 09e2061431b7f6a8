/* The janitor thread: removes containers that have ended, off the slots' way, and every minute
 * everything of ours on the engine that belongs to nothing. It blocks on the engine alone. */
#pragma once

#include "runner/jobs.h"
#include "runner/node.h"
#include "runner/sandboxes.h"
#include "runner/volumes.h"

struct janitor;

struct janitor *janitor_start(struct node *n, struct jobs *js, struct volumes *vs,
                              struct sandboxes *sbs);
/* janitor_remove: queues a container, by name. Any thread. */
void janitor_remove(struct janitor *jn, const char *container);
/* janitor_stop: works the queue off first, for `ms` at most. */
void janitor_stop(struct janitor *jn, int64_t ms);
