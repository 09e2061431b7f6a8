/* The text of a .worker file as what it says: calls of keywords with literal arguments. Knows no
 * keyword; dotworker.c does. One thread.
 *
 *     file   := { call ( newline | ";" ) }
 *     call   := word [ "(" [ args ] ")" | args ]
 *     args   := arg { "," arg }               the pairs among them become one hash at the end
 *     arg    := value | pair
 *     pair   := value "=>" value | label value
 *     value  := string | symbol | number | true | false | nil
 *             | "[" [ value { "," value } [ "," ] ] "]" | "{" [ pair { "," pair } [ "," ] ] "}"
 *
 * Newlines are free inside brackets and after a comma or "=>". */
#pragma once

#include <stddef.h>

#include "cli/dotworker_lex.h"
#include "lib/err.h"

enum dw_value_kind { DW_TEXT, DW_NAME, DW_COUNT, DW_TRUE, DW_FALSE, DW_NIL, DW_LIST, DW_HASH };

struct dw_value {
    enum dw_value_kind kind;
    struct dw_place at;
    char *text; /* of DW_TEXT, DW_NAME (a symbol), DW_COUNT (a number as written); owned */
    size_t len;
    struct dw_value *items; /* of a list; of a hash: key, value, key, value … */
    size_t n;
};

struct dw_call {
    char *word;
    struct dw_place at;
    struct dw_value args; /* a list */
};

struct dw_calls {
    struct dw_call *v;
    size_t n;
};

/* dw_parse: `file` is what messages call the text. ERR_INVALID says file:line:column, and of Ruby
 * that is not data what to write instead. */
NODISCARD int dw_parse(const char *file, const char *text, size_t len, struct dw_calls *ret,
                       struct err *e);
void dw_calls_release(struct dw_calls *c);

/* dw_instead: what to write instead of a word or a mark of Ruby that needs it to run; NULL when
 * there is nothing to say about it. */
const char *dw_instead(const char *text);
