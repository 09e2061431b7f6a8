/* Secrets that have to be read again, sealed for the database by a key in a file of its own
 * (DIR/secrets.key, 0600): a copy of the database alone gives none away. Any thread. */
#pragma once

#include <stddef.h>

#include "lib/buf.h"
#include "lib/err.h"

struct vault;

/* vault_open: makes the key when there is none. Caller vault_free()s it. */
NODISCARD int vault_open(const char *dir, struct vault **ret, struct err *e);
void vault_free(struct vault *v); /* NULL is fine */

/* As secret_seal and secret_open of lib/crypto.h. */
void vault_seal(const struct vault *v, const char *about, const void *bytes, size_t len,
                struct buf *out);
NODISCARD int vault_unseal(const struct vault *v, const char *about, const void *sealed, size_t len,
                           struct buf *out, struct err *e);
