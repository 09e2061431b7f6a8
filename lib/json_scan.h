/* The lexical strictness that json-c 0.16 lacks. It takes single quotes, NaN, raw control
 * characters, overlong UTF-8, lone surrogates and \u0000, and clamps integers that do not fit; one
 * pass over the text refuses all of that before json-c, which then checks the grammar, sees it.
 * Only json.c calls this. Any thread. */
#pragma once

#include <stddef.h>

#include "lib/err.h"

/* json_scan: 0 when every token of the text is a JSON token that our tree can hold exactly and no
 * more than `max_depth` arrays and objects are nested; else ERR_INVALID with the byte. */
NODISCARD int json_scan(const char *bytes, size_t len, int max_depth, struct err *e);
