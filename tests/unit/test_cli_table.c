/* cli/table.c, cli/out.c, cli/progress.c: what a person sees. */
#include "cli/table.h"

#include <locale.h>
#include <string.h>

#include "cli/out.h"
#include "cli/progress.h"
#include "cli/rows.h"
#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static const char *const titles[] = {"ID", "NAME", "LABEL"};

__attribute__((constructor)) static void use_utf8(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
}

/* format: a table of the NULL-terminated `cells`; valid until the next call. */
static const char *format(bool colours, size_t width, const char *const *cells)
{
    static struct buf out;
    buf_release(&out);
    out = BUF_INIT(64 << 10);
    AUTO(table) struct table t;
    table_init(&t, titles, ARRAY_LEN(titles));
    for (; *cells; cells++)
        table_add(&t, *cells, COLOUR_GREEN);
    table_format(&t, colours, width, &out);
    return buf_str(&out);
}
#define CELLS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_CELLS   ((const char *const[]){NULL})

TEST(columns_are_as_wide_as_their_widest_cell)
{
    CHECK_STR(format(false, 0, CELLS("1", "long name", "x", "22", "n", "yy")),
              "ID  NAME       LABEL\n"
              "1   long name  x\n"
              "22  n          yy\n");
}

TEST(empty_table_has_its_titles)
{
    CHECK_STR(format(false, 0, NO_CELLS), "ID  NAME  LABEL\n");
}

TEST(wide_characters_count_as_two)
{
    CHECK_INT(text_width("\xE6\x97\xA5\xE6\x9C\xAC"), 4); /* 日本 */
    CHECK_STR(format(false, 0, CELLS("1", "\xE6\x97\xA5\xE6\x9C\xAC", "x", "2", "abcd", "y")),
              "ID  NAME  LABEL\n"
              "1   \xE6\x97\xA5\xE6\x9C\xAC  x\n"
              "2   abcd  y\n");
}

TEST(combining_characters_count_as_none)
{
    CHECK_INT(text_width("e\xCC\x81"), 1);
}

TEST(bytes_that_are_no_text_count_as_one)
{
    CHECK_INT(text_width("a\xFF"), 2);
}

TEST(last_column_is_cut_to_the_terminal)
{
    CHECK_STR(format(false, 16, CELLS("1", "n", "a long label")), "ID  NAME  LABEL\n"
                                                                  "1   n     a lon\xE2\x80\xA6\n");
}

TEST(cut_never_splits_a_wide_character)
{
    CHECK_STR(format(false, 14, CELLS("1", "n", "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E")),
              "ID  NAME  LAB\xE2\x80\xA6\n"
              "1   n     \xE6\x97\xA5\xE2\x80\xA6\n");
}

TEST(control_characters_are_shown_not_sent)
{
    const char *text = format(false, 0, CELLS("1", "a\tb\n", "\033[2J\x7f\xC2\x9B"));
    CHECK(strchr(text, '\033') == NULL);
    CHECK_HAS(text, "a\\tb\\n");
    CHECK_HAS(text, "\\x1b[2J\\x7f\\x9b");
}

TEST(colours_only_when_asked_for)
{
    CHECK(strchr(format(false, 0, CELLS("1", "n", "x")), '\033') == NULL);
    CHECK_HAS(format(true, 0, CELLS("1", "n", "x")), "\033[32mn\033[0m     \033[32mx\033[0m\n");
}

TEST(a_file_gets_no_colours)
{
    setenv("TERM", "xterm", 1);
    autofclose FILE *f = fopen("plain", "w");
    CHECK(f && !out_colours(f));
}

TEST(spans_have_one_unit)
{
    char word[OUT_WORD];
    CHECK_STR(out_span(850000, word), "850ms");
    CHECK_STR(out_span(12999999, word), "12s");
    CHECK_STR(out_span(3 * 60000000LL, word), "3m");
    CHECK_STR(out_span(5 * 3600000000LL, word), "5h");
    CHECK_STR(out_span(9 * 86400000000LL, word), "9d");
    CHECK_STR(out_span(-5, word), "0ms");
}

TEST(unset_times_are_a_dash)
{
    char word[OUT_WORD];
    CHECK_STR(out_age(0, 1000000, word), "-");
    CHECK_STR(out_time(0, word), "-");
    CHECK_STR(out_age(1, 2000001, word), "2s");
}

TEST(sizes_have_binary_units)
{
    char word[OUT_WORD];
    CHECK_STR(out_bytes(417, word), "417 B");
    CHECK_STR(out_bytes(1536, word), "1.5 KiB");
    CHECK_STR(out_bytes(3ULL << 30, word), "3.0 GiB");
}

TEST(bar_shows_percent_and_sizes)
{
    char text[PROGRESS_TEXT];
    progress_text(1 << 20, 2 << 20, text);
    CHECK_STR(text, "[===============               ]  50%  1.0 MiB of 2.0 MiB");
    progress_text(0, 0, text);
    CHECK_HAS(text, "100%");
}

TEST(rows_without_value_are_left_out)
{
    autofclose FILE *f = fopen("rows", "w+");
    char line[64] = "";
    CHECK(f != NULL);
    const struct rows rows = {f, "  "};
    row_text(&rows, "label", "");
    row_text(&rows, "image", NULL);
    row_text(&rows, "id", "x\ny");
    rewind(f);
    CHECK(fgets(line, sizeof(line), f) != NULL);
    CHECK_STR(line, "  id               x\\ny\n");
    CHECK(fgets(line, sizeof(line), f) == NULL);
}

TEST(lines_look_as_iron_worker_wrote_them)
{
    autofclose FILE *f = fopen("lines", "w+");
    char line[64] = "";
    CHECK(f != NULL);
    out_group(f, "Queueing %s", "task");
    out_line(f, "Code package '%s'", "n");
    rewind(f);
    CHECK(fgets(line, sizeof(line), f) != NULL);
    CHECK_STR(line, "------> Queueing task\n");
    CHECK(fgets(line, sizeof(line), f) != NULL);
    CHECK_STR(line, "        Code package 'n'\n");
}

TAP_MAIN
