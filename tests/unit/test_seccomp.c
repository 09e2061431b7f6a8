/* Each test loads the program as wrought-init does and tries the calls for real, in its own
 * process. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "runner/seccomp.h"
#include "tests/unit/tap.h"

/* The leak checker attaches to its own process by ptrace, which is among what is refused here. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

static void load(void)
{
    struct err e = {0};
    struct buf b = BUF_INIT(SECCOMP_PROGRAM_BYTES);
    CHECK_OK(seccomp_program(&b, &e), &e);
    CHECK(b.len > 0 && b.len % sizeof(struct sock_filter) == 0);
    struct sock_fprog prog = {.len = (unsigned short)(b.len / sizeof(struct sock_filter)),
                              .filter = (struct sock_filter *)(void *)b.data};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0);
    buf_release(&b);
}

/* Refused by us, before the kernel looks at the (wrong) arguments. */
#define REFUSED(call, want)                                                                        \
    do {                                                                                           \
        errno = 0;                                                                                 \
        CHECK_INT((long)(call), -1);                                                               \
        CHECK_INT(errno, want);                                                                    \
    } while (0)

TEST(mounts_are_refused)
{
    load();
    REFUSED(mount("none", "/nonexistent", "tmpfs", 0, ""), EPERM);
    REFUSED(umount2("/nonexistent", 0), EPERM);
    REFUSED(syscall(SYS_pivot_root, "/nonexistent", "/nonexistent"), EPERM);
    REFUSED(syscall(SYS_fsopen, "nofs", 0), EPERM);
}

TEST(new_namespaces_are_refused_by_every_door)
{
    load();
    REFUSED(unshare(CLONE_NEWUSER), EPERM);
    REFUSED(unshare(CLONE_NEWNET | CLONE_FS), EPERM);
    REFUSED(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM);
    REFUSED(syscall(SYS_clone3, NULL, 0), ENOSYS);
    REFUSED(setns(-1, 0), EPERM);
}

TEST(keys_bpf_and_userfaultfd_are_refused)
{
    load();
    REFUSED(syscall(SYS_keyctl, -1, 0, 0, 0, 0), EPERM);
    REFUSED(syscall(SYS_add_key, NULL, NULL, NULL, 0, 0), EPERM);
    REFUSED(syscall(SYS_bpf, -1, NULL, 0), EPERM);
    REFUSED(syscall(SYS_userfaultfd, -1), EPERM);
    REFUSED(syscall(SYS_kexec_load, 0, 0, NULL, -1), EPERM);
    REFUSED(syscall(SYS_io_uring_setup, 0, NULL), ENOSYS);
    REFUSED(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0), EPERM);
}

TEST(attaching_to_others_is_refused_and_tracing_a_child_is_not)
{
    load();
    REFUSED(ptrace(PTRACE_ATTACH, getppid(), 0, 0), EPERM);
    REFUSED(ptrace(PTRACE_SEIZE, getppid(), 0, 0), EPERM);
    pid_t pid = fork();
    if (pid == 0)
        _exit(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 ? 0 : 1);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

TEST(raw_sockets_are_refused_and_ordinary_ones_are_not)
{
    load();
    REFUSED(socket(AF_INET, SOCK_RAW, 1), EPERM);
    REFUSED(socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, 1), EPERM);
    REFUSED(socket(AF_PACKET, SOCK_DGRAM, 0), EPERM);
    REFUSED(socket(AF_VSOCK, SOCK_STREAM, 0), EPERM);
    CHECK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) >= 0);
    CHECK(socket(AF_INET6, SOCK_DGRAM, 0) >= 0);
    CHECK(socket(AF_UNIX, SOCK_SEQPACKET, 0) >= 0);
}

TEST(threads_and_children_start_as_ever)
{
    load();
    pid_t pid = fork();
    if (pid == 0)
        execl("/bin/sh", "sh", "-c", "echo a | cat >/dev/null; exit 7", NULL);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 7);
}

TAP_MAIN
