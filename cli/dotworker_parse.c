/* The parser of .worker files: recursive descent with one token in hand. */
#include "cli/dotworker_syntax.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

struct parser {
    struct dw_lexer lex;
    struct dw_token tok;
    struct err *e;
};

/* ---- values ---- */

static void value_release(struct dw_value *v)
{
    free(v->text);
    for (size_t i = 0; i < v->n; i++)
        value_release(&v->items[i]);
    free(v->items);
    *v = (struct dw_value){0};
}

/* append: moves `item` into the list; room grows at each power of two. */
static void append(struct dw_value *list, struct dw_value *item)
{
    if ((list->n & (list->n - 1)) == 0) {
        size_t room = list->n > 0 ? 2 * list->n : 1;
        list->items = realloc(list->items, room * sizeof(*item));
        if (!list->items)
            abort();
    }
    list->items[list->n++] = *item;
    *item = (struct dw_value){0};
}

void dw_calls_release(struct dw_calls *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->v[i].word);
        value_release(&c->v[i].args);
    }
    free(c->v);
    *c = (struct dw_calls){0};
}

/* ---- tokens ---- */

static int advance(struct parser *p)
{
    dw_token_release(&p->tok);
    return dw_next(&p->lex, &p->tok, p->e);
}

static bool is_mark(const struct parser *p, const char *mark)
{
    return p->tok.kind == DW_MARK && strcmp(p->tok.text, mark) == 0;
}

static int skip_newlines(struct parser *p)
{
    int rc = 0;
    while (rc == 0 && p->tok.kind == DW_NEWLINE)
        rc = advance(p);
    return rc;
}

/* advance_line: over the token and the newlines behind it. */
static int advance_line(struct parser *p)
{
    int rc = advance(p);
    return rc == 0 ? skip_newlines(p) : rc;
}

/* refuse: the token in hand cannot stand where it does. */
static int refuse(struct parser *p, const char *expected)
{
    const struct dw_token *t = &p->tok;
    const char *instead = t->kind == DW_WORD || t->kind == DW_MARK ? dw_instead(t->text) : NULL;
    if (instead)
        return dw_error(p->lex.file, t->at, p->e, "\"%s\": %s", t->text, instead);
    if (t->kind == DW_END || t->kind == DW_NEWLINE || t->kind == DW_SEMICOLON)
        return dw_error(p->lex.file, t->at, p->e, "%s expected, not the end of the %s", expected,
                        t->kind == DW_END ? "file" : "line");
    return dw_error(p->lex.file, t->at, p->e, "%s expected, not \"%s\"%s", expected, t->text,
                    t->kind == DW_WORD ? "; text goes in quotes" : "");
}

/* ---- literals ---- */

static int parse_value(struct parser *p, unsigned depth, struct dw_value *ret);

static void take_text(struct parser *p, enum dw_value_kind kind, struct dw_value *ret)
{
    ret->kind = kind;
    ret->len = p->tok.len;
    ret->text = TAKE(p->tok.text);
}

static int parse_word(struct parser *p, struct dw_value *ret)
{
    static const struct {
        const char *word;
        enum dw_value_kind kind;
    } words[] = {{"true", DW_TRUE}, {"false", DW_FALSE}, {"nil", DW_NIL}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i].word, p->tok.text) == 0) {
            ret->kind = words[i].kind;
            return advance(p);
        }
    }
    return refuse(p, "a value");
}

/* parse_pair: a label and its value, or what follows the key when "=>" is in hand. */
static int parse_pair(struct parser *p, unsigned depth, struct dw_value *key, struct dw_value *hash)
{
    struct dw_value value = {0};
    if (p->tok.kind == DW_LABEL) {
        key->at = p->tok.at;
        take_text(p, DW_NAME, key);
    }
    int rc = advance_line(p);
    if (rc == 0)
        rc = parse_value(p, depth, &value);
    if (rc == 0) {
        append(hash, key);
        append(hash, &value);
    }
    value_release(&value);
    return rc;
}

static int parse_list_item(struct parser *p, unsigned depth, struct dw_value *list)
{
    struct dw_value v = {0};
    int rc = parse_value(p, depth, &v);
    if (rc == 0)
        append(list, &v);
    value_release(&v);
    return rc;
}

static int parse_hash_item(struct parser *p, unsigned depth, struct dw_value *hash)
{
    struct dw_value key = {0};
    bool label = p->tok.kind == DW_LABEL;
    int rc = label ? 0 : parse_value(p, depth, &key);
    if (rc == 0 && !label && !is_mark(p, "=>"))
        rc = refuse(p, "\"=>\"");
    if (rc == 0)
        rc = parse_pair(p, depth, &key, hash);
    value_release(&key);
    return rc;
}

/* parse_brackets: a list or a hash, its opening bracket in hand. */
static int parse_brackets(struct parser *p, unsigned depth, const char *closing,
                          struct dw_value *ret)
{
    if (depth >= BOUND_DOTWORKER_DEPTH)
        return dw_error(p->lex.file, p->tok.at, p->e, "nested deeper than %d levels",
                        BOUND_DOTWORKER_DEPTH);
    int rc = advance_line(p);
    while (rc == 0 && !is_mark(p, closing)) {
        rc = ret->kind == DW_LIST ? parse_list_item(p, depth + 1, ret)
                                  : parse_hash_item(p, depth + 1, ret);
        if (rc == 0)
            rc = skip_newlines(p);
        if (rc == 0 && is_mark(p, ","))
            rc = advance_line(p);
        else if (rc == 0 && !is_mark(p, closing))
            rc = refuse(p, *closing == ']' ? "\",\" or \"]\"" : "\",\" or \"}\"");
    }
    return rc == 0 ? advance(p) : rc;
}

