#include "lib/json.h"

#include <math.h>
#include <stddef.h>

#include "lib/bounds.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static struct json *parsed(const char *text)
{
    struct err e = {0};
    struct json *j = NULL;
    CHECK_OK(json_parse(text, strlen(text), BOUND_JSON_DEPTH, &j, &e), &e);
    return j;
}

static void check_same(const char *text, const char *want)
{
    AUTO(buf) struct buf out = BUF_INIT(1 << 20);
    autojson struct json *j = parsed(text);
    json_text(j, &out);
    CHECK_STR(buf_str(&out), want);
}

static void check_refused_n(const char *bytes, size_t len, const char *why)
{
    struct err e = {0};
    struct json *untouched = (struct json *)&e, *j = untouched;
    int rc = json_parse(bytes, len, BOUND_JSON_DEPTH, &j, &e);
    if (rc != ERR_INVALID)
        TAP_FAIL("\"%s\" gave %d, want ERR_INVALID", bytes, rc);
    CHECK_INT(e.code, ERR_INVALID);
    CHECK(j == untouched);
    CHECK_HAS(e.msg, why);
}

static void check_refused(const char *text, const char *why)
{
    check_refused_n(text, strlen(text), why);
}

TEST(parses_every_kind_of_value)
{
    autojson struct json *j =
        parsed(" {\"s\":\"a\\u00e9\\ud83d\\ude00\",\"i\":-7,\"d\":1.5,\"t\":true,"
               "\"n\":null,\"a\":[1,[]],\"o\":{}}\n");
    CHECK_INT(json_kind(j), JSON_OBJECT);
    size_t len = 0;
    CHECK_STR(json_string(json_member(j, "s"), &len), "a\xc3\xa9\xf0\x9f\x98\x80");
    CHECK_INT(len, 7);
    CHECK_INT(json_as_int(json_member(j, "i")), -7);
    CHECK(json_as_double(json_member(j, "d")) == 1.5);
    CHECK(json_as_bool(json_member(j, "t")));
    CHECK(json_member(j, "n") == NULL);
    CHECK_INT(json_length(json_member(j, "a")), 2);
    CHECK_INT(json_kind(json_at(json_member(j, "a"), 1)), JSON_ARRAY);
    CHECK(json_at(json_member(j, "a"), 2) == NULL);
    CHECK_INT(json_kind(json_member(j, "o")), JSON_OBJECT);
}

TEST(accessors_give_defaults_for_other_kinds)
{
    autojson struct json *j = parsed("[\"x\",1]");
    CHECK(json_member(j, "x") == NULL);
    CHECK(json_string(j, NULL) == NULL);
    CHECK_INT(json_length(json_at(j, 0)), 0);
    CHECK_INT(json_as_int(json_at(j, 0)), 0);
    CHECK(json_as_double(json_at(j, 0)) == 0);
    CHECK(json_as_double(json_at(j, 1)) == 1);
    CHECK(!json_as_bool(json_at(j, 1)));
    CHECK_INT(json_kind(NULL), JSON_NULL);
}

TEST(scalars_may_be_roots)
{
    check_same("1", "1");
    check_same(" 12 ", "12");
    check_same("true", "true");
    check_same("null", "null");
    check_same("\"x\"", "\"x\"");
    check_same("-1.50", "-1.50");
}

TEST(text_need_not_be_nul_terminated)
{
    struct err e = {0};
    autojson struct json *j = NULL;
    CHECK_OK(json_parse("12345", 3, 4, &j, &e), &e);
    CHECK_INT(json_as_int(j), 123);
}

TEST(last_duplicate_wins)
{
    check_same("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}");
}

