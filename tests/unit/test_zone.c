#include "lib/civil.h"
#include "lib/zone.h"
#include "lib/zone_rule.h"
#include "tests/unit/tap.h"

static struct zone *open_zone(const char *name)
{
    struct err e = {0};
    struct zone *z = NULL;
    CHECK_OK(zone_open(name, &z, &e), &e);
    return z;
}

static int64_t utc(int64_t year, int month, int day, int hour, int minute)
{
    return civil_seconds(&(struct civil){year, month, day, hour, minute, 0});
}

TEST(utc_is_one_segment_for_ever)
{
    autozone struct zone *z = open_zone("UTC");
    struct zone_segment s = zone_segment_at(z, 0);
    CHECK_INT(s.offset_s, 0);
    CHECK_INT(s.start_s, INT64_MIN);
    CHECK_INT(s.end_s, INT64_MAX);
}

TEST(berlin_changes_at_one_in_the_morning_utc)
{
    autozone struct zone *z = open_zone("Europe/Berlin");
    struct zone_segment s = zone_segment_at(z, utc(2024, 7, 1, 0, 0));
    CHECK_INT(s.offset_s, 7200);
    CHECK_INT(s.before_offset_s, 3600);
    CHECK_INT(s.start_s, utc(2024, 3, 31, 1, 0));
    CHECK_INT(s.end_s, utc(2024, 10, 27, 1, 0));
    CHECK_INT(zone_segment_at(z, s.end_s).offset_s, 3600);
    CHECK_INT(zone_segment_at(z, s.end_s - 1).offset_s, 7200);
}

TEST(the_footer_rule_reaches_far_beyond_the_file)
{
    autozone struct zone *z = open_zone("America/New_York");
    struct zone_segment s = zone_segment_at(z, utc(2300, 7, 4, 0, 0));
    CHECK_INT(s.offset_s, -4 * 3600);
    CHECK_INT(s.start_s, utc(2300, 3, 11, 7, 0)); /* the second Sunday of March 2300 */
    CHECK_INT(s.end_s, utc(2300, 11, 4, 6, 0));
}

TEST(the_southern_hemisphere_has_its_summer_over_new_year)
{
    autozone struct zone *z = open_zone("Australia/Sydney");
    CHECK_INT(zone_segment_at(z, utc(2090, 1, 1, 0, 0)).offset_s, 11 * 3600);
    CHECK_INT(zone_segment_at(z, utc(2090, 7, 1, 0, 0)).offset_s, 10 * 3600);
}

TEST(a_half_hour_change_is_kept)
{
    autozone struct zone *z = open_zone("Australia/Lord_Howe");
    CHECK_INT(zone_segment_at(z, utc(2024, 1, 1, 0, 0)).offset_s, 11 * 3600);
    CHECK_INT(zone_segment_at(z, utc(2024, 7, 1, 0, 0)).offset_s, 10 * 3600 + 1800);
}

TEST(segments_follow_each_other_without_gap)
{
    static const char *const names[] = {"Europe/Dublin", "Africa/Casablanca", "Asia/Tehran",
                                        "America/St_Johns", "Pacific/Apia"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        autozone struct zone *z = open_zone(names[i]);
        int64_t at = utc(1950, 1, 1, 0, 0);
        for (int n = 0; at < utc(2150, 1, 1, 0, 0); n++) {
            struct zone_segment s = zone_segment_at(z, at);
            CHECK(n == 0 || s.start_s == at);
            CHECK(s.end_s > at);
            if (s.end_s == INT64_MAX)
                break;
            CHECK_INT(zone_segment_at(z, s.end_s).before_offset_s, s.offset_s);
            at = s.end_s;
        }
    }
}

TEST(names_that_are_no_zone_are_refused)
{
    static const char *const names[] = {"",       "Mars/Olympus", "../../etc/passwd", "/etc/passwd",
                                        "Europe", "Europe/",      "Europe//Berlin",   "a b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct err e = {0};
        struct zone *z = NULL;
        CHECK_INT(zone_open(names[i], &z, &e), ERR_INVALID);
    }
}

TEST(rules_of_every_form_are_parsed)
{
    struct zone_rule r;
    CHECK(zone_rule_parse("UTC0", &r) && !r.has_dst && r.std_offset_s == 0);
    CHECK(zone_rule_parse("<+0330>-3:30", &r) && r.std_offset_s == 12600);
    CHECK(zone_rule_parse("EST5EDT,M3.2.0,M11.1.0", &r) && r.dst_offset_s == -4 * 3600);
    CHECK(zone_rule_parse("IST-2IDT,M3.4.4/26,M10.5.0", &r) && r.dst_start.time_s == 26 * 3600);
    CHECK(zone_rule_parse("XXX3YYY2,J60/-1,300", &r) && r.dst_start.day == 60);
    CHECK(!zone_rule_parse("EST5EDT", &r));
    CHECK(!zone_rule_parse("EST5EDT,M13.1.0,M11.1.0", &r));
    CHECK(!zone_rule_parse("E5", &r));
    CHECK(!zone_rule_parse("", &r));
}

TAP_MAIN
