/* Schedules on /2/ (ironworker-api §4) and what is ours: cron expressions in a time zone, policies
 * for overlaps and for missed firings, jitter, and the firings. What each member means is in
 * api/http.md. Shared by server and CLI. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/task.h"
#include "lib/err.h"
#include "lib/id.h"
#include "lib/json.h"

/* All of these are stored on disk: append only. */
enum schedule_status {
    SCHEDULE_SCHEDULED = 0,
    SCHEDULE_COMPLETE = 1,
    SCHEDULE_CANCELLED = 2,
    SCHEDULE_ERROR = 3,
};
enum schedule_overlap { /* a firing is due while a task of an earlier one has not ended */
                        OVERLAP_ALLOW = 0,
                        OVERLAP_SKIP = 1,
                        OVERLAP_QUEUE_ONE =
                            2, /* one firing waits for the end, further ones are skipped */
                        OVERLAP_REPLACE = 3, /* the earlier tasks are cancelled */
};
enum schedule_catch_up { /* firings that were missed because no server was there */
                         CATCH_UP_NONE = 0,
                         CATCH_UP_LATEST = 1,
                         CATCH_UP_ALL = 2, /* the latest catch_up_max of them */
};

struct schedule_limits {
    struct task_limits task;
    int64_t min_interval_s; /* of run_every */
};

/* What a client says. Strings are owned and never NULL once it was decoded or read. */
struct schedule_spec {
    char *code_name;
    char *payload;
    size_t payload_len;
    char *cluster, *label;    /* "" = default, none */
    int64_t priority;         /* -1 = the code's default */
    int64_t timeout_s;        /* of the tasks, resolved as for tasks */
    int64_t task_delay_s;     /* of the tasks */
    int64_t start_us, end_us; /* 0 = not given */
    int64_t delay_s;          /* to the start, when none is given */
    int64_t every_s;          /* 0 = no interval */
    int64_t run_times;        /* 0 = no limit */
    char *cron, *zone;        /* "" = no expression; zone is "UTC" unless said */
    enum schedule_overlap overlap;
    enum schedule_catch_up catch_up;
    int64_t catch_up_max;
    int64_t jitter_s;
    bool paused;
};

void schedule_spec_release(struct schedule_spec *s);
/* schedule_spec_init: what holds for members that a request leaves out. */
void schedule_spec_init(struct schedule_spec *s, const struct schedule_limits *lim);
/* schedule_spec_decode: lays a request over `s`: members that are absent or null stay as they are,
 * so that it serves POST (over schedule_spec_init) and PUT (over what is stored). Unknown members
 * are ignored; a bad value is refused with a message that names the member and what it may be. A
 * cron expression that never fires and an unknown zone are refused too. *ret_timed: the request
 * says something about when to fire. On error `s` is the caller's to release, and half changed. */
NODISCARD int schedule_spec_decode(const struct json *v, const struct schedule_limits *lim,
                                   struct schedule_spec *s, bool *ret_timed, struct err *e);

/* A schedule as a client sees it. */
struct schedule {
    char id[ID_TEXT], project_id[ID_TEXT];
    struct schedule_spec spec;
    enum schedule_status status;
    int64_t created_us, updated_us;
    int64_t next_us, last_us; /* 0 = none */
    int64_t run_count, error_count;
    char *msg; /* owned, NULL = none */
};

void schedule_release(struct schedule *s);
void schedule_encode(const struct schedule *s, struct jsonw *w, const char *key);
NODISCARD int schedule_decode(const struct json *v, struct schedule *ret, struct err *e);

/* ---- firings ---- */

enum firing_outcome { /* stored on disk: append only */
                      FIRING_FIRED = 0,
                      FIRING_WAITING = 1, /* for the end of an earlier task (OVERLAP_QUEUE_ONE) */
                      FIRING_SKIPPED = 2,
                      FIRING_MISSED = 3,
                      FIRING_FAILED = 4, /* its task could not be queued */
};

struct firing {
    int64_t due_us;
    int64_t fired_us; /* when it was decided */
    enum firing_outcome outcome;
    char task_id[ID_TEXT]; /* "" = none */
    char *note;            /* owned: why there is no task; NULL = nothing to say */
};

void firing_release(struct firing *f);
void firing_encode(const struct firing *f, struct jsonw *w, const char *key);
