/* lib/fs: whole files, durable writes, trees, locks, secrets. */
#include "lib/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/str.h"
#include "tests/unit/tap.h"
#include "lib/banned.h"

static void put(const char *path, const char *bytes, size_t len)
{
    autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    CHECK_INT(write(fd, bytes, len), len);
}

static void put_text(const char *path, const char *text)
{
    put(path, text, strlen(text));
}

static bool there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

TEST(a_whole_file_is_appended)
{
    AUTO(buf) struct buf out = BUF_INIT(100000);
    struct err e;
    char big[50000];
    memset(big, 'b', sizeof(big));
    put("big", big, sizeof(big));
    put("nul", "a\0b", 3);
    put("empty", "", 0);
    CHECK_OK(fs_read("nul", &out, &e), &e);
    CHECK_OK(fs_read("empty", &out, &e), &e);
    CHECK_OK(fs_read("big", &out, &e), &e);
    CHECK_INT(out.len, 50003);
    CHECK(memcmp(out.data, "a\0bbb", 5) == 0);
}

TEST(a_file_up_to_the_ceiling_is_read_and_over_it_refused)
{
    AUTO(buf) struct buf out = BUF_INIT(4);
    struct err e;
    put_text("four", "1234");
    put_text("five", "12345");
    CHECK_OK(fs_read("four", &out, &e), &e);
    CHECK_STR(buf_str(&out), "1234");
    buf_clear(&out);
    CHECK_INT(fs_read("five", &out, &e), ERR_TOO_BIG);
    CHECK_STR(e.msg, "five is over its limit of 4 bytes");
    CHECK_INT(fs_read("/dev/zero", &out, &e), ERR_TOO_BIG);
}

TEST(what_cannot_be_read_is_told_apart)
{
    AUTO(buf) struct buf out = BUF_INIT(4);
    struct err e;
    put_text("file", "x");
    CHECK_INT(fs_read("absent", &out, &e), ERR_NOT_FOUND);
    CHECK_STR(e.msg, "cannot open absent: No such file or directory");
    CHECK_INT(fs_read("file/x", &out, &e), ERR_NOT_FOUND);
    CHECK_INT(fs_read(".", &out, &e), ERR_IO);
    CHECK_INT(e.os_errno, EISDIR);
}

TEST(a_durable_write_replaces_the_file_and_leaves_nothing_beside_it)
{
    AUTO(buf) struct buf out = BUF_INIT(100);
    struct err e;
    struct stat st;
    umask(077);
    CHECK_OK(fs_mkdirs("d", 0755, &e), &e);
    put_text("d/f", "old and longer");
    CHECK_OK(fs_write_durable("d/f", "new\0", 4, 0644, &e), &e);
    CHECK_OK(fs_read("d/f", &out, &e), &e);
    CHECK(out.len == 4 && memcmp(out.data, "new\0", 4) == 0);
    CHECK(stat("d/f", &st) == 0);
    CHECK_INT(st.st_mode & 07777, 0644);
    CHECK(unlink("d/f") == 0 && rmdir("d") == 0);
}

TEST(a_durable_write_goes_to_bare_names_too)
{
    struct err e;
    CHECK_OK(fs_write_durable("f", "", 0, 0600, &e), &e);
    struct stat st;
    CHECK(stat("f", &st) == 0 && st.st_size == 0 && (st.st_mode & 07777) == 0600);
}

