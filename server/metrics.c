/* Counters and their text form (https://prometheus.io/docs/instrumenting/exposition_formats/). */
#include "server/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/confine.h"
#include "server/routes.h"

#include "lib/banned.h"

#define ROUTES_MAX 64

/* The statuses that the server sends; what else there may be is counted under the last. */
static const unsigned statuses[] = {200, 400, 401, 403, 404, 405, 406, 409, 413, 429, 500, 503, 0};

struct metrics {
    int64_t start_ms;
    atomic_uint_fast64_t requests[ROUTES_MAX + 1][ARRAY_LEN(statuses)]; /* last row: no route */
    atomic_uint_fast64_t value[METRICS];
};

static const struct {
    const char *name, *help;
} rows[METRICS] = {
    [METRIC_TASKS_QUEUED] = {"wrought_tasks_queued_total", "Tasks queued by clients."},
    [METRIC_LEASES_GRANTED] = {"wrought_leases_granted_total", "Attempts given to runners."},
    [METRIC_FINISHES] = {"wrought_attempts_finished_total", "Endings that runners reported."},
    [METRIC_LOG_BYTES] = {"wrought_log_bytes_total", "Bytes of log appends, framing included."},
    [METRIC_UPLOADS] = {"wrought_packages_uploaded_total", "Code packages taken."},
};

struct metrics *metrics_new(void)
{
    struct metrics *m = calloc(1, sizeof(*m));
    if (!m)
        abort();
    m->start_ms = clock_mono_ms();
    return m;
}

void metrics_free(struct metrics *m)
{
    free(m);
}

void metrics_request(struct metrics *m, const struct route *route, unsigned status)
{
    size_t row = route ? (size_t)(route - routes) : ROUTES_MAX, column = 0;
    if (row > ROUTES_MAX)
        row = ROUTES_MAX;
    while (column < ARRAY_LEN(statuses) - 1 && statuses[column] != status)
        column++;
    atomic_fetch_add_explicit(&m->requests[row][column], 1, memory_order_relaxed);
}

void metrics_add(struct metrics *m, enum metric what, uint64_t n)
{
    atomic_fetch_add_explicit(&m->value[what], n, memory_order_relaxed);
}

static void put_requests(const struct metrics *m, size_t row, struct buf *out)
{
    const struct route *r = row < n_routes ? &routes[row] : NULL;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        uint64_t n = atomic_load_explicit(&m->requests[row][i], memory_order_relaxed);
        if (n == 0)
            continue;
        buf_addf(out, "wrought_http_requests_total{method=\"%s\",route=\"%s\",status=\"",
                 r ? r->method : "", r ? r->pattern : "none");
        if (statuses[i])
            buf_addf(out, "%u", statuses[i]);
        else
            buf_adds(out, "other");
        buf_addf(out, "\"} %" PRIu64 "\n", n);
    }
}

void metrics_text(const struct metrics *m, struct buf *out)
{
    buf_adds(out, "# HELP wrought_up_seconds Time since the server started.\n"
                  "# TYPE wrought_up_seconds gauge\n");
    int64_t up_ms = clock_mono_ms() - m->start_ms;
    buf_addf(out, "wrought_up_seconds %" PRId64 ".%03d\n", up_ms / 1000, (int)(up_ms % 1000));
    buf_addf(out,
             "# HELP wrought_confined Whether this process has confined itself.\n"
             "# TYPE wrought_confined gauge\nwrought_confined %d\n",
             confine_is_on());
    for (size_t i = 0; i < METRICS; i++) {
        buf_addf(out, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIuFAST64 "\n", rows[i].name,
                 rows[i].help, rows[i].name, rows[i].name,
                 atomic_load_explicit(&m->value[i], memory_order_relaxed));
    }
    buf_adds(out, "# HELP wrought_http_requests_total Requests by route and status.\n"
                  "# TYPE wrought_http_requests_total counter\n");
    for (size_t row = 0; row < n_routes; row++)
        put_requests(m, row, out);
    put_requests(m, ROUTES_MAX, out);
}
