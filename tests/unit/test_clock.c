/* lib/clock: RFC 3339 both ways, over the whole range. */
#include "lib/clock.h"

#include <time.h>

#include "lib/cleanup.h"
#include "tests/unit/tap.h"
#include "lib/banned.h"

#define S INT64_C(1000000)

TEST(times_are_written_with_three_digits_or_none)
{
    static const struct {
        int64_t us;
        const char *want;
    } rows[] = {
        {1465408329689000, "2016-06-08T17:52:09.689Z"},
        {1465408329000000, "2016-06-08T17:52:09Z"},
        {1465408329000999, "2016-06-08T17:52:09Z"},
        {1465408329001000, "2016-06-08T17:52:09.001Z"},
        {1, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782400 * S, "2000-02-29T00:00:00Z"},
        {4107542399 * S, "2100-02-28T23:59:59Z"},
        {4107542400 * S, "2100-03-01T00:00:00Z"},
        {253402300799 * S + 999999, "9999-12-31T23:59:59.999Z"},
        {-62135596800 * S + 1000, "0001-01-01T00:00:00.001Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[CLOCK_TEXT];
        CHECK_STR(clock_format(rows[i].us, out), rows[i].want);
    }
}

TEST(zero_is_the_unset_time)
{
    char out[CLOCK_TEXT];
    int64_t us = 5;
    struct err e;
    CHECK_STR(clock_format(0, out), "0001-01-01T00:00:00Z");
    CHECK_OK(clock_parse(out, &us, &e), &e);
    CHECK_INT(us, 0);
}

TEST(years_beyond_four_digits_stop_at_the_ends)
{
    char out[CLOCK_TEXT];
    CHECK_STR(clock_format(INT64_MAX, out), "9999-12-31T23:59:59Z");
    CHECK_STR(clock_format(253402300800 * S, out), "9999-12-31T23:59:59Z");
    CHECK_STR(clock_format(INT64_MIN, out), "0001-01-01T00:00:00Z");
}

TEST(the_calendar_agrees_with_the_c_library_on_every_day)
{
    char out[CLOCK_TEXT], want[CLOCK_TEXT];
    struct err e;
    for (int64_t day = -719162; day < 2932897; day++) { /* 0001-01-01 … 9999-12-31 */
        time_t t = (time_t)(day * 86400 + (day & 0xffff));
        struct tm tm;
        if (t == 0)
            continue;
        gmtime_r(&t, &tm);
        strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
        if (tm.tm_year < -900) /* %Y does not pad */
            continue;
        CHECK_STR(clock_format(t * S, out), want);
        int64_t back = 0;
        CHECK_OK(clock_parse(out, &back, &e), &e);
        CHECK_INT(back, t * S);
    }
}

TEST(zones_and_fractions_are_read)
{
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {
        {"2016-06-08T17:52:09Z", 1465408329000000},
        {"2016-06-08t17:52:09z", 1465408329000000},
        {"2016-06-08T17:52:09+00:00", 1465408329000000},
        {"2016-06-08T17:52:09-00:00", 1465408329000000},
        {"2016-06-08T19:52:09+02:00", 1465408329000000},
        {"2016-06-08T12:22:09-05:30", 1465408329000000},
        {"2016-06-08T17:52:09.6Z", 1465408329600000},
        {"2016-06-08T17:52:09.689Z", 1465408329689000},
        {"2016-06-08T17:52:09.689123999Z", 1465408329689123},
        {"2016-06-08T17:52:60Z", 1465408380000000},
        {"2000-02-29T00:00:00Z", 951782400000000},
        {"1970-01-01T00:00:00.000001Z", 1},
        {"1969-12-31T23:59:59Z", -1000000},
        {"0001-01-01T00:00:00.5Z", -62135596800 * S + 500000},
        {"0001-01-01T02:00:00+02:00", 0},
        {"0000-01-01T00:00:00+23:59", -62167219200 * S - 86340 * S},
        {"9999-12-31T23:59:59.999999999-23:59", 253402300799 * S + 86340 * S + 999999},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e;
        int64_t us = 0;
        CHECK_OK(clock_parse(rows[i].text, &us, &e), &e);
        CHECK_INT(us, rows[i].want);
    }
}

TEST(what_is_no_time_is_refused_with_the_reason)
{
    static const char *const rows[][2] = {
        {"", "wrong date"},
        {"now", "wrong date"},
        {"2016-13-01T00:00:00Z", "wrong date"},
        {"2016-00-01T00:00:00Z", "wrong date"},
        {"2015-02-29T00:00:00Z", "wrong date"},
        {"1900-02-29T00:00:00Z", "wrong date"},
        {"2016-04-31T00:00:00Z", "wrong date"},
        {"2016-06-8T00:00:00Z", "wrong date"},
        {"+016-06-08T00:00:00Z", "wrong date"},
        {"2016-06-08", "no T"},
        {"2016-06-08 17:52:09Z", "no T"},
        {"2016-06-08T24:00:00Z", "time of day"},
        {"2016-06-08T17:60:09Z", "time of day"},
        {"2016-06-08T17:52:61Z", "time of day"},
        {"2016-06-08T17:52", "time of day"},
        {"2016-06-08T17:52:09.Z", "fraction"},
        {"2016-06-08T17:52:09.1234567890Z", "fraction"},
        {"2016-06-08T17:52:09", "zone"},
        {"2016-06-08T17:52:09+0200", "zone"},
        {"2016-06-08T17:52:09+24:00", "zone"},
        {"2016-06-08T17:52:09+02:60", "zone"},
        {"2016-06-08T17:52:09Zulu", "after the zone"},
        {"2016-06-08T17:52:09+02:00 ", "after the zone"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e;
        int64_t us = 77;
        CHECK_INT(clock_parse(rows[i][0], &us, &e), ERR_INVALID);
        CHECK_HAS(e.msg, rows[i][1]);
        CHECK_HAS(e.msg, rows[i][0]);
        CHECK_INT(us, 77);
    }
}

TEST(every_prefix_of_a_time_is_refused)
{
    static const char whole[] = "2016-06-08T17:52:09.689+02:00";
    for (size_t len = 0; len < strlen(whole); len++) {
        char *text = strndup(whole, len); /* on the heap, so that a read beyond it is seen */
        struct err e;
        int64_t us;
        CHECK_INT(clock_parse(text, &us, &e), ERR_INVALID);
        free(text);
    }
}

TEST(the_clocks_run_in_their_units)
{
    struct timespec before, after;
    clock_gettime(CLOCK_REALTIME, &before);
    int64_t now = clock_now_us();
    clock_gettime(CLOCK_REALTIME, &after);
    CHECK(now >= before.tv_sec * S + before.tv_nsec / 1000);
    CHECK(now <= after.tv_sec * S + after.tv_nsec / 1000);
    clock_gettime(CLOCK_MONOTONIC, &before);
    int64_t mono = clock_mono_ms();
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK(mono >= before.tv_sec * 1000 + before.tv_nsec / 1000000);
    CHECK(mono <= after.tv_sec * 1000 + after.tv_nsec / 1000000);
}

TAP_MAIN
