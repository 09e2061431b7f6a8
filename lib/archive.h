/* Zip and tar by libarchive (its only user). One thread each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/buf.h"
#include "lib/err.h"

struct zip_limits {
    uint64_t max_unpacked_bytes;
    uint64_t max_entries;
};

struct zip_facts {
    uint64_t unpacked_bytes;
    uint64_t entries;
};

/* zip_check: reads the whole archive and unpacks it to nowhere. ERR_INVALID names the entry and the
 * reason for: not a zip, broken, empty, encrypted, an absolute path, "..", a link or device, a name
 * that is not UTF-8, a duplicate file; ERR_TOO_BIG when it passes a limit (a bomb is stopped
 * there). */
NODISCARD int zip_check(int fd, const struct zip_limits *lim, struct zip_facts *ret, struct err *e);

/* zip_to_tar: writes the checked zip at `zip_fd` as a pax tar to `out_fd`, every path below
 * `prefix`
 * ("" or "name/"), owner uid:gid, directories 0755. A file whose zip entry has no Unix mode gets
 * 0755, as ironworker-api §6 demands; others keep their permission bits (without setuid). Times are
 * kept. */
NODISCARD int zip_to_tar(int zip_fd, const char *prefix, unsigned uid, unsigned gid, int out_fd,
                         struct err *e);

/* zip_unpack: writes the checked zip at `zip_fd` below the folder `to`, which exists, with the
 * modes of zip_to_tar; existing files are not overwritten (ERR_IO). Not for a folder that somebody
 * else can write to. */
NODISCARD int zip_unpack(int zip_fd, const char *to, struct err *e);

/* What to take of a tar. */
struct tar_want {
    const char *root;        /* the folder, as the tar names it: "task" */
    const char *const *skip; /* paths below it that are left out; NULL-terminated */
    struct zip_limits limits;
};
/* tar_to_zip: the files of the tar at `tar_fd` as a reproducible zip: sorted, without times, owners
 * and empty folders. Links that stay in the folder are followed. ERR_INVALID names the entry for: a
 * link that leads out of it, nowhere or back to itself, a device or pipe, a broken tar, or says
 * that nothing is left; ERR_TOO_BIG past a limit. `out_fd` may have got a part then. */
NODISCARD int tar_to_zip(int tar_fd, const struct tar_want *want, int out_fd, struct err *e);

/* tar_one: a tar with one regular file, appended to `out`. */
NODISCARD int tar_one(const char *name, mode_t mode, unsigned uid, unsigned gid, const void *bytes,
                      size_t len, struct buf *out, struct err *e);
/* tar_dir: a tar with one directory. */
NODISCARD int tar_dir(const char *name, mode_t mode, unsigned uid, unsigned gid, struct buf *out,
                      struct err *e);

/* A zip in the making, reproducible: entries in the order given, fixed times, Unix modes. */
struct zipw;
NODISCARD int zipw_open(int out_fd, struct zipw **ret, struct err *e);
NODISCARD int zipw_add_bytes(struct zipw *z, const char *name, mode_t mode, const void *bytes,
                             size_t len, struct err *e);
NODISCARD int zipw_add_file(struct zipw *z, const char *name, const char *path, struct err *e);
NODISCARD int zipw_add_file_as(struct zipw *z, const char *name, mode_t mode, const char *path,
                               struct err *e); /* with a mode of the caller's */
/* zipw_add_tree: every regular file below `dir`, sorted by path, as `prefix` + relative path. Links
 * that stay inside are followed; one that points outside, and a special file, is ERR_INVALID. */
NODISCARD int zipw_add_tree(struct zipw *z, const char *prefix, const char *dir, struct err *e);
NODISCARD int zipw_close(struct zipw *z, struct err *e); /* finishes and frees, also on error */
void zipw_abort(struct zipw *z);                         /* frees without finishing; NULL is fine */
