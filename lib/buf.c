/* A growing byte buffer with a ceiling. Linked into wrought-init as well, so nothing but libc is
 * used here. Invariant: once `data` is there, len < cap <= max + 1 and data[len] is NUL. */
#include "lib/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "lib/banned.h"

#define FIRST_CAP 64

/* room_for: whether `len` more bytes fit below the ceiling, with the memory for them in place. */
static bool room_for(struct buf *b, size_t len)
{
    if (b->failed || len > b->max - b->len) {
        b->failed = true;
        return false;
    }
    if (b->data && len < b->cap - b->len)
        return true;
    size_t need = b->len + len;
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    while (cap <= need && cap <= SIZE_MAX / 2)
        cap *= 2;
    if (cap > b->max)
        cap = b->max + 1;
    char *data = cap > need ? realloc(b->data, cap) : NULL;
    if (!data)
        abort();
    b->data = data;
    b->cap = cap;
    b->data[b->len] = '\0';
    return true;
}

void buf_release(struct buf *b)
{
    free(b->data);
    *b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

char *buf_reserve(struct buf *b, size_t len)
{
    return room_for(b, len) ? b->data + b->len : NULL;
}

void buf_commit(struct buf *b, size_t len)
{
    assert(b->data && len < b->cap - b->len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    if (len == 0 || !room_for(b, len))
        return;
    memcpy(b->data + b->len, bytes, len);
    buf_commit(b, len);
}

void buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    if (b->failed)
        return;
    size_t room = b->data ? b->cap - b->len : 0;
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(room ? b->data + b->len : NULL, room, fmt, ap);
    if (n < 0) /* only a text over 2 GiB: no ceiling of ours is that high */
        b->failed = true;
    else if ((size_t)n >= room && room_for(b, (size_t)n))
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    if (!b->failed)
        b->len += (size_t)n;
    else if (b->data)
        b->data[b->len] = '\0'; /* the first try may have written a part */
}

void buf_consume(struct buf *b, size_t len)
{
    assert(len <= b->len);
    if (len == 0)
        return;
    b->len -= len;
    memmove(b->data, b->data + len, b->len + 1);
}

const char *buf_str(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
    char *data = b->data ? b->data : calloc(1, 1);
    if (!data)
        abort();
    *b = BUF_INIT(b->max);
    return data;
}

int buf_check(const struct buf *b, const char *what, struct err *e)
{
    if (!b->failed)
        return 0;
    return err_set(e, ERR_TOO_BIG, "%s is over its limit of %zu bytes", what, b->max);
}
