/* A writer with a code and clocks that tests can move, for the tests of the rules. What clients and
 * runners say is one function each; each waits for its answer, and fails the test when the answer
 * is an error, unless its name ends in _rc. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "lib/clock.h"
#include "lib/str.h"
#include "server/ops.h"
#include "server/ops_runner.h"
#include "server/store_write.h"
#include "tests/unit/tap.h"

static struct err e;

/* ---- time: the system's, plus what the test added; or, from an instant on that a test sets, only
 * what it added ---- */

static _Atomic int64_t ahead_ms, frozen_us;

static int64_t fake_now_us(void *arg)
{
    (void)arg;
    int64_t base_us = atomic_load(&frozen_us);
    return (base_us ? base_us : clock_now_us()) + atomic_load(&ahead_ms) * 1000;
}

static int64_t fake_mono_ms(void *arg)
{
    (void)arg;
    return clock_mono_ms() + atomic_load(&ahead_ms);
}

static const struct time_source fake_time = {fake_now_us, fake_mono_ms, NULL};

/* ---- the world ---- */

struct world {
    struct writer *wr;
    struct store_readers *readers;
    struct store *r;
    int64_t project;
    int64_t infra_retries;
    _Atomic int64_t told; /* how often on_task was called */
};

static inline void on_task(int64_t task, void *arg)
{
    (void)task;
    struct world *w = arg;
    atomic_fetch_add(&w->told, 1);
}

static inline void world_open(struct world *w)
{
    struct writer_conf conf = {.data_dir = ".",
                               .infra_retries = w->infra_retries,
                               .on_task = on_task,
                               .arg = w,
                               .time = &fake_time};
    CHECK_OK(writer_open(&conf, &w->wr, &e), &e);
    CHECK_OK(store_readers_open(".", &w->readers, &e), &e);
    CHECK_OK(store_reader_get(w->readers, &w->r, &e), &e);
}

static inline void world_close(struct world *w)
{
    store_reader_put(w->readers, w->r);
    store_readers_close(w->readers);
    writer_close(w->wr);
}

static inline void world_reopen(struct world *w)
{
    world_close(w);
    world_open(w);
}

