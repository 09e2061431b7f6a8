/* Calendar arithmetic of our own: the C library's needs the environment's time zone for one
 * direction and is several times slower. Both conversions count in years that begin in March, so
 * that the leap day comes last (https://howardhinnant.github.io/date_algorithms.html,
 * days_from_civil and civil_from_days). */
#include "lib/civil.h"

#include <stdbool.h>

#include "lib/banned.h"

#define S_PER_DAY     INT64_C(86400)
#define DAYS_PER_ERA  INT64_C(146097) /* 400 years, after which the calendar repeats */
#define DAYS_TO_EPOCH INT64_C(719468) /* 0000-03-01 to 1970-01-01 */

int64_t civil_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t civil_floor_mod(int64_t a, int64_t b)
{
    return a % b + (a % b < 0 ? b : 0);
}

int64_t civil_days(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = civil_floor_div(year, 400);
    int64_t year_of_era = civil_floor_mod(year, 400);
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += DAYS_TO_EPOCH;
    int64_t era = civil_floor_div(days, DAYS_PER_ERA);
    int64_t day = civil_floor_mod(days, DAYS_PER_ERA);
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

int64_t civil_seconds(const struct civil *c)
{
    return civil_days(c->year, c->month, c->day) * S_PER_DAY + c->hour * 3600 + c->minute * 60 +
           c->second;
}

struct civil civil_from_seconds(int64_t s)
{
    int rest = (int)civil_floor_mod(s, S_PER_DAY);
    struct civil c = {.hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60};
    civil_from_days(civil_floor_div(s, S_PER_DAY), &c.year, &c.month, &c.day);
    return c;
}

int civil_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

int civil_weekday(int64_t days)
{
    return (int)civil_floor_mod(days + 4, 7); /* 1970-01-01 was a Thursday */
}