TEST(a_durable_write_that_fails_leaves_the_old_file)
{
    AUTO(buf) struct buf out = BUF_INIT(100);
    struct err e;
    CHECK_OK(fs_mkdirs("d", 0755, &e), &e);
    put_text("d/f", "old");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit none = {.rlim_cur = 8, .rlim_max = RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
    CHECK_INT(fs_write_durable("d/f", "much more than 8", 16, 0600, &e), ERR_IO);
    CHECK_INT(e.os_errno, EFBIG);
    CHECK_OK(fs_read("d/f", &out, &e), &e);
    CHECK_STR(buf_str(&out), "old");
    CHECK(unlink("d/f") == 0 && rmdir("d") == 0); /* so no temporary file is left */
}

TEST(a_durable_write_over_a_directory_cleans_up)
{
    struct err e;
    CHECK_OK(fs_mkdirs("d/target/inner", 0755, &e), &e);
    CHECK_INT(fs_write_durable("d/target", "x", 1, 0600, &e), ERR_IO);
    CHECK(rmdir("d/target/inner") == 0 && rmdir("d/target") == 0);
    CHECK(rmdir("d") == 0); /* so no temporary file is left */
    CHECK_INT(fs_write_durable("d/f", "x", 1, 0600, &e), ERR_IO);
    CHECK_INT(e.os_errno, ENOENT);
}

TEST(directories_are_made_with_their_parents)
{
    struct err e;
    struct stat st;
    CHECK_OK(fs_mkdirs("a/b//c/", 0700, &e), &e);
    CHECK_OK(fs_mkdirs("a/b/c", 0700, &e), &e);
    CHECK_OK(fs_mkdirs("/", 0700, &e), &e);
    CHECK(stat("a/b/c", &st) == 0 && S_ISDIR(st.st_mode));
    CHECK_INT(st.st_mode & 07777, 0700);
    CHECK(symlink("a/b", "link") == 0);
    CHECK_OK(fs_mkdirs("link/d", 0700, &e), &e);
    CHECK(stat("a/b/d", &st) == 0);
}

TEST(a_file_in_the_way_of_a_directory_is_an_error)
{
    struct err e;
    put_text("file", "");
    CHECK_INT(fs_mkdirs("file", 0700, &e), ERR_IO);
    CHECK_STR(e.msg, "cannot create directory file: Not a directory");
    CHECK_INT(fs_mkdirs("file/below", 0700, &e), ERR_IO);
    CHECK_INT(fs_mkdirs("", 0700, &e), ERR_IO);
}

TEST(only_directories_can_be_synced)
{
    struct err e;
    put_text("file", "");
    CHECK_OK(fs_sync_dir(".", &e), &e);
    CHECK_INT(fs_sync_dir("file", &e), ERR_IO);
    CHECK_INT(fs_sync_dir("absent", &e), ERR_IO);
}

TEST(a_tree_is_removed_without_following_links)
{
    struct err e;
    CHECK_OK(fs_mkdirs("out", 0755, &e), &e);
    put_text("out/keep", "x");
    CHECK_OK(fs_mkdirs("t/a/b/c", 0755, &e), &e);
    put_text("t/a/f", "x");
    put_text("t/a/b/.hidden", "x");
    CHECK(symlink("../../out", "t/a/dirlink") == 0);
    CHECK(symlink("nowhere", "t/dangling") == 0);
    CHECK(mkfifo("t/fifo", 0600) == 0);
    CHECK_OK(fs_remove_tree("t", &e), &e);
    CHECK(!there("t") && there("out/keep"));
}

TEST(removing_a_link_a_file_or_nothing)
{
    struct err e;
    CHECK_OK(fs_mkdirs("d", 0755, &e), &e);
    put_text("d/keep", "x");
    CHECK(symlink("d", "link") == 0);
    CHECK_OK(fs_remove_tree("link", &e), &e);
    CHECK(!there("link") && there("d/keep"));
    CHECK_OK(fs_remove_tree("d/keep", &e), &e);
    CHECK(!there("d/keep"));
    CHECK_OK(fs_remove_tree("absent", &e), &e);
    CHECK_OK(fs_remove_tree("absent/below", &e), &e);
}

TEST(what_cannot_be_removed_is_named)
{
    struct err e;
    CHECK_INT(fs_remove_tree("/proc/self", &e), ERR_IO);
    CHECK_HAS(e.msg, "/proc/self");
}

TEST(reads_at_an_offset_are_whole_or_an_error)
{
    struct err e;
    char out[4] = "";
    put_text("f", "0123456789");
    autoclose int fd = open("f", O_RDONLY);
    CHECK_OK(fs_pread_all(fd, out, 3, 7, "f", &e), &e);
    CHECK_STR(out, "789");
    CHECK_INT(fs_pread_all(fd, out, 3, 8, "f", &e), ERR_IO);
    CHECK_STR(e.msg, "f ends 1 bytes too early");
    CHECK_INT(fs_pread_all(-1, out, 3, 0, "f", &e), ERR_IO);
    CHECK_OK(fs_pread_all(fd, out, 0, 99, "f", &e), &e);
}

TEST(writes_go_on_after_short_counts)
{
    /* A pipe takes 64 KiB at a time; the child drains it in small bites. */
    enum { LEN = 300000 };
    int p[2];
    CHECK(pipe(p) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char bite[999];
        size_t total = 0;
        close(p[1]);
        for (ssize_t n; (n = read(p[0], bite, sizeof(bite))) > 0;)
            total += (size_t)n;
        _exit(total == LEN ? 0 : 1);
    }
    close(p[0]);
    autofree char *bytes = calloc(1, LEN);
    struct err e;
    CHECK_OK(fs_write_all(p[1], bytes, LEN, "pipe", &e), &e);
    close(p[1]);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

TEST(a_full_disk_is_unavailable)
{
    autoclose int fd = open("/dev/full", O_WRONLY);
    struct err e;
    CHECK_INT(fs_write_all(fd, "x", 1, "the log", &e), ERR_UNAVAILABLE);
    CHECK_STR(e.msg, "cannot write the log: No space left on device");
}

TEST(a_lock_keeps_others_out_and_names_its_holder)
{
    struct err e;
    int fd = -1, again = -1;
    put_text("lock", "99999999\nleft over from a longer life");
    CHECK_OK(fs_lock("lock", &fd, &e), &e);
    CHECK_INT(fs_lock("lock", &again, &e), ERR_CONFLICT);
    autofree char *want = str_fmt("lock is held by process %d", (int)getpid());
    CHECK_STR(e.msg, want);
    CHECK_INT(again, -1);
    close(fd);
    CHECK_OK(fs_lock("lock", &again, &e), &e);
    CHECK(fcntl(again, F_GETFD) & FD_CLOEXEC);
    close(again);
}

TEST(a_lock_file_with_other_text_names_nobody)
{
    struct err e;
    int fd = -1;
    put_text("lock", "; rm -rf /");
    autoclose int holder = open("lock", O_RDWR | O_CLOEXEC);
    CHECK_OK(fs_lock("lock", &fd, &e), &e);
    CHECK(pwrite(holder, "\x1b[31m", 5, 0) == 5);
    int other = -1;
    CHECK_INT(fs_lock("lock", &other, &e), ERR_CONFLICT);
    CHECK_STR(e.msg, "lock is held by process unknown");
    close(fd);
    CHECK_INT(fs_lock("no/such/dir", &other, &e), ERR_IO);
}

TEST(a_secret_is_the_first_line)
{
    static const char *const texts[] = {"s3cret", "s3cret\n", "s3cret\r\n", "s3cret\nmore\n"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err e;
        autofree char *secret = NULL;
        put_text("f", texts[i]);
        CHECK_OK(fs_read_secret("f", &secret, &e), &e);
        CHECK_STR(secret, "s3cret");
    }
}

TEST(what_is_no_secret_is_refused)
{
    struct err e;
    char *secret = NULL;
    put_text("empty", "");
    put_text("blank", "\nsecond");
    put("nul", "a\0b\n", 4);
    CHECK_INT(fs_read_secret("empty", &secret, &e), ERR_INVALID);
    CHECK_STR(e.msg, "the first line of empty is empty");
    CHECK_INT(fs_read_secret("blank", &secret, &e), ERR_INVALID);
    CHECK_INT(fs_read_secret("nul", &secret, &e), ERR_INVALID);
    CHECK_STR(e.msg, "the first line of nul has a NUL byte");
    CHECK_INT(fs_read_secret("absent", &secret, &e), ERR_NOT_FOUND);
    CHECK_INT(fs_read_secret("/dev/zero", &secret, &e), ERR_TOO_BIG);
    CHECK(secret == NULL);
}

TAP_MAIN
