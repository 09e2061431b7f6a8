/* Net sandboxes on the real engine that DOCKER_HOST names: when one is used again and when not.
 * What they let through is shown by network.t. Run by sandbox.t. */
#include "runner/sandbox.h"

#include <signal.h>

#include "lib/clock.h"
#include "lib/httpc.h"
#include "lib/str.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

#define IMAGE   "wrought-test/busybox:latest"
#define WAIT_MS 30000

/* One slot of a runner. */
struct bench {
    struct node node;
    struct sandboxes *sandboxes;
    struct jobs *jobs;
    struct volumes *volumes;
    struct janitor *janitor;
    struct sandbox_seat *seat;
    struct engine *g;
    struct err e;
    char task[64]; /* container of the last task; "" = none */
};

static struct bench *bench_new(void)
{
    static struct bench b;
    node_init(&b.node);
    httpc_global_init();
    b.node.set = (struct settings){.engine = getenv("DOCKER_HOST"),
                                   .init = getenv("WROUGHT_INIT"),
                                   .allow_net = "",
                                   .deny_net = "",
                                   .sandbox_tasks = 3,
                                   .sandbox_age_ms = 60000};
    if (!b.node.set.engine || !b.node.set.init)
        TAP_FAIL("DOCKER_HOST and WROUGHT_INIT must be set");
    snprintf(b.node.id, sizeof b.node.id, "test%d", (int)getpid());
    str_copy(b.node.init_sha256, sizeof b.node.init_sha256, "0123456789ab: of this test");
    node_engine_up(&b.node, "test", 2, 1 << 30);
    CHECK_OK(sandboxes_new(&b.node, &b.sandboxes, &b.e), &b.e);
    b.jobs = jobs_new();
    b.volumes = volumes_new(&b.node);
    b.janitor = janitor_start(&b.node, b.jobs, b.volumes, b.sandboxes);
    b.seat = sandbox_seat_new(b.sandboxes, b.janitor, 0);
    CHECK_OK(engine_new(b.node.set.engine, &b.g, &b.e), &b.e);
    return &b;
}

/* bench_end: everything is removed. */
static void bench_end(struct bench *b)
{
    struct engine_entry *list = NULL;
    size_t n = 1;
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    sandbox_seat_free(b->seat);
    if (b->task[0])
        janitor_remove(b->janitor, b->task);
    while (n > 0) {
        CHECK_OK(engine_list(b->g, LABEL_RUNNER, b->node.id, &list, &n, &b->e), &b->e);
        engine_list_free(list, n);
        CHECK(clock_mono_ms() < deadline_ms);
    }
    janitor_stop(b->janitor, 1000);
    engine_free(b->g);
    sandboxes_free(b->sandboxes);
}

/* enter: the name of the sandbox. */
static char *enter(struct bench *b, enum net_policy policy, bool alone)
{
    const char *name = NULL, *mode = NULL;
    CHECK_OK(sandbox_enter(b->seat, b->g, policy, alone, &name, &mode, &b->e), &b->e);
    CHECK(str_starts(mode, "container:"));
    CHECK(sandboxes_has(b->sandboxes, name));
    return str_dup(name);
}

/* leave: as after a task of container `task`. */
static void leave(struct bench *b, const char *task)
{
    sandbox_leave(b->seat, task ? task : "no-such-container");
}

static char *visit(struct bench *b)
{
    char *name = enter(b, NET_BRIDGE, false);
    leave(b, NULL);
    return name;
}

/* A task's container in the sandbox that the seat has entered. */
static const char *run_task(struct bench *b, const char *sandbox)
{
    static const char *const argv[] = {"/bin/sleep", "1000", NULL};
    char id[ENGINE_ID_TEXT];
    const struct engine_label label = {LABEL_RUNNER, b->node.id};
    autofree char *mode = str_fmt("container:%s", sandbox);
    AUTO(buf) struct buf warnings = BUF_INIT(4096);
    snprintf(b->task, sizeof b->task, "wrought-test-%d", (int)getpid());
    const struct engine_spec spec = {.name = b->task,
                                     .image = IMAGE,
                                     .entrypoint = argv,
                                     .labels = &label,
                                     .n_labels = 1,
                                     .network_mode = mode};
    CHECK_OK(engine_create(b->g, &spec, id, &warnings, &b->e), &b->e);
    CHECK_OK(engine_start(b->g, id, &b->e), &b->e);
    return b->task;
}

