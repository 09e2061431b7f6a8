/* Fills the working directory. Everything is done with the task's own rights, so a link that leads
 * elsewhere gains nothing; no link is followed all the same, so that what is written is where it
 * was said to be. */
#include "runner/init/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "runner/init/copy.h"
#include "lib/banned.h"

/* holds: whether the file `fd` has exactly this content. */
static bool holds(int fd, const uint8_t *bytes, size_t len)
{
    char piece[4096];
    for (size_t at = 0;;) {
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n < 0 || (size_t)n > len - at)
            return false;
        if (n == 0)
            return at == len;
        if (memcmp(piece, bytes + at, (size_t)n) != 0)
            return false;
        at += (size_t)n;
    }
}

static int check_marker(const struct task_file *m, struct err *e)
{
    autoclose int fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return err_os(e, ERR_CONFLICT, errno, "marker %s", m->path);
    if (!holds(fd, m->bytes, m->len))
        return err_set(e, ERR_CONFLICT, "marker %s: holds something else", m->path);
    return 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* write_file: removed first, so that one of the code's that is read-only, or a link, is replaced.
 */
static int write_file(const struct task_file *f, struct err *e)
{
    if (unlink(f->path) != 0 && errno != ENOENT)
        return err_os(e, ERR_IO, errno, "file %s", f->path);
    autoclose int fd =
        open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)0600);
    if (fd < 0 || write_all(fd, f->bytes, f->len) != 0 || fchmod(fd, f->mode) != 0)
        return err_os(e, ERR_IO, errno, "file %s", f->path);
    return 0;
}

int prepare(const struct task *t, struct err *e)
{
    int rc = 0;
    if (chdir(t->dir) != 0)
        return err_os(e, ERR_IO, errno, "working directory %s", t->dir);
    for (size_t i = 0; i < t->n_markers && rc == 0; i++)
        rc = check_marker(&t->markers[i], e);
    for (size_t i = 0; i < t->n_copies && rc == 0; i++)
        rc = copy_tree(t->copies[i], ".", e);
    for (size_t i = 0; i < t->n_files && rc == 0; i++)
        rc = write_file(&t->files[i], e);
    return rc;
}
