/* cli/package.c, cli/language.c, cli/upload_body.c: what becomes of a folder, a zip, a script. */
#include "cli/package.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/language.h"
#include "cli/upload_body.h"
#include "lib/archive.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/str.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static void write_file(const char *path, const char *text)
{
    autofclose FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0);
}

static struct package make(const char *path, const struct package_want *want)
{
    struct package p;
    struct err e = {0};
    CHECK_OK(package_make(path, want, &p, &e), &e);
    return p;
}

static void refused(const char *path, const struct package_want *want, int code, const char *part)
{
    struct package p;
    struct err e = {0};
    CHECK_INT(package_make(path, want, &p, &e), code);
    CHECK_HAS(e.msg, part);
}

static const struct package_want nothing;

static uint64_t entries(int fd)
{
    static const struct zip_limits limits = {BOUND_ZIP_UNPACKED_BYTES, BOUND_ZIP_ENTRIES};
    struct zip_facts facts = {0};
    struct err e = {0};
    CHECK_OK(zip_check(fd, &limits, &facts, &e), &e);
    return facts.entries;
}

/* text_of: what is in a descriptor, from its start; valid until the next call. */
static const struct buf *text_of(int fd)
{
    static struct buf text;
    buf_release(&text);
    text = BUF_INIT(1 << 20);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    for (;;) {
        char *room = buf_reserve(&text, 4096);
        ssize_t n = read(fd, room, 4096);
        CHECK(n >= 0);
        if (n == 0)
            return &text;
        buf_commit(&text, (size_t)n);
    }
}

/* ---- languages ---- */

static const char *runtime_of(const char *name, const char *head)
{
    const struct language *l = language_of(name, head, strlen(head));
    return !l ? "none" : l->runtime ? l->runtime : l->command;
}

TEST(extension_tells_the_runtime)
{
    CHECK_STR(runtime_of("a.sh", ""), "sh");
    CHECK_STR(runtime_of("a.py", ""), "python");
    CHECK_STR(runtime_of("a.rb", ""), "ruby");
    CHECK_STR(runtime_of("a.js", ""), "node");
    CHECK_STR(runtime_of("a.php", ""), "php");
    CHECK_STR(runtime_of("a.pl", ""), "perl");
    CHECK_STR(runtime_of("a.txt", "hello"), "none");
    CHECK_STR(runtime_of("py", ""), "none");
}

TEST(first_line_tells_the_runtime)
{
    CHECK_STR(runtime_of("a", "#!/bin/sh\n"), "sh");
    CHECK_STR(runtime_of("a", "#! /usr/bin/python3\n"), "python");
    CHECK_STR(runtime_of("a", "#!/usr/bin/env python3.11"), "python");
    CHECK_STR(runtime_of("a", "#!/usr/bin/env -S node --flag\n"), "node");
    CHECK_STR(runtime_of("a", "#!/bin/dash -e\r\n"), "sh");
    CHECK_STR(runtime_of("a", "#!/usr/bin/env\n"), "none");
    CHECK_STR(runtime_of("a", "#!"), "none");
    CHECK_STR(runtime_of("a", "#!/bin/shell\n"), "none");
    CHECK_STR(runtime_of("a", "\n#!/bin/sh\n"), "none");
}

TEST(first_line_beats_the_extension)
{
    CHECK_STR(runtime_of("a.sh", "#!/bin/bash\n"), "bash");
    CHECK_STR(runtime_of("a.sh", "#!/usr/bin/unknown\n"), "sh");
}

/* ---- scripts ---- */

TEST(script_becomes_a_zip_of_one_file)
{
    write_file("hello.py", "print('hi')\n");
    AUTO(package) struct package p = make("hello.py", &nothing);
    CHECK_STR(p.name, "hello");
    CHECK_STR(p.runtime, "python");
    CHECK_STR(p.file_name, "hello.py");
    CHECK_STR(p.stack, "python-3.11");
    CHECK(p.command == NULL);
    CHECK_INT(entries(p.fd), 1);
    CHECK_INT(p.bytes, text_of(p.fd)->len);
}

TEST(script_below_a_folder_is_packed_by_its_own_name)
{
    CHECK(mkdir("sub", 0755) == 0);
    write_file("sub/run.sh", "echo hi\n");
    AUTO(package) struct package p = make("sub/run.sh", &nothing);
    CHECK_STR(p.name, "run");
    CHECK_STR(p.file_name, "run.sh");
    CHECK(memmem(text_of(p.fd)->data, p.bytes, "sub/", 4) == NULL);
}

TEST(bash_script_is_run_by_a_command)
{
    write_file("b.sh", "#!/bin/bash\n");
    AUTO(package) struct package p = make("b.sh", &nothing);
    CHECK_STR(p.command, "bash b.sh");
    CHECK_STR(p.stack, "sh");
    CHECK(p.runtime == NULL && p.file_name == NULL);
}

