/* The operations on schedules, as items for the writer's inbox: see server/ops.h for how they are
 * used. */
#pragma once

#include "api/schedule.h"
#include "server/ops.h"

/* New schedules, all or none. ERR_NOT_FOUND: no such code; ERR_INVALID: one would never fire. */
struct op_schedule_add {
    struct work w;
    int64_t project;
    const struct schedule_spec *specs;
    size_t n;
    char (*ret_ids)[ID_TEXT]; /* n of them, the caller's memory */
};
void op_schedule_add_init(struct op_schedule_add *o);

/* Changed members of one. What is said about times holds from now on; firings stay. ERR_CONFLICT:
 * times of one that has ended. */
struct op_schedule_put {
    struct work w;
    int64_t project;
    const char *id;
    const struct json *changes;
    const struct schedule_limits *limits;
};
void op_schedule_put_init(struct op_schedule_put *o);

enum schedule_order {
    SCHEDULE_CANCEL, /* of one that has ended: success, unchanged */
    SCHEDULE_PAUSE,  /* nothing becomes due until it is resumed; ERR_CONFLICT: it has ended */
    SCHEDULE_RESUME,
};
struct op_schedule_order {
    struct work w;
    int64_t project;
    const char *id;
    enum schedule_order order;
    bool ret_changed; /* false: it was so already */
};
void op_schedule_order_init(struct op_schedule_order *o);

/* A firing of now, by the rules of every other one (overlap, run_times). ERR_CONFLICT: the schedule
 * has ended. */
struct op_schedule_trigger {
    struct work w;
    int64_t project;
    const char *id;
    struct firing ret_firing; /* firing_release it, also after an error */
};
void op_schedule_trigger_init(struct op_schedule_trigger *o);
