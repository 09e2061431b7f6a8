/* Credentials of a project for image registries: what `docker login` sends, sealed in the store,
 * and put into the grants of tasks whose image is of that registry. Pool threads. */
#pragma once

#include "api/runner.h"
#include "server/registry.h"
#include "server/req.h"

struct credential { /* strings are owned */
    char registry[REGISTRY_BYTES];
    char *username, *password, *email;
};
void credential_release(struct credential *c); /* wipes the password */

/* credential_decode: base64 of {"username","password","email","serveraddress"}. */
NODISCARD int credential_decode(const char *auth, struct credential *ret, struct err *e);

/* credential_seal, credential_unseal: for the row of this project and registry. */
NODISCARD int credential_seal(const struct req *rq, const char *project_id,
                              const struct credential *c, struct buf *out, struct err *e);
NODISCARD int credential_unseal(const struct req *rq, const char *project_id, const char *registry,
                                const char *sealed, size_t len, struct credential *ret,
                                struct err *e);

/* credential_grant: fills g->registry_auth when its project has credentials for the registry of its
 * image. What cannot be unsealed is logged and left out: the pull's own error will show. */
NODISCARD int credential_grant(struct req *rq, struct grant *g, struct err *e);
