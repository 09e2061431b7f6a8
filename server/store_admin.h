/* What the store keeps beside codes and tasks: projects, tokens, clusters, runners. Writes are for
 * the writer's thread inside a transaction, as in server/store_write.h. */
#pragma once

#include "server/store.h"

NODISCARD int store_project_any(struct store *s, bool *ret, struct err *e);
NODISCARD int store_project_add(struct store *s, const char *name, int64_t now_us, int64_t *ret_n,
                                struct err *e);
/* project: 0 unless the scope is SCOPE_PROJECT. */
NODISCARD int store_token_add(struct store *s, const uint8_t hash[32], enum token_scope scope,
                              int64_t project, int64_t now_us, struct err *e);
NODISCARD int store_cluster_find(struct store *s, const char *name, int64_t *ret_n,
                                 struct err *e); /* ERR_NOT_FOUND */
NODISCARD int store_cluster_add(struct store *s, const char *name, int64_t *ret_n, struct err *e);
NODISCARD int store_cluster_name(struct store *s, int64_t n, char **ret, struct err *e);
NODISCARD int store_runner_put(struct store *s, const struct runner_hello *h, int64_t now_us,
                               struct err *e);
