/* Due times in UTC microseconds. cron(5) and zones count in seconds, which is where the two meet.
 */
#include "server/timetable.h"

#include <string.h>

#include "lib/civil.h"
#include "server/map.h"
#include "lib/banned.h"

#define US_PER_S INT64_C(1000000)

/* How far back a long time of absence is searched, in growing steps. */
#define LOOK_BACK_S      1024
#define LOOK_BACK_GROWTH 8

int timetable_init(struct timetable *t, const struct schedule_spec *spec, const struct zone *zone,
                   uint64_t seed, struct err *e)
{
    *t = (struct timetable){.start_us = spec->start_us,
                            .end_us = spec->end_us ? spec->end_us : INT64_MAX,
                            .every_us = spec->every_s * US_PER_S,
                            .by_cron = spec->cron[0] != '\0',
                            .zone = zone,
                            .jitter_us = spec->jitter_s * US_PER_S,
                            .seed = seed};
    return t->by_cron ? cron_parse(spec->cron, &t->cron, e) : 0;
}

static int next_reading(const struct timetable *t, int64_t after_us, int64_t *ret_us, struct err *e)
{
    int64_t s;
    int rc = cron_next(&t->cron, t->zone, civil_floor_div(after_us, US_PER_S), &s, e);
    if (rc == 0)
        *ret_us = s * US_PER_S;
    return rc;
}

int timetable_next(const struct timetable *t, int64_t after_us, int64_t *ret_us, struct err *e)
{
    int64_t due_us = t->start_us;
    if (t->by_cron) {
        int64_t from_us = after_us < t->start_us - 1 ? t->start_us - 1 : after_us;
        if (next_reading(t, from_us, &due_us, e) < 0)
            return e->code;
    } else if (after_us >= t->start_us) {
        if (t->every_us == 0)
            return err_set(e, ERR_EMPTY, "it runs once");
        due_us += ((after_us - t->start_us) / t->every_us + 1) * t->every_us;
    }
    if (due_us > t->end_us)
        return err_set(e, ERR_EMPTY, "nothing is due before end_at");
    *ret_us = due_us;
    return 0;
}

int timetable_first(const struct timetable *t, int64_t now_us, int64_t *ret_us, struct err *e)
{
    bool once = !t->by_cron && t->every_us == 0;
    if (!once || now_us < t->start_us)
        return timetable_next(t, now_us - 1, ret_us, e);
    if (now_us > t->end_us)
        return err_set(e, ERR_EMPTY, "end_at is over");
    *ret_us = now_us;
    return 0;
}

int64_t timetable_fire_us(const struct timetable *t, int64_t due_us)
{
    if (t->jitter_us == 0)
        return due_us;
    uint64_t h = map_hash_int(map_hash_int((uint64_t)due_us) ^ t->seed);
    return due_us + (int64_t)(h % (uint64_t)(t->jitter_us + 1));
}

/* ---- what has come due ---- */

/* has_more: whether at least `n` firings have come from after `from_us` up to `now_us`. */
static bool has_more(const struct timetable *t, int64_t from_us, int64_t now_us, size_t n)
{
    struct err e = {0};
    for (; n > 0; n--)
        if (timetable_next(t, from_us, &from_us, &e) < 0 || timetable_fire_us(t, from_us) > now_us)
            return false;
    return true;
}

/* look_back: a due time at or after `due_us` that is not later than the latest `max` that have
 * come. */
static int64_t look_back(const struct timetable *t, int64_t due_us, int64_t now_us, size_t max)
{
    for (int64_t back_us = LOOK_BACK_S * US_PER_S + t->jitter_us; back_us < now_us - due_us;
         back_us *= LOOK_BACK_GROWTH) {
        struct err e = {0};
        int64_t from_us = now_us - back_us;
        if (has_more(t, from_us, now_us, max) && timetable_next(t, from_us, &from_us, &e) == 0)
            return from_us;
    }
    return due_us;
}

/* turn: the ring `at` of `n` becomes a row that begins with its element `first`. */
static void turn(int64_t *at, size_t n, size_t first)
{
    for (; first > 0 && first < n; first--) {
        int64_t head = at[0];
        memmove(at, at + 1, (n - 1) * sizeof(*at));
        at[n - 1] = head;
    }
}

size_t timetable_recent(const struct timetable *t, int64_t due_us, int64_t now_us, size_t max,
                        int64_t *ret_dues, bool *ret_more)
{
    size_t seen = 0;
    int64_t at = look_back(t, due_us, now_us, max);
    struct err e = {0};
    *ret_more = at > due_us;
    for (int rc = 0; rc == 0 && timetable_fire_us(t, at) <= now_us;
         rc = timetable_next(t, at, &at, &e))
        ret_dues[seen++ % max] = at;
    if (seen <= max)
        return seen;
    *ret_more = true;
    turn(ret_dues, max, seen % max);
    return max;
}