static int parse_value(struct parser *p, unsigned depth, struct dw_value *ret)
{
    ret->at = p->tok.at;
    switch (p->tok.kind) {
    case DW_STRING:
        take_text(p, DW_TEXT, ret);
        return advance(p);
    case DW_SYMBOL:
        take_text(p, DW_NAME, ret);
        return advance(p);
    case DW_NUMBER:
        take_text(p, DW_COUNT, ret);
        return advance(p);
    case DW_WORD:
        return parse_word(p, ret);
    case DW_MARK:
        if (is_mark(p, "[") || is_mark(p, "{")) {
            ret->kind = is_mark(p, "[") ? DW_LIST : DW_HASH;
            return parse_brackets(p, depth, ret->kind == DW_LIST ? "]" : "}", ret);
        }
        return refuse(p, "a value");
    case DW_LABEL:
    case DW_END:
    case DW_NEWLINE:
    case DW_SEMICOLON:
        break;
    }
    return refuse(p, "a value");
}

/* ---- calls ---- */

static bool ends_call(const struct parser *p)
{
    return p->tok.kind == DW_END || p->tok.kind == DW_NEWLINE || p->tok.kind == DW_SEMICOLON;
}

/* parse_arg: a value to the list, or a pair to the hash that will be its last item. */
static int parse_arg(struct parser *p, struct dw_value *args, struct dw_value *pairs)
{
    struct dw_value v = {0};
    bool label = p->tok.kind == DW_LABEL;
    struct dw_place at = p->tok.at;
    int rc = label ? 0 : parse_value(p, 0, &v);
    if (rc == 0 && (label || is_mark(p, "=>"))) {
        pairs->at = pairs->n == 0 ? at : pairs->at;
        rc = parse_pair(p, 0, &v, pairs);
    } else if (rc == 0 && pairs->n > 0) {
        rc = refuse(p, "\"=>\"");
    } else if (rc == 0) {
        append(args, &v);
    }
    value_release(&v);
    return rc;
}

/* parse_args: up to `closing`, or without one to the end of the call. */
static int parse_args(struct parser *p, const char *closing, struct dw_value *args)
{
    struct dw_value pairs = {.kind = DW_HASH};
    int rc = 0;
    bool more = closing ? !is_mark(p, closing) : !ends_call(p);
    while (rc == 0 && more) {
        rc = parse_arg(p, args, &pairs);
        if (rc == 0 && closing)
            rc = skip_newlines(p);
        more = rc == 0 && is_mark(p, ",");
        if (more)
            rc = advance_line(p);
    }
    if (rc == 0 && closing)
        rc = is_mark(p, closing) ? advance(p) : refuse(p, "\",\" or \")\"");
    if (rc == 0 && pairs.n > 0)
        append(args, &pairs);
    value_release(&pairs);
    return rc;
}

static int parse_call(struct parser *p, struct dw_call *call)
{
    if (p->tok.kind != DW_WORD || dw_instead(p->tok.text))
        return refuse(p, "a keyword");
    call->at = p->tok.at;
    call->word = TAKE(p->tok.text);
    call->args = (struct dw_value){.kind = DW_LIST, .at = call->at};
    int rc = advance(p);
    /* Behind the word, a sign of Ruby's own reads better as itself than as a missing value. */
    if (rc == 0 && p->tok.kind == DW_MARK && strcmp(p->tok.text, "[") != 0 &&
        dw_instead(p->tok.text))
        return refuse(p, "a value");
    bool parens = rc == 0 && is_mark(p, "(");
    if (parens)
        rc = advance_line(p);
    if (rc == 0)
        rc = parse_args(p, parens ? ")" : NULL, &call->args);
    if (rc == 0 && !ends_call(p))
        rc = refuse(p, "the end of the line");
    return rc;
}

static struct dw_call *add_call(struct dw_calls *c)
{
    if ((c->n & (c->n - 1)) == 0) {
        c->v = realloc(c->v, (c->n > 0 ? 2 * c->n : 1) * sizeof(*c->v));
        if (!c->v)
            abort();
    }
    c->v[c->n] = (struct dw_call){0};
    return &c->v[c->n++];
}

int dw_parse(const char *file, const char *text, size_t len, struct dw_calls *ret, struct err *e)
{
    struct parser p = {.e = e};
    struct dw_calls calls = {0};
    dw_lexer_init(&p.lex, file, text, len);
    int rc = advance(&p);
    while (rc == 0 && p.tok.kind != DW_END) {
        if (ends_call(&p))
            rc = advance(&p);
        else
            rc = parse_call(&p, add_call(&calls));
    }
    dw_token_release(&p.tok);
    if (rc < 0)
        dw_calls_release(&calls);
    else
        *ret = calls;
    return rc;
}
