/* lib/err: the table, and messages that are cut on whole characters. */
#include "lib/err.h"

#include <errno.h>

#include "lib/cleanup.h"
#include "tests/unit/tap.h"
#include "lib/banned.h"

TEST(each_code_maps_to_name_status_and_exit_code)
{
    static const struct {
        int code;
        const char *name;
        unsigned http;
        int exit_code;
    } want[] = {
        {ERR_NONE, "ok", 200, 0},
        {ERR_USAGE, "usage", 500, 64},
        {ERR_INVALID, "invalid", 400, 65},
        {ERR_UNAUTHORIZED, "unauthorized", 401, 77},
        {ERR_FORBIDDEN, "forbidden", 403, 77},
        {ERR_NOT_FOUND, "not_found", 404, 66},
        {ERR_METHOD, "method", 405, 65},
        {ERR_MISSING, "missing", 406, 65},
        {ERR_CONFLICT, "conflict", 409, 65},
        {ERR_TOO_BIG, "too_big", 413, 65},
        {ERR_TOO_MANY, "too_many", 429, 75},
        {ERR_UNREACHABLE, "unreachable", 503, 69},
        {ERR_UNAVAILABLE, "unavailable", 503, 75},
        {ERR_TIMEOUT, "timeout", 504, 124},
        {ERR_PROTOCOL, "protocol", 500, 125},
        {ERR_IO, "io", 500, 125},
        {ERR_EMPTY, "empty", 500, 125},
        {ERR_CANCELLED, "cancelled", 500, 130},
        {ERR_INTERNAL, "internal", 500, 125},
    };
    CHECK_INT(ARRAY_LEN(want), -ERR_INTERNAL + 1);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        CHECK_STR(err_name(want[i].code), want[i].name);
        CHECK_INT(err_http_status(want[i].code), want[i].http);
        CHECK_INT(err_exit_code(want[i].code), want[i].exit_code);
    }
}

TEST(codes_outside_the_table_count_as_internal)
{
    static const int codes[] = {1, 500, ERR_INTERNAL - 1, -1000000, -2147483647 - 1, 2147483647};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        CHECK_STR(err_name(codes[i]), "internal");
        CHECK_INT(err_http_status(codes[i]), 500);
        CHECK_INT(err_exit_code(codes[i]), 125);
        CHECK(!err_retryable(codes[i]));
    }
}

TEST(only_passing_troubles_are_retryable)
{
    int retryable = 0;
    for (int code = ERR_NONE; code >= ERR_INTERNAL; code--)
        retryable += err_retryable(code);
    CHECK_INT(retryable, 6);
    CHECK(err_retryable(ERR_TOO_MANY) && err_retryable(ERR_UNREACHABLE));
    CHECK(err_retryable(ERR_UNAVAILABLE) && err_retryable(ERR_TIMEOUT));
    CHECK(err_retryable(ERR_PROTOCOL) && err_retryable(ERR_EMPTY));
}

TEST(a_peers_status_becomes_a_code)
{
    static const struct {
        unsigned http;
        int code;
    } want[] = {
        {200, ERR_NONE},        {204, ERR_NONE},         {299, ERR_NONE},
        {400, ERR_INVALID},     {401, ERR_UNAUTHORIZED}, {403, ERR_FORBIDDEN},
        {404, ERR_NOT_FOUND},   {405, ERR_METHOD},       {406, ERR_MISSING},
        {408, ERR_TIMEOUT},     {409, ERR_CONFLICT},     {413, ERR_TOO_BIG},
        {414, ERR_TOO_BIG},     {418, ERR_INVALID},      {429, ERR_TOO_MANY},
        {431, ERR_TOO_BIG},     {500, ERR_INTERNAL},     {501, ERR_INTERNAL},
        {502, ERR_UNAVAILABLE}, {503, ERR_UNAVAILABLE},  {504, ERR_TIMEOUT},
        {0, ERR_PROTOCOL},      {101, ERR_PROTOCOL},     {302, ERR_PROTOCOL},
        {600, ERR_PROTOCOL},
    };
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        CHECK_INT(err_from_http(want[i].http), want[i].code);
}

