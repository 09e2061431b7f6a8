/* The rules of schedules: part of the queue (server/queue.h), in the writer's thread.
 *
 * All that is in memory is when the first schedule is due: the file has an index on it, and so
 * schedules that are not due cost neither memory nor time. A firing, its task and the schedule's
 * next due time are written by one transaction. */
#pragma once

#include "server/store_schedule.h"
#include "server/store_write.h"
#include "server/timetable.h"
#include "server/zones.h"

struct queue;
struct work;

struct schedules {   /* zeroed = empty */
    int64_t wake_us; /* when the first is to be looked at; INT64_MAX = none */
    struct zones zones;
};

/* schedules_look: what the file says about `wake_us`. */
NODISCARD int schedules_look(struct queue *q, struct err *e);
/* schedules_task_ended: of a task that has ended: a firing may have waited for that. */
NODISCARD int schedules_task_ended(struct queue *q, const struct task_row *row, struct err *e);

/* schedules_tasks_ended: of many tasks, whosever they were. */
NODISCARD int schedules_tasks_ended(struct queue *q, struct err *e);

/* ---- server/fire.c ---- */

/* schedule_timetable: of a schedule whose start is settled. */
NODISCARD int schedule_timetable(struct queue *q, const struct schedule_row *r,
                                 struct timetable *ret, struct err *e);
/* schedule_due: sets what comes next in `r`: the firing due at `due_us`, or with 0 none any more,
 * which ends the schedule unless a firing waits. */
void schedule_due(struct schedule_row *r, const struct timetable *t, int64_t due_us);
/* schedule_spent: run_times allows no further firing. */
bool schedule_spent(const struct schedule_row *r);
/* schedule_fire: one firing by the overlap policy, with its row and task; counts in `r`, which the
 * caller writes. */
NODISCARD int schedule_fire(struct queue *q, struct schedule_row *r, int64_t due_us,
                            struct firing_row *ret, struct err *e);
/* schedule_drop_waiting: the firing that waits will not be. */
NODISCARD int schedule_drop_waiting(struct queue *q, struct schedule_row *r, const char *why,
                                    struct err *e);
/* run_fire: the rules' own operation: everything that is due by now, a slice of it. */
int run_fire(struct work *w, void *owner, struct err *e);
