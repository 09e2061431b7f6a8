/* A renewal is parked at the server for a little less than the renewal period, so that an order
 * arrives at once. One that does not cover a job that came meanwhile is broken off and asked anew,
 * but not for the first half second of a job: short tasks would break it off all the time. */
#include "runner/heartbeat.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "runner/uplink.h"

#include "lib/banned.h"

#define PARK_S       (RUNNER_RENEW_S - 2)
#define UNCOVERED_MS 500
#define RETRY_MS     1000
#define IDLE_MS      200 /* between looks for a first job */

struct heartbeat {
    pthread_t thread;
    struct node *node;
    struct jobs *jobs;
    struct uplink *up;
    int64_t asked_ms; /* when the current renewal was put together */
    _Atomic bool stop;
};

/* Non-zero when the parked renewal must be broken off. */
static int is_stale(void *arg)
{
    struct heartbeat *h = arg;
    if (atomic_load(&h->stop))
        return 1;
    int64_t newest_ms = jobs_newest_ms(h->jobs);
    return newest_ms >= h->asked_ms && clock_mono_ms() - newest_ms > UNCOVERED_MS;
}

static void deliver(struct heartbeat *h, const struct held *orders, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!jobs_order(h->jobs, &orders[i]))
            continue; /* it ended meanwhile */
        log_info("order %s task=%s attempt=%lld",
                 orders[i].known == ORDER_CANCEL ? "cancel" : "lost", orders[i].ref.task,
                 (long long)orders[i].ref.attempt);
    }
}

/* One renewal. False when it failed. */
static bool renew(struct heartbeat *h)
{
    struct held *held = NULL, *orders = NULL;
    size_t n_orders = 0;
    struct err e = {0};
    struct uplink_idle idle = {is_stale, h};
    h->asked_ms = clock_mono_ms();
    size_t n = jobs_held(h->jobs, &held);
    int rc = uplink_renew(h->up, held, n, PARK_S, &idle, &orders, &n_orders, &e);
    if (rc == 0)
        deliver(h, orders, n_orders);
    else if (rc != ERR_CANCELLED && !err_retryable(rc))
        log_error("renewal refused: %s", e.msg);
    free(orders);
    free(held);
    return rc == 0 || rc == ERR_CANCELLED;
}

static void *heartbeat_main(void *arg)
{
    struct heartbeat *h = arg;
    while (!atomic_load(&h->stop)) {
        if (jobs_count(h->jobs) == 0)
            node_pause(h->node, IDLE_MS);
        else if (!renew(h))
            node_pause(h->node, RETRY_MS);
    }
    return NULL;
}

struct heartbeat *heartbeat_start(struct node *n, struct jobs *js)
{
    struct heartbeat *h = calloc(1, sizeof *h);
    if (!h)
        abort();
    h->node = n;
    h->jobs = js;
    h->up = uplink_new(n);
    if (pthread_create(&h->thread, NULL, heartbeat_main, h) != 0)
        abort();
    return h;
}

void heartbeat_stop(struct heartbeat *h)
{
    atomic_store(&h->stop, true);
    pthread_join(h->thread, NULL);
    uplink_free(h->up);
    free(h);
}
