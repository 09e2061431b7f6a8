/* Removal and reconciliation. A container that cannot be removed now stays on the engine with its
 * labels, and the next round finds it again: the queue is only the fast way. */
#include "runner/janitor.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "runner/command.h"
#include "runner/sync.h"

#include "lib/banned.h"

#define ROUND_MS 60000

struct janitor {
    pthread_t thread;
    struct node *node;
    struct jobs *jobs;
    struct volumes *volumes;
    struct sandboxes *sandboxes;
    struct engine *engine;
    pthread_mutex_t mu;
    pthread_cond_t changed;
    struct words queue; /* guarded by mu */
    int64_t stop_ms;    /* guarded by mu; 0 = go on, else give the queue up then */
};

static void remove_container(struct janitor *jn, const char *name)
{
    struct err e = {0};
    if (engine_remove(jn->engine, name, &e)) {
        node_engine_failed(jn->node, &e);
        log_warn("cannot remove container %s: %s", name, e.msg);
    }
}

/* A helper that a dead runner left behind: what it was filling is not to be trusted. */
static void remove_helper(struct janitor *jn, const struct engine_entry *entry)
{
    const char *volume = engine_entry_label(entry, LABEL_VOLUME);
    struct err e = {0};
    remove_container(jn, entry->id);
    if (volume && engine_volume_remove(jn->engine, volume, &e))
        log_warn("cannot remove volume %s: %s", volume, e.msg);
}

static bool is_ours(struct janitor *jn, const char *name)
{
    return jobs_has_container(jn->jobs, name) || sandboxes_has(jn->sandboxes, name) ||
           volumes_is_filling(jn->volumes, name);
}

/* The list comes before the look at the jobs: a container is made after its job is known. */
static void reconcile(struct janitor *jn)
{
    struct engine_entry *list = NULL;
    size_t n = 0;
    struct err e = {0};
    if (engine_list(jn->engine, LABEL_RUNNER, jn->node->id, &list, &n, &e)) {
        node_engine_failed(jn->node, &e);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = list[i].name ? list[i].name : "";
        const char *kind = engine_entry_label(&list[i], LABEL_KIND);
        if (is_ours(jn, name))
            continue;
        log_info("removing leftover container %s", name);
        if (kind && strcmp(kind, "fill") == 0)
            remove_helper(jn, &list[i]);
        else
            remove_container(jn, list[i].id);
    }
    engine_list_free(list, n);
    volumes_trim(jn->volumes, jn->engine, jn->node->set.code_volumes);
}

/* The next name to remove, owned; NULL when `deadline_ms` has come or the janitor is to end. */
static char *next_name(struct janitor *jn, int64_t deadline_ms)
{
    char *name = NULL;
    pthread_mutex_lock(&jn->mu);
    while (jn->queue.n == 0 && !jn->stop_ms && clock_mono_ms() < deadline_ms)
        sync_wait(&jn->changed, &jn->mu, deadline_ms);
    if (jn->queue.n > 0 && !(jn->stop_ms && clock_mono_ms() >= jn->stop_ms)) {
        name = jn->queue.v[0];
        memmove(jn->queue.v, jn->queue.v + 1, jn->queue.n-- * sizeof(char *));
    }
    pthread_mutex_unlock(&jn->mu);
    return name;
}

static bool must_end(struct janitor *jn)
{
    pthread_mutex_lock(&jn->mu);
    bool end = jn->stop_ms && (jn->queue.n == 0 || clock_mono_ms() >= jn->stop_ms);
    pthread_mutex_unlock(&jn->mu);
    return end;
}

static void *janitor_main(void *arg)
{
    struct janitor *jn = arg;
    int64_t round_ms = 0;
    while (!must_end(jn)) {
        if (clock_mono_ms() >= round_ms && node_engine_is_up(jn->node)) {
            reconcile(jn);
            round_ms = clock_mono_ms() + ROUND_MS;
        }
        int64_t now_ms = clock_mono_ms();
        char *name = next_name(jn, round_ms > now_ms ? round_ms : now_ms + 1000);
        if (name)
            remove_container(jn, name);
        free(name);
    }
    return NULL;
}

struct janitor *janitor_start(struct node *n, struct jobs *js, struct volumes *vs,
                              struct sandboxes *sbs)
{
    struct janitor *jn = calloc(1, sizeof *jn);
    struct err e = {0};
    if (!jn)
        abort();
    jn->node = n;
    jn->jobs = js;
    jn->volumes = vs;
    jn->sandboxes = sbs;
    sync_init(&jn->mu, &jn->changed);
    if (engine_new(n->set.engine, &jn->engine, &e) ||
        pthread_create(&jn->thread, NULL, janitor_main, jn) != 0)
        abort(); /* the address was checked at start */
    return jn;
}

void janitor_remove(struct janitor *jn, const char *container)
{
    pthread_mutex_lock(&jn->mu);
    words_add(&jn->queue, container);
    pthread_cond_broadcast(&jn->changed);
    pthread_mutex_unlock(&jn->mu);
}

void janitor_stop(struct janitor *jn, int64_t ms)
{
    pthread_mutex_lock(&jn->mu);
    jn->stop_ms = clock_mono_ms() + ms;
    pthread_cond_broadcast(&jn->changed);
    pthread_mutex_unlock(&jn->mu);
    pthread_join(jn->thread, NULL);
    engine_free(jn->engine);
    words_release(&jn->queue);
    pthread_cond_destroy(&jn->changed);
    pthread_mutex_destroy(&jn->mu);
    free(jn);
}
