/* The rules of api/lease.md, one by one. (Rule 5, logs first, is the log store's; rule 8 is the
 * runner's.) */
#include "server/queue.h"
#include "tests/unit/queue_world.h"
#include "lib/banned.h"

#define TERM_MS (RUNNER_LEASE_S * 1000)

/* A renewal that may park. */
struct a_renewal {
    struct op_renew op;
    atomic_bool answered;
};

static void renewal_answered(struct work *w)
{
    struct a_renewal *r = w->arg;
    atomic_store(&r->answered, true);
}

static void renewal_submit(struct world *w, struct a_renewal *r, const struct renew *n)
{
    op_renew_init(&r->op, n);
    r->op.w.done = renewal_answered;
    r->op.w.arg = r;
    atomic_store(&r->answered, false);
    writer_submit(w->wr, &r->op.w);
}

/* renewal_wait: the one order that it brought. */
static enum order renewal_wait(struct a_renewal *r)
{
    while (!atomic_load(&r->answered))
        sched_yield(); /* the test's own deadline ends it */
    CHECK_INT(r->op.ret_n, 1);
    enum order order = r->op.ret_orders[0].known;
    free(r->op.ret_orders);
    return order;
}

/* ---- 1: a lease is 30 s from the grant and from each renewal ---- */

TEST(a_lease_that_is_not_renewed_is_lost_after_its_term)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    lease(w, "r1", 0);
    later(w, TERM_MS - 1000);
    CHECK_INT(state_of(w, id.text), TASK_PREPARING);
    later(w, 1100);
    CHECK_INT(state_of(w, id.text), TASK_QUEUED);
    world_close(w);
}

TEST(renewals_keep_a_lease)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    for (int i = 0; i < 6; i++) {
        later(w, TERM_MS - 5000);
        CHECK_INT(renew(w, &h), ORDER_NONE);
    }
    CHECK_INT(state_of(w, id.text), TASK_PREPARING);
    world_close(w);
}

TEST(a_restart_gives_a_full_term)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    later(w, TERM_MS - 1000);
    world_reopen(w);
    later(w, TERM_MS - 1000);
    CHECK_INT(state_of(w, id.text), TASK_PREPARING);
    CHECK_INT(renew(w, &h), ORDER_NONE);
    world_close(w);
}

TEST(a_parked_renewal_counts_from_its_arrival)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    struct held held = {.ref = h.ref};
    struct renew n = {.runner = "r1", .wait_s = 60, .held = &held, .n_held = 1};
    struct a_renewal r;
    renewal_submit(w, &r, &n);
    kick(w);
    later(w, TERM_MS + 100); /* it is still parked, and that keeps nothing alive */
    CHECK_INT(state_of(w, id.text), TASK_QUEUED);
    later(w, TERM_MS);
    CHECK_INT(renewal_wait(&r), ORDER_LOST);
    world_close(w);
}

static void submit_nothing(void *arg, struct work *w)
{
    (void)arg;
    TAP_FAIL("nothing is due, and yet %p was submitted", (void *)w);
}

TEST(a_server_that_stood_still_gives_a_full_term)
{
    struct world *w = world_new();
    enqueue(w, "hello");
    lease(w, "r1", 0);
    world_close(w);
    /* The rules alone, so that the clock of the inbox is the test's as well. */
    struct store *s;
    struct queue q;
    struct writer_conf conf = {.time = &fake_time};
    CHECK_OK(store_open(".", &s, &e), &e);
    queue_init(&q, s, &conf, submit_nothing, NULL);
    CHECK_OK(queue_rebuild(&q, &e), &e);
    int64_t due_ms = queue_tick(&q, clock_mono_ms());
    CHECK(due_ms != INT64_MAX);
    atomic_fetch_add(&ahead_ms, 2 * TERM_MS); /* stopped by a signal, say */
    int64_t next_ms = queue_tick(&q, due_ms + TERM_MS);
    CHECK(next_ms - (due_ms + TERM_MS) > TERM_MS - 1000);
    queue_release(&q);
    store_close(s);
}

/* ---- 2: grants are idempotent ---- */

TEST(the_same_poll_gets_the_same_grant)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    enqueue(w, "hello");
    struct a_poll p;
    poll_init(&p, "r1", 0, 0);
    CHECK_RUN(w, &p.op);
    struct held_task first = take_grant(&p);
    CHECK(got(&first, &id));
    op_lease_init(&p.op, &p.poll);
    CHECK_RUN(w, &p.op);
    struct held_task again = take_grant(&p);
    CHECK_STR(again.ref.task, first.ref.task);
    CHECK_INT(again.ref.attempt, 1);
    world_close(w);
}

