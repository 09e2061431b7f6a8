/* What the archive files share, and zip_check. Neighbours: archive_dir.c (the central
 * directory), archive_tar.c (zip to tar), archive_zipw.c (writing). */
#include "lib/archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/archive_impl.h"
#include "lib/bounds.h"
#include "lib/str.h"

#include "lib/banned.h"

/* How much of an entry's name a message repeats. */
#define NAME_SHOWN 120

struct utf8_scope utf8_enter(void)
{
    struct utf8_scope s = {.ours = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)};
    if (!s.ours)
        abort(); /* it comes with libc itself */
    s.before = uselocale(s.ours);
    return s;
}

void utf8_scope_release(struct utf8_scope *s)
{
    uselocale(s->before);
    freelocale(s->ours);
}

int zip_open(int fd, struct archive **ret, struct err *e)
{
    if (lseek(fd, 0, SEEK_SET) != 0)
        return err_os(e, ERR_IO, errno, "seek in a zip");
    struct archive *a = archive_read_new();
    if (!a)
        abort();
    if (archive_read_support_format_zip_seekable(a) != ARCHIVE_OK ||
        archive_read_open_fd(a, fd, ARCHIVE_BLOCK_BYTES) != ARCHIVE_OK) {
        err_set(e, ERR_INVALID, "not a zip archive: %s", archive_error_string(a));
        archive_read_free(a);
        return e->code;
    }
    *ret = a;
    return 0;
}

int zip_next(struct archive *a, struct archive_entry **ret, struct err *e)
{
    int r = archive_read_next_header(a, ret);
    if (r == ARCHIVE_EOF)
        return err_set(e, ERR_EMPTY, "end of the zip");
    /* A warning is about a name; zip_path looks at that. */
    if (r < ARCHIVE_WARN)
        return err_set(e, ERR_INVALID, "broken zip: %s", archive_error_string(a));
    return 0;
}

static int bad_entry(const char *name, const char *why, struct err *e)
{
    return err_set(e, ERR_INVALID, "zip entry \"%.*s\" %s", NAME_SHOWN, name, why);
}

/* add_part: one part of a path, of `len` bytes. */
static int add_part(const char *name, const char *part, size_t len, struct buf *out, struct err *e)
{
    if (len == 0 || (len == 1 && part[0] == '.'))
        return 0;
    if (len == 2 && part[0] == '.' && part[1] == '.')
        return bad_entry(name, "has \"..\" in its path", e);
    if (out->len > 0)
        buf_addc(out, '/');
    buf_add(out, part, len);
    return 0;
}

int zip_path(struct archive_entry *entry, struct buf *out, struct err *e)
{
    const char *name = archive_entry_pathname(entry);
    buf_clear(out);
    if (!name || !str_is_utf8(name, strlen(name)))
        return err_set(e, ERR_INVALID, "zip entry with a name that is not UTF-8");
    if (name[0] == '/')
        return bad_entry(name, "has an absolute path", e);
    for (const char *p = name; *p;) {
        size_t len = strcspn(p, "/");
        int rc = add_part(name, p, len, out, e);
        if (rc < 0)
            return rc;
        p += len + (p[len] == '/');
    }
    return out->failed ? bad_entry(name, "has too long a path", e) : 0;
}

/* ---- writing ---- */

static la_ssize_t sink_write(struct archive *w, void *arg, const void *bytes, size_t len)
{
    (void)w;
    struct archive_sink *sink = arg;
    const char *p = bytes;
    for (size_t left = len; left > 0 && !sink->off;) {
        ssize_t n = write(sink->fd, p, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            sink->os_errno = errno;
            sink->off = true;
            break;
        }
        p += n;
        left -= (size_t)n;
    }
    return (la_ssize_t)len;
}

struct archive *sink_new(void)
{
    struct archive *w = archive_write_new();
    if (!w)
        abort();
    archive_write_set_bytes_per_block(w, ARCHIVE_BLOCK_BYTES);
    archive_write_set_bytes_in_last_block(w, 1);
    return w;
}

int sink_open(struct archive *w, struct archive_sink *sink, struct err *e)
{
    return sink_check(w, sink, archive_write_open(w, sink, NULL, sink_write, NULL), "an archive",
                      e);
}

int sink_check(struct archive *w, const struct archive_sink *sink, int r, const char *what,
               struct err *e)
{
    if (sink->os_errno != 0)
        return err_os(e, ERR_IO, sink->os_errno, "write %s", what);
    if (r < ARCHIVE_WARN)
        return err_set(e, ERR_IO, "write %s: %s", what, archive_error_string(w));
    return 0;
}

/* ---- zip_check ---- */

struct seen {
    char *path;
    bool is_dir;
};

struct check {
    struct archive *a;
    const struct zip_limits *lim;
    struct zip_facts facts;
    struct buf path;
    struct seen *seen;
    size_t n_seen, cap_seen, n_files;
    struct err *e;
};

/* check_type: files and directories only. (libarchive takes what Info-ZIP marks as a pipe, its own
 * standard input, for the file that it is.) */
