/* lib/conf: every type, every source, every kind of bad value. */
#include "lib/conf.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"
#include "lib/banned.h"

struct opts {
    const char *listen;
    const char *token_file;
    int64_t slots;
    int64_t any;
    int64_t max_payload;
    int64_t free_bytes;
    int64_t grace_ms;
    int64_t wait_ms;
    bool follow;
    bool cache;
};

#define FIELD(member) offsetof(struct opts, member)
static const struct conf_opt table[] = {
    {"listen", CONF_STR, FIELD(listen), "127.0.0.1:8080", 0, 0, "ADDR", "where to listen"},
    {"token-file", CONF_STR, FIELD(token_file), NULL, 0, 0, "FILE", "where the token is"},
    {"slots", CONF_INT, FIELD(slots), "2", 1, 64, NULL, "tasks at a time"},
    {"any", CONF_INT, FIELD(any), NULL, 0, 0, NULL, "any number"},
    {"max-payload", CONF_BYTES, FIELD(max_payload), "1M", 1024, 1 << 30, NULL, "payload limit"},
    {"free-bytes", CONF_BYTES, FIELD(free_bytes), NULL, 0, 0, NULL, "any size"},
    {"grace", CONF_DURATION, FIELD(grace_ms), "10s", 100, 3600000, NULL, "before SIGKILL"},
    {"wait", CONF_DURATION, FIELD(wait_ms), NULL, 0, 0, NULL, "any duration"},
    {"follow", CONF_BOOL, FIELD(follow), NULL, 0, 0, NULL, "follow the log"},
    {"cache", CONF_BOOL, FIELD(cache), "true", 0, 0, NULL, "keep images"},
};

/* Nothing of the developer's own settings counts. */
__attribute__((constructor)) static void forget_environment(void)
{
    clearenv();
}

#define MAX_WORDS 8
struct run {
    int rc, rest;
    struct opts o;
    struct err e;
};

/* run: conf_load over `words`, which end at the first NULL. */
static struct run run(bool stop_at_word, const char *const words[MAX_WORDS])
{
    struct run r = {.rest = -1, .o = {.token_file = "kept", .any = 11, .wait_ms = 22}};
    char *argv[MAX_WORDS + 2] = {(char *)"prog"};
    int argc = 1;
    for (int i = 0; i < MAX_WORDS && words[i]; i++)
        argv[argc++] = (char *)words[i];
    r.rc = conf_load(table, ARRAY_LEN(table), argc, argv, stop_at_word, &r.o, &r.rest, &r.e);
    return r;
}
#define RUN(...)         run(false, (const char *const[MAX_WORDS]){__VA_ARGS__})
#define RUN_TO_WORD(...) run(true, (const char *const[MAX_WORDS]){__VA_ARGS__})

#define CHECK_LOADED(r)                                                                            \
    do {                                                                                           \
        if ((r).rc != 0)                                                                           \
            TAP_FAIL("refused: %s", (r).e.msg);                                                    \
    } while (0)

#define CHECK_REFUSED(r, text)                                                                     \
    do {                                                                                           \
        CHECK_INT((r).rc, ERR_USAGE);                                                              \
        CHECK_INT((r).e.code, ERR_USAGE);                                                          \
        CHECK_STR((r).e.msg, text);                                                                \
        CHECK_INT((r).rest, -1);                                                                   \
    } while (0)

TEST(defaults_fill_what_nobody_sets)
{
    struct run r = RUN(NULL);
    CHECK_LOADED(r);
    CHECK_STR(r.o.listen, "127.0.0.1:8080");
    CHECK_STR(r.o.token_file, "kept");
    CHECK_INT(r.o.slots, 2);
    CHECK_INT(r.o.any, 11);
    CHECK_INT(r.o.max_payload, 1 << 20);
    CHECK_INT(r.o.grace_ms, 10000);
    CHECK_INT(r.o.wait_ms, 22);
    CHECK(!r.o.follow && r.o.cache);
    CHECK_INT(r.rest, 1);
}

TEST(flags_take_their_value_after_a_blank_or_an_equals_sign)
{
    struct run r = RUN("--listen", "[::1]:0", "--slots=7", "--token-file=a=b", "--any", "-5");
    CHECK_LOADED(r);
    CHECK_STR(r.o.listen, "[::1]:0");
    CHECK_INT(r.o.slots, 7);
    CHECK_STR(r.o.token_file, "a=b");
    CHECK_INT(r.o.any, -5);
    CHECK_INT(r.rest, 7);
}

TEST(a_text_may_be_empty_or_begin_with_dashes_after_an_equals_sign)
{
    struct run r = RUN("--listen=", "--token-file=--odd");
    CHECK_LOADED(r);
    CHECK_STR(r.o.listen, "");
    CHECK_STR(r.o.token_file, "--odd");
}

