/* Writing zips that come out the same, byte for byte, from the same input: no times (libarchive
 * then writes the first that DOS knows, 1980-01-01 00:00, in every time zone), no owners but 0, and
 * trees in the order of their paths. Neighbour: archive.c. */
#include "lib/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/archive_impl.h"
#include "lib/bounds.h"
#include "lib/str.h"

#include "lib/banned.h"

struct zipw {
    struct archive *a;
    struct archive_sink sink;
};

static int written(struct zipw *z, int r, const char *name, struct err *e)
{
    return sink_check(z->a, &z->sink, r, name, e);
}

int zipw_open(int out_fd, struct zipw **ret, struct err *e)
{
    struct zipw *z = calloc(1, sizeof(*z));
    if (!z)
        abort();
    z->a = sink_new();
    z->sink.fd = out_fd;
    archive_write_set_format_zip(z->a);
    int rc = written(z, archive_write_set_options(z->a, "zip:compression=deflate"), "a zip", e);
    if (rc == 0)
        rc = sink_open(z->a, &z->sink, e);
    if (rc < 0)
        zipw_abort(z);
    else
        *ret = z;
    return rc;
}

int zipw_begin(struct zipw *z, const char *name, mode_t mode, int64_t size, struct err *e)
{
    if (!str_is_utf8(name, strlen(name)))
        return err_set(e, ERR_INVALID, "a file name is not UTF-8: %s", name);
    struct archive_entry *entry = archive_entry_new();
    if (!entry)
        abort();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, mode & 0777);
    archive_entry_set_size(entry, size);
    int r = archive_write_header(z->a, entry);
    archive_entry_free(entry);
    return written(z, r, name, e);
}

int zipw_put(struct zipw *z, const char *name, const void *bytes, size_t len, struct err *e)
{
    la_ssize_t n = len > 0 ? archive_write_data(z->a, bytes, len) : 0;
    return written(z, n == (la_ssize_t)len ? ARCHIVE_OK : ARCHIVE_FATAL, name, e);
}

int zipw_add_bytes(struct zipw *z, const char *name, mode_t mode, const void *bytes, size_t len,
                   struct err *e)
{
    UTF8_NAMES;
    int rc = zipw_begin(z, name, mode, (int64_t)len, e);
    return rc < 0 ? rc : zipw_put(z, name, bytes, len, e);
}

