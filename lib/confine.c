/* A list of what is refused rather than of what is allowed: what libc, libcurl, SQLite and resolver
 * modules call differs between versions and machines, and a daemon that dies in its error path
 * because of a call that nobody listed is worse than one that can still do harmless things. On the
 * list are the ways to go on after a break-in: other programs, other processes, the kernel's large
 * and seldom used doors. Threads and files stay; they are the daemons' work. */
#include "lib/confine.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"

#include "lib/banned.h"

/* The leak checker stops the other threads with ptrace before it looks. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REFUSE_PTRACE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REFUSE_PTRACE 0
#endif
#endif
#ifndef REFUSE_PTRACE
#define REFUSE_PTRACE 1
#endif

static const char *const refused[] = {
    /* other programs; a process of its own would keep the filter, but nothing here makes any */
    "execve",
    "execveat",
    "fork",
    "vfork",
    "uselib",
    /* other processes */
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "pidfd_getfd",
    "kcmp",
    /* mounts, roots and namespaces */
    "mount",
    "umount",
    "umount2",
    "pivot_root",
    "chroot",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "unshare",
    "setns",
    "swapon",
    "swapoff",
    "quotactl",
    "quotactl_fd",
    "open_by_handle_at",
    /* programs in the kernel, and what kernel exploits are made of */
    "bpf",
    "userfaultfd",
    "perf_event_open",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "keyctl",
    "add_key",
    "request_key",
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "modify_ldt",
    "vm86",
    "vm86old",
    "iopl",
    "ioperm",
    "fanotify_init",
    /* the machine, and other users */
    "reboot",
    "acct",
    "syslog",
    "settimeofday",
    "stime",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "sethostname",
    "setdomainname",
    "vhangup",
    "setuid",
    "setreuid",
    "setresuid",
    "setgid",
    "setregid",
    "setresgid",
    "setgroups",
    "capset",
#if REFUSE_PTRACE
    "ptrace",
#endif
};

static int add_rules(scmp_filter_ctx ctx)
{
    int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(refused); i++) {
        int call = seccomp_syscall_resolve_name(refused[i]);
        if (call != __NR_SCMP_ERROR) /* a call that this library does not know */
            r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call, 0);
        if (r == -EDOM)
            r = 0; /* not on this architecture */
    }
    return r;
}

int confine(struct err *e)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    if (!ctx)
        return err_set(e, ERR_INTERNAL, "libseccomp gives no filter");
    int r = add_rules(ctx);
    if (r == 0)
        r = seccomp_load(ctx); /* sets no-new-privileges as well */
    seccomp_release(ctx);
    return r == 0 ? 0 : err_os(e, ERR_INTERNAL, -r, "self-confinement");
}

bool confine_is_on(void)
{
    /* Without arguments it can only fail: with EFAULT, or because it is refused. */
    return syscall(SYS_execve, NULL, NULL, NULL) != 0 && errno == EPERM;
}
