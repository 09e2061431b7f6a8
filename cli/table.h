/* Columns that line up, whatever script their text is in. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/buf.h"

#define TABLE_COLUMNS 8

enum colour { COLOUR_NONE, COLOUR_RED, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_CYAN };

struct table {
    size_t columns;
    const char *const *titles;
    struct cell {
        char *text; /* owned; control characters made visible */
        enum colour colour;
    } * cells; /* owned; row by row */
    size_t n_cells;
};

void table_init(struct table *t, const char *const *titles, size_t columns);
void table_release(struct table *t);

/* table_add: the next cell, from left to right. */
void table_add(struct table *t, const char *text, enum colour colour);

/* table_format: appends the table. `width`: the last column is cut so that no line is wider; 0 = no
 * limit. */
void table_format(const struct table *t, bool colours, size_t width, struct buf *out);

/* table_print: fits it to the terminal where `to` is one. */
void table_print(const struct table *t, FILE *to);

/* text_width: columns that UTF-8 `text` takes on a terminal. */
size_t text_width(const char *text);
/* text_clean: appends `text` with control characters as \n, \t or \x1b. */
void text_clean(struct buf *out, const char *text);
