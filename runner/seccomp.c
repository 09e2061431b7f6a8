/* Refused calls fail with EPERM, as they do without the capability that they would need, so that
 * programs which probe for them carry on. Two get ENOSYS, because a library then falls back to an
 * older call: clone3 (its flags are behind a pointer that a filter cannot follow; clone's can be
 * checked) and io_uring. */
#include "runner/seccomp.h"

#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/banned.h"

#define NAMESPACE_FLAGS                                                                            \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET | CLONE_NEWTIME)

/* Calls that are refused whatever their arguments. */
static const struct {
    const char *name;
    int os_errno;
} refused[] = {
    /* mounts and roots */
    {"mount", EPERM},
    {"umount", EPERM},
    {"umount2", EPERM},
    {"pivot_root", EPERM},
    {"chroot", EPERM},
    {"move_mount", EPERM},
    {"open_tree", EPERM},
    {"fsopen", EPERM},
    {"fsconfig", EPERM},
    {"fsmount", EPERM},
    {"fspick", EPERM},
    {"mount_setattr", EPERM},
    {"quotactl", EPERM},
    {"quotactl_fd", EPERM},
    {"swapon", EPERM},
    {"swapoff", EPERM},
    /* other processes' memory, and descriptors by handle */
    {"process_vm_readv", EPERM},
    {"process_vm_writev", EPERM},
    {"process_madvise", EPERM},
    {"pidfd_getfd", EPERM},
    {"kcmp", EPERM},
    {"open_by_handle_at", EPERM},
    {"name_to_handle_at", EPERM},
    /* namespaces: setns always, unshare and clone by their flags below */
    {"setns", EPERM},
    {"clone3", ENOSYS},
    /* keys are not namespaced */
    {"keyctl", EPERM},
    {"add_key", EPERM},
    {"request_key", EPERM},
    /* programs in the kernel, and what kernel exploits are made of */
    {"bpf", EPERM},
    {"userfaultfd", EPERM},
    {"perf_event_open", EPERM},
    {"io_uring_setup", ENOSYS},
    {"io_uring_enter", ENOSYS},
    {"io_uring_register", ENOSYS},
    {"kexec_load", EPERM},
    {"kexec_file_load", EPERM},
    {"init_module", EPERM},
    {"finit_module", EPERM},
    {"delete_module", EPERM},
    {"lookup_dcookie", EPERM},
    {"vm86", EPERM},
    {"vm86old", EPERM},
    {"modify_ldt", EPERM},
    {"nfsservctl", EPERM},
    {"fanotify_init", EPERM},
    {"landlock_create_ruleset", ENOSYS},
    /* the machine */
    {"reboot", EPERM},
    {"acct", EPERM},
    {"syslog", EPERM},
    {"settimeofday", EPERM},
    {"stime", EPERM},
    {"clock_settime", EPERM},
    {"clock_adjtime", EPERM},
    {"adjtimex", EPERM},
    {"sethostname", EPERM},
    {"setdomainname", EPERM},
    {"iopl", EPERM},
    {"ioperm", EPERM},
    {"vhangup", EPERM},
    {"sysfs", EPERM},
    {"uselib", EPERM},
    {"ustat", EPERM},
    {"mbind", EPERM},
    {"migrate_pages", EPERM},
    {"move_pages", EPERM},
    {"set_mempolicy", EPERM},
};

