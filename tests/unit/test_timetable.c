/* Due times: the grid of an interval, local readings over clock changes, jitter, and what has come
 * due after a long absence. */
#include "server/timetable.h"

#include <string.h>

#include "lib/clock.h"
#include "tests/unit/tap.h"
#include "lib/banned.h"

#define S 1000000LL

static struct err e;

static int64_t at(const char *text)
{
    int64_t us;
    CHECK_OK(clock_parse(text, &us, &e), &e);
    return us;
}

static struct zone *zones[4]; /* of the test's tables; live as long as the test */
static size_t n_zones;

static void close_zones(void)
{
    while (n_zones)
        zone_close(zones[--n_zones]);
}

static struct timetable table(struct schedule_spec spec)
{
    struct timetable t;
    struct zone *zone = NULL;
    static char none[] = "";
    if (!spec.cron)
        spec.cron = none;
    if (spec.zone) {
        CHECK_OK(zone_open(spec.zone, &zone, &e), &e);
        CHECK(n_zones < 4 && (n_zones > 0 || atexit(close_zones) == 0));
        zones[n_zones++] = zone;
    }
    CHECK_OK(timetable_init(&t, &spec, zone, 7, &e), &e);
    return t;
}

/* follow: the due times after `after` are exactly those of the list. */
static void follow(const struct timetable *t, const char *after, const char *const *want)
{
    int64_t us = at(after);
    for (; *want; want++) {
        char got[CLOCK_TEXT];
        CHECK_OK(timetable_next(t, us, &us, &e), &e);
        CHECK_STR(clock_format(us, got), *want);
    }
}

TEST(an_interval_keeps_to_its_grid)
{
    struct timetable t = table((struct schedule_spec){.start_us = at("2026-01-01T00:00:30Z"),
                                                      .every_s = 3600,
                                                      .end_us = at("2026-01-01T02:00:30Z")});
    follow(&t, "2025-12-31T00:00:00Z",
           (const char *[]){"2026-01-01T00:00:30Z", "2026-01-01T01:00:30Z", "2026-01-01T02:00:30Z",
                            NULL});
    int64_t due;
    CHECK_INT(timetable_next(&t, at("2026-01-01T02:00:30Z"), &due, &e), ERR_EMPTY);
}

TEST(a_start_that_has_passed)
{
    int64_t now = at("2026-06-01T10:20:00.5Z"), due;
    struct schedule_spec spec = {.start_us = at("2015-01-01T00:00:00Z"), .every_s = 3600};
    struct timetable t = table(spec);
    CHECK_OK(timetable_first(&t, now, &due, &e), &e);
    CHECK_INT(due, at("2026-06-01T11:00:00Z"));
    CHECK_OK(timetable_first(&t, at("2026-06-01T11:00:00Z"), &due, &e), &e);
    CHECK_INT(due, at("2026-06-01T11:00:00Z"));
    spec.every_s = 0; /* once: late, but it runs */
    t = table(spec);
    CHECK_OK(timetable_first(&t, now, &due, &e), &e);
    CHECK_INT(due, now);
    CHECK_INT(timetable_next(&t, due, &due, &e), ERR_EMPTY);
}

TEST(an_expression_begins_with_its_start)
{
    struct timetable t = table((struct schedule_spec){.start_us = at("2026-01-01T12:00:00Z"),
                                                      .cron = (char[]){"0 * * * *"},
                                                      .zone = (char[]){"UTC"}});
    follow(&t, "2025-01-01T00:00:00Z",
           (const char *[]){"2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z", NULL});
}

TEST(a_time_in_the_missing_hour_fires_once_at_its_end)
{
    struct timetable t = table(
        (struct schedule_spec){.cron = (char[]){"30 2 * * *"}, .zone = (char[]){"Europe/Berlin"}});
    follow(&t, "2026-03-27T12:00:00Z",
           (const char *[]){"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z",
                            NULL});
}

