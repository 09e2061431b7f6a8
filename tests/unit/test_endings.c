/* What an ending makes of a task: states, times, messages, the retries of its code. */
#include "tests/unit/queue_world.h"
#include "lib/banned.h"

struct expectation {
    enum attempt_class class;
    enum task_state state;
    const char *msg, *error_class;
    int64_t exit_code;
};

static const struct expectation expectations[] = {
    {CLASS_OK, TASK_COMPLETE, NULL, NULL, 0},
    {CLASS_TASK, TASK_ERROR, "boom", "Process Exit 3", 3},
    {CLASS_TIMEOUT, TASK_TIMEOUT, "boom", "Timeout", -1},
    {CLASS_REQUEST, TASK_ERROR, "boom", "Bad Request", -1},
    {CLASS_INFRA, TASK_QUEUED, NULL, NULL, -1},
    {CLASS_CANCELLED, TASK_QUEUED, NULL, NULL, -1}, /* its runner drains */
};

static void check_same(const char *got, const char *want)
{
    if (want)
        CHECK_STR(got, want);
    else
        CHECK(!got);
}

static void check_ending(struct world *w, const struct expectation *x, bool started)
{
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK(got(&h, &id));
    if (started) {
        CHECK_INT(started_rc(w, &h), 0);
        CHECK_INT(state_of(w, id.text), TASK_RUNNING);
    }
    CHECK_INT(finish_rc(w, &h, x->class), 0);
    struct task t = look(w, id.text);
    CHECK_INT(t.state, x->state);
    check_same(t.msg, x->msg);
    check_same(t.error_class, x->error_class);
    CHECK_INT(t.exit_code, x->exit_code);
    CHECK_INT(t.attempt, 1);
    CHECK(task_state_ended(t.state) ? t.end_us >= t.start_us && t.start_us >= t.created_us
                                    : t.end_us == 0 && t.start_us == 0);
    task_release(&t);
    cancel(w, id.text); /* out of the way of the next one */
}

TEST(each_class_leads_to_its_state)
{
    struct world *w = world_new();
    for (size_t i = 0; i < ARRAY_LEN(expectations); i++)
        check_ending(w, &expectations[i], true);
    world_close(w);
}

/* ---- messages of the worker ---- */

static void say(struct world *w, const char *id, int64_t percent, const char *msg)
{
    struct op_progress o;
    op_progress_init(&o);
    o.project = w->project;
    o.id = id;
    o.percent = percent;
    o.msg = msg;
    CHECK_RUN(w, &o);
}

static void check_shown(struct world *w, const char *id, int64_t percent, const char *msg)
{
    struct task t = look(w, id);
    CHECK_INT(t.percent, percent);
    check_same(t.msg, msg);
    task_release(&t);
}

TEST(a_message_of_the_worker_survives_every_ending)
{
    struct world *w = world_new();
    enum attempt_class classes[] = {CLASS_OK, CLASS_TASK, CLASS_TIMEOUT, CLASS_REQUEST};
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        struct id id = enqueue(w, "hello");
        say(w, id.text, 10, "queued still");
        struct held_task h = lease(w, "r1", 0);
        CHECK_INT(started_rc(w, &h), 0);
        say(w, id.text, -1, "{\"id\":\"\xc3\xa4\"}\n");
        CHECK_INT(finish_rc(w, &h, classes[i]), 0);
        check_shown(w, id.text, 10, "{\"id\":\"\xc3\xa4\"}\n");
        say(w, id.text, 100, NULL);
        check_shown(w, id.text, 100, "{\"id\":\"\xc3\xa4\"}\n");
    }
    world_close(w);
}

TEST(a_message_that_was_taken_back_does_not_count)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    say(w, id.text, -1, "here");
    say(w, id.text, -1, "");
    check_shown(w, id.text, 0, NULL);
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(finish_rc(w, &h, CLASS_TASK), 0);
    check_shown(w, id.text, 0, "boom");
    world_close(w);
}

/* ---- endings ---- */

TEST(each_class_leads_there_when_started_was_never_heard)
{
    struct world *w = world_new();
    for (size_t i = 0; i < ARRAY_LEN(expectations); i++)
        check_ending(w, &expectations[i], false);
    world_close(w);
}

TEST(a_failure_without_a_reason_says_how_it_ended)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    struct finish f = an_end(&h, CLASS_TASK);
    f.reason = "";
    f.signal = 9;
    f.exit_code = -1;
    CHECK_INT(finish_as_rc(w, &f), 0);
    struct task t = look(w, id.text);
    CHECK_STR(t.msg, "ended by signal 9");
    CHECK_STR(t.error_class, "Process Signal 9");
    task_release(&t);
    world_close(w);
}

TEST(a_class_that_only_the_server_may_say_is_refused)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(finish_rc(w, &h, CLASS_LOST), ERR_INVALID);
    CHECK_INT(finish_rc(w, &h, CLASS_NONE), ERR_INVALID);
    CHECK_INT(state_of(w, id.text), TASK_PREPARING);
    world_close(w);
}

TEST(the_duration_is_the_runners)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(started_rc(w, &h), 0);
    later(w, 9000);
    struct finish f = an_end(&h, CLASS_OK);
    f.start_us = 5000000; /* its clock is far off */
    f.end_us = 12500000;
    CHECK_INT(finish_as_rc(w, &f), 0);
    struct task t = look(w, id.text);
    CHECK_INT(t.end_us - t.start_us, 7500000);
    task_release(&t);
    world_close(w);
}

