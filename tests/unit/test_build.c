/* server/build: what an upload with `build` makes, from the upload to the revision. */
#include "tests/unit/queue_world.h"

#include "server/ops_build.h"

#include "lib/banned.h"

#define SOURCE "1111111111111111111111111111111111111111111111111111111111111111"
#define OTHER  "2222222222222222222222222222222222222222222222222222222222222222"
#define RESULT "3333333333333333333333333333333333333333333333333333333333333333"
#define MD5    "44444444444444444444444444444444"

static struct world w = {.infra_retries = 3};

static void open_world(void)
{
    const uint8_t hash[3][32] = {{1}, {2}, {3}};
    struct op_bootstrap o;
    struct store_token token;
    world_open(&w);
    op_bootstrap_init(&o);
    o.project_hash = hash[0];
    o.runner_hash = hash[1];
    o.admin_hash = hash[2];
    CHECK_RUN(&w, &o);
    CHECK_OK(store_token_find(w.r, hash[0], &token, &e), &e);
    w.project = token.project;
}

static struct op_build_put put_build_of(const char *name, const char *source, const char *command)
{
    struct code_upload up = {.name = name,
                             .image = "",
                             .command = "sh run.sh",
                             .runtime = "",
                             .file_name = "",
                             .stack = "sh",
                             .config = "",
                             .build = command,
                             .max_concurrency = CODE_UNSET,
                             .retries = CODE_UNSET,
                             .retries_delay_s = CODE_UNSET,
                             .default_priority = CODE_UNSET,
                             .timeout_s = CODE_UNSET};
    struct op_build_put o;
    op_build_put_init(&o);
    o.project = w.project;
    o.up = &up;
    o.source = (struct store_package){source, MD5, 10};
    CHECK_RUN(&w, &o);
    return o;
}

static struct op_build_put put_build(const char *source)
{
    return put_build_of("made", source, "make");
}

/* take: the builder's task, as the runner that gets it. */
static struct held_task take(const struct op_build_put *o)
{
    struct a_poll p;
    poll_init(&p, "r", 0, 0);
    CHECK_RUN(&w, &p.op);
    CHECK(p.op.ret_some);
    CHECK_STR(p.op.ret_grant.ref.task, o->ret_task_id);
    CHECK(p.op.ret_grant.collect);
    return take_grant(&p);
}

static int send_rc(const struct held_task *h, const char *sha256)
{
    struct op_build_result o;
    op_build_result_init(&o);
    o.ref = &h->ref;
    o.runner = h->runner;
    o.result.bytes = 20;
    memcpy(o.result.sha256, sha256, sizeof(o.result.sha256));
    memcpy(o.result.md5, MD5, sizeof(o.result.md5));
    return writer_run(w.wr, &o.w);
}

static int end_rc(const struct held_task *h, enum attempt_class class)
{
    struct finish f = an_end(h, class);
    struct op_finish o;
    op_finish_init(&o);
    o.finish = &f;
    return writer_run(w.wr, &o.w);
}

static void build_well(const struct op_build_put *o)
{
    struct held_task h = take(o);
    CHECK_INT(send_rc(&h, RESULT), 0);
    CHECK_INT(end_rc(&h, CLASS_OK), 0);
    CHECK_INT(state_of(&w, o->ret_task_id), TASK_COMPLETE);
}

/* rev_of: the current revision; 0 = the code is not there for clients. */
static int64_t rev_of(const char *name, int64_t *ret_package_bytes)
{
    struct code c;
    if (store_code_by_name(w.r, w.project, name, &c, &e) < 0)
        return 0;
    int64_t rev = c.rev;
    *ret_package_bytes = c.package_bytes;
    code_release(&c);
    return rev;
}

static void check_current(int64_t rev, int64_t package_bytes)
{
    int64_t bytes = 0;
    CHECK_INT(rev_of("made", &bytes), rev);
    CHECK_INT(bytes, package_bytes);
}

TEST(the_package_of_a_build_becomes_the_revision)
{
    open_world();
    struct op_build_put o = put_build(SOURCE);
    CHECK(o.ret_task_id[0]);
    CHECK_INT(o.ret_rev, 0);
    check_current(0, 0);
    build_well(&o);
    check_current(1, 20);
    world_close(&w);
}

TEST(a_code_without_a_revision_takes_no_tasks)
{
    open_world();
    (void)put_build(SOURCE);
    struct task_new t = new_task("made");
    struct id id;
    struct op_enqueue o;
    op_enqueue_init(&o);
    o.project = w.project;
    o.tasks = &t;
    o.n = 1;
    o.ret_ids = &id.text;
    CHECK_INT(writer_run(w.wr, &o.w), ERR_NOT_FOUND);
    CHECK_HAS(o.w.err.msg, "first build");
    world_close(&w);
}

