/* fork and exec. The child reports what went wrong through a pipe that exec closes: end of file
 * without a report means that the command runs. The child cannot reach init's descriptors: all are
 * close-on-exec from birth, and 0, 1 and 2 are replaced. */
#include "runner/init/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/banned.h"

/* The steps of the child, for its report. */
enum step {
    STEP_SESSION,
    STEP_STREAMS,
    STEP_SIGNALS,
    STEP_RLIMIT,
    STEP_PRIVS,
    STEP_SECCOMP,
    STEP_EXEC
};

static const char *const step_names[] = {
    [STEP_SESSION] = "session",
    [STEP_STREAMS] = "standard streams",
    [STEP_SIGNALS] = "signals",
    [STEP_RLIMIT] = "resource limits",
    [STEP_PRIVS] = "no-new-privileges",
    [STEP_SECCOMP] = "seccomp filter",
    [STEP_EXEC] = "exec",
};

struct report {
    enum step step;
    int os_errno;
};

/* All pipes of one start; [0] is read. */
struct pipes {
    int out[2], err[2], report[2];
};

static void pipes_release(struct pipes *p)
{
    int *all[] = {p->out, p->err, p->report};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        cleanup_close_p(&all[i][0]);
        cleanup_close_p(&all[i][1]);
    }
}

/* ---- in the child ---- */

/* Signals that init blocks or ignores are as a fresh process expects them. */
static int reset_signals(void)
{
    sigset_t none;
    for (int n = 1; n < NSIG; n++)
        (void)signal(n, SIG_DFL); /* fails for SIGKILL, SIGSTOP and libc's own, which are default */
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

static int replace_streams(const struct pipes *p)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(p->out[1], 1) < 0 || dup2(p->err[1], 2) < 0)
        return -1;
    return 0;
}

static int set_rlimits(const struct task *t)
{
    for (size_t i = 0; i < t->n_rlimits; i++) {
        if (setrlimit((__rlimit_resource_t)t->rlimits[i].resource, &t->rlimits[i].value) != 0)
            return -1;
    }
    return 0;
}

static int load_seccomp(const struct task *t)
{
    const struct sock_fprog prog = {.len = t->seccomp_len, .filter = t->seccomp};
    if (!t->seccomp)
        return 0;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

static int become_command(const struct task *t, const struct pipes *p, enum step *step)
{
    *step = STEP_SESSION;
    if (setsid() < 0)
        return -1;
    *step = STEP_STREAMS;
    if (replace_streams(p) != 0)
        return -1;
    *step = STEP_SIGNALS;
    if (reset_signals() != 0)
        return -1;
    *step = STEP_RLIMIT;
    if (set_rlimits(t) != 0)
        return -1;
    *step = STEP_PRIVS;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    *step = STEP_SECCOMP;
    if (load_seccomp(t) != 0)
        return -1;
    *step = STEP_EXEC;
    environ = t->env; /* execvp looks PATH up here, as a shell would */
    return execvp(t->argv[0], t->argv);
}

__attribute__((noreturn)) static void run_child(const struct task *t, const struct pipes *p)
{
    struct report r = {0};
    umask(022);
    (void)become_command(t, p, &r.step); /* comes back only when it failed */
    r.os_errno = errno;
    /* A report that cannot be written ends as an exit of 127, which is as true. */
    (void)!write(p->report[1], &r, sizeof(r));
    _exit(127);
}

/* ---- in the parent ---- */

static int open_pipes(struct pipes *p, struct err *e)
{
    if (pipe2(p->out, O_CLOEXEC) != 0 || pipe2(p->err, O_CLOEXEC) != 0 ||
        pipe2(p->report, O_CLOEXEC) != 0)
        return err_os(e, ERR_IO, errno, "pipes");
    if (fcntl(p->out[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(p->err[0], F_SETFL, O_NONBLOCK) != 0)
        return err_os(e, ERR_IO, errno, "pipes");
    return 0;
}

/* await_exec: what the child reports; exec_errno 0 when exec closed the pipe without a word. */
static int await_exec(struct pipes *p, pid_t pid, int *ret_exec_errno, struct err *e)
{
    struct report r;
    close(TAKE_FD(p->report[1]));
    ssize_t n = TEMP_FAILURE_RETRY(read(p->report[0], &r, sizeof(r)));
    if (n == 0) {
        *ret_exec_errno = 0;
        return 0;
    }
    (void)TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0)); /* our child, so it is there */
    if (n != (ssize_t)sizeof(r))
        return err_set(e, ERR_IO, "the command's process ended before its exec");
    if (r.step != STEP_EXEC)
        return err_os(e, ERR_IO, r.os_errno, "%s", step_names[r.step]);
    *ret_exec_errno = r.os_errno;
    return 0;
}

int spawn(const struct task *t, struct spawned *ret, struct err *e)
{
    AUTO(pipes) struct pipes p = {{-1, -1}, {-1, -1}, {-1, -1}};
    int exec_errno = 0, rc = open_pipes(&p, e);
    if (rc)
        return rc;
    pid_t pid = fork();
    if (pid < 0)
        return err_os(e, ERR_IO, errno, "fork");
    if (pid == 0)
        run_child(t, &p);
    rc = await_exec(&p, pid, &exec_errno, e);
    if (rc)
        return rc;
    *ret = (struct spawned){
        .exec_errno = exec_errno, .pid = pid, .out = TAKE_FD(p.out[0]), .err = TAKE_FD(p.err[0])};
    return 0;
}