TEST(a_repeated_flag_is_won_by_the_last)
{
    struct run r = RUN("--slots", "3", "--follow", "--slots=4", "--no-follow");
    CHECK_LOADED(r);
    CHECK_INT(r.o.slots, 4);
    CHECK(!r.o.follow);
}

TEST(switches_are_bare_negated_or_given_a_value)
{
    struct run r = RUN("--follow", "--no-cache");
    CHECK_LOADED(r);
    CHECK(r.o.follow && !r.o.cache);
    r = RUN("--follow=1", "--cache=false");
    CHECK_LOADED(r);
    CHECK(r.o.follow && !r.o.cache);
    r = RUN("--follow=true", "--cache=0");
    CHECK_LOADED(r);
    CHECK(r.o.follow && !r.o.cache);
}

TEST(sizes_and_durations_know_their_units)
{
    static const struct {
        const char *flag;
        int64_t want;
    } sizes[] = {{"--free-bytes=0", 0},
                 {"--free-bytes=77", 77},
                 {"--free-bytes=3K", 3072},
                 {"--free-bytes=3M", 3 << 20},
                 {"--free-bytes=8G", INT64_C(8) << 30},
                 {"--free-bytes=9223372036854775807", INT64_MAX}},
      times[] = {{"--wait=0", 0},         {"--wait=5", 5000},    {"--wait=5ms", 5},
                 {"--wait=5s", 5000},     {"--wait=5m", 300000}, {"--wait=5h", 18000000},
                 {"--wait=5d", 432000000}};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct run r = RUN(sizes[i].flag);
        CHECK_LOADED(r);
        CHECK_INT(r.o.free_bytes, sizes[i].want);
    }
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct run r = RUN(times[i].flag);
        CHECK_LOADED(r);
        CHECK_INT(r.o.wait_ms, times[i].want);
    }
}

TEST(the_limits_themselves_are_allowed)
{
    struct run r = RUN("--slots=1", "--max-payload=1K", "--grace=100ms");
    CHECK_LOADED(r);
    r = RUN("--slots=64", "--max-payload=1G", "--grace=1h");
    CHECK_LOADED(r);
    CHECK_INT(r.o.slots, 64);
    CHECK_INT(r.o.max_payload, 1 << 30);
    CHECK_INT(r.o.grace_ms, 3600000);
}