#define CHECK_RUN(world, op)                                                                       \
    do {                                                                                           \
        if (writer_run((world)->wr, &(op)->w) != 0)                                                \
            TAP_FAIL("%s: %s", #op, (op)->w.err.msg);                                              \
    } while (0)

/* kick: lets the writer's thread look at the clock, and waits until it did. */
static inline void kick(struct world *w)
{
    for (int i = 0; i < 3; i++) { /* what the first makes due runs before the last */
        struct op_probe p;
        op_probe_init(&p);
        CHECK_RUN(w, &p);
    }
}

static inline void later(struct world *w, int64_t ms)
{
    atomic_fetch_add(&ahead_ms, ms);
    kick(w);
}

/* ---- what clients do ---- */

struct a_code {
    const char *name, *stack;
    int64_t max_concurrency, retries, retries_delay_s, default_priority;
};

static inline const char *put_code(struct world *w, struct a_code c)
{
    static char id[ID_TEXT];
    struct code_upload up = {.name = c.name,
                             .image = "img",
                             .command = "run",
                             .runtime = "",
                             .file_name = "",
                             .stack = c.stack ? c.stack : "",
                             .config = "",
                             .max_concurrency = c.max_concurrency,
                             .retries = c.retries,
                             .retries_delay_s = c.retries_delay_s,
                             .default_priority = c.default_priority};
    struct op_code_put o;
    op_code_put_init(&o);
    o.project = w->project;
    o.up = &up;
    CHECK_RUN(w, &o);
    memcpy(id, o.ret_id, ID_TEXT);
    return id;
}

static inline struct task_new new_task(const char *code)
{
    return (struct task_new){.code_name = code,
                             .payload = "{}",
                             .payload_len = 2,
                             .priority = -1,
                             .timeout_s = 60,
                             .cluster = "",
                             .label = ""};
}

struct id {
    char text[ID_TEXT];
};

static inline struct id enqueue_as(struct world *w, struct task_new t)
{
    struct id id;
    struct op_enqueue o;
    op_enqueue_init(&o);
    o.project = w->project;
    o.tasks = &t;
    o.n = 1;
    o.ret_ids = &id.text;
    CHECK_RUN(w, &o);
    return id;
}

static inline struct id enqueue(struct world *w, const char *code)
{
    return enqueue_as(w, new_task(code));
}

static inline void cancel(struct world *w, const char *id)
{
    struct op_cancel o;
    op_cancel_init(&o);
    o.project = w->project;
    o.id = id;
    CHECK_RUN(w, &o);
}

/* look: the task as a client sees it; task_release it. */
static inline struct task look(struct world *w, const char *id)
{
    struct task t;
    CHECK_OK(store_task_find(w->r, w->project, id, &t, &e), &e);
    return t;
}

static inline enum task_state state_of(struct world *w, const char *id)
{
    struct task t = look(w, id);
    enum task_state s = t.state;
    task_release(&t);
    return s;
}

/* ---- what runners do ---- */

static inline void say_hello_with(struct world *w, const char *runner, const char *problem,
                                  const char *stacks_json)
{
    struct json *stacks = NULL;
    CHECK_OK(json_parse(stacks_json, strlen(stacks_json), 3, &stacks, &e), &e);
    struct runner_hello h = {.runner = runner,
                             .cluster = "default",
                             .version = "0",
                             .slots = 1,
                             .stacks = stacks,
                             .engine_version = "20.10",
                             .problem = problem};
    struct op_register o;
    op_register_init(&o);
    o.hello = &h;
    CHECK_RUN(w, &o);
    json_free(stacks);
}

static inline void say_hello(struct world *w, const char *runner)
{
    say_hello_with(w, runner, "", "[]");
}

static _Atomic int64_t polls_made;

/* A poll with room for what it borrows; a fresh number each time. */
struct a_poll {
    struct op_lease op;
    struct lease_poll poll;
    char number[RUNNER_POLL_HEX + 1];
    atomic_bool answered;
};

static inline void poll_init(struct a_poll *p, const char *runner, int64_t slot, int64_t wait_s)
{
    *p = (struct a_poll){
        .poll = {.runner = runner, .cluster = "default", .slot = slot, .wait_s = wait_s}};
    snprintf(p->number, sizeof(p->number), "%016llx", (long long)atomic_fetch_add(&polls_made, 1));
    p->poll.poll = p->number;
    op_lease_init(&p->op, &p->poll);
}

static inline void poll_answered(struct work *w)
{
    struct a_poll *p = w->arg;
    atomic_store(&p->answered, true);
}

/* poll_submit: parks if there is nothing; `answered` says when it is over. */
static inline void poll_submit(struct world *w, struct a_poll *p)
{
    p->op.w.done = poll_answered;
    p->op.w.arg = p;
    writer_submit(w->wr, &p->op.w);
}

static inline void poll_wait(struct a_poll *p)
{
    while (!atomic_load(&p->answered))
        sched_yield(); /* the test's own deadline ends it */
}

/* An attempt as its runner knows it; "" = the poll got nothing. */
struct held_task {
    struct attempt_ref ref;
    const char *runner;
};

static inline struct held_task take_grant(struct a_poll *p)
{
    struct held_task h = {.runner = p->poll.runner};
    if (p->op.ret_some) {
        h.ref = p->op.ret_grant.ref;
        grant_release(&p->op.ret_grant);
    }
    return h;
}

/* lease: asks without waiting. */
static inline struct held_task lease(struct world *w, const char *runner, int64_t slot)
{
    struct a_poll p;
    poll_init(&p, runner, slot, 0);
    CHECK_RUN(w, &p.op);
    return take_grant(&p);
}

static inline bool got(const struct held_task *h, const struct id *id)
{
    return strcmp(h->ref.task, id->text) == 0;
}

static inline int renew_rc(struct world *w, const struct held_task *h, enum order known,
                           enum order *ret_order)
{
    struct held held = {.ref = h->ref, .known = known};
    struct renew n = {.runner = h->runner, .held = &held, .n_held = 1};
    struct op_renew o;
    op_renew_init(&o, &n);
    int rc = writer_run(w->wr, &o.w);
    *ret_order = o.ret_n > 0 ? o.ret_orders[0].known : ORDER_NONE;
    free(o.ret_orders);
    return rc;
}

static inline enum order renew_known(struct world *w, const struct held_task *h, enum order known)
{
    enum order order;
    CHECK_INT(renew_rc(w, h, known, &order), 0);
    return order;
}

static inline enum order renew(struct world *w, const struct held_task *h)
{
    return renew_known(w, h, ORDER_NONE);
}

static inline int started_rc(struct world *w, const struct held_task *h)
{
    struct started s = {
        .runner = h->runner, .ref = h->ref, .container = "c1", .image = "img", .image_id = "sha"};
    struct op_started o;
    op_started_init(&o);
    o.started = &s;
    return writer_run(w->wr, &o.w);
}

static inline struct finish an_end(const struct held_task *h, enum attempt_class class)
{
    return (struct finish){.runner = h->runner,
                           .ref = h->ref,
                           .class = class,
                           .exit_code = class == CLASS_OK     ? 0
                                        : class == CLASS_TASK ? 3
                                                              : -1,
                           .reason = class == CLASS_OK ? "" : "boom",
                           .log_sha256 = "",
                           .log_complete = true};
}

static inline int finish_as_rc(struct world *w, const struct finish *f)
{
    struct op_finish o;
    op_finish_init(&o);
    o.finish = f;
    return writer_run(w->wr, &o.w);
}

static inline int finish_rc(struct world *w, const struct held_task *h, enum attempt_class class)
{
    struct finish f = an_end(h, class);
    return finish_as_rc(w, &f);
}

/* ---- making one ---- */

static inline struct world *world_new(void)
{
    static struct world w;
    w.infra_retries = INFRA_RETRIES_DEFAULT;
    world_open(&w);
    uint8_t h[3][32] = {{1}, {2}, {3}};
    struct op_bootstrap o;
    op_bootstrap_init(&o);
    o.project_hash = h[0];
    o.runner_hash = h[1];
    o.admin_hash = h[2];
    CHECK_RUN(&w, &o);
    struct store_project p;
    CHECK_OK(store_project_find(w.r, o.ret_project_id, &p, &e), &e);
    w.project = p.n;
    put_code(&w, (struct a_code){.name = "hello"});
    return &w;
}
