/* The text of .worker files: literals, places, and what is refused. */
#include "cli/dotworker_syntax.h"

#include "tests/unit/tap.h"

#include "lib/banned.h"

static struct dw_calls parsed(const char *text)
{
    struct dw_calls c = {0};
    struct err e;
    CHECK_OK(dw_parse("w.worker", text, strlen(text), &c, &e), &e);
    return c;
}

/* The text of the first argument of the only call. */
static void check_text(const char *source, const char *bytes, size_t len)
{
    struct dw_calls c = parsed(source);
    CHECK_INT(c.n, 1);
    CHECK_INT(c.v[0].args.n, 1);
    const struct dw_value *v = &c.v[0].args.items[0];
    CHECK_INT(v->kind, DW_TEXT);
    if (v->len != len || memcmp(v->text, bytes, len) != 0)
        TAP_FAIL("%s gives \"%s\" (%zu bytes)", source, v->text, v->len);
    dw_calls_release(&c);
}

static void check_fails(const char *source, const char *message)
{
    struct dw_calls c = {0};
    struct err e = {0};
    int rc = dw_parse("w.worker", source, strlen(source), &c, &e);
    if (rc != ERR_INVALID || strcmp(e.msg, message) != 0)
        TAP_FAIL("%s\n# gives %d \"%s\"", source, rc, e.msg);
    CHECK_INT(c.n, 0);
}

/* The refusal names place and construct; the advice behind it may be reworded. */
static void check_refuses(const char *source, const char *start)
{
    struct dw_calls c = {0};
    struct err e = {0};
    int rc = dw_parse("w.worker", source, strlen(source), &c, &e);
    if (rc != ERR_INVALID || strncmp(e.msg, start, strlen(start)) != 0)
        TAP_FAIL("%s\n# gives %d \"%s\"", source, rc, e.msg);
    CHECK(strlen(e.msg) > strlen(start) + 10); /* and there is advice */
}

#define TEXT(source, bytes) check_text(source, bytes, sizeof(bytes) - 1)

TEST(single_quotes_know_two_escapes)
{
    TEXT("file 'a b'", "a b");
    TEXT("file ''", "");
    TEXT("file 'it\\'s'", "it's");
    TEXT("file 'a\\\\b'", "a\\b");
    TEXT("file 'a\\nb'", "a\\nb");
    TEXT("file '#{x} #$y'", "#{x} #$y");
    TEXT("file 'two\nlines'", "two\nlines");
}

TEST(double_quotes_know_rubys_escapes)
{
    TEXT("file \"\\n\\t\\\"\\\\\\e\\s\\r\\a\\b\\f\\v\"", "\n\t\"\\\x1b \r\a\b\f\v");
    TEXT("file \"a\\0b\"", "a\0b");
    TEXT("file \"\\101\\x41\\x4a\\x4\"", "AAJ\x04");
    TEXT("file \"\\u00e9\\u{20ac}\\u{1F600}\\u{41}\"", "é€😀A");
    TEXT("file \"\\q\\'\\#{x}\"", "q'#{x}");
    TEXT("file \"a # b #\"", "a # b #");
    TEXT("file \"joined \\\nline\"", "joined line");
}

TEST(a_call_has_its_word_and_its_place)
{
    struct dw_calls c = parsed("\n# comment\n  runtime 'ruby'; remote\n\tname(\n 'x' )\n");
    CHECK_INT(c.n, 3);
    CHECK_STR(c.v[0].word, "runtime");
    CHECK_INT(c.v[0].at.line, 3);
    CHECK_INT(c.v[0].at.column, 3);
    CHECK_STR(c.v[1].word, "remote");
    CHECK_INT(c.v[1].at.column, 19);
    CHECK_INT(c.v[1].args.n, 0);
    CHECK_INT(c.v[2].at.line, 4);
    CHECK_INT(c.v[2].args.items[0].at.line, 5);
    CHECK_INT(c.v[2].args.items[0].at.column, 2);
    dw_calls_release(&c);
}

