/* What `upload` makes of .worker files. */
#include "cli/package.h"

#include <unistd.h>

#include "tests/unit/dotworkers.h"

#include "lib/banned.h"

static const struct package_want nothing;

static struct package made(const char *path, const struct package_want *want)
{
    struct package p;
    struct err e = {0};
    CHECK_OK(package_make(path, want, &p, &e), &e);
    return p;
}

static void check_refused(const char *path, const struct package_want *want, int code,
                          const char *message)
{
    struct package p;
    struct err e = {0};
    CHECK_INT(package_make(path, want, &p, &e), code);
    CHECK_STR(e.msg, message);
}

TEST(a_name_without_its_ending_finds_the_worker_file)
{
    put_file("hello.worker", "exec 'hello.sh'\nstack 'sh'", 0644);
    put_file("hello.sh", "echo hello", 0644);
    put_file("hello/other.sh", "", 0644); /* a folder of that name comes second */
    struct package p = made("hello", &nothing);
    CHECK_STR(p.name, "hello");
    CHECK_STR(p.runtime, "sh");
    CHECK_STR(p.file_name, "__runner__.sh");
    CHECK_STR(p.stack, "sh");
    CHECK(!p.command && !p.warnings);
    CHECK(mkdir("out", 0755) == 0);
    struct err e;
    CHECK_OK(zip_unpack(p.fd, "out", &e), &e);
    CHECK(p.bytes > 0 && p.bytes == (uint64_t)lseek(p.fd, 0, SEEK_END));
    check_run("out", "{}", "hello\n");
    package_release(&p);
}

TEST(a_path_to_a_worker_file_is_taken_as_it_is)
{
    put_file("dir/hello.worker", "exec 'hello.sh'\nname 'Greeter'", 0644);
    put_file("dir/hello.sh", "", 0644);
    struct package p = made("dir/hello.worker", &nothing);
    CHECK_STR(p.name, "Greeter");
    CHECK(!p.stack);
    package_release(&p);
    check_refused("dir/none.worker", &nothing, ERR_NOT_FOUND,
                  "cannot open dir/none.worker: No such file or directory");
}

TEST(a_file_of_the_very_name_is_no_worker_file)
{
    put_file("hello.sh", "echo", 0644);
    put_file("hello.sh.worker", "exec 'hello.sh'", 0644);
    struct package p = made("hello.sh", &nothing);
    CHECK_STR(p.file_name, "hello.sh");
    package_release(&p);
}

TEST(what_the_user_says_beats_the_file_or_is_refused)
{
    static const struct package_want other = {.name = "mine", .stack = "classic"};
    static const struct package_want command = {.command = "sh x"};
    put_file("w.worker", "exec 'a.sh'\nstack 'sh'\nexec 'b.sh'", 0644);
    put_file("a.sh", "", 0644);
    struct package p = made("w", &other);
    CHECK_STR(p.name, "mine");
    CHECK_STR(p.stack, "classic");
    CHECK_HAS(p.warnings, "w.worker:3:1: this exec is ignored");
    package_release(&p);
    static const struct package_want build = {.build = "make"};
    check_refused("w", &command, ERR_INVALID,
                  "w.worker says how its worker is built and starts: --command, --runtime, "
                  "--file-name and --build do not go with it");
    check_refused("w", &build, ERR_INVALID,
                  "w.worker says how its worker is built and starts: --command, --runtime, "
                  "--file-name and --build do not go with it");
}

TEST(a_file_that_needs_a_build_says_how)
{
    put_file("w.worker", "exec 'a.sh'\nbuild 'make'", 0644);
    put_file("a.sh", "", 0644);
    struct package p = made("w", &nothing);
    CHECK_STR(p.build, "sh __build__.sh");
    package_release(&p);
    put_file("w.worker", "exec 'a.sh'", 0644);
    p = made("w", &nothing);
    CHECK(!p.build);
    package_release(&p);
}

TAP_MAIN
