/* The seccomp filter of task containers, on top of the engine's own: what worker code has no
 * business with.
 *
 * Built here with libseccomp (its only user in the runner), carried to the container as a BPF
 * program in the task document (api/frame.h, DOC_SECCOMP), loaded by wrought-init right before
 * exec. The list and its reasons are the table in seccomp.c. Any thread. */
#pragma once

#include "lib/buf.h"
#include "lib/err.h"

#define SECCOMP_PROGRAM_BYTES (64u << 10)

/* seccomp_program: appends the filter as an array of struct sock_filter, for this machine's
 * architecture and its 32-bit relatives. ERR_INTERNAL when libseccomp cannot build it. */
NODISCARD int seccomp_program(struct buf *out, struct err *e);
