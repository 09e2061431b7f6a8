/* Tars for the engine: a checked zip as a tar, and a tar of one file. Pax records appear only where
 * plain ustar cannot say it (long paths, big sizes). Neighbour: archive.c. */
#include "lib/archive.h"

#include <stdlib.h>
#include <string.h>

#include "lib/archive_impl.h"
#include "lib/bounds.h"

#include "lib/banned.h"

#define DIR_MODE     0755
#define NO_MODE_MODE 0755 /* ironworker-api §6: files without a Unix mode are made executable */

static struct archive *tar_new(void)
{
    struct archive *w = sink_new();
    archive_write_set_format_pax_restricted(w);
    return w;
}

static struct archive_entry *entry_new(const char *path, mode_t type, mode_t perm, int64_t size)
{
    struct archive_entry *entry = archive_entry_new();
    if (!entry)
        abort();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, perm);
    archive_entry_set_size(entry, size);
    return entry;
}

/* ---- zip to tar ---- */

struct convert {
    struct archive *zip, *tar;
    struct archive_sink sink;
    const struct zip_dir *dir;
    const char *prefix;
    unsigned uid, gid;
    struct buf path; /* within the zip */
    struct buf full; /* prefix and path */
    struct buf last; /* the last `full` that was written */
    struct err *e;
};

static int put_header(struct convert *c, const char *path, mode_t type, mode_t perm,
                      struct archive_entry *from)
{
    int64_t size = type == AE_IFREG ? archive_entry_size(from) : 0;
    struct archive_entry *entry = entry_new(path, type, perm, size);
    archive_entry_set_uid(entry, c->uid);
    archive_entry_set_gid(entry, c->gid);
    archive_entry_set_mtime(entry, archive_entry_mtime(from), archive_entry_mtime_nsec(from));
    int r = archive_write_header(c->tar, entry);
    archive_entry_free(entry);
    return sink_check(c->tar, &c->sink, r, "a tar", c->e);
}

/* put_parents: the directories on the way to `full` that the last path did not have. A zip need not
 * list them, and without an entry the engine would make them root's. */
