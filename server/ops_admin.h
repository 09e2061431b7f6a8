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
