/* Code packages as files DIR/packages/<sha256>.zip, named by their content
 * (docs/decisions/002-packages-are-files.md). A file is complete and on disk before a revision row
 * names it, and is never changed; what no row names is swept at start. Any thread. */
#pragma once

#include <stdint.h>

#include "lib/archive.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "server/store.h"
#include "server/work.h"

struct packages;

/* packages_open: makes DIR/packages and DIR/tmp; drops uploads that a crash left in DIR/tmp. */
NODISCARD int packages_open(const char *data_dir, struct packages **ret, struct err *e);
void packages_close(struct packages *p); /* NULL is fine */
/* packages_sweep: removes every package that no revision names. Before the first upload only. */
NODISCARD int packages_sweep(struct packages *p, struct store *s, struct err *e);

/* packages_get: the file for reading. ERR_NOT_FOUND; ERR_INVALID when `sha256` is no hash. */
NODISCARD int packages_get(const struct packages *p, const char *sha256, int *ret_fd,
                           uint64_t *ret_bytes, struct err *e);

/* packages_spool: an empty file for an upload. *ret_path is malloc'ed; the caller closes the
 * descriptor, and removes the file unless it was kept. */
NODISCARD int packages_spool(const struct packages *p, int *ret_fd, char **ret_path, struct err *e);

/* Checking and keeping is work for a thread of its own: it reads the whole package twice and waits
 * for the disk. An item for the inbox of packages_intake. */
struct package_job {
    struct work w;
    struct packages *packages;
    int fd;           /* of the spooled upload */
    const char *path; /* likewise; no longer there when it was kept */
    struct zip_limits limits;
    char ret_sha256[SHA256_TEXT], ret_md5[MD5_TEXT];
    int64_t ret_bytes;
};
void package_job_init(struct package_job *j, struct packages *p, int fd, const char *path,
                      const struct zip_limits *limits);

NODISCARD int packages_intake(struct inbox **ret, struct err *e);