TEST(a_time_in_the_repeated_hour_fires_once_in_the_first_pass)
{
    struct timetable t = table(
        (struct schedule_spec){.cron = (char[]){"30 2 * * *"}, .zone = (char[]){"Europe/Berlin"}});
    follow(&t, "2026-10-24T12:00:00Z",
           (const char *[]){"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", NULL});
}

TEST(an_expression_of_every_half_hour_follows_real_time)
{
    struct timetable t = table((struct schedule_spec){.cron = (char[]){"*/30 * * * *"},
                                                      .zone = (char[]){"Europe/Berlin"}});
    follow(&t, "2026-10-25T00:00:00Z",
           (const char *[]){"2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
                            "2026-10-25T02:00:00Z", NULL});
}

TEST(jitter_is_bounded_and_the_same_for_each_due_time)
{
    struct timetable t =
        table((struct schedule_spec){.start_us = S, .every_s = 60, .jitter_s = 30});
    int64_t least = INT64_MAX, most = 0;
    for (int64_t due = S; due < 1000 * 60 * S; due += 60 * S) {
        int64_t late = timetable_fire_us(&t, due) - due;
        CHECK(late >= 0 && late <= 30 * S);
        CHECK_INT(timetable_fire_us(&t, due) - due, late);
        least = late < least ? late : least;
        most = late > most ? late : most;
    }
    CHECK(least < S && most > 29 * S); /* and spread over all of it */
}

#define MAX 100

static size_t recent(const struct timetable *t, const char *due, const char *now, int64_t dues[MAX],
                     bool *more)
{
    return timetable_recent(t, at(due), at(now), MAX, dues, more);
}

TEST(all_that_came_due_in_a_short_absence)
{
    struct timetable t = table((struct schedule_spec){.every_s = 60});
    int64_t dues[MAX];
    bool more;
    CHECK_INT(recent(&t, "2026-01-01T00:00:00Z", "2026-01-01T00:10:59Z", dues, &more), 11);
    CHECK(!more);
    CHECK_INT(dues[0], at("2026-01-01T00:00:00Z"));
    CHECK_INT(dues[10], at("2026-01-01T00:10:00Z"));
}

TEST(the_latest_that_came_due_in_a_long_absence)
{
    int64_t dues[MAX];
    bool more;
    struct timetable minutes = table((struct schedule_spec){.every_s = 60});
    CHECK_INT(recent(&minutes, "2026-01-01T00:00:00Z", "2026-01-01T02:30:00Z", dues, &more), MAX);
    CHECK(more);
    for (int i = 0; i < MAX; i++)
        CHECK_INT(dues[MAX - 1 - i], at("2026-01-01T02:30:00Z") - i * 60 * S);
    /* ten years of seconds: 315 million, which nobody may count one by one */
    struct timetable seconds =
        table((struct schedule_spec){.cron = (char[]){"* * * * * *"}, .zone = (char[]){"UTC"}});
    CHECK_INT(recent(&seconds, "2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z", dues, &more), MAX);
    CHECK(more);
    CHECK_INT(dues[0], at("2036-01-01T00:00:00Z") - (MAX - 1) * S);
    CHECK_INT(dues[MAX - 1], at("2036-01-01T00:00:00Z"));
    /* and where there are few, none is left out */
    struct timetable years =
        table((struct schedule_spec){.cron = (char[]){"0 0 29 2 *"}, .zone = (char[]){"UTC"}});
    CHECK_INT(recent(&years, "2028-02-29T00:00:00Z", "2040-01-01T00:00:00Z", dues, &more), 3);
    CHECK(!more);
}

TEST(jitter_holds_back_what_is_due)
{
    struct timetable t = table((struct schedule_spec){.every_s = 60, .jitter_s = 60});
    int64_t due = at("2026-01-01T00:00:00Z"), fire = timetable_fire_us(&t, due), dues[MAX];
    bool more;
    CHECK(fire > due);
    CHECK_INT(timetable_recent(&t, due, fire - 1, MAX, dues, &more), 0);
    CHECK_INT(timetable_recent(&t, due, fire, MAX, dues, &more), 1);
}

TAP_MAIN
