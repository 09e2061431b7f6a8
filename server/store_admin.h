/* What the store keeps beside codes and tasks: projects, tokens, clusters, runners,
 * credentials, and the keys of requests that are carried out once. Writes are for
 * the writer's thread inside a transaction, as in server/store_write.h. */
#pragma once

#include "lib/bounds.h"
#include "server/registry.h"
#include "server/store.h"

/* ---- projects, tokens, clusters, runners ---- */

NODISCARD int store_project_any(struct store *s, bool *ret, struct err *e);
NODISCARD int store_project_add(struct store *s, const char *name, int64_t now_us, int64_t *ret_n,
                                struct err *e);
/* store_project_named: also of a project that was deleted. */
NODISCARD int store_project_named(struct store *s, const char *name, bool *ret, struct err *e);
NODISCARD int store_project_codes(struct store *s, int64_t n, int64_t *ret, struct err *e);
/* store_project_delete: the row stays for its tasks; nobody finds it any more. */
NODISCARD int store_project_delete(struct store *s, int64_t n, int64_t now_us, struct err *e);

/* project: 0 unless the scope is SCOPE_PROJECT. */
NODISCARD int store_token_add(struct store *s, const uint8_t hash[32], enum token_scope scope,
                              int64_t project, const char *name, int64_t now_us, int64_t *ret_n,
                              struct err *e);
struct store_token_row {
    char id[ID_TEXT], project_id[ID_TEXT]; /* project "" unless the scope is SCOPE_PROJECT */
    char name[BOUND_NAME_BYTES + 1];
    enum token_scope scope;
    int64_t created_us;
};
NODISCARD int store_token_list(struct store *s, struct store_page page,
                               struct store_token_row **ret, size_t *ret_n, struct err *e);
NODISCARD int store_token_resolve(struct store *s, const char *id, int64_t *ret_n,
                                  enum token_scope *ret_scope, struct err *e); /* ERR_NOT_FOUND */
NODISCARD int store_token_count(struct store *s, enum token_scope scope, int64_t *ret,
                                struct err *e);
NODISCARD int store_token_delete(struct store *s, int64_t n, struct err *e);
NODISCARD int store_token_delete_project(struct store *s, int64_t project, struct err *e);

NODISCARD int store_cluster_find(struct store *s, const char *name, int64_t *ret_n,
                                 struct err *e); /* ERR_NOT_FOUND */
NODISCARD int store_cluster_add(struct store *s, const char *name, int64_t *ret_n, struct err *e);
NODISCARD int store_cluster_name(struct store *s, int64_t n, char **ret, struct err *e);
NODISCARD int store_runner_put(struct store *s, const struct runner_hello *h, int64_t now_us,
                               struct err *e);

/* ---- requests that are carried out once (Idempotency-Key) ---- */

struct once_row {
    char hash[65]; /* of what the request said */
    char *ids;     /* owned: those of its tasks, one behind the other */
};
void once_row_release(struct once_row *r);
/* store_once_find: ERR_NOT_FOUND; so is one from before since_us. */
NODISCARD int store_once_find(struct store *s, int64_t project, const char *key, int64_t since_us,
                              struct once_row *ret, struct err *e);
/* store_once_put: takes the place of an older one with that key. */
NODISCARD int store_once_put(struct store *s, int64_t project, const char *key, const char *hash,
                             const char *ids, int64_t now_us, struct err *e);
/* store_once_prune: forgets a few of those from before before_us: with every put, so that no more
 * are kept than came within the time, and no request pays for all. */
NODISCARD int store_once_prune(struct store *s, int64_t before_us, struct err *e);

/* ---- credentials of image registries, sealed (server/vault.h) ---- */

struct store_credential {
    char registry[REGISTRY_BYTES];
    char *sealed; /* owned */
    size_t sealed_len;
    int64_t updated_us;
};
void store_credential_release(struct store_credential *c);
NODISCARD int store_credential_find(struct store *s, int64_t project, const char *registry,
                                    struct store_credential *ret,
                                    struct err *e); /* ERR_NOT_FOUND */
NODISCARD int store_credential_list(struct store *s, int64_t project, struct store_page page,
                                    struct store_credential **ret, size_t *ret_n, struct err *e);
/* store_credential_put: of c->updated_us; takes the place of an older one. */
NODISCARD int store_credential_put(struct store *s, int64_t project,
                                   const struct store_credential *c, struct err *e);
NODISCARD int store_credential_delete(struct store *s, int64_t project, const char *registry,
                                      struct err *e); /* ERR_NOT_FOUND */
