/* Projects and clusters. */
#include "server/store_admin.h"
#include "server/store_write.h"

#include <stdlib.h>

#include "server/store_priv.h"
#include "lib/banned.h"

int store_project_any(struct store *s, bool *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_PROJECT_ANY);
    int rc = query_row(&q, e);
    if (rc < 0)
        return rc;
    *ret = rc > 0;
    return 0;
}

static void read_project(struct query *q, struct store_project *p)
{
    p->n = read_int(q);
    read_copy(q, p->name, sizeof(p->name));
    p->created_us = read_int(q);
    p->updated_us = read_int(q);
    id_encode(&q->s->ids, ID_PROJECT, p->n, p->created_us, p->id);
}

int store_project_find(struct store *s, const char *id, struct store_project *ret, struct err *e)
{
    int64_t n = 0;
    uint32_t created_s = 0;
    if (!id_decode(&s->ids, ID_PROJECT, id, &n, &created_s))
        return err_set(e, ERR_NOT_FOUND, "project not found");
    AUTO(query) struct query q = query_start(s, SQL_PROJECT_FIND);
    query_int(&q, n);
    int rc = query_row(&q, e);
    if (rc < 0)
        return rc;
    struct store_project p = {0};
    if (rc > 0)
        read_project(&q, &p);
    if (rc == 0 || !id_matches(created_s, p.created_us))
        return err_set(e, ERR_NOT_FOUND, "project not found");
    *ret = p;
    return 0;
}

int store_project_list(struct store *s, int64_t n, struct store_page page,
                       struct store_project **ret, size_t *ret_n, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_PROJECT_LIST);
    query_int(&q, n);
    query_page(&q, page);
    struct store_project *list = NULL;
    size_t count = 0, cap = 0;
    int rc;
    while ((rc = query_row(&q, e)) > 0) {
        list = store_grow(list, count, &cap, sizeof(*list));
        read_project(&q, &list[count++]);
    }
    if (rc < 0) {
        free(list);
        return rc;
    }
    *ret = list;
    *ret_n = count;
    return 0;
}

int store_project_add(struct store *s, const char *name, int64_t now_us, int64_t *ret_n,
                      struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_PROJECT_ADD);
    query_text(&q, name);
    query_int(&q, now_us);
    return query_insert(&q, ret_n, e);
}

int store_project_named(struct store *s, const char *name, bool *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_PROJECT_BY_NAME);
    query_text(&q, name);
    int rc = query_row(&q, e);
    if (rc < 0)
        return rc;
    *ret = rc > 0;
    return 0;
}

int store_project_codes(struct store *s, int64_t n, int64_t *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_PROJECT_CODES);
    query_int(&q, n);
    if (query_row(&q, e) < 0)
        return e->code;
    *ret = read_int(&q);
    return 0;
}

int store_project_delete(struct store *s, int64_t n, int64_t now_us, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_PROJECT_DELETE);
    query_int(&q, n);
    query_int(&q, now_us);
    return query_hit(&q, e);
}

int store_cluster_find(struct store *s, const char *name, int64_t *ret_n, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CLUSTER_FIND);
    query_text(&q, name);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_NOT_FOUND, "no cluster %.64s", name);
    *ret_n = read_int(&q);
    return 0;
}

int store_cluster_add(struct store *s, const char *name, int64_t *ret_n, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CLUSTER_ADD);
    query_text(&q, name);
    return query_insert(&q, ret_n, e);
}

int store_cluster_name(struct store *s, int64_t n, char **ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CLUSTER_NAME);
    query_int(&q, n);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_INTERNAL, "a task names a cluster without a row");
    *ret = read_text(&q);
    return 0;
}
