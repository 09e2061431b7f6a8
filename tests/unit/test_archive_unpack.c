/* Zips into folders. */
#include "lib/archive.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/fs.h"
#include "tests/unit/tap.h"
#include "tests/unit/zips.h"

#include "lib/banned.h"

static int unpack(const struct zip_entry *entries, size_t n, struct err *e)
{
    AUTO(buf) struct buf zip = BUF_INIT(1 << 20);
    zip_make(&zip, entries, n);
    CHECK_OK(fs_write_durable("x.zip", buf_str(&zip), zip.len, 0600, e), e);
    CHECK(mkdir("to", 0700) == 0);
    autoclose int fd = open("x.zip", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    return zip_unpack(fd, "to", e);
}

static void check_file(const char *path, mode_t mode, const char *text)
{
    AUTO(buf) struct buf got = BUF_INIT(1 << 20);
    struct stat st;
    struct err e;
    CHECK(stat(path, &st) == 0);
    CHECK_INT(st.st_mode & 07777, mode);
    CHECK_OK(fs_read(path, &got, &e), &e);
    CHECK_STR(buf_str(&got), text);
}

TEST(files_are_unpacked_with_their_folders_and_modes)
{
    static const struct zip_entry entries[] = {
        {.name = "d/e/run", .data = "x", .host = 3, .mode = S_IFREG | 0755},
        {.name = "d/", .data = "", .host = 3, .mode = S_IFDIR | 0700},
        {.name = "d/ü", .data = "text", .host = 3, .mode = S_IFREG | 0640, .flags = 0x800},
        {.name = "bare", .data = "", .host = 0}};
    struct err e;
    CHECK_OK(unpack(entries, 4, &e), &e);
    check_file("to/d/e/run", 0755, "x");
    check_file("to/d/ü", 0640, "text");
    check_file("to/bare", 0755, "");
}

TEST(nothing_is_unpacked_over_a_file_or_out_of_the_folder)
{
    static const struct zip_entry twice[] = {{.name = "a", .data = "1", .host = 3},
                                             {.name = "./a", .data = "2", .host = 3}};
    static const struct zip_entry out[] = {{.name = "../a", .data = "1", .host = 3}};
    struct err e;
    CHECK_INT(unpack(twice, 2, &e), ERR_IO);
    CHECK_HAS(e.msg, "to/a");
    CHECK(remove("to/a") == 0 && remove("to") == 0);
    CHECK_INT(unpack(out, 1, &e), ERR_INVALID);
    CHECK(access("a", F_OK) != 0);
}

TEST(a_broken_entry_is_named)
{
    static const struct zip_entry broken[] = {{.name = "a", .data = "1", .host = 3, .crc_xor = 1}};
    struct err e;
    CHECK_INT(unpack(broken, 1, &e), ERR_INVALID);
    CHECK_HAS(e.msg, "\"a\" is broken");
}

TAP_MAIN
