/* Ctrl-C and SIGTERM, read instead of suffered: a follower says what goes on before it leaves.
 * Process-wide; the main thread. */
#pragma once

#include <stdbool.h>

#include "lib/err.h"

/* interrupt_watch: from now on the signals are blocked and interrupt_seen tells of them. */
NODISCARD int interrupt_watch(struct err *e);

/* interrupt_seen: whether one has come. Also true for every later call. */
bool interrupt_seen(void);

/* interrupt_wait: waits up to `ms` for one; returns interrupt_seen(). The only way to pass time
 * here, so that a back-off ends at once on Ctrl-C. */
bool interrupt_wait(int ms);
