/* lib/archive_collect: what becomes of a build's folder, and what is refused of it. */
#include "lib/archive.h"

#include <sys/mman.h>

#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/str.h"
#include "tests/unit/tap.h"
#include "tests/unit/tars.h"

#include "lib/banned.h"

#define BIG (64u << 20)

static const char *const skipped[] = {"task_payload.json", NULL};
static const struct tar_want roomy = {
    .root = "task", .skip = skipped, .limits = {.max_unpacked_bytes = 10000, .max_entries = 50}};

static int file_new(const struct buf *b)
{
    int fd = memfd_create("archive", MFD_CLOEXEC);
    CHECK(fd >= 0);
    if (b)
        CHECK(write(fd, b->data, b->len) == (ssize_t)b->len);
    return fd;
}

static int collect_from(const struct buf *tar, const struct tar_want *want, int zip, struct err *e)
{
    autoclose int fd = file_new(tar);
    return tar_to_zip(fd, want, zip, e);
}

static int collect(const struct tar_entry *entries, size_t n, int zip, struct err *e)
{
    AUTO(buf) struct buf tar = BUF_INIT(BIG);
    tar_make(&tar, entries, n);
    return collect_from(&tar, &roomy, zip, e);
}

/* The zip's files as "path=content " in their order, by way of a folder. */
static char *listing(int zip)
{
    AUTO(buf) struct buf raw = BUF_INIT(BIG), out = BUF_INIT(BIG);
    struct zip_facts facts;
    struct err e = {0};
    CHECK_OK(zip_check(zip, &roomy.limits, &facts, &e), &e);
    size_t len = (size_t)lseek(zip, 0, SEEK_END);
    CHECK_OK(fs_pread_all(zip, buf_reserve(&raw, len), len, 0, "zip", &e), &e);
    buf_commit(&raw, len);
    CHECK_OK(fs_mkdirs("out", 0700, &e), &e);
    CHECK_OK(zip_unpack(zip, "out", &e), &e);
    for (const char *at = raw.data; (at = memmem(at, len - (size_t)(at - raw.data), "PK\1\2", 4));
         at += 46) {
        size_t name_len = (unsigned char)at[28] | (size_t)(unsigned char)at[29] << 8;
        autofree char *name = str_dupn(at + 46, name_len);
        autofree char *path = str_fmt("out/%s", name);
        AUTO(buf) struct buf content = BUF_INIT(BIG);
        CHECK_OK(fs_read(path, &content, &e), &e);
        buf_addf(&out, "%s=%s ", name, buf_str(&content));
    }
    return buf_take(&out);
}

static void check_made(const struct tar_entry *entries, size_t n, const char *want)
{
    struct err e = {0};
    autoclose int zip = file_new(NULL);
    CHECK_OK(collect(entries, n, zip, &e), &e);
    autofree char *got = listing(zip);
    CHECK_STR(got, want);
}

static void check_refused(const struct tar_entry *entries, size_t n, const char *why)
{
    struct err e = {0};
    autoclose int zip = file_new(NULL);
    CHECK_INT(collect(entries, n, zip, &e), ERR_INVALID);
    CHECK_HAS(e.msg, why);
}
#define MADE(want, ...)                                                                            \
    check_made((const struct tar_entry[]){__VA_ARGS__},                                            \
               ARRAY_LEN(((const struct tar_entry[]){__VA_ARGS__})), want)
#define REFUSED(why, ...)                                                                          \
    check_refused((const struct tar_entry[]){__VA_ARGS__},                                         \
                  ARRAY_LEN(((const struct tar_entry[]){__VA_ARGS__})), why)

#define DIR_OF(path)                                                                               \
    {                                                                                              \
        path, '5', NULL, NULL, 0755                                                                \
    }
#define FILE_OF(path, text)                                                                        \
    {                                                                                              \
        path, '0', text, NULL, 0644                                                                \
    }
#define LINK_OF(path, target)                                                                      \
    {                                                                                              \
        path, '2', NULL, target, 0777                                                              \
    }
#define HARD_OF(path, target)                                                                      \
    {                                                                                              \
        path, '1', NULL, target, 0644                                                              \
    }

TEST(files_come_sorted_and_without_what_is_skipped)
{
    MADE("a/x=1 a/y=2 b=3 ", DIR_OF("task/"), FILE_OF("task/b", "3"), DIR_OF("task/a/"),
         FILE_OF("task/a/y", "2"), FILE_OF("task/a/x", "1"),
         FILE_OF("task/task_payload.json", "{}"));
}

TEST(empty_files_stay_and_empty_folders_do_not)
{
    MADE("f= ", DIR_OF("task/"), DIR_OF("task/empty/"), FILE_OF("task/f", ""));
}

