/* wrought-init as PID 1 of namespaces of its own and without privileges, as in a container: what it
 * keeps from the task, how it ends everything, and the watch over the disk. */
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "tests/unit/tap.h"
#include "tests/unit/box.h"
#include "lib/banned.h"

#define BOX_UID   10001
#define BOX_MOUNT "/mnt" /* where a boxed init sees the test's directory */

static void box_map_id(const char *file, unsigned id)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    dprintf(fd, "%d %u 1", BOX_UID, id);
    close(fd);
}

/* box_isolate: PID, mount (and for an ordinary user, user) namespaces. */
static void box_isolate(void)
{
    unsigned uid = geteuid(), gid = getegid();
    int user = uid == 0 ? 0 : CLONE_NEWUSER;
    CHECK(unshare(CLONE_NEWPID | CLONE_NEWNS | user) == 0);
    if (user) {
        int fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
        CHECK(fd >= 0 && write(fd, "deny", 4) == 4);
        close(fd);
        box_map_id("/proc/self/uid_map", uid);
        box_map_id("/proc/self/gid_map", gid);
    }
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

/* box_bind: shows what lies at `from` at `to` below the box's root. */
static void box_bind(const char *from, const char *to)
{
    char at[64];
    snprintf(at, sizeof(at), BOX_MOUNT "/%s", to);
    CHECK(mkdir(at, 0755) == 0 && mount(from, at, NULL, MS_BIND | MS_REC, NULL) == 0);
}

/* box_root: a root of its own with the machine's programs and the test's directory; the machine's
 * root may be closed to the box's user. */
static void box_root(void)
{
    char here[4096];
    CHECK(getcwd(here, sizeof(here)) != NULL);
    CHECK(mount("tmpfs", BOX_MOUNT, "tmpfs", 0, "mode=755") == 0);
    box_bind(here, BOX_MOUNT);
    box_bind("/bin", "bin");
    box_bind("/lib", "lib");
    box_bind("/usr", "usr");
    box_bind("/dev", "dev");
    if (access("/lib64", F_OK) == 0) /* the dynamic linker's place on some architectures */
        box_bind("/lib64", "lib64");
    CHECK(mkdir(BOX_MOUNT "/tmp", 01777) == 0 && mkdir(BOX_MOUNT "/proc", 0755) == 0);
    CHECK(chroot(BOX_MOUNT) == 0 && chdir("/") == 0);
}

/* box_enter: as PID 1, in a container of sorts: own root and /proc, a tmpfs on /tmp, the test's
 * directory on BOX_MOUNT, and no privileges. */
__attribute__((noreturn)) static void box_enter(int program)
{
    box_root();
    CHECK(mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") == 0);
    CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
    CHECK(geteuid() != 0 ||
          (chown(BOX_MOUNT, BOX_UID, BOX_UID) == 0 && setresgid(BOX_UID, BOX_UID, BOX_UID) == 0 &&
           setresuid(BOX_UID, BOX_UID, BOX_UID) == 0));
    box_exec(program);
}

__attribute__((noreturn)) static void box_enter_and_wait(int program)
{
    int status;
    box_isolate();
    pid_t pid = fork();
    if (pid == 0)
        box_enter(program);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(0);
    close(1);
    waitpid(pid, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 98);
}

static void box_run(struct box *b, const struct buf *doc)
{
    box_open(b, box_enter_and_wait);
    box_task(b, doc);
}

static struct buf boxed_script(const char *script)
{
    struct buf doc = BUF_INIT(BOUND_INIT_DOC_BYTES);
    doc_text(&doc, DOC_DIR, BOX_MOUNT);
    doc_text(&doc, DOC_ENV, "PATH=/usr/bin:/bin");
    doc_text(&doc, DOC_ARG, "sh");
    doc_text(&doc, DOC_ARG, "-c");
    doc_text(&doc, DOC_ARG, script);
    return doc;
}

static void run_boxed(struct box *b, const char *script, const char *disk_bytes)
{
    AUTO(buf) struct buf doc = boxed_script(script);
    if (disk_bytes)
        doc_text(&doc, DOC_DISK, disk_bytes);
    box_run(b, &doc);
    box_finish(b);
}

TEST(the_task_is_not_pid_1_and_has_no_privileges)
{
    AUTO(box) struct box b;
    run_boxed(&b, "id -u; cat /proc/1/comm", NULL);
    CHECK_STR(buf_str(&b.log[0]), "10001\nwrought-init\n");
    CHECK_INT(b.end.uid, BOX_UID);
    CHECK_INT(b.end.cap_eff, 0);
    CHECK_INT(b.end.no_new_privs, 1);
}

TEST(the_task_cannot_reach_the_descriptors_memory_or_environment_of_init)
{
    AUTO(box) struct box b;
    run_boxed(&b,
              "ls /proc/1/fd/ && echo listed; echo forged > /proc/1/fd/1 && echo written; "
              "cat /proc/1/environ && echo read; cat /proc/1/mem && echo opened; "
              "ls /proc/self/fd > /dev/null && echo own",
              NULL);
    CHECK_STR(buf_str(&b.log[0]), "own\n");
}

TEST(the_task_cannot_end_stop_or_confuse_init)
{
    AUTO(box) struct box b;
    run_boxed(&b,
              "trap '' TERM USR1; kill -9 1; kill -STOP 1; kill -TERM 1; kill -USR1 1; "
              "kill -CHLD 1; kill -PIPE 1; kill -ALRM 1; echo still; exit 11",
              NULL);
    CHECK_STR(buf_str(&b.log[0]), "still\n");
    CHECK_INT(b.end.code, 11);
}

TEST(every_process_of_the_container_is_ended)
{
    AUTO(box) struct box b;
    CHECK(mkfifo("fifo", 0666) == 0 && chmod("fifo", 0666) == 0);
    run_boxed(&b,
              "for i in 1 2 3; do setsid sh -c 'trap \"\" TERM; echo up > fifo; "
              "while :; do read x < fifo; done' & read x < fifo; done; exit 4",
              NULL);
    CHECK_INT(b.end.code, 4);
}

TEST(a_task_that_forks_on_and_on_is_ended)
{
    AUTO(box) struct box b;
    run_boxed(&b,
              "cat > again <<'E'\ntrap '' TERM\nsh again &\nE\n"
              "sh again; exit 12",
              NULL);
    CHECK_INT(b.end.code, 12);
}

TEST(over_its_disk_limit_in_the_working_directory_a_task_is_ended)
{
    AUTO(box) struct box b;
    CHECK(mkfifo("fifo", 0600) == 0 && chmod("fifo", 0666) == 0);
    run_boxed(&b, "mkdir -p a/b; head -c 9000000 /dev/zero > a/b/big; read x < fifo", "5000000");
    CHECK_INT(b.end.kind, END_DISK_FULL);
}

TEST(over_its_disk_limit_in_tmp_a_task_is_ended_also_with_a_deleted_file)
{
    AUTO(box) struct box b;
    CHECK(mkfifo("fifo", 0600) == 0 && chmod("fifo", 0666) == 0);
    run_boxed(&b, "exec 3> /tmp/big; rm /tmp/big; head -c 9000000 /dev/zero >&3; read x < fifo",
              "5000000");
    CHECK_INT(b.end.kind, END_DISK_FULL);
}

/* A tmpfs knows its own use, so only other file systems are walked: a directory beside this
 * program, for /tmp may be a tmpfs. */
static char walked_dir[4096];

static void remove_walked_dir(void)
{
    nftw(walked_dir, tap_rm, 16, FTW_DEPTH | FTW_PHYS);
}

static void enter_walked_dir(void)
{
    struct statfs fs;
    ssize_t len = readlink("/proc/self/exe", walked_dir, sizeof(walked_dir) - 32);
    CHECK(len > 0);
    walked_dir[len] = '\0';
    snprintf(strrchr(walked_dir, '/'), 32, "/boxed-XXXXXX");
    CHECK(mkdtemp(walked_dir) != NULL && chdir(walked_dir) == 0 && atexit(remove_walked_dir) == 0);
    CHECK(statfs(".", &fs) == 0);
    if (fs.f_type == TMPFS_MAGIC)
        TAP_FAIL("this test needs a build directory that is no tmpfs");
}

TEST(a_tree_too_deep_to_be_measured_counts_as_full)
{
    AUTO(box) struct box b;
    enter_walked_dir();
    CHECK(mkfifo("fifo", 0600) == 0 && chmod("fifo", 0666) == 0);
    run_boxed(&b,
              "here=$PWD; i=0; while [ $i -lt 200 ]; do mkdir d; cd d; i=$((i+1)); done; "
              "read x < $here/fifo",
              "50000000");
    CHECK_INT(b.end.kind, END_DISK_FULL);
}

TEST(below_its_disk_limit_a_task_is_left_alone)
{
    /* Several names of one file count once. The task ends by itself when init has looked twice:
     * a round opens the directory `seen`, which changes the access time that relatime keeps. */
    AUTO(box) struct box b;
    enter_walked_dir();
    run_boxed(&b,
              "head -c 3000000 /dev/zero > one; ln one two; ln one three; mkdir seen; "
              "old=$(stat -c %x seen); while [ \"$(stat -c %x seen)\" = \"$old\" ]; do :; done; "
              "echo fine",
              "5000000");
    CHECK_INT(b.end.kind, END_EXITED);
    CHECK_STR(buf_str(&b.log[0]), "fine\n");
}

TAP_MAIN
