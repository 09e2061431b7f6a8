/* The table of volumes that this process knows, and how one is filled. */
#include "runner/volumes.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/archive.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "runner/sync.h"

#include "lib/banned.h"

#define HELPER_MOUNT     "/volume"
#define NAME_HASH_DIGITS 32

struct volume {
    char name[VOLUME_NAME_BYTES];
    char helper[VOLUME_NAME_BYTES + 16]; /* of this process, while it fills; "" otherwise */
    int holders;
    bool distrusted;
    int64_t used_ms;
    struct volume *next;
};

struct volumes {
    struct node *node;
    pthread_mutex_t mu;
    pthread_cond_t changed;
    struct volume *first; /* guarded by mu, all of it */
};

struct volumes *volumes_new(struct node *n)
{
    struct volumes *vs = calloc(1, sizeof *vs);
    if (!vs)
        abort();
    vs->node = n;
    sync_init(&vs->mu, &vs->changed);
    return vs;
}

void volumes_free(struct volumes *vs)
{
    if (!vs)
        return;
    while (vs->first) {
        struct volume *next = vs->first->next;
        free(vs->first);
        vs->first = next;
    }
    pthread_cond_destroy(&vs->changed);
    pthread_mutex_destroy(&vs->mu);
    free(vs);
}

/* mu held */
static struct volume *find(struct volumes *vs, const char *name)
{
    for (struct volume *v = vs->first; v; v = v->next)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

/* mu held */
static struct volume *find_or_add(struct volumes *vs, const char *name)
{
    struct volume *v = find(vs, name);
    if (v)
        return v;
    v = calloc(1, sizeof *v);
    if (!v)
        abort();
    str_copy(v->name, sizeof v->name, name);
    v->next = vs->first;
    vs->first = v;
    return v;
}

/* ---- filling ---- */

/* An engine's refusal here is never the task's own fault. */
static int ours(struct err *e, const char *what)
{
    if (e->code == ERR_INVALID || e->code == ERR_NOT_FOUND)
        e->code = ERR_UNAVAILABLE;
    return err_wrap(e, "%s", what);
}

static int create_helper(struct volumes *vs, struct engine *g, const struct volume_want *want,
                         const char *name, const char *helper, struct err *e)
{
    const char *const never_run[] = {"/never-started", NULL};
    const struct engine_label labels[] = {
        {LABEL_RUNNER, vs->node->id}, {LABEL_KIND, "fill"}, {LABEL_VOLUME, name}};
    const struct engine_mount mount = {.volume = name, .target = HELPER_MOUNT};
    const struct engine_spec spec = {.name = helper,
                                     .image = want->image,
                                     .entrypoint = never_run,
                                     .labels = labels,
                                     .n_labels = ARRAY_LEN(labels),
                                     .mounts = &mount,
                                     .n_mounts = 1,
                                     .network_mode = "none"};
    char id[ENGINE_ID_TEXT];
    AUTO(buf) struct buf warnings = BUF_INIT(4096);
    return engine_create(g, &spec, id, &warnings, e);
}

/* The content first, the marker last. */
static int put_content(struct engine *g, const struct volume_want *want, const char *helper,
                       struct err *e)
{
    autoclose int tar = -1;
    uint64_t len = 0;
    if (want->make(want->arg, &tar, &len, e))
        return e->code;
    AUTO(buf) struct buf marker = BUF_INIT(65536);
    if (engine_put_tar(g, helper, HELPER_MOUNT, tar, NULL, len, e) ||
        tar_one(VOLUME_MARKER, 0444, 0, 0, want->sha256, strlen(want->sha256), &marker, e) ||
        engine_put_tar(g, helper, HELPER_MOUNT, -1, marker.data, marker.len, e))
        return ours(e, "filling a volume");
    return 0;
}

static int fill(struct volumes *vs, struct engine *g, const struct volume_want *want,
                const char *name, const char *helper, struct err *e)
{
    struct err ignored = {0};
    const struct engine_label labels[] = {{LABEL_KIND, want->kind},
                                          {"wrought.sha256", want->sha256}};
    if (engine_remove(g, helper, &ignored))
        log_debug("removing %s: %s", helper, ignored.msg); /* create says it better */
    if (engine_volume_create(g, name, labels, ARRAY_LEN(labels), e) ||
        create_helper(vs, g, want, name, helper, e))
        return ours(e, "volume");
    int rc = put_content(g, want, helper, e);
    struct err remove_err = {0};
    if (engine_remove(g, helper, &remove_err))
        log_warn("cannot remove %s: %s", helper, remove_err.msg); /* reconcile tries again */
    if (rc && engine_volume_remove(g, name, &remove_err))
        log_warn("cannot remove %s: %s", name, remove_err.msg);
    return rc;
}

/* Makes sure that the volume exists; the only caller for this name at a time. */
static int ensure(struct volumes *vs, struct engine *g, const struct volume_want *want,
                  struct volume *v, bool distrusted, struct err *e)
{
    bool exists = false;
    if (distrusted && engine_volume_remove(g, v->name, e))
        return ours(e, "removing a broken volume");
    if (engine_volume_exists(g, v->name, &exists, e))
        return ours(e, "volume");
    return exists ? 0 : fill(vs, g, want, v->name, v->helper, e);
}

int volumes_hold(struct volumes *vs, struct engine *g, const struct volume_want *want,
                 char ret_name[VOLUME_NAME_BYTES], struct err *e)
{
    char name[VOLUME_NAME_BYTES];
    snprintf(name, sizeof name, "wrought-%s-%.*s", want->kind, NAME_HASH_DIGITS, want->sha256);
    pthread_mutex_lock(&vs->mu);
    struct volume *v = find_or_add(vs, name);
    v->holders++;
    while (v->helper[0]) /* another slot is at it */
        sync_wait(&vs->changed, &vs->mu, clock_mono_ms() + 60000);
    snprintf(v->helper, sizeof v->helper, "%s-%.8s", name, vs->node->id);
    bool distrusted = v->distrusted && v->holders == 1;
    pthread_mutex_unlock(&vs->mu);

    int rc = ensure(vs, g, want, v, distrusted, e);

    pthread_mutex_lock(&vs->mu);
    v->helper[0] = '\0';
    v->used_ms = clock_mono_ms();
    if (rc)
        v->holders--;
    else if (distrusted)
        v->distrusted = false;
    pthread_cond_broadcast(&vs->changed);
    pthread_mutex_unlock(&vs->mu);
    if (rc == 0)
        str_copy(ret_name, VOLUME_NAME_BYTES, name);
    return rc;
}

void volumes_drop(struct volumes *vs, const char *name)
{
    pthread_mutex_lock(&vs->mu);
    struct volume *v = find(vs, name);
    if (v && v->holders > 0)
        v->holders--;
    pthread_mutex_unlock(&vs->mu);
}

void volumes_distrust(struct volumes *vs, const char *name)
{
    pthread_mutex_lock(&vs->mu);
    find_or_add(vs, name)->distrusted = true;
    pthread_mutex_unlock(&vs->mu);
    log_warn("volume %s has not the content it should have", name);
}

bool volumes_is_filling(struct volumes *vs, const char *container)
{
    bool found = false;
    pthread_mutex_lock(&vs->mu);
    for (struct volume *v = vs->first; v && !found; v = v->next)
        found = strcmp(v->helper, container) == 0;
    pthread_mutex_unlock(&vs->mu);
    return found;
}

/* ---- trimming ---- */

/* When the volume was used last by this process; 0 = never; -1 = it is held. */
static int64_t last_used_ms(struct volumes *vs, const char *name)
{
    pthread_mutex_lock(&vs->mu);
    const struct volume *v = find(vs, name);
    int64_t used_ms = !v ? 0 : v->holders > 0 ? -1 : v->used_ms;
    pthread_mutex_unlock(&vs->mu);
    return used_ms;
}

/* What was removed need not be remembered. */
static void forget(struct volumes *vs, const char *name)
{
    pthread_mutex_lock(&vs->mu);
    for (struct volume **at = &vs->first; *at; at = &(*at)->next) {
        if (strcmp((*at)->name, name) == 0 && (*at)->holders == 0) {
            struct volume *gone = *at;
            *at = gone->next;
            free(gone);
            break;
        }
    }
    pthread_mutex_unlock(&vs->mu);
}

void volumes_trim(struct volumes *vs, struct engine *g, int64_t keep)
{
    struct engine_entry *list = NULL;
    size_t n = 0;
    struct err e = {0};
    if (engine_volume_list(g, LABEL_KIND, "code", &list, &n, &e)) {
        node_engine_failed(vs->node, &e);
        return;
    }
    for (int64_t surplus = (int64_t)n - keep; surplus > 0; surplus--) {
        struct engine_entry *oldest = NULL;
        int64_t oldest_ms = INT64_MAX;
        for (size_t i = 0; i < n; i++) {
            int64_t used_ms = list[i].name ? last_used_ms(vs, list[i].name) : -1;
            if (used_ms >= 0 && used_ms < oldest_ms) {
                oldest_ms = used_ms;
                oldest = &list[i];
            }
        }
        if (!oldest)
            break;
        if (engine_volume_remove(g, oldest->name, &e))
            log_debug("keeping volume %s: %s", oldest->name, e.msg); /* in use elsewhere */
        else
            forget(vs, oldest->name);
        free(TAKE(oldest->name)); /* not looked at again */
    }
    engine_list_free(list, n);
}
