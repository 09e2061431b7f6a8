/* Lines for people. Neighbour: table.c. */
#include "cli/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/table.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#include "lib/banned.h"

#define LINE_BYTES (1u << 20)

void out_text(FILE *to, const char *text)
{
    AUTO(buf) struct buf clean = BUF_INIT(LINE_BYTES);
    text_clean(&clean, text);
    fprintf(to, "%s\n", buf_str(&clean));
}

__attribute__((format(printf, 3, 0))) static void put_line(FILE *to, const char *prefix,
                                                           const char *fmt, va_list ap)
{
    autofree char *text = NULL;
    if (!to)
        return;
    if (vasprintf(&text, fmt, ap) < 0)
        abort();
    fputs(prefix, to);
    out_text(to, text);
}

void out_group(FILE *to, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put_line(to, "------> ", fmt, ap);
    va_end(ap);
}

void out_step(FILE *to, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put_line(to, "----->  ", fmt, ap);
    va_end(ap);
}

void out_line(FILE *to, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put_line(to, OUT_INDENT, fmt, ap);
    va_end(ap);
}

void out_json(FILE *to, const struct buf *text)
{
    fwrite(buf_str(text), 1, text->len, to);
    if (text->len == 0 || text->data[text->len - 1] != '\n')
        fputc('\n', to);
}

bool out_colours(FILE *to)
{
    const char *no_colour = getenv("NO_COLOR"); /* https://no-color.org */
    const char *term = getenv("TERM");
    if ((no_colour && no_colour[0]) || !term || strcmp(term, "dumb") == 0)
        return false;
    return isatty(fileno(to)) == 1;
}

int out_flush(FILE *to, struct err *e)
{
    if (fflush(to) != 0 || ferror(to))
        return err_os(e, ERR_IO, errno, "write the output");
    return 0;
}

/* ---- small words ---- */

const char *out_span(int64_t us, char out[OUT_WORD])
{
    static const struct {
        int64_t us;
        const char *unit;
    } units[] = {{86400000000, "d"}, {3600000000, "h"}, {60000000, "m"}, {1000000, "s"}};
    if (us < 0) /* clocks differ */
        us = 0;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (us >= units[i].us) {
            snprintf(out, OUT_WORD, "%lld%s", (long long)(us / units[i].us), units[i].unit);
            return out;
        }
    }
    snprintf(out, OUT_WORD, "%lldms", (long long)(us / 1000));
    return out;
}

const char *out_age(int64_t at_us, int64_t now_us, char out[OUT_WORD])
{
    if (at_us != 0)
        return out_span(now_us - at_us, out);
    snprintf(out, OUT_WORD, "-");
    return out;
}

const char *out_time(int64_t at_us, char out[OUT_WORD])
{
    _Static_assert(OUT_WORD >= CLOCK_TEXT, "a time fits into a word");
    if (at_us != 0)
        return clock_format(at_us, out);
    snprintf(out, OUT_WORD, "-");
    return out;
}

const char *out_bytes(uint64_t bytes, char out[OUT_WORD])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) {
        snprintf(out, OUT_WORD, "%llu B", (unsigned long long)bytes);
        return out;
    }
    double v = (double)bytes / 1024;
    size_t unit = 0;
    for (; v >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
        v /= 1024;
    snprintf(out, OUT_WORD, "%.1f %s", v, units[unit]);
    return out;
}
