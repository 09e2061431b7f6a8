/* A small list: a runner has as many jobs as slots, and a few adopted ones. */
#include "runner/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/banned.h"

struct jobs {
    pthread_mutex_t mu;
    struct job **list; /* guarded by mu */
    size_t n, cap;     /* guarded by mu */
};

struct jobs *jobs_new(void)
{
    struct jobs *js = calloc(1, sizeof *js);
    if (!js)
        abort();
    pthread_mutex_init(&js->mu, NULL);
    return js;
}

void jobs_free(struct jobs *js)
{
    if (!js)
        return;
    free(js->list);
    pthread_mutex_destroy(&js->mu);
    free(js);
}

void jobs_add(struct jobs *js, struct job *j)
{
    pthread_mutex_lock(&js->mu);
    if (js->n == js->cap) {
        js->cap = js->cap ? js->cap * 2 : 16;
        js->list = realloc(js->list, js->cap * sizeof(struct job *));
        if (!js->list)
            abort();
    }
    js->list[js->n++] = j;
    pthread_mutex_unlock(&js->mu);
}

void jobs_remove(struct jobs *js, struct job *j)
{
    pthread_mutex_lock(&js->mu);
    for (size_t i = 0; i < js->n; i++)
        if (js->list[i] == j)
            js->list[i--] = js->list[--js->n];
    pthread_mutex_unlock(&js->mu);
}

size_t jobs_count(struct jobs *js)
{
    pthread_mutex_lock(&js->mu);
    size_t n = js->n;
    pthread_mutex_unlock(&js->mu);
    return n;
}

bool jobs_has_container(struct jobs *js, const char *name)
{
    bool found = false;
    pthread_mutex_lock(&js->mu);
    for (size_t i = 0; i < js->n && !found; i++)
        found = strcmp(js->list[i]->container, name) == 0 ||
                (js->list[i]->adopted && strcmp(js->list[i]->sandbox, name) == 0);
    pthread_mutex_unlock(&js->mu);
    return found;
}

size_t jobs_held(struct jobs *js, struct held **ret)
{
    pthread_mutex_lock(&js->mu);
    size_t n = js->n;
    struct held *held = calloc(n + 1, sizeof *held);
    if (!held)
        abort();
    for (size_t i = 0; i < n; i++) {
        struct job *j = js->list[i];
        held[i].ref = j->grant.ref;
        pthread_mutex_lock(&j->mu);
        held[i].known = j->order;
        pthread_mutex_unlock(&j->mu);
    }
    pthread_mutex_unlock(&js->mu);
    *ret = held;
    return n;
}

int64_t jobs_newest_ms(struct jobs *js)
{
    int64_t newest_ms = 0;
    pthread_mutex_lock(&js->mu);
    for (size_t i = 0; i < js->n; i++)
        if (js->list[i]->arrived_ms > newest_ms)
            newest_ms = js->list[i]->arrived_ms;
    pthread_mutex_unlock(&js->mu);
    return newest_ms;
}

bool jobs_order(struct jobs *js, const struct held *order)
{
    bool found = false;
    pthread_mutex_lock(&js->mu);
    for (size_t i = 0; i < js->n; i++) {
        struct job *j = js->list[i];
        if (j->grant.ref.attempt == order->ref.attempt &&
            strcmp(j->grant.ref.task, order->ref.task) == 0) {
            job_give_order(j, order->known);
            found = true;
        }
    }
    pthread_mutex_unlock(&js->mu);
    return found;
}

void jobs_wake_all(struct jobs *js)
{
    pthread_mutex_lock(&js->mu);
    for (size_t i = 0; i < js->n; i++)
        job_wake(js->list[i]);
    pthread_mutex_unlock(&js->mu);
}
