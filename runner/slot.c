/* The life of a task. Read `work` first: its steps are the functions above it, in their order. */
#include "runner/slot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "runner/attempt.h"
#include "runner/collect.h"
#include "runner/prepare.h"
#include "runner/ship.h"
#include "runner/sync.h"
#include "runner/taskdoc.h"

#include "lib/banned.h"

#define POLL_WAIT_S    25
#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 5000
#define READY_WAIT_MS  60000
#define POLL_HEX       (RUNNER_POLL_HEX + 1)

struct slot {
    pthread_t thread;
    struct slot_shared sh;
    int number;
    struct job *adopted;
    bool once;
    struct engine *engine;
    struct sandbox_seat *seat;
    struct uplink *up;      /* lease, package */
    struct uplink *ship_up; /* reports of the job */
    _Atomic bool done;
};

/* ---- lease ---- */

static int must_stop_polling(void *arg)
{
    struct slot *s = arg;
    return node_stopping(s->sh.node) != RUN || !node_engine_is_up(s->sh.node);
}

/* Asks until an answer came that can be used. False: no more polling for now; the answer to `poll`
 * may then be a grant that nobody has seen. */
static bool ask(struct slot *s, const char *poll, int wait_s, bool *ret_some, struct grant *ret)
{
    const struct uplink_idle idle = {must_stop_polling, s};
    int64_t backoff_ms = BACKOFF_MIN_MS;
    for (;;) {
        struct err e = {0};
        int rc = uplink_lease(s->up, s->number, poll, wait_s, wait_s > 0 ? &idle : NULL, ret_some,
                              ret, &e);
        if (rc == 0)
            return true;
        if (rc == ERR_CANCELLED || must_stop_polling(s))
            return false;
        if (!err_retryable(rc))
            log_error("poll refused: %s slot=%d", e.msg, s->number);
        node_pause(s->sh.node, backoff_ms);
        backoff_ms = backoff_ms * 2 < BACKOFF_MAX_MS ? backoff_ms * 2 : BACKOFF_MAX_MS;
    }
}

static struct job *accept_grant(struct slot *s, struct grant *g)
{
    struct job *j = NULL;
    struct err e = {0};
    log_info("lease granted task=%s attempt=%lld code=%s slot=%d", g->ref.task,
             (long long)g->ref.attempt, g->code_name, s->number);
    if (job_new(s->sh.node, s->number, g, &j, &e)) {
        /* Not accepted: the slot's next poll says so, and the task goes back at once. */
        log_error("cannot accept a task: %s", e.msg);
        node_pause(s->sh.node, BACKOFF_MAX_MS);
        return NULL;
    }
    jobs_add(s->sh.jobs, j);
    return j;
}

/* A poll. NULL when there is nothing to do. */
static struct job *lease(struct slot *s)
{
    char poll[POLL_HEX];
    bool some = false;
    struct grant g = {0};
    struct job *j = NULL;
    random_hex(poll, RUNNER_POLL_HEX / 2);
    bool heard = ask(s, poll, POLL_WAIT_S, &some, &g);
    if (!heard) /* broken off: a grant that was on its way is asked for, and given back by work() */
        (void)ask(s, poll, 0, &some, &g);
    if (some)
        j = accept_grant(s, &g);
    grant_release(&g);
    return j;
}

/* ---- start ---- */

/* Makes the container and starts it. False: *ret says why not. */
static bool start(struct slot *s, struct job *j, struct prepared *pr, struct attempt *a,
                  struct buf *doc, struct verdict *ret)
{
    struct prepare p = {s->sh.node, s->sh.volumes, s->engine, s->up, s->seat};
    struct err e = {0};
    if (node_stopping(s->sh.node) != RUN) {
        verdict_set(ret, CLASS_INFRA, "runner is shutting down");
        return false;
    }
    if (prepare_container(&p, j, pr, &e) == 0) {
        job_prepared(j, &pr->asked, pr->image, pr->image_id, pr->sandbox);
        a->doc = doc;
        const struct taskdoc td = {.grant = &j->grant,
                                   .payload = &pr->payload,
                                   .argv = &pr->argv,
                                   .env = &pr->env,
                                   .dir = pr->dir,
                                   .caps = &pr->asked.caps,
                                   .seccomp = &s->sh.node->seccomp};
        if (taskdoc_build(&td, doc, &e) == 0 && attempt_start(a, &e) == 0)
            return true;
        if (e.code == ERR_CONFLICT)
            volumes_distrust(s->sh.volumes, pr->init_volume);
        if (e.code == ERR_INVALID)
            e.code = ERR_UNAVAILABLE; /* what was asked for was accepted before */
    }
    node_engine_failed(s->sh.node, &e);
    verdict_prepare(ret, &e);
    log_warn("cannot start: %s task=%s attempt=%lld", e.msg, j->grant.ref.task,
             (long long)j->grant.ref.attempt);
    return false;
}

