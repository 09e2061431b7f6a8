/* What a build left, from the engine's tar to a package. The tar comes in the order of somebody's
 * directory and with links; the package has neither: so its entries become a tree in memory first
 * (names and places, no content), which is then walked in the order of the names. The content of a
 * file is read from the tar when its turn comes. Neighbour: archive_zipw.c. */
#include "lib/archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/archive_impl.h"
#include "lib/bounds.h"
#include "lib/str.h"

#include "lib/banned.h"

#define TAR_BLOCK_BYTES 16384 /* read at least, for every file */
#define LINKS_MAX       40    /* on the way to one file, as in Linux */

struct node {
    char *name;
    mode_t type, perm; /* AE_IFDIR, AE_IFREG, AE_IFLNK */
    int64_t size, at;  /* of a file; where its header is in the tar */
    char *target;      /* of a link */
    struct node *up, **list;
    size_t n, cap;
    bool entered; /* the walk is in it */
};

struct collect {
    int fd;
    const struct tar_want *want;
    struct node *root;
    uint64_t entries, bytes;
    struct zipw *zip;
    struct buf path; /* of the walk */
    struct err *e;
};

static void node_free(struct node *n)
{
    for (size_t i = 0; i < n->n; i++)
        node_free(n->list[i]);
    free(n->list);
    free(n->target);
    free(n->name);
    free(n);
}

static struct node *node_add(struct node *up, const char *name, size_t len, mode_t type)
{
    struct node *n = calloc(1, sizeof(*n));
    if (!n)
        abort();
    n->name = str_dupn(name, len);
    n->type = type;
    n->up = up;
    if (up && up->n == up->cap) {
        up->cap = up->cap ? up->cap * 2 : 8;
        up->list = realloc(up->list, up->cap * sizeof(*up->list));
        if (!up->list)
            abort();
    }
    if (up)
        up->list[up->n++] = n;
    return n;
}

static bool is_named(const struct node *n, const char *name, size_t len)
{
    return strncmp(n->name, name, len) == 0 && n->name[len] == '\0';
}

/* node_find: from the end, because tars list a folder in one piece. */
static struct node *node_find(const struct node *up, const char *name, size_t len)
{
    for (size_t i = up->n; i > 0; i--)
        if (is_named(up->list[i - 1], name, len))
            return up->list[i - 1];
    return NULL;
}

/* ---- the tar into the tree ---- */

static int count(struct collect *c, int64_t size)
{
    const struct zip_limits *lim = &c->want->limits;
    c->entries++;
    c->bytes += (uint64_t)size;
    if (c->entries > lim->max_entries)
        return err_set(c->e, ERR_TOO_BIG, "more than %llu files",
                       (unsigned long long)lim->max_entries);
    if (size < 0 || c->bytes > lim->max_unpacked_bytes)
        return err_set(c->e, ERR_TOO_BIG, "more than %llu bytes",
                       (unsigned long long)lim->max_unpacked_bytes);
    return 0;
}

static int tar_open(const struct collect *c, int64_t at, struct archive **ret)
{
    if (lseek(c->fd, at, SEEK_SET) != at)
        return err_os(c->e, ERR_IO, errno, "seek in a tar");
    struct archive *a = archive_read_new();
    if (!a)
        abort();
    if (archive_read_support_format_tar(a) != ARCHIVE_OK ||
        archive_read_open_fd(a, c->fd, TAR_BLOCK_BYTES) != ARCHIVE_OK) {
        err_set(c->e, ERR_INVALID, "not a tar: %s", archive_error_string(a));
        archive_read_free(a);
        return c->e->code;
    }
    *ret = a;
    return 0;
}

/* below: what of `path` comes after the folder that is collected; NULL when it is not in there. */
static const char *below(const struct collect *c, const char *path)
{
    size_t len = strlen(c->want->root);
    path += strspn(path, "/");
    if (strncmp(path, c->want->root, len) != 0 || (path[len] != '/' && path[len] != '\0'))
        return NULL;
    return path + len;
}

/* place: the entry's node, with the folders above it. NULL: it is the root itself. */
static int place(struct collect *c, const char *path, mode_t type, struct node **ret)
{
    struct node *at = c->root;
    const char *rest = below(c, path);
    *ret = NULL;
    if (!rest)
        return err_set(c->e, ERR_INVALID, "the tar has \"%.120s\", which is not below %s", path,
                       c->want->root);
    for (rest += strspn(rest, "/"); *rest;) {
        size_t len = strcspn(rest, "/");
        const char *next = rest + len + strspn(rest + len, "/");
        struct node *child = node_find(at, rest, len);
        if (strncmp(rest, "..", len) == 0 || at->type != AE_IFDIR ||
            (child && !*next && !(type == AE_IFDIR && child->type == AE_IFDIR)))
            return err_set(c->e, ERR_INVALID, "the tar has a bad or second \"%.120s\"", path);
        at = child ? child : node_add(at, rest, len, *next ? AE_IFDIR : type);
        *ret = at;
        rest = next;
    }
    return 0;
}

static int take_entry(struct collect *c, struct archive *a, struct archive_entry *from)
{
    const char *path = archive_entry_pathname(from), *hard = archive_entry_hardlink(from);
    mode_t type = hard ? AE_IFLNK : archive_entry_filetype(from);
    int64_t size = type == AE_IFREG ? archive_entry_size(from) : 0;
    struct node *n;
    if (!path)
        return err_set(c->e, ERR_INVALID, "a file name is not UTF-8");
    if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
        return err_set(c->e, ERR_INVALID, "\"%.120s\" is neither a file nor a directory", path);
    if (count(c, size) < 0 || place(c, path, type, &n) < 0)
        return c->e->code;
    if (!n)
        return 0;
    const char *soft = archive_entry_symlink(from);
    n->perm = archive_entry_perm(from) & 0777;
    n->size = size;
    n->at = archive_read_header_position(a);
    if (type == AE_IFLNK)
        n->target = hard ? str_fmt("/%s", hard) : str_dup(soft ? soft : "");
    return 0;
}

