/* Counters for /metrics, in the text format of Prometheus. Any thread; counting takes no lock. */
#pragma once

#include <stdint.h>

#include "lib/buf.h"

struct metrics;
struct route;

enum metric {
    METRIC_TASKS_QUEUED,
    METRIC_LEASES_GRANTED,
    METRIC_FINISHES,
    METRIC_LOG_BYTES,
    METRIC_UPLOADS,
    METRICS,
};

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m); /* NULL is fine */
/* metrics_request: `route` NULL for one that matched none; `status` 0 for one that got no answer.
 */
void metrics_request(struct metrics *m, const struct route *route, unsigned status);
void metrics_add(struct metrics *m, enum metric what, uint64_t n);
void metrics_text(const struct metrics *m, struct buf *out);
