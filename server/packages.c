/* Package files. Neighbours: server/form.c spools, server/h_upload.c submits jobs to the intake
 * thread, server/h_codes.c and h_runner.c send the files. */
#include "server/packages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

#define SUFFIX ".zip"

struct packages {
    char *dir, *tmp;
};

int packages_open(const char *data_dir, struct packages **ret, struct err *e)
{
    struct packages *p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    p->dir = str_fmt("%s/packages", data_dir);
    p->tmp = str_fmt("%s/tmp", data_dir);
    if (fs_remove_tree(p->tmp, e) || fs_mkdirs(p->tmp, 0700, e) || fs_mkdirs(p->dir, 0700, e) ||
        fs_sync_dir(data_dir, e)) {
        packages_close(p);
        return err_wrap(e, "packages");
    }
    *ret = p;
    return 0;
}

void packages_close(struct packages *p)
{
    if (!p)
        return;
    free(p->dir);
    free(p->tmp);
    free(p);
}

static bool is_hash(const char *text)
{
    return strlen(text) == SHA256_TEXT - 1 && strspn(text, "0123456789abcdef") == SHA256_TEXT - 1;
}

/* ---- sweeping ---- */

/* sweep_one: one directory entry; other files than packages are left alone. */
static int sweep_one(const struct packages *p, const char *name, struct store *s, struct err *e)
{
    char hash[SHA256_TEXT];
    bool known;
    if (strlen(name) != SHA256_TEXT - 1 + strlen(SUFFIX) || !str_ends(name, SUFFIX))
        return 0;
    str_copy(hash, sizeof(hash), name);
    if (!is_hash(hash))
        return 0;
    if (store_package_known(s, hash, &known, e))
        return e->code;
    if (known)
        return 0;
    autofree char *path = str_fmt("%s/%s", p->dir, name);
    if (unlink(path) != 0 && errno != ENOENT)
        return err_os(e, ERR_IO, errno, "remove %s", path);
    return 0;
}

static void closedirp(DIR **d)
{
    if (*d)
        closedir(*d);
}

int packages_sweep(struct packages *p, struct store *s, struct err *e)
{
    __attribute__((cleanup(closedirp))) DIR *d = opendir(p->dir);
    if (!d)
        return err_os(e, ERR_IO, errno, "read %s", p->dir);
    const struct dirent *entry;
    while ((entry = readdir(d)) != NULL) {
        if (sweep_one(p, entry->d_name, s, e))
            return err_wrap(e, "sweep packages");
    }
    return 0;
}

/* ---- reading ---- */

int packages_get(const struct packages *p, const char *sha256, int *ret_fd, uint64_t *ret_bytes,
                 struct err *e)
{
    if (!is_hash(sha256))
        return err_set(e, ERR_INVALID, "a package is named by its SHA-256 in lower-case hex");
    autofree char *path = str_fmt("%s/%s" SUFFIX, p->dir, sha256);
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 && errno == ENOENT)
        return err_set(e, ERR_NOT_FOUND, "Package not found");
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_os(e, ERR_IO, errno, "open %s", path);
    *ret_bytes = (uint64_t)st.st_size;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* ---- taking ---- */

int packages_spool(const struct packages *p, int *ret_fd, char **ret_path, struct err *e)
{
    char *path = str_fmt("%s/upload-XXXXXX", p->tmp);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        int rc = err_os(e, ERR_IO, errno, "create %s", path);
        free(path);
        return rc;
    }
    *ret_fd = fd;
    *ret_path = path;
    return 0;
}

/* Fixed ceilings, and one that grows with the package: a small file that unpacks to gigabytes is a
 * bomb whatever the disk could hold. */
static struct zip_limits limits_for(const struct zip_limits *lim, int64_t bytes)
{
    struct zip_limits own = *lim;
    uint64_t ratio = (uint64_t)bytes * BOUND_ZIP_RATIO;
    uint64_t free_of_ratio = 16u << 20;
    if (ratio < free_of_ratio)
        ratio = free_of_ratio;
    if (own.max_unpacked_bytes > ratio)
        own.max_unpacked_bytes = ratio;
    return own;
}

static int keep(struct package_job *j, struct err *e)
{
    const char *dir = j->packages->dir;
    autofree char *path = str_fmt("%s/%s" SUFFIX, dir, j->ret_sha256);
    if (fsync(j->fd) != 0)
        return err_os(e, ERR_IO, errno, "sync the package");
    if (rename(j->path, path) != 0)
        return err_os(e, ERR_IO, errno, "keep the package as %s", path);
    return fs_sync_dir(dir, e);
}

static int job_run(struct work *w, void *owner, struct err *e)
{
    (void)owner;
    struct package_job *j = (struct package_job *)w;
    struct zip_facts facts;
    struct stat st;
    if (fstat(j->fd, &st) != 0)
        return err_os(e, ERR_IO, errno, "read the package");
    if (st.st_size == 0)
        return err_set(e, ERR_INVALID, "package: it is empty, not a zip");
    j->ret_bytes = st.st_size;
    struct zip_limits lim = limits_for(&j->limits, st.st_size);
    if (zip_check(j->fd, &lim, &facts, e))
        return err_wrap(e, "package");
    if (file_digests(j->fd, j->ret_sha256, j->ret_md5, e))
        return e->code;
    return keep(j, e);
}

void package_job_init(struct package_job *j, struct packages *p, int fd, const char *path,
                      const struct zip_limits *limits)
{
    *j = (struct package_job){
        .w = {.run = job_run}, .packages = p, .fd = fd, .path = path, .limits = *limits};
}

int packages_intake(struct inbox **ret, struct err *e)
{
    const struct inbox_owner owner = {.name = "intake", .max_batch = 1};
    return inbox_start(&owner, ret, e);
}
