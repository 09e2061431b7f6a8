/* Hashes, sealing, random bytes and constant-time comparison, by OpenSSL's libcrypto (its only
 * user). Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

#define SHA256_BYTES 32
#define SHA256_TEXT  65 /* lower-case hex and its NUL */
#define MD5_TEXT     33

struct sha256; /* a running hash */

struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *h, const void *bytes, size_t len);
/* sha256_peek: the hash of what was added so far, in hex; more may be added afterwards. */
void sha256_peek(const struct sha256 *h, char out[SHA256_TEXT]);
void sha256_free(struct sha256 *h); /* NULL is fine */

void sha256_bytes(const void *bytes, size_t len, uint8_t out[SHA256_BYTES]);
void sha256_hex(const void *bytes, size_t len, char out[SHA256_TEXT]);
void md5_hex(const void *bytes, size_t len, char out[MD5_TEXT]);
/* file_digests: both hashes of the file at descriptor `fd` from its beginning, in one pass. Leaves
 * the offset at the end. */
NODISCARD int file_digests(int fd, char ret_sha256[SHA256_TEXT], char ret_md5[MD5_TEXT],
                           struct err *e);

/* ---- sealing: AES-256-GCM with a fresh random nonce ---- */

#define SEAL_KEY_BYTES 32

/* secret_seal: nonce, ciphertext and tag of `len` bytes, appended to `out`. `about` is not in it,
 * but it opens only with the same text: what was sealed for one place is of no use in another. */
void secret_seal(const uint8_t key[SEAL_KEY_BYTES], const char *about, const void *bytes,
                 size_t len, struct buf *out);
/* secret_open: appends the plain bytes. ERR_INVALID: another key, another `about`, or changed
 * bytes. */
NODISCARD int secret_open(const uint8_t key[SEAL_KEY_BYTES], const char *about, const void *sealed,
                          size_t len, struct buf *out, struct err *e);

/* random_bytes: from the kernel; aborts if there are none. */
void random_bytes(void *out, size_t len);
/* random_hex: `len` random bytes as 2*len lower-case digits and a NUL. */
void random_hex(char *out, size_t len);

/* bytes_equal: in time that depends on `len` only. */
bool bytes_equal(const void *a, const void *b, size_t len);

/* hex_decode: false unless `text` is exactly 2*len hex digits. */
bool hex_decode(const char *text, uint8_t *out, size_t len);
