/* The rules of schedules, with clocks that the test moves: when they fire, the policies, changes.
 */
#include <sched.h>

#include "tests/unit/schedule_world.h"
#include "lib/banned.h"

static struct world *world_at(const char *time)
{
    set_time(time);
    return world_new();
}

/* absent: the server is down for a while. */
static void absent(struct world *w, int64_t ms)
{
    world_close(w);
    atomic_fetch_add(&ahead_ms, ms);
    world_open(w);
    kick(w);
}

/* ---- times ---- */

TEST(an_interval_fires_at_its_times_and_never_early)
{
    struct world *w = world_at("2026-01-01T00:00:10Z");
    struct id s = add(w, "{\"code_name\":\"hello\",\"run_every\":60,"
                         "\"start_at\":\"2026-01-01T00:01:00Z\",\"run_times\":3}");
    check_next(w, s.text, "2026-01-01T00:01:00Z");
    later(w, 50 * SECOND - 1);
    CHECK_STR(firings(w, s.text), "");
    later(w, 1);
    CHECK_STR(firings(w, s.text), "f");
    check_next(w, s.text, "2026-01-01T00:02:00Z");
    later(w, MINUTE);
    CHECK_STR(firings(w, s.text), "ff");
    check_status(w, s.text, SCHEDULE_SCHEDULED, "");
    later(w, MINUTE);
    CHECK_STR(firings(w, s.text), "fff");
    check_status(w, s.text, SCHEDULE_COMPLETE, "Ran max times.");
    check_next(w, s.text, "0001-01-01T00:00:00Z");
    later(w, HOUR);
    CHECK_INT(runs_of(w, s.text), 3);
    world_close(w);
}

TEST(a_task_of_a_schedule_is_as_the_schedule_says)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = add(w, "{\"code_name\":\"hello\",\"payload\":\"p\",\"label\":\"l\",\"cluster\":"
                         "\"default\",\"priority\":2,\"timeout\":7,\"task_delay\":30}");
    kick(w);
    struct task *list;
    size_t n;
    const struct store_task_filter all = {0};
    CHECK_OK(store_task_list(w->r, w->project, &all, (struct store_page){0, 10}, &list, &n, &e),
             &e);
    CHECK_INT(n, 1);
    struct task t = look(w, list[0].id);
    CHECK_STR(t.schedule_id, s.text);
    CHECK_STR(t.payload, "p");
    CHECK_STR(t.label, "l");
    CHECK_INT(t.priority, 2);
    CHECK_INT(t.timeout_s, 7);
    CHECK_INT(t.delay_s, 30);
    CHECK_STR(lease(w, "r1", 0).ref.task, ""); /* not before its delay is over */
    later(w, 31 * SECOND);
    CHECK_STR(lease(w, "r1", 0).ref.task, t.id);
    task_release(&t);
    task_release(&list[0]);
    free(list);
    world_close(w);
}

TEST(end_at_ends_it)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = add(w, "{\"code_name\":\"hello\",\"run_every\":60,"
                         "\"end_at\":\"2026-01-01T00:01:30Z\"}");
    kick(w);
    later(w, MINUTE);
    CHECK_STR(firings(w, s.text), "ff");
    check_status(w, s.text, SCHEDULE_COMPLETE, "Reached end_at.");
    world_close(w);
}

TEST(a_clock_change_neither_skips_nor_doubles)
{
    struct world *w = world_at("2026-03-28T12:00:00Z");
    struct id s =
        add(w, "{\"code_name\":\"hello\",\"cron\":\"30 2 * * *\",\"zone\":\"Europe/Berlin\"}");
    check_next(w, s.text, "2026-03-29T01:00:00Z"); /* 02:30 does not exist */
    later(w, 24 * HOUR);
    CHECK_STR(firings(w, s.text), "f");
    check_next(w, s.text, "2026-03-30T00:30:00Z");
    set_time("2026-10-24T12:00:00Z");
    CHECK_INT(put_rc(w, s.text, "{\"cron\":\"30 2 * * *\"}"), 0);
    check_next(w, s.text, "2026-10-25T00:30:00Z"); /* the first of two */
    for (int i = 0; i < 24; i++)
        later(w, HOUR);
    CHECK_STR(firings(w, s.text), "ff");
    check_next(w, s.text, "2026-10-26T01:30:00Z");
    world_close(w);
}