static int put_parents(struct convert *c, struct archive_entry *from)
{
    const char *full = buf_str(&c->full), *last = buf_str(&c->last);
    for (const char *slash = strchr(full, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t len = (size_t)(slash - full);
        if (strncmp(full, last, len) == 0 && (last[len] == '/' || last[len] == '\0'))
            continue;
        AUTO(buf) struct buf parent = BUF_INIT(c->full.max);
        buf_add(&parent, full, len);
        int rc = put_header(c, buf_str(&parent), AE_IFDIR, DIR_MODE, from);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int put_data(struct convert *c, int64_t size)
{
    char block[ARCHIVE_BLOCK_BYTES];
    int64_t left = size;
    la_ssize_t n;
    while ((n = archive_read_data(c->zip, block, sizeof(block))) > 0) {
        left -= n;
        if (left < 0)
            break;
        la_ssize_t put = archive_write_data(c->tar, block, (size_t)n);
        int rc = sink_check(c->tar, &c->sink, put < n ? ARCHIVE_FATAL : ARCHIVE_OK, "a tar", c->e);
        if (rc < 0)
            return rc;
    }
    if (n < 0)
        return err_set(c->e, ERR_INVALID, "zip entry \"%s\" is broken: %s", buf_str(&c->path),
                       archive_error_string(c->zip));
    return left == 0 ? 0
                     : err_set(c->e, ERR_INVALID, "zip entry \"%s\" has another size than it says",
                               buf_str(&c->path));
}

static mode_t file_perm(const struct convert *c, struct archive_entry *from)
{
    unsigned mode = zip_dir_mode(c->dir, archive_entry_pathname(from));
    return mode == 0 ? NO_MODE_MODE : mode & 0777;
}

static int convert_entry(struct convert *c, struct archive_entry *from)
{
    int rc = zip_path(from, &c->path, c->e);
    if (rc < 0 || c->path.len == 0)
        return rc;
    mode_t type = archive_entry_filetype(from);
    if (type != AE_IFREG && type != AE_IFDIR)
        return err_set(c->e, ERR_INVALID, "zip entry \"%s\" is neither a file nor a directory",
                       buf_str(&c->path));
    buf_clear(&c->full);
    buf_adds(&c->full, c->prefix);
    buf_add(&c->full, c->path.data, c->path.len);
    rc = put_parents(c, from);
    if (rc == 0)
        rc = put_header(c, buf_str(&c->full), type,
                        type == AE_IFDIR ? DIR_MODE : file_perm(c, from), from);
    if (rc == 0 && type == AE_IFREG)
        rc = put_data(c, archive_entry_size(from));
    buf_clear(&c->last);
    buf_add(&c->last, c->full.data, c->full.len);
    return rc;
}

static int convert_all(struct convert *c)
{
    struct archive_entry *from;
    int rc = sink_open(c->tar, &c->sink, c->e);
    if (rc < 0)
        return rc;
    while ((rc = zip_next(c->zip, &from, c->e)) == 0) {
        rc = convert_entry(c, from);
        if (rc < 0)
            return rc;
    }
    if (rc != ERR_EMPTY)
        return rc;
    return sink_check(c->tar, &c->sink, archive_write_close(c->tar), "a tar", c->e);
}

int zip_to_tar(int zip_fd, const char *prefix, unsigned uid, unsigned gid, int out_fd,
               struct err *e)
{
    UTF8_NAMES;
    autozipdir struct zip_dir *dir = NULL;
    autozip struct archive *zip = NULL;
    int rc = zip_dir_load(zip_fd, BOUND_ZIP_ENTRIES, &dir, e);
    if (rc == 0)
        rc = zip_open(zip_fd, &zip, e);
    if (rc < 0)
        return rc;
    size_t full_max = strlen(prefix) + BOUND_PATH_BYTES;
    struct convert c = {.zip = zip,
                        .tar = tar_new(),
                        .sink = {.fd = out_fd},
                        .dir = dir,
                        .prefix = prefix,
                        .uid = uid,
                        .gid = gid,
                        .path = BUF_INIT(BOUND_PATH_BYTES),
                        .full = BUF_INIT(full_max),
                        .last = BUF_INIT(full_max),
                        .e = e};
    rc = convert_all(&c);
    c.sink.off = true; /* no end marks after half a file */
    archive_write_free(c.tar);
    buf_release(&c.path);
    buf_release(&c.full);
    buf_release(&c.last);
    return rc;
}

/* ---- one entry ---- */

static la_ssize_t to_buf(struct archive *w, void *arg, const void *bytes, size_t len)
{
    (void)w;
    struct buf *out = arg;
    buf_add(out, bytes, len);
    return (la_ssize_t)len; /* a buffer past its ceiling is found by buf_check */
}

/* A tar that is this entry and its end. */
static int put_alone(struct archive_entry *entry, unsigned uid, unsigned gid, const void *bytes,
                     size_t len, struct buf *out, struct err *e)
{
    struct archive *w = tar_new();
    archive_entry_set_uid(entry, uid);
    archive_entry_set_gid(entry, gid);
    archive_entry_set_mtime(entry, 0, 0);
    int rc = 0;
    if (archive_write_open(w, out, NULL, to_buf, NULL) != ARCHIVE_OK ||
        archive_write_header(w, entry) < ARCHIVE_WARN ||
        archive_write_data(w, bytes, len) != (la_ssize_t)len ||
        archive_write_close(w) != ARCHIVE_OK)
        rc = err_set(e, ERR_INTERNAL, "make a tar of %s: %s", archive_entry_pathname(entry),
                     archive_error_string(w));
    archive_entry_free(entry);
    archive_write_free(w);
    return rc < 0 ? rc : buf_check(out, "tar", e);
}

int tar_one(const char *name, mode_t mode, unsigned uid, unsigned gid, const void *bytes,
            size_t len, struct buf *out, struct err *e)
{
    UTF8_NAMES;
    return put_alone(entry_new(name, AE_IFREG, mode & 07777, (int64_t)len), uid, gid, bytes, len,
                     out, e);
}

int tar_dir(const char *name, mode_t mode, unsigned uid, unsigned gid, struct buf *out,
            struct err *e)
{
    UTF8_NAMES;
    return put_alone(entry_new(name, AE_IFDIR, mode & 07777, 0), uid, gid, "", 0, out, e);
}
