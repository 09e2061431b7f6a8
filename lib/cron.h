/* Cron expressions: five fields (minute hour day-of-month month day-of-week), six with seconds
 * first, or a nickname (@yearly @annually @monthly @weekly @daily @midnight @hourly). Lists,
 * ranges, steps, English three-letter names; 7 is Sunday; `?` is `*` in the two day fields. When
 * both day fields are restricted either may match, as in cron(8).
 *
 * Clock changes (Debian's cron(8) rule, stated exactly):
 * - An expression whose hour or minute field begins with `*` follows real time: it fires at every
 * matching reading of the local clock, in both passes of a repeated hour, and not in a missing one.
 * - Any other expression names times of day: one that falls into a missing hour fires once, at the
 * first instant after it; one in a repeated hour fires in the first pass only. Pure functions; any
 * thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/zone.h"

#define CRON_TEXT_BYTES 256

struct cron {
    uint64_t seconds, minutes; /* bit n = value n */
    uint32_t hours, days, months;
    uint8_t weekdays;
    bool any_day, any_weekday; /* the field is unrestricted */
    bool follows_clock;        /* hour or minute begins with `*` */
};

/* cron_parse: ERR_INVALID names the field, what stands there and what may. An expression that can
 * never fire (30 February) is refused with that reason. */
NODISCARD int cron_parse(const char *text, struct cron *ret, struct err *e);

/* cron_next: the first firing strictly after `after_s` (UTC seconds). ERR_EMPTY: none within the
 * next 40 years. */
NODISCARD int cron_next(const struct cron *c, const struct zone *z, int64_t after_s, int64_t *ret_s,
                        struct err *e);
