/* Tokens, known by their hash alone. */
#include "server/store_admin.h"

#include <stdlib.h>

#include "server/store_priv.h"
#include "lib/banned.h"

int store_token_find(struct store *s, const uint8_t hash[32], struct store_token *ret,
                     struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TOKEN_FIND);
    query_bytes(&q, hash, 32);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_NOT_FOUND, "no such token");
    ret->n = read_int(&q);
    ret->scope = (enum token_scope)read_int(&q);
    ret->project = read_int(&q);
    return 0;
}

int store_token_add(struct store *s, const uint8_t hash[32], enum token_scope scope,
                    int64_t project, const char *name, int64_t now_us, int64_t *ret_n,
                    struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TOKEN_ADD);
    query_bytes(&q, hash, 32);
    query_int(&q, scope);
    if (project)
        query_int(&q, project);
    else
        query_null(&q);
    query_text(&q, name);
    query_int(&q, now_us);
    return query_insert(&q, ret_n, e);
}

int store_token_list(struct store *s, struct store_page page, struct store_token_row **ret,
                     size_t *ret_n, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TOKEN_LIST);
    query_page(&q, page);
    struct store_token_row *list = NULL;
    size_t n = 0, cap = 0;
    int rc;
    while ((rc = query_row(&q, e)) > 0) {
        list = store_grow(list, n, &cap, sizeof(*list));
        struct store_token_row *t = &list[n++];
        read_id(&q, ID_TOKEN, t->id);
        read_id(&q, ID_PROJECT, t->project_id);
        t->scope = (enum token_scope)read_int(&q);
        read_copy(&q, t->name, sizeof(t->name));
        t->created_us = read_int(&q);
    }
    if (rc < 0) {
        free(list);
        return rc;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

int store_token_resolve(struct store *s, const char *id, int64_t *ret_n,
                        enum token_scope *ret_scope, struct err *e)
{
    int64_t n = 0;
    uint32_t created_s = 0;
    if (!id_decode(&s->ids, ID_TOKEN, id, &n, &created_s))
        return err_set(e, ERR_NOT_FOUND, "token not found");
    AUTO(query) struct query q = query_start(s, SQL_TOKEN_ROW);
    query_int(&q, n);
    int rc = query_row(&q, e);
    if (rc < 0)
        return rc;
    enum token_scope scope = (enum token_scope)read_int(&q);
    if (rc == 0 || !id_matches(created_s, read_int(&q)))
        return err_set(e, ERR_NOT_FOUND, "token not found");
    *ret_n = n;
    *ret_scope = scope;
    return 0;
}

int store_token_count(struct store *s, enum token_scope scope, int64_t *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TOKEN_COUNT);
    query_int(&q, scope);
    if (query_row(&q, e) < 0)
        return e->code;
    *ret = read_int(&q);
    return 0;
}

int store_token_delete(struct store *s, int64_t n, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TOKEN_DELETE);
    query_int(&q, n);
    return query_hit(&q, e);
}

int store_token_delete_project(struct store *s, int64_t project, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_TOKEN_DELETE_PROJECT);
    query_int(&q, project);
    return query_done(&q, e);
}
