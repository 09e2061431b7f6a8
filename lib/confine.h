/* Self-confinement: what a daemon of ours never does, the kernel refuses it from then on, so that
 * whoever takes it over by a hole in it has less to go on with. Any thread. */
#pragma once

#include <stdbool.h>

#include "lib/err.h"

/* confine: for all threads of this process, those that run already too, and for good. To be called
 * after the start. ERR_INTERNAL when the kernel or libseccomp cannot. */
NODISCARD int confine(struct err *e);

/* confine_is_on: asks the kernel, for the calling thread. */
bool confine_is_on(void);
