/* The rules for clients: queueing, whose turn it is, limits, delays, cancelling, deleting. */
#include "tests/unit/queue_world.h"
#include "server/store_admin.h"
#include "lib/banned.h"

/* ---- queueing ---- */

TEST(bootstrap_happens_once)
{
    struct world *w = world_new();
    struct op_bootstrap o;
    op_bootstrap_init(&o);
    uint8_t hash[32] = {9};
    o.project_hash = o.runner_hash = o.admin_hash = hash;
    CHECK_RUN(w, &o);
    CHECK(!o.ret_created);
    struct store_token t;
    CHECK_INT(store_token_find(w->r, hash, &t, &e), ERR_NOT_FOUND);
    world_close(w);
}

TEST(a_bulk_is_queued_in_order)
{
    struct world *w = world_new();
    struct task_new t[3] = {new_task("hello"), new_task("hello"), new_task("hello")};
    char ids[3][ID_TEXT];
    struct op_enqueue o;
    op_enqueue_init(&o);
    o.project = w->project;
    o.tasks = t;
    o.n = 3;
    o.ret_ids = ids;
    CHECK_RUN(w, &o);
    for (int i = 0; i < 3; i++)
        CHECK_STR(lease(w, "r1", i).ref.task, ids[i]);
    world_close(w);
}

TEST(a_bulk_with_one_bad_code_queues_nothing)
{
    struct world *w = world_new();
    struct task_new t[2] = {new_task("hello"), new_task("nobody")};
    char ids[2][ID_TEXT];
    struct op_enqueue o;
    op_enqueue_init(&o);
    o.project = w->project;
    o.tasks = t;
    o.n = 2;
    o.ret_ids = ids;
    CHECK_INT(writer_run(w->wr, &o.w), ERR_NOT_FOUND);
    CHECK_HAS(o.w.err.msg, "\"nobody\"");
    CHECK_STR(lease(w, "r1", 0).ref.task, "");
    world_close(w);
}

TEST(a_task_takes_the_default_priority_of_its_code)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "urgent", .default_priority = 2});
    struct id id = enqueue(w, "urgent");
    struct task t = look(w, id.text);
    CHECK_INT(t.priority, 2);
    task_release(&t);
    world_close(w);
}

TEST(a_task_keeps_the_revision_it_was_queued_with)
{
    struct world *w = world_new();
    struct id old = enqueue(w, "hello");
    put_code(w, (struct a_code){.name = "hello"});
    struct id young = enqueue(w, "hello");
    struct task t = look(w, old.text);
    CHECK_INT(t.code_rev, 1);
    task_release(&t);
    t = look(w, young.text);
    CHECK_INT(t.code_rev, 2);
    task_release(&t);
    world_close(w);
}

/* ---- codes ---- */

static int put_options(struct world *w, const char *name, int64_t max_concurrency)
{
    struct code_upload up = {.name = name,
                             .max_concurrency = max_concurrency,
                             .retries = CODE_UNSET,
                             .retries_delay_s = CODE_UNSET,
                             .default_priority = CODE_UNSET};
    struct op_code_put o;
    op_code_put_init(&o);
    o.project = w->project;
    o.up = &up;
    o.only_options = true;
    return writer_run(w->wr, &o.w);
}

TEST(options_alone_make_no_revision)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "opt", .retries = 4});
    CHECK_INT(put_options(w, "opt", 7), 0);
    struct code c;
    CHECK_OK(store_code_by_name(w->r, w->project, "opt", &c, &e), &e);
    CHECK_INT(c.rev, 1);
    CHECK_INT(c.max_concurrency, 7);
    CHECK_INT(c.retries, 4);
    code_release(&c);
    CHECK_INT(put_options(w, "none", 7), ERR_NOT_FOUND);
    world_close(w);
}

static int delete_code(struct world *w, const char *id)
{
    struct op_code_delete o;
    op_code_delete_init(&o);
    o.project = w->project;
    o.id = id;
    return writer_run(w->wr, &o.w);
}

TEST(deleting_a_code_cancels_what_is_queued_and_lets_the_rest_run)
{
    struct world *w = world_new();
    struct id running = enqueue(w, "hello"), queued = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    struct code c;
    CHECK_OK(store_code_by_name(w->r, w->project, "hello", &c, &e), &e);
    CHECK_INT(delete_code(w, c.id), 0);
    CHECK_INT(delete_code(w, c.id), ERR_NOT_FOUND);
    struct task t = look(w, queued.text);
    CHECK_INT(t.state, TASK_CANCELLED);
    CHECK_HAS(t.msg, "deleted");
    task_release(&t);
    CHECK_INT(state_of(w, running.text), TASK_PREPARING);
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    CHECK_INT(state_of(w, running.text), TASK_COMPLETE);
    CHECK(strcmp(put_code(w, (struct a_code){.name = "hello"}), c.id) != 0);
    code_release(&c);
    world_close(w);
}

