/* The lexer of .worker files. The rules are those of Ruby's own lexer for the part of the language
 * that is data; see dotworker_quote.c for strings. */
#include "cli/dotworker_lex.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dotworker_quote.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

/* Marks of more than one character, longest first. */
static const char *const marks[] = {"<=>", "===", "**=", "<<=", ">>=", "&&=", "||=", "...", "=>",
                                    "<<",  ">>",  "==",  "!=",  "=~",  "&&",  "||",  "::",  "..",
                                    "->",  "+=",  "-=",  "*=",  "/=",  "&.",  "**"};

void dw_token_release(struct dw_token *t)
{
    free(TAKE(t->text));
    t->len = 0;
}

int dw_error(const char *file, struct dw_place at, struct err *e, const char *fmt, ...)
{
    char text[sizeof(e->msg)];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(e, ERR_INVALID, "%s:%u:%u: %s", file, at.line, at.column, n < 0 ? "" : text);
}

void dw_lexer_init(struct dw_lexer *l, const char *file, const char *text, size_t len)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    *l = (struct dw_lexer){.file = file, .p = text, .end = text + len, .line = 1};
    if (len >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        l->p += 3;
    l->line_start = l->p;
}

/* place_now: of the reading position. It only moves forward, so a line is counted once. */
static struct dw_place place_now(struct dw_lexer *l)
{
    if (!l->counted || l->counted < l->line_start) {
        l->counted = l->line_start;
        l->column = 1;
    }
    for (; l->counted < l->p; l->counted++)
        l->column += ((unsigned char)*l->counted & 0xc0) != 0x80;
    return (struct dw_place){l->line, l->column};
}

/* looking_at: the text stands at the reading position. */
static bool looking_at(const struct dw_lexer *l, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(l->end - l->p) >= n && memcmp(l->p, text, n) == 0;
}

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name(char c)
{
    return is_name_start(c) || isdigit((unsigned char)c);
}

static void next_line(struct dw_lexer *l)
{
    l->line++;
    l->line_start = l->p;
}

/* ---- what is skipped ---- */

static void skip_to_line_end(struct dw_lexer *l)
{
    const char *newline = memchr(l->p, '\n', (size_t)(l->end - l->p));
    l->p = newline ? newline : l->end;
}

/* at_line_word: the line consists of the word, or begins with it and a blank when `more` may
 * follow. */
static bool at_line_word(const struct dw_lexer *l, const char *word, bool more)
{
    size_t n = strlen(word);
    if (l->p != l->line_start || !looking_at(l, word))
        return false;
    const char *after = l->p + n;
    if (after < l->end && *after == '\r')
        after++;
    return after == l->end || *after == '\n' || (more && (*after == ' ' || *after == '\t'));
}

/* skip_block_comment: from =begin to the end of the line that =end begins. */
static int skip_block_comment(struct dw_lexer *l, struct err *e)
{
    struct dw_place at = place_now(l);
    while (!at_line_word(l, "=end", true)) {
        skip_to_line_end(l);
        if (l->p == l->end)
            return dw_error(l->file, at, e, "=begin has no =end");
        l->p++;
        next_line(l);
    }
    skip_to_line_end(l);
    return 0;
}

/* skip_continuation: a backslash at the end of a line joins it to the next. */
static bool skip_continuation(struct dw_lexer *l)
{
    size_t n = looking_at(l, "\\\r\n") ? 3 : looking_at(l, "\\\n") ? 2 : 0;
    l->p += n;
    if (n > 0)
        next_line(l);
    return n > 0;
}

static int skip_blanks(struct dw_lexer *l, struct err *e)
{
    for (;;) {
        while (l->p < l->end && strchr(" \t\r\f\v", *l->p) && *l->p != '\0')
            l->p++;
        if (at_line_word(l, "__END__", false)) {
            l->end = l->p;
            return 0;
        }
        if (at_line_word(l, "=begin", true)) {
            int rc = skip_block_comment(l, e);
            if (rc < 0)
                return rc;
        } else if (looking_at(l, "#")) {
            skip_to_line_end(l);
        } else if (!skip_continuation(l)) {
            return 0;
        }
    }
}

/* ---- tokens ---- */

static void take(struct dw_token *t, enum dw_token_kind kind, const char *from, const char *to)
{
    t->kind = kind;
    t->len = (size_t)(to - from);
    t->text = str_dupn(from, t->len);
}