TEST(the_order_of_the_tar_makes_no_difference)
{
    const struct tar_entry one[] = {FILE_OF("task/a", "1"), FILE_OF("task/b", "2")};
    const struct tar_entry two[] = {FILE_OF("task/b", "2"), DIR_OF("task/"),
                                    FILE_OF("task/a", "1")};
    struct err e = {0};
    AUTO(buf) struct buf a = BUF_INIT(BIG), b = BUF_INIT(BIG);
    autoclose int zip_one = file_new(NULL), zip_two = file_new(NULL);
    CHECK_OK(collect(one, 2, zip_one, &e), &e);
    CHECK_OK(collect(two, 3, zip_two, &e), &e);
    size_t len = (size_t)lseek(zip_one, 0, SEEK_END);
    CHECK_INT(lseek(zip_two, 0, SEEK_END), (long long)len);
    CHECK_OK(fs_pread_all(zip_one, buf_reserve(&a, len), len, 0, "zip", &e), &e);
    CHECK_OK(fs_pread_all(zip_two, buf_reserve(&b, len), len, 0, "zip", &e), &e);
    CHECK(memcmp(a.data, b.data, len) == 0);
}

TEST(links_that_stay_inside_are_followed)
{
    MADE("abs=1 bin/run=1 dir/f=1 hard=1 lib/f=1 ", DIR_OF("task/lib/"), FILE_OF("task/lib/f", "1"),
         LINK_OF("task/bin/run", "../lib/./f"), LINK_OF("task/dir", "lib/"),
         LINK_OF("task/abs", "/task/dir/f"), HARD_OF("task/hard", "task/lib/f"));
}

TEST(other_links_are_refused_by_name)
{
    REFUSED("\"out\" to \"../etc/passwd\"", LINK_OF("task/out", "../etc/passwd"));
    REFUSED("\"abs\" to \"/etc/passwd\"", LINK_OF("task/abs", "/etc/passwd"));
    REFUSED("\"near\" to \"/tasks/x\"", LINK_OF("task/near", "/tasks/x"));
    REFUSED("\"gone\" to \"nothing\"", LINK_OF("task/gone", "nothing"));
    REFUSED("\"below\" to \"f/x\"", FILE_OF("task/f", ""), LINK_OF("task/below", "f/x"));
    REFUSED("leads to nothing", LINK_OF("task/a", "b"), LINK_OF("task/b", "a"));
    REFUSED("\"d/up\" leads back", DIR_OF("task/d/"), LINK_OF("task/d/up", "."));
    REFUSED("\"d/top\" leads back", DIR_OF("task/d/"), LINK_OF("task/d/top", "/task"));
}

TEST(what_is_no_file_is_refused_by_name)
{
    REFUSED("\"task/pipe\" is neither", {"task/pipe", '6', NULL, NULL, 0644});
    REFUSED("\"other/f\", which is not below", FILE_OF("other/f", ""));
    REFUSED("\"tasks/f\", which is not below", FILE_OF("tasks/f", ""));
    REFUSED("bad or second \"task/../f\"", FILE_OF("task/../f", ""));
    REFUSED("bad or second \"task/f\"", FILE_OF("task/f", ""), FILE_OF("task/f", ""));
    REFUSED("bad or second \"task/f/g\"", FILE_OF("task/f", ""), FILE_OF("task/f/g", ""));
    REFUSED("no file is left", DIR_OF("task/"));
}

TEST(ceilings_hold_also_for_what_links_multiply)
{
    struct tar_entry many[60];
    char names[60][32], thousand[1001];
    struct err e = {0};
    autoclose int zip = file_new(NULL);
    for (size_t i = 0; i < 60; i++) {
        snprintf(names[i], sizeof names[i], "task/f%zu", i);
        many[i] = (struct tar_entry)FILE_OF(names[i], "");
    }
    CHECK_INT(collect(many, 60, zip, &e), ERR_TOO_BIG);
    CHECK_HAS(e.msg, "50 files");
    memset(thousand, 'x', 1000);
    thousand[1000] = '\0';
    many[0] = (struct tar_entry)FILE_OF("task/d/f", thousand);
    for (size_t i = 1; i < 11; i++)
        many[i] = (struct tar_entry)LINK_OF(names[i], "d");
    CHECK_INT(collect(many, 11, zip, &e), ERR_TOO_BIG);
    CHECK_HAS(e.msg, "10000 bytes");
}

TEST(modes_are_kept_and_a_cut_tar_is_refused)
{
    AUTO(buf) struct buf tar = BUF_INIT(BIG);
    const struct tar_entry run = {"task/run", '0', "#!/bin/sh\n", NULL, 0755};
    struct err e = {0};
    struct stat st;
    autoclose int zip = file_new(NULL), again = file_new(NULL);
    CHECK_OK(collect(&run, 1, zip, &e), &e);
    free(listing(zip));
    CHECK(stat("out/run", &st) == 0);
    CHECK_INT(st.st_mode & 0777, 0755);
    tar_put(&tar, &run);
    tar.len = 515; /* in the content */
    CHECK_INT(collect_from(&tar, &roomy, again, &e), ERR_INVALID);
}

TAP_MAIN
