/* Table layout. Widths are counted in terminal columns, by our own decoding and the C library's
 * wcwidth, whose table is that of the locale set in main. */
#include "cli/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "cli/out.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

#define TABLE_BYTES (16u << 20)
#define TEXT_BYTES  (1u << 20) /* one cell */
#define GAP         2
#define ELLIPSIS    "\xE2\x80\xA6"

/* ---- text ---- */

/* next_char: code point at *p, moved behind it. A byte that is no UTF-8 is a character of its own.
 */
static wchar_t next_char(const char **p)
{
    mbstate_t state = {0};
    wchar_t c = 0;
    size_t n = mbrtowc(&c, *p, strlen(*p), &state);
    if (n == 0 || n == (size_t)-1 || n == (size_t)-2) {
        c = L'?';
        n = 1;
    }
    *p += n;
    return c;
}

static size_t char_width(wchar_t c)
{
    int width = wcwidth(c);
    return width < 0 ? 1 : (size_t)width;
}

size_t text_width(const char *text)
{
    size_t width = 0;
    while (*text)
        width += char_width(next_char(&text));
    return width;
}

void text_clean(struct buf *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '\n')
            buf_adds(out, "\\n");
        else if (*p == '\t')
            buf_adds(out, "\\t");
        else if (*p < ' ' || *p == 0x7f)
            buf_addf(out, "\\x%02x", *p);
        else if (*p == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F) /* C1 controls */
            buf_addf(out, "\\x%02x", *++p);
        else
            buf_addc(out, (char)*p);
    }
}

/* add_cut: as much of `text` as fits into `width` columns, with an ellipsis when that is not all.
 */
static void add_cut(struct buf *out, const char *text, size_t width)
{
    if (text_width(text) <= width) {
        buf_adds(out, text);
        return;
    }
    size_t used = 0;
    const char *end = text;
    while (*end) {
        const char *next = end;
        used += char_width(next_char(&next));
        if (used + 1 > width)
            break;
        end = next;
    }
    buf_add(out, text, (size_t)(end - text));
    buf_adds(out, ELLIPSIS);
}

/* ---- table ---- */

void table_init(struct table *t, const char *const *titles, size_t columns)
{
    assert(columns > 0 && columns <= TABLE_COLUMNS);
    *t = (struct table){.columns = columns, .titles = titles};
}

void table_release(struct table *t)
{
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i].text);
    free(TAKE(t->cells));
    t->n_cells = 0;
}

void table_add(struct table *t, const char *text, enum colour colour)
{
    struct cell *cells = reallocarray(t->cells, t->n_cells + 1, sizeof(*cells));
    if (!cells)
        abort();
    struct buf clean = BUF_INIT(TEXT_BYTES);
    text_clean(&clean, text);
    t->cells = cells;
    t->cells[t->n_cells++] = (struct cell){buf_take(&clean), colour};
}

static void measure(const struct table *t, size_t widths[TABLE_COLUMNS])
{
    for (size_t c = 0; c < t->columns; c++)
        widths[c] = text_width(t->titles[c]);
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t width = text_width(t->cells[i].text);
        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
}

/* fit: takes from the last column what is over `width`. */
static void fit(const struct table *t, size_t widths[TABLE_COLUMNS], size_t width)
{
    size_t before = 0;
    for (size_t c = 0; c + 1 < t->columns; c++)
        before += widths[c] + GAP;
    size_t *last = &widths[t->columns - 1];
    if (before + *last > width)
        *last = width > before + 1 ? width - before : 1;
}

static void add_cell(struct buf *out, const struct cell *cell, size_t width, bool is_last,
                     bool colours)
{
    static const char *const on[] = {[COLOUR_RED] = "\033[31m",
                                     [COLOUR_GREEN] = "\033[32m",
                                     [COLOUR_YELLOW] = "\033[33m",
                                     [COLOUR_CYAN] = "\033[36m"};
    bool coloured = colours && cell->colour != COLOUR_NONE;
    if (coloured)
        buf_adds(out, on[cell->colour]);
    add_cut(out, cell->text, width);
    if (coloured)
        buf_adds(out, "\033[0m");
    size_t used = text_width(cell->text);
    if (!is_last) /* no blanks at the end of a line */
        buf_addf(out, "%*s", (int)(width - used + GAP), "");
}

void table_format(const struct table *t, bool colours, size_t width, struct buf *out)
{
    size_t widths[TABLE_COLUMNS];
    measure(t, widths);
    if (width > 0)
        fit(t, widths, width);
    for (size_t c = 0; c < t->columns; c++) {
        struct cell title = {(char *)(uintptr_t)t->titles[c], COLOUR_NONE};
        add_cell(out, &title, widths[c], c + 1 == t->columns, false);
    }
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t c = i % t->columns;
        if (c == 0)
            buf_addc(out, '\n');
        add_cell(out, &t->cells[i], widths[c], c + 1 == t->columns, colours);
    }
    buf_addc(out, '\n');
}

void table_print(const struct table *t, FILE *to)
{
    struct winsize size = {0};
    size_t width = 0;
    if (ioctl(fileno(to), TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    AUTO(buf) struct buf text = BUF_INIT(TABLE_BYTES);
    table_format(t, out_colours(to), width, &text);
    fwrite(buf_str(&text), 1, text.len, to);
}
