/* The failure classes. The order of the questions in classify() is the rule: what we did ourselves,
 * then init's word, then the engine's. */
#include "runner/classify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"

#include "lib/banned.h"

#define MIB (1024LL * 1024)
#define CPU_PERIOD_PER_UNIT                                                                        \
    100 /* µs of quota per thousandth of a CPU, for a period of 100000 µs                        \
         */

void verdict_set(struct verdict *v, enum attempt_class class, const char *fmt, ...)
{
    *v = (struct verdict){.class = class, .exit_code = -1};
    va_list args;
    va_start(args, fmt);
    vsnprintf(v->reason, sizeof v->reason, fmt, args);
    va_end(args);
}

void verdict_prepare(struct verdict *v, const struct err *e)
{
    verdict_set(v, e->code == ERR_INVALID ? CLASS_REQUEST : CLASS_INFRA, "%s", e->msg);
}

void verdict_collect(struct verdict *v, const struct err *e)
{
    bool own_fault = e->code == ERR_INVALID || e->code == ERR_TOO_BIG;
    verdict_set(v, own_fault ? CLASS_REQUEST : CLASS_INFRA, "the build's result: %s", e->msg);
}

/* ---- limits ---- */

static void differs(struct buf *ret, const char *what, int64_t got, int64_t want)
{
    buf_addf(ret, "%s%s is %lld instead of %lld", ret->len ? ", " : "", what, (long long)got,
             (long long)want);
}

void limits_unapplied(const struct init_end *end, const struct asked *asked, struct buf *ret)
{
    const struct task_caps *caps = &asked->caps;
    const struct {
        const char *what;
        int64_t got, want;
    } checks[] = {
        {"memory limit", end->memory_limit_bytes, caps->memory_bytes / 4096 * 4096},
        {"cpu quota", end->cpu_quota_us, caps->cpu_millis * CPU_PERIOD_PER_UNIT},
        {"pids limit", end->pids_limit, caps->pids},
        {"capability set", end->cap_eff, 0},
        {"no_new_privs", end->no_new_privs, 1},
        {"read-only root", end->rootfs_read_only, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (checks[i].got != checks[i].want)
            differs(ret, checks[i].what, checks[i].got, checks[i].want);
    if (asked->uid >= 0 && end->uid != asked->uid)
        differs(ret, "uid", end->uid, asked->uid);
    if (end->swap_limit_bytes > end->memory_limit_bytes)
        differs(ret, "memory and swap limit", end->swap_limit_bytes, end->memory_limit_bytes);
}

/* ---- classes ---- */

static bool is_passing_errno(int os_errno)
{
    return os_errno == EAGAIN || os_errno == ENOMEM || os_errno == EMFILE || os_errno == ENFILE ||
           os_errno == EIO;
}

static void exec_failed(const struct init_end *end, struct verdict *v)
{
    if (is_passing_errno(end->os_errno))
        verdict_set(v, CLASS_INFRA, "cannot execute %s: %s", end->where,
                    strerrordesc_np(end->os_errno));
    else if (end->os_errno == ENOENT)
        verdict_set(v, CLASS_REQUEST, "command not found: %s", end->where);
    else if (end->os_errno == EACCES)
        verdict_set(v, CLASS_REQUEST, "command is not executable: %s", end->where);
    else
        verdict_set(v, CLASS_REQUEST, "cannot execute %s: %s", end->where,
                    strerrordesc_np(end->os_errno));
}

static bool ended_badly(const struct init_end *end)
{
    return end->kind == END_SIGNALED || (end->kind == END_EXITED && end->code != 0);
}

/* How the command itself ended, when nobody ended it. */
static void command_ended(const struct init_end *end, const struct asked *asked, struct verdict *v)
{
    AUTO(buf) struct buf unapplied = BUF_INIT(4096);
    limits_unapplied(end, asked, &unapplied);
    if (unapplied.len > 0) {
        verdict_set(v, CLASS_INFRA, "limit not applied: %s", buf_str(&unapplied));
    } else if (end->kind == END_DISK_FULL) {
        verdict_set(v, CLASS_TASK, "out of disk: limit %lld MB",
                    (long long)(asked->caps.disk_bytes / MIB));
    } else if (end->oom_kills > 0 && ended_badly(end)) {
        verdict_set(v, CLASS_TASK, "out of memory: limit %lld MB",
                    (long long)(asked->caps.memory_bytes / MIB));
    } else if (end->kind == END_SIGNALED) {
        const char *name = sigdescr_np(end->signal);
        verdict_set(v, CLASS_TASK, "ended by signal %d (%s)", end->signal, name ? name : "unknown");
    } else if (end->code != 0) {
        verdict_set(v, CLASS_TASK, "exit code %d", end->code);
    } else {
        verdict_set(v, CLASS_OK, "%s", "");
    }
}

static void init_reported(const struct ending *in, struct verdict *v)
{
    const struct init_end *end = in->end;
    if (end->kind == END_SETUP_FAILED)
        verdict_set(v, CLASS_INFRA, "cannot set the task up: %s: %s", end->where,
                    end->os_errno ? strerrordesc_np(end->os_errno) : "not as it should be");
    else if (end->kind == END_EXEC_FAILED)
        exec_failed(end, v);
    else
        command_ended(end, in->asked, v);
}

static void stream_ended(const struct ending *in, struct verdict *v)
{
    const struct engine_state *state = in->state;
    if (!state)
        verdict_set(v, CLASS_INFRA, "container vanished");
    else if (state->oom_killed)
        verdict_set(v, CLASS_TASK, "out of memory: limit %lld MB",
                    (long long)(in->asked->caps.memory_bytes / MIB));
    else
        verdict_set(v, CLASS_INFRA, "container ended without a report, exit code %d%s%s",
                    state->exit_code, state->error[0] ? ": " : "", state->error);
}

static void we_ended_it(const struct ending *in, struct verdict *v)
{
    switch (in->why) {
    case STOP_TIMEOUT:
        verdict_set(v, CLASS_TIMEOUT, "timeout after %lld s", (long long)in->asked->timeout_s);
        break;
    case STOP_CANCEL:
        verdict_set(v, CLASS_CANCELLED, "cancelled");
        break;
    case STOP_LOST:
        verdict_set(v, CLASS_LOST, "the lease was lost");
        break;
    case STOP_SHUTDOWN:
        verdict_set(v, CLASS_INFRA, "runner is shutting down");
        break;
    default:
        verdict_set(v, CLASS_INFRA, "%s", in->broken ? in->broken : "container was ended");
        break;
    }
}

void classify(const struct ending *in, struct verdict *ret)
{
    if (in->why != STOP_NONE)
        we_ended_it(in, ret);
    else if (in->end)
        init_reported(in, ret);
    else
        stream_ended(in, ret);

    if (in->end && in->end->kind == END_EXITED)
        ret->exit_code = in->end->code;
    if (in->end && in->end->kind == END_SIGNALED)
        ret->signal = in->end->signal;
}
