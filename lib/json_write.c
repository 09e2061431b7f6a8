/* The writer: appends to a struct buf as it is called and keeps nothing but "is a comma due".
 * Strings go out in runs between the characters that need an escape. Neighbour: json.c. */
#include "lib/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"

#include "lib/banned.h"

/* What a byte of a string needs: 0 nothing, 'u' \u00XX, HIGH a look at its UTF-8 sequence, else the
 * letter after the backslash. A NUL counts as no UTF-8: json_parse, as many others, refuses \u0000.
 */
#define HIGH 1
static const char escape_of[256] = {
    [0x00] = HIGH,         [0x01 ... 0x07] = 'u', ['\b'] = 'b',  ['\t'] = 't',
    ['\n'] = 'n',          [0x0B] = 'u',          ['\f'] = 'f',  ['\r'] = 'r',
    [0x0E ... 0x1F] = 'u', ['"'] = '"',           ['\\'] = '\\', [0x80 ... 0xFF] = HIGH,
};

/* utf8_len: length of the well-formed sequence at p (Unicode table 3-7), 0 when there is none. */
static size_t utf8_len(const unsigned char *p, size_t left)
{
    unsigned char lead = p[0];
    size_t n = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (n == 0 || left < n)
        return 0;
    unsigned char lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < lowest || p[1] > highest)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

static void add_escape(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    if (escape_of[c] == 'u') {
        const char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        buf_add(b, text, sizeof(text));
    } else {
        const char text[2] = {'\\', escape_of[c]};
        buf_add(b, text, sizeof(text));
    }
}

static void add_quoted(struct buf *b, const char *bytes, size_t len)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t run = 0; /* where the bytes that were not yet written start */
    buf_addc(b, '"');
    for (size_t i = 0; i < len;) {
        char what = escape_of[p[i]];
        size_t good = what == 0 ? 1 : what == HIGH ? utf8_len(p + i, len - i) : 0;
        if (good > 0) {
            i += good;
            continue;
        }
        buf_add(b, bytes + run, i - run);
        if (what == HIGH)
            buf_add(b, "\xEF\xBF\xBD", 3); /* U+FFFD */
        else
            add_escape(b, p[i]);
        run = ++i;
    }
    buf_add(b, bytes + run, len - run);
    buf_addc(b, '"');
}

/* Before every value: the separator and the key. */
static void begin(struct jsonw *w, const char *key)
{
    if (w->comma)
        buf_addc(w->b, ',');
    w->comma = true;
    if (key) {
        add_quoted(w->b, key, strlen(key));
        buf_addc(w->b, ':');
    }
}

void jw_obj(struct jsonw *w, const char *key)
{
    begin(w, key);
    buf_addc(w->b, '{');
    w->comma = false;
}

void jw_obj_end(struct jsonw *w)
{
    buf_addc(w->b, '}');
    w->comma = true;
}

void jw_arr(struct jsonw *w, const char *key)
{
    begin(w, key);
    buf_addc(w->b, '[');
    w->comma = false;
}

void jw_arr_end(struct jsonw *w)
{
    buf_addc(w->b, ']');
    w->comma = true;
}

void jw_str(struct jsonw *w, const char *key, const char *s)
{
    jw_strn(w, key, s ? s : "", s ? strlen(s) : 0);
}

void jw_strn(struct jsonw *w, const char *key, const char *bytes, size_t len)
{
    begin(w, key);
    add_quoted(w->b, bytes, len);
}

void jw_int(struct jsonw *w, const char *key, int64_t v)
{
    char text[20]; /* "-9223372036854775808" */
    char *p = text + sizeof(text);
    uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;
    do
        *--p = (char)('0' + left % 10);
    while (left /= 10);
    if (v < 0)
        *--p = '-';
    begin(w, key);
    buf_add(w->b, p, (size_t)(text + sizeof(text) - p));
}

void jw_double(struct jsonw *w, const char *key, double v)
{
    if (!isfinite(v)) { /* JSON has no word for these */
        jw_null(w, key);
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits++) { /* the fewest that read back as `v` */
        (void)snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    begin(w, key);
    buf_adds(w->b, text);
}

void jw_bool(struct jsonw *w, const char *key, bool v)
{
    begin(w, key);
    buf_adds(w->b, v ? "true" : "false");
}

void jw_null(struct jsonw *w, const char *key)
{
    begin(w, key);
    buf_adds(w->b, "null");
}

void jw_time(struct jsonw *w, const char *key, int64_t us)
{
    char text[CLOCK_TEXT];
    jw_str(w, key, clock_format(us, text));
}

void jw_raw(struct jsonw *w, const char *key, const char *json, size_t len)
{
    begin(w, key);
    buf_add(w->b, json, len);
}