TEST(the_same_poll_gets_the_same_grant_after_a_restart)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct a_poll p;
    poll_init(&p, "r1", 0, 0);
    CHECK_RUN(w, &p.op);
    take_grant(&p);
    world_reopen(w);
    op_lease_init(&p.op, &p.poll);
    CHECK_RUN(w, &p.op);
    struct held_task again = take_grant(&p);
    CHECK(got(&again, &id));
    CHECK_INT(again.ref.attempt, 1);
    world_close(w);
}

TEST(another_poll_returns_a_grant_that_never_arrived)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    lease(w, "r1", 0);
    struct held_task h = lease(w, "r1", 0);
    CHECK(got(&h, &id)); /* at once, without a back-off */
    CHECK_INT(h.ref.attempt, 2);
    struct task_row row;
    CHECK_OK(store_task_resolve(w->r, 0, id.text, &row, &e), &e);
    CHECK_INT(row.infra, 0); /* and free of charge */
    struct attempt_row a;
    CHECK_OK(store_attempt_find(w->r, row.n, 1, &a, &e), &e);
    CHECK_INT(a.class, CLASS_LOST);
    attempt_row_release(&a);
    world_close(w);
}

TEST(another_poll_of_another_slot_returns_nothing)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    lease(w, "r1", 0);
    CHECK_STR(lease(w, "r1", 1).ref.task, "");
    CHECK_STR(lease(w, "r2", 0).ref.task, "");
    CHECK_INT(state_of(w, id.text), TASK_PREPARING);
    world_close(w);
}

TEST(a_grant_that_was_renewed_stays)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(renew(w, &h), ORDER_NONE);
    CHECK_STR(lease(w, "r1", 0).ref.task, "");
    CHECK_INT(state_of(w, id.text), TASK_PREPARING);
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    world_close(w);
}

TEST(a_younger_poll_of_a_slot_lets_the_parked_one_go)
{
    struct world *w = world_new();
    struct a_poll old, young;
    poll_init(&old, "r1", 0, 60);
    poll_submit(w, &old);
    kick(w);
    poll_init(&young, "r1", 0, 60);
    poll_submit(w, &young);
    poll_wait(&old);
    CHECK(!old.op.ret_some);
    struct id id = enqueue(w, "hello");
    poll_wait(&young);
    CHECK_STR(take_grant(&young).ref.task, id.text);
    world_close(w);
}

/* ---- 3: fencing ---- */

TEST(reports_about_another_attempt_change_nothing)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task old = lease(w, "r1", 0);
    later(w, TERM_MS + 100);
    later(w, 2000); /* the back-off */
    struct held_task live = lease(w, "r2", 0);
    CHECK(got(&live, &id));
    CHECK_INT(started_rc(w, &old), ERR_CONFLICT);
    CHECK_INT(finish_rc(w, &old, CLASS_OK), ERR_CONFLICT);
    CHECK_INT(renew(w, &old), ORDER_LOST);
    CHECK_INT(renew_known(w, &old, ORDER_LOST), ORDER_NONE);
    CHECK_INT(state_of(w, id.text), TASK_PREPARING);
    CHECK_INT(started_rc(w, &live), 0);
    CHECK_INT(finish_rc(w, &live, CLASS_OK), 0);
    CHECK_INT(state_of(w, id.text), TASK_COMPLETE);
    world_close(w);
}

TEST(reports_of_another_runner_change_nothing)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    struct held_task thief = h;
    thief.runner = "r2";
    CHECK_INT(started_rc(w, &thief), ERR_CONFLICT);
    CHECK_INT(finish_rc(w, &thief, CLASS_OK), ERR_CONFLICT);
    CHECK_INT(renew(w, &thief), ORDER_LOST);
    CHECK_INT(state_of(w, id.text), TASK_PREPARING);
    world_close(w);
}

TEST(reports_about_no_task_at_all_are_refused)
{
    struct world *w = world_new();
    struct held_task h = {.runner = "r1",
                          .ref = {.task = "ffffffffffffffffffffffff", .attempt = 1}};
    CHECK_INT(started_rc(w, &h), ERR_CONFLICT);
    CHECK_INT(finish_rc(w, &h, CLASS_OK), ERR_CONFLICT);
    CHECK_INT(renew(w, &h), ORDER_LOST);
    world_close(w);
}

TEST(the_same_finish_again_is_harmless_and_another_is_refused)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    CHECK_INT(finish_rc(w, &h, CLASS_TASK), ERR_CONFLICT);
    CHECK_INT(state_of(w, id.text), TASK_COMPLETE);
    world_close(w);
}

/* ---- 4: orders ---- */

