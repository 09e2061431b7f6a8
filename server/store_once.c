/* Keys of requests that are carried out once, in the order in which they came: the oldest have the
 * lowest row numbers, so that pruning needs no index. */
#include "server/store_admin.h"

#include <stdlib.h>

#include "server/store_priv.h"
#include "lib/banned.h"

void once_row_release(struct once_row *r)
{
    free(TAKE(r->ids));
}

int store_once_find(struct store *s, int64_t project, const char *key, int64_t since_us,
                    struct once_row *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_ONCE_FIND);
    query_int(&q, project);
    query_text(&q, key);
    query_int(&q, since_us);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_NOT_FOUND, "this key was not used lately");
    read_copy(&q, ret->hash, sizeof(ret->hash));
    ret->ids = read_text(&q);
    return 0;
}

int store_once_put(struct store *s, int64_t project, const char *key, const char *hash,
                   const char *ids, int64_t now_us, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_ONCE_PUT);
    query_int(&q, project);
    query_text(&q, key);
    query_text(&q, hash);
    query_text(&q, ids);
    query_int(&q, now_us);
    return query_done(&q, e);
}

int store_once_prune(struct store *s, int64_t before_us, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_ONCE_PRUNE);
    query_int(&q, before_us);
    return query_done(&q, e);
}
