/* What administrators ask of the writer, as items for its inbox; how they are used is said in
 * server/ops.h. */
#pragma once

#include "server/store_admin.h"
#include "server/writer.h"

struct op_credential { /* sealed NULL: it is deleted; ERR_NOT_FOUND when there is none */
    struct work w;
    int64_t project;
    struct store_credential credential; /* borrowed; the time is the writer's */
};
void op_credential_init(struct op_credential *o);

struct op_project_add { /* ERR_CONFLICT: there is one of that name */
    struct work w;
    const char *name;
    char ret_id[ID_TEXT];
};
void op_project_add_init(struct op_project_add *o);

/* op_project_delete: with its tokens. ERR_CONFLICT: it has codes, or it is the first, whose token
 * is in the server's own iron.json. */
struct op_project_delete {
    struct work w;
    int64_t project;
};
void op_project_delete_init(struct op_project_delete *o);

struct op_token_add {
    struct work w;
    const uint8_t *hash; /* SHA-256 of the token */
    enum token_scope scope;
    int64_t project; /* 0 unless SCOPE_PROJECT */
    const char *name;
    char ret_id[ID_TEXT];
};
void op_token_add_init(struct op_token_add *o);

struct op_token_revoke { /* ERR_CONFLICT: the last one of the admin */
    struct work w;
    const char *id;
};
void op_token_revoke_init(struct op_token_revoke *o);
