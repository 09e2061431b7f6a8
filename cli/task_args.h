/* The flags that say what a task is, and the request that they make. One thread. */
#pragma once

#include <stdint.h>

#include "cli/client.h"
#include "cli/flags.h"
#include "cli/payload.h"
#include "lib/buf.h"
#include "lib/err.h"

/* As every verb's own struct it begins with the connection flags. */
struct task_args {
    struct common common;
    struct payload_source payload;
    const char *label, *cluster;
    int64_t priority, timeout_ms, delay_ms; /* -1 = not given; a delay is 0 then */
    int64_t count;                          /* so many tasks alike; 0 counts as 1 */
    bool wait;
};

#define TASK_FLAGS                                                                                 \
    FLAG_STR('p', "payload", struct task_args, payload.text, "TEXT", "what the task is given"),    \
        FLAG_STR('f', "payload-file", struct task_args, payload.file, "FILE",                      \
                 "the same from a file; - is stdin"),                                              \
        FLAG_STR(0, "encryption-key-file", struct task_args, payload.key_file, "FILE",             \
                 "encrypt the payload for the runner with this RSA public key (PEM)"),             \
        FLAG_STR(0, "encryption-key", struct task_args, payload.key_text, "PEM",                   \
                 "the same, the key itself"),                                                      \
        FLAG_INT(0, "priority", struct task_args, priority, 0, 2, "N",                             \
                 "0, 1 or 2; higher comes first"),                                                 \
        FLAG_TIME(0, "timeout", struct task_args, timeout_ms, INT64_MAX,                           \
                  "how long it may run: seconds, or with m, h; 0 = the maximum"),                  \
        FLAG_TIME(0, "delay", struct task_args, delay_ms, BOUND_DELAY_S * 1000LL,                  \
                  "how long it stays queued at least"),                                            \
        FLAG_STR(0, "label", struct task_args, label, "TEXT", "shown in lists"),                   \
        FLAG_STR(0, "cluster", struct task_args, cluster, "NAME", "runners that may take it"),     \
        FLAG_BOOL('w', "wait", struct task_args, wait, "follow its log and exit as it does")

/* task_args_preset: nothing is said. */
void task_args_preset(void *args);

/* task_args_queue: queues what `a` says, with `payload`. The answer has a task id for each:
 * reply_task_id. */
NODISCARD int task_args_queue(struct client *c, const char *code_name, const struct task_args *a,
                              const struct buf *payload, struct reply *ret, struct err *e);

/* reply_task_id: the id of the i-th task in an answer, "" when there is none. */
const char *reply_task_id(const struct reply *r, size_t i);
