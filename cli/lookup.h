/* From what people call a thing to the thing. One thread. */
#pragma once

#include "api/code.h"
#include "cli/client.h"
#include "lib/err.h"

/* lookup_code: the code of that name or id; the caller code_release()s *ret. ERR_NOT_FOUND names
 * it. Reads the list page by page: the API has no search by name. */
NODISCARD int lookup_code(struct client *c, const char *name, struct code *ret, struct err *e);

/* lookup_code_path: "…/codes/ID" and `tail`, appended, for the code of that name or id. */
NODISCARD int lookup_code_path(struct client *c, const char *name, const char *tail,
                               struct buf *path, struct err *e);
