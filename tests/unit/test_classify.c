/* Failure classes: each question in its order. */
#include "runner/classify.h"

#include <errno.h>

#include "tests/unit/tap.h"

#include "lib/banned.h"

#define MIB (1 << 20)

static const struct asked asked = {
    .caps = {.memory_bytes = 512 * MIB, .cpu_millis = 1500, .pids = 256, .disk_bytes = 64 * MIB},
    .uid = 10001,
    .timeout_s = 7,
};

/* A command that ended with `code`, every limit applied. */
static struct init_end ended(int code)
{
    return (struct init_end){.kind = END_EXITED,
                             .code = code,
                             .memory_limit_bytes = 512 * MIB,
                             .swap_limit_bytes = 512 * MIB,
                             .cpu_quota_us = 150000,
                             .pids_limit = 256,
                             .no_new_privs = 1,
                             .uid = 10001,
                             .rootfs_read_only = 1};
}

static struct verdict judge(const struct init_end *end, enum stop_why why)
{
    const struct ending in = {.why = why, .end = end, .asked = &asked, .broken = "it broke"};
    struct verdict v;
    classify(&in, &v);
    return v;
}

static void check(const struct verdict *v, enum attempt_class class, const char *reason)
{
    CHECK_INT(v->class, class);
    CHECK_HAS(v->reason, reason);
}

TEST(exit_0_is_ok)
{
    struct init_end end = ended(0);
    struct verdict v = judge(&end, STOP_NONE);
    check(&v, CLASS_OK, "");
    CHECK_INT(v.exit_code, 0);
    CHECK_INT(v.signal, 0);
}

TEST(another_exit_code_is_the_tasks)
{
    struct init_end end = ended(3);
    struct verdict v = judge(&end, STOP_NONE);
    check(&v, CLASS_TASK, "exit code 3");
    CHECK_INT(v.exit_code, 3);
}

TEST(a_signal_is_the_tasks)
{
    struct init_end end = ended(0);
    end.kind = END_SIGNALED;
    end.signal = 11;
    struct verdict v = judge(&end, STOP_NONE);
    check(&v, CLASS_TASK, "ended by signal 11 (Segmentation fault)");
    CHECK_INT(v.exit_code, -1);
    CHECK_INT(v.signal, 11);
}

TEST(out_of_memory_needs_a_kill_and_a_bad_end)
{
    struct init_end end = ended(137);
    end.oom_kills = 1;
    struct verdict v = judge(&end, STOP_NONE);
    check(&v, CLASS_TASK, "out of memory: limit 512 MB");
    end.code = 0; /* a child was killed, and the task coped */
    v = judge(&end, STOP_NONE);
    check(&v, CLASS_OK, "");
    end = ended(137); /* somebody else's SIGKILL */
    v = judge(&end, STOP_NONE);
    check(&v, CLASS_TASK, "exit code 137");
}

TEST(a_full_disk_is_the_tasks)
{
    struct init_end end = ended(0);
    end.kind = END_DISK_FULL;
    struct verdict v = judge(&end, STOP_NONE);
    check(&v, CLASS_TASK, "out of disk: limit 64 MB");
}

TEST(a_missing_command_is_the_requests)
{
    struct init_end end = {.kind = END_EXEC_FAILED, .os_errno = ENOENT, .where = "./nope"};
    struct verdict v = judge(&end, STOP_NONE);
    check(&v, CLASS_REQUEST, "command not found: ./nope");
    end.os_errno = EACCES;
    v = judge(&end, STOP_NONE);
    check(&v, CLASS_REQUEST, "not executable: ./nope");
    end.os_errno = ENOMEM;
    v = judge(&end, STOP_NONE);
    check(&v, CLASS_INFRA, "cannot execute ./nope");
}

TEST(a_failed_setup_is_ours)
{
    struct init_end end = {.kind = END_SETUP_FAILED, .where = "marker /code/complete"};
    struct verdict v = judge(&end, STOP_NONE);
    check(&v, CLASS_INFRA, "marker /code/complete");
}

TEST(what_we_did_ourselves_comes_first)
{
    struct init_end end = ended(143);
    struct verdict v = judge(&end, STOP_TIMEOUT);
    check(&v, CLASS_TIMEOUT, "timeout after 7 s");
    CHECK_INT(v.exit_code, 143);
    v = judge(&end, STOP_CANCEL);
    check(&v, CLASS_CANCELLED, "cancelled");
    v = judge(&end, STOP_SHUTDOWN);
    check(&v, CLASS_INFRA, "shutting down");
    v = judge(NULL, STOP_BROKEN);
    check(&v, CLASS_INFRA, "it broke");
    CHECK_INT(v.exit_code, -1);
}

TEST(without_inits_word_the_engine_is_asked)
{
    struct engine_state state = {.exit_code = 137};
    const struct ending in = {.state = &state, .asked = &asked};
    struct verdict v;
    classify(&in, &v);
    check(&v, CLASS_INFRA, "ended without a report, exit code 137");
    state.oom_killed = true;
    classify(&in, &v);
    check(&v, CLASS_TASK, "out of memory: limit 512 MB");
    v = judge(NULL, STOP_NONE);
    check(&v, CLASS_INFRA, "container vanished");
}

TEST(each_limit_that_did_not_apply_is_named)
{
    AUTO(buf) struct buf text = BUF_INIT(4096);
    struct init_end end = ended(0);
    limits_unapplied(&end, &asked, &text);
    CHECK_STR(buf_str(&text), "");
    end.memory_limit_bytes = -1;
    end.cap_eff = 0x3fffffffff;
    end.uid = 0;
    end.swap_limit_bytes = 1024 * MIB;
    limits_unapplied(&end, &asked, &text);
    CHECK_STR(buf_str(&text), "memory limit is -1 instead of 536870912, capability set is "
                              "274877906943 instead of 0, uid is 0 instead of 10001, memory and "
                              "swap limit is 1073741824 instead of -1");
    struct verdict v = judge(&end, STOP_NONE);
    check(&v, CLASS_INFRA, "limit not applied: memory limit");
}

TEST(swap_that_is_not_counted_and_a_named_user_are_let_be)
{
    AUTO(buf) struct buf text = BUF_INIT(4096);
    struct init_end end = ended(0);
    struct asked named = asked;
    named.uid = -1;
    end.uid = 33;
    end.swap_limit_bytes = -1;
    limits_unapplied(&end, &named, &text);
    CHECK_STR(buf_str(&text), "");
}

TEST(a_preparation_fails_by_its_code)
{
    struct err e = {0};
    struct verdict v;
    (void)err_set(&e, ERR_INVALID, "image x does not exist");
    verdict_prepare(&v, &e);
    check(&v, CLASS_REQUEST, "image x does not exist");
    (void)err_set(&e, ERR_UNREACHABLE, "no engine");
    verdict_prepare(&v, &e);
    check(&v, CLASS_INFRA, "no engine");
}

TAP_MAIN
