/* The engine's health and the runner's registration. */
#include "runner/beacon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "runner/engine/engine.h"
#include "runner/uplink.h"

#include "lib/banned.h"

#define PING_MS     5000
#define PING_ILL_MS 1000 /* while the engine is down */
#define REGISTER_MS 60000

struct beacon {
    pthread_t thread;
    struct node *node;
    struct engine *engine;
    struct uplink *up;
    char said[700];      /* what the server was told last */
    int64_t register_ms; /* when it is to be told again */
    int64_t cpus, memory_bytes;
    _Atomic bool stop;
};

static void ping(struct beacon *b)
{
    struct engine_version version;
    struct engine_host host;
    struct err e = {0};
    int rc = engine_ping(b->engine, &version, &e);
    if (rc == 0 && (b->cpus == 0 || !node_engine_is_up(b->node))) {
        rc = engine_info(b->engine, &host, &e);
        if (rc == 0) {
            b->cpus = host.cpus;
            b->memory_bytes = host.memory_bytes;
        }
    }
    if (rc)
        node_engine_down(b->node, &e);
    else
        node_engine_up(b->node, version.version, b->cpus, b->memory_bytes);
}

/* The problem and the stacks as one text: what to compare for a change. */
static void summarize(struct beacon *b, char *const *stacks, char *out, size_t out_bytes)
{
    struct node_status st;
    node_status(b->node, &st);
    size_t at = (size_t)snprintf(out, out_bytes, "%.300s;", st.problem);
    for (size_t i = 0; stacks && stacks[i] && at < out_bytes; i++)
        at += (size_t)snprintf(out + at, out_bytes - at, "%s,", stacks[i]);
}

static void tell_server(struct beacon *b)
{
    char **stacks = NULL, now[sizeof b->said];
    struct err e = {0};
    if (node_engine_is_up(b->node) && engine_stacks(b->engine, &stacks, &e))
        node_engine_failed(b->node, &e);
    summarize(b, stacks, now, sizeof now);
    if (clock_mono_ms() >= b->register_ms || strcmp(now, b->said) != 0) {
        int rc = uplink_register(b->up, (const char *const *)stacks, &e);
        if (rc == 0) {
            str_copy(b->said, sizeof b->said, now);
            b->register_ms = clock_mono_ms() + REGISTER_MS;
        } else if (!err_retryable(rc)) {
            log_error("registration refused: %s", e.msg);
            b->register_ms = clock_mono_ms() + REGISTER_MS;
            str_copy(b->said, sizeof b->said, now);
        }
    }
    engine_strings_free(stacks);
}

static void *beacon_main(void *arg)
{
    struct beacon *b = arg;
    while (!atomic_load(&b->stop)) {
        ping(b);
        tell_server(b);
        node_wait_change(b->node, node_engine_is_up(b->node) ? PING_MS : PING_ILL_MS);
    }
    return NULL;
}

struct beacon *beacon_start(struct node *n)
{
    struct beacon *b = calloc(1, sizeof *b);
    struct err e = {0};
    if (!b)
        abort();
    b->node = n;
    b->up = uplink_new(n);
    if (engine_new(n->set.engine, &b->engine, &e) ||
        pthread_create(&b->thread, NULL, beacon_main, b) != 0)
        abort(); /* the address was checked at start */
    return b;
}

void beacon_stop(struct beacon *b)
{
    atomic_store(&b->stop, true);
    node_changed(b->node);
    pthread_join(b->thread, NULL);
    uplink_free(b->up);
    engine_free(b->engine);
    free(b);
}
