#include "lib/civil.h"
#include "tests/unit/tap.h"

TEST(day_numbers_and_dates_are_inverse_over_a_thousand_years)
{
    int64_t day = civil_days(1600, 1, 1);
    for (int64_t year = 1600; year < 2600; year++)
        for (int month = 1; month <= 12; month++)
            for (int d = 1; d <= civil_month_days(year, month); d++, day++) {
                CHECK_INT(civil_days(year, month, d), day);
                int64_t y;
                int m, dd;
                civil_from_days(day, &y, &m, &dd);
                CHECK(y == year && m == month && dd == d);
            }
}

TEST(the_epoch_was_a_thursday)
{
    CHECK_INT(civil_days(1970, 1, 1), 0);
    CHECK_INT(civil_weekday(0), 4);
    CHECK_INT(civil_weekday(-1), 3);
    CHECK_INT(civil_weekday(civil_days(2024, 2, 29)), 4);
}

TEST(seconds_before_the_epoch_round_towards_the_past)
{
    struct civil c = civil_from_seconds(-1);
    CHECK(c.year == 1969 && c.month == 12 && c.day == 31);
    CHECK(c.hour == 23 && c.minute == 59 && c.second == 59);
    CHECK_INT(civil_seconds(&c), -1);
}

TEST(february_has_29_days_in_2000_and_28_in_1900)
{
    CHECK_INT(civil_month_days(2000, 2), 29);
    CHECK_INT(civil_month_days(1900, 2), 28);
    CHECK_INT(civil_month_days(2023, 2), 28);
    CHECK_INT(civil_month_days(2024, 2), 29);
}

TAP_MAIN
