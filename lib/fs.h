/* Files: whole reads with a ceiling, durable writes, directories. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/buf.h"
#include "lib/err.h"

/* fs_read: the whole file appended to `out`; over its ceiling ERR_TOO_BIG; absent ERR_NOT_FOUND. */
NODISCARD int fs_read(const char *path, struct buf *out, struct err *e);

/* fs_write_durable: temp file beside `path`, write, fsync, rename, fsync of the directory. */
NODISCARD int fs_write_durable(const char *path, const void *bytes, size_t len, mode_t mode,
                               struct err *e);

NODISCARD int fs_mkdirs(const char *path, mode_t mode, struct err *e); /* as mkdir -p */
NODISCARD int fs_sync_dir(const char *path, struct err *e);
NODISCARD int fs_remove_tree(const char *path,
                             struct err *e); /* absent is fine; never follows links */

/* fs_write_all, fs_pread_all: loop over short counts and EINTR. */
NODISCARD int fs_write_all(int fd, const void *bytes, size_t len, const char *what, struct err *e);
NODISCARD int fs_pread_all(int fd, void *bytes, size_t len, uint64_t offset, const char *what,
                           struct err *e);

/* fs_lock: takes an exclusive flock on `path` (created, 0600), held until *ret_fd is closed.
 * ERR_CONFLICT when another process holds it; the message carries that process's id. */
NODISCARD int fs_lock(const char *path, int *ret_fd, struct err *e);

/* fs_read_secret: the first line of a file, without its end; ERR_INVALID when it is empty. */
NODISCARD int fs_read_secret(const char *path, char **ret, struct err *e);