TEST(what_the_user_says_stands)
{
    write_file("x.py", "");
    const struct package_want want = {.name = "n", .stack = "python-3.12", .runtime = "pypy"};
    AUTO(package) struct package p = make("x.py", &want);
    CHECK_STR(p.name, "n");
    CHECK_STR(p.stack, "python-3.12");
    CHECK_STR(p.runtime, "pypy");
    CHECK_STR(p.file_name, "x.py");
    const struct package_want command = {.command = "python3 -O x.py", .stack = "s"};
    AUTO(package) struct package q = make("x.py", &command);
    CHECK_STR(q.command, "python3 -O x.py");
    CHECK_STR(q.stack, "s");
    CHECK(q.runtime == NULL);
}

TEST(image_takes_the_place_of_the_stack)
{
    write_file("x.py", "");
    const struct package_want want = {.image = "python:3"};
    AUTO(package) struct package p = make("x.py", &want);
    CHECK_STR(p.runtime, "python");
    CHECK(p.stack == NULL);
}

TEST(unknown_script_says_what_to_give)
{
    write_file("notes.txt", "hello");
    refused("notes.txt", &nothing, ERR_INVALID, "--runtime");
    const struct package_want want = {.runtime = "sh"};
    AUTO(package) struct package p = make("notes.txt", &want);
    CHECK_STR(p.file_name, "notes.txt");
}

TEST(packages_are_reproducible)
{
    static const struct timespec long_ago[2] = {{1000, 0}, {1000, 0}};
    write_file("a.sh", "echo hi\n");
    AUTO(package) struct package p = make("a.sh", &nothing);
    CHECK(utimensat(AT_FDCWD, "a.sh", long_ago, 0) == 0);
    AUTO(package) struct package q = make("a.sh", &nothing);
    autofree char *first = str_dupn(text_of(p.fd)->data, p.bytes);
    CHECK_INT(q.bytes, p.bytes);
    CHECK(memcmp(text_of(q.fd)->data, first, p.bytes) == 0);
}

/* ---- folders ---- */

static void make_folder(const char *const files[])
{
    CHECK(mkdir("work", 0755) == 0);
    for (; *files; files++) {
        autofree char *path = str_fmt("work/%s", *files);
        write_file(path, "echo\n");
    }
}

TEST(folder_starts_with_main)
{
    make_folder((const char *const[]){"main.py", "work.sh", "other.py", "data.txt", NULL});
    AUTO(package) struct package p = make("work", &nothing);
    CHECK_STR(p.name, "work");
    CHECK_STR(p.file_name, "main.py");
    CHECK_STR(p.runtime, "python");
    CHECK_INT(entries(p.fd), 4);
}

TEST(folder_starts_with_its_namesake)
{
    make_folder((const char *const[]){"work.sh", "other.py", NULL});
    AUTO(package) struct package p = make("work/", &nothing);
    CHECK_STR(p.name, "work");
    CHECK_STR(p.file_name, "work.sh");
}

TEST(folder_starts_with_its_only_script)
{
    make_folder((const char *const[]){"go.rb", "README", ".hidden.sh", NULL});
    AUTO(package) struct package p = make("work", &nothing);
    CHECK_STR(p.file_name, "go.rb");
    CHECK(p.stack == NULL); /* the server's choice for ruby */
}

TEST(ambiguous_folder_says_what_to_give)
{
    make_folder((const char *const[]){"a.sh", "b.sh", NULL});
    refused("work", &nothing, ERR_INVALID, "--command");
    const struct package_want file = {.file_name = "b.sh"};
    AUTO(package) struct package p = make("work", &file);
    CHECK_STR(p.file_name, "b.sh");
    const struct package_want command = {.command = "sh a.sh"};
    AUTO(package) struct package q = make("work", &command);
    CHECK_STR(q.command, "sh a.sh");
    CHECK(q.runtime == NULL);
}

TEST(file_name_must_be_in_the_folder)
{
    make_folder((const char *const[]){"a.sh", NULL});
    const struct package_want want = {.file_name = "z.sh"};
    refused("work", &want, ERR_INVALID, "z.sh");
}

TEST(dot_is_named_after_its_folder)
{
    make_folder((const char *const[]){"a.sh", NULL});
    CHECK(chdir("work") == 0);
    AUTO(package) struct package p = make(".", &nothing);
    CHECK_STR(p.name, "work");
    CHECK(chdir("..") == 0);
}

TEST(empty_folder_is_refused)
{
    CHECK(mkdir("empty", 0755) == 0);
    refused("empty", &nothing, ERR_INVALID, "empty");
}

TEST(links_that_lead_out_are_refused)
{
    make_folder((const char *const[]){"a.sh", NULL});
    CHECK(symlink("/etc/passwd", "work/passwd") == 0);
    refused("work", &nothing, ERR_INVALID, "passwd");
}