TEST(refuses_broken_syntax)
{
    static const char *const bad[] = {
        "",      " ",          "{",         "}",       "[",        "]",         "[1",
        "[1,]",  "[,1]",       "{,}",       "{\"a\"}", "{\"a\":}", "{a:1}",     "[1 2]",
        "[1:2]", "{\"a\":1,}", "'a'",       "\"a",     "\"\\",     "{\"a\" 1}", "tru",
        "True",  "nullx",      "truefalse", "/**/1",   "[1}",      "{\"a\"]",   ",",
        ":",     "{1:2}",      "\"\\x\"",   "[1]]",    "{'a':1}",  "{\"a\":1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check_refused(bad[i], "JSON is broken at byte");
}

TEST(refuses_trailing_bytes)
{
    check_refused("{} x", "at byte 3");
    check_refused("{}{}", "at byte 2");
    check_refused("1 2", "at byte 2");
    check_refused("null null", "at byte 5");
    check_refused_n("{}\0", 3, "at byte 2");
}

TEST(refuses_nul)
{
    check_refused("\"a\\u0000b\"", "NUL");
    check_refused("{\"a\\u0000b\":1}", "NUL");
    check_refused_n("\"a\0b\"", 5, "control character");
    check_refused_n("\0", 1, "at byte 0");
}

TEST(refuses_control_characters_in_strings)
{
    check_refused("\"a\nb\"", "control character");
    check_refused("\"a\tb\"", "control character");
}

TEST(refuses_lone_surrogates)
{
    check_refused("\"\\ud800\"", "lone high surrogate");
    check_refused("\"\\ud800\\u0041\"", "lone high surrogate");
    check_refused("\"\\ud800\\ud800\\udc00\"", "lone high surrogate");
    check_refused("\"\\udc00\"", "lone low surrogate");
    check_refused("\"\\ud83\"", "hex");
    check_refused("\"\\u12", "hex");
}

TEST(refuses_invalid_utf8)
{
    check_refused("\"\xff\"", "UTF-8");
    check_refused("\"\xc0\x80\"", "UTF-8");
    check_refused("\"\xed\xa0\x80\"", "UTF-8");
    check_refused("\"\xf4\x90\x80\x80\"", "UTF-8");
    check_refused("\"\xe2\x82\"", "UTF-8");
    check_refused("\xef\xbb\xbf{}", "at byte 0");
}

TEST(refuses_what_is_no_json_number)
{
    static const char *const bad[] = {"NaN", "nan", "Infinity", "-Infinity", "-",     "--1",
                                      "1-2", "01",  "-01",      "1.",        ".5",    "+1",
                                      "1e",  "1e+", "1.e5",     "0x10",      "1.5.5", "1e5e5"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check_refused(bad[i], "JSON is broken at byte");
}

TEST(refuses_numbers_out_of_range)
{
    check_refused("9223372036854775808", "out of range");
    check_refused("[18446744073709551615]", "out of range");
    check_refused("-9223372036854775809", "out of range");
    check_refused("1e400", "out of range");
    check_refused("[-1e999]", "out of range");
    check_same("[9223372036854775807,-9223372036854775808]",
               "[9223372036854775807,-9223372036854775808]");
    check_same("[1e-400]", "[1e-400]");
}

TEST(depth_is_counted_in_arrays_and_objects)
{
    struct err e = {0};
    autojson struct json *ok = NULL;
    CHECK_OK(json_parse("[{\"a\":[1]}]", 11, 3, &ok, &e), &e);
    autojson struct json *none = NULL;
    CHECK_INT(json_parse("[{\"a\":[1]}]", 11, 2, &none, &e), ERR_INVALID);
    CHECK_HAS(e.msg, "deeper than 2");
    CHECK_INT(json_parse("[[[]]]", 6, 2, &none, &e), ERR_INVALID);
    autojson struct json *scalar = NULL;
    CHECK_OK(json_parse("1", 1, 0, &scalar, &e), &e);
}

TEST(a_very_deep_text_does_not_use_the_stack)
{
    enum { N = 1 << 20 };
    autofree char *text = malloc(N);
    CHECK(text != NULL);
    memset(text, '[', N);
    struct err e = {0};
    struct json *j = NULL;
    CHECK_INT(json_parse(text, N, BOUND_JSON_DEPTH, &j, &e), ERR_INVALID);
}

TEST(doubles_keep_their_digits)
{
    check_same("[1.10,2e3,-0.0,0.1]", "[1.10,2e3,-0.0,0.1]");
}

static int stop_at_b(const char *key, const struct json *v, void *arg)
{
    (void)v;
    ++*(int *)arg;
    return strcmp(key, "b") == 0 ? 7 : 0;
}

TEST(each_goes_in_order_and_stops)
{
    autojson struct json *j = parsed("{\"a\":1,\"b\":2,\"c\":3}");
    int seen = 0;
    CHECK_INT(json_each(j, stop_at_b, &seen), 7);
    CHECK_INT(seen, 2);
    CHECK_INT(json_each(NULL, stop_at_b, &seen), 0);
}

TEST(shorthands_fall_back)
{
    autojson struct json *j = parsed("{\"s\":\"x\",\"i\":3,\"d\":2.9,\"big\":1e300,\"t\":true}");
    CHECK_STR(json_get_str(j, "s", "-"), "x");
    CHECK_STR(json_get_str(j, "i", "-"), "-");
    CHECK_STR(json_get_str(j, "absent", "-"), "-");
    CHECK_INT(json_get_int(j, "i", 9), 3);
    CHECK_INT(json_get_int(j, "d", 9), 2);
    CHECK_INT(json_get_int(j, "big", 9), 9);
    CHECK_INT(json_get_int(j, "s", 9), 9);
    CHECK(json_get_bool(j, "t", false));
    CHECK(json_get_bool(j, "s", true));
    CHECK_STR(json_get_str(NULL, "s", "-"), "-");
}

/* ---- decoding ---- */

struct sample {
    const char *name;
    int64_t n;
    int64_t delay;
    bool on;
    const struct json *val, *obj, *arr;
};

static const struct json_field fields[] = {
    {"name", JT_STR, offsetof(struct sample, name), JF_REQUIRED, 0, 5},
    {"n", JT_INT, offsetof(struct sample, n), 0, -10, 10},
    {"delay", JT_SECS, offsetof(struct sample, delay), 0, 0, 0},
    {"on", JT_BOOL, offsetof(struct sample, on), 0, 0, 0},
    {"val", JT_VAL, offsetof(struct sample, val), 0, 0, 0},
    {"obj", JT_OBJ, offsetof(struct sample, obj), 0, 0, 0},
    {"arr", JT_ARR, offsetof(struct sample, arr), 0, 0, 0},
};

static int decode(const struct json *j, enum json_unknown unknown, struct sample *s, struct err *e)
{
    return json_decode(j, fields, sizeof(fields) / sizeof(fields[0]), unknown, s, e);
}

static void check_decode_fails(const char *text, int code, const char *why)
{
    autojson struct json *j = parsed(text);
    struct sample s = {0};
    struct err e = {0};
    CHECK_INT(decode(j, JSON_STRICT, &s, &e), code);
    CHECK_HAS(e.msg, why);
}

TEST(decodes_every_type)
{
    autojson struct json *j = parsed("{\"name\":\"ab\",\"n\":-3,\"delay\":1.9,\"on\":true,"
                                     "\"val\":[1],\"obj\":{\"a\":1},\"arr\":[2]}");
    struct sample s = {0};
    struct err e = {0};
    CHECK_OK(decode(j, JSON_STRICT, &s, &e), &e);
    CHECK_STR(s.name, "ab");
    CHECK_INT(s.n, -3);
    CHECK_INT(s.delay, 1);
    CHECK(s.on);
    CHECK_INT(json_kind(s.val), JSON_ARRAY);
    CHECK_INT(json_get_int(s.obj, "a", 0), 1);
    CHECK_INT(json_as_int(json_at(s.arr, 0)), 2);
}

TEST(absent_and_null_keep_what_the_caller_set)
{
    autojson struct json *j = parsed("{\"name\":\"\",\"n\":null}");
    struct sample s = {.n = 42, .delay = 7};
    struct err e = {0};
    CHECK_OK(decode(j, JSON_STRICT, &s, &e), &e);
    CHECK_INT(s.n, 42);
    CHECK_INT(s.delay, 7);
}

TEST(unknown_members_are_ignored_or_named)
{
    autojson struct json *j = parsed("{\"name\":\"x\",\"typo\":1}");
    struct sample s = {0};
    struct err e = {0};
    CHECK_OK(decode(j, JSON_LENIENT, &s, &e), &e);
    CHECK_INT(decode(j, JSON_STRICT, &s, &e), ERR_INVALID);
    CHECK_HAS(e.msg, "\"typo\"");
}

TEST(decode_names_what_is_wrong)
{
    check_decode_fails("{}", ERR_MISSING, "name is required");
    check_decode_fails("{\"name\":null}", ERR_MISSING, "name is required");
    check_decode_fails("{\"name\":1}", ERR_INVALID, "name is an integer; it must be a string");
    check_decode_fails("{\"name\":\"sixsix\"}", ERR_TOO_BIG, "name has 6 bytes; it may have 5");
    check_decode_fails("{\"name\":\"a\",\"n\":11}", ERR_INVALID, "n is 11; it may be -10 to 10");
    check_decode_fails("{\"name\":\"a\",\"n\":1.5}", ERR_INVALID, "it must be an integer");
    check_decode_fails("{\"name\":\"a\",\"n\":1e30}", ERR_INVALID, "out of range");
    check_decode_fails("{\"name\":\"a\",\"n\":\"1\"}", ERR_INVALID, "n is a string");
    check_decode_fails("{\"name\":\"a\",\"delay\":\"1\"}", ERR_INVALID, "number of seconds");
    check_decode_fails("{\"name\":\"a\",\"delay\":9223372036854775808.0}", ERR_INVALID,
                       "out of range");
    check_decode_fails("{\"name\":\"a\",\"on\":1}", ERR_INVALID, "it must be true or false");
    check_decode_fails("{\"name\":\"a\",\"obj\":[]}", ERR_INVALID, "it must be an object");
    check_decode_fails("{\"name\":\"a\",\"arr\":{}}", ERR_INVALID, "it must be an array");
    check_decode_fails("[]", ERR_INVALID, "expected a JSON object, got an array");
}

TEST(integral_doubles_are_integers)
{
    autojson struct json *j = parsed("{\"name\":\"a\",\"n\":5.0,\"delay\":-0.5}");
    struct sample s = {0};
    struct err e = {0};
    CHECK_OK(decode(j, JSON_STRICT, &s, &e), &e);
    CHECK_INT(s.n, 5);
    CHECK_INT(s.delay, -1);
}

/* ---- writing ---- */

TEST(writes_every_type_with_its_commas)
{
    AUTO(buf) struct buf b = BUF_INIT(4096);
    struct jsonw w = JSONW(&b);
    jw_obj(&w, NULL);
    jw_str(&w, "s", "x");
    jw_str(&w, "none", NULL);
    jw_int(&w, "i", -42);
    jw_arr(&w, "a");
    jw_int(&w, NULL, INT64_MIN);
    jw_int(&w, NULL, INT64_MAX);
    jw_int(&w, NULL, 0);
    jw_arr(&w, NULL);
    jw_arr_end(&w);
    jw_obj(&w, NULL);
    jw_obj_end(&w);
    jw_arr_end(&w);
    jw_bool(&w, "t", true);
    jw_bool(&w, "f", false);
    jw_null(&w, "n");
    jw_double(&w, "d", 0.1);
    jw_raw(&w, "r", "[1]", 3);
    jw_time(&w, "when", 1465408329689000);
    jw_time(&w, "never", 0);
    jw_obj_end(&w);
    CHECK_STR(buf_str(&b),
              "{\"s\":\"x\",\"none\":\"\",\"i\":-42,\"a\":[-9223372036854775808,"
              "9223372036854775807,0,[],{}],\"t\":true,\"f\":false,\"n\":null,\"d\":0.1,"
              "\"r\":[1],\"when\":\"2016-06-08T17:52:09.689Z\","
              "\"never\":\"0001-01-01T00:00:00Z\"}");
    autojson struct json *back = parsed(buf_str(&b));
    CHECK_INT(json_kind(back), JSON_OBJECT);
}

TEST(escapes_control_characters_and_quotes)
{
    AUTO(buf) struct buf b = BUF_INIT(4096);
    struct jsonw w = JSONW(&b);
    jw_strn(&w, NULL, "\0\x01\b\t\n\f\r\x1f\"\\/\x7f", 12);
    CHECK_STR(buf_str(&b), "\"\uFFFD\\u0001\\b\\t\\n\\f\\r\\u001f\\\"\\\\/\x7f\"");
}

static void check_written(const char *bytes, const char *want)
{
    AUTO(buf) struct buf b = BUF_INIT(4096);
    struct jsonw w = JSONW(&b);
    jw_str(&w, NULL, bytes);
    CHECK_STR(buf_str(&b), want);
}

#define FFFD "\xEF\xBF\xBD"

TEST(replaces_each_byte_that_is_not_utf8)
{
    check_written("a\xffz", "\"a" FFFD "z\"");
    check_written("\xc0\x80", "\"" FFFD FFFD "\"");
    check_written("\xe2\x82", "\"" FFFD FFFD "\"");
    check_written("\xed\xa0\x80", "\"" FFFD FFFD FFFD "\"");
    check_written("\xf4\x90\x80\x80", "\"" FFFD FFFD FFFD FFFD "\"");
    check_written("\xe0\x9f\xbf", "\"" FFFD FFFD FFFD "\"");
    check_written("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf",
                  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf\"");
}

TEST(doubles_read_back_exactly)
{
    static const double values[] = {0, 1, -1.5, 0.1, 1.0 / 3, 1e300, 5e-324, 123456789012345678.0};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        AUTO(buf) struct buf b = BUF_INIT(4096);
        struct jsonw w = JSONW(&b);
        jw_double(&w, NULL, values[i]);
        CHECK(strtod(buf_str(&b), NULL) == values[i]);
        autojson struct json *back = parsed(buf_str(&b));
        CHECK(json_as_double(back) == values[i]);
    }
}

TEST(not_a_number_is_written_as_null)
{
    AUTO(buf) struct buf b = BUF_INIT(64);
    struct jsonw w = JSONW(&b);
    jw_arr(&w, NULL);
    jw_double(&w, NULL, (double)NAN);
    jw_double(&w, NULL, (double)INFINITY);
    jw_arr_end(&w);
    CHECK_STR(buf_str(&b), "[null,null]");
}

TEST(what_is_written_parses_to_the_same_text)
{
    const char *text =
        "{\"k\\\"\":[1,-2.5,\"\\n\xc3\xa9\",{\"x\":[[],{}]},true,false,null],\"z\":\"\"}";
    check_same(text, text);
}

TEST(a_writer_past_the_ceiling_fails_once)
{
    AUTO(buf) struct buf b = BUF_INIT(8);
    struct jsonw w = JSONW(&b);
    struct err e = {0};
    jw_str(&w, NULL, "0123456789");
    CHECK_INT(buf_check(&b, "reply", &e), ERR_TOO_BIG);
}

TEST(text_that_is_cut_short_is_broken_at_its_end)
{
    check_refused("{\"tasks\":[", "JSON is broken at byte 10");
}

TAP_MAIN
