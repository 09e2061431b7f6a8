/* Schedules and their firings as the rules see them. The writer's thread only, inside a
 * transaction; what clients read is in server/schedule_reads.h. */
#pragma once

#include "api/schedule.h"
#include "server/store.h"

struct schedule_row {
    int64_t n, project;
    struct schedule s;  /* s.next_us is when the firing of due_us happens */
    int64_t due_us;     /* of the next firing; 0 = none */
    int64_t wake_us;    /* when the rules look at it again; 0 = never */
    int64_t waiting_us; /* due time of the firing that waits for earlier tasks; 0 = none */
};
void schedule_row_release(struct schedule_row *r);

/* store_schedule_add: the spec; gives r->n and r->s.id. To be followed by store_schedule_move. */
NODISCARD int store_schedule_add(struct store *s, struct schedule_row *r, struct err *e);
/* store_schedule_update: the spec. store_schedule_move: all that firing changes. */
NODISCARD int store_schedule_update(struct store *s, const struct schedule_row *r, struct err *e);
NODISCARD int store_schedule_move(struct store *s, const struct schedule_row *r, struct err *e);
/* store_schedule_row, store_schedule_resolve: schedule_row_release it. ERR_NOT_FOUND. */
NODISCARD int store_schedule_row(struct store *s, int64_t n, struct schedule_row *ret,
                                 struct err *e);
NODISCARD int store_schedule_resolve(struct store *s, int64_t project, const char *id,
                                     struct schedule_row *ret, struct err *e);

/* store_schedule_first: the one that is to be looked at first, and when. ERR_EMPTY. */
NODISCARD int store_schedule_first(struct store *s, int64_t *ret_n, int64_t *ret_wake_us,
                                   struct err *e);
/* store_schedule_wake: if a firing waits, the rules look at it at once. n 0 = all that wait. */
NODISCARD int store_schedule_wake(struct store *s, int64_t n, int64_t now_us, struct err *e);
/* store_schedule_live: tasks of a schedule that have not ended, at most `max`, oldest first.
 * Returns how many, or an error. */
NODISCARD int store_schedule_live(struct store *s, const char *id, int64_t *ret_tasks, int max,
                                  struct err *e);

/* ---- firings: one row for each due time ---- */

#define FIRING_NOTE_BYTES 192

struct firing_row {
    int64_t schedule, due_us, fired_us;
    enum firing_outcome outcome;
    int64_t task;                 /* row number, 0 = none; it was created at fired_us */
    char note[FIRING_NOTE_BYTES]; /* "" = none */
};
NODISCARD int store_firing_add(struct store *s, const struct firing_row *f, struct err *e);
/* store_firing_settle: of a firing that waits: how it went. ERR_CONFLICT: it does not wait. */
NODISCARD int store_firing_settle(struct store *s, const struct firing_row *f, struct err *e);
NODISCARD int store_firing_known(struct store *s, int64_t schedule, int64_t due_us, bool *ret,
                                 struct err *e);
/* store_firing_trim: forgets all but the latest `keep`, and those that wait. */
NODISCARD int store_firing_trim(struct store *s, int64_t schedule, int64_t keep, struct err *e);
