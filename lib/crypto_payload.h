/* Payloads that only a runner can read, as IronWorker's clients encrypt them (ironworker-api §3):
 *
 *   base64( RSA-OAEP-SHA1(AES-128 key) ‖ AES-128-GCM ciphertext ‖ tag (16) ‖ nonce (12) )
 *
 * Nothing marks such a payload. What tells it from a plain one is that its first bytes open with
 * the private key: OAEP has a checksum that random bytes pass once in 2^160. From there on it is
 * certain that it was meant for this key, and a wrong tag means that it was altered. Any thread. */
#pragma once

#include <stddef.h>

#include "lib/buf.h"
#include "lib/err.h"

#define PAYLOAD_KEY_PEM_BYTES (64u << 10)

struct payload_key;

/* PEM text, without a passphrase. ERR_INVALID when it is no RSA key of 2048 to 16384 bits. */
NODISCARD int payload_key_public(const char *pem, size_t len, struct payload_key **ret,
                                 struct err *e);
NODISCARD int payload_key_private(const char *pem, size_t len, struct payload_key **ret,
                                  struct err *e);
void payload_key_free(struct payload_key *k); /* NULL is fine */
static inline void payload_key_freep(struct payload_key **k)
{
    payload_key_free(*k);
}
#define autopayloadkey __attribute__((cleanup(payload_key_freep)))

/* payload_encrypt: the base64 text, appended to `ret`, under a fresh AES key. */
NODISCARD int payload_encrypt(const struct payload_key *k, const void *bytes, size_t len,
                              struct buf *ret, struct err *e);
/* payload_decrypt: the bytes, appended to `ret`; nothing on error. ERR_EMPTY: this is no payload
 * encrypted for `k`. ERR_INVALID: it is one, and was altered. */
NODISCARD int payload_decrypt(const struct payload_key *k, const char *text, size_t len,
                              struct buf *ret, struct err *e);
