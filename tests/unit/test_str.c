/* lib/str: strict numbers, UTF-8, cutting copies, base64. */
#include "lib/str.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"
#include "lib/banned.h"

TEST(whole_numbers_within_the_range_are_read)
{
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {{"0", 0},
                {"-0", 0},
                {"007", 7},
                {"-42", -42},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e;
        int64_t got = 1;
        CHECK_OK(str_int(rows[i].text, "n", INT64_MIN, INT64_MAX, &got, &e), &e);
        CHECK_INT(got, rows[i].want);
    }
}

TEST(what_is_no_whole_number_is_refused_and_nothing_written)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.5",
                                      "1e3",
                                      "0x1",
                                      "--1",
                                      "9223372036854775808",
                                      "one",
                                      "1-",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e;
        int64_t got = 77;
        CHECK_INT(str_int(bad[i], "n", INT64_MIN, INT64_MAX, &got, &e), ERR_INVALID);
        CHECK_INT(got, 77);
    }
}

TEST(a_number_out_of_range_is_named_with_its_limits)
{
    struct err e;
    int64_t got = 77;
    CHECK_INT(str_int("101", "per_page", 1, 100, &got, &e), ERR_INVALID);
    CHECK_STR(e.msg, "per_page must be a whole number from 1 to 100, not \"101\"");
    CHECK_INT(str_int("0", "per_page", 1, 100, &got, &e), ERR_INVALID);
    CHECK_INT(got, 77);
    CHECK_OK(str_int("100", "per_page", 1, 100, &got, &e), &e);
    CHECK_INT(got, 100);
}

TEST(prefix_and_suffix)
{
    CHECK(str_starts("task.log", "task") && str_starts("x", "") && !str_starts("ta", "task"));
    CHECK(str_ends("task.log", ".log") && str_ends("x", "") && !str_ends("og", ".log"));
    CHECK(!str_ends("task.lox", ".log"));
}

static bool utf8(const char *s)
{
    return str_is_utf8(s, strlen(s));
}

TEST(well_formed_utf8_is_accepted)
{
    CHECK(utf8("") && str_is_utf8(NULL, 0) && str_is_utf8("a\0b", 3));
    CHECK(utf8("plain ascii that is longer than one word"));
    CHECK(utf8("\xc2\x80 \xdf\xbf"));
    CHECK(utf8("\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"));
    CHECK(utf8("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"));
    CHECK(utf8("seven b\xe2\x82\xac and on, eight bytes at a time"));
}

TEST(malformed_utf8_is_refused)
{
    static const char *const bad[] = {
        "\x80",
        "a\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2 ",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xe2\x82 ",
        "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xfe",
        "12345678\xff",
        "1234567\xe2\x82",
        "\xf0\x90\x80",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!utf8(bad[i]));
}

TEST(the_end_of_the_text_is_not_read_over)
{
    /* well-formed with the byte behind the end: only a look beyond `len` would accept it */
    CHECK(!str_is_utf8("\xe2\x82\xac", 2));
    CHECK(str_is_utf8("ok\xff", 2));
}

TEST(copies_are_whole_and_terminated)
{
    autofree char *a = str_dup("abc"), *b = str_dupn("a\0c", 3), *c = str_dupn(NULL, 0);
    autofree char *d = str_fmt("%s-%d", "x", 5);
    CHECK(str_dup(NULL) == NULL);
    CHECK_STR(a, "abc");
    CHECK(memcmp(b, "a\0c", 4) == 0);
    CHECK_STR(c, "");
    CHECK_STR(d, "x-5");
}

TEST(a_copy_is_cut_to_its_room)
{
    char out[4] = "zzz";
    str_copy(out, sizeof(out), "abc");
    CHECK_STR(out, "abc");
    str_copy(out, sizeof(out), "abcd");
    CHECK_STR(out, "abc");
    str_copy(out, 1, "abcd");
    CHECK_STR(out, "");
    out[0] = 'k';
    str_copy(out, 0, "abcd");
    CHECK(out[0] == 'k');
}

TEST(a_copy_is_not_cut_inside_a_character)
{
    char out[5];
    str_copy(out, sizeof(out), "ab\xe2\x82\xac");
    CHECK_STR(out, "ab");
    str_copy(out, sizeof(out), "a\xe2\x82\xac!");
    CHECK_STR(out, "a\xe2\x82\xac");
    str_copy(out, 4, "a\xe2\x82\xac");
    CHECK_STR(out, "a");
}

TEST(base64_of_the_rfcs_examples)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *text = str_base64(rows[i][0], strlen(rows[i][0]));
        CHECK_STR(text, rows[i][1]);
    }
}

TEST(every_byte_survives_base64)
{
    uint8_t all[256];
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (uint8_t)i;
    for (size_t len = 0; len <= sizeof(all); len++) {
        struct err e;
        autofree char *text = str_base64(all, len);
        autofree uint8_t *back = NULL;
        size_t back_len = 9999;
        CHECK_OK(str_unbase64(text, &back, &back_len, &e), &e);
        CHECK_INT(back_len, len);
        CHECK(memcmp(back, all, len) == 0);
    }
}

TEST(base64_is_read_in_both_alphabets_with_and_without_padding)
{
    static const char *const texts[] = {"-_8=", "+/8=", "-_8", "+/8"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err e;
        autofree uint8_t *out = NULL;
        size_t len = 0;
        CHECK_OK(str_unbase64(texts[i], &out, &len, &e), &e);
        CHECK_INT(len, 2);
        CHECK(memcmp(out, "\xfb\xff", 2) == 0);
    }
}

TEST(what_is_not_base64_is_refused)
{
    static const char *const bad[] = {"A",    "AAAAA", "=",    "====",    "AA=",   "AAA==", "AA===",
                                      "AA=A", "A\nAA", "AA A", "AAA\xff", "AAAA=", "AAAA=="};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e;
        uint8_t *out = NULL;
        size_t len = 77;
        CHECK_INT(str_unbase64(bad[i], &out, &len, &e), ERR_INVALID);
        CHECK(out == NULL && len == 77);
    }
}

TAP_MAIN