static int read_tree(struct collect *c)
{
    autozip struct archive *a = NULL;
    struct archive_entry *from;
    int r, rc = tar_open(c, 0, &a);
    while (rc == 0 && (r = archive_read_next_header(a, &from)) != ARCHIVE_EOF) {
        if (r < ARCHIVE_WARN)
            return err_set(c->e, ERR_INVALID, "broken tar: %s", archive_error_string(a));
        rc = take_entry(c, a, from);
    }
    return rc;
}

/* ---- links ---- */

/* follow: where a link leads, within the folder; NULL when that is nowhere in it. */
static struct node *follow(const struct collect *c, const struct node *link, int *links)
{
    const char *t = link->target;
    struct node *at = link->up;
    if (++*links > LINKS_MAX)
        return NULL;
    if (*t == '/') {
        at = c->root;
        t = below(c, t);
    }
    while (t && at && *(t += strspn(t, "/"))) {
        size_t len = strcspn(t, "/");
        if (len == 2 && strncmp(t, "..", 2) == 0)
            at = at->up;
        else if (len != 1 || *t != '.')
            at = node_find(at, t, len);
        if (at && at->type == AE_IFLNK)
            at = follow(c, at, links);
        t += len;
    }
    return t ? at : NULL;
}

/* ---- the tree into the zip ---- */

static int copy_data(struct collect *c, struct archive *a, int64_t size)
{
    char block[ARCHIVE_BLOCK_BYTES];
    la_ssize_t n;
    while ((n = archive_read_data(a, block, sizeof(block))) > 0) {
        size -= n;
        if (size < 0 || zipw_put(c->zip, buf_str(&c->path), block, (size_t)n, c->e) < 0)
            break;
    }
    if (c->e->code)
        return c->e->code;
    if (n != 0 || size != 0)
        return err_set(c->e, ERR_INVALID, "the tar is broken at \"%.120s\"", buf_str(&c->path));
    return 0;
}

static int put_file(struct collect *c, const struct node *n)
{
    autozip struct archive *a = NULL;
    struct archive_entry *from;
    if (count(c, n->size) < 0 || tar_open(c, n->at, &a) < 0)
        return c->e->code;
    if (archive_read_next_header(a, &from) < ARCHIVE_WARN || archive_entry_size(from) != n->size)
        return err_set(c->e, ERR_INVALID, "the tar is broken at \"%.120s\"", buf_str(&c->path));
    if (zipw_begin(c->zip, buf_str(&c->path), n->perm, n->size, c->e) < 0)
        return c->e->code;
    return copy_data(c, a, n->size);
}

static bool is_skipped(const struct collect *c)
{
    for (const char *const *s = c->want->skip; *s; s++)
        if (strcmp(*s, buf_str(&c->path)) == 0)
            return true;
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(struct node *const *)a)->name, (*(struct node *const *)b)->name);
}

static int walk(struct collect *c, struct node *dir);

static int visit(struct collect *c, struct node *n)
{
    int links = 0;
    struct node *to = n->type == AE_IFLNK ? follow(c, n, &links) : n;
    if (is_skipped(c))
        return 0;
    if (!to)
        return err_set(c->e, ERR_INVALID,
                       "the link \"%.90s\" to \"%.90s\" leads to nothing in the package",
                       buf_str(&c->path), n->target);
    if (to->entered)
        return err_set(c->e, ERR_INVALID, "the link \"%.120s\" leads back to where it is in",
                       buf_str(&c->path));
    return to->type == AE_IFDIR ? walk(c, to) : put_file(c, to);
}

static int walk(struct collect *c, struct node *dir)
{
    size_t len = c->path.len;
    int rc = 0;
    dir->entered = true;
    if (dir->n > 0)
        qsort(dir->list, dir->n, sizeof(struct node *), compare_names);
    for (size_t i = 0; i < dir->n && rc == 0; i++) {
        buf_addf(&c->path, "%s%s", len > 0 ? "/" : "", dir->list[i]->name);
        rc = buf_check(&c->path, "a path", c->e);
        if (rc == 0)
            rc = visit(c, dir->list[i]);
        c->path.len = len;
        if (c->path.data)
            c->path.data[len] = '\0';
    }
    dir->entered = false;
    return rc;
}

static int write_zip(struct collect *c, int out_fd)
{
    c->entries = c->bytes = 0; /* again: a folder may be in the package by several names */
    int rc = zipw_open(out_fd, &c->zip, c->e);
    if (rc < 0)
        return rc;
    rc = walk(c, c->root);
    if (rc == 0 && c->entries == 0)
        rc = err_set(c->e, ERR_INVALID, "no file is left");
    if (rc == 0)
        return zipw_close(c->zip, c->e);
    zipw_abort(c->zip);
    return rc;
}

int tar_to_zip(int tar_fd, const struct tar_want *want, int out_fd, struct err *e)
{
    UTF8_NAMES;
    err_clear(e);
    struct collect c = {.fd = tar_fd,
                        .want = want,
                        .root = node_add(NULL, "", 0, AE_IFDIR),
                        .path = BUF_INIT(BOUND_PATH_BYTES),
                        .e = e};
    int rc = read_tree(&c);
    if (rc == 0)
        rc = write_zip(&c, out_fd);
    buf_release(&c.path);
    node_free(c.root);
    return rc;
}
