/* What a task is given: the text of --payload or the file of --payload-file, in the clear or
 * encrypted for the runner. One thread. */
#pragma once

#include "lib/buf.h"
#include "lib/err.h"

/* The flags that say so; NULL = not given. */
struct payload_source {
    const char *text, *file;         /* "-" is stdin */
    const char *key_text, *key_file; /* RSA public key, PEM */
};

/* payload_read: what is sent, appended to `out`; nothing when no payload is given. ERR_USAGE for
 * flags that exclude each other; ERR_INVALID for a key that is none, and for what a JSON string
 * cannot hold (encrypted, any bytes will do). */
NODISCARD int payload_read(const struct payload_source *s, struct buf *out, struct err *e);
