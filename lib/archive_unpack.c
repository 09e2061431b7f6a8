/* Unpacking a checked zip into a folder. Neighbours: archive.c, archive_tar.c. */
#include "lib/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/archive_impl.h"
#include "lib/bounds.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

#define NO_MODE_MODE 0755 /* as zip_to_tar has it */

struct unpack {
    struct archive *zip;
    const struct zip_dir *dir;
    const char *to;
    struct buf path; /* within the zip */
    struct err *e;
};

static int make_parents(const char *full, struct err *e)
{
    autofree char *parent = str_dupn(full, (size_t)(strrchr(full, '/') - full));
    return fs_mkdirs(parent, 0755, e);
}

static int copy_data(struct unpack *u, int fd)
{
    char block[ARCHIVE_BLOCK_BYTES];
    la_ssize_t n;
    while ((n = archive_read_data(u->zip, block, sizeof(block))) > 0) {
        int rc = fs_write_all(fd, block, (size_t)n, buf_str(&u->path), u->e);
        if (rc < 0)
            return rc;
    }
    if (n < 0)
        return err_set(u->e, ERR_INVALID, "zip entry \"%s\" is broken: %s", buf_str(&u->path),
                       archive_error_string(u->zip));
    return 0;
}

static int unpack_file(struct unpack *u, struct archive_entry *entry, const char *full)
{
    unsigned mode = zip_dir_mode(u->dir, archive_entry_pathname(entry));
    int rc = make_parents(full, u->e);
    if (rc < 0)
        return rc;
    autoclose int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_os(u->e, ERR_IO, errno, "cannot create %s", full);
    rc = copy_data(u, fd);
    if (rc == 0 && fchmod(fd, mode == 0 ? NO_MODE_MODE : mode & 0777) != 0)
        rc = err_os(u->e, ERR_IO, errno, "cannot set the mode of %s", full);
    return rc;
}

static int unpack_entry(struct unpack *u, struct archive_entry *entry)
{
    int rc = zip_path(entry, &u->path, u->e);
    if (rc < 0 || u->path.len == 0)
        return rc;
    autofree char *full = str_fmt("%s/%s", u->to, buf_str(&u->path));
    mode_t type = archive_entry_filetype(entry);
    if (type == AE_IFDIR)
        return fs_mkdirs(full, 0755, u->e);
    if (type != AE_IFREG)
        return err_set(u->e, ERR_INVALID, "zip entry \"%s\" is neither a file nor a directory",
                       buf_str(&u->path));
    return unpack_file(u, entry, full);
}

int zip_unpack(int zip_fd, const char *to, struct err *e)
{
    UTF8_NAMES;
    autozipdir struct zip_dir *dir = NULL;
    autozip struct archive *zip = NULL;
    int rc = zip_dir_load(zip_fd, BOUND_ZIP_ENTRIES, &dir, e);
    if (rc == 0)
        rc = zip_open(zip_fd, &zip, e);
    if (rc < 0)
        return rc;
    struct unpack u = {
        .zip = zip, .dir = dir, .to = to, .path = BUF_INIT(BOUND_PATH_BYTES), .e = e};
    struct archive_entry *entry;
    while (rc == 0 && (rc = zip_next(zip, &entry, e)) == 0)
        rc = unpack_entry(&u, entry);
    buf_release(&u.path);
    return rc == ERR_EMPTY ? 0 : rc;
}
