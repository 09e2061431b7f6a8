/* The processes of the task: all that run in this container but init. Outside of one (unit tests)
 * init is a subreaper, and they are its descendants. One thread. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* procs_adopt: orphans become our children. Once, at start. False with errno when it cannot be. */
bool procs_adopt(void);

/* procs_signal: sends signal `n` to every process of the task. Those that fork meanwhile may be
 * missed: repeat until procs_reap finds none. */
void procs_signal(int n);

/* procs_reap: takes in every process that has ended. True when no process of the task is left.
 * *ret_status is the wait status of `command` and *ret_ended true if it was among them. */
bool procs_reap(pid_t command, bool *ret_ended, int *ret_status);
