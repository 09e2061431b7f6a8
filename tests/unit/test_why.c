/* op_why: the first cause that holds, one test each. */
#include <sqlite3.h>

#include "tests/unit/queue_world.h"
#include "lib/banned.h"

static const char *why(struct world *w, const char *id)
{
    static char reason[256];
    struct op_why o;
    op_why_init(&o);
    o.project = w->project;
    o.id = id;
    CHECK_RUN(w, &o);
    memcpy(reason, o.ret_reason, sizeof(reason));
    return reason;
}

TEST(a_running_or_ended_task_needs_no_reason)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK_HAS(why(w, id.text), "runner r1 is preparing attempt 1");
    CHECK_INT(started_rc(w, &h), 0);
    CHECK_STR(why(w, id.text), "");
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    CHECK_STR(why(w, id.text), "");
    world_close(w);
}

TEST(an_unknown_task_is_not_found)
{
    struct world *w = world_new();
    struct op_why o;
    op_why_init(&o);
    o.project = w->project;
    o.id = "ffffffffffffffffffffffff";
    CHECK_INT(writer_run(w->wr, &o.w), ERR_NOT_FOUND);
    world_close(w);
}

TEST(a_delay_is_named)
{
    struct world *w = world_new();
    struct task_new t = new_task("hello");
    t.delay_s = 60;
    CHECK_HAS(why(w, enqueue_as(w, t).text), "delayed until 2");
    world_close(w);
}

TEST(a_failed_attempt_is_quoted)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(finish_rc(w, &h, CLASS_INFRA), 0);
    CHECK_HAS(why(w, id.text), "attempt 1 failed: boom; next try at 2");
    world_close(w);
}

TEST(a_paused_code_is_named)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    world_close(w);
    sqlite3 *db; /* as an operation that is still to come will leave it */
    CHECK_INT(sqlite3_open("wrought.db", &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "UPDATE code SET paused = 1", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    world_open(w);
    CHECK_STR(why(w, id.text), "code \"hello\" is paused");
    CHECK_STR(lease(w, "r1", 0).ref.task, "");
    world_close(w);
}

TEST(a_full_code_is_named)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "one", .max_concurrency = 1});
    enqueue(w, "one");
    struct id id = enqueue(w, "one");
    lease(w, "r1", 0);
    CHECK_STR(why(w, id.text), "code \"one\" is at its limit of 1 at a time");
    world_close(w);
}

TEST(an_empty_cluster_is_named)
{
    struct world *w = world_new();
    struct task_new t = new_task("hello");
    t.cluster = "gpu";
    struct id id = enqueue_as(w, t);
    say_hello(w, "r1"); /* of another cluster */
    CHECK_STR(why(w, id.text), "no runner has ever registered for cluster \"gpu\"");
    world_close(w);
}

TEST(silent_runners_are_counted_out)
{
    struct world *w = world_new();
    say_hello(w, "r1");
    struct id id = enqueue(w, "hello");
    later(w, 120000);
    CHECK_HAS(why(w, id.text), "no runner of cluster \"default\" was heard of for 120 s");
    world_close(w);
}

TEST(the_problem_of_a_runner_is_quoted)
{
    struct world *w = world_new();
    say_hello_with(w, "r1", "engine does not answer", "[]");
    struct id id = enqueue(w, "hello");
    CHECK_HAS(why(w, id.text), "can run tasks; r1 says: \"engine does not answer\"");
    say_hello(w, "r2");
    CHECK_HAS(why(w, id.text), "as soon as a runner asks");
    world_close(w);
}

TEST(a_stack_that_no_runner_has_is_named)
{
    struct world *w = world_new();
    put_code(w, (struct a_code){.name = "py", .stack = "python-3.11"});
    say_hello_with(w, "r1", "", "[\"python-3\",\"ruby-3.1\"]");
    struct id id = enqueue(w, "py");
    CHECK_HAS(why(w, id.text), "no runner of cluster \"default\" has the stack \"python-3.11\"");
    say_hello_with(w, "r2", "", "[\"python-3.11\"]");
    CHECK_HAS(why(w, id.text), "as soon as a runner asks");
    world_close(w);
}

TEST(busy_slots_are_counted)
{
    struct world *w = world_new();
    say_hello(w, "r1"); /* one slot */
    enqueue(w, "hello");
    lease(w, "r1", 0);
    CHECK_STR(why(w, enqueue(w, "hello").text), "all 1 slots of cluster \"default\" are busy");
    world_close(w);
}

TEST(those_ahead_are_counted)
{
    struct world *w = world_new();
    say_hello(w, "r1");
    enqueue(w, "hello");
    enqueue(w, "hello");
    CHECK_STR(why(w, enqueue(w, "hello").text), "2 tasks of its code are ahead of it");
    world_close(w);
}

TAP_MAIN