TEST(a_drained_task_goes_back_at_once_and_free_of_charge)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(finish_rc(w, &h, CLASS_CANCELLED), 0);
    struct task_row row;
    CHECK_OK(store_task_resolve(w->r, 0, id.text, &row, &e), &e);
    CHECK_INT(row.infra, 0);
    CHECK_STR(lease(w, "r2", 0).ref.task, id.text);
    world_close(w);
}

TEST(the_facts_of_a_cancelled_attempt_are_kept)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    cancel(w, id.text);
    CHECK_INT(started_rc(w, &h), 0); /* it was under way */
    struct finish f = an_end(&h, CLASS_OK);
    f.log_bytes = 77;
    CHECK_INT(finish_as_rc(w, &f), 0);
    struct task t = look(w, id.text);
    CHECK_INT(t.state, TASK_CANCELLED);
    CHECK(!t.stopping);
    CHECK_INT(t.log_bytes, 77);
    CHECK_STR(t.image, "img");
    task_release(&t);
    world_close(w);
}

/* ---- retries ---- */

/* fail: the next task that r1 is given ends with this class; its id. */
static struct id fail(struct world *w, enum attempt_class class)
{
    struct held_task h = lease(w, "r1", 0);
    CHECK(h.ref.task[0]);
    CHECK_INT(finish_rc(w, &h, class), 0);
    struct id id;
    memcpy(id.text, h.ref.task, ID_TEXT);
    return id;
}

TEST(a_failed_task_is_tried_again_as_a_chain_of_new_tasks)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "shaky", .retries = 2, .retries_delay_s = 30});
    struct task_new n = new_task("shaky");
    n.label = "blue";
    n.priority = 1;
    struct id first = enqueue_as(w, n), at = fail(w, CLASS_TASK);
    CHECK_STR(at.text, first.text);
    for (int64_t try = 1; try <= 2; try++) {
        struct task failed = look(w, at.text);
        struct task retry = look(w, failed.retry_task_id);
        CHECK_INT(failed.state, TASK_ERROR);
        CHECK_INT(retry.state, TASK_QUEUED);
        CHECK_INT(retry.retry, try);
        CHECK_INT(retry.delay_s, 30);
        CHECK_INT(retry.priority, 1);
        CHECK_STR(retry.label, "blue");
        CHECK_STR(retry.payload, "{}");
        CHECK_STR(retry.original_task_id, first.text);
        task_release(&failed);
        task_release(&retry);
        CHECK_STR(lease(w, "r1", 0).ref.task, "");
        later(w, 30100);
        at = fail(w, CLASS_TASK);
    }
    struct task last = look(w, at.text);
    CHECK_INT(last.state, TASK_ERROR);
    CHECK_STR(last.retry_task_id, "");
    task_release(&last);
    world_close(w);
}

TEST(a_retry_by_hand_is_a_new_task_in_any_state)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "again", .retries = 1});
    struct task_new t = new_task("again");
    t.payload = "why";
    t.payload_len = 3;
    t.label = "x";
    t.priority = 2;
    struct id first = enqueue_as(w, t);
    struct op_retry o;
    op_retry_init(&o);
    o.project = w->project;
    o.id = first.text;
    CHECK_RUN(w, &o); /* the first is still queued */
    struct task a = look(w, o.ret_id);
    CHECK_STR(a.original_task_id, first.text);
    CHECK_STR(a.payload, "why");
    CHECK_STR(a.label, "x");
    CHECK_INT(a.priority, 2);
    CHECK_INT(a.retry, 0);
    CHECK_INT(a.timeout_s, 60);
    struct id second;
    str_copy(second.text, sizeof(second.text), o.ret_id);
    o.id = second.text;
    o.delay_s = 100;
    CHECK_RUN(w, &o);
    struct task b = look(w, o.ret_id);
    CHECK_STR(b.original_task_id, first.text); /* of the chain */
    CHECK_INT(b.delay_s, 100);
    struct held_task h = lease(w, "r1", 0), i = lease(w, "r1", 1);
    CHECK(got(&h, &first));
    CHECK(got(&i, &second));
    CHECK_STR(lease(w, "r1", 2).ref.task, ""); /* delayed */
    CHECK_INT(finish_rc(w, &i, CLASS_TASK), 0);
    struct task c = look(w, second.text);
    CHECK(c.retry_task_id[0]); /* it has its own budget */
    task_release(&a);
    task_release(&b);
    task_release(&c);
    world_close(w);
}

TEST(a_timeout_is_retried_and_a_bad_request_is_not)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "shaky", .retries = 1});
    enqueue(w, "shaky");
    struct task t = look(w, fail(w, CLASS_TIMEOUT).text);
    CHECK(t.retry_task_id[0]);
    cancel(w, t.retry_task_id);
    task_release(&t);
    enqueue(w, "shaky");
    t = look(w, fail(w, CLASS_REQUEST).text);
    CHECK_STR(t.retry_task_id, "");
    task_release(&t);
    world_close(w);
}

TEST(a_retry_runs_the_newest_revision)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "shaky", .retries = 1});
    enqueue(w, "shaky");
    put_code(w, (struct a_code){.name = "shaky", .retries = 1});
    struct task failed = look(w, fail(w, CLASS_TASK).text);
    struct task retry = look(w, failed.retry_task_id);
    CHECK_INT(failed.code_rev, 1);
    CHECK_INT(retry.code_rev, 2);
    task_release(&failed);
    task_release(&retry);
    world_close(w);
}

TEST(followers_are_told_of_every_change)
{
    struct world *w = world_new();
    enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(atomic_load(&w->told), 1);
    CHECK_INT(started_rc(w, &h), 0);
    CHECK_INT(atomic_load(&w->told), 2);
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    CHECK_INT(atomic_load(&w->told), 3);
    world_close(w);
}

TAP_MAIN