TEST(the_same_again_is_answered_without_a_task)
{
    open_world();
    struct op_build_put o = put_build(SOURCE);
    build_well(&o);
    o = put_build(SOURCE);
    CHECK_STR(o.ret_task_id, "");
    CHECK_INT(o.ret_rev, 2);
    check_current(2, 20);
    o = put_build_of("twin", SOURCE, "make");
    CHECK_STR(o.ret_task_id, "");
    CHECK(put_build(OTHER).ret_task_id[0]);
    CHECK(put_build_of("made", SOURCE, "make all").ret_task_id[0]);
    world_close(&w);
}

TEST(a_failed_build_changes_nothing_and_is_not_remembered)
{
    open_world();
    struct op_build_put o = put_build(SOURCE);
    build_well(&o);
    o = put_build(OTHER);
    CHECK_INT(o.ret_rev, 1);
    struct held_task h = take(&o);
    CHECK_INT(send_rc(&h, RESULT), 0); /* and then its end was another */
    CHECK_INT(end_rc(&h, CLASS_TASK), 0);
    CHECK_INT(state_of(&w, o.ret_task_id), TASK_ERROR);
    check_current(1, 20);
    CHECK(put_build(OTHER).ret_task_id[0]);
    world_close(&w);
}

TEST(a_good_end_without_its_package_runs_again)
{
    open_world();
    struct op_build_put o = put_build(SOURCE);
    struct held_task first = take(&o);
    CHECK_INT(end_rc(&first, CLASS_OK), 0);
    CHECK_INT(state_of(&w, o.ret_task_id), TASK_QUEUED);
    later(&w, 60000);
    struct held_task second = take(&o);
    CHECK_INT(send_rc(&first, RESULT), ERR_CONFLICT); /* the old attempt comes late */
    CHECK_INT(end_rc(&second, CLASS_OK), 0);
    CHECK_INT(state_of(&w, o.ret_task_id), TASK_QUEUED);
    check_current(0, 0);
    world_close(&w);
}

TEST(a_later_upload_is_not_replaced_by_an_earlier_build)
{
    open_world();
    struct op_build_put slow = put_build(SOURCE);
    struct held_task h = take(&slow);
    put_code(&w, (struct a_code){.name = "made"});
    check_current(1, 0);
    CHECK_INT(send_rc(&h, RESULT), 0);
    CHECK_INT(end_rc(&h, CLASS_OK), 0);
    CHECK_INT(state_of(&w, slow.ret_task_id), TASK_COMPLETE);
    check_current(1, 0);
    CHECK_STR(put_build(SOURCE).ret_task_id, ""); /* but it is kept */
    check_current(2, 20);
    world_close(&w);
}

TEST(of_two_builds_the_later_upload_wins_whichever_ends_first)
{
    open_world();
    struct op_build_put early = put_build(SOURCE);
    struct held_task h = take(&early);
    later(&w, 1000);
    struct op_build_put late = put_build(OTHER);
    struct a_poll p;
    poll_init(&p, "r", 1, 0);
    CHECK_RUN(&w, &p.op);
    struct held_task l = take_grant(&p);
    CHECK_STR(l.ref.task, late.ret_task_id);
    CHECK_INT(send_rc(&h, RESULT), 0);
    CHECK_INT(end_rc(&h, CLASS_OK), 0);
    check_current(1, 20);
    CHECK_INT(send_rc(&l, RESULT), 0);
    CHECK_INT(end_rc(&l, CLASS_OK), 0);
    check_current(2, 20);
    world_close(&w);
}

TEST(the_code_of_a_build_that_was_deleted_does_not_come_back)
{
    open_world();
    struct op_build_put o = put_build(SOURCE);
    struct held_task h = take(&o);
    struct op_code_delete d;
    op_code_delete_init(&d);
    d.project = w.project;
    d.id = o.ret_id;
    CHECK_RUN(&w, &d);
    CHECK_INT(send_rc(&h, RESULT), 0);
    CHECK_INT(end_rc(&h, CLASS_OK), 0);
    CHECK_INT(state_of(&w, o.ret_task_id), TASK_COMPLETE);
    check_current(0, 0);
    world_close(&w);
}

TEST(only_a_build_has_a_package_to_send)
{
    open_world();
    put_code(&w, (struct a_code){.name = "plain"});
    struct id id = enqueue(&w, "plain");
    struct held_task h = lease(&w, "r", 0);
    CHECK(got(&h, &id));
    CHECK_INT(send_rc(&h, RESULT), ERR_INVALID);
    CHECK_INT(end_rc(&h, CLASS_OK), 0);
    CHECK_INT(state_of(&w, id.text), TASK_COMPLETE);
    world_close(&w);
}

TEST(what_was_built_is_known_as_a_package_before_it_has_a_revision)
{
    open_world();
    bool known = true;
    struct op_build_put o = put_build(SOURCE);
    struct held_task h = take(&o);
    CHECK_OK(store_package_known(w.r, RESULT, &known, &e), &e);
    CHECK(!known);
    CHECK_INT(send_rc(&h, RESULT), 0);
    CHECK_OK(store_package_known(w.r, RESULT, &known, &e), &e);
    CHECK(known);
    world_close(&w);
}

TAP_MAIN
