/* Log lines. The level is the one global of lib/: it is set before there are threads and only read
 * after. A line is put together on the stack and leaves in one write, so that lines of several
 * threads never mix. */
#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/str.h"
#include "lib/banned.h"

#define LINE_BYTES 2048

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

static enum log_level lowest = LOG_INFO;

void log_set_level(enum log_level level)
{
    lowest = level;
}

int log_level_parse(const char *text, enum log_level *ret_level, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return 0;
        }
    }
    return err_set(e, ERR_INVALID, "log level must be debug, info, warn or error, not \"%s\"",
                   text);
}

/* escape: `text` with control characters written as \n, \t or \xNN, cut to what fits before `end`
 * on a whole character or escape. Returns the end of what was written; no NUL. */
static char *escape(char *to, const char *end, const char *text)
{
    char *start = to; /* of the last character, which may have several bytes */
    for (const char *p = text; *p; p++) {
        uint8_t c = (uint8_t)*p;
        bool goes_on = (c & 0xc0) == 0x80;
        char piece[5] = {*p};
        if (c == '\n')
            str_copy(piece, sizeof(piece), "\\n");
        else if (c == '\t')
            str_copy(piece, sizeof(piece), "\\t");
        else if (c < 0x20 || c == 0x7f)
            snprintf(piece, sizeof(piece), "\\x%02x", c);
        size_t len = strlen(piece);
        if (len > (size_t)(end - to))
            return goes_on ? start : to;
        if (!goes_on)
            start = to;
        memcpy(to, piece, len);
        to += len;
    }
    return to;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    if (level < lowest)
        return;
    int saved_errno = errno;
    char text[LINE_BYTES], line[LINE_BYTES], when[CLOCK_TEXT];
    va_list ap;
    va_start(ap, fmt);
    if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
        str_copy(text, sizeof(text), fmt);
    va_end(ap);

    clock_format(clock_now_us(), when);
    int head = snprintf(line, sizeof(line), "%s %s ", when, level_names[level]);
    char *end = escape(line + head, line + sizeof(line) - 1, text);
    *end++ = '\n';
    /* Nobody is left to tell when stderr cannot be written. */
    ssize_t written = write(STDERR_FILENO, line, (size_t)(end - line));
    (void)written;
    errno = saved_errno;
}
