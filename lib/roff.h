/* Manual pages in the macros of man(7). Text is escaped; each function appends to `out`. Any
 * thread.
 */
#pragma once

#include "lib/buf.h"

/* roff_open: title line, NAME and SYNOPSIS of the page `name`(section). */
void roff_open(struct buf *out, const char *name, int section, const char *summary,
               const char *synopsis);
void roff_section(struct buf *out, const char *title);
void roff_subsection(struct buf *out, const char *title);
void roff_text(struct buf *out, const char *text);    /* a paragraph */
void roff_example(struct buf *out, const char *text); /* as it stands */
/* roff_item: a term and what it means, one indented below the other. */
void roff_item(struct buf *out, const char *term, const char *text);
/* roff_see_also: the last section; `pages` as "wrought(1), …". */
void roff_see_also(struct buf *out, const char *pages);
