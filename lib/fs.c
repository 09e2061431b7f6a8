/* Files. Every descriptor is close-on-exec from birth; every message names its path. */
#include "lib/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/str.h"
#include "lib/banned.h"

#define READ_BYTES   (16u << 10)
#define SECRET_BYTES (64u << 10) /* a secret's file; only the first line counts */

/* ---- whole files ---- */

static int read_fd(int fd, const char *path, struct buf *out, struct err *e)
{
    char block[READ_BYTES];
    while (!out->failed) {
        ssize_t n = read(fd, block, sizeof(block));
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_os(e, ERR_IO, errno, "cannot read %s", path);
        buf_add(out, block, (size_t)n);
    }
    return buf_check(out, path, e);
}

int fs_read(const char *path, struct buf *out, struct err *e)
{
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_os(e, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO, errno,
                      "cannot open %s", path);
    }
    return read_fd(fd, path, out, e);
}

int fs_write_all(int fd, const void *bytes, size_t len, const char *what, struct err *e)
{
    const char *from = bytes;
    while (len > 0) {
        ssize_t n = write(fd, from, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_os(e, ERR_IO, errno, "cannot write %s", what);
        from += n;
        len -= (size_t)n;
    }
    return 0;
}

int fs_pread_all(int fd, void *bytes, size_t len, uint64_t offset, const char *what, struct err *e)
{
    char *to = bytes;
    while (len > 0) {
        ssize_t n = pread(fd, to, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_os(e, ERR_IO, errno, "cannot read %s", what);
        if (n == 0)
            return err_set(e, ERR_IO, "%s ends %zu bytes too early", what, len);
        to += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

/* write_temp: the whole content on disk under a name nobody looks at yet. */
static int write_temp(const char *temp, int fd, const void *bytes, size_t len, mode_t mode,
                      struct err *e)
{
    int rc = fs_write_all(fd, bytes, len, temp, e);
    if (rc != 0)
        return rc;
    if (fchmod(fd, mode) != 0) /* not by open(2), whose mode the umask cuts */
        return err_os(e, ERR_IO, errno, "cannot set the mode of %s", temp);
    if (fsync(fd) != 0)
        return err_os(e, ERR_IO, errno, "cannot sync %s", temp);
    return 0;
}

/* parent_of: the directory that holds `path`; malloc'ed. */
static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return str_dup(".");
    return slash == path ? str_dup("/") : str_dupn(path, (size_t)(slash - path));
}

int fs_write_durable(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e)
{
    autofree char *temp = str_fmt("%s.XXXXXX", path), *dir = parent_of(path);
    autoclose int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return err_os(e, ERR_IO, errno, "cannot create %s", temp);
    int rc = write_temp(temp, fd, bytes, len, mode, e);
    if (rc == 0 && rename(temp, path) != 0)
        rc = err_os(e, ERR_IO, errno, "cannot rename %s to %s", temp, path);
    if (rc != 0) {
        (void)unlink(temp); /* the first failure is the one to report */
        return rc;
    }
    return fs_sync_dir(dir, e);
}

/* ---- directories ---- */

int fs_sync_dir(const char *path, struct err *e)
{
    autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_os(e, ERR_IO, errno, "cannot open directory %s", path);
    if (fsync(fd) != 0)
        return err_os(e, ERR_IO, errno, "cannot sync directory %s", path);
    return 0;
}

static int make_dir(const char *path, mode_t mode, struct err *e)
{
    struct stat st;
    if (mkdir(path, mode) == 0)
        return 0;
    int why = errno;
    if (stat(path, &st) == 0) { /* there already: also where mkdir says EROFS or EACCES first */
        if (S_ISDIR(st.st_mode))
            return 0;
        why = ENOTDIR;
    }
    return err_os(e, ERR_IO, why, "cannot create directory %s", path);
}

int fs_mkdirs(const char *path, mode_t mode, struct err *e)
{
    autofree char *part = str_dup(path);
    for (char *p = part; *p; p++) {
        if (*p != '/' || p == part)
            continue;
        *p = '\0';
        int rc = make_dir(part, mode, e);
        if (rc != 0)
            return rc;
        *p = '/';
    }
    return make_dir(path, mode, e);
}

static void close_dir_p(DIR **d)
{
    if (*d)
        closedir(*d);
}

static int remove_at(int dir, const char *name, const char *shown, struct err *e);

static int remove_children(int dir, const char *name, const char *shown, struct err *e)
{
    autoclose int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_os(e, ERR_IO, errno, "cannot open directory %s", shown);
    __attribute__((cleanup(close_dir_p))) DIR *list = fdopendir(fd);
    if (!list)
        return err_os(e, ERR_IO, errno, "cannot list directory %s", shown);
    int list_fd = TAKE_FD(fd); /* the list owns it */
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(list);
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        autofree char *child = str_fmt("%s/%s", shown, entry->d_name);
        int rc = remove_at(list_fd, entry->d_name, child, e);
        if (rc != 0)
            return rc;
    }
    return errno == 0 ? 0 : err_os(e, ERR_IO, errno, "cannot list directory %s", shown);
}

/* remove_at: `name` in the directory `dir`, whatever it is. Works on descriptors, so that nobody
 * can put a link in the way; holds one for each level. */
static int remove_at(int dir, const char *name, const char *shown, struct err *e)
{
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return 0;
    int why = errno;
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode))
        return err_os(e, ERR_IO, why, "cannot remove %s", shown);
    int rc = remove_children(dir, name, shown, e);
    if (rc != 0)
        return rc;
    if (unlinkat(dir, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        return err_os(e, ERR_IO, errno, "cannot remove directory %s", shown);
    return 0;
}

int fs_remove_tree(const char *path, struct err *e)
{
    return remove_at(AT_FDCWD, path, path, e);
}

/* ---- locks and secrets ---- */

/* lock_holder: what the holder wrote into the file; it may be about to. */
static void lock_holder(int fd, char *out, size_t out_bytes)
{
    ssize_t n = pread(fd, out, out_bytes - 1, 0);
    out[n > 0 ? n : 0] = '\0';
    out[strspn(out, "0123456789")] = '\0';
    if (out[0] == '\0')
        str_copy(out, out_bytes, "unknown");
}

int fs_lock(const char *path, int *ret_fd, struct err *e)
{
    autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_os(e, ERR_IO, errno, "cannot open lock file %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return err_os(e, ERR_IO, errno, "cannot lock %s", path);
        char holder[16];
        lock_holder(fd, holder, sizeof(holder));
        return err_set(e, ERR_CONFLICT, "%s is held by process %s", path, holder);
    }
    char pid[16];
    int len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0)
        return err_os(e, ERR_IO, errno, "cannot empty lock file %s", path);
    int rc = fs_write_all(fd, pid, (size_t)len, path, e);
    if (rc == 0)
        *ret_fd = TAKE_FD(fd);
    return rc;
}

int fs_read_secret(const char *path, char **ret, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(SECRET_BYTES);
    int rc = fs_read(path, &text, e);
    if (rc != 0)
        return rc;
    size_t len = strcspn(buf_str(&text), "\r\n");
    if (len == 0)
        return err_set(e, ERR_INVALID, "the first line of %s is empty", path);
    if (len < text.len && text.data[len] == '\0')
        return err_set(e, ERR_INVALID, "the first line of %s has a NUL byte", path);
    *ret = str_dupn(text.data, len);
    return 0;
}
