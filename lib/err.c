/* Errors: the one table of codes, and messages that are cut but never overrun. Linked into
 * wrought-init as well, so nothing but libc is used here. */
#include "lib/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/banned.h"

struct err_row {
    const char *name;
    unsigned http;
    int exit_code;
    bool retryable;
};

/* Indexed by the negated code. ERR_PROTOCOL is worth another try because an answer that a dying
 * peer cut short is one. */
static const struct err_row rows[] = {
    [-ERR_NONE] = {"ok", 200, 0, false},
    [-ERR_USAGE] = {"usage", 500, 64, false},
    [-ERR_INVALID] = {"invalid", 400, 65, false},
    [-ERR_UNAUTHORIZED] = {"unauthorized", 401, 77, false},
    [-ERR_FORBIDDEN] = {"forbidden", 403, 77, false},
    [-ERR_NOT_FOUND] = {"not_found", 404, 66, false},
    [-ERR_METHOD] = {"method", 405, 65, false},
    [-ERR_MISSING] = {"missing", 406, 65, false},
    [-ERR_CONFLICT] = {"conflict", 409, 65, false},
    [-ERR_TOO_BIG] = {"too_big", 413, 65, false},
    [-ERR_TOO_MANY] = {"too_many", 429, 75, true},
    [-ERR_UNREACHABLE] = {"unreachable", 503, 69, true},
    [-ERR_UNAVAILABLE] = {"unavailable", 503, 75, true},
    [-ERR_TIMEOUT] = {"timeout", 504, 124, true},
    [-ERR_PROTOCOL] = {"protocol", 500, 125, true},
    [-ERR_IO] = {"io", 500, 125, false},
    [-ERR_EMPTY] = {"empty", 500, 125, true},
    [-ERR_CANCELLED] = {"cancelled", 500, 130, false},
    [-ERR_INTERNAL] = {"internal", 500, 125, false},
};

/* What a peer's status means where the table above does not say it: statuses that several codes
 * share, and those that only proxies and other servers send. */
static const struct {
    unsigned http;
    int code;
} foreign[] = {
    {408, ERR_TIMEOUT},  {414, ERR_TOO_BIG},     {431, ERR_TOO_BIG},
    {500, ERR_INTERNAL}, {502, ERR_UNAVAILABLE}, {503, ERR_UNAVAILABLE},
};

static const struct err_row *row_of(int code)
{
    if (code > 0 || code <= -(int)ARRAY_LEN(rows))
        code = ERR_INTERNAL;
    return &rows[-code];
}

const char *err_name(int code)
{
    return row_of(code)->name;
}

unsigned err_http_status(int code)
{
    return row_of(code)->http;
}

int err_exit_code(int code)
{
    return row_of(code)->exit_code;
}

bool err_retryable(int code)
{
    return row_of(code)->retryable;
}

int err_from_http(unsigned status)
{
    if (status >= 200 && status < 300)
        return ERR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        if (foreign[i].http == status)
            return foreign[i].code;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].http == status)
            return -(int)i;
    }
    if (status >= 400 && status < 500)
        return ERR_INVALID;
    return status >= 500 && status < 600 ? ERR_INTERNAL : ERR_PROTOCOL;
}

/* ---- messages ---- */

/* Room to see whether the character at the cut goes on: a UTF-8 one has up to 4 bytes. */
#define MSG_SPARE 4
#define MSG_WORK  (sizeof(((struct err *)NULL)->msg) + MSG_SPARE)

/* end_at: terminates `s` at or before `max` bytes, on a whole UTF-8 character. Bytes that are not
 * UTF-8 are cut where they stand. */
static void end_at(char *s, size_t max)
{
    size_t end = strnlen(s, max + 1);
    if (end <= max)
        return;
    end = max;
    for (int back = 0; back < 3 && end > 0 && ((uint8_t)s[end] & 0xc0) == 0x80; back++)
        end--;
    s[((uint8_t)s[end] & 0xc0) == 0x80 ? max : end] = '\0';
}

/* put_msg: e->msg becomes the formatted text followed by `tail`. The text is what gets cut when
 * `keep_tail`, else the tail. Formats beside e->msg, which may be among the arguments. */
__attribute__((format(printf, 4, 0))) static void
put_msg(struct err *e, bool keep_tail, const char *tail, const char *fmt, va_list ap)
{
    char work[MSG_WORK];
    const size_t max = sizeof(e->msg) - 1;
    if (vsnprintf(work, sizeof(work), fmt, ap) < 0)
        work[0] = '\0';
    size_t tail_len = strlen(tail);
    end_at(work, keep_tail && tail_len < max ? max - tail_len : max);
    size_t len = strlen(work);
    size_t room = sizeof(work) - 1 - len;
    if (tail_len > room)
        tail_len = room;
    memcpy(work + len, tail, tail_len);
    work[len + tail_len] = '\0';
    end_at(work, max);
    memcpy(e->msg, work, strlen(work) + 1);
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put_msg(e, false, "", fmt, ap);
    va_end(ap);
    e->code = code;
    e->os_errno = 0;
    return code;
}

int err_os(struct err *e, enum err_code code, int os_errno, const char *fmt, ...)
{
    char text[128], tail[sizeof(text) + 2];
    snprintf(tail, sizeof(tail), ": %s", strerror_r(os_errno, text, sizeof(text)));
    va_list ap;
    va_start(ap, fmt);
    put_msg(e, true, tail, fmt, ap);
    va_end(ap);
    e->code = os_errno == ENOSPC || os_errno == EDQUOT ? ERR_UNAVAILABLE : code;
    e->os_errno = os_errno;
    return e->code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char tail[sizeof(e->msg) + 2];
    snprintf(tail, sizeof(tail), ": %s", e->msg);
    va_list ap;
    va_start(ap, fmt);
    put_msg(e, false, tail, fmt, ap);
    va_end(ap);
    return e->code;
}

void err_clear(struct err *e)
{
    *e = (struct err){0};
}
