/* When a schedule is due: pure arithmetic over what was asked for, without a clock and without the
 * store. Once; at an interval, on a grid that begins at the start; or at the readings of a local
 * clock that a cron expression names (lib/cron.h). Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/schedule.h"
#include "lib/cron.h"
#include "lib/zone.h"

struct timetable {
    int64_t start_us; /* nothing is due before it */
    int64_t end_us;   /* nor after it; INT64_MAX = open */
    int64_t every_us; /* 0 = once, unless by_cron */
    bool by_cron;
    struct cron cron;
    const struct zone *zone; /* borrowed */
    int64_t jitter_us;
    uint64_t seed; /* of the jitter: another one for each schedule */
};

/* timetable_init: of a spec whose start is settled. `zone` is the one that the spec names. */
NODISCARD int timetable_init(struct timetable *t, const struct schedule_spec *spec,
                             const struct zone *zone, uint64_t seed, struct err *e);
/* timetable_next: the first due time strictly after `after_us`. ERR_EMPTY: none any more. */
NODISCARD int timetable_next(const struct timetable *t, int64_t after_us, int64_t *ret_us,
                             struct err *e);
/* timetable_first: what a schedule that is new at `now_us` waits for. A start that has passed means
 * at once for one that runs once, and the next point of the grid for one that repeats. */
NODISCARD int timetable_first(const struct timetable *t, int64_t now_us, int64_t *ret_us,
                              struct err *e);
/* timetable_fire_us: when the firing that is due at `due_us` happens: up to `jitter` later, and for
 * one due time always the same. */
int64_t timetable_fire_us(const struct timetable *t, int64_t due_us);

/* timetable_recent: the due times from `due_us` on whose firing has come by `now_us`, oldest first:
 * all, or the latest `max` of them with *ret_more = true. The work is bounded however long the time
 * between is. Returns how many. */
size_t timetable_recent(const struct timetable *t, int64_t due_us, int64_t now_us, size_t max,
                        int64_t *ret_dues, bool *ret_more);
