/* A growing byte buffer with a ceiling that is set at birth.
 *
 * Appends are sticky: the first one that would pass the ceiling marks the buffer as failed and adds
 * nothing, and so does every later one; check once with buf_check before use. Small allocations
 * abort on out of memory. The content is always followed by a NUL that is not counted in `len`.
 * One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/err.h"

struct buf {
    char *data; /* NULL while nothing was appended; see buf_str */
    size_t len;
    size_t cap;
    size_t max; /* ceiling in bytes, from lib/bounds.h or the caller's limit */
    bool failed;
};

#define BUF_INIT(ceiling) ((struct buf){.max = (ceiling)})

void buf_release(struct buf *b); /* frees; the buffer is empty and usable again */
void buf_clear(struct buf *b);   /* empties and forgets a failure; keeps the memory */

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* buf_reserve: room for `len` more bytes; returns where to write them (then buf_commit), NULL past
 * the ceiling. */
char *buf_reserve(struct buf *b, size_t len);
void buf_commit(struct buf *b, size_t len);

/* buf_consume: drop `len` bytes from the front. */
void buf_consume(struct buf *b, size_t len);

/* buf_str: the content as a C string; never NULL. */
const char *buf_str(const struct buf *b);

/* buf_take: hands the malloc'ed content over (never NULL) and leaves `b` empty. */
char *buf_take(struct buf *b);

/* buf_check: 0, or ERR_TOO_BIG that names `what` and the ceiling. */
NODISCARD int buf_check(const struct buf *b, const char *what, struct err *e);
