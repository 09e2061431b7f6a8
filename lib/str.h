/* Strict text-to-number conversions and small string predicates. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* str_int: the whole of `text` is a decimal integer within min … max. `what` names it in the
 * message. */
NODISCARD int str_int(const char *text, const char *what, int64_t min, int64_t max, int64_t *ret,
                      struct err *e);

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_is_utf8(const char *bytes, size_t len);
char *str_dup(const char *s); /* aborts on out of memory; NULL gives NULL */
char *str_dupn(const char *bytes, size_t len);
char *str_fmt(const char *fmt, ...) PRINTF_LIKE(1, 2);     /* malloc'ed */
void str_copy(char *out, size_t out_bytes, const char *s); /* cuts; always NUL-terminated */

/* base64: `ret` is malloc'ed. str_unbase64 takes standard and URL alphabets, padded or not. */
char *str_base64(const void *bytes, size_t len);
NODISCARD int str_unbase64(const char *text, uint8_t **ret, size_t *ret_len, struct err *e);
