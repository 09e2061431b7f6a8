/* Credentials of image registries, as the vault sealed them. */
#include "server/store_admin.h"

#include <stdlib.h>

#include "server/store_priv.h"
#include "lib/banned.h"

void store_credential_release(struct store_credential *c)
{
    free(TAKE(c->sealed));
    c->sealed_len = 0;
}

static void read_credential(struct query *q, struct store_credential *c)
{
    read_copy(q, c->registry, sizeof(c->registry));
    c->sealed = read_bytes(q, &c->sealed_len);
    c->updated_us = read_int(q);
}

int store_credential_find(struct store *s, int64_t project, const char *registry,
                          struct store_credential *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CREDENTIAL_FIND);
    query_int(&q, project);
    query_text(&q, registry);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_NOT_FOUND, "no credentials for %.128s", registry);
    read_credential(&q, ret);
    return 0;
}

int store_credential_list(struct store *s, int64_t project, struct store_page page,
                          struct store_credential **ret, size_t *ret_n, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CREDENTIAL_LIST);
    query_int(&q, project);
    query_page(&q, page);
    struct store_credential *list = NULL;
    size_t n = 0, cap = 0;
    int rc;
    while ((rc = query_row(&q, e)) > 0) {
        list = store_grow(list, n, &cap, sizeof(*list));
        read_credential(&q, &list[n++]);
    }
    if (rc < 0) {
        while (n > 0)
            store_credential_release(&list[--n]);
        free(list);
        return rc;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

int store_credential_put(struct store *s, int64_t project, const struct store_credential *c,
                         struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CREDENTIAL_PUT);
    query_int(&q, project);
    query_text(&q, c->registry);
    query_bytes(&q, c->sealed, c->sealed_len);
    query_int(&q, c->updated_us);
    return query_done(&q, e);
}

int store_credential_delete(struct store *s, int64_t project, const char *registry, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CREDENTIAL_DELETE);
    query_int(&q, project);
    query_text(&q, registry);
    int rc = query_hit(&q, e);
    return rc == ERR_CONFLICT ? err_set(e, ERR_NOT_FOUND, "no credentials for %.128s", registry)
                              : rc;
}
