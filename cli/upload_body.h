/* The body of an upload: the parts `data` and `file` in a temporary file, so that a package of any
 * size is sent with its length and without being held in memory. One thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct upload_body {
    int fd; /* at offset 0 */
    uint64_t bytes;
    char *content_type; /* owned: multipart/form-data with its boundary */
};

/* upload_body_make: `package_fd` is read from its start to its end; -1 = no file part. */
NODISCARD int upload_body_make(const char *data, size_t data_len, int package_fd,
                               const char *file_name, struct upload_body *ret, struct err *e);
void upload_body_release(struct upload_body *m);
