/* The two clocks, and RFC 3339 in both directions. */
#include "lib/clock.h"

#include <string.h>
#include <time.h>

#include "lib/civil.h"
#include "lib/cleanup.h"
#include "lib/banned.h"

#define US_PER_S  INT64_C(1000000)
#define S_PER_DAY INT64_C(86400)
#define UNSET_S   INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_S    INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

int64_t clock_now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static char *put_digits(char *to, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + digits;
}

const char *clock_format(int64_t us, char out[CLOCK_TEXT])
{
    int64_t s = civil_floor_div(us, US_PER_S);
    int ms = (int)(civil_floor_mod(us, US_PER_S) / 1000);
    if (us == 0 || s < UNSET_S || s > LAST_S) { /* what four digits of year cannot say */
        s = us > 0 ? LAST_S : UNSET_S;
        ms = 0;
    }
    struct civil c = civil_from_seconds(s);

    const struct {
        int value, digits;
        char after;
    } parts[] = {{(int)c.year, 4, '-'}, {c.month, 2, '-'},  {c.day, 2, 'T'},
                 {c.hour, 2, ':'},      {c.minute, 2, ':'}, {c.second, 2, ms ? '.' : 'Z'}};
    char *to = out;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        to = put_digits(to, parts[i].value, parts[i].digits);
        *to++ = parts[i].after;
    }
    if (ms) {
        to = put_digits(to, ms, 3);
        *to++ = 'Z';
    }
    *to = '\0';
    return out;
}

/* ---- parsing: each step takes its part off *p, or says false and leaves *p anywhere ---- */

static bool take_number(const char **p, int digits, int min, int max, int *ret)
{
    int v = 0;
    for (int i = 0; i < digits; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        v = v * 10 + (**p - '0');
    }
    *ret = v;
    return v >= min && v <= max;
}

static bool take_char(const char **p, const char *one_of)
{
    if (**p == '\0' || !strchr(one_of, **p))
        return false;
    (*p)++;
    return true;
}

static bool take_date(const char **p, int64_t *ret_days)
{
    int year, month, day;
    if (!take_number(p, 4, 0, 9999, &year) || !take_char(p, "-") ||
        !take_number(p, 2, 1, 12, &month) || !take_char(p, "-") ||
        !take_number(p, 2, 1, civil_month_days(year, month), &day))
        return false;
    *ret_days = civil_days(year, month, day);
    return true;
}

/* take_time: second 60 is a leap second, and counts as the one after it: our clock has none. */
static bool take_time(const char **p, int64_t *ret_s)
{
    int hour, minute, second;
    if (!take_number(p, 2, 0, 23, &hour) || !take_char(p, ":") ||
        !take_number(p, 2, 0, 59, &minute) || !take_char(p, ":") ||
        !take_number(p, 2, 0, 60, &second))
        return false;
    *ret_s = hour * 3600 + minute * 60 + second;
    return true;
}

static bool take_fraction(const char **p, int64_t *ret_us)
{
    *ret_us = 0;
    if (!take_char(p, "."))
        return true;
    int64_t scale = US_PER_S;
    int digits = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++, digits++) {
        scale /= 10; /* 0 from the seventh digit on: cut, not rounded */
        *ret_us += (**p - '0') * scale;
    }
    return digits >= 1 && digits <= 9;
}

static bool take_zone(const char **p, int64_t *ret_offset_s)
{
    *ret_offset_s = 0;
    if (take_char(p, "Zz"))
        return true;
    int sign = **p == '-' ? -1 : 1;
    int hour, minute;
    if (!take_char(p, "+-") || !take_number(p, 2, 0, 23, &hour) || !take_char(p, ":") ||
        !take_number(p, 2, 0, 59, &minute))
        return false;
    *ret_offset_s = sign * (hour * 3600 + minute * 60);
    return true;
}

static int bad_time(struct err *e, const char *text, const char *why)
{
    return err_set(e, ERR_INVALID, "%s in the time \"%s\" (RFC 3339, as 2016-06-08T17:52:09Z)", why,
                   text);
}

int clock_parse(const char *text, int64_t *ret_us, struct err *e)
{
    const char *p = text;
    int64_t days, s, us, offset_s;
    if (!take_date(&p, &days))
        return bad_time(e, text, "wrong date");
    if (!take_char(&p, "Tt"))
        return bad_time(e, text, "no T between date and time");
    if (!take_time(&p, &s))
        return bad_time(e, text, "wrong time of day");
    if (!take_fraction(&p, &us))
        return bad_time(e, text, "wrong fraction of a second");
    if (!take_zone(&p, &offset_s))
        return bad_time(e, text, "wrong or no zone");
    if (*p != '\0')
        return bad_time(e, text, "something after the zone");
    s += days * S_PER_DAY - offset_s;
    *ret_us = s == UNSET_S && us == 0 ? 0 : s * US_PER_S + us;
    return 0;
}