TEST(a_cancelled_attempt_is_ordered_until_it_is_known)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(renew(w, &h), ORDER_NONE);
    cancel(w, id.text);
    struct task t = look(w, id.text);
    CHECK_INT(t.state, TASK_CANCELLED);
    CHECK(t.stopping);
    task_release(&t);
    CHECK_INT(renew(w, &h), ORDER_CANCEL);
    CHECK_INT(renew(w, &h), ORDER_CANCEL);
    CHECK_INT(renew_known(w, &h, ORDER_CANCEL), ORDER_NONE);
    CHECK_INT(finish_rc(w, &h, CLASS_CANCELLED), 0);
    t = look(w, id.text);
    CHECK_INT(t.state, TASK_CANCELLED);
    CHECK(!t.stopping);
    task_release(&t);
    CHECK_INT(renew(w, &h), ORDER_LOST);
    world_close(w);
}

TEST(a_restart_remembers_the_order)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    cancel(w, id.text);
    world_reopen(w);
    CHECK_INT(renew(w, &h), ORDER_CANCEL);
    world_close(w);
}

TEST(a_cancel_wakes_the_parked_renewal)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    struct held held = {.ref = h.ref};
    struct renew n = {.runner = "r1", .wait_s = 60, .held = &held, .n_held = 1};
    struct a_renewal r;
    renewal_submit(w, &r, &n);
    kick(w);
    CHECK(!atomic_load(&r.answered));
    cancel(w, id.text);
    CHECK_INT(renewal_wait(&r), ORDER_CANCEL);
    world_close(w);
}

TEST(an_attempt_that_is_still_on_its_way_is_cancelled_too)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    cancel(w, id.text);
    struct renew n = {.runner = "r1"}; /* lists nothing yet */
    struct op_renew o;
    op_renew_init(&o, &n);
    CHECK_RUN(w, &o);
    CHECK_INT(o.ret_n, 1);
    CHECK_STR(o.ret_orders[0].ref.task, h.ref.task);
    CHECK_INT(o.ret_orders[0].known, ORDER_CANCEL);
    free(o.ret_orders);
    world_close(w);
}

/* ---- 6: expiry ---- */

TEST(a_lost_attempt_counts_and_backs_off)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(started_rc(w, &h), 0);
    later(w, TERM_MS + 100);
    struct task_row row;
    CHECK_OK(store_task_resolve(w->r, 0, id.text, &row, &e), &e);
    CHECK_INT(row.state, TASK_QUEUED);
    CHECK_INT(row.infra, 1);
    CHECK_INT(row.start_us, 0);
    CHECK_STR(lease(w, "r2", 0).ref.task, "");
    later(w, 1100);
    CHECK_STR(lease(w, "r2", 0).ref.task, id.text);
    world_close(w);
}

TEST(a_cancelled_task_is_gone_when_its_lease_is_lost)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    lease(w, "r1", 0);
    cancel(w, id.text);
    later(w, TERM_MS + 100);
    struct task t = look(w, id.text);
    CHECK_INT(t.state, TASK_CANCELLED);
    CHECK(!t.stopping);
    task_release(&t);
    world_close(w);
}

TEST(many_leases_are_lost_together)
{
    struct world *w = world_new();
    enum { N = 300 };
    static struct id ids[N];
    for (int i = 0; i < N; i++) {
        ids[i] = enqueue(w, "hello");
        lease(w, "r1", i);
    }
    later(w, TERM_MS + 100);
    for (int i = 0; i < N; i++)
        CHECK_INT(state_of(w, ids[i].text), TASK_QUEUED);
    world_close(w);
}

/* ---- 7: failures of ours ---- */

TEST(infrastructure_failures_back_off_and_end_with_the_budget)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    static const int64_t wait_s[] = {1, 2, 4, 8, 16, 32, 60, 60, 60, 60};
    for (size_t i = 0; i < ARRAY_LEN(wait_s); i++) {
        struct held_task h = lease(w, "r1", 0);
        CHECK(got(&h, &id));
        CHECK_INT(finish_rc(w, &h, CLASS_INFRA), 0);
        CHECK_INT(state_of(w, id.text), TASK_QUEUED);
        later(w, wait_s[i] * 1000 - 300);
        CHECK_STR(lease(w, "r1", 0).ref.task, "");
        later(w, 400);
    }
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(h.ref.attempt, 11);
    CHECK_INT(finish_rc(w, &h, CLASS_INFRA), 0);
    struct task t = look(w, id.text);
    CHECK_INT(t.state, TASK_ERROR);
    CHECK_HAS(t.msg, "11 failed attempts: boom");
    CHECK_STR(t.error_class, "Infrastructure");
    CHECK_STR(t.retry_task_id, "");
    task_release(&t);
    world_close(w);
}

TAP_MAIN
