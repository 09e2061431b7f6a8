/* A recursive descent over the TZ string; each take_ function takes its part off *p or says false.
 */
#include "lib/zone_rule.h"

#include <stddef.h>
#include <string.h>

#include "lib/civil.h"
#include "lib/banned.h"

#define S_PER_DAY INT64_C(86400)

static bool take_int(const char **p, int min, int max, int *ret)
{
    if (**p < '0' || **p > '9')
        return false;
    int v = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
        v = v * 10 + (**p - '0');
        if (v > 1000)
            return false;
    }
    *ret = v;
    return v >= min && v <= max;
}

static bool take_char(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

static bool take_name(const char **p)
{
    if (take_char(p, '<')) {
        const char *end = strchr(*p, '>');
        if (!end)
            return false;
        *p = end + 1;
        return true;
    }
    const char *start = *p;
    while ((**p >= 'a' && **p <= 'z') || (**p >= 'A' && **p <= 'Z'))
        (*p)++;
    return *p - start >= 3;
}

/* [+-]h[:m[:s]] as seconds */
static bool take_hms(const char **p, int64_t *ret_s)
{
    int sign = **p == '-' ? -1 : 1;
    if (**p == '-' || **p == '+')
        (*p)++;
    int h, m = 0, s = 0;
    if (!take_int(p, 0, 167, &h))
        return false;
    if (take_char(p, ':')) {
        if (!take_int(p, 0, 59, &m))
            return false;
        if (take_char(p, ':') && !take_int(p, 0, 59, &s))
            return false;
    }
    *ret_s = sign * (h * INT64_C(3600) + m * 60 + s);
    return true;
}

static bool take_day(const char **p, struct zone_day *d)
{
    *d = (struct zone_day){.time_s = 2 * 3600};
    bool ok;
    if (take_char(p, 'M')) {
        d->kind = ZONE_DAY_MONTH;
        ok = take_int(p, 1, 12, &d->month) && take_char(p, '.') && take_int(p, 1, 5, &d->week) &&
             take_char(p, '.') && take_int(p, 0, 6, &d->weekday);
    } else if (take_char(p, 'J')) {
        d->kind = ZONE_DAY_JULIAN;
        ok = take_int(p, 1, 365, &d->day);
    } else {
        d->kind = ZONE_DAY_ZERO;
        ok = take_int(p, 0, 365, &d->day);
    }
    if (ok && take_char(p, '/'))
        ok = take_hms(p, &d->time_s);
    return ok;
}

bool zone_rule_parse(const char *text, struct zone_rule *ret)
{
    struct zone_rule r = {0};
    const char *p = text;
    int64_t west_s; /* POSIX counts west of Greenwich as positive */
    if (!take_name(&p) || !take_hms(&p, &west_s))
        return false;
    r.std_offset_s = -west_s;
    if (*p != '\0') {
        r.has_dst = true;
        if (!take_name(&p))
            return false;
        west_s -= 3600;
        if (*p != ',' && !take_hms(&p, &west_s))
            return false;
        r.dst_offset_s = -west_s;
        if (!take_char(&p, ',') || !take_day(&p, &r.dst_start) || !take_char(&p, ',') ||
            !take_day(&p, &r.dst_end))
            return false;
    }
    *ret = r;
    return *p == '\0';
}

/* Local seconds since 1970 of a change in `year`. */
static int64_t day_seconds(const struct zone_day *d, int64_t year)
{
    int64_t days = civil_days(year, 1, 1) + d->day;
    if (d->kind == ZONE_DAY_JULIAN) {
        bool after_leap_day = civil_month_days(year, 2) == 29 && d->day >= 60;
        days += after_leap_day ? 0 : -1;
    } else if (d->kind == ZONE_DAY_MONTH) {
        int64_t first = civil_days(year, d->month, 1);
        int day = (d->weekday - civil_weekday(first) + 7) % 7 + (d->week - 1) * 7;
        while (day >= civil_month_days(year, d->month))
            day -= 7;
        days = first + day;
    }
    return days * S_PER_DAY + d->time_s;
}

void zone_rule_year(const struct zone_rule *r, int64_t year, struct zone_rule_change out[2])
{
    struct zone_rule_change start = {day_seconds(&r->dst_start, year) - r->std_offset_s,
                                     r->dst_offset_s};
    struct zone_rule_change end = {day_seconds(&r->dst_end, year) - r->dst_offset_s,
                                   r->std_offset_s};
    bool start_first = start.at_s < end.at_s;
    out[0] = start_first ? start : end;
    out[1] = start_first ? end : start;
}
