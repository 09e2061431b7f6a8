/* What may follow on a command line, for the shells' completions. One thread. */
#pragma once

#include <stddef.h>

#include "lib/buf.h"

/* complete: one "CANDIDATE<TAB>DESCRIPTION" line each, appended to `out`. `words`, up to a NULL:
 * those behind the program's name that are whole; `current`: the one that is being typed, which all
 * candidates begin with. Nothing is said where a file or a text of one's own belongs. */
void complete(const char *const *words, const char *current, struct buf *out);