TEST(bad_values_are_named_with_flag_value_and_limit)
{
    static const char *const rows[][2] = {
        {"--slots=", "--slots must be a whole number from 1 to 64, not \"\""},
        {"--slots=0", "--slots must be a whole number from 1 to 64, not \"0\""},
        {"--slots=65", "--slots must be a whole number from 1 to 64, not \"65\""},
        {"--slots=-1", "--slots must be a whole number from 1 to 64, not \"-1\""},
        {"--slots=1K", "--slots must be a whole number from 1 to 64, not \"1K\""},
        {"--slots= 1", "--slots must be a whole number from 1 to 64, not \" 1\""},
        {"--any=x", "--any must be a whole number, not \"x\""},
        {"--any=-", "--any must be a whole number, not \"-\""},
        {"--any=9223372036854775808", "--any must be a whole number, not \"9223372036854775808\""},
        {"--any=0000000000000000000000000001",
         "--any must be a whole number, not \"0000000000000000000000000001\""},
        {"--max-payload=1023",
         "--max-payload must be a size from 1K to 1G (bytes, or with K, M or G), not \"1023\""},
        {"--max-payload=2G",
         "--max-payload must be a size from 1K to 1G (bytes, or with K, M or G), not \"2G\""},
        {"--free-bytes=-1", "--free-bytes must be a size (bytes, or with K, M or G), not \"-1\""},
        {"--free-bytes=1k", "--free-bytes must be a size (bytes, or with K, M or G), not \"1k\""},
        {"--free-bytes=1KB", "--free-bytes must be a size (bytes, or with K, M or G), not \"1KB\""},
        {"--free-bytes=K", "--free-bytes must be a size (bytes, or with K, M or G), not \"K\""},
        {"--free-bytes=1.5M",
         "--free-bytes must be a size (bytes, or with K, M or G), not \"1.5M\""},
        {"--free-bytes=8589934592G",
         "--free-bytes must be a size (bytes, or with K, M or G), not \"8589934592G\""},
        {"--grace=99ms", "--grace must be a duration from 100ms to 1h (seconds, or with ms, s, m, "
                         "h or d), not \"99ms\""},
        {"--grace=2h", "--grace must be a duration from 100ms to 1h (seconds, or with ms, s, m, h "
                       "or d), not \"2h\""},
        {"--wait=-1s",
         "--wait must be a duration (seconds, or with ms, s, m, h or d), not \"-1s\""},
        {"--wait=1w", "--wait must be a duration (seconds, or with ms, s, m, h or d), not \"1w\""},
        {"--wait=1h30m",
         "--wait must be a duration (seconds, or with ms, s, m, h or d), not \"1h30m\""},
        {"--follow=yes", "--follow must be 1, 0, true or false, not \"yes\""},
        {"--follow=", "--follow must be 1, 0, true or false, not \"\""},
        {"--no-follow=1", "--no-follow takes no value"},
        {"--no-slots", "unknown flag --no-slots"},
        {"--slot=1", "unknown flag --slot"},
        {"--slotsx", "unknown flag --slotsx"},
        {"--Slots=1", "unknown flag --Slots"},
        {"--token=secret", "unknown flag --token"},
        {"--=1", "unknown flag --"},
        {"-s", "unknown flag -s"},
        {"-slots=1", "unknown flag -slots"},
        {"--slots", "--slots needs a value (one that begins with --: --slots=VALUE)"},
        {"word", "unexpected argument \"word\""},
        {"", "unexpected argument \"\""},
        {"-", "unexpected argument \"-\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run r = RUN(rows[i][0]);
        CHECK_REFUSED(r, rows[i][1]);
    }
}

TEST(a_flag_is_not_taken_for_a_forgotten_value)
{
    struct run r = RUN("--listen", "--slots=3");
    CHECK_REFUSED(r, "--listen needs a value (one that begins with --: --listen=VALUE)");
}

TEST(variables_set_options_and_flags_beat_them)
{
    setenv("WROUGHT_LISTEN", "env:1", 1);
    setenv("WROUGHT_TOKEN_FILE", "/run/token", 1);
    setenv("WROUGHT_MAX_PAYLOAD", "2M", 1);
    setenv("WROUGHT_FOLLOW", "true", 1);
    setenv("WROUGHT_CACHE", "0", 1);
    setenv("WROUGHT_SLOTS", "5", 1);
    struct run r = RUN("--slots=6");
    CHECK_LOADED(r);
    CHECK_STR(r.o.listen, "env:1");
    CHECK_STR(r.o.token_file, "/run/token");
    CHECK_INT(r.o.max_payload, 2 << 20);
    CHECK(r.o.follow && !r.o.cache);
    CHECK_INT(r.o.slots, 6);
}

TEST(a_bad_variable_is_named)
{
    static const char *const rows[][3] = {
        {"WROUGHT_SLOTS", "many",
         "WROUGHT_SLOTS must be a whole number from 1 to 64, not \"many\""},
        {"WROUGHT_MAX_PAYLOAD", "",
         "WROUGHT_MAX_PAYLOAD must be a size from 1K to 1G (bytes, or with K, M or G), not \"\""},
        {"WROUGHT_FOLLOW", "yes", "WROUGHT_FOLLOW must be 1, 0, true or false, not \"yes\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        setenv(rows[i][0], rows[i][1], 1);
        struct run r = RUN("--slots=1", "--max-payload=1K", "--follow");
        CHECK_REFUSED(r, rows[i][2]);
        unsetenv(rows[i][0]);
    }
}

TEST(a_variable_in_another_spelling_is_refused)
{
    static const char *const names[] = {"wrought_slots", "WROUGHT_slots", "Wrought_Slots",
                                        "WROUGHT-SLOTS"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        setenv(names[i], "3", 1);
        struct run r = RUN(NULL);
        autofree char *want = NULL;
        CHECK(asprintf(&want, "the variable %s would be ignored: write WROUGHT_SLOTS", names[i]) >
              0);
        CHECK_REFUSED(r, want);
        unsetenv(names[i]);
    }
    setenv("WROUGHT_TOKEN-FILE", "x", 1);
    struct run r = RUN(NULL);
    CHECK_REFUSED(r, "the variable WROUGHT_TOKEN-FILE would be ignored: write WROUGHT_TOKEN_FILE");
}

TEST(variables_of_other_programs_are_left_alone)
{
    setenv("WROUGHT_SLOT", "3", 1);
    setenv("WROUGHT_SLOTS_MAX", "3", 1);
    setenv("WROUGHT_NO_CACHE", "1", 1);
    setenv("WROUGHT_", "1", 1);
    setenv("SLOTS", "3", 1);
    struct run r = RUN(NULL);
    CHECK_LOADED(r);
    CHECK_INT(r.o.slots, 2);
    CHECK(r.o.cache);
}

TEST(an_environment_may_be_missing_or_broken)
{
    static char bare[] = "WROUGHT_SLOTS", *broken[] = {bare, NULL};
    environ = broken; /* without "=": not a variable */
    struct run r = RUN(NULL);
    CHECK_LOADED(r);
    CHECK_INT(r.o.slots, 2);
    environ = NULL;
    r = RUN(NULL);
    CHECK_LOADED(r);
}

TEST(the_rest_begins_at_a_word_or_behind_two_dashes)
{
    struct run r = RUN_TO_WORD("--slots", "3", "queue", "--slots=4");
    CHECK_LOADED(r);
    CHECK_INT(r.rest, 3);
    CHECK_INT(r.o.slots, 3);
    r = RUN_TO_WORD("--follow", "-", "x");
    CHECK_LOADED(r);
    CHECK_INT(r.rest, 2);
    r = RUN("--slots", "3", "--", "--bad", "word");
    CHECK_LOADED(r);
    CHECK_INT(r.rest, 4);
    r = RUN_TO_WORD("--", "queue");
    CHECK_LOADED(r);
    CHECK_INT(r.rest, 2);
    r = RUN_TO_WORD("--bad", "queue");
    CHECK_REFUSED(r, "unknown flag --bad");
}

TEST(help_and_version_are_left_to_the_caller)
{
    struct run r = RUN("--slots=3", "--help", "--nonsense");
    CHECK_INT(r.rc, ERR_EMPTY);
    CHECK_STR(r.e.msg, "help");
    r = RUN_TO_WORD("--version");
    CHECK_INT(r.rc, ERR_EMPTY);
    CHECK_STR(r.e.msg, "version");
    r = RUN_TO_WORD("queue", "--help");
    CHECK_LOADED(r);
    CHECK_INT(r.rest, 1);
}

TEST(a_default_that_cannot_be_used_is_reported)
{
    static const struct conf_opt bad[] = {
        {"slots", CONF_INT, 0, "0", 1, 64, NULL, "tasks at a time"}};
    int64_t slots = 0;
    int rest = -1;
    char *argv[] = {(char *)"prog", NULL};
    struct err e;
    CHECK_INT(conf_load(bad, 1, 1, argv, false, &slots, &rest, &e), ERR_USAGE);
    CHECK_STR(e.msg, "--slots: its default must be a whole number from 1 to 64, not \"0\"");
}

TEST(no_arguments_at_all_are_fine)
{
    struct opts o = {0};
    int rest = -1;
    char *argv[] = {NULL};
    struct err e;
    CHECK_OK(conf_load(table, ARRAY_LEN(table), 0, argv, false, &o, &rest, &e), &e);
    CHECK_INT(rest, 0);
    CHECK_INT(o.slots, 2);
}

TEST(help_has_a_line_for_each_option)
{
    AUTO(buf) struct buf out = BUF_INIT(4096);
    conf_help(table, ARRAY_LEN(table), &out);
    CHECK_STR(buf_str(&out),
              "  --listen ADDR        where to listen (default 127.0.0.1:8080; WROUGHT_LISTEN)\n"
              "  --token-file FILE    where the token is (WROUGHT_TOKEN_FILE)\n"
              "  --slots N            tasks at a time (default 2; WROUGHT_SLOTS)\n"
              "  --any N              any number (WROUGHT_ANY)\n"
              "  --max-payload BYTES  payload limit (default 1M; WROUGHT_MAX_PAYLOAD)\n"
              "  --free-bytes BYTES   any size (WROUGHT_FREE_BYTES)\n"
              "  --grace TIME         before SIGKILL (default 10s; WROUGHT_GRACE)\n"
              "  --wait TIME          any duration (WROUGHT_WAIT)\n"
              "  --[no-]follow        follow the log (WROUGHT_FOLLOW)\n"
              "  --[no-]cache         keep images (default true; WROUGHT_CACHE)\n");
}

TEST(an_empty_default_is_shown_as_such)
{
    static const struct conf_opt one[] = {{"name", CONF_STR, 0, "", 0, 0, NULL, "a name"}};
    AUTO(buf) struct buf out = BUF_INIT(4096);
    conf_help(one, 1, &out);
    CHECK_STR(buf_str(&out), "  --name TEXT  a name (default \"\"; WROUGHT_NAME)\n");
}

TEST(args_alone_ignore_the_environment)
{
    setenv("WROUGHT_SLOTS", "7", 1);
    struct opts o = {0};
    struct err e = {0};
    char *argv[] = {(char *)"--wait", (char *)"3", NULL};
    CHECK_OK(conf_args(table, ARRAY_LEN(table), argv, &o, &e), &e);
    CHECK_INT(o.slots, 2);
    CHECK_INT(o.wait_ms, 3000);
}

TEST(args_alone_refuse_a_word)
{
    struct opts o = {0};
    struct err e = {0};
    char *argv[] = {(char *)"word", NULL};
    CHECK_INT(conf_args(table, ARRAY_LEN(table), argv, &o, &e), ERR_USAGE);
}

TAP_MAIN
