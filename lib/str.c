/* Strict text-to-number conversions and small string predicates. */
#include "lib/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/banned.h"

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

/* parse_int: an optional minus and digits, nothing else; false also when it overflows. Counts
 * downwards, since the negative range is the larger one. */
static bool parse_int(const char *text, int64_t *ret)
{
    bool negative = *text == '-';
    const char *p = text + negative;
    int64_t v = 0;
    if (*p == '\0')
        return false;
    for (; *p; p++) {
        if (*p < '0' || *p > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, *p - '0', &v))
            return false;
    }
    if (!negative && __builtin_sub_overflow(0, v, &v))
        return false;
    *ret = v;
    return true;
}

int str_int(const char *text, const char *what, int64_t min, int64_t max, int64_t *ret,
            struct err *e)
{
    int64_t v;
    if (!parse_int(text, &v) || v < min || v > max) {
        return err_set(e, ERR_INVALID, "%s must be a whole number from %lld to %lld, not \"%s\"",
                       what, (long long)min, (long long)max, text);
    }
    *ret = v;
    return 0;
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t len = strlen(s), n = strlen(suffix);
    return n <= len && memcmp(s + len - n, suffix, n) == 0;
}

/* utf8_step: bytes of the well-formed character at `p` (RFC 3629: no overlong form, no surrogate,
 * nothing above U+10FFFF), 0 if there is none within `left` bytes. */
static size_t utf8_step(const uint8_t *p, size_t left)
{
    uint8_t lead = p[0];
    if (lead < 0x80)
        return 1;
    size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || n > left)
        return 0;
    /* The first byte after these leads has a narrower range than the rest. */
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

bool str_is_utf8(const char *bytes, size_t len)
{
    const uint8_t *p = (const uint8_t *)bytes;
    size_t i = 0;
    while (i < len) {
        uint64_t word;
        if (len - i >= sizeof(word)) { /* eight ASCII bytes at a time: most text is nothing else */
            memcpy(&word, p + i, sizeof(word));
            if ((word & 0x8080808080808080u) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        size_t step = utf8_step(p + i, len - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

char *str_dup(const char *s)
{
    return s ? str_dupn(s, strlen(s)) : NULL;
}

char *str_dupn(const char *bytes, size_t len)
{
    char *out = must(malloc(len + 1));
    if (len > 0)
        memcpy(out, bytes, len);
    out[len] = '\0';
    return out;
}

char *str_fmt(const char *fmt, ...)
{
    char *out = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&out, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    return out;
}

void str_copy(char *out, size_t out_bytes, const char *s)
{
    if (out_bytes == 0)
        return;
    size_t len = strnlen(s, out_bytes);
    if (len == out_bytes) {
        len--;
        /* not in the middle of a character */
        for (int back = 0; back < 3 && len > 0 && ((uint8_t)s[len] & 0xc0) == 0x80; back++)
            len--;
    }
    memcpy(out, s, len);
    out[len] = '\0';
}

/* ---- base64 (RFC 4648) ---- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *str_base64(const void *bytes, size_t len)
{
    const uint8_t *in = bytes;
    char *out = must(malloc((len + 2) / 3 * 4 + 1));
    char *to = out;
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t v = (uint32_t)in[i] << 16;
        v |= n > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        v |= n > 2 ? in[i + 2] : 0;
        *to++ = base64_digits[v >> 18];
        *to++ = base64_digits[v >> 12 & 63];
        *to++ = n > 1 ? base64_digits[v >> 6 & 63] : '=';
        *to++ = n > 2 ? base64_digits[v & 63] : '=';
    }
    *to = '\0';
    return out;
}

/* base64_value: of a digit in either alphabet; -1 for other bytes. */
static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

int str_unbase64(const char *text, uint8_t **ret, size_t *ret_len, struct err *e)
{
    size_t digits = strcspn(text, "=");
    size_t padding = strlen(text + digits);
    bool padded = padding > 0;
    if (digits % 4 == 1 || (padded && (padding > 2 || (digits + padding) % 4 != 0)) ||
        strspn(text + digits, "=") != padding)
        return err_set(e, ERR_INVALID, "not base64: its length or padding is wrong");
    autofree uint8_t *out = must(malloc(digits / 4 * 3 + 3));
    size_t len = 0;
    uint32_t bits = 0; /* the low `have` of them are not written yet */
    unsigned have = 0;
    for (size_t i = 0; i < digits; i++) {
        int v = base64_value(text[i]);
        if (v < 0)
            return err_set(e, ERR_INVALID, "not base64: wrong character at byte %zu", i + 1);
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[len++] = (uint8_t)(bits >> have);
        }
    }
    *ret = TAKE(out);
    *ret_len = len;
    return 0;
}