TEST(a_requeued_task_of_a_deleted_code_is_cancelled)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    struct code c;
    CHECK_OK(store_code_by_name(w->r, w->project, "hello", &c, &e), &e);
    CHECK_INT(delete_code(w, c.id), 0);
    code_release(&c);
    CHECK_INT(finish_rc(w, &h, CLASS_INFRA), 0);
    CHECK_INT(state_of(w, id.text), TASK_CANCELLED);
    world_close(w);
}

TEST(a_long_queue_of_a_deleted_code_is_cancelled_in_slices)
{
    struct world *w = world_new();
    enum { MANY = 5000, BULK = 1000 };
    static struct task_new t[BULK];
    static char ids[BULK][ID_TEXT];
    for (int i = 0; i < BULK; i++)
        t[i] = new_task("hello");
    for (int i = 0; i < MANY / BULK; i++) {
        struct op_enqueue o;
        op_enqueue_init(&o);
        o.project = w->project;
        o.tasks = t;
        o.n = BULK;
        o.ret_ids = ids;
        CHECK_RUN(w, &o);
    }
    struct code c;
    CHECK_OK(store_code_by_name(w->r, w->project, "hello", &c, &e), &e);
    CHECK_INT(delete_code(w, c.id), 0);
    code_release(&c);
    while (state_of(w, ids[BULK - 1]) != TASK_CANCELLED)
        kick(w);
    while (atomic_load(&w->told) < MANY)
        kick(w);
    CHECK_INT(atomic_load(&w->told), MANY);
    world_close(w);
}

/* ---- whose turn it is ---- */

TEST(a_high_priority_goes_first)
{
    struct world *w = world_new();
    struct task_new t = new_task("hello");
    struct id ids[3];
    for (int p = 0; p < 3; p++) {
        t.priority = p;
        ids[p] = enqueue_as(w, t);
    }
    for (int p = 2; p >= 0; p--)
        CHECK_STR(lease(w, "r1", p).ref.task, ids[p].text);
    world_close(w);
}

TEST(codes_of_one_priority_take_turns)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "other"});
    struct id flood[3];
    for (int i = 0; i < 3; i++)
        flood[i] = enqueue(w, "hello");
    struct id lone = enqueue(w, "other");
    CHECK_STR(lease(w, "r1", 0).ref.task, flood[0].text);
    CHECK_STR(lease(w, "r1", 1).ref.task, lone.text);
    CHECK_STR(lease(w, "r1", 2).ref.task, flood[1].text);
    world_close(w);
}

TEST(projects_take_turns_before_priorities_count)
{
    struct world *w = world_new();
    int64_t first = w->project, second = 0;
    world_close(w);
    struct store *s; /* a second project, before there is an operation for it */
    CHECK_OK(store_open(".", &s, &e), &e);
    CHECK_OK(store_project_add(s, "second", clock_now_us(), &second, &e), &e);
    store_close(s);
    world_open(w);
    struct task_new t = new_task("hello");
    t.priority = 2;
    struct id flood[2] = {enqueue_as(w, t), enqueue_as(w, t)};
    w->project = second;
    put_code(w, (struct a_code){.name = "quiet"});
    struct id quiet = enqueue(w, "quiet");
    w->project = first;
    CHECK_STR(lease(w, "r1", 0).ref.task, flood[0].text);
    CHECK_STR(lease(w, "r1", 1).ref.task, quiet.text);
    CHECK_STR(lease(w, "r1", 2).ref.task, flood[1].text);
    world_close(w);
}

TEST(clusters_are_apart)
{
    struct world *w = world_new();
    struct task_new t = new_task("hello");
    t.cluster = "gpu";
    struct id id = enqueue_as(w, t);
    CHECK_STR(lease(w, "r1", 0).ref.task, "");
    struct a_poll p;
    poll_init(&p, "r2", 0, 0);
    p.poll.cluster = "gpu";
    CHECK_RUN(w, &p.op);
    CHECK_STR(take_grant(&p).ref.task, id.text);
    world_close(w);
}

