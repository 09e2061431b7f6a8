/* The rule in a POSIX TZ string ("CET-1CEST,M3.5.0,M10.5.0/3"), with RFC 8536's extension that a
 * change may be at -167 … 167 hours. Used by lib/zone.c only. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum zone_day_kind { ZONE_DAY_MONTH, ZONE_DAY_JULIAN, ZONE_DAY_ZERO };

struct zone_day {
    enum zone_day_kind kind;
    int month, week, weekday; /* Mm.w.d: week 5 is the last */
    int day;                  /* Jn: 1 … 365 without 29 February; n: 0 … 365 with it */
    int64_t time_s;           /* local time of the change */
};

struct zone_rule {
    bool has_dst;
    int64_t std_offset_s, dst_offset_s; /* east of Greenwich is positive */
    struct zone_day dst_start, dst_end;
};

bool zone_rule_parse(const char *text, struct zone_rule *ret);

struct zone_rule_change {
    int64_t at_s; /* UTC */
    int64_t offset_s;
};
/* zone_rule_year: the two changes of a year in the order in which they happen. Needs has_dst. */
void zone_rule_year(const struct zone_rule *r, int64_t year, struct zone_rule_change out[2]);
