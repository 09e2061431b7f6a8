/* Who is served next: lanes of queued tasks, in memory O(lanes) and not O(tasks).
 *
 * A lane is (cluster, code, priority). A cluster serves its projects in turn; within a project the
 * highest priority first; within a priority its codes in turn; within a lane the task that was
 * ready first. Lanes whose code is paused, deleted or at its limit are held until that changes;
 * lanes whose first task is delayed wait in a timer heap. A lane may be here without a task (the
 * claim finds out and drops it), never the other way round. The writer's thread only. */
#pragma once

#include "server/clusters.h"
#include "server/codes.h"
#include "server/heap.h"
#include "server/map.h"

enum lane_place {
    LANE_OUT,   /* has no queued task */
    LANE_RING,  /* may be claimed from */
    LANE_TIMER, /* its first task is not ready yet */
    LANE_HELD,  /* its code is held */
};

struct lane {
    struct cluster *cluster;
    struct qcode *code;
    int64_t priority;
    enum lane_place place;
    struct share *share;
    struct lane *prev, *next; /* in the ring of its project and priority */
    struct lane *next_of_code;
    struct heap_node ready_us; /* LANE_TIMER */
};

struct lanes { /* zeroed = empty */
    struct map by_key;
    struct heap timers;
};

#define PRIORITIES 3 /* 2 is the highest */

void lanes_release(struct lanes *l, struct clusters *c); /* empty and usable again */
struct lane *lanes_get(struct lanes *l, struct cluster *cluster, struct qcode *code,
                       int64_t priority); /* made when it is new */
struct store_lane lane_row(const struct lane *lane);

/* lane_task: the lane has one more task, ready at that time. */
void lane_task(struct lanes *l, struct lane *lane, int64_t ready_us, int64_t now_us);
/* lanes_head: the lane whose turn it is; NULL = nothing to claim in this cluster. */
struct lane *lanes_head(struct cluster *c);
/* What the claim found in the head lane: a task (the lane and its project go to the end of their
 * rings), nothing at all, or a first task that is ready later. */
void lane_served(struct lane *lane);
void lane_empty(struct lanes *l, struct lane *lane);
void lane_sleep(struct lanes *l, struct lane *lane, int64_t ready_us);

/* lanes_released: the code may be held no more: its lanes are claimed from again. */
void lanes_released(struct qcode *code);
/* lanes_wake: lanes whose time has come join their rings. */
void lanes_wake(struct lanes *l, int64_t now_us);
int64_t lanes_next_us(const struct lanes *l); /* INT64_MAX = none */
