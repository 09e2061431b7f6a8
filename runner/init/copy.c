/* A tree copy by descriptors: every step is relative to an open directory, so nothing that happens
 * to a path meanwhile can lead it elsewhere. */
#include "runner/init/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/banned.h"

#define COPY_AT_ONCE (1u << 30)
#define MODE_BITS    0777 /* set-uid has no business in a package */

static void close_dir_p(DIR **d)
{
    if (*d)
        closedir(*d);
}
#define autoclosedir __attribute__((cleanup(close_dir_p)))

static int copy_content(int in, int out, const char *name, struct err *e)
{
    for (;;) {
        ssize_t n = sendfile(out, in, NULL, COPY_AT_ONCE);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_os(e, ERR_IO, errno, "%s", name);
    }
}

static int copy_file(int from, int to, const char *name, mode_t mode, struct err *e)
{
    autoclose int in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (in < 0)
        return err_os(e, ERR_IO, errno, "%s", name);
    if (unlinkat(to, name, 0) != 0 && errno != ENOENT)
        return err_os(e, ERR_IO, errno, "%s", name);
    autoclose int out =
        openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)0600);
    if (out < 0)
        return err_os(e, ERR_IO, errno, "%s", name);
    int rc = copy_content(in, out, name, e);
    if (rc == 0 && fchmod(out, mode & MODE_BITS) != 0)
        rc = err_os(e, ERR_IO, errno, "%s", name);
    return rc;
}

static int copy_dir(int from, int to, int depth, struct err *e);

/* copy_subdir: its mode comes last, for it may forbid writing. */
static int copy_subdir(int from, int to, const char *name, mode_t mode, int depth, struct err *e)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    if (depth == COPY_DEPTH)
        return err_set(e, ERR_INVALID, "%s: nested too deeply", name);
    autoclose int in = openat(from, name, flags);
    if (in < 0)
        return err_os(e, ERR_IO, errno, "%s", name);
    if (mkdirat(to, name, 0700) != 0 && errno != EEXIST)
        return err_os(e, ERR_IO, errno, "%s", name);
    autoclose int out = openat(to, name, flags);
    if (out < 0)
        return err_os(e, ERR_IO, errno, "%s", name);
    int rc = copy_dir(TAKE_FD(in), out, depth + 1, e);
    if (rc)
        return err_wrap(e, "%s", name);
    if (fchmod(out, mode & MODE_BITS) != 0)
        return err_os(e, ERR_IO, errno, "%s", name);
    return 0;
}

static int copy_entry(int from, int to, const char *name, int depth, struct err *e)
{
    struct stat st;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return err_os(e, ERR_IO, errno, "%s", name);
    if (S_ISDIR(st.st_mode))
        return copy_subdir(from, to, name, st.st_mode, depth, e);
    if (S_ISREG(st.st_mode))
        return copy_file(from, to, name, st.st_mode, e);
    return err_set(e, ERR_INVALID, "%s: neither file nor directory", name);
}

/* copy_dir: takes over `from`, in any case. */
static int copy_dir(int from, int to, int depth, struct err *e)
{
    autoclosedir DIR *dir = fdopendir(from);
    if (!dir) {
        int why = errno;
        close(from);
        return err_os(e, ERR_IO, why, "read directory");
    }
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry && errno != 0)
            return err_os(e, ERR_IO, errno, "read directory");
        if (!entry)
            return 0;
        int rc = copy_entry(from, to, entry->d_name, depth, e);
        if (rc)
            return rc;
    }
}

int copy_tree(const char *from, const char *to, struct err *e)
{
    autoclose int in = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (in < 0)
        return err_os(e, ERR_IO, errno, "copy %s", from);
    autoclose int out = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out < 0)
        return err_os(e, ERR_IO, errno, "copy into %s", to);
    int rc = copy_dir(TAKE_FD(in), out, 0, e);
    return rc ? err_wrap(e, "copy") : 0;
}
