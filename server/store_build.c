/* Builds: tasks whose folder becomes a package (docs/decisions/, "remote builds"). */
#include "server/store_build.h"

#include <stdlib.h>

#include "server/store_priv.h"
#include "lib/banned.h"

void build_row_release(struct build_row *b)
{
    free(TAKE(b->upload));
}

static void read_result(struct query *q, struct build_result *r)
{
    read_copy(q, r->sha256, sizeof(r->sha256));
    read_copy(q, r->md5, sizeof(r->md5));
    r->bytes = read_int(q);
}

int store_build_add(struct store *s, const struct build_row *b, const char *key, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_BUILD_ADD);
    query_int(&q, b->task);
    query_int(&q, b->code);
    query_int(&q, b->created_us);
    query_text(&q, key);
    query_text(&q, b->upload);
    return query_done(&q, e);
}

int store_build_find(struct store *s, int64_t task, struct build_row *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_BUILD_FIND);
    query_int(&q, task);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_NOT_FOUND, "the task is no build");
    ret->task = task;
    ret->code = read_int(&q);
    ret->created_us = read_int(&q);
    ret->attempt = read_int(&q);
    read_result(&q, &ret->result);
    ret->upload = read_text(&q);
    return 0;
}

int store_build_cached(struct store *s, const char *key, struct build_result *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_BUILD_CACHED);
    query_text(&q, key);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_NOT_FOUND, "nothing was built of this");
    read_result(&q, ret);
    return 0;
}

int store_build_result(struct store *s, int64_t task, int64_t attempt, const struct build_result *r,
                       struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_BUILD_RESULT);
    query_int(&q, task);
    query_int(&q, attempt);
    query_text(&q, r->sha256);
    query_text(&q, r->md5);
    query_int(&q, r->bytes);
    return query_hit(&q, e);
}

int store_build_made(struct store *s, int64_t task, int64_t revision, int64_t now_us, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_BUILD_MADE);
    query_int(&q, task);
    if (revision)
        query_int(&q, revision);
    else
        query_null(&q);
    query_int(&q, now_us);
    return query_hit(&q, e);
}

int store_build_overtaken(struct store *s, const struct build_row *b, bool *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_BUILD_OVERTAKEN);
    query_int(&q, b->code);
    query_int(&q, b->created_us);
    int rc = query_row(&q, e);
    if (rc < 0)
        return rc;
    *ret = rc > 0;
    return 0;
}