TEST(a_code_at_its_limit_waits_and_lets_others_by)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "one", .max_concurrency = 1});
    struct id first = enqueue(w, "one"), second = enqueue(w, "one"), other = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK(got(&h, &first));
    CHECK_STR(lease(w, "r1", 1).ref.task, other.text);
    CHECK_STR(lease(w, "r1", 2).ref.task, "");
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    CHECK_STR(lease(w, "r1", 2).ref.task, second.text);
    world_close(w);
}

TEST(a_raised_limit_counts_at_once)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "one", .max_concurrency = 1});
    enqueue(w, "one");
    struct id second = enqueue(w, "one");
    lease(w, "r1", 0);
    CHECK_STR(lease(w, "r1", 1).ref.task, "");
    CHECK_INT(put_options(w, "one", 2), 0);
    CHECK_STR(lease(w, "r1", 1).ref.task, second.text);
    world_close(w);
}

TEST(a_stopping_task_still_counts_against_the_limit)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "one", .max_concurrency = 1});
    struct id first = enqueue(w, "one"), second = enqueue(w, "one");
    struct held_task h = lease(w, "r1", 0);
    cancel(w, first.text);
    CHECK_STR(lease(w, "r1", 1).ref.task, "");
    CHECK_INT(finish_rc(w, &h, CLASS_CANCELLED), 0);
    CHECK_STR(lease(w, "r1", 1).ref.task, second.text);
    world_close(w);
}

TEST(a_delayed_task_waits_for_its_time)
{
    struct world *w = world_new();
    struct task_new t = new_task("hello");
    t.delay_s = 60;
    struct id late = enqueue_as(w, t);
    CHECK_STR(lease(w, "r1", 0).ref.task, "");
    struct id now = enqueue(w, "hello"); /* of the same lane, and not behind it */
    CHECK_STR(lease(w, "r1", 0).ref.task, now.text);
    CHECK_STR(lease(w, "r1", 1).ref.task, "");
    later(w, 59000);
    CHECK_STR(lease(w, "r1", 2).ref.task, "");
    later(w, 1100);
    CHECK_STR(lease(w, "r1", 2).ref.task, late.text);
    world_close(w);
}

TEST(a_restart_finds_ready_delayed_and_running_again)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "one", .max_concurrency = 1});
    struct id running = enqueue(w, "one");
    struct held_task h = lease(w, "r1", 0);
    CHECK(got(&h, &running));
    struct id blocked = enqueue(w, "one"), ready = enqueue(w, "hello");
    struct task_new t = new_task("hello");
    t.delay_s = 60;
    t.priority = 1;
    struct id delayed = enqueue_as(w, t);
    world_reopen(w);
    CHECK_STR(lease(w, "r1", 1).ref.task, ready.text);
    CHECK_STR(lease(w, "r1", 2).ref.task, "");
    later(w, 20000); /* within the term that the restart gave */
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    CHECK_STR(lease(w, "r1", 2).ref.task, blocked.text);
    later(w, 40100);
    CHECK_STR(lease(w, "r1", 3).ref.task, delayed.text);
    world_close(w);
}

/* ---- parked polls ---- */

TEST(a_parked_poll_gets_the_next_task)
{
    struct world *w = world_new();
    struct a_poll p;
    poll_init(&p, "r1", 0, 30);
    poll_submit(w, &p);
    kick(w);
    CHECK(!atomic_load(&p.answered));
    struct id id = enqueue(w, "hello");
    poll_wait(&p);
    CHECK_STR(take_grant(&p).ref.task, id.text);
    world_close(w);
}

TEST(parked_polls_are_served_in_order_of_arrival)
{
    struct world *w = world_new();
    enum { N = 4 };
    static struct a_poll p[N];
    for (int i = 0; i < N; i++) {
        poll_init(&p[i], "r1", i, 30);
        poll_submit(w, &p[i]);
    }
    for (int i = 0; i < N; i++) {
        struct id id = enqueue(w, "hello");
        poll_wait(&p[i]);
        CHECK_STR(take_grant(&p[i]).ref.task, id.text);
        for (int k = i + 1; k < N; k++)
            CHECK(!atomic_load(&p[k].answered));
    }
    world_close(w);
}

TEST(a_bulk_wakes_as_many_polls)
{
    struct world *w = world_new();
    enum { N = 20 };
    static struct a_poll p[N];
    static struct task_new t[N];
    static char ids[N][ID_TEXT];
    for (int i = 0; i < N; i++) {
        poll_init(&p[i], "r1", i, 30);
        poll_submit(w, &p[i]);
        t[i] = new_task("hello");
    }
    struct op_enqueue o;
    op_enqueue_init(&o);
    o.project = w->project;
    o.tasks = t;
    o.n = N;
    o.ret_ids = ids;
    CHECK_RUN(w, &o);
    for (int i = 0; i < N; i++) {
        poll_wait(&p[i]);
        CHECK_STR(take_grant(&p[i]).ref.task, ids[i]);
    }
    world_close(w);
}