TEST(columns_count_characters)
{
    check_fails("file 'äöü', )", "w.worker:1:13: a value expected, not \")\"");
}

TEST(every_literal_has_its_kind)
{
    struct dw_calls c = parsed("w 'a', \"b\", :c, :\"d e\", 12, -3.5, 1_000, true, false, nil");
    static const enum dw_value_kind kinds[] = {DW_TEXT,  DW_TEXT,  DW_NAME, DW_NAME,  DW_COUNT,
                                               DW_COUNT, DW_COUNT, DW_TRUE, DW_FALSE, DW_NIL};
    static const char *const texts[] = {"a", "b", "c", "d e", "12", "-3.5", "1000"};
    CHECK_INT(c.v[0].args.n, 10);
    for (size_t i = 0; i < 10; i++)
        CHECK_INT(c.v[0].args.items[i].kind, kinds[i]);
    for (size_t i = 0; i < 7; i++)
        CHECK_STR(c.v[0].args.items[i].text, texts[i]);
    dw_calls_release(&c);
}

TEST(lists_nest_and_may_end_in_a_comma)
{
    struct dw_calls c = parsed("w [\n 'a', # one\n [], ['b',\n],\n]");
    const struct dw_value *list = &c.v[0].args.items[0];
    CHECK_INT(list->kind, DW_LIST);
    CHECK_INT(list->n, 3);
    CHECK_INT(list->items[1].n, 0);
    CHECK_STR(list->items[2].items[0].text, "b");
    dw_calls_release(&c);
}

TEST(hashes_take_arrows_and_labels)
{
    struct dw_calls c = parsed("w({:a => 1, 'b' =>\n2, c: 3, \"d\": 4})");
    const struct dw_value *h = &c.v[0].args.items[0];
    CHECK_INT(h->kind, DW_HASH);
    CHECK_INT(h->n, 8);
    CHECK_STR(h->items[0].text, "a");
    CHECK_STR(h->items[2].text, "b");
    CHECK_STR(h->items[4].text, "c");
    CHECK_STR(h->items[6].text, "d");
    CHECK_STR(h->items[7].text, "4");
    dw_calls_release(&c);
}

TEST(pairs_among_arguments_become_one_hash_at_the_end)
{
    struct dw_calls c = parsed("exec 'a.rb', :class => 'A', b: 'B'");
    CHECK_INT(c.v[0].args.n, 2);
    CHECK_INT(c.v[0].args.items[1].kind, DW_HASH);
    CHECK_INT(c.v[0].args.items[1].n, 4);
    CHECK_INT(c.v[0].args.items[1].at.column, 14);
    dw_calls_release(&c);
}

TEST(lines_go_on_after_a_comma_and_a_backslash)
{
    struct dw_calls c = parsed("file 'a',\n\n  'b'\r\nfile \\\n'c'\r\nfile('d',\n'e'\n)\n");
    CHECK_INT(c.n, 3);
    CHECK_INT(c.v[0].args.n, 2);
    CHECK_STR(c.v[1].args.items[0].text, "c");
    CHECK_INT(c.v[2].args.n, 2);
    dw_calls_release(&c);
}

TEST(comments_and_what_follows_the_end_are_skipped)
{
    struct dw_calls c = parsed("\xef\xbb\xbf# encoding: utf-8\n=begin\nfile 'no'\n=end x\n"
                               "file 'a' # and 'b'\n__END__\nif this } were read\n");
    CHECK_INT(c.n, 1);
    CHECK_STR(c.v[0].args.items[0].text, "a");
    CHECK_INT(c.v[0].at.line, 5);
    dw_calls_release(&c);
    c = parsed("# only a comment");
    CHECK_INT(c.n, 0);
    dw_calls_release(&c);
}