TEST(tasks_use_a_sandbox_one_after_the_other_until_it_is_replaced)
{
    struct bench *b = bench_new();
    char *names[4];
    for (size_t i = 0; i < 4; i++)
        names[i] = visit(b);
    CHECK_STR(names[1], names[0]);
    CHECK_STR(names[2], names[0]);
    CHECK(strcmp(names[3], names[0]) != 0);
    CHECK(!sandboxes_has(b->sandboxes, names[0]) && sandboxes_has(b->sandboxes, names[3]));
    bench_end(b);
}

TEST(an_old_one_is_replaced)
{
    struct bench *b = bench_new();
    char *first = visit(b);
    b->node.set.sandbox_age_ms = 0;
    CHECK(strcmp(visit(b), first) != 0);
    bench_end(b);
}

TEST(each_policy_has_its_own)
{
    struct bench *b = bench_new();
    char *bridge = visit(b);
    char *none = enter(b, NET_NONE, false);
    leave(b, NULL);
    CHECK(strcmp(none, bridge) != 0);
    CHECK_STR(visit(b), bridge);
    bench_end(b);
}

TEST(one_that_a_task_has_alone_is_given_up_with_it)
{
    struct bench *b = bench_new();
    char *shared = visit(b);
    char *alone = enter(b, NET_BRIDGE, true);
    CHECK(strcmp(alone, shared) != 0);
    leave(b, NULL);
    CHECK(!sandboxes_has(b->sandboxes, alone));
    CHECK_STR(visit(b), shared);
    bench_end(b);
}

TEST(nobody_enters_while_the_last_task_is_there)
{
    struct bench *b = bench_new();
    char *first = enter(b, NET_BRIDGE, false);
    const char *task = run_task(b, first);
    leave(b, task);
    CHECK(strcmp(visit(b), first) != 0);
    bench_end(b);
}

TEST(a_task_that_ended_does_not_keep_others_out)
{
    struct bench *b = bench_new();
    char *first = enter(b, NET_BRIDGE, false);
    const char *task = run_task(b, first);
    CHECK_OK(engine_kill(b->g, task, SIGKILL, &b->e), &b->e);
    leave(b, task);
    CHECK_STR(visit(b), first);
    bench_end(b);
}

TEST(a_dead_one_is_replaced)
{
    struct bench *b = bench_new();
    char *first = visit(b);
    CHECK_OK(engine_kill(b->g, first, SIGKILL, &b->e), &b->e);
    CHECK(strcmp(visit(b), first) != 0);
    bench_end(b);
}

TEST(one_whose_rules_cannot_be_set_is_our_trouble)
{
    struct bench *b = bench_new();
    AUTO(buf) struct buf list = BUF_INIT(1 << 16);
    const char *name, *mode;
    /* as many as the flag takes: with those of the sandbox itself there are too many */
    for (int i = 0; i < NET_RULES; i++)
        buf_addf(&list, "%s10.0.%d.1", i ? "," : "", i);
    sandbox_seat_free(b->seat);
    b->node.set.deny_net = buf_str(&list);
    CHECK_OK(sandboxes_new(&b->node, &b->sandboxes, &b->e), &b->e);
    b->seat = sandbox_seat_new(b->sandboxes, b->janitor, 0);
    CHECK_INT(sandbox_enter(b->seat, b->g, NET_BRIDGE, false, &name, &mode, &b->e),
              ERR_UNAVAILABLE);
    CHECK(strstr(b->e.msg, "net sandbox: more than"));
    bench_end(b);
}

TEST(flags_that_name_no_address_are_refused)
{
    struct node n = {.set = {.allow_net = "", .deny_net = "10.0.0.0/8,host"}};
    struct sandboxes *sbs = NULL;
    struct err e = {0};
    CHECK_INT(sandboxes_new(&n, &sbs, &e), ERR_USAGE);
    CHECK(strstr(e.msg, "--deny-net"));
    n.set = (struct settings){.allow_net = "10.0.0.1:99999", .deny_net = ""};
    CHECK_INT(sandboxes_new(&n, &sbs, &e), ERR_USAGE);
    CHECK(strstr(e.msg, "--allow-net"));
}

TAP_MAIN