static int put_data(struct zipw *z, const char *name, int fd, int64_t size, struct err *e)
{
    char block[ARCHIVE_BLOCK_BYTES];
    while (size > 0) {
        size_t want = size < (int64_t)sizeof(block) ? (size_t)size : sizeof(block);
        ssize_t n = read(fd, block, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_os(e, ERR_IO, errno, "read %s", name);
        if (n == 0)
            return err_set(e, ERR_IO, "%s became shorter while it was read", name);
        int rc = zipw_put(z, name, block, (size_t)n, e);
        if (rc < 0)
            return rc;
        size -= n;
    }
    return 0;
}

/* add_file: with `mode`, or NULL: with its own. */
static int add_file(struct zipw *z, const char *name, const mode_t *mode, const char *path,
                    struct err *e)
{
    UTF8_NAMES;
    struct stat st;
    /* O_NONBLOCK: a pipe in a file's place must not hang us before it is refused. */
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_os(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "open %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_INVALID, "%s is no regular file", path);
    int rc = zipw_begin(z, name, mode ? *mode : st.st_mode, st.st_size, e);
    return rc < 0 ? rc : put_data(z, name, fd, st.st_size, e);
}

int zipw_add_file(struct zipw *z, const char *name, const char *path, struct err *e)
{
    return add_file(z, name, NULL, path, e);
}

int zipw_add_file_as(struct zipw *z, const char *name, mode_t mode, const char *path, struct err *e)
{
    return add_file(z, name, &mode, path, e);
}

/* ---- trees ---- */

struct tree {
    char *root;   /* resolved; links must stay below it */
    char **files; /* paths relative to the root; grows by doubling */
    size_t n, cap;
    struct err *e;
};

/* The directories that a walk is in, innermost first: a link back to one of them is a loop. */
struct level {
    dev_t dev;
    ino_t ino;
    const struct level *up;
};

static int walk(struct tree *t, const char *rel, const struct level *up);

static int remember(struct tree *t, const char *rel)
{
    if (t->n == BOUND_ZIP_ENTRIES)
        return err_set(t->e, ERR_TOO_BIG, "more than %d files below %s", BOUND_ZIP_ENTRIES,
                       t->root);
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->files = realloc(t->files, t->cap * sizeof(*t->files));
        if (!t->files)
            abort();
    }
    t->files[t->n++] = str_dup(rel);
    return 0;
}

static int check_link(const struct tree *t, const char *path)
{
    autofree char *target = realpath(path, NULL);
    if (!target)
        return err_os(t->e, ERR_INVALID, errno, "the link %s leads nowhere", path);
    size_t len = strlen(t->root);
    if (strncmp(target, t->root, len) != 0 || (target[len] != '/' && target[len] != '\0'))
        return err_set(t->e, ERR_INVALID, "the link %s points outside of %s", path, t->root);
    return 0;
}

static int visit(struct tree *t, const char *rel, const struct level *up)
{
    autofree char *path = str_fmt("%s/%s", t->root, rel);
    struct stat st;
    if (lstat(path, &st) != 0)
        return err_os(t->e, ERR_IO, errno, "look at %s", path);
    if (S_ISLNK(st.st_mode)) {
        int rc = check_link(t, path);
        if (rc < 0)
            return rc;
        if (stat(path, &st) != 0)
            return err_os(t->e, ERR_IO, errno, "look at %s", path);
    }
    if (S_ISREG(st.st_mode))
        return remember(t, rel);
    if (!S_ISDIR(st.st_mode))
        return err_set(t->e, ERR_INVALID, "%s is neither a file nor a directory", path);
    for (const struct level *l = up; l; l = l->up)
        if (l->dev == st.st_dev && l->ino == st.st_ino)
            return err_set(t->e, ERR_INVALID, "the link %s leads back to where it is in", path);
    const struct level here = {.dev = st.st_dev, .ino = st.st_ino, .up = up};
    return walk(t, rel, &here);
}

static int walk(struct tree *t, const char *rel, const struct level *up)
{
    autofree char *path = str_fmt("%s/%s", t->root, rel);
    DIR *dir = opendir(path);
    if (!dir)
        return err_os(t->e, ERR_IO, errno, "open %s", path);
    int rc = 0;
    const struct dirent *d;
    while (rc == 0 && (errno = 0, d = readdir(dir))) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        autofree char *child = str_fmt("%s%s%s", rel, *rel ? "/" : "", d->d_name);
        rc = visit(t, child, up);
    }
    if (rc == 0 && errno != 0)
        rc = err_os(t->e, ERR_IO, errno, "read %s", path);
    closedir(dir);
    return rc;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_files(struct zipw *z, const char *prefix, const struct tree *t)
{
    if (t->n > 0)
        qsort(t->files, t->n, sizeof(*t->files), compare_paths);
    for (size_t i = 0; i < t->n; i++) {
        autofree char *name = str_fmt("%s%s", prefix, t->files[i]);
        autofree char *path = str_fmt("%s/%s", t->root, t->files[i]);
        int rc = zipw_add_file(z, name, path, t->e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int zipw_add_tree(struct zipw *z, const char *prefix, const char *dir, struct err *e)
{
    struct tree t = {.root = realpath(dir, NULL), .e = e};
    struct stat st;
    if (!t.root || stat(t.root, &st) != 0) {
        free(t.root);
        return err_os(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "open %s", dir);
    }
    const struct level top = {.dev = st.st_dev, .ino = st.st_ino};
    int rc = walk(&t, "", &top);
    if (rc == 0)
        rc = add_files(z, prefix, &t);
    for (size_t i = 0; i < t.n; i++)
        free(t.files[i]);
    free(t.files);
    free(t.root);
    return rc;
}

/* ---- the end ---- */

int zipw_close(struct zipw *z, struct err *e)
{
    UTF8_NAMES;
    int rc = written(z, archive_write_close(z->a), "a zip's directory", e);
    zipw_abort(z);
    return rc;
}

void zipw_abort(struct zipw *z)
{
    if (!z)
        return;
    z->sink.off = true;
    archive_write_free(z->a);
    free(z);
}