/* Calls that are refused when (argument & mask) == value. */
static const struct {
    const char *name;
    unsigned arg;
    uint64_t mask, value;
} refused_if[] = {
    /* a debugger may start its own children, and attach to nobody */
    {"ptrace", 0, UINT64_MAX, PTRACE_ATTACH},
    {"ptrace", 0, UINT64_MAX, PTRACE_SEIZE},
    /* raw packets, and address families that reach past the network namespace */
    {"socket", 1, 0xf, SOCK_RAW},
    {"socket", 1, 0xf, SOCK_PACKET},
    {"socket", 0, UINT64_MAX, AF_PACKET},
    {"socket", 0, UINT64_MAX, AF_VSOCK},
    {"socket", 0, UINT64_MAX, AF_ALG},
    {"socket", 0, UINT64_MAX, AF_KEY},
    {"socket", 0, UINT64_MAX, AF_XDP},
    {"socket", 0, UINT64_MAX, AF_BLUETOOTH},
    {"socket", 0, UINT64_MAX, AF_TIPC},
    /* typing into somebody's terminal */
    {"ioctl", 1, UINT32_MAX, TIOCSTI},
    /* switching address space randomisation off is how exploits begin */
    {"personality", 0, UINT64_MAX, ADDR_NO_RANDOMIZE},
    {"personality", 0, UINT64_MAX, READ_IMPLIES_EXEC},
};

static int add(scmp_filter_ctx ctx, const char *name, int os_errno, unsigned n,
               const struct scmp_arg_cmp *cmp)
{
    int call = seccomp_syscall_resolve_name(name);
    if (call == __NR_SCMP_ERROR)
        return 0; /* a call that this library does not know yet; the engine's own filter refuses by
                     default */
    int r = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO((unsigned)os_errno), call, n, cmp);
    return r == -EDOM ? 0 : r; /* not on this architecture */
}

static int add_namespace_rules(scmp_filter_ctx ctx)
{
    int r = 0;
    for (uint64_t flag = 1; r == 0 && flag <= UINT32_MAX; flag <<= 1) {
        if (!(NAMESPACE_FLAGS & flag))
            continue;
        struct scmp_arg_cmp has = SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag);
        r = add(ctx, "unshare", EPERM, 1, &has);
        if (r == 0 && flag != CLONE_NEWTIME) /* in clone this bit belongs to the exit signal */
            r = add(ctx, "clone", EPERM, 1, &has);
    }
    return r;
}

static int add_rules(scmp_filter_ctx ctx)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(refused); i++)
        r = add(ctx, refused[i].name, refused[i].os_errno, 0, NULL);
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(refused_if); i++) {
        struct scmp_arg_cmp cmp = SCMP_CMP(refused_if[i].arg, SCMP_CMP_MASKED_EQ,
                                           refused_if[i].mask, refused_if[i].value);
        r = add(ctx, refused_if[i].name, EPERM, 1, &cmp);
    }
    return r ? r : add_namespace_rules(ctx);
}

/* The other ABIs of a 64-bit processor, which would be a way around the rules. */
static int add_architectures(scmp_filter_ctx ctx)
{
#ifdef __x86_64__
    static const uint32_t others[] = {SCMP_ARCH_X86, SCMP_ARCH_X32};
#elif defined(__aarch64__)
    static const uint32_t others[] = {SCMP_ARCH_ARM};
#else
    static const uint32_t others[] = {};
#endif
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        int r = seccomp_arch_add(ctx, others[i]);
        if (r != 0 && r != -EEXIST)
            return r;
    }
    return 0;
}

static int export(scmp_filter_ctx ctx, struct buf *out, struct err *e)
{
    autoclose int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        return err_os(e, ERR_INTERNAL, errno, "seccomp filter");
    int r = seccomp_export_bpf(ctx, fd);
    off_t len = r == 0 ? lseek(fd, 0, SEEK_END) : 0;
    char *to = len > 0 ? buf_reserve(out, (size_t)len) : NULL;
    if (!to)
        return err_set(e, ERR_INTERNAL, "the seccomp filter could not be exported");
    r = fs_pread_all(fd, to, (size_t)len, 0, "seccomp filter", e);
    if (r == 0)
        buf_commit(out, (size_t)len);
    return r;
}

int seccomp_program(struct buf *out, struct err *e)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    if (!ctx)
        return err_set(e, ERR_INTERNAL, "libseccomp gives no filter");
    int r = add_architectures(ctx);
    if (r == 0)
        r = add_rules(ctx);
    if (r != 0)
        r = err_os(e, ERR_INTERNAL, -r, "seccomp filter");
    else
        r = export(ctx, out, e);
    seccomp_release(ctx);
    return r;
}
