#include "lib/civil.h"
#include "lib/clock.h"
#include "lib/cron.h"
#include "tests/unit/tap.h"

static struct cron parse(const char *line)
{
    struct err e = {0};
    struct cron c;
    CHECK_OK(cron_parse(line, &c, &e), &e);
    return c;
}

/* The firing after `after` (RFC 3339), as text. */
static const char *next(const char *line, const char *zone, const char *after)
{
    static char text[CLOCK_TEXT];
    struct err e = {0};
    struct cron c = parse(line);
    autozone struct zone *z = NULL;
    int64_t after_us, s;
    CHECK_OK(zone_open(zone, &z, &e), &e);
    CHECK_OK(clock_parse(after, &after_us, &e), &e);
    CHECK_OK(cron_next(&c, z, after_us / 1000000, &s, &e), &e);
    return clock_format(s * 1000000, text);
}

static const char *refusal(const char *line)
{
    static struct err e;
    struct cron c;
    CHECK_INT(cron_parse(line, &c, &e), ERR_INVALID);
    return e.msg;
}

TEST(every_fifteen_minutes)
{
    CHECK_STR(next("*/15 * * * *", "UTC", "2024-01-01T00:00:00Z"), "2024-01-01T00:15:00Z");
    CHECK_STR(next("*/15 * * * *", "UTC", "2024-01-01T23:59:59Z"), "2024-01-02T00:00:00Z");
}

TEST(six_fields_begin_with_seconds)
{
    CHECK_STR(next("*/10 * * * * *", "UTC", "2024-01-01T00:00:09Z"), "2024-01-01T00:00:10Z");
    CHECK_STR(next("59 59 23 31 12 *", "UTC", "2024-12-31T23:59:59Z"), "2025-12-31T23:59:59Z");
}

TEST(names_ranges_and_sunday_as_seven)
{
    CHECK_STR(next("0 9 * jan mon-fri", "UTC", "2024-01-05T09:00:00Z"), "2024-01-08T09:00:00Z");
    CHECK_STR(next("0 0 * * 7", "UTC", "2024-01-01T00:00:00Z"), "2024-01-07T00:00:00Z");
    CHECK_STR(next("0 0 ? * 5-7", "UTC", "2024-01-01T00:00:00Z"), "2024-01-05T00:00:00Z");
}

TEST(two_restricted_day_fields_mean_either)
{
    CHECK_STR(next("0 0 13 * fri", "UTC", "2024-09-07T00:00:00Z"), "2024-09-13T00:00:00Z");
    CHECK_STR(next("0 0 13 * fri", "UTC", "2024-09-13T00:00:00Z"), "2024-09-20T00:00:00Z");
}

TEST(nicknames_stand_for_their_lines)
{
    CHECK_STR(next("@hourly", "UTC", "2024-01-01T00:00:00Z"), "2024-01-01T01:00:00Z");
    CHECK_STR(next("@Weekly", "UTC", "2024-01-01T00:00:00Z"), "2024-01-07T00:00:00Z");
}

TEST(leap_day_comes_every_four_years)
{
    CHECK_STR(next("0 0 29 2 *", "UTC", "2024-02-29T00:00:00Z"), "2028-02-29T00:00:00Z");
}

TEST(a_time_in_the_missing_hour_fires_once_right_after_it)
{
    const char *line = "30 2 * * *"; /* 02:30 does not exist in Berlin on 31 March 2024 */
    CHECK_STR(next(line, "Europe/Berlin", "2024-03-30T12:00:00Z"), "2024-03-31T01:00:00Z");
    CHECK_STR(next(line, "Europe/Berlin", "2024-03-31T01:00:00Z"), "2024-04-01T00:30:00Z");
}

TEST(a_time_in_the_repeated_hour_fires_in_the_first_pass_only)
{
    const char *line = "30 2 * * *"; /* 02:30 comes twice in Berlin on 27 October 2024 */
    CHECK_STR(next(line, "Europe/Berlin", "2024-10-26T12:00:00Z"), "2024-10-27T00:30:00Z");
    CHECK_STR(next(line, "Europe/Berlin", "2024-10-27T00:30:00Z"), "2024-10-28T01:30:00Z");
}

TEST(an_expression_with_a_star_follows_real_time)
{
    CHECK_STR(next("0 * * * *", "Europe/Berlin", "2024-10-27T00:00:00Z"), "2024-10-27T01:00:00Z");
    CHECK_STR(next("*/30 2 * * *", "Europe/Berlin", "2024-10-27T00:30:00Z"),
              "2024-10-27T01:00:00Z");
    CHECK_STR(next("*/30 2 * * *", "Europe/Berlin", "2024-03-31T00:30:00Z"),
              "2024-04-01T00:00:00Z");
}

TEST(a_refusal_points_at_the_field)
{
    CHECK_HAS(refusal("61 * * * *"), "minute field \"61\": out of range (0-59");
    CHECK_HAS(refusal("* 24 * * *"), "hour field");
    CHECK_HAS(refusal("* * 0 * *"), "day-of-month field");
    CHECK_HAS(refusal("* * * 13 *"), "month field");
    CHECK_HAS(refusal("* * * * 8"), "day-of-week field");
    CHECK_HAS(refusal("5-1 * * * *"), "backwards");
    CHECK_HAS(refusal("*/0 * * * *"), "step");
    CHECK_HAS(refusal("1, * * * *"), "a value is expected");
    CHECK_HAS(refusal("1x * * * *"), "left over");
    CHECK_HAS(refusal("? * * * *"), "minute field");
    CHECK_HAS(refusal("* * * *"), "has 4 fields");
    CHECK_HAS(refusal("* * * * * * *"), "more than 6 fields");
    CHECK_HAS(refusal("@reboot"), "nickname");
    CHECK_HAS(refusal(""), "has 0 fields");
}

TEST(a_day_that_never_comes_is_refused)
{
    CHECK_HAS(refusal("0 0 30 2 *"), "never fires");
    CHECK_HAS(refusal("0 0 31 4,6,9,11 *"), "never fires");
    (void)parse("0 0 30 2 mon"); /* the weekday alone lets it fire */
}

TAP_MAIN
