/* The shared state of a runner. Changes of the engine's and the server's state are logged here, so
 * that an outage is one line at its beginning and one at its end, however many calls fail. */
#include "runner/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "runner/sync.h"

#include "lib/banned.h"

#define LIMIT_HOLD_MS 60000

void node_init(struct node *n)
{
    sync_init(&n->mu, &n->changed);
    n->lock_fd = -1;
    n->server_up = true; /* until a call fails: no line at start */
    n->last_poll_ms = -1;
    str_copy(n->engine_problem, sizeof n->engine_problem, "not asked yet");
}

void node_release(struct node *n)
{
    free(n->auth);
    payload_key_free(n->key);
    buf_release(&n->seccomp);
    if (n->lock_fd >= 0)
        close(n->lock_fd);
    pthread_cond_destroy(&n->changed);
    pthread_mutex_destroy(&n->mu);
}

int node_temp_file(const struct node *n, struct err *e)
{
    autofree char *path = str_fmt("%s/tmp", n->set.state_dir);
    int fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : err_os(e, ERR_IO, errno, "temporary file in %s", path);
}

void node_stop(struct node *n, enum stop_level level)
{
    pthread_mutex_lock(&n->mu);
    if ((int)level > atomic_load(&n->stop))
        atomic_store(&n->stop, (int)level);
    n->changes++;
    pthread_cond_broadcast(&n->changed);
    pthread_mutex_unlock(&n->mu);
}

void node_pause(struct node *n, int64_t ms)
{
    int64_t deadline_ms = clock_mono_ms() + ms;
    int level = atomic_load(&n->stop);
    pthread_mutex_lock(&n->mu);
    while (atomic_load(&n->stop) == level && clock_mono_ms() < deadline_ms)
        sync_wait(&n->changed, &n->mu, deadline_ms);
    pthread_mutex_unlock(&n->mu);
}

void node_engine_up(struct node *n, const char *version, int64_t cpus, int64_t memory_bytes)
{
    pthread_mutex_lock(&n->mu);
    bool was = n->engine_up;
    n->engine_up = true;
    n->engine_problem[0] = '\0';
    str_copy(n->engine_version, sizeof n->engine_version, version);
    n->host_cpus = cpus;
    n->host_memory_bytes = memory_bytes;
    n->changes += was ? 0 : 1;
    pthread_cond_broadcast(&n->changed);
    pthread_mutex_unlock(&n->mu);
    if (!was)
        log_info("engine answers version=%s cpus=%lld memory=%lld", version, (long long)cpus,
                 (long long)memory_bytes);
}

void node_engine_down(struct node *n, const struct err *e)
{
    pthread_mutex_lock(&n->mu);
    bool first = n->engine_up || strcmp(n->engine_problem, "not asked yet") == 0;
    n->changes += n->engine_up ? 1 : 0;
    n->engine_up = false;
    str_copy(n->engine_problem, sizeof n->engine_problem, e->msg);
    pthread_cond_broadcast(&n->changed);
    pthread_mutex_unlock(&n->mu);
    if (first)
        log_error("engine not answering, taking no tasks: %s", e->msg);
}

void node_engine_failed(struct node *n, const struct err *e)
{
    if (e->code == ERR_UNREACHABLE || e->code == ERR_TIMEOUT)
        node_engine_down(n, e);
}

bool node_engine_is_up(struct node *n)
{
    pthread_mutex_lock(&n->mu);
    bool up = n->engine_up;
    pthread_mutex_unlock(&n->mu);
    return up;
}

void node_server_seen(struct node *n, int rc, const struct err *e)
{
    bool up = rc == 0;
    pthread_mutex_lock(&n->mu);
    bool was = n->server_up;
    n->server_up = up;
    str_copy(n->server_problem, sizeof n->server_problem, up ? "" : e->msg);
    pthread_mutex_unlock(&n->mu);
    if (was && !up)
        log_warn("server not answering, working on: %s", e->msg);
    if (!was && up)
        log_info("server answers again");
}

void node_polled(struct node *n)
{
    pthread_mutex_lock(&n->mu);
    n->last_poll_ms = clock_mono_ms();
    pthread_mutex_unlock(&n->mu);
}

void node_hold(struct node *n, const char *problem)
{
    pthread_mutex_lock(&n->mu);
    str_copy(n->limit_problem, sizeof n->limit_problem, problem);
    n->limit_hold_ms = clock_mono_ms() + LIMIT_HOLD_MS;
    n->changes++;
    pthread_cond_broadcast(&n->changed);
    pthread_mutex_unlock(&n->mu);
    log_error("taking no tasks for %d s: %s", LIMIT_HOLD_MS / 1000, problem);
}

/* mu held */
static bool is_ready(struct node *n)
{
    if (n->limit_problem[0] && clock_mono_ms() >= n->limit_hold_ms)
        n->limit_problem[0] = '\0';
    return n->engine_up && !n->limit_problem[0];
}

bool node_wait_ready(struct node *n, int64_t ms)
{
    int64_t deadline_ms = clock_mono_ms() + ms;
    int level = atomic_load(&n->stop);
    pthread_mutex_lock(&n->mu);
    bool ready;
    while (!(ready = is_ready(n)) && atomic_load(&n->stop) == level &&
           clock_mono_ms() < deadline_ms)
        sync_wait(&n->changed, &n->mu, deadline_ms);
    pthread_mutex_unlock(&n->mu);
    return ready;
}

void node_wait_change(struct node *n, int64_t ms)
{
    int64_t deadline_ms = clock_mono_ms() + ms;
    pthread_mutex_lock(&n->mu);
    uint64_t seen = n->changes;
    while (n->changes == seen && clock_mono_ms() < deadline_ms)
        sync_wait(&n->changed, &n->mu, deadline_ms);
    pthread_mutex_unlock(&n->mu);
}

void node_changed(struct node *n)
{
    pthread_mutex_lock(&n->mu);
    n->changes++;
    pthread_cond_broadcast(&n->changed);
    pthread_mutex_unlock(&n->mu);
}

void node_status(struct node *n, struct node_status *ret)
{
    memset(ret, 0, sizeof *ret);
    pthread_mutex_lock(&n->mu);
    is_ready(n); /* forgets a hold that is over */
    ret->engine_up = n->engine_up;
    ret->server_up = n->server_up;
    str_copy(ret->server_problem, sizeof ret->server_problem, n->server_problem);
    str_copy(ret->engine_version, sizeof ret->engine_version, n->engine_version);
    ret->host_cpus = n->host_cpus;
    ret->host_memory_bytes = n->host_memory_bytes;
    ret->poll_age_ms = n->last_poll_ms < 0 ? -1 : clock_mono_ms() - n->last_poll_ms;
    if (!n->engine_up)
        snprintf(ret->problem, sizeof ret->problem, "engine not answering: %s", n->engine_problem);
    else if (atomic_load(&n->stop) != RUN)
        str_copy(ret->problem, sizeof ret->problem, "runner is shutting down");
    else
        str_copy(ret->problem, sizeof ret->problem, n->limit_problem);
    pthread_mutex_unlock(&n->mu);
}
