/* escape: tries, inside a task, what must not work there, one line each: "NAME refused (why)" or
 * "NAME DONE", and a sum. Static, as all probes. Exits with 1 when anything was done. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Every attempt returns 0 or more when it worked, and -1 with errno when it was refused. */

static long open_for(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd;
}

static long write_to(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    long rc = fd < 0 ? -1 : write(fd, text, strlen(text));
    if (fd >= 0)
        close(fd);
    return rc;
}

/* ---- PID 1 ---- */

static long init_memory(void)
{
    return open_for("/proc/1/mem", O_RDWR);
}
static long init_environment(void)
{
    return open_for("/proc/1/environ", O_RDONLY);
}
static long init_output(void)
{
    return open_for("/proc/1/fd/1", O_WRONLY);
}
static long init_root(void)
{
    return open_for("/proc/1/root/etc/passwd", O_RDONLY);
}
static long init_traced(void)
{
    return ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}
static long init_read(void)
{
    char here[8];
    struct iovec to = {here, sizeof here}, from = {(void *)0x400000, sizeof here};
    return process_vm_readv(1, &to, 1, &from, 1, 0);
}
static long init_descriptor(void)
{
    int fd = (int)syscall(SYS_pidfd_open, 1, 0);
    return fd < 0 ? -1 : syscall(SYS_pidfd_getfd, fd, 1, 0);
}

/* Sending is not refused; the kernel keeps such signals from a PID 1. Had it died, so had we. */
static long init_stopped(void)
{
    if (kill(1, SIGKILL) != 0 || kill(1, SIGSTOP) != 0 || kill(1, SIGSEGV) != 0)
        return -1;
    char state = '?', line[256];
    FILE *f = fopen("/proc/1/stat", "re");
    if (f && fgets(line, sizeof line, f))
        sscanf(strrchr(line, ')') + 1, " %c", &state);
    if (f)
        fclose(f);
    errno = EPERM;
    return state == 'S' || state == 'R' ? -1 : 0;
}

/* ---- the kernel ---- */

static long mount_tmpfs(void)
{
    return mount("none", "/tmp", "tmpfs", 0, NULL);
}
static long remount_root(void)
{
    return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
}
static long mount_new_api(void)
{
    return syscall(SYS_fsopen, "tmpfs", 0);
}
static long pivot(void)
{
    return syscall(SYS_pivot_root, "/tmp", "/tmp");
}
static long change_root(void)
{
    return chroot("/tmp");
}
static long new_user_namespace(void)
{
    return unshare(CLONE_NEWUSER);
}
static long new_net_namespace(void)
{
    return unshare(CLONE_NEWNET);
}
static long new_namespace_by_clone(void)
{
    long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(0);
    return pid;
}
static long new_namespace_by_clone3(void)
{
    struct {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    } args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        _exit(0);
    return pid;
}
static long join_namespace(void)
{
    int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    return setns(fd, 0);
}
static long load_bpf(void)
{
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4};
    attr.max_entries = 1;
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}
static long fault_handler(void)
{
    return syscall(SYS_userfaultfd, 0);
}
static long performance_counter(void)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attr};
    return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}
static long io_ring(void)
{
    char params[256] = {0};
    return syscall(SYS_io_uring_setup, 1, params);
}
static long keyring(void)
{
    return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1);
}
static long load_module(void)
{
    return syscall(SYS_finit_module, 0, "", 0);
}
static long load_kernel(void)
{
    return syscall(SYS_kexec_load, 0, 0, NULL, 0);
}
static long reboot_machine(void)
{
    return reboot(RB_DISABLE_CAD);
}
static long set_clock(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_REALTIME, &now) || clock_settime(CLOCK_REALTIME, &now) ? -1 : 0;
}
static long kernel_log(void)
{
    return syscall(SYS_syslog, 3, NULL, 0);
}
static long by_handle(void)
{
    struct {
        struct file_handle h;
        char bytes[128];
    } handle = {.h = {.handle_bytes = 8, .handle_type = 1}};
    return syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY);
}
static long make_device(void)
{
    return mknod("/tmp/sda", S_IFBLK | 0600, 0x800);
}
static long host_name(void)
{
    return sethostname("mine", 4);
}

/* ---- /proc and /sys ---- */

static long sysrq(void)
{
    return write_to("/proc/sysrq-trigger", "h");
}
static long sysctl_net(void)
{
    return write_to("/proc/sys/net/ipv4/ip_forward", "1");
}
static long sysctl_kernel(void)
{
    return write_to("/proc/sys/kernel/core_pattern", "|/bin/sh");
}
static long own_limit(void)
{
    long v1 = write_to("/sys/fs/cgroup/memory/memory.limit_in_bytes", "-1");
    return v1 >= 0 ? v1 : write_to("/sys/fs/cgroup/memory.max", "max");
}
static long release_agent(void)
{
    return write_to("/sys/fs/cgroup/memory/release_agent", "/bin/sh");
}
static long oom_score(void)
{
    return write_to("/proc/self/oom_score_adj", "-1000");
}
static long kernel_core(void)
{
    return open_for("/proc/kcore", O_RDONLY);
}