TEST(a_parked_poll_wakes_for_a_delayed_task)
{
    struct world *w = world_new();
    struct a_poll p;
    poll_init(&p, "r1", 0, 60);
    poll_submit(w, &p);
    struct task_new t = new_task("hello");
    t.delay_s = 20;
    struct id id = enqueue_as(w, t);
    kick(w);
    CHECK(!atomic_load(&p.answered));
    later(w, 20100);
    poll_wait(&p);
    CHECK_STR(take_grant(&p).ref.task, id.text);
    world_close(w);
}

TEST(a_parked_poll_ends_with_its_wait)
{
    struct world *w = world_new();
    struct a_poll p;
    poll_init(&p, "r1", 0, 5);
    poll_submit(w, &p);
    later(w, 5100);
    poll_wait(&p);
    CHECK_INT(p.op.w.err.code, 0);
    CHECK(!p.op.ret_some);
    world_close(w);
}

static bool nobody_listens(struct work *w)
{
    (void)w;
    return false;
}

TEST(a_parked_poll_wakes_when_a_limit_is_free_again)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "one", .max_concurrency = 1});
    enqueue(w, "one");
    struct id second = enqueue(w, "one");
    struct held_task h = lease(w, "r1", 0);
    struct a_poll p;
    poll_init(&p, "r2", 0, 60);
    poll_submit(w, &p);
    kick(w);
    CHECK(!atomic_load(&p.answered));
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    poll_wait(&p);
    CHECK_STR(take_grant(&p).ref.task, second.text);
    world_close(w);
}

TEST(a_poller_that_went_away_is_not_granted)
{
    struct world *w = world_new();
    struct a_poll gone, there;
    poll_init(&gone, "r1", 0, 30);
    poll_submit(w, &gone);
    kick(w);
    gone.op.alive = nobody_listens; /* it parked, then the connection broke */
    poll_init(&there, "r2", 0, 30);
    poll_submit(w, &there);
    struct id id = enqueue(w, "hello");
    poll_wait(&there);
    CHECK_STR(take_grant(&there).ref.task, id.text);
    CHECK(!gone.op.ret_some);
    world_close(w);
}

TEST(quiesce_answers_all_who_wait)
{
    struct world *w = world_new();
    struct a_poll p, q;
    poll_init(&p, "r1", 0, 60);
    poll_submit(w, &p);
    kick(w);
    writer_quiesce(w->wr);
    CHECK(atomic_load(&p.answered));
    poll_init(&q, "r1", 1, 60);
    CHECK_RUN(w, &q.op); /* comes back at once */
    CHECK(!q.op.ret_some);
    world_close(w);
}

/* ---- cancelling ---- */

TEST(a_queued_task_is_cancelled_for_good)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    cancel(w, id.text);
    struct task t = look(w, id.text);
    CHECK_INT(t.state, TASK_CANCELLED);
    CHECK(!t.stopping);
    CHECK(t.end_us > 0);
    task_release(&t);
    CHECK_STR(lease(w, "r1", 0).ref.task, "");
    world_close(w);
}

TEST(an_ended_task_stays_as_it_is_when_cancelled)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    cancel(w, id.text);
    CHECK_INT(state_of(w, id.text), TASK_COMPLETE);
    world_close(w);
}

TEST(tasks_of_other_projects_cannot_be_cancelled)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct op_cancel o;
    op_cancel_init(&o);
    o.project = w->project + 1;
    o.id = id.text;
    CHECK_INT(writer_run(w->wr, &o.w), ERR_NOT_FOUND);
    CHECK_INT(state_of(w, id.text), TASK_QUEUED);
    world_close(w);
}

/* ---- requests that are carried out once ---- */

static int once_rc(struct world *w, const char *key, const char *hash, struct id *ret, bool *again)
{
    struct task_new t = new_task("hello");
    struct op_enqueue o;
    op_enqueue_init(&o);
    o.project = w->project;
    o.tasks = &t;
    o.n = 1;
    o.ret_ids = &ret->text;
    o.once_key = key;
    str_copy(o.once_hash, sizeof(o.once_hash), hash);
    int rc = writer_run(w->wr, &o.w);
    *again = o.ret_again;
    return rc;
}

