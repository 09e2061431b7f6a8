/* The central directory of a zip (APPNOTE.TXT 4.3.12 to 4.3.16). It is looked for as libarchive's
 * seekable reader does, so that both see the same one: the end record by its signature in the last
 * 16 KiB, the first header from the recorded offset on, as something may stand before the archive.
 * A difference in opinion would cost an entry its mode, not more. Neighbour: archive.c. */
#include "lib/archive_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/fs.h"

#include "lib/banned.h"

#define END_BYTES       22
#define END_SEARCH      (16 << 10)
#define LOCATOR_BYTES   20
#define END64_BYTES     56
#define HEADER_BYTES    46
#define MAX_ENTRY_BYTES 512 /* a header with its name and extras, on average over the archive */
#define HOST_UNIX       3

struct name {
    uint32_t at, len; /* in zip_dir.names */
    unsigned mode;
};

struct zip_dir {
    char *names;
    size_t names_len;
    struct name *list; /* sorted by name */
    size_t n;
};

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool is(const uint8_t *p, const char *signature)
{
    return memcmp(p, signature, 4) == 0;
}

static int no_zip(struct err *e)
{
    return err_set(e, ERR_INVALID, "not a zip archive: no end of a central directory");
}

/* zip64_start: the offset that the zip64 end record gives instead. */
static int zip64_start(int fd, const uint8_t *locator, uint64_t file_bytes, uint64_t *ret_start,
                       struct err *e)
{
    uint8_t end[END64_BYTES];
    uint64_t at = get64(locator + 8);
    if (at > file_bytes || file_bytes - at < sizeof(end))
        return no_zip(e);
    int rc = fs_pread_all(fd, end, sizeof(end), at, "zip", e);
    if (rc < 0)
        return rc;
    if (!is(end, "PK\6\6"))
        return no_zip(e);
    *ret_start = get64(end + 48);
    return 0;
}

/* find_start: the recorded offset of the first header, and where the end record stands. */
static int find_start(int fd, uint64_t file_bytes, uint64_t *ret_start, uint64_t *ret_end,
                      struct err *e)
{
    uint8_t tail[END_SEARCH];
    size_t n = file_bytes < sizeof(tail) ? (size_t)file_bytes : sizeof(tail);
    int rc = fs_pread_all(fd, tail, n, file_bytes - n, "zip", e);
    if (rc < 0)
        return rc;
    for (size_t i = n >= END_BYTES ? n - END_BYTES + 1 : 0; i-- > 0;) {
        const uint8_t *end = tail + i;
        if (!is(end, "PK\5\6"))
            continue;
        *ret_end = file_bytes - n + i;
        *ret_start = get32(end + 16);
        if (i >= LOCATOR_BYTES && is(end - LOCATOR_BYTES, "PK\6\7"))
            return zip64_start(fd, end - LOCATOR_BYTES, file_bytes, ret_start, e);
        if (*ret_start + get32(end + 12) <= *ret_end)
            return 0;
    }
    return no_zip(e);
}

/* first_header: where the headers start in the bytes from the recorded offset to the end record. */
static const uint8_t *first_header(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= HEADER_BYTES; p++)
        if (is(p, "PK\1\2"))
            return p;
    return end;
}

static void add(struct zip_dir *d, const uint8_t *header, size_t name_len)
{
    struct name *name = &d->list[d->n++];
    bool is_unix = header[5] == HOST_UNIX;
    *name = (struct name){.at = (uint32_t)d->names_len,
                          .len = (uint32_t)name_len,
                          .mode = is_unix ? get32(header + 38) >> 16 : 0};
    for (size_t i = 0; i < name_len; i++) { /* as libarchive does with names from DOS */
        char c = (char)header[HEADER_BYTES + i];
        d->names[d->names_len++] = c == '\\' ? '/' : c;
    }
}

/* collect: every header from `p` on. The arrays grow to what the bytes can hold at most. */
static int collect(struct zip_dir *d, const uint8_t *p, const uint8_t *end, uint64_t max_entries,
                   struct err *e)
{
    d->names = malloc((size_t)(end - p) + 1);
    d->list = calloc((size_t)(end - p) / HEADER_BYTES + 1, sizeof(*d->list));
    if (!d->names || !d->list)
        abort();
    while (end - p >= HEADER_BYTES && is(p, "PK\1\2")) {
        size_t name_len = get16(p + 28);
        size_t bytes = HEADER_BYTES + name_len + get16(p + 30) + get16(p + 32);
        if ((size_t)(end - p) < bytes)
            return err_set(e, ERR_INVALID, "broken zip: its directory is cut");
        if (d->n == max_entries)
            return err_set(e, ERR_TOO_BIG, "the zip has more than %llu entries",
                           (unsigned long long)max_entries);
        add(d, p, name_len);
        p += bytes;
    }
    return 0;
}

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_names(const void *a, const void *b, void *arg)
{
    const struct name *x = a, *y = b;
    const char *names = arg;
    return compare(names + x->at, x->len, names + y->at, y->len);
}

static int load(struct zip_dir *d, int fd, uint64_t max_entries, struct err *e)
{
    struct stat st;
    uint64_t start = 0, end = 0;
    if (fstat(fd, &st) != 0)
        return err_os(e, ERR_IO, errno, "size of a zip");
    int rc = find_start(fd, (uint64_t)st.st_size, &start, &end, e);
    if (rc < 0)
        return rc;
    if (start > end)
        return no_zip(e);
    if ((end - start) / MAX_ENTRY_BYTES > max_entries + 1)
        return err_set(e, ERR_TOO_BIG, "the zip's directory of %llu bytes is too big",
                       (unsigned long long)(end - start));
    size_t len = (size_t)(end - start);
    autofree uint8_t *bytes = malloc(len + 1);
    if (!bytes)
        abort();
    rc = fs_pread_all(fd, bytes, len, start, "zip", e);
    if (rc == 0)
        rc = collect(d, first_header(bytes, bytes + len), bytes + len, max_entries, e);
    if (rc == 0)
        qsort_r(d->list, d->n, sizeof(*d->list), compare_names, d->names);
    return rc;
}

int zip_dir_load(int fd, uint64_t max_entries, struct zip_dir **ret, struct err *e)
{
    struct zip_dir *d = calloc(1, sizeof(*d));
    if (!d)
        abort();
    int rc = load(d, fd, max_entries, e);
    if (rc < 0)
        zip_dir_free(d);
    else
        *ret = d;
    return rc;
}

void zip_dir_free(struct zip_dir *d)
{
    if (!d)
        return;
    free(d->names);
    free(d->list);
    free(d);
}

size_t zip_dir_count(const struct zip_dir *d)
{
    return d->n;
}

unsigned zip_dir_mode(const struct zip_dir *d, const char *name)
{
    size_t len = strlen(name), low = 0, high = d->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct name *at = &d->list[mid];
        int order = compare(name, len, d->names + at->at, at->len);
        if (order == 0)
            return at->mode;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return 0;
}