/* ---- sockets ---- */

static long open_socket(int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd >= 0)
        close(fd);
    return fd;
}
static long raw_socket(void)
{
    return open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}
static long packet_socket(void)
{
    return open_socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
}
static long vsock(void)
{
    return open_socket(AF_VSOCK, SOCK_STREAM, 0);
}
static long crypto_socket(void)
{
    return open_socket(AF_ALG, SOCK_SEQPACKET, 0);
}

/* The filter of our network: asked to forget its table (nf_tables, by hand). */
static long drop_filter(void)
{
    struct {
        struct nlmsghdr head;
        uint8_t family, version;
        uint16_t resource;
    } flush = {.head = {.nlmsg_len = sizeof flush,
                        .nlmsg_type = 10 << 8 | 2, /* NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE */
                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK}};
    struct {
        struct nlmsghdr head;
        int32_t error;
    } * answer;
    char bytes[1024];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd < 0 || send(fd, &flush, sizeof flush, 0) < 0 || recv(fd, bytes, sizeof bytes, 0) < 0)
        return -1;
    close(fd);
    answer = (void *)bytes;
    errno = -answer->error;
    return answer->error == 0 ? 0 : -1;
}

static long engine_socket(void)
{
    static const char *const paths[] = {"/var/run/docker.sock", "/run/docker.sock",
                                        "/run/containerd/containerd.sock",
                                        "/run/podman/podman.sock"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (access(paths[i], F_OK) == 0)
            return 0;
    return -1;
}

/* ---- privileges ---- */

static long become_root(void)
{
    return setuid(0);
}

static long setuid_of_roots_file(void)
{
    return chmod("/bin/busybox", 04755);
}
static long write_hosts(void)
{
    return write_to("/etc/hosts", "10.0.0.1 bank.example\n");
}
static long write_resolver(void)
{
    return write_to("/etc/resolv.conf", "nameserver 10.0.0.1\n");
}
static long write_code(void)
{
    return open("/code/complete", O_WRONLY | O_CLOEXEC);
}
static long write_init(void)
{
    return open("/wrought/init", O_WRONLY | O_CLOEXEC);
}

static const struct {
    const char *name;
    long (*go)(void);
} attempts[] = {
    {"init-memory", init_memory},
    {"init-environment", init_environment},
    {"init-output", init_output},
    {"init-root", init_root},
    {"init-traced", init_traced},
    {"init-read", init_read},
    {"init-descriptor", init_descriptor},
    {"init-stopped", init_stopped},
    {"mount", mount_tmpfs},
    {"remount-root", remount_root},
    {"mount-new-api", mount_new_api},
    {"pivot-root", pivot},
    {"chroot", change_root},
    {"user-namespace", new_user_namespace},
    {"net-namespace", new_net_namespace},
    {"clone-namespace", new_namespace_by_clone},
    {"clone3-namespace", new_namespace_by_clone3},
    {"setns", join_namespace},
    {"bpf", load_bpf},
    {"userfaultfd", fault_handler},
    {"perf", performance_counter},
    {"io-uring", io_ring},
    {"keyring", keyring},
    {"module", load_module},
    {"kexec", load_kernel},
    {"reboot", reboot_machine},
    {"clock", set_clock},
    {"kernel-log", kernel_log},
    {"open-by-handle", by_handle},
    {"device", make_device},
    {"host-name", host_name},
    {"sysrq", sysrq},
    {"sysctl-net", sysctl_net},
    {"sysctl-kernel", sysctl_kernel},
    {"own-limit", own_limit},
    {"release-agent", release_agent},
    {"oom-score", oom_score},
    {"kernel-memory", kernel_core},
    {"raw-socket", raw_socket},
    {"packet-socket", packet_socket},
    {"vsock", vsock},
    {"crypto-socket", crypto_socket},
    {"drop-filter", drop_filter},
    {"engine-socket", engine_socket},
    {"root", become_root},
    {"setuid-bit", setuid_of_roots_file},
    {"hosts-file", write_hosts},
    {"resolver-file", write_resolver},
    {"code-volume", write_code},
    {"init-volume", write_init},
};

int main(void)
{
    int done = 0;
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        errno = 0;
        if (attempts[i].go() >= 0) {
            printf("%s DONE\n", attempts[i].name);
            done++;
        } else {
            printf("%s refused (%s)\n", attempts[i].name, strerror(errno));
        }
        fflush(stdout);
    }
    printf("attempts %zu, done %d\n", sizeof attempts / sizeof *attempts, done);
    return done > 0;
}