static int check_type(const struct check *c, struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    mode_t type = archive_entry_filetype(entry);
    if (type == AE_IFLNK || archive_entry_hardlink(entry))
        return bad_entry(name, "is a link", c->e);
    if (type != AE_IFREG && type != AE_IFDIR)
        return bad_entry(name, "is neither a file nor a directory", c->e);
    if (archive_entry_is_encrypted(entry))
        return bad_entry(name, "is encrypted", c->e);
    return 0;
}

/* check_data: reads the entry to its end; libarchive compares size and CRC on the way. */
static int check_data(struct check *c, struct archive_entry *entry)
{
    char block[ARCHIVE_BLOCK_BYTES];
    const char *name = archive_entry_pathname(entry);
    uint64_t bytes = 0;
    for (;;) {
        la_ssize_t n = archive_read_data(c->a, block, sizeof(block));
        if (n < 0)
            return err_set(c->e, ERR_INVALID, "zip entry \"%.*s\" is broken: %s", NAME_SHOWN, name,
                           archive_error_string(c->a));
        if (n == 0)
            break;
        bytes += (uint64_t)n;
        c->facts.unpacked_bytes += (uint64_t)n;
        if (c->facts.unpacked_bytes > c->lim->max_unpacked_bytes)
            return err_set(c->e, ERR_TOO_BIG, "the zip unpacks to more than %llu bytes",
                           (unsigned long long)c->lim->max_unpacked_bytes);
    }
    if (!archive_entry_size_is_set(entry) || (uint64_t)archive_entry_size(entry) != bytes)
        return bad_entry(name, "has another size than its header says", c->e);
    return 0;
}

static void remember(struct check *c, bool is_dir)
{
    if (c->n_seen == c->cap_seen) {
        c->cap_seen = c->cap_seen ? 2 * c->cap_seen : 64;
        c->seen = realloc(c->seen, c->cap_seen * sizeof(*c->seen));
        if (!c->seen)
            abort();
    }
    c->seen[c->n_seen++] = (struct seen){.path = str_dup(buf_str(&c->path)), .is_dir = is_dir};
    c->n_files += !is_dir;
}

static int check_entry(struct check *c, struct archive_entry *entry)
{
    int rc = zip_path(entry, &c->path, c->e);
    if (rc == 0)
        rc = check_type(c, entry);
    if (rc == 0)
        rc = check_data(c, entry);
    if (rc < 0)
        return rc;
    bool is_dir = archive_entry_filetype(entry) == AE_IFDIR;
    if (c->path.len == 0 && !is_dir)
        return bad_entry(archive_entry_pathname(entry), "is a file without a name", c->e);
    if (c->path.len > 0)
        remember(c, is_dir);
    if (++c->facts.entries > c->lim->max_entries)
        return err_set(c->e, ERR_TOO_BIG, "the zip has more than %llu entries",
                       (unsigned long long)c->lim->max_entries);
    return 0;
}

/* rank: "/" before every other byte, so that what is below a path comes right after it. */
static int rank(char c)
{
    return c == '\0' ? 0 : c == '/' ? 1 : 2 + (unsigned char)c;
}

static int compare_seen(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    const char *p = x->path, *q = y->path;
    while (*p && *p == *q)
        p++, q++;
    int order = rank(*p) - rank(*q);
    return order != 0 ? order : x->is_dir - y->is_dir;
}

/* check_names: no file is there twice, and none is a directory as well. */
static int check_names(struct check *c)
{
    qsort(c->seen, c->n_seen, sizeof(*c->seen), compare_seen);
    for (size_t i = 0; i + 1 < c->n_seen; i++) {
        const struct seen *at = &c->seen[i], *next = at + 1;
        size_t len = strlen(at->path);
        if (at->is_dir || strncmp(next->path, at->path, len) != 0)
            continue;
        if (next->path[len] == '\0' && !next->is_dir)
            return bad_entry(at->path, "is there twice", c->e);
        if (next->path[len] == '\0' || next->path[len] == '/')
            return bad_entry(at->path, "is both a file and a directory", c->e);
    }
    return 0;
}

static int check_all(struct check *c)
{
    struct archive_entry *entry;
    int rc;
    while ((rc = zip_next(c->a, &entry, c->e)) == 0) {
        rc = check_entry(c, entry);
        if (rc < 0)
            return rc;
    }
    if (rc != ERR_EMPTY)
        return rc;
    if (c->n_files == 0)
        return err_set(c->e, ERR_INVALID, "the zip holds no file");
    return check_names(c);
}

int zip_check(int fd, const struct zip_limits *lim, struct zip_facts *ret, struct err *e)
{
    UTF8_NAMES;
    autozipdir struct zip_dir *dir = NULL;
    autozip struct archive *a = NULL;
    int rc = zip_dir_load(fd, lim->max_entries, &dir, e);
    if (rc < 0)
        return rc;
    /* libarchive takes one without entries for no zip at all. */
    if (zip_dir_count(dir) == 0)
        return err_set(e, ERR_INVALID, "the zip is empty");
    rc = zip_open(fd, &a, e);
    if (rc < 0)
        return rc;
    struct check c = {.a = a, .lim = lim, .path = BUF_INIT(BOUND_PATH_BYTES), .e = e};
    rc = check_all(&c);
    for (size_t i = 0; i < c.n_seen; i++)
        free(c.seen[i].path);
    free(c.seen);
    buf_release(&c.path);
    if (rc == 0)
        *ret = c.facts;
    return rc;
}
