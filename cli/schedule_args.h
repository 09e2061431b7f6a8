/* The flags that say what a schedule is: shared by `schedule`, which makes one, and `update
 * schedule`, which changes one. One thread. */
#pragma once

#include <stdint.h>

#include "cli/client.h"
#include "cli/config.h"
#include "cli/flags.h"
#include "cli/payload.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"

struct schedule_args {
    struct common common;
    struct payload_source payload;
    const char *label, *cluster, *start_at, *end_at, *cron, *zone, *overlap, *catch_up, *changes;
    int64_t priority, timeout_ms, delay_ms, task_delay_ms, every_ms, run_times, jitter_ms;
    int64_t catch_up_max;
    int64_t max_concurrency; /* which the Go client sends, and no server has ever heeded */
};

#define SCHEDULE_FLAGS                                                                             \
    FLAG_STR('p', "payload", struct schedule_args, payload.text, "TEXT",                           \
             "what each task is given"),                                                           \
        FLAG_STR('f', "payload-file", struct schedule_args, payload.file, "FILE",                  \
                 "the same from a file; - is stdin"),                                              \
        FLAG_INT(0, "priority", struct schedule_args, priority, 0, 2, "N", "of the tasks"),        \
        FLAG_TIME(0, "timeout", struct schedule_args, timeout_ms, INT64_MAX, "of the tasks"),      \
        FLAG_TIME(0, "task-delay", struct schedule_args, task_delay_ms, BOUND_DELAY_S * 1000LL,    \
                  "how long each task stays queued at least"),                                     \
        FLAG_STR(0, "label", struct schedule_args, label, "TEXT", "shown in lists"),               \
        FLAG_STR(0, "cluster", struct schedule_args, cluster, "NAME",                              \
                 "runners that may take them"),                                                    \
        FLAG_STR(0, "start-at", struct schedule_args, start_at, "TIME",                            \
                 "nothing is due before: 2015-01-01T00:00:00Z, or with an offset"),                \
        FLAG_STR(0, "end-at", struct schedule_args, end_at, "TIME", "nothing is due after"),       \
        FLAG_TIME(0, "delay", struct schedule_args, delay_ms, BOUND_DELAY_S * 1000LL,              \
                  "from now to the start"),                                                        \
        FLAG_TIME(0, "run-every", struct schedule_args, every_ms, INT64_MAX,                       \
                  "interval: seconds, or with m, h, d"),                                           \
        FLAG_INT(0, "run-times", struct schedule_args, run_times, 0, INT32_MAX, "N",               \
                 "so many tasks; 0 = no limit"),                                                   \
        FLAG_STR(0, "cron", struct schedule_args, cron, "EXPRESSION",                              \
                 "times instead of an interval: \"0 9 * * mon-fri\", \"@hourly\""),                \
        FLAG_STR(0, "zone", struct schedule_args, zone, "ZONE",                                    \
                 "time zone of --cron: Europe/Berlin (UTC)"),                                      \
        FLAG_CHOICE(0, "overlap", struct schedule_args, overlap, "allow|skip|queue-one|replace",   \
                    "what is done while an earlier task has not ended"),                           \
        FLAG_CHOICE(0, "catch-up", struct schedule_args, catch_up, "none|latest|all",              \
                    "what is done about times that passed without a server"),                      \
        FLAG_INT(0, "catch-up-max", struct schedule_args, catch_up_max, 1, INT32_MAX, "N",         \
                 "with all: the latest N"),                                                        \
        FLAG_TIME(0, "jitter", struct schedule_args, jitter_ms, INT64_MAX,                         \
                  "come up to so much later")

/* schedule_args_preset: nothing is said. */
void schedule_args_preset(void *args);

/* schedule_args_encode: the members that were given, into the open object of `w`. `payload` may be
 * NULL. ERR_USAGE names the flag. */
NODISCARD int schedule_args_encode(const struct schedule_args *a, const struct buf *payload,
                                   struct jsonw *w, struct err *e);

/* schedule_args_request: the body of the POST that makes such a schedule. default_payload: when no
 * flag gives one; NULL = none is sent. */
NODISCARD int schedule_args_request(const struct schedule_args *a, const char *code_name,
                                    const char *default_payload, struct buf *out, struct err *e);

/* reply_schedule_id: in the answer to it; "" when there is none. */
const char *reply_schedule_id(const struct reply *r);
