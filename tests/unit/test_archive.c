#include "lib/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/bounds.h"
#include "lib/fs.h"
#include "lib/str.h"
#include "tests/unit/tap.h"
#include "tests/unit/zips.h"

#include "lib/banned.h"

#define BIG (256u << 20)

static const struct zip_limits roomy = {.max_unpacked_bytes = 1 << 20, .max_entries = 100};

static int file_of(const void *bytes, size_t len)
{
    int fd = memfd_create("zip", MFD_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(write(fd, bytes, len) == (ssize_t)len);
    return fd;
}

static int zip_of(const struct zip_entry *entries, size_t n)
{
    AUTO(buf) struct buf b = BUF_INIT(BIG);
    zip_make(&b, entries, n);
    return file_of(b.data, b.len);
}

static void content_of(int fd, struct buf *out)
{
    struct err e = {0};
    off_t len = lseek(fd, 0, SEEK_END);
    char *to = buf_reserve(out, (size_t)len);
    CHECK_OK(fs_pread_all(fd, to, (size_t)len, 0, "file", &e), &e);
    buf_commit(out, (size_t)len);
}

static void check_fails_in(int fd, const struct zip_limits *lim, int code, const char *why)
{
    struct err e = {0};
    struct zip_facts facts = {.entries = 77};
    CHECK_INT(zip_check(fd, lim, &facts, &e), code);
    CHECK_HAS(e.msg, why);
    CHECK_INT(facts.entries, 77);
}

static void check_fails(const struct zip_entry *entries, size_t n, const char *why)
{
    autoclose int fd = zip_of(entries, n);
    check_fails_in(fd, &roomy, ERR_INVALID, why);
}

static void check_one_fails(struct zip_entry entry, const char *why)
{
    check_fails(&entry, 1, why);
}

static struct zip_facts check_passes(int fd)
{
    struct err e = {0};
    struct zip_facts facts = {0};
    CHECK_OK(zip_check(fd, &roomy, &facts, &e), &e);
    return facts;
}

/* ---- reading tars ---- */

struct tar_file {
    char name[300];
    char type; /* '0' file, '5' directory, 0 the end */
    unsigned mode, uid, gid;
    int64_t mtime;
    char data[200];
    size_t size;
};

static unsigned long long octal(const char *p, size_t len)
{
    unsigned long long v = 0;
    for (size_t i = 0; i < len && p[i] >= '0' && p[i] <= '7'; i++)
        v = v * 8 + (unsigned)(p[i] - '0');
    return v;
}

/* The plain ustar entries of a tar, in their order. */
static size_t untar(const struct buf *tar, struct tar_file *out, size_t max)
{
    size_t n = 0;
    for (size_t at = 0; at + 512 <= tar->len && tar->data[at] != '\0';) {
        const char *h = tar->data + at;
        struct tar_file *f = &out[n++];
        CHECK(n <= max);
        *f = (struct tar_file){.type = h[156],
                               .mode = (unsigned)octal(h + 100, 8),
                               .uid = (unsigned)octal(h + 108, 8),
                               .gid = (unsigned)octal(h + 116, 8),
                               .mtime = (int64_t)octal(h + 136, 12),
                               .size = (size_t)octal(h + 124, 12)};
        CHECK(memcmp(h + 257, "ustar", 5) == 0);
        snprintf(f->name, sizeof(f->name), "%.155s%s%.100s", h + 345, h[345] ? "/" : "", h);
        memcpy(f->data, h + 512, f->size < sizeof(f->data) - 1 ? f->size : sizeof(f->data) - 1);
        at += 512 + (f->size + 511) / 512 * 512;
    }
    CHECK_INT(tar->len % 512, 0);
    return n;
}

static const struct tar_file *named(const struct tar_file *files, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    TAP_FAIL("no %s in the tar", name);
}

static size_t to_tar(int fd, const char *prefix, struct tar_file *files, size_t max)
{
    struct err e = {0};
    AUTO(buf) struct buf tar = BUF_INIT(BIG);
    autoclose int out = memfd_create("tar", MFD_CLOEXEC);
    CHECK_OK(zip_to_tar(fd, prefix, 10001, 10002, out, &e), &e);
    content_of(out, &tar);
    return untar(&tar, files, max);
}

static int fixture(const char *base64)
{
    struct err e = {0};
    autofree uint8_t *bytes = NULL;
    size_t len = 0;
    CHECK_OK(str_unbase64(base64, &bytes, &len, &e), &e);
    return file_of(bytes, len);
}

/* Python's zipfile: run.sh 0775, data/ü.txt 0664, bare without external attributes. */
static const char by_python[] =
    "UEsDBBQAAAAAAAAAIQAdnfsECgAAAAoAAAAGAAAAcnVuLnNoIyEvYmluL3NoClBLAwQUAAAICAAAACEAj10OXgYAAA"
    "BkAAAACwAAAGRhdGEvw7wudHh0q6igPQAAUEsDBBQAAAAAAAAAIQAVJtv7AQAAAAEAAAAEAAAAYmFyZXlQSwECFAMU"
    "AAAAAAAAACEAHZ37BAoAAAAKAAAABgAAAAAAAAAAAAAA/YEAAAAAcnVuLnNoUEsBAhQDFAAACAgAAAAhAI9dDl4GAA"
    "AAZAAAAAsAAAAAAAAAAAAAALSBLgAAAGRhdGEvw7wudHh0UEsBAhQDFAAAAAAAAAAhABUm2/sBAAAAAQAAAAQAAAAA"
    "AAAAAAAAAAAAXQAAAGJhcmVQSwUGAAAAAAMAAwCfAAAAgAAAAAAA";

/* Info-ZIP's zip -r: a 0664, d/ and d/b 0750, of 2020-02-03 04:05:06Z. */
static const char by_infozip[] =
    "UEsDBAoAAAAAAKMgQ1Dxhmx6AwAAAAMAAAABABwAYVVUCQAD8ps3XvKbN151eAsAAQQAAAAABAAAAABvbmVQSwMECgAA"
    "AAAAoyBDUAAAAAAAAAAAAAAAAAIAHABkL1VUCQAD8ps3XvF3AWt1eAsAAQQAAAAABAAAAABQSwMECgAAAAAAoyBDUGaK"
    "yhEDAAAAAwAAAAMAHABkL2JVVAkAA/KbN17ymzdedXgLAAEEAAAAAAQAAAAAdHdvUEsBAh4DCgAAAAAAoyBDUPGGbHoD"
    "AAAAAwAAAAEAGAAAAAAAAQAAALSBAAAAAGFVVAUAA/KbN151eAsAAQQAAAAABAAAAABQSwECHgMKAAAAAACjIENQAAAA"
    "AAAAAAAAAAAAAgAYAAAAAAAAABAA7UE+AAAAZC9VVAUAA/KbN151eAsAAQQAAAAABAAAAABQSwECHgMKAAAAAACjIENQ"
    "ZorKEQMAAAADAAAAAwAYAAAAAAABAAAA6IF6AAAAZC9iVVQFAAPymzdedXgLAAEEAAAAAAQAAAAAUEsFBgAAAAADAAMA"
    "2AAAALoAAAAAAA==";

/* printf piped | zip - -: one entry "-", marked as a pipe, with zip64 records. */
static const char by_infozip_from_a_pipe[] =
    "UEsDBC0AAAAAAJFWdV2o/Xp///////////8BABQALQEAEAAFAAAAAAAAAAUAAAAAAAAAcGlwZWRQSwECHgMtAAAAAA"
    "CRVnVdqP16fwUAAAAFAAAAAQAAAAAAAAABAAAAgBEAAAAALVBLBgYsAAAAAAAAAB4DLQAAAAAAAAAAAAEAAAAAAAAA"
    "AQAAAAAAAAAvAAAAAAAAADgAAAAAAAAAUEsGBwAAAABnAAAAAAAAAAEAAABQSwUGAAAAAAEAAQAvAAAAOAAAAAAA";

/* ---- zip_check ---- */

TEST(counts_what_is_in_a_good_zip)
{
    static const struct zip_entry entries[] = {{.name = "a.sh", .data = "hello"},
                                               {.name = "d/", .data = ""},
                                               {.name = "d/e/f", .data = "xyz"},
                                               {.name = "./g//h", .data = "1"}};
    autoclose int fd = zip_of(entries, ARRAY_LEN(entries));
    struct zip_facts facts = check_passes(fd);
    CHECK_INT(facts.entries, 4);
    CHECK_INT(facts.unpacked_bytes, 9);
}

TEST(zips_of_well_known_writers_pass)
{
    autoclose int python = fixture(by_python);
    CHECK_INT(check_passes(python).unpacked_bytes, 111);
    autoclose int infozip = fixture(by_infozip);
    CHECK_INT(check_passes(infozip).entries, 3);
    autoclose int piped = fixture(by_infozip_from_a_pipe);
    CHECK_INT(check_passes(piped).unpacked_bytes, 5);
}

TEST(sizes_behind_the_data_are_found_in_the_directory)
{
    static const struct zip_entry entries[] = {{.name = "a", .data = "hello", .flags = 8},
                                               {.name = "b", .data = "PK\1\2PK\5\6", .flags = 8}};
    autoclose int fd = zip_of(entries, 2);
    CHECK_INT(check_passes(fd).unpacked_bytes, 13);
}

TEST(the_position_of_the_descriptor_does_not_matter)
{
    autoclose int fd = fixture(by_python);
    lseek(fd, 0, SEEK_END);
    CHECK_INT(check_passes(fd).entries, 3);
    CHECK_INT(check_passes(fd).entries, 3);
}

TEST(what_is_no_zip_is_said_to_be_none)
{
    autoclose int text = file_of("#!/bin/sh\necho hello\n", 21);
    check_fails_in(text, &roomy, ERR_INVALID, "not a zip");
    autoclose int none = file_of("", 0);
    check_fails_in(none, &roomy, ERR_INVALID, "not a zip");
    autoclose int python = fixture(by_python);
    CHECK(ftruncate(python, 300) == 0);
    check_fails_in(python, &roomy, ERR_INVALID, "not a zip");
}

TEST(a_zip_without_a_file_is_refused)
{
    static const struct zip_entry dirs[] = {{.name = "d/", .data = ""}, {.name = "./", .data = ""}};
    check_fails(NULL, 0, "empty");
    check_fails(dirs, 2, "holds no file");
}

TEST(paths_that_leave_the_directory_are_refused)
{
    check_one_fails((struct zip_entry){.name = "../x", .data = ""}, "\"../x\" has \"..\"");
    check_one_fails((struct zip_entry){.name = "a/../../x", .data = ""}, "\"..\"");
    check_one_fails((struct zip_entry){.name = "a/..", .data = ""}, "\"..\"");
    check_one_fails((struct zip_entry){.name = "/etc/passwd", .data = ""}, "absolute");
    check_one_fails((struct zip_entry){.name = "..\\x", .data = ""}, "\"..\"");
    check_one_fails((struct zip_entry){.name = "..\\x", .data = "", .host = 3}, "\"..\"");
    check_one_fails((struct zip_entry){.name = "ok", .data = "", .local_name = "../x"}, "\"..\"");
}

TEST(links_and_devices_are_refused)
{
    check_one_fails((struct zip_entry){.name = "l", .data = "t", .host = 3, .mode = S_IFLNK | 0777},
                    "\"l\" is a link");
    check_one_fails((struct zip_entry){.name = "d", .data = "", .host = 3, .mode = S_IFBLK | 0600},
                    "neither");
    check_one_fails((struct zip_entry){.name = "d", .data = "", .host = 3, .mode = S_IFCHR | 0600},
                    "neither");
}

TEST(encrypted_entries_are_refused)
{
    check_one_fails((struct zip_entry){.name = "s", .data = "0123456789abc", .flags = 1},
                    "\"s\" is encrypted");
}

TEST(names_must_be_utf8)
{
    check_one_fails((struct zip_entry){.name = "\xff", .data = ""}, "not UTF-8");
    check_one_fails((struct zip_entry){.name = "\xff", .data = "", .flags = 0x800}, "not UTF-8");
    static const struct zip_entry ok[] = {{.name = "\xc3\xbc", .data = "", .flags = 0x800},
                                          {.name = "\xe2\x82\xac", .data = ""}};
    autoclose int fd = zip_of(ok, 2);
    CHECK_INT(check_passes(fd).entries, 2);
}

TEST(a_path_may_not_be_endless)
{
    char name[BOUND_PATH_BYTES + 2];
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    check_one_fails((struct zip_entry){.name = name, .data = ""}, "too long");
}

TEST(a_file_may_be_there_once)
{
    static const struct zip_entry twice[] = {{.name = "a", .data = "1"},
                                             {.name = "./a", .data = ""}};
    check_fails(twice, 2, "\"a\" is there twice");
    static const struct zip_entry both[] = {
        {.name = "d", .data = "1"}, {.name = "d-x", .data = ""}, {.name = "d/e/f", .data = ""}};
    check_fails(both, 3, "\"d\" is both");
    static const struct zip_entry dir[] = {{.name = "d/", .data = ""}, {.name = "d", .data = ""}};
    check_fails(dir, 2, "\"d\" is both");
    static const struct zip_entry dirs[] = {
        {.name = "d/", .data = ""}, {.name = "d/", .data = ""}, {.name = "d/x", .data = ""}};
    autoclose int fd = zip_of(dirs, 3);
    CHECK_INT(check_passes(fd).entries, 3);
}

TEST(broken_data_is_found)
{
    check_one_fails((struct zip_entry){.name = "a", .data = "hello", .crc_xor = 1},
                    "\"a\" is broken");
    check_one_fails((struct zip_entry){.name = "a", .data = "hello", .size_more = 7}, "\"a\"");
}

TEST(a_bomb_is_stopped_at_the_limit)
{
    struct err e = {0};
    struct zipw *z = NULL;
    autofree char *zeros = calloc(1, 8 << 20);
    autoclose int fd = memfd_create("bomb", MFD_CLOEXEC);
    CHECK_OK(zipw_open(fd, &z, &e), &e);
    CHECK_OK(zipw_add_bytes(z, "bomb", 0644, zeros, 8 << 20, &e), &e);
    CHECK_OK(zipw_close(z, &e), &e);
    CHECK(lseek(fd, 0, SEEK_END) < 20000);
    check_fails_in(fd, &roomy, ERR_TOO_BIG, "more than 1048576 bytes");
}

TEST(too_many_entries_are_refused_before_they_are_read)
{
    static const struct zip_entry entries[] = {{.name = "a", .data = ""},
                                               {.name = "b", .data = ""}};
    static const struct zip_limits one = {.max_unpacked_bytes = 10, .max_entries = 1};
    autoclose int fd = zip_of(entries, 2);
    check_fails_in(fd, &one, ERR_TOO_BIG, "more than 1 entries");
}

TEST(junk_around_a_zip_is_no_harm)
{
    static const struct zip_entry entries[] = {
        {.name = "a", .data = "hello", .host = 3, .mode = S_IFREG | 0640}};
    AUTO(buf) struct buf b = BUF_INIT(BIG);
    buf_adds(&b, "#!/bin/sh\nexec unzip $0\n");
    zip_make(&b, entries, 1);
    buf_adds(&b, "trailing");
    autoclose int fd = file_of(b.data, b.len);
    CHECK_INT(check_passes(fd).unpacked_bytes, 5);
    struct tar_file files[4];
    CHECK_INT(to_tar(fd, "", files, 4), 1);
    CHECK_INT(files[0].mode, 0640);
}

TEST(a_zip_cut_or_flipped_anywhere_is_an_error_or_a_zip)
{
    AUTO(buf) struct buf whole = BUF_INIT(BIG);
    autoclose int good = fixture(by_infozip);
    content_of(good, &whole);
    for (size_t i = 0; i < whole.len; i++) {
        struct err e = {0};
        struct zip_facts facts;
        autoclose int cut = file_of(whole.data, i);
        CHECK_INT(zip_check(cut, &roomy, &facts, &e), ERR_INVALID);
        whole.data[i] ^= 0x55;
        autoclose int flipped = file_of(whole.data, whole.len);
        int rc = zip_check(flipped, &roomy, &facts, &e);
        CHECK(rc == 0 || rc == ERR_INVALID || rc == ERR_TOO_BIG);
        whole.data[i] ^= 0x55;
    }
}

/* ---- zip_to_tar ---- */

TEST(a_tar_has_every_file_with_owner_and_content)
{
    struct tar_file files[8];
    autoclose int fd = fixture(by_infozip);
    size_t n = to_tar(fd, "", files, 8);
    CHECK_INT(n, 3);
    const struct tar_file *b = named(files, n, "d/b");
    CHECK_INT(b->type, '0');
    CHECK_INT(b->size, 3);
    CHECK_STR(b->data, "two");
    CHECK_INT(b->uid, 10001);
    CHECK_INT(b->gid, 10002);
    CHECK_INT(b->mtime, 1580702706); /* 2020-02-03T04:05:06Z */
    const struct tar_file *d = named(files, n, "d/");
    CHECK_INT(d->type, '5');
    CHECK_INT(d->mode, 0755);
    CHECK_INT(d->uid, 10001);
}

TEST(unix_modes_are_kept_and_files_without_one_are_made_executable)
{
    static const struct zip_entry entries[] = {
        {.name = "u644", .data = "", .host = 3, .mode = S_IFREG | 0644},
        {.name = "u664", .data = "", .host = 3, .mode = S_IFREG | 0664},
        {.name = "u755", .data = "", .host = 3, .mode = S_IFREG | 0755},
        {.name = "u7777", .data = "", .host = 3, .mode = S_IFREG | 07777},
        {.name = "u0", .data = "", .host = 3, .mode = S_IFREG},
        {.name = "bare-bits", .data = "", .host = 3, .mode = 0600},
        {.name = "none", .data = "", .host = 3},
        {.name = "dos", .data = "", .host = 0, .dos = 0x20},
        {.name = "dos-read-only", .data = "", .host = 0, .dos = 0x21},
        {.name = "dos-with-bits", .data = "", .host = 0, .mode = S_IFREG | 0640},
        {.name = "dos\\path", .data = "", .host = 0},
        {.name = "unix\\path", .data = "", .host = 3, .mode = S_IFREG | 0640},
        {.name = "ntfs", .data = "", .host = 11, .mode = S_IFREG | 0640},
    };
    static const struct {
        const char *name;
        unsigned mode;
    } want[] = {{"u644", 0644},          {"u664", 0664},     {"u755", 0755},
                {"u7777", 0777},         {"u0", 0},          {"bare-bits", 0600},
                {"none", 0755},          {"dos", 0755},      {"dos-read-only", 0755},
                {"dos-with-bits", 0755}, {"dos/path", 0755}, {"unix/path", 0640},
                {"ntfs", 0755}};
    struct tar_file files[32];
    autoclose int fd = zip_of(entries, ARRAY_LEN(entries));
    size_t n = to_tar(fd, "", files, 32);
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        if (named(files, n, want[i].name)->mode != want[i].mode)
            TAP_FAIL("%s has mode %o", want[i].name, named(files, n, want[i].name)->mode);
}

TEST(modes_of_well_known_writers)
{
    struct tar_file files[8];
    autoclose int python = fixture(by_python);
    size_t n = to_tar(python, "", files, 8);
    CHECK_INT(named(files, n, "run.sh")->mode, 0775);
    CHECK_INT(named(files, n, "bare")->mode, 0755);
    autoclose int infozip = fixture(by_infozip);
    n = to_tar(infozip, "", files, 8);
    CHECK_INT(named(files, n, "a")->mode, 0664);
    CHECK_INT(named(files, n, "d/b")->mode, 0750);
    autoclose int piped = fixture(by_infozip_from_a_pipe);
    n = to_tar(piped, "", files, 8);
    CHECK_STR(named(files, n, "-")->data, "piped");
}

TEST(every_directory_on_the_way_gets_an_entry)
{
    static const struct zip_entry entries[] = {{.name = "a/b/c", .data = "1"},
                                               {.name = "a/b/d", .data = "2"},
                                               {.name = "ab/x", .data = "3"},
                                               {.name = "top", .data = "4"}};
    struct tar_file files[16];
    autoclose int fd = zip_of(entries, 4);
    size_t n = to_tar(fd, "code/", files, 16);
    static const char *const want[] = {"code/",      "code/a/",  "code/a/b/", "code/a/b/c",
                                       "code/a/b/d", "code/ab/", "code/ab/x", "code/top"};
    CHECK_INT(n, ARRAY_LEN(want));
    for (size_t i = 0; i < n; i++) {
        CHECK_STR(files[i].name, want[i]);
        CHECK_INT(files[i].uid, 10001);
        CHECK_INT(files[i].mode, 0755);
    }
}

TEST(names_beyond_ascii_go_through_whatever_the_locale)
{
    AUTO(buf) struct buf tar = BUF_INIT(BIG);
    struct err e = {0};
    autoclose int fd = fixture(by_python), out = memfd_create("tar", MFD_CLOEXEC);
    CHECK_OK(zip_to_tar(fd, "", 1, 1, out, &e), &e);
    content_of(out, &tar);
    CHECK(memmem(tar.data, tar.len, "data/\xc3\xbc.txt", 11) != NULL);
}

TEST(a_full_disk_is_told)
{
    struct err e = {0};
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    autoclose int fd = fixture(by_python);
    autoclose int out = open("out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct rlimit lim = {.rlim_cur = 700, .rlim_max = RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_FSIZE, &lim) == 0);
    CHECK_INT(zip_to_tar(fd, "", 1, 1, out, &e), ERR_IO);
    CHECK_INT(e.os_errno, EFBIG);
}

TEST(an_unchecked_zip_is_still_no_way_out)
{
    static const struct zip_entry evil[] = {{.name = "../x", .data = "1"}};
    static const struct zip_entry link[] = {
        {.name = "l", .data = "/etc", .host = 3, .mode = S_IFLNK | 0777}};
    struct err e = {0};
    autoclose int a = zip_of(evil, 1), b = zip_of(link, 1), out = memfd_create("t", MFD_CLOEXEC);
    CHECK_INT(zip_to_tar(a, "", 1, 1, out, &e), ERR_INVALID);
    CHECK_INT(zip_to_tar(b, "", 1, 1, out, &e), ERR_INVALID);
}

/* ---- tar_one ---- */

TEST(one_file_as_a_tar)
{
    struct err e = {0};
    struct tar_file files[2];
    AUTO(buf) struct buf out = BUF_INIT(1 << 20);
    CHECK_OK(tar_one("wrought-init", 0555, 3, 4, "binary", 6, &out, &e), &e);
    CHECK_INT(untar(&out, files, 2), 1);
    CHECK_STR(files[0].name, "wrought-init");
    CHECK_INT(files[0].mode, 0555);
    CHECK_INT(files[0].uid, 3);
    CHECK_INT(files[0].gid, 4);
    CHECK_STR(files[0].data, "binary");
    CHECK_INT(out.len, 4 * 512); /* header, data, two end marks */
}

TEST(one_file_past_the_ceiling_is_too_big)
{
    struct err e = {0};
    AUTO(buf) struct buf out = BUF_INIT(600);
    CHECK_INT(tar_one("f", 0644, 0, 0, "binary", 6, &out, &e), ERR_TOO_BIG);
}

TEST(one_directory_as_a_tar)
{
    struct err e = {0};
    struct tar_file files[2];
    AUTO(buf) struct buf out = BUF_INIT(1 << 20);
    CHECK_OK(tar_dir("/", 0777, 0, 0, &out, &e), &e);
    CHECK_INT(untar(&out, files, 2), 1);
    CHECK_STR(files[0].name, "/"); /* the engine leaves "." out */
    CHECK_INT(files[0].mode, 0777);
}

/* ---- zipw ---- */

static void write_file(const char *path, const char *text, mode_t mode)
{
    autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(fchmod(fd, mode) == 0);
}

static void make_tree(void)
{
    CHECK(mkdir("t", 0700) == 0 && mkdir("t/sub", 0700) == 0 && mkdir("t/empty", 0700) == 0);
    write_file("t/z.txt", "last", 0644);
    write_file("t/run.sh", "#!/bin/sh\n", 0755);
    write_file("t/sub/b", "b", 0600);
    write_file("t/sub/a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0600);
    write_file("t/sub.txt", "between", 0600);
}

static void zip_tree(const char *prefix, struct buf *out)
{
    struct err e = {0};
    struct zipw *z = NULL;
    autoclose int fd = memfd_create("zip", MFD_CLOEXEC);
    CHECK_OK(zipw_open(fd, &z, &e), &e);
    CHECK_OK(zipw_add_bytes(z, "__runner__.sh", 0755, "exec", 4, &e), &e);
    CHECK_OK(zipw_add_tree(z, prefix, "t", &e), &e);
    CHECK_OK(zipw_close(z, &e), &e);
    content_of(fd, out);
}

TEST(a_written_zip_passes_the_check_and_keeps_modes_and_order)
{
    AUTO(buf) struct buf zip = BUF_INIT(BIG);
    make_tree();
    write_file("t/\xc3\xbc", "umlaut", 0600);
    zip_tree("app/", &zip);
    autoclose int fd = file_of(zip.data, zip.len);
    CHECK_INT(check_passes(fd).entries, 7);
    static const char *const want[] = {"__runner__.sh", "app/run.sh", "app/sub.txt",
                                       "app/sub/a",     "app/sub/b",  "app/z.txt"};
    size_t from = 0;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) { /* the local headers, in order */
        const char *at = memmem(zip.data + from, zip.len - from, want[i], strlen(want[i]));
        CHECK(at != NULL);
        from = (size_t)(at - zip.data);
    }
    CHECK(memmem(zip.data, zip.len, "app/\xc3\xbc", 6) != NULL);
    struct zipw *z = NULL;
    struct err e = {0};
    autoclose int small = memfd_create("zip", MFD_CLOEXEC);
    CHECK_OK(zipw_open(small, &z, &e), &e);
    CHECK_OK(zipw_add_file(z, "run", "t/run.sh", &e), &e);
    CHECK_OK(zipw_add_file(z, "z", "t/z.txt", &e), &e);
    CHECK_OK(zipw_close(z, &e), &e);
    struct tar_file files[4];
    size_t n = to_tar(small, "", files, 4);
    CHECK_INT(named(files, n, "run")->mode, 0755);
    CHECK_STR(named(files, n, "run")->data, "#!/bin/sh\n");
    CHECK_INT(named(files, n, "z")->mode, 0644);
}

TEST(the_same_input_gives_the_same_bytes_at_any_time_and_place)
{
    AUTO(buf) struct buf first = BUF_INIT(BIG);
    make_tree();
    zip_tree("", &first);
    static const char *const zones[] = {"UTC", "Asia/Tokyo", "America/Los_Angeles", "XXX+13",
                                        "YYY-13"};
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        struct timespec past[2] = {{.tv_sec = (time_t)i * 100000000}, {.tv_sec = (time_t)i * 7}};
        CHECK(utimensat(AT_FDCWD, "t/z.txt", past, 0) == 0);
        CHECK(setenv("TZ", zones[i], 1) == 0);
        tzset();
        AUTO(buf) struct buf again = BUF_INIT(BIG);
        zip_tree("", &again);
        CHECK_INT(again.len, first.len);
        CHECK(memcmp(again.data, first.data, first.len) == 0);
    }
    /* version, flags and method come first in a local header, then 1980-01-01 00:00 */
    CHECK(memcmp(first.data + 10, "\x00\x00\x21\x00", 4) == 0);
}

/* Over 65535 entries the end record cannot hold the count: zip64. */
TEST(seventy_thousand_entries_make_a_zip64)
{
    enum { N = 70000 };
    struct err e = {0};
    struct zipw *z = NULL;
    struct zip_facts facts = {0};
    static const struct zip_limits many = {.max_unpacked_bytes = N, .max_entries = N};
    autoclose int fd = memfd_create("zip", MFD_CLOEXEC);
    CHECK_OK(zipw_open(fd, &z, &e), &e);
    for (int i = 0; i < N; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%d/%d", i % 100, i);
        CHECK_OK(zipw_add_bytes(z, name, 0644, "x", 1, &e), &e);
    }
    CHECK_OK(zipw_close(z, &e), &e);
    CHECK_OK(zip_check(fd, &many, &facts, &e), &e);
    CHECK_INT(facts.entries, N);
    CHECK_INT(facts.unpacked_bytes, N);
}

TEST(data_is_deflated)
{
    struct err e = {0};
    struct zipw *z = NULL;
    autofree char *zeros = calloc(1, 100000);
    autoclose int fd = memfd_create("zip", MFD_CLOEXEC);
    CHECK_OK(zipw_open(fd, &z, &e), &e);
    CHECK_OK(zipw_add_bytes(z, "zeros", 0644, zeros, 100000, &e), &e);
    CHECK_OK(zipw_add_bytes(z, "none", 0644, NULL, 0, &e), &e);
    CHECK_OK(zipw_close(z, &e), &e);
    CHECK(lseek(fd, 0, SEEK_END) < 2000);
    CHECK_INT(check_passes(fd).unpacked_bytes, 100000);
}

static int add_tree(const char *dir, struct err *e)
{
    struct zipw *z = NULL;
    autoclose int fd = memfd_create("zip", MFD_CLOEXEC);
    CHECK_OK(zipw_open(fd, &z, e), e);
    int rc = zipw_add_tree(z, "", dir, e);
    zipw_abort(z);
    return rc;
}

TEST(links_inside_are_followed)
{
    make_tree();
    CHECK(symlink("sub/a", "t/link") == 0);
    CHECK(symlink("sub", "t/dirlink") == 0);
    AUTO(buf) struct buf zip = BUF_INIT(BIG);
    zip_tree("", &zip);
    autoclose int fd = file_of(zip.data, zip.len);
    CHECK_INT(check_passes(fd).entries, 9); /* 6, link, dirlink/a, dirlink/b */
    struct tar_file files[16];
    size_t n = to_tar(fd, "", files, 16);
    CHECK_STR(named(files, n, "dirlink/b")->data, "b");
    CHECK_INT(named(files, n, "link")->type, '0');
}

TEST(links_that_point_outside_or_nowhere_are_refused)
{
    struct err e = {0};
    make_tree();
    CHECK(mkdir("t2", 0700) == 0); /* "t" is a prefix of its name, not its parent */
    write_file("t2/secret", "s", 0600);
    static const char *const targets[] = {"/etc/passwd", "../t2/secret", "../t2", "nowhere",
                                          "link"};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        CHECK(symlink(targets[i], "t/link") == 0);
        CHECK_INT(add_tree("t", &e), ERR_INVALID);
        CHECK_HAS(e.msg, "t/link");
        CHECK(unlink("t/link") == 0);
    }
}