TEST(the_same_key_gets_the_first_ids_for_a_day)
{
    struct world *w = world_new();
    struct id first, second, other;
    bool again;
    CHECK_INT(once_rc(w, "k", "h", &first, &again), 0);
    CHECK(!again);
    CHECK_INT(once_rc(w, "k", "h", &second, &again), 0);
    CHECK(again);
    CHECK_STR(second.text, first.text);
    CHECK_INT(once_rc(w, "k", "another", &other, &again), ERR_CONFLICT);
    CHECK_INT(once_rc(w, "K", "h", &other, &again), 0);
    CHECK(!again);
    world_reopen(w);
    later(w, 23 * 3600 * 1000);
    CHECK_INT(once_rc(w, "k", "h", &second, &again), 0);
    CHECK_STR(second.text, first.text);
    later(w, 2 * 3600 * 1000);
    CHECK_INT(once_rc(w, "k", "another", &second, &again), 0);
    CHECK(!again);
    CHECK(strcmp(second.text, first.text) != 0);
    world_close(w);
}

/* ---- a code as a whole ---- */

static bool set_paused(struct world *w, const char *code, bool paused)
{
    struct op_pause o;
    op_pause_init(&o);
    o.project = w->project;
    o.id = code;
    o.paused = paused;
    CHECK_RUN(w, &o);
    return o.ret_changed;
}

TEST(a_paused_code_is_not_claimed_from)
{
    struct world *w = world_new();
    struct id code;
    str_copy(code.text, sizeof(code.text), put_code(w, (struct a_code){.name = "hello"}));
    struct id id = enqueue(w, "hello");
    CHECK(set_paused(w, code.text, true));
    CHECK(!set_paused(w, code.text, true));
    CHECK_STR(lease(w, "r1", 0).ref.task, "");
    world_reopen(w);
    CHECK_STR(lease(w, "r1", 0).ref.task, "");
    CHECK(set_paused(w, code.text, false));
    CHECK(!set_paused(w, code.text, false));
    struct held_task h = lease(w, "r1", 0);
    CHECK(got(&h, &id));
    world_close(w);
}

TEST(an_upload_does_not_resume_a_paused_code)
{
    struct world *w = world_new();
    CHECK(set_paused(w, put_code(w, (struct a_code){.name = "hello"}), true));
    put_code(w, (struct a_code){.name = "hello"});
    enqueue(w, "hello");
    CHECK_STR(lease(w, "r1", 0).ref.task, "");
    world_close(w);
}

/* cancel_all: how many slices it took. */
static int cancel_all(struct world *w, const char *code, int n_between)
{
    struct op_cancel_all o;
    op_cancel_all_init(&o);
    o.project = w->project;
    o.id = code;
    for (int slices = 1;; slices++) {
        CHECK_RUN(w, &o);
        if (!o.ret_more)
            return slices;
        for (int i = 0; i < n_between; i++)
            enqueue(w, "hello");
    }
}

static void enqueue_many(struct world *w, size_t n)
{
    static struct task_new t[3000];
    static char ids[3000][ID_TEXT];
    for (size_t i = 0; i < n; i++)
        t[i] = new_task("hello");
    struct op_enqueue o;
    op_enqueue_init(&o);
    o.project = w->project;
    o.tasks = t;
    o.n = n;
    o.ret_ids = ids;
    CHECK_RUN(w, &o);
}

TEST(cancel_all_goes_in_slices_and_leaves_what_comes_later)
{
    struct world *w = world_new();
    struct id code;
    str_copy(code.text, sizeof(code.text), put_code(w, (struct a_code){.name = "hello"}));
    struct id live_id = enqueue(w, "hello");
    struct held_task live = lease(w, "r1", 0);
    CHECK(got(&live, &live_id));
    enqueue_many(w, 3000);
    CHECK_INT(cancel_all(w, code.text, 1), 2);
    CHECK_INT(state_of(w, live_id.text), TASK_CANCELLED);
    CHECK_INT(renew(w, &live), ORDER_CANCEL);
    int64_t counts[TASK_STATES];
    CHECK_OK(store_code_stats(w->r, w->project, code.text, 0, INT64_MAX, counts, &e), &e);
    CHECK_INT(counts[TASK_CANCELLED], 3001);
    CHECK_INT(counts[TASK_QUEUED], 1);
    CHECK(lease(w, "r1", 1).ref.task[0]); /* the one that came between the slices */
    CHECK_STR(lease(w, "r1", 2).ref.task, "");
    world_close(w);
}

TAP_MAIN
