/* Parked polls: work that was put aside until something happens or its deadline comes.
 *
 * Whoever waits for the same thing is in one list, first come first served; a poll that was woken
 * for nothing takes its old place again. The writer's thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/heap.h"
#include "server/work.h"

struct parked_list;

struct parked { /* inside an operation; zeroed = never parked */
    struct work *w;
    const char *runner; /* who waits, and for which slot (-1 = none) */
    int64_t slot;
    int64_t deadline_ms; /* monotonic; set once, when it first ran */
    uint64_t order;      /* 0 = not parked so far */
    struct parked_list *in;
    struct parked *prev, *next;
    struct heap_node timer;
};

struct parked_list { /* zeroed = empty */
    struct parked *first, *last;
};

struct parking { /* every list together; zeroed = empty */
    struct heap timers;
    uint64_t orders;
};

void parking_release(struct parking *p);
void parked_add(struct parking *p, struct parked_list *list, struct parked *it);
void parked_remove(struct parking *p, struct parked *it);
/* parked_find: who waits in `list` for that slot of that runner; NULL = nobody. */
struct parked *parked_find(const struct parked_list *list, const char *runner, int64_t slot);
struct parked *parking_next(const struct parking *p); /* the one with the first deadline, or NULL */