TEST(a_link_to_a_directory_above_is_a_loop)
{
    struct err e = {0};
    make_tree();
    CHECK(symlink("..", "t/sub/up") == 0);
    CHECK_INT(add_tree("t", &e), ERR_INVALID);
    CHECK_HAS(e.msg, "leads back");
}

TEST(special_files_are_refused_without_hanging)
{
    struct err e = {0};
    make_tree();
    CHECK(mkfifo("t/pipe", 0600) == 0);
    CHECK_INT(add_tree("t", &e), ERR_INVALID);
    CHECK_HAS(e.msg, "t/pipe");
    struct zipw *z = NULL;
    autoclose int fd = memfd_create("zip", MFD_CLOEXEC);
    CHECK_OK(zipw_open(fd, &z, &e), &e);
    CHECK_INT(zipw_add_file(z, "p", "t/pipe", &e), ERR_INVALID);
    CHECK_INT(zipw_add_file(z, "n", "t/none", &e), ERR_NOT_FOUND);
    zipw_abort(z);
    zipw_abort(NULL);
    CHECK_INT(add_tree("absent", &e), ERR_NOT_FOUND);
}

TEST(a_name_that_is_not_utf8_is_refused)
{
    struct err e = {0};
    CHECK(mkdir("t", 0700) == 0);
    write_file("t/\xff", "", 0600);
    CHECK_INT(add_tree("t", &e), ERR_INVALID);
    CHECK_HAS(e.msg, "UTF-8");
}

TEST(a_zip_that_does_not_fit_fails_at_the_latest_when_it_is_closed)
{
    struct err e = {0};
    struct zipw *z = NULL;
    char noise[8192];
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)(i * i * 2654435761u >> 13);
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    autoclose int fd = open("out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct rlimit lim = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_FSIZE, &lim) == 0);
    CHECK_OK(zipw_open(fd, &z, &e), &e);
    int rc = zipw_add_bytes(z, "noise", 0644, noise, sizeof(noise), &e);
    struct err at_close = {0};
    int closed = zipw_close(z, &at_close);
    CHECK(rc == ERR_IO || closed == ERR_IO);
}

TAP_MAIN