TEST(what_would_never_run_is_refused)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id id;
    CHECK_INT(add_rc(w,
                     "{\"code_name\":\"hello\",\"run_every\":60,"
                     "\"end_at\":\"2025-01-01T00:00:00Z\"}",
                     &id),
              ERR_INVALID);
    CHECK_HAS(e.msg, "never run");
    CHECK_INT(add_rc(w, "{\"code_name\":\"nobody\"}", &id), ERR_NOT_FOUND);
    struct schedule *list;
    size_t n;
    const struct store_schedule_filter all = {0};
    CHECK_OK(store_schedule_list(w->r, w->project, &all, (struct store_page){0, 10}, &list, &n, &e),
             &e);
    CHECK_INT(n, 0);
    free(list);
    world_close(w);
}

/* ---- missed firings: a schedule of every minute, down from 00:00:30 for an hour ---- */

static const char *after_an_hour(const char *policy)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    char text[200];
    snprintf(text, sizeof(text), "{\"code_name\":\"hello\",\"run_every\":60,%s}", policy);
    struct id s = add(w, text);
    kick(w);
    CHECK_STR(firings(w, s.text), "f");
    later(w, 30 * SECOND);
    absent(w, HOUR);
    check_next(w, s.text, "2026-01-01T01:01:00Z");
    const char *seen = firings(w, s.text);
    CHECK_INT(strlen(seen), 61); /* every one has a row */
    world_close(w);
    return seen;
}

TEST(catch_up_none_makes_nothing_up)
{
    const char *seen = after_an_hour("\"catch_up\":\"none\"");
    CHECK_INT(strspn(seen + 1, "m"), 60);
}

TEST(catch_up_latest_runs_once_and_is_the_default)
{
    const char *seen = after_an_hour("\"run_times\":0");
    CHECK_INT(strspn(seen + 1, "m"), 59);
    CHECK_STR(seen + 60, "f");
}

TEST(catch_up_all_runs_every_one)
{
    const char *seen = after_an_hour("\"catch_up\":\"all\"");
    CHECK_INT(strspn(seen, "f"), 61);
}

TEST(catch_up_all_has_a_limit)
{
    const char *seen = after_an_hour("\"catch_up\":\"all\",\"catch_up_max\":3");
    CHECK_INT(strspn(seen + 1, "m"), 57);
    CHECK_STR(seen + 58, "fff");
}

TEST(a_firing_that_is_a_little_late_is_not_missed)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = add(w, "{\"code_name\":\"hello\",\"run_every\":60,\"delay\":60,"
                         "\"catch_up\":\"none\"}");
    absent(w, 63 * SECOND);
    CHECK_STR(firings(w, s.text), "f");
    world_close(w);
}

TEST(catch_up_keeps_to_run_times)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = add(w, "{\"code_name\":\"hello\",\"run_every\":60,\"run_times\":4,"
                         "\"catch_up\":\"all\"}");
    kick(w);
    absent(w, HOUR);
    CHECK_STR(firings(w, s.text), "ffff");
    check_status(w, s.text, SCHEDULE_COMPLETE, "Ran max times.");
    world_close(w);
}

TEST(a_year_of_seconds_is_over_at_once)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = add(w, "{\"code_name\":\"hello\",\"cron\":\"* * * * * *\"}");
    int64_t began_ms = clock_mono_ms();
    absent(w, 365 * 24 * HOUR);
    CHECK(clock_mono_ms() - began_ms < 20000);
    const char *seen = firings(w, s.text);
    size_t before = strspn(seen, "f"), missed = strspn(seen + before, "m");
    CHECK_INT(missed, 101);                      /* the latest, and one row for all before */
    CHECK_STR(seen + before + missed, "ffffff"); /* those of the last five seconds */
    check_next(w, s.text, "2027-01-01T00:00:01Z");
    world_close(w);
}

TEST(old_firings_are_forgotten)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = add(w, "{\"code_name\":\"hello\",\"run_every\":1,\"catch_up\":\"all\","
                         "\"catch_up_max\":1000}");
    for (int i = 0; i < 3; i++)
        later(w, 900 * SECOND);
    CHECK_INT(runs_of(w, s.text), 2701);
    CHECK_INT(strlen(firings(w, s.text)), 1000);
    world_close(w);
}

/* ---- overlaps: a firing every ten seconds, so that leases live on ---- */

static struct id every_ten(struct world *w, const char *overlap)
{
    char text[200];
    snprintf(text, sizeof(text), "{\"code_name\":\"hello\",\"run_every\":10,\"overlap\":\"%s\"}",
             overlap);
    struct id s = add(w, text);
    kick(w);
    CHECK_STR(firings(w, s.text), "f");
    return s;
}

