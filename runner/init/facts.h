/* What the kernel says about the task: the limits that really apply, and what was used. Read by
 * init from the inside, because the engine only echoes what was asked of it, and the control group
 * is gone once the container has ended. What cannot be read is -1. One thread. */
#pragma once

#include <sys/types.h>

#include "api/frame.h"

/* facts_of_command: capabilities, no-new-privileges, seccomp and uid of the process that was
 * executed; it must not be reaped yet. */
void facts_of_command(pid_t pid, struct init_end *end);

/* facts_of_container: the control group's figures and the root file system. */
void facts_of_container(struct init_end *end);
