/* What administrators change: rows that no rule of the queue depends on. */
#include "server/ops_admin.h"
#include "server/queue.h"

#include "lib/banned.h"

static int run_credential(struct work *w, void *owner, struct err *e)
{
    struct op_credential *o = (struct op_credential *)w;
    struct queue *q = owner;
    if (!o->credential.sealed)
        return store_credential_delete(q->store, o->project, o->credential.registry, e);
    o->credential.updated_us = queue_now_us(q);
    return store_credential_put(q->store, o->project, &o->credential, e);
}

void op_credential_init(struct op_credential *o)
{
    *o = (struct op_credential){.w = {.run = run_credential, .writes = true}};
}

/* ---- projects ---- */

#define FIRST_PROJECT 1

static int run_project_add(struct work *w, void *owner, struct err *e)
{
    struct op_project_add *o = (struct op_project_add *)w;
    struct queue *q = owner;
    int64_t now_us = queue_now_us(q), n = 0;
    bool taken = false;
    if (store_project_named(q->store, o->name, &taken, e) < 0)
        return e->code;
    if (taken)
        return err_set(e, ERR_CONFLICT, "there is a project named \"%.128s\"", o->name);
    if (store_project_add(q->store, o->name, now_us, &n, e) < 0)
        return e->code;
    id_encode(store_ids(q->store), ID_PROJECT, n, now_us, o->ret_id);
    return 0;
}

void op_project_add_init(struct op_project_add *o)
{
    *o = (struct op_project_add){.w = {.run = run_project_add, .writes = true}};
}

static int run_project_delete(struct work *w, void *owner, struct err *e)
{
    struct op_project_delete *o = (struct op_project_delete *)w;
    struct queue *q = owner;
    int64_t codes = 0;
    if (o->project == FIRST_PROJECT)
        return err_set(e, ERR_CONFLICT, "the first project stays: the server's iron.json names it");
    if (store_project_codes(q->store, o->project, &codes, e) < 0)
        return e->code;
    if (codes > 0)
        return err_set(e, ERR_CONFLICT, "the project has %lld codes: delete them first",
                       (long long)codes);
    if (store_token_delete_project(q->store, o->project, e) < 0)
        return e->code;
    return store_project_delete(q->store, o->project, queue_now_us(q), e);
}

void op_project_delete_init(struct op_project_delete *o)
{
    *o = (struct op_project_delete){.w = {.run = run_project_delete, .writes = true}};
}

/* ---- tokens ---- */

static int run_token_add(struct work *w, void *owner, struct err *e)
{
    struct op_token_add *o = (struct op_token_add *)w;
    struct queue *q = owner;
    int64_t now_us = queue_now_us(q), n = 0;
    if (store_token_add(q->store, o->hash, o->scope, o->project, o->name, now_us, &n, e) < 0)
        return e->code;
    id_encode(store_ids(q->store), ID_TOKEN, n, now_us, o->ret_id);
    return 0;
}

void op_token_add_init(struct op_token_add *o)
{
    *o = (struct op_token_add){.w = {.run = run_token_add, .writes = true}};
}

static int run_token_revoke(struct work *w, void *owner, struct err *e)
{
    struct op_token_revoke *o = (struct op_token_revoke *)w;
    struct queue *q = owner;
    int64_t n = 0, admins = 0;
    enum token_scope scope;
    if (store_token_resolve(q->store, o->id, &n, &scope, e) < 0 ||
        store_token_count(q->store, SCOPE_ADMIN, &admins, e) < 0)
        return e->code;
    if (scope == SCOPE_ADMIN && admins == 1)
        return err_set(e, ERR_CONFLICT,
                       "the last admin token stays: without it nobody could make "
                       "another");
    return store_token_delete(q->store, n, e);
}

void op_token_revoke_init(struct op_token_revoke *o)
{
    *o = (struct op_token_revoke){.w = {.run = run_token_revoke, .writes = true}};
}
