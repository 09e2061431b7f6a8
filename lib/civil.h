/* Civil dates and times without a zone, and their day and second numbers since 1970-01-01
 * (proleptic Gregorian). Pure arithmetic; any thread. */
#pragma once

#include <stdint.h>

struct civil {
    int64_t year;
    int month, day;           /* 1 … 12, 1 … 31 */
    int hour, minute, second; /* 0 … 23, 0 … 59, 0 … 59 */
};

/* Integer division and remainder that round towards minus infinity. */
int64_t civil_floor_div(int64_t a, int64_t b);
int64_t civil_floor_mod(int64_t a, int64_t b);

int64_t civil_days(int64_t year, int month, int day);
void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);

int64_t civil_seconds(const struct civil *c);
struct civil civil_from_seconds(int64_t s);

int civil_month_days(int64_t year, int month);
int civil_weekday(int64_t days); /* 0 = Sunday … 6 */
