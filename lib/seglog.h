/* An append-only log of bytes from two streams, kept in two files: PATH.log holds the bytes of both
 * in the order they came, exactly; PATH.seg says which stream each run of bytes came from (4-byte
 * little-endian records: bit 31 = stderr, the rest = length). Neighbouring runs of one stream may
 * be merged in memory, never on disk.
 *
 * Crash rule: bytes first, then their record. On open the longer of the two is cut to the other, at
 * a record's end, so that what remains is a prefix of what was appended. The runner uses it as
 * spool (no fsync), the server as store (seglog_sync before it acknowledges).
 *
 * Threads: a handle belongs to one thread at a time. While one thread appends, others read by
 * handles of their own (seglog_open_read) and learn of growth by seglog_refresh up to a size that
 * the appender has published, that is, after its seglog_append or seglog_sync returned. Memory per
 * handle is bounded (about 100 KiB), however many runs there are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

enum seg_stream { SEG_STDOUT = 0, SEG_STDERR = 1 };
enum seg_filter { SEG_BOTH, SEG_ONLY_STDOUT, SEG_ONLY_STDERR };

struct seglog;

/* seglog_open: creates or recovers. `path` is without the suffix. */
NODISCARD int seglog_open(const char *path, struct seglog **ret, struct err *e);
/* seglog_open_read: for reading only, all that is there; ERR_NOT_FOUND when there is none. */
NODISCARD int seglog_open_read(const char *path, struct seglog **ret, struct err *e);
/* seglog_refresh: a reading handle takes in the records that were appended since, as far as they
 * end at or before raw offset `upto` (UINT64_MAX: all that are there now). */
NODISCARD int seglog_refresh(struct seglog *s, uint64_t upto, struct err *e);
void seglog_close(struct seglog *s);                          /* NULL is fine */
NODISCARD int seglog_remove(const char *path, struct err *e); /* absent is fine */

uint64_t seglog_size(const struct seglog *s); /* bytes of both streams */
uint64_t seglog_stream_size(const struct seglog *s, enum seg_stream stream);

/* seglog_append: all of it or, after an error, nothing of it (the files are cut back). */
NODISCARD int seglog_append(struct seglog *s, enum seg_stream stream, const void *bytes, size_t len,
                            struct err *e);
/* seglog_sync: fdatasync of both, and of the directory that they were created in. */
NODISCARD int seglog_sync(struct seglog *s, struct err *e);

/* seglog_read: up to `max` bytes from `offset` (counted in the filtered view) appended to `out`;
 * none at the end. */
NODISCARD int seglog_read(struct seglog *s, enum seg_filter filter, uint64_t offset, size_t max,
                          struct buf *out, struct err *e);

/* seglog_chunk: encodes up to `max` raw bytes from raw `offset` as wire segments, appended to
 * `out`: repeated {u8 stream, u32 length little-endian, bytes}; fewer when the ceiling of `out`
 * comes first (ERR_TOO_BIG when it leaves no room for one byte). *ret_raw is how many raw bytes
 * they carry. */
NODISCARD int seglog_chunk(struct seglog *s, uint64_t offset, size_t max, struct buf *out,
                           size_t *ret_raw, struct err *e);

/* seglog_append_chunk: appends wire segments that start at raw `offset`. What the log already has
 * is skipped (a repeat is harmless); a gap is ERR_CONFLICT; broken segments ERR_INVALID and nothing
 * is added. */
NODISCARD int seglog_append_chunk(struct seglog *s, uint64_t offset, const void *bytes, size_t len,
                                  struct err *e);

/* seglog_punch: gives the disk space of the raw bytes before `offset`, rounded down to a block,
 * back where the file system can; they can no longer be read (ERR_NOT_FOUND, also after a reopen).
 */
void seglog_punch(struct seglog *s, uint64_t offset);

/* seglog_sha256: of both streams as they came. Reads only what it has not hashed before. */
NODISCARD int seglog_sha256(struct seglog *s, char out[65], struct err *e);
