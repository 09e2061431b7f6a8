/* Runners, as they last said that they are. */
#include "server/store_admin.h"
#include "server/store_write.h"

#include <stdlib.h>

#include "lib/bounds.h"
#include "server/store_priv.h"
#include "lib/banned.h"

int store_runner_put(struct store *s, const struct runner_hello *h, int64_t now_us, struct err *e)
{
    AUTO(buf) struct buf stacks = BUF_INIT(BOUND_JSON_BODY_BYTES);
    json_text(h->stacks, &stacks);
    if (buf_check(&stacks, "stacks", e) < 0)
        return e->code;
    AUTO(query) struct query q = query_start(s, SQL_RUNNER_PUT);
    query_text(&q, h->runner);
    query_text(&q, h->cluster);
    query_int(&q, h->slots);
    query_text(&q, h->version);
    query_text(&q, h->engine_version);
    query_text(&q, h->problem);
    query_text(&q, buf_str(&stacks));
    query_int(&q, now_us);
    return query_done(&q, e);
}

void store_runner_release(struct store_runner *r)
{
    free(TAKE(r->cluster));
    free(TAKE(r->version));
    free(TAKE(r->engine_version));
    free(TAKE(r->problem));
    free(TAKE(r->stacks));
}

static void read_runner(struct query *q, struct store_runner *r)
{
    read_copy(q, r->name, sizeof(r->name));
    r->cluster = read_text(q);
    r->slots = read_int(q);
    r->version = read_text(q);
    r->engine_version = read_text(q);
    r->problem = read_text(q);
    r->stacks = read_text(q);
    r->seen_us = read_int(q);
}

int store_runner_list(struct store *s, struct store_runner **ret, size_t *ret_n, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_RUNNER_LIST);
    struct store_runner *list = NULL;
    size_t n = 0, cap = 0;
    int rc;
    while ((rc = query_row(&q, e)) > 0) {
        list = store_grow(list, n, &cap, sizeof(*list));
        read_runner(&q, &list[n++]);
    }
    if (rc < 0) {
        while (n > 0)
            store_runner_release(&list[--n]);
        free(list);
        return rc;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}