/* Takes a container of a former process over. False: *ret says why not. */
static bool take_over(struct job *j, struct attempt *a, struct verdict *ret)
{
    struct engine_state state;
    struct err e = {0};
    int rc = attempt_inspect(a, &state, &e);
    if (rc == ERR_NOT_FOUND)
        verdict_set(ret, CLASS_INFRA, "the runner was restarted, and the container is gone");
    else if (rc)
        verdict_set(ret, CLASS_INFRA, "the runner was restarted: %s", e.msg);
    else if (!state.running || !j->image)
        verdict_set(ret, CLASS_INFRA, "the runner was restarted, and the container has %s",
                    strcmp(state.status, "created") == 0 ? "not been started" : "ended meanwhile");
    else if (attempt_resume(a, &e))
        verdict_set(ret, CLASS_INFRA, "the runner was restarted: %s", e.msg);
    else
        return true;
    return false;
}

/* ---- end ---- */

static void note_limits(struct slot *s, const struct attempt *a)
{
    AUTO(buf) struct buf unapplied = BUF_INIT(4096);
    bool ran = a->has_end && a->end.kind != END_SETUP_FAILED && a->end.kind != END_EXEC_FAILED;
    if (ran)
        limits_unapplied(&a->end, &a->job->asked, &unapplied);
    if (unapplied.len > 0)
        node_hold(s->sh.node, buf_str(&unapplied));
}

/* A code volume whose marker is not there or wrong is filled again for the next attempt. */
static void check_volume(struct slot *s, const struct attempt *a, const struct prepared *pr)
{
    bool setup_failed = a->has_end && a->end.kind == END_SETUP_FAILED;
    if (setup_failed && pr->code_volume[0] && strstr(a->end.where, CODE_MARKER))
        volumes_distrust(s->sh.volumes, pr->code_volume);
}

/* A task whose network went away with its sandbox has not failed by its own fault. */
static void check_network(struct slot *s, const struct job *j, struct verdict *v)
{
    struct engine_state state;
    struct err e = {0};
    if (v->class != CLASS_TASK || !j->sandbox[0])
        return;
    int rc = engine_inspect(s->engine, j->sandbox, &state, &e);
    if (rc == ERR_NOT_FOUND || (rc == 0 && !state.running))
        verdict_set(v, CLASS_INFRA, "the task's net sandbox ended while it ran");
}

/* A log that is not whole says so, and how much is missing. */
static void say_incomplete(const struct attempt *a, struct verdict *v)
{
    size_t at = strlen(v->reason);
    if (a->missing + a->dropped == 0 || at + 1 >= sizeof v->reason)
        return;
    snprintf(v->reason + at, sizeof v->reason - at, "%s%llu bytes of the log %s", at ? "; " : "",
             (unsigned long long)(a->missing ? a->missing : a->dropped),
             a->missing ? "are missing" : "over its limit were not kept");
}

/* The end in the job's directory, so that it cannot be lost any more. */
static void write_end(struct job *j, const struct attempt *a, struct verdict *v)
{
    say_incomplete(a, v);
    const struct job_end end = {.verdict = v,
                                .facts = a->has_end ? &a->end : NULL,
                                .log_complete = a->missing == 0 && a->dropped == 0,
                                .dropped_bytes = a->dropped};
    struct err e = {0};
    if (job_finish(j, &end, &e))
        log_error("cannot keep the end of a task: %s task=%s", e.msg, j->grant.ref.task);
}

/* A build that went well is over when its package is on the server. */
static void collect(struct slot *s, struct job *j, struct verdict *v)
{
    struct err e = {0};
    if (!j->grant.collect || v->class != CLASS_OK)
        return;
    const struct collect c = {s->sh.node, s->engine, s->up, j};
    if (collect_package(&c, &e) == 0)
        return;
    node_engine_failed(s->sh.node, &e);
    verdict_collect(v, &e);
    log_warn("build without a package: %s task=%s", e.msg, j->grant.ref.task);
}