/* ---- zips and the rest ---- */

static void make_zip(const char *path)
{
    autoclose int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    struct zipw *z = NULL;
    struct err e = {0};
    CHECK_OK(zipw_open(fd, &z, &e), &e);
    CHECK_OK(zipw_add_bytes(z, "run.sh", 0755, "echo\n", 5, &e), &e);
    CHECK_OK(zipw_close(z, &e), &e);
}

TEST(zip_is_sent_as_it_is)
{
    make_zip("pkg.zip");
    const struct package_want want = {.runtime = "sh", .file_name = "run.sh", .stack = "sh"};
    AUTO(package) struct package p = make("pkg.zip", &want);
    AUTO(buf) struct buf on_disk = BUF_INIT(1 << 20);
    struct err e = {0};
    CHECK_OK(fs_read("pkg.zip", &on_disk, &e), &e);
    const struct buf *text = text_of(p.fd);
    CHECK_STR(p.name, "pkg");
    CHECK(text->len == on_disk.len && memcmp(text->data, on_disk.data, text->len) == 0);
}

TEST(zip_is_known_by_its_first_bytes_too)
{
    make_zip("pkg");
    const struct package_want want = {.command = "sh run.sh"};
    AUTO(package) struct package p = make("pkg", &want);
    CHECK_INT(entries(p.fd), 1);
}

TEST(zip_must_say_how_it_starts)
{
    make_zip("pkg.zip");
    refused("pkg.zip", &nothing, ERR_INVALID, "--command");
    const struct package_want half = {.runtime = "sh"};
    refused("pkg.zip", &half, ERR_INVALID, "--file-name");
}

TEST(broken_zip_is_refused_before_it_is_sent)
{
    write_file("bad.zip", "this is no zip");
    const struct package_want want = {.command = "x"};
    refused("bad.zip", &want, ERR_INVALID, "bad.zip");
}

TEST(absent_path_is_refused_unless_an_image_is_all)
{
    refused("nowhere", &nothing, ERR_NOT_FOUND, "nowhere");
    const struct package_want want = {.image = "acme/x:2", .command = "run"};
    AUTO(package) struct package p = make("acme/x", &want);
    CHECK_STR(p.name, "acme/x");
    CHECK_STR(p.command, "run");
    CHECK_INT(p.fd, -1);
}

TEST(what_is_no_file_is_refused)
{
    CHECK(mkfifo("fifo", 0644) == 0);
    refused("fifo", &nothing, ERR_INVALID, "neither");
}

/* ---- the upload's body ---- */

TEST(body_has_data_then_file)
{
    write_file("pkg", "ZIPBYTES");
    autoclose int fd = open("pkg", O_RDONLY | O_CLOEXEC);
    AUTO(upload_body) struct upload_body b = {.fd = -1};
    struct err e = {0};
    CHECK_OK(upload_body_make("{\"name\":\"x\"}", 12, fd, "x\"\n.zip", &b, &e), &e);
    const char *boundary = strstr(b.content_type, "boundary=");
    CHECK(boundary != NULL);
    boundary += strlen("boundary=");
    autofree char *want = str_fmt("--%s\r\nContent-Disposition: form-data; name=\"data\"\r\n"
                                  "Content-Type: application/json\r\n\r\n{\"name\":\"x\"}"
                                  "\r\n--%s\r\nContent-Disposition: form-data; name=\"file\"; "
                                  "filename=\"x%%22%%0A.zip\"\r\n"
                                  "Content-Type: application/zip\r\n\r\nZIPBYTES"
                                  "\r\n--%s--\r\n",
                                  boundary, boundary, boundary);
    CHECK_STR(buf_str(text_of(b.fd)), want);
    CHECK_INT(b.bytes, strlen(want));
}

TEST(body_without_package_has_data_alone)
{
    AUTO(upload_body) struct upload_body b = {.fd = -1};
    struct err e = {0};
    CHECK_OK(upload_body_make("{}", 2, -1, "", &b, &e), &e);
    CHECK(strstr(buf_str(text_of(b.fd)), "name=\"file\"") == NULL);
}

TEST(boundaries_differ)
{
    AUTO(upload_body) struct upload_body a = {.fd = -1};
    AUTO(upload_body) struct upload_body b = {.fd = -1};
    struct err e = {0};
    CHECK_OK(upload_body_make("{}", 2, -1, "", &a, &e), &e);
    CHECK_OK(upload_body_make("{}", 2, -1, "", &b, &e), &e);
    CHECK(strcmp(a.content_type, b.content_type) != 0);
}

TEST(a_build_command_is_one_word_for_the_shell)
{
    const struct package_want want = {.build = "echo 'hi'"};
    write_file("a.sh", "");
    struct package p = make("a.sh", &want);
    CHECK_STR(p.build, "sh -c 'echo '\\''hi'\\'''");
    package_release(&p);
}

TAP_MAIN
