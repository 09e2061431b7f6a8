/* Quoted strings of a .worker file. Part of the lexer. */
#pragma once

#include "cli/dotworker_lex.h"

/* dw_quoted: reads the string whose quote is at l->p into t->text, t->len; t->at is its place. */
NODISCARD int dw_quoted(struct dw_lexer *l, struct dw_token *t, struct err *e);
