/* Checks tokens, not grammar: strings, numbers, words, nesting. Neighbour: json.c. */
#include "lib/json_scan.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

#include "lib/banned.h"

/* Far more digits than a double or an int64 can tell apart. */
#define NUMBER_TEXT 128

struct scan {
    const char *start;
    const char *p;
    const char *end;
    int depth;
    int max_depth;
    struct err *e;
};

static int refuse(const struct scan *s, const char *why)
{
    return err_set(s->e, ERR_INVALID, "JSON is broken at byte %zu: %s", (size_t)(s->p - s->start),
                   why);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* hex4: the four hex digits at `p`, or -1. */
static int hex4(const char *p, const char *end)
{
    if (end - p < 4)
        return -1;
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = is_digit(c)            ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

/* At the 'u' of an escape. */
static int scan_unicode(struct scan *s)
{
    int unit = hex4(s->p + 1, s->end);
    if (unit < 0)
        return refuse(s, "\\u needs four hex digits");
    if (unit == 0)
        return refuse(s, "a string may not hold NUL");
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return refuse(s, "a lone low surrogate");
    s->p += 5;
    if (unit < 0xD800 || unit > 0xDBFF)
        return 0;
    int low = s->end - s->p >= 2 && s->p[0] == '\\' && s->p[1] == 'u' ? hex4(s->p + 2, s->end) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return refuse(s, "a lone high surrogate");
    s->p += 6;
    return 0;
}

/* After the backslash. */
static int scan_escape(struct scan *s)
{
    if (s->p == s->end)
        return refuse(s, "the string does not end");
    if (*s->p == 'u')
        return scan_unicode(s);
    if (*s->p == '\0' || !strchr("\"\\/bfnrt", *s->p))
        return refuse(s, "an unknown escape");
    s->p++;
    return 0;
}

/* At the opening quote. */
static int scan_string(struct scan *s)
{
    s->p++;
    while (s->p < s->end) {
        unsigned char c = (unsigned char)*s->p;
        if (c == '"') {
            s->p++;
            return 0;
        }
        if (c < 0x20)
            return refuse(s, "a control character in a string must be escaped");
        s->p++;
        if (c == '\\') {
            int rc = scan_escape(s);
            if (rc < 0)
                return rc;
        }
    }
    return refuse(s, "the string does not end");
}

static void skip_digits(struct scan *s)
{
    while (s->p < s->end && is_digit(*s->p))
        s->p++;
}

/* digits: at least one. */
static bool digits(struct scan *s)
{
    const char *from = s->p;
    skip_digits(s);
    return s->p > from;
}

/* number_fits: json-c clamps what does not fit its types; we refuse. */
static bool number_fits(const char *text, size_t len, bool integer)
{
    if (integer && len <= 18)
        return true;
    char copy[NUMBER_TEXT + 1];
    if (len > NUMBER_TEXT)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    errno = 0;
    if (integer) {
        (void)strtoll(copy, NULL, 10);
        return errno != ERANGE;
    }
    return isfinite(strtod(copy, NULL));
}

/* RFC 8259 section 6. */
static int scan_number(struct scan *s)
{
    const char *from = s->p;
    bool integer = true;
    if (*s->p == '-')
        s->p++;
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (!digits(s))
        return refuse(s, "a number needs digits");
    if (s->p < s->end && *s->p == '.') {
        integer = false;
        s->p++;
        if (!digits(s))
            return refuse(s, "a number needs digits after its point");
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        integer = false;
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        if (!digits(s))
            return refuse(s, "a number needs digits in its exponent");
    }
    if (s->p < s->end && is_digit(*s->p))
        return refuse(s, "a number may not start with 0");
    if (!number_fits(from, (size_t)(s->p - from), integer)) {
        s->p = from;
        return refuse(s, "a number out of range");
    }
    return 0;
}

static int scan_word(struct scan *s)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(s->end - s->p) >= len && memcmp(s->p, words[i], len) == 0) {
            s->p += len;
            return 0;
        }
    }
    return refuse(s, "neither a value nor a mark");
}

static int scan_token(struct scan *s)
{
    switch (*s->p) {
    case '"':
        return scan_string(s);
    case '{':
    case '[':
        if (++s->depth > s->max_depth)
            return err_set(s->e, ERR_INVALID, "JSON is nested deeper than %d levels at byte %zu",
                           s->max_depth, (size_t)(s->p - s->start));
        s->p++;
        return 0;
    case '}':
    case ']':
        s->depth--; /* json-c sees to it that they match */
        s->p++;
        return 0;
    case ',':
    case ':':
    case ' ':
    case '\t':
    case '\n':
    case '\r':
        s->p++;
        return 0;
    default:
        return *s->p == '-' || is_digit(*s->p) ? scan_number(s) : scan_word(s);
    }
}

int json_scan(const char *bytes, size_t len, int max_depth, struct err *e)
{
    if (!str_is_utf8(bytes, len))
        return err_set(e, ERR_INVALID, "JSON is broken: it is not UTF-8");
    struct scan s = {
        .start = bytes, .p = bytes, .end = bytes + len, .max_depth = max_depth, .e = e};
    while (s.p < s.end) {
        int rc = scan_token(&s);
        if (rc < 0)
            return rc;
    }
    return 0;
}
