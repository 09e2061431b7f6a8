/* cron_next walks the zone's segments: within one, local time is UTC plus a constant, so the search
 * is plain calendar arithmetic, and both rules for clock changes are statements about a segment's
 * two ends. */
#include "lib/cron.h"

#include <stddef.h>

#include "lib/civil.h"
#include "lib/banned.h"

#define S_PER_DAY      INT64_C(86400)
#define SEARCH_YEARS_S (40 * 366 * S_PER_DAY)

static bool bit(uint64_t set, int n)
{
    return set >> n & 1;
}

/* The lowest member of `set` that is at least `from`; -1 if there is none. */
static int next_bit(uint64_t set, int from)
{
    if (from > 63)
        return -1;
    set &= UINT64_MAX << from;
    return set ? __builtin_ctzll(set) : -1;
}

static bool day_matches(const struct cron *c, int64_t days)
{
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    if (!bit(c->months, month))
        return false;
    bool by_day = bit(c->days, day), by_weekday = bit(c->weekdays, civil_weekday(days));
    if (c->any_day || c->any_weekday)
        return by_day && by_weekday;
    return by_day || by_weekday;
}

/* The first matching second of the day that is at least `from`; -1 if there is none. */
static int64_t second_of_day(const struct cron *c, int64_t from)
{
    int hour = (int)(from / 3600), minute = (int)(from / 60 % 60), second = (int)(from % 60);
    for (int h = next_bit(c->hours, hour); h >= 0; h = next_bit(c->hours, h + 1)) {
        int m_from = h == hour ? minute : 0;
        for (int m = next_bit(c->minutes, m_from); m >= 0; m = next_bit(c->minutes, m + 1)) {
            int s = next_bit(c->seconds, h == hour && m == minute ? second : 0);
            if (s >= 0)
                return h * INT64_C(3600) + m * 60 + s;
        }
    }
    return -1;
}

/* The first matching local time in from … end-1, both local seconds since 1970; end if there is
 * none. */
static int64_t next_local(const struct cron *c, int64_t from, int64_t end)
{
    while (from < end) {
        int64_t days = civil_floor_div(from, S_PER_DAY);
        if (day_matches(c, days)) {
            int64_t s = second_of_day(c, from - days * S_PER_DAY);
            if (s >= 0)
                return days * S_PER_DAY + s < end ? days * S_PER_DAY + s : end;
        }
        from = (days + 1) * S_PER_DAY;
    }
    return end;
}

/* Whether a time of day that the clock jumped over at the start of `seg` fires there. */
static bool fires_for_gap(const struct cron *c, const struct zone_segment *seg)
{
    if (c->follows_clock || seg->offset_s <= seg->before_offset_s)
        return false;
    int64_t gap_end = seg->start_s + seg->offset_s;
    return next_local(c, seg->start_s + seg->before_offset_s, gap_end) < gap_end;
}

int cron_next(const struct cron *c, const struct zone *z, int64_t after_s, int64_t *ret_s,
              struct err *e)
{
    int64_t from = after_s + 1, last = after_s + SEARCH_YEARS_S;
    while (from < last) {
        struct zone_segment seg = zone_segment_at(z, from);
        if (seg.start_s == from && fires_for_gap(c, &seg)) {
            *ret_s = from;
            return 0;
        }
        int64_t local = from + seg.offset_s;
        if (!c->follows_clock && seg.offset_s < seg.before_offset_s) {
            int64_t first_pass_end = seg.start_s + seg.before_offset_s;
            local = local > first_pass_end ? local : first_pass_end;
        }
        int64_t utc_end = seg.end_s < last ? seg.end_s : last;
        int64_t end = utc_end + seg.offset_s;
        int64_t found = next_local(c, local, end);
        if (found < end) {
            *ret_s = found - seg.offset_s;
            return 0;
        }
        from = utc_end;
    }
    return err_set(e, ERR_EMPTY, "no firing within 40 years");
}