/* The container is told to go, or made to. An end that we forced is only reported when the
 * container is seen to be gone; init's own word is enough for the others. */
static void end_container(struct attempt *a)
{
    if (a->why == STOP_NONE && a->has_end)
        attempt_bye(a);
    else if (!attempt_confirm_gone(a))
        log_error("container does not end, reporting all the same: %s", a->job->container);
}

/* Waits for the last report, and forgets the job. */
static void settle(struct slot *s, struct job *j, struct ship *ship, bool lost)
{
    if (lost)
        job_settle(j, JOB_DROPPED);
    else
        job_report(j);
    enum job_outcome outcome = job_wait_outcome(j);
    ship_join(ship);
    janitor_remove(s->sh.janitor, j->container);
    sandbox_leave(s->seat, j->container);
    if (j->adopted && j->sandbox[0])
        janitor_remove(s->sh.janitor, j->sandbox); /* no seat of this process has it */
    jobs_remove(s->sh.jobs, j);
    if (outcome != JOB_KEPT)
        job_discard(j);
    atomic_fetch_add(&s->sh.node->tasks_ended, 1);
}

static void log_end(const struct job *j, const struct verdict *v)
{
    log_info("ended class=%s exit=%lld signal=%lld reason=\"%s\" task=%s attempt=%lld log=%llu",
             attempt_class_name(v->class), (long long)v->exit_code, (long long)v->signal, v->reason,
             j->grant.ref.task, (long long)j->grant.ref.attempt,
             (unsigned long long)seglog_size(j->spool));
}

/* ---- the life of a task ---- */

static void work(struct slot *s, struct job *j)
{
    struct prepared pr = {0};
    struct verdict v = {0};
    AUTO(attempt) struct attempt a = {0};
    AUTO(buf) struct buf doc = BUF_INIT(TASKDOC_BYTES);
    struct ship *ship = ship_start(j, s->ship_up);
    attempt_init(&a, s->sh.node, j, s->engine);

    if (j->finish) { /* ended before the runner was restarted: only the report is due */
        a.why = STOP_SHUTDOWN;
    } else if (j->adopted ? take_over(j, &a, &v) : start(s, j, &pr, &a, &doc, &v)) {
        attempt_follow(&a);
        attempt_verdict(&a, &v);
        check_network(s, j, &v);
        note_limits(s, &a);
        collect(s, j, &v);
    } else {
        a.why = STOP_BROKEN;
    }
    bool lost = a.why == STOP_LOST || job_order(j) == ORDER_LOST;
    if (!j->finish && !lost) {
        check_volume(s, &a, &pr);
        write_end(j, &a, &v);
        log_end(j, &v);
    }
    end_container(&a);
    prepared_release(&pr, s->sh.volumes);
    settle(s, j, ship, lost);
    job_free(j);
}

static void *slot_main(void *arg)
{
    struct slot *s = arg;
    if (s->adopted)
        work(s, s->adopted);
    while (!s->once && node_stopping(s->sh.node) == RUN) {
        if (!node_wait_ready(s->sh.node, READY_WAIT_MS))
            continue;
        struct job *j = lease(s);
        if (j)
            work(s, j);
    }
    atomic_store(&s->done, true);
    wake_raise(s->sh.done_fd);
    return NULL;
}

struct slot *slot_start(const struct slot_shared *shared, int number, struct job *adopted,
                        bool once)
{
    struct slot *s = calloc(1, sizeof *s);
    struct err e = {0};
    if (!s)
        abort();
    s->sh = *shared;
    s->number = number;
    s->adopted = adopted;
    s->once = once;
    s->up = uplink_new(shared->node);
    s->ship_up = uplink_new(shared->node);
    s->seat = sandbox_seat_new(shared->sandboxes, shared->janitor, number);
    if (engine_new(shared->node->set.engine, &s->engine, &e) ||
        pthread_create(&s->thread, NULL, slot_main, s) != 0)
        abort(); /* the address was checked at start */
    return s;
}

bool slot_is_done(const struct slot *s)
{
    return atomic_load(&s->done);
}

void slot_join(struct slot *s)
{
    pthread_join(s->thread, NULL);
    sandbox_seat_free(s->seat);
    engine_free(s->engine);
    uplink_free(s->up);
    uplink_free(s->ship_up);
    free(s);
}
