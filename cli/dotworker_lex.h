/* The words of a .worker file: Ruby's literals, names and marks, with their places. Nothing is ever
 * executed; what this lexer cannot read as data is refused where it stands. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

struct dw_place {
    unsigned line, column; /* from 1; columns count characters */
};

enum dw_token_kind {
    DW_END, /* of the file, or __END__ */
    DW_NEWLINE,
    DW_SEMICOLON,
    DW_WORD,   /* file, ENV, true */
    DW_STRING, /* either quotes, escapes resolved */
    DW_SYMBOL, /* :name, :"name" */
    DW_LABEL,  /* name: "name": */
    DW_NUMBER, /* as written, without underscores */
    DW_MARK,   /* any other sign; the longest that Ruby knows: ( [ , => << */
};

struct dw_token {
    enum dw_token_kind kind;
    struct dw_place at;
    char *text; /* owned; followed by a NUL, and may hold one */
    size_t len;
};
void dw_token_release(struct dw_token *t);

struct dw_lexer {
    const char *file; /* for messages */
    const char *p, *end, *line_start;
    unsigned line;
    const char *counted; /* the characters before it are in `column` */
    unsigned column;
};

/* dw_lexer_init: `text` is borrowed for as long as the lexer is used. */
void dw_lexer_init(struct dw_lexer *l, const char *file, const char *text, size_t len);

/* dw_next: the next token. ERR_INVALID with file, line and column for a string without an end, an
 * escape that is none, and what would need Ruby: #{…}, `…`, %w(…). */
NODISCARD int dw_next(struct dw_lexer *l, struct dw_token *ret, struct err *e);

/* dw_error: ERR_INVALID "file:line:column: …"; returns its code. */
int dw_error(const char *file, struct dw_place at, struct err *e, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
