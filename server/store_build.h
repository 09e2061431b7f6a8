/* Builds in the store: tasks whose folder becomes a package (docs/decisions/004-remote-builds.md).
 * The writer's thread only, as all of server/store_write.h. */
#pragma once

#include "server/store_write.h"

struct build_result { /* a package */
    char sha256[65], md5[33];
    int64_t bytes;
};
struct build_row {
    int64_t task, code, created_us;
    int64_t attempt; /* that `result` is of; 0 = none yet */
    struct build_result result;
    char *upload; /* owned: the code_upload as JSON */
};
void build_row_release(struct build_row *b);
/* store_build_add: `key` says what goes into it. */
NODISCARD int store_build_add(struct store *s, const struct build_row *b, const char *key,
                              struct err *e);
NODISCARD int store_build_find(struct store *s, int64_t task, struct build_row *ret,
                               struct err *e); /* ERR_NOT_FOUND */
/* store_build_cached: what was made of `key` last. ERR_NOT_FOUND. */
NODISCARD int store_build_cached(struct store *s, const char *key, struct build_result *ret,
                                 struct err *e);
NODISCARD int store_build_result(struct store *s, int64_t task, int64_t attempt,
                                 const struct build_result *r,
                                 struct err *e); /* ERR_CONFLICT: no build */
/* store_build_made: it went well, and became `revision` (0 = none). */
NODISCARD int store_build_made(struct store *s, int64_t task, int64_t revision, int64_t now_us,
                               struct err *e);
/* store_build_overtaken: its code has a revision of a later upload. */
NODISCARD int store_build_overtaken(struct store *s, const struct build_row *b, bool *ret,
                                    struct err *e);
