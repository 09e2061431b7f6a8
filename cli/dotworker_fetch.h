/* Files of a worker that are on the web. One thread. */
#pragma once

#include "lib/buf.h"
#include "lib/err.h"

/* dw_fetch: the file at `url` into the new file `path`, of at most BOUND_UPLOAD_BYTES.
 * dw_fetch_text: appended to `out`, up to its ceiling. Redirects are not followed.
 * Errors: ERR_NOT_FOUND and what else the status stands for; ERR_TOO_BIG; those of httpc_call. */
NODISCARD int dw_fetch(const char *url, const char *path, struct err *e);
NODISCARD int dw_fetch_text(const char *url, struct buf *out, struct err *e);