/* ends_label: a single colon, as in `name: "x"`. */
static bool ends_label(const struct dw_lexer *l)
{
    return looking_at(l, ":") && !looking_at(l, "::");
}

static void lex_word(struct dw_lexer *l, struct dw_token *t)
{
    const char *from = l->p;
    while (l->p < l->end && is_name(*l->p))
        l->p++;
    if (l->p < l->end && (*l->p == '?' || *l->p == '!') && !(l->p + 1 < l->end && l->p[1] == '='))
        l->p++;
    take(t, DW_WORD, from, l->p);
    if (ends_label(l)) {
        t->kind = DW_LABEL;
        l->p++;
    }
}

static void lex_number(struct dw_lexer *l, struct dw_token *t)
{
    const char *from = l->p;
    char *to;
    bool point = false;
    l->p += *l->p == '-';
    while (l->p < l->end) {
        bool digit_follows = l->p + 1 < l->end && isdigit((unsigned char)l->p[1]);
        if (!isdigit((unsigned char)*l->p) && !(*l->p == '_' && digit_follows) &&
            !(*l->p == '.' && digit_follows && !point))
            break;
        point = point || *l->p == '.';
        l->p++;
    }
    take(t, DW_NUMBER, from, l->p);
    to = t->text;
    for (const char *c = t->text; *c; c++)
        if (*c != '_')
            *to++ = *c;
    *to = '\0';
    t->len = (size_t)(to - t->text);
}

static int lex_quoted(struct dw_lexer *l, struct dw_token *t, struct err *e)
{
    t->kind = DW_STRING;
    int rc = dw_quoted(l, t, e);
    if (rc == 0 && ends_label(l)) {
        t->kind = DW_LABEL;
        l->p++;
    }
    return rc;
}

static int lex_symbol(struct dw_lexer *l, struct dw_token *t, struct err *e)
{
    l->p++;
    if (*l->p == '\'' || *l->p == '"') {
        t->kind = DW_SYMBOL;
        return dw_quoted(l, t, e);
    }
    const char *from = l->p;
    while (l->p < l->end && is_name(*l->p))
        l->p++;
    take(t, DW_SYMBOL, from, l->p);
    return 0;
}

static void lex_mark(struct dw_lexer *l, struct dw_token *t)
{
    size_t n = 1;
    for (size_t i = 0; i < ARRAY_LEN(marks) && n == 1; i++)
        n = looking_at(l, marks[i]) ? strlen(marks[i]) : 1;
    take(t, DW_MARK, l->p, l->p + n);
    l->p += n;
}

static int lex_sign(struct dw_lexer *l, struct dw_token *t, struct err *e)
{
    bool has_next = l->p + 1 < l->end;
    char c = *l->p, next = has_next ? l->p[1] : '\0';
    if (c == '\'' || c == '"')
        return lex_quoted(l, t, e);
    if (c == ':' && (is_name_start(next) || next == '"' || next == '\''))
        return lex_symbol(l, t, e);
    if (c == '`')
        return dw_error(l->file, t->at, e,
                        "`…` runs a command while the file is read, which is not done: write its "
                        "output, or run it on the server with build \"…\"");
    if (c == '%' && (isalpha((unsigned char)next) || next == '(' || next == '[' || next == '{'))
        return dw_error(l->file, t->at, e, "%%-literals are not read: write ['a', 'b'] or 'text'");
    lex_mark(l, t);
    return 0;
}

static int lex(struct dw_lexer *l, struct dw_token *t, struct err *e)
{
    if (l->p == l->end) {
        take(t, DW_END, l->p, l->p);
    } else if (*l->p == '\n' || *l->p == ';') {
        take(t, *l->p == ';' ? DW_SEMICOLON : DW_NEWLINE, l->p, l->p + 1);
        l->p++;
        if (t->kind == DW_NEWLINE)
            next_line(l);
    } else if (is_name_start(*l->p)) {
        lex_word(l, t);
    } else if (isdigit((unsigned char)*l->p) ||
               (*l->p == '-' && l->p + 1 < l->end && isdigit((unsigned char)l->p[1]))) {
        lex_number(l, t);
    } else {
        return lex_sign(l, t, e);
    }
    return 0;
}

int dw_next(struct dw_lexer *l, struct dw_token *ret, struct err *e)
{
    int rc = skip_blanks(l, e);
    if (rc < 0)
        return rc;
    struct dw_token t = {.at = place_now(l)};
    rc = lex(l, &t, e);
    if (rc < 0)
        dw_token_release(&t);
    else
        *ret = t;
    return rc;
}
