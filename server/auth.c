/* Tokens and scopes. Neighbour: server/http.c calls auth_check before it takes a body.
 *
 * The cache is small and direct-mapped: a server has a handful of tokens in use at a time. It holds
 * no token, only hashes, and unknown ones are not kept, so that guessing evicts nobody. */
#include "server/auth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/cleanup.h"
#include "lib/crypto.h"
#include "server/app.h"
#include "server/routes.h"

#include "lib/banned.h"

#define CACHED 64

struct known_token {
    uint8_t hash[SHA256_BYTES];
    struct store_token token; /* .n 0 = empty */
};

struct known_project {
    char id[ID_TEXT]; /* "" = empty */
    int64_t n;
};

struct auth {
    pthread_mutex_t mu;
    struct known_token token[CACHED];     /* guarded by mu */
    struct known_project project[CACHED]; /* guarded by mu */
    uint64_t generation;                  /* guarded by mu; an older answer is not kept */
};

struct auth *auth_new(void)
{
    struct auth *a = calloc(1, sizeof(*a));
    if (!a)
        abort();
    pthread_mutex_init(&a->mu, NULL);
    return a;
}

void auth_free(struct auth *a)
{
    if (!a)
        return;
    pthread_mutex_destroy(&a->mu);
    free(a);
}

void auth_forget(struct auth *a)
{
    pthread_mutex_lock(&a->mu);
    memset(a->token, 0, sizeof(a->token));
    memset(a->project, 0, sizeof(a->project));
    a->generation++;
    pthread_mutex_unlock(&a->mu);
}

/* ---- tokens ---- */

/* token_of: from the header, whose scheme is case-insensitive and which wins, or the query. NULL =
 * none. */
static const char *token_of(const struct req *rq)
{
    const char *h = rq->fields.authorization;
    if (h) {
        const char *schemes[] = {"OAuth ", "Bearer "};
        for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
            size_t len = strlen(schemes[i]);
            if (strncasecmp(h, schemes[i], len) == 0)
                return h + len + strspn(h + len, " ");
        }
    }
    return req_arg(rq, "oauth");
}

static int ask_token(struct req *rq, const uint8_t hash[SHA256_BYTES], struct store_token *ret,
                     struct err *e)
{
    struct store *s;
    if (req_store(rq, &s, e))
        return e->code;
    int rc = store_token_find(s, hash, ret, e);
    req_store_done(rq, s);
    return rc;
}

static int find_token(struct req *rq, const char *text, struct store_token *ret, struct err *e)
{
    struct auth *a = rq->app->auth;
    uint8_t hash[SHA256_BYTES];
    sha256_bytes(text, strlen(text), hash);
    struct known_token *slot = &a->token[hash[0] % CACHED];

    pthread_mutex_lock(&a->mu);
    uint64_t generation = a->generation;
    bool hit = slot->token.n && bytes_equal(slot->hash, hash, sizeof(hash));
    if (hit)
        *ret = slot->token;
    pthread_mutex_unlock(&a->mu);
    if (hit)
        return 0;

    if (ask_token(rq, hash, ret, e))
        return e->code;
    pthread_mutex_lock(&a->mu);
    if (a->generation == generation) {
        memcpy(slot->hash, hash, sizeof(hash));
        slot->token = *ret;
    }
    pthread_mutex_unlock(&a->mu);
    return 0;
}

/* ---- projects ---- */

static int ask_project(struct req *rq, const char *id, int64_t *ret, struct err *e)
{
    struct store *s;
    struct store_project p;
    if (req_store(rq, &s, e))
        return e->code;
    int rc = store_project_find(s, id, &p, e);
    req_store_done(rq, s);
    if (rc == 0)
        *ret = p.n;
    return rc;
}

static unsigned slot_of(const char *id)
{
    unsigned h = 0;
    while (*id)
        h = h * 31 + (unsigned char)*id++;
    return h % CACHED;
}

static int find_project(struct req *rq, const char *id, int64_t *ret, struct err *e)
{
    struct auth *a = rq->app->auth;
    if (strlen(id) != ID_HEX)
        return err_set(e, ERR_NOT_FOUND, "Project not found");
    struct known_project *slot = &a->project[slot_of(id)];

    pthread_mutex_lock(&a->mu);
    uint64_t generation = a->generation;
    bool hit = strcmp(slot->id, id) == 0;
    if (hit)
        *ret = slot->n;
    pthread_mutex_unlock(&a->mu);
    if (hit)
        return 0;

    int rc = ask_project(rq, id, ret, e);
    if (rc == ERR_NOT_FOUND)
        return err_set(e, ERR_NOT_FOUND, "Project not found");
    if (rc)
        return rc;
    pthread_mutex_lock(&a->mu);
    if (a->generation == generation) {
        memcpy(slot->id, id, sizeof(slot->id));
        slot->n = *ret;
    }
    pthread_mutex_unlock(&a->mu);
    return 0;
}

/* ---- scopes ---- */

/* Which token scopes may use a route of this scope. */
static const bool may[][SCOPE_ADMIN + 1] = {
    [OPEN] = {[SCOPE_PROJECT] = true, [SCOPE_RUNNER] = true, [SCOPE_ADMIN] = true},
    [CLIENT] = {[SCOPE_PROJECT] = true, [SCOPE_ADMIN] = true},
    [PROJECT] = {[SCOPE_PROJECT] = true, [SCOPE_ADMIN] = true},
    [RUNNER] = {[SCOPE_RUNNER] = true},
    [ADMIN] = {[SCOPE_ADMIN] = true},
};

int auth_check(struct req *rq, struct err *e)
{
    enum route_scope scope = rq->route->scope;
    struct store_token *t = &rq->who.token;
    if (scope == OPEN)
        return 0;
    const char *text = token_of(rq);
    if (!text || !*text)
        return err_set(e, ERR_UNAUTHORIZED,
                       "No token: send Authorization: OAuth TOKEN, or ?oauth=TOKEN");
    int rc = find_token(rq, text, t, e);
    if (rc == ERR_NOT_FOUND)
        return err_set(e, ERR_UNAUTHORIZED, "Invalid token");
    if (rc)
        return rc;
    if (t->scope > SCOPE_ADMIN || !may[scope][t->scope])
        return err_set(e, ERR_FORBIDDEN, "This token is not for this part of the API");
    if (!rq->project_id)
        return 0;
    if (find_project(rq, rq->project_id, &rq->project, e))
        return e->code;
    if (t->scope == SCOPE_PROJECT && t->project != rq->project)
        return err_set(e, ERR_FORBIDDEN, "This token is for another project");
    return 0;
}