TEST(every_client_status_we_send_comes_back_as_its_code)
{
    for (int code = ERR_INVALID; code >= ERR_TOO_MANY; code--)
        CHECK_INT(err_from_http(err_http_status(code)), code);
}

TEST(set_returns_the_code_and_clears_errno)
{
    struct err e = {.os_errno = 5};
    CHECK_INT(err_set(&e, ERR_MISSING, "%s is missing", "code_name"), ERR_MISSING);
    CHECK_INT(e.code, ERR_MISSING);
    CHECK_INT(e.os_errno, 0);
    CHECK_STR(e.msg, "code_name is missing");
}

TEST(set_may_quote_the_message_it_replaces)
{
    struct err e;
    err_set(&e, ERR_IO, "inner");
    err_set(&e, ERR_INVALID, "outer (%s)", e.msg);
    CHECK_STR(e.msg, "outer (inner)");
}

TEST(os_adds_the_systems_text)
{
    struct err e;
    CHECK_INT(err_os(&e, ERR_IO, EACCES, "open %s", "/x"), ERR_IO);
    CHECK_STR(e.msg, "open /x: Permission denied");
    CHECK_INT(e.os_errno, EACCES);
}

TEST(os_calls_a_full_disk_unavailable)
{
    struct err e;
    CHECK_INT(err_os(&e, ERR_INVALID, ENOSPC, "write"), ERR_UNAVAILABLE);
    CHECK_INT(e.code, ERR_UNAVAILABLE);
    CHECK_INT(err_os(&e, ERR_IO, EDQUOT, "write"), ERR_UNAVAILABLE);
    CHECK_INT(e.os_errno, EDQUOT);
}

TEST(os_cuts_the_noun_rather_than_the_reason)
{
    char path[600];
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    struct err e;
    (void)err_os(&e, ERR_IO, ENOENT, "open %s", path);
    CHECK_INT(strlen(e.msg), sizeof(e.msg) - 1);
    CHECK_HAS(e.msg, "ppp: No such file or directory");
}

TEST(wrap_puts_the_noun_before_and_keeps_the_cause)
{
    struct err e;
    (void)err_os(&e, ERR_IO, EIO, "read");
    CHECK_INT(err_wrap(&e, "log of task %d", 7), ERR_IO);
    CHECK_INT(e.os_errno, EIO);
    CHECK_STR(e.msg, "log of task 7: read: Input/output error");
}

TEST(wrapping_for_ever_keeps_the_outermost_nouns)
{
    struct err e;
    err_set(&e, ERR_IO, "the cause");
    for (int i = 0; i < 100; i++)
        CHECK_INT(err_wrap(&e, "layer %d", i), ERR_IO);
    CHECK_INT(strlen(e.msg), sizeof(e.msg) - 1);
    CHECK(strncmp(e.msg, "layer 99: layer 98: ", 20) == 0);
}

TEST(a_long_message_is_cut_before_a_split_character)
{
    /* The euro sign has 3 bytes: where does one that starts at `lead` leave the cut at 255? */
    static const struct {
        size_t lead, cut;
    } want[] = {{252, 255}, {253, 253}, {254, 254}, {255, 255}};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        char text[400];
        size_t lead = want[i].lead;
        memset(text, 'a', lead);
        memcpy(text + lead, "\xe2\x82\xac\xe2\x82\xac", 7);
        struct err e;
        (void)err_set(&e, ERR_INVALID, "%s", text);
        CHECK_INT(strlen(e.msg), want[i].cut);
        CHECK(memcmp(e.msg, text, want[i].cut) == 0);
    }
}

TEST(a_long_message_that_is_not_utf8_fills_the_room)
{
    char text[400];
    memset(text, 0x80, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct err e;
    err_set(&e, ERR_INVALID, "%s", text);
    CHECK_INT(strlen(e.msg), 255);
}

TEST(clear_makes_it_say_that_nothing_happened)
{
    struct err e;
    (void)err_os(&e, ERR_IO, EIO, "read");
    err_clear(&e);
    CHECK_INT(e.code, ERR_NONE);
    CHECK_INT(e.os_errno, 0);
    CHECK_STR(e.msg, "");
}

TAP_MAIN
