/* From items to files. Everything is collected first, then sorted, so that the order of folders on
 * disk cannot show. Neighbours: dotworker_script.c for the files that are ours, dotworker_fetch.c,
 * dotworker_unite.c. */
#include "cli/dotworker_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/dotworker_fetch.h"
#include "cli/dotworker_path.h"
#include "cli/dotworker_script.h"
#include "cli/dotworker_unite.h"
#include "lib/archive.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

#define SCRIPT_BYTES (64u << 20)
#define MAX_LEVELS   64

struct maker {
    struct dotworker *w;
    struct dw_tree *t;
    const struct dw_item *item; /* being looked at */
    unsigned n_scratch;
    struct err *e;
};

/* The folders that a walk is in, innermost first: a link back to one of them is a loop. */
struct level {
    dev_t dev;
    ino_t ino;
    unsigned depth;
    const struct level *up;
};

static int fail(struct maker *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
static int fail(struct maker *m, const char *fmt, ...)
{
    char text[sizeof(m->e->msg)];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return dw_error(m->w->file, m->item->at, m->e, "%s", n < 0 ? "" : text);
}

/* placed: an error of another module with the item's place before it. */
static int placed(struct maker *m)
{
    return err_wrap(m->e, "%s:%u:%u", m->w->file, m->item->at.line, m->item->at.column);
}

/* ---- the list ---- */

static struct dw_file *add(struct maker *m, const char *name, bool executable)
{
    struct dw_tree *t = m->t;
    if ((t->n & (t->n - 1)) == 0) {
        t->files = realloc(t->files, (t->n > 0 ? 2 * t->n : 1) * sizeof(*t->files));
        if (!t->files)
            abort();
    }
    t->files[t->n] = (struct dw_file){.name = str_dup(name), .executable = executable};
    if (m->item)
        t->files[t->n].at = m->item->at;
    return &t->files[t->n++];
}

static bool serves_build(enum dw_item_kind kind)
{
    return kind == DW_DEB || kind == DW_GEMFILE || kind == DW_REQUIREMENTS;
}

static int add_source(struct maker *m, const char *folder, const char *name, const char *source,
                      mode_t mode)
{
    autofree char *inside = dw_inside(folder, name);
    if (!inside)
        return fail(m, "\"%s/%s\" leads out of the package", folder, name);
    if (str_starts(inside, DW_BUILD_FOLDER "/") && !serves_build(m->item->kind))
        return fail(m, DW_BUILD_FOLDER " is kept for the build");
    if (m->t->n >= BOUND_ZIP_ENTRIES)
        return err_set(m->e, ERR_TOO_BIG, "%s: a package has at most %d files", m->w->file,
                       BOUND_ZIP_ENTRIES);
    add(m, inside, mode & 0111)->source = str_dup(source);
    return 0;
}

static void add_script(struct maker *m, const char *name, bool executable,
                       void (*script)(const struct dotworker *w, struct buf *out))
{
    struct buf text = BUF_INIT(SCRIPT_BYTES);
    script(m->w, &text);
    struct dw_file *f = add(m, name, executable);
    f->len = text.len;
    f->bytes = buf_take(&text);
}

/* ---- where files come from ---- */

static char *scratch_name(struct maker *m)
{
    return str_fmt("%s/%u", m->t->scratch, m->n_scratch++);
}

/* get_file: a regular file on this machine that the item's path stands for; fetched if need be. */
static int get_file(struct maker *m, const char *what, char **ret, mode_t *ret_mode)
{
    autofree char *path = dw_locate(m->w->dir, what);
    struct stat st;
    if (dw_is_url(path)) {
        autofree char *local = scratch_name(m);
        if (dw_fetch(path, local, m->e) < 0)
            return placed(m);
        *ret = TAKE(local);
        *ret_mode = 0644;
        return 0;
    }
    if (stat(path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? fail(m, "there is no file %s", path)
                   : fail(m, "cannot look at %s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return fail(m, "%s is a folder: use dir", path);
    if (!S_ISREG(st.st_mode))
        return fail(m, "%s is no regular file", path);
    *ret = TAKE(path);
    *ret_mode = st.st_mode;
    return 0;
}

/* ---- folders ---- */

static int walk(struct maker *m, const char *prefix, const char *path, bool hidden,
                const struct level *up);

static int visit(struct maker *m, const char *prefix, const char *path, const char *name,
                 bool hidden, const struct level *up)
{
    autofree char *child = str_fmt("%s/%s", path, name);
    struct stat st;
    if (stat(child, &st) != 0)
        return fail(m, "cannot look at %s: %s", child, strerror(errno));
    if (S_ISREG(st.st_mode))
        return add_source(m, prefix, name, child, st.st_mode);
    if (!S_ISDIR(st.st_mode))
        return fail(m, "%s is neither a file nor a folder", child);
    autofree char *below = str_fmt("%s/%s", prefix, name);
    return walk(m, below, child, hidden, up);
}

static int read_folder(struct maker *m, DIR *dir, const char *prefix, const char *path, bool hidden,
                       const struct level *here)
{
    const struct dirent *d;
    int rc = 0;
    while (rc == 0 && (errno = 0, d = readdir(dir))) {
        bool dots = strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0;
        if (!dots && (hidden || d->d_name[0] != '.'))
            rc = visit(m, prefix, path, d->d_name, hidden, here);
    }
    return rc == 0 && errno != 0 ? fail(m, "cannot list %s: %s", path, strerror(errno)) : rc;
}

/* walk: every file below `path`, as `prefix` and what follows. Links are followed, as zip does. */
static int walk(struct maker *m, const char *prefix, const char *path, bool hidden,
                const struct level *up)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT ? fail(m, "there is no folder %s", path)
                               : fail(m, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return fail(m, "%s is no folder: use file", path);
    const struct level here = {st.st_dev, st.st_ino, up ? up->depth + 1 : 1, up};
    for (const struct level *l = up; l; l = l->up)
        if (l->dev == here.dev && l->ino == here.ino)
            return fail(m, "the link %s leads back to a folder that it is in", path);
    if (here.depth > MAX_LEVELS)
        return fail(m, "%s is nested deeper than %d folders", path, MAX_LEVELS);
    DIR *dir = opendir(path);
    if (!dir)
        return fail(m, "cannot open %s: %s", path, strerror(errno));
    int rc = read_folder(m, dir, prefix, path, hidden, &here);
    closedir(dir);
    return rc;
}

/* ---- each kind of item ---- */

static int take_file(struct maker *m, const char *folder, const char *name)
{
    autofree char *source = NULL;
    autofree char *base = dw_base_name(name ? name : m->item->what);
    mode_t mode = 0;
    if (base[0] == '\0')
        return fail(m, "\"%s\" names no file", m->item->what);
    int rc = get_file(m, m->item->what, &source, &mode);
    return rc == 0 ? add_source(m, folder, base, source, mode) : rc;
}

/* take_top: exec and jars lie at the top. */
static int take_top(struct maker *m)
{
    return take_file(m, "", NULL);
}

static int take_into_folder(struct maker *m)
{
    return take_file(m, m->item->more ? m->item->more : "", NULL);
}

static int take_dir(struct maker *m)
{
    autofree char *path = dw_locate(m->w->dir, m->item->what);
    autofree char *base = dw_base_name(m->item->what);
    size_t before = m->t->n;
    if (dw_is_url(path))
        return fail(m, "a folder cannot be fetched: use zip");
    if (strcmp(base, "..") == 0 || base[0] == '\0')
        return fail(m, "\"%s\" has no name in the package: name the folders in it", m->item->what);
    autofree char *prefix = str_fmt("%s/%s", m->item->more ? m->item->more : "", base);
    int rc = walk(m, prefix, path, false, NULL);
    if (rc == 0 && m->t->n == before)
        buf_addf(&m->w->warnings, "%s:%u:%u: %s holds no files\n", m->w->file, m->item->at.line,
                 m->item->at.column, path);
    return rc;
}

static int unpack(struct maker *m, const char *zip, const char *to)
{
    static const struct zip_limits limits = {BOUND_ZIP_UNPACKED_BYTES, BOUND_ZIP_ENTRIES};
    struct zip_facts facts;
    autoclose int fd = open(zip, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_os(m->e, ERR_IO, errno, "cannot open %s", zip);
    if (mkdir(to, 0700) != 0)
        return err_os(m->e, ERR_IO, errno, "cannot create %s", to);
    int rc = zip_check(fd, &limits, &facts, m->e);
    return rc == 0 ? zip_unpack(fd, to, m->e) : err_wrap(m->e, "%s", m->item->what);
}

static int take_zip(struct maker *m)
{
    autofree char *zip = NULL, *to = scratch_name(m);
    mode_t mode;
    int rc = get_file(m, m->item->what, &zip, &mode);
    if (rc < 0)
        return rc;
    if (unpack(m, zip, to) < 0)
        return placed(m);
    return walk(m, m->item->more ? m->item->more : "", to, true, NULL);
}

/* take_build_input: a file that the build script reads. */
static int take_build_input(struct maker *m)
{
    autofree char *input = dw_build_input(m->w, (size_t)(m->item - m->w->items));
    autofree char *source = NULL;
    mode_t mode;
    int rc = get_file(m, m->item->what, &source, &mode);
    return rc == 0 ? add_source(m, "", input, source, 0) : rc;
}

static int take_deb(struct maker *m)
{
    return dw_deb_is_file(m->item) ? take_build_input(m) : 0;
}

/* take_gemfile: with the lock beside it, where there is one. */
static int take_gemfile(struct maker *m)
{
    int rc = take_build_input(m);
    autofree char *path = dw_locate(m->w->dir, m->item->what);
    autofree char *lock = str_fmt("%s.lock", path);
    autofree char *input = dw_build_input(m->w, (size_t)(m->item - m->w->items));
    autofree char *lock_input = str_fmt("%s.lock", input);
    if (rc < 0 || dw_is_url(path) || access(lock, F_OK) != 0)
        return rc;
    return add_source(m, "", lock_input, lock, 0);
}

static int (*const takers[])(struct maker *m) = {
    [DW_EXEC] = take_top,
    [DW_FILE] = take_into_folder,
    [DW_DIR] = take_dir,
    [DW_ZIP] = take_zip,
    [DW_JAR] = take_top,
    [DW_DEB] = take_deb,
    [DW_GEMFILE] = take_gemfile,
    [DW_REQUIREMENTS] = take_build_input,
    [DW_ENV] = NULL,
    [DW_BUILD] = NULL,
    [DW_GEM] = NULL,
    [DW_PIP] = NULL,
};

static int take_items(struct maker *m)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->w->n; i++) {
        m->item = &m->w->items[i];
        if (takers[m->item->kind])
            rc = takers[m->item->kind](m);
    }
    m->item = NULL;
    return rc;
}

static void take_scripts(struct maker *m)
{
    const struct dw_runtime *runtime = m->w->runtime;
    add_script(m, DW_RUNNER_FILE, true, dw_runner_script);
    if (runtime->helper)
        add_script(m, runtime->helper_name, false, dw_helper_script);
    if (dotworker_builds(m->w))
        add_script(m, DW_BUILD_FILE, true, dw_build_script);
}

/* ---- the whole ---- */

static int make(struct maker *m)
{
    const char *dir = getenv("TMPDIR");
    autofree char *scratch = str_fmt("%s/wrought-XXXXXX", dir && dir[0] ? dir : "/tmp");
    if (!mkdtemp(scratch))
        return err_os(m->e, ERR_IO, errno, "temporary folder %s", scratch);
    m->t->scratch = TAKE(scratch);
    int rc = take_items(m);
    if (rc < 0)
        return rc;
    take_scripts(m);
    return dw_unite(m->w->file, m->t, m->e);
}

int dw_tree_make(struct dotworker *w, struct dw_tree *ret, struct err *e)
{
    struct dw_tree t = {0};
    struct maker m = {.w = w, .t = &t, .e = e};
    int rc = make(&m);
    if (rc < 0)
        dw_tree_release(&t);
    else
        *ret = t;
    return rc;
}

void dw_tree_release(struct dw_tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        dw_file_release(&t->files[i]);
    free(t->files);
    struct err e;
    int rc = t->scratch ? fs_remove_tree(t->scratch, &e) : 0;
    (void)rc; /* a temporary folder that stays behind is no reason to fail */
    free(t->scratch);
    *t = (struct dw_tree){0};
}

static int put(struct zipw *z, const struct dw_file *f, struct err *e)
{
    mode_t mode = f->executable ? 0755 : 0644; /* whatever the umask was */
    return f->source ? zipw_add_file_as(z, f->name, mode, f->source, e)
                     : zipw_add_bytes(z, f->name, mode, f->bytes, f->len, e);
}

int dw_tree_zip(const struct dw_tree *t, int out_fd, struct err *e)
{
    struct zipw *z = NULL;
    int rc = zipw_open(out_fd, &z, e);
    for (size_t i = 0; rc == 0 && i < t->n; i++)
        rc = put(z, &t->files[i], e);
    if (rc < 0) {
        zipw_abort(z);
        return rc;
    }
    return zipw_close(z, e);
}
