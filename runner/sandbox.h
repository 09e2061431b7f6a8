/* Net sandboxes: idle containers that own a network namespace each, for tasks to join. Joining
 * costs half of what a namespace of its own would cost a task, and in a sandbox our init has set
 * what the tasks may reach (runner/init/sandbox.h), which no task can change.
 *
 * A slot keeps one sandbox for each policy and lets one task at a time into it. Before the next one
 * enters, the container of the last is gone; the namespace keeps no connection that was closed
 * (no TIME_WAIT); and after some tasks or some time it is replaced. A task that may write the files
 * it shares with the sandbox (/etc/hosts), or is root, gets a sandbox for itself alone.
 *
 * A seat belongs to the thread of one slot; `sandboxes` to any thread. Blocks on the engine. */
#pragma once

#include "api/netrule.h"
#include "runner/engine/engine.h"
#include "runner/janitor.h"
#include "runner/node.h"
#include "runner/sandboxes.h"

struct sandbox_seat;

struct sandbox_seat *sandbox_seat_new(struct sandboxes *sbs, struct janitor *jn, int slot);
/* sandbox_seat_free: its sandboxes are left to the janitor. */
void sandbox_seat_free(struct sandbox_seat *seat);

/* sandbox_enter: a sandbox for the next task of this slot, made if there is none that can be used.
 * `alone`: nobody else was or will be in it. *ret_name is the container's name, *ret_mode what the
 * task's NetworkMode has to be; both the seat's, until sandbox_leave. Errors are never the task's
 * own (no ERR_INVALID). */
NODISCARD int sandbox_enter(struct sandbox_seat *seat, struct engine *g, enum net_policy policy,
                            bool alone, const char **ret_name, const char **ret_mode,
                            struct err *e);
/* sandbox_leave: the task that ran in container `container` will be gone soon. Harmless when nobody
 * entered. */
void sandbox_leave(struct sandbox_seat *seat, const char *container);
