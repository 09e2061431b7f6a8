/* Ids of 24 lower-case hex digits: 32-bit creation seconds, then a keyed 64-bit permutation of the
 * kind and the row number. Unguessable without the key, ordered by time, and looked up by row
 * number without an index of their own: decode, read the row, compare its creation second. The
 * permutation is Speck64/128 in both directions (https://eprint.iacr.org/2013/404). Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define ID_HEX       24
#define ID_TEXT      (ID_HEX + 1) /* with its NUL */
#define ID_KEY_BYTES 16

/* The kind is part of the permuted number, so that an id of one kind never names a row of another.
 * Values are stored on disk inside ids: append only. */
enum id_kind {
    ID_PROJECT = 1,
    ID_CODE = 2,
    ID_REVISION = 3,
    ID_TASK = 4,
    ID_SCHEDULE = 5,
    ID_CLUSTER = 6,
    ID_TOKEN = 7,
    ID_RUNNER = 8,
};

struct id_key {
    uint32_t round[27]; /* expanded; made by id_key_init */
};

void id_key_init(struct id_key *key, const uint8_t secret[ID_KEY_BYTES]);

/* id_encode: `row` is 1 … 2^56-1, `created_us` UTC us. Writes 24 digits and a NUL; returns `out`.
 */
const char *id_encode(const struct id_key *key, enum id_kind kind, int64_t row, int64_t created_us,
                      char out[ID_TEXT]);

/* id_decode: false unless `text` is exactly 24 lower-case hex digits that hold this kind. The
 * caller must still compare *ret_created_s with the row. */
bool id_decode(const struct id_key *key, enum id_kind kind, const char *text, int64_t *ret_row,
               uint32_t *ret_created_s);

/* id_matches: whether `created_us` falls into the second that an id carries. */
bool id_matches(uint32_t created_s, int64_t created_us);