TEST(overlap_allow_queues_beside_what_runs)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = every_ten(w, "allow");
    later(w, 10 * SECOND);
    CHECK_STR(firings(w, s.text), "ff");
    world_close(w);
}

TEST(overlap_skip_waits_for_the_end)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = every_ten(w, "skip");
    later(w, 10 * SECOND);
    CHECK_STR(firings(w, s.text), "fs");
    struct held_task h = lease(w, "r1", 0);
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    CHECK_STR(firings(w, s.text), "fs"); /* what was skipped stays so */
    later(w, 10 * SECOND);
    CHECK_STR(firings(w, s.text), "fsf");
    CHECK_INT(runs_of(w, s.text), 2);
    world_close(w);
}

TEST(overlap_queue_one_fires_when_the_other_ends)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = every_ten(w, "queue-one");
    struct held_task h = lease(w, "r1", 0);
    later(w, 10 * SECOND);
    CHECK_STR(firings(w, s.text), "fw");
    later(w, 10 * SECOND);
    CHECK_STR(firings(w, s.text), "fws");
    CHECK_STR(lease(w, "r2", 0).ref.task, ""); /* never two at once */
    world_reopen(w);
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    kick(w);
    CHECK_STR(firings(w, s.text), "ffs");
    check_next(w, s.text, "2026-01-01T00:00:30Z");
    CHECK(lease(w, "r2", 0).ref.task[0]);
    CHECK_INT(runs_of(w, s.text), 2);
    world_close(w);
}

TEST(a_retry_counts_as_the_same_run)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    put_code(w, (struct a_code){.name = "hello", .retries = 1});
    struct id s = every_ten(w, "queue-one");
    struct held_task first = lease(w, "r1", 0);
    later(w, 10 * SECOND);
    CHECK_INT(finish_rc(w, &first, CLASS_TASK), 0);
    kick(w);
    CHECK_STR(firings(w, s.text), "fw");
    struct held_task again = lease(w, "r1", 0);
    CHECK_INT(finish_rc(w, &again, CLASS_TASK), 0);
    kick(w);
    CHECK_STR(firings(w, s.text), "ff");
    world_close(w);
}

TEST(cancelling_the_tasks_lets_the_waiting_one_go)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = every_ten(w, "queue-one");
    struct held_task h = lease(w, "r1", 0);
    later(w, 10 * SECOND);
    cancel(w, h.ref.task);
    kick(w);
    CHECK_STR(firings(w, s.text), "ff");
    world_close(w);
}

TEST(the_last_one_waits_too)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = add(w, "{\"code_name\":\"hello\",\"run_every\":10,\"overlap\":\"queue-one\","
                         "\"run_times\":2}");
    kick(w);
    struct held_task h = lease(w, "r1", 0);
    later(w, 10 * SECOND);
    CHECK_STR(firings(w, s.text), "fw");
    check_status(w, s.text, SCHEDULE_SCHEDULED, "");
    later(w, 15 * SECOND);
    CHECK_STR(firings(w, s.text), "fw");
    CHECK_INT(renew(w, &h), ORDER_NONE);
    world_reopen(w);
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    kick(w);
    CHECK_STR(firings(w, s.text), "ff");
    check_status(w, s.text, SCHEDULE_COMPLETE, "Ran max times.");
    world_close(w);
}

TEST(overlap_replace_cancels_what_runs)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = every_ten(w, "replace");
    struct held_task h = lease(w, "r1", 0);
    later(w, 10 * SECOND);
    CHECK_STR(firings(w, s.text), "ff");
    CHECK_INT(renew(w, &h), ORDER_CANCEL);
    struct task t = look(w, h.ref.task);
    CHECK_INT(t.state, TASK_CANCELLED);
    CHECK_STR(t.msg, "replaced by the next firing of its schedule");
    task_release(&t);
    world_close(w);
}

/* ---- changes ---- */

TEST(a_paused_schedule_misses_nothing)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = every_ten(w, "allow");
    order(w, s.text, SCHEDULE_PAUSE);
    later(w, HOUR);
    CHECK_STR(firings(w, s.text), "f");
    world_reopen(w);
    order(w, s.text, SCHEDULE_RESUME);
    kick(w);
    CHECK_STR(firings(w, s.text), "ff"); /* 01:00 is now */
    check_next(w, s.text, "2026-01-01T01:00:10Z");
    world_close(w);
}

