/* What the archive_*.c files share, and nobody else uses. */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include "lib/archive.h"

#define ARCHIVE_BLOCK_BYTES 65536

/* ---- archive.c ---- */

/* libarchive takes names through the thread's locale, and the C locale loses all but ASCII. Each
 * public function starts with UTF8_NAMES: C.UTF-8 until its end, then the caller's locale again. */
struct utf8_scope {
    locale_t ours, before;
};
struct utf8_scope utf8_enter(void);
void utf8_scope_release(struct utf8_scope *s);
#define UTF8_NAMES                                                                                 \
    AUTO(utf8_scope) __attribute__((unused)) struct utf8_scope utf8_scope = utf8_enter()

/* zip_open: a reader of the zip at `fd`, from its beginning, by its central directory. */
NODISCARD int zip_open(int fd, struct archive **ret, struct err *e);
static inline void archive_read_freep(struct archive **a)
{
    archive_read_free(*a);
}
#define autozip __attribute__((cleanup(archive_read_freep)))

/* zip_next: the next entry, ERR_EMPTY after the last. */
NODISCARD int zip_next(struct archive *a, struct archive_entry **ret, struct err *e);

/* zip_path: the entry's path without "." and doubled slashes, in `out`; ERR_INVALID when it is not
 * one that we unpack. "" for the root itself. */
NODISCARD int zip_path(struct archive_entry *entry, struct buf *out, struct err *e);

/* Where a writer's bytes go. It never fails towards libarchive 3.6, which leaks its block buffer
 * when its client does (and in archive_write_fail): the error is kept here and what follows is
 * dropped. */
struct archive_sink {
    int fd;
    int os_errno; /* of the first failed write */
    bool off;     /* given up: nothing more is written */
};
/* sink_new: a writer into `sink` without padding; the caller sets the format and calls sink_open.
 */
struct archive *sink_new(void);
NODISCARD int sink_open(struct archive *w, struct archive_sink *sink, struct err *e);
/* sink_check: 0 unless libarchive's result `r` or the sink says that writing `what` failed. */
NODISCARD int sink_check(struct archive *w, const struct archive_sink *sink, int r,
                         const char *what, struct err *e);

/* ---- archive_zipw.c ---- */

/* zipw_begin: an entry of `size` bytes, which zipw_put then gives it, in as many pieces as there
 * are. */
NODISCARD int zipw_begin(struct zipw *z, const char *name, mode_t mode, int64_t size,
                         struct err *e);
NODISCARD int zipw_put(struct zipw *z, const char *name, const void *bytes, size_t len,
                       struct err *e);

/* ---- archive_dir.c ---- */

/* The central directory read a second time, for what libarchive 3.6 does not tell: whether an entry
 * has a Unix mode, and how many entries there are before it makes a node of each in memory. */
struct zip_dir;

/* zip_dir_load: ERR_INVALID when there is none, ERR_TOO_BIG over `max_entries`. */
NODISCARD int zip_dir_load(int fd, uint64_t max_entries, struct zip_dir **ret, struct err *e);
void zip_dir_free(struct zip_dir *d); /* NULL is fine */
static inline void zip_dir_freep(struct zip_dir **d)
{
    zip_dir_free(*d);
}
#define autozipdir __attribute__((cleanup(zip_dir_freep)))
size_t zip_dir_count(const struct zip_dir *d);
/* zip_dir_mode: the Unix mode of the entry `name`, type bits included; 0 when it has none or the
 * directory has no such name. */
unsigned zip_dir_mode(const struct zip_dir *d, const char *name);
