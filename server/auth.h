/* Who may call what. Tokens are known by their SHA-256 only; what the store said about the latest
 * ones is kept in a small cache. Any thread. */
#pragma once

#include "lib/err.h"
#include "server/req.h"

struct auth;

struct auth *auth_new(void);
void auth_free(struct auth *a); /* NULL is fine */

/* auth_forget: what was cached is asked again; after every change of tokens. */
void auth_forget(struct auth *a);

/* auth_check: the token of the request (header or ?oauth=) against its route's scope; fills rq->who
 * and rq->project. ERR_UNAUTHORIZED no token or an unknown one; ERR_FORBIDDEN another scope or
 * project; ERR_NOT_FOUND no such project. */
NODISCARD int auth_check(struct req *rq, struct err *e);
