/* The body of POST …/codes in all the forms that clients send: multipart in any order, form-encoded
 * `data=`, plain JSON. The package goes to a spool file as it comes, the rest to memory. One
 * request's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "server/req.h"

struct upload;

/* upload_data: the JSON text of `data`, NUL-terminated; at the end of the body. */
NODISCARD int upload_data(struct upload *u, const char **ret, size_t *ret_len, struct err *e);
/* upload_file: the spooled package. False when none was sent. */
bool upload_file(const struct upload *u, int *ret_fd, const char **ret_path);