TEST(a_cancelled_schedule_drops_what_waits)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = every_ten(w, "queue-one");
    struct held_task h = lease(w, "r1", 0);
    later(w, 10 * SECOND);
    order(w, s.text, SCHEDULE_CANCEL);
    CHECK_STR(firings(w, s.text), "fs");
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    later(w, HOUR);
    CHECK_STR(firings(w, s.text), "fs");
    check_status(w, s.text, SCHEDULE_CANCELLED, "");
    world_close(w);
}

TEST(put_counts_from_now)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = every_ten(w, "allow");
    CHECK_INT(put_rc(w, s.text, "{\"run_every\":3600}"), 0);
    check_next(w, s.text, "2026-01-01T01:00:00Z"); /* 00:00 was fired already */
    CHECK_INT(put_rc(w, s.text, "{\"run_times\":1}"), ERR_INVALID);
    CHECK_HAS(e.msg, "run_times");
    CHECK_INT(put_rc(w, s.text, "{\"start_at\":\"2026-01-01T00:10:00Z\"}"), 0);
    check_next(w, s.text, "2026-01-01T00:10:00Z");
    CHECK_INT(put_rc(w, s.text, "{\"delay\":30}"), 0);
    check_next(w, s.text, "2026-01-01T00:00:30Z");
    world_close(w);
}

TEST(every_trigger_is_a_firing_of_its_own)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = every_ten(w, "allow");
    for (int i = 0; i < 3; i++) { /* at one instant */
        struct op_schedule_trigger o;
        op_schedule_trigger_init(&o);
        o.project = w->project;
        o.id = s.text;
        CHECK_RUN(w, &o);
        CHECK_INT(o.ret_firing.outcome, FIRING_FIRED);
        firing_release(&o.ret_firing);
    }
    CHECK_STR(firings(w, s.text), "ffff");
    check_next(w, s.text, "2026-01-01T00:00:10Z");
    world_close(w);
}

/* ---- when something is wrong ---- */

static void delete_code(struct world *w, const char *id)
{
    struct op_code_delete o;
    op_code_delete_init(&o);
    o.project = w->project;
    o.id = id;
    CHECK_RUN(w, &o);
}

TEST(a_deleted_code_is_an_error_of_the_firing_alone)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    put_code(w, (struct a_code){.name = "other"});
    struct id bad = add(w, "{\"code_name\":\"other\",\"run_every\":60}");
    struct id once = add(w, "{\"code_name\":\"other\",\"delay\":60}");
    struct id good = add(w, "{\"code_name\":\"hello\",\"run_every\":60}");
    CHECK_STR(firings(w, bad.text), "f");
    delete_code(w, put_code(w, (struct a_code){.name = "other"}));
    later(w, MINUTE);
    CHECK_STR(firings(w, bad.text), "fx");
    CHECK_STR(firings(w, good.text), "ff");
    check_status(w, bad.text, SCHEDULE_SCHEDULED, "no code is named \"other\"");
    check_status(w, once.text, SCHEDULE_ERROR, "no code is named \"other\"");
    put_code(w, (struct a_code){.name = "other"});
    later(w, MINUTE);
    CHECK_STR(firings(w, bad.text), "fxf");
    check_status(w, bad.text, SCHEDULE_SCHEDULED, "");
    world_close(w);
}

TEST(deleting_the_code_lets_the_waiting_one_go)
{
    struct world *w = world_at("2026-01-01T00:00:00Z");
    struct id s = every_ten(w, "queue-one");
    later(w, 10 * SECOND);
    CHECK_STR(firings(w, s.text), "fw");
    delete_code(w, put_code(w, (struct a_code){.name = "hello"}));
    kick(w);
    CHECK_STR(firings(w, s.text), "fx");
    world_close(w);
}

TEST(many_that_are_due_at_once_all_fire)
{
    enum { MANY = 1000 };
    struct world *w = world_at("2026-01-01T00:00:00Z");
    static struct id ids[MANY];
    for (int i = 0; i < MANY; i++)
        ids[i] = add(w, "{\"code_name\":\"hello\",\"delay\":60}");
    later(w, MINUTE);
    for (int i = 0; i < MANY / 100; i++)
        kick(w);
    for (int i = 0; i < MANY; i++)
        CHECK_STR(firings(w, ids[i].text), "f");
    world_close(w);
}

TAP_MAIN
