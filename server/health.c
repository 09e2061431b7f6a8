/* The probe. Neighbours: server/main.c ticks, server/h_ops.c answers /health from what is known. */
#include "server/health.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/str.h"
#include "server/ops.h"

#include "lib/banned.h"

#define PROBE_EVERY_MS 3000
#define SILENT_MS      15000 /* a probe that takes longer than this is a failed one */

struct health {
    struct writer *writer;
    struct op_probe probe; /* the writer's while `under_way` */
    pthread_mutex_t mu;
    bool under_way;                           /* guarded by mu, as are these: */
    int64_t next_ms, ended_ms;                /* monotonic; of the probe */
    char why[sizeof(((struct err *)0)->msg)]; /* "" = the last one went through */
};

struct health *health_new(struct writer *wr)
{
    struct health *h = calloc(1, sizeof(*h));
    if (!h)
        abort();
    h->writer = wr;
    h->ended_ms = clock_mono_ms(); /* opening the store has just written */
    pthread_mutex_init(&h->mu, NULL);
    return h;
}

void health_free(struct health *h)
{
    if (!h)
        return;
    pthread_mutex_destroy(&h->mu);
    free(h);
}

static void probed(struct work *w)
{
    struct health *h = w->arg;
    pthread_mutex_lock(&h->mu);
    h->under_way = false;
    h->ended_ms = clock_mono_ms();
    h->next_ms = h->ended_ms + PROBE_EVERY_MS;
    str_copy(h->why, sizeof(h->why), w->err.code ? w->err.msg : "");
    pthread_mutex_unlock(&h->mu);
}

void health_tick(struct health *h)
{
    pthread_mutex_lock(&h->mu);
    bool due = !h->under_way && clock_mono_ms() >= h->next_ms;
    h->under_way |= due;
    pthread_mutex_unlock(&h->mu);
    if (!due)
        return;
    op_probe_init(&h->probe);
    h->probe.w.done = probed;
    h->probe.w.arg = h;
    writer_submit(h->writer, &h->probe.w);
}

bool health_ok(struct health *h, char *why, size_t why_bytes)
{
    pthread_mutex_lock(&h->mu);
    int64_t silent_ms = clock_mono_ms() - h->ended_ms;
    if (h->why[0])
        str_copy(why, why_bytes, h->why);
    else if (silent_ms > SILENT_MS)
        (void)snprintf(why, why_bytes, "no write went through for %lld s",
                       (long long)(silent_ms / 1000));
    else
        str_copy(why, why_bytes, "");
    pthread_mutex_unlock(&h->mu);
    return !why[0];
}
