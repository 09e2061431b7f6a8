/* Ruby's two quotes: '…' knows \' and \\ only; "…" knows escapes, and interpolation, which would
 * need Ruby and is refused. */
#include "cli/dotworker_quote.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/buf.h"

#include "lib/banned.h"

#define MAX_UNICODE 0x10ffff

struct quote {
    struct dw_lexer *l;
    struct dw_place at; /* where the string begins */
    struct buf out;
    struct err *e;
};

static void quote_release(struct quote *q)
{
    buf_release(&q->out);
}

/* The one-letter escapes of double quotes; \" \\ \# and all others stand for themselves. */
static const struct {
    char letter, byte;
} letters[] = {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'s', ' '}, {'e', '\x1b'},
               {'a', '\a'}, {'b', '\b'}, {'f', '\f'}, {'v', '\v'}};

static int fail(struct quote *q, const char *why)
{
    return dw_error(q->l->file, q->at, q->e, "%s", why);
}

/* number: up to `max` digits of `base` from the reading position; the count of them. */
static unsigned number(struct dw_lexer *l, unsigned base, unsigned max, uint32_t *ret)
{
    static const char digits[] = "0123456789abcdef";
    unsigned n = 0;
    *ret = 0;
    for (; n < max && l->p < l->end; n++, l->p++) {
        char c = *l->p >= 'A' && *l->p <= 'F' ? (char)(*l->p - 'A' + 'a') : *l->p;
        const char *digit = c ? memchr(digits, c, base) : NULL;
        if (!digit)
            break;
        *ret = *ret * base + (uint32_t)(digit - digits);
    }
    return n;
}

static void add_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_addc(out, (char)c);
    } else if (c < 0x800) {
        buf_addc(out, (char)(0xc0 | c >> 6));
        buf_addc(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_addc(out, (char)(0xe0 | c >> 12));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_addc(out, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_addc(out, (char)(0xf0 | c >> 18));
        buf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_addc(out, (char)(0x80 | (c & 0x3f)));
    }
}

/* unicode: \uHHHH or \u{H…}, behind the u. */
static int unicode(struct quote *q)
{
    struct dw_lexer *l = q->l;
    uint32_t c;
    bool braces = l->p < l->end && *l->p == '{';
    l->p += braces;
    unsigned n = number(l, 16, braces ? 6 : 4, &c);
    bool closed = !braces || (l->p < l->end && *l->p == '}');
    if (n == 0 || (!braces && n != 4) || !closed || c > MAX_UNICODE || (c >= 0xd800 && c < 0xe000))
        return fail(q, "a \\u escape must be \\uHHHH or \\u{HHHHHH}, and a character");
    l->p += braces;
    add_utf8(&q->out, c);
    return 0;
}

/* escape: what follows a backslash in double quotes. */
static int escape(struct quote *q)
{
    struct dw_lexer *l = q->l;
    uint32_t v;
    char c = *l->p;
    if (c >= '0' && c <= '7') {
        (void)number(l, 8, 3, &v); /* the digit seen makes it at least one */
        buf_addc(&q->out, (char)v);
        return 0;
    }
    l->p++;
    if (c == 'x') {
        if (number(l, 16, 2, &v) == 0)
            return fail(q, "a \\x escape must have one or two hex digits");
        buf_addc(&q->out, (char)v);
        return 0;
    }
    if (c == 'u')
        return unicode(q);
    if (c == 'M' || c == 'C' || c == 'c')
        return fail(q, "control and meta escapes are not read: write \\xHH");
    if (c == '\n') { /* joins two lines */
        l->line++;
        l->line_start = l->p;
        return 0;
    }
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (letters[i].letter == c)
            c = letters[i].byte;
    buf_addc(&q->out, c);
    return 0;
}

static int backslash(struct quote *q, char quote)
{
    struct dw_lexer *l = q->l;
    if (l->end - l->p < 2)
        return fail(q, "the string has no end");
    l->p++;
    if (quote == '"')
        return escape(q);
    if (*l->p != '\'' && *l->p != '\\')
        buf_addc(&q->out, '\\'); /* it stands for itself, and so does what follows */
    else
        buf_addc(&q->out, *l->p++);
    return 0;
}

static bool interpolates(const struct dw_lexer *l)
{
    return *l->p == '#' && l->end - l->p > 1 &&
           (l->p[1] == '{' || l->p[1] == '$' || l->p[1] == '@');
}

static int one(struct quote *q, char quote)
{
    struct dw_lexer *l = q->l;
    if (*l->p == '\\')
        return backslash(q, quote);
    if (quote == '"' && interpolates(l))
        return fail(q, "#{…} in a string would run Ruby, which is not done: write the text itself "
                       "(in single quotes #{ is text)");
    bool newline = *l->p == '\n';
    buf_addc(&q->out, *l->p++);
    if (newline) {
        l->line++;
        l->line_start = l->p;
    }
    return 0;
}

int dw_quoted(struct dw_lexer *l, struct dw_token *t, struct err *e)
{
    AUTO(quote)
    struct quote q = {.l = l, .at = t->at, .out = BUF_INIT(BOUND_DOTWORKER_BYTES), .e = e};
    char quote = *l->p++;
    int rc = 0;
    while (rc == 0 && l->p < l->end && *l->p != quote)
        rc = one(&q, quote);
    if (rc == 0 && l->p == l->end)
        rc = fail(&q, "the string has no end");
    if (rc < 0)
        return rc;
    l->p++;
    t->len = q.out.len;
    t->text = buf_take(&q.out);
    return 0;
}