TEST(broken_text_is_refused_where_it_breaks)
{
    check_fails("file 'a", "w.worker:1:6: the string has no end");
    check_fails("file \"a\\", "w.worker:1:6: the string has no end");
    check_fails("file 'a'\nfile 'b',", "w.worker:2:10: a value expected, not the end of the file");
    check_fails("file ['a'\n'b']", "w.worker:2:1: \",\" or \"]\" expected, not \"b\"");
    check_fails("file('a'", "w.worker:1:9: \",\" or \")\" expected, not the end of the file");
    check_fails("file 'a' 'b'", "w.worker:1:10: the end of the line expected, not \"b\"");
    check_fails("file {'a' b: 1}", "w.worker:1:6: \"{\": blocks are not run: write one keyword to "
                                   "a line");
    check_fails("file({'a' b: 1})", "w.worker:1:11: \"=>\" expected, not \"b\"");
    check_fails("file 'a', b: 1, 'c'", "w.worker:1:20: \"=>\" expected, not the end of the file");
    check_fails("file hello", "w.worker:1:6: a value expected, not \"hello\"; text goes in quotes");
    check_fails("'file'", "w.worker:1:1: a keyword expected, not \"file\"");
    check_fails("=begin\nfile", "w.worker:1:1: =begin has no =end");
    check_fails("file \"\\x\"", "w.worker:1:6: a \\x escape must have one or two hex digits");
    check_fails("file \"\\ud800\"",
                "w.worker:1:6: a \\u escape must be \\uHHHH or \\u{HHHHHH}, and a character");
    check_fails("file \"\\u{110000}\"",
                "w.worker:1:6: a \\u escape must be \\uHHHH or \\u{HHHHHH}, and a character");
}

TEST(deep_nesting_is_refused)
{
    check_fails("w [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
                "w.worker:1:19: nested deeper than 16 levels");
}

TEST(ruby_that_would_have_to_run_is_named_with_its_place)
{
    check_refuses("file \"#{dir}/a\"", "w.worker:1:6: #{…} in a string");
    check_refuses("file \"a #@b\"", "w.worker:1:6: #{…} in a string");
    check_refuses("\n  if x\nend", "w.worker:2:3: \"if\": ");
    check_refuses("gem 'pg' if true", "w.worker:1:10: \"if\": ");
    check_refuses("gem 'pg' unless true", "w.worker:1:10: \"unless\": ");
    check_refuses("require 'json'", "w.worker:1:1: \"require\": ");
    check_refuses("name ENV['NAME']", "w.worker:1:6: \"ENV\": ");
    check_refuses("ENV['X'] = 'y'", "w.worker:1:1: \"ENV\": ");
    check_refuses("name = 'x'", "w.worker:1:6: \"=\": ");
    check_refuses("@x = 'x'", "w.worker:1:1: \"@\": ");
    check_refuses("Dir['*.rb'].each { |f| file f }", "w.worker:1:1: \"Dir\": ");
    check_refuses("file File.join('a', 'b')", "w.worker:1:6: \"File\": ");
    check_refuses("%w(a b).each do |f|", "w.worker:1:1: %-literals");
    check_refuses("['a'].each do |f|\nfile f\nend", "w.worker:1:1: \"[\": ");
    check_refuses("file 'a' + 'b'", "w.worker:1:10: \"+\": ");
    check_refuses("file 'a'.downcase", "w.worker:1:9: \".\": ");
    check_refuses("file *names", "w.worker:1:6: \"*\": ");
    check_refuses("build <<-EOS\nmake\nEOS", "w.worker:1:7: \"<<\": ");
    check_refuses("build `pwd`", "w.worker:1:7: `…`");
    check_refuses("puts 'hello'", "w.worker:1:1: \"puts\": ");
    check_refuses("group :worker do", "w.worker:1:1: \"group\": ");
    check_refuses("def x\nend", "w.worker:1:1: \"def\": ");
    check_refuses("dir Rails.root", "w.worker:1:5: \"Rails\": ");
    check_refuses("name a ? 'b' : 'c'", "w.worker:1:6: a value expected, not \"a\"");
}

TAP_MAIN
