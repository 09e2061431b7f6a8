/* Codes, revisions and the packages they name. */
#include "server/store_write.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/str.h"
#include "server/store_priv.h"
#include "lib/banned.h"

static int no_code(struct err *e)
{
    return err_set(e, ERR_NOT_FOUND, "code not found");
}

/* ---- reads for clients ---- */

static void read_code(struct query *q, struct code *c)
{
    read_id(q, ID_CODE, c->id);
    read_id(q, ID_PROJECT, c->project_id);
    read_id(q, ID_REVISION, c->latest_history_id);
    c->name = read_text(q);
    c->rev = read_int(q);
    c->created_us = read_int(q);
    c->updated_us = read_int(q);
    c->latest_change_us = read_int(q);
    c->image = read_text(q);
    c->command = read_text(q);
    c->runtime = read_text(q);
    c->stack = read_text(q);
    c->file_name = read_text(q);
    c->config = read_text(q);
    c->checksum = read_text(q);
    c->env_vars = read_text_opt(q);
    c->max_concurrency = read_int(q);
    c->retries = read_int(q);
    c->retries_delay_s = read_int(q);
    c->default_priority = read_int(q);
    c->paused = read_bool(q);
    c->package_bytes = read_int(q);
}

/* one_code: the single code that a bound query gives. */
static int one_code(struct query *q, struct code *ret, struct err *e)
{
    int rc = query_row(q, e);
    if (rc <= 0)
        return rc < 0 ? rc : no_code(e);
    struct code c = {0};
    read_code(q, &c);
    *ret = c;
    return 0;
}

int store_code_find(struct store *s, int64_t project, const char *id, struct code *ret,
                    struct err *e)
{
    int64_t n = 0;
    uint32_t created_s = 0;
    if (!id_decode(&s->ids, ID_CODE, id, &n, &created_s))
        return no_code(e);
    AUTO(query) struct query q = query_start(s, SQL_CODE_FIND);
    query_int(&q, n);
    query_int(&q, project);
    struct code c;
    if (one_code(&q, &c, e) < 0)
        return e->code;
    if (!id_matches(created_s, c.created_us)) {
        code_release(&c);
        return no_code(e);
    }
    *ret = c;
    return 0;
}

int store_code_by_name(struct store *s, int64_t project, const char *name, struct code *ret,
                       struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CODE_BY_NAME);
    query_int(&q, project);
    query_text(&q, name);
    return one_code(&q, ret, e);
}

int store_code_list(struct store *s, int64_t project, struct store_page page, struct code **ret,
                    size_t *ret_n, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CODE_LIST);
    query_int(&q, project);
    query_page(&q, page);
    struct code *list = NULL;
    size_t n = 0, cap = 0;
    int rc;
    while ((rc = query_row(&q, e)) > 0) {
        list = store_grow(list, n, &cap, sizeof(*list));
        read_code(&q, &list[n++]);
    }
    if (rc < 0) {
        while (n > 0)
            code_release(&list[--n]);
        free(list);
        return rc;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

int store_code_stats(struct store *s, int64_t project, const char *code_id, int64_t from_us,
                     int64_t to_us, int64_t ret[TASK_STATES], struct err *e)
{
    int64_t code = 0, counts[TASK_STATES] = {0};
    if (store_code_row(s, project, code_id, &code, e) < 0)
        return e->code;
    AUTO(query) struct query q = query_start(s, SQL_CODE_STATS);
    query_int(&q, code);
    query_int(&q, from_us);
    query_int(&q, to_us);
    int rc;
    while ((rc = query_row(&q, e)) > 0) {
        int64_t state = read_int(&q);
        if (state >= 0 && state < TASK_STATES)
            counts[state] = read_int(&q);
    }
    if (rc < 0)
        return rc;
    memcpy(ret, counts, sizeof(counts));
    return 0;
}

static void read_revision(struct query *q, struct revision *r)
{
    read_id(q, ID_REVISION, r->id);
    read_id(q, ID_CODE, r->code_id);
    read_id(q, ID_PROJECT, r->project_id);
    r->name = read_text(q);
    r->rev = read_int(q);
    r->created_us = read_int(q);
    r->image = read_text(q);
    r->command = read_text(q);
    r->runtime = read_text(q);
    r->stack = read_text(q);
    r->file_name = read_text(q);
    r->checksum = read_text(q);
    r->package_bytes = read_int(q);
}

int store_revision_list(struct store *s, int64_t project, const char *code_id,
                        struct store_page page, struct revision **ret, size_t *ret_n, struct err *e)
{
    int64_t code = 0;
    if (store_code_row(s, project, code_id, &code, e) < 0)
        return e->code;
    AUTO(query) struct query q = query_start(s, SQL_REVISION_LIST);
    query_int(&q, code);
    query_page(&q, page);
    struct revision *list = NULL;
    size_t n = 0, cap = 0;
    int rc;
    while ((rc = query_row(&q, e)) > 0) {
        list = store_grow(list, n, &cap, sizeof(*list));
        read_revision(&q, &list[n++]);
    }
    if (rc < 0) {
        while (n > 0)
            revision_release(&list[--n]);
        free(list);
        return rc;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

int store_package_of(struct store *s, int64_t project, const char *code_id, int64_t rev,
                     char ret_sha256[65], char *ret_name, size_t name_bytes, int64_t *ret_rev,
                     struct err *e)
{
    int64_t code = 0;
    if (store_code_row(s, project, code_id, &code, e) < 0)
        return e->code;
    AUTO(query) struct query q = query_start(s, SQL_PACKAGE_OF);
    query_int(&q, code);
    query_int(&q, rev);
    int rc = query_row(&q, e);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(e, ERR_NOT_FOUND, "this revision has no package");
    read_copy(&q, ret_sha256, 65);
    *ret_rev = read_int(&q);
    read_copy(&q, ret_name, name_bytes);
    return 0;
}

int store_package_known(struct store *s, const char *sha256, bool *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_PACKAGE_KNOWN);
    query_text(&q, sha256);
    int rc = query_row(&q, e);
    if (rc < 0)
        return rc;
    *ret = rc > 0;
    return 0;
}

/* ---- what the rules need ---- */

void code_rules_release(struct code_rules *r)
{
    free(TAKE(r->name));
}

static int one_rules(struct query *q, struct code_rules *ret, struct err *e)
{
    int rc = query_row(q, e);
    if (rc <= 0)
        return rc < 0 ? rc : no_code(e);
    ret->n = read_int(q);
    ret->project = read_int(q);
    ret->created_us = read_int(q);
    ret->name = read_text(q);
    ret->rev = read_int(q);
    ret->revision = read_int(q);
    ret->max_concurrency = read_int(q);
    ret->retries = read_int(q);
    ret->retries_delay_s = read_int(q);
    ret->default_priority = read_int(q);
    ret->paused = read_bool(q);
    ret->deleted = read_bool(q);
    return 0;
}

int store_code_rules(struct store *s, int64_t n, struct code_rules *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CODE_RULES);
    query_int(&q, n);
    return one_rules(&q, ret, e);
}

int store_code_rules_by_name(struct store *s, int64_t project, const char *name,
                             struct code_rules *ret, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CODE_RULES_BY_NAME);
    query_int(&q, project);
    query_text(&q, name);
    return one_rules(&q, ret, e);
}

int store_code_row(struct store *s, int64_t project, const char *id, int64_t *ret_n, struct err *e)
{
    int64_t n = 0;
    uint32_t created_s = 0;
    if (!id_decode(&s->ids, ID_CODE, id, &n, &created_s))
        return no_code(e);
    struct code_rules r;
    if (store_code_rules(s, n, &r, e) < 0)
        return e->code;
    bool is_it = r.project == project && !r.deleted && id_matches(created_s, r.created_us);
    code_rules_release(&r);
    if (!is_it)
        return no_code(e);
    *ret_n = n;
    return 0;
}

int store_code_add(struct store *s, const struct code_rules *r, int64_t now_us, int64_t *ret_n,
                   struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CODE_ADD);
    query_int(&q, r->project);
    query_text(&q, r->name);
    query_int(&q, r->max_concurrency);
    query_int(&q, r->retries);
    query_int(&q, r->retries_delay_s);
    query_int(&q, r->default_priority);
    query_int(&q, now_us);
    return query_insert(&q, ret_n, e);
}

int store_code_update(struct store *s, const struct code_rules *r, bool new_revision,
                      int64_t now_us, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CODE_UPDATE);
    query_int(&q, r->n);
    query_int(&q, r->max_concurrency);
    query_int(&q, r->retries);
    query_int(&q, r->retries_delay_s);
    query_int(&q, r->default_priority);
    query_int(&q, r->rev);
    query_int(&q, r->revision);
    query_int(&q, now_us);
    query_int(&q, new_revision);
    return query_hit(&q, e);
}

int store_code_pause(struct store *s, int64_t n, bool paused, int64_t now_us, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CODE_PAUSE);
    query_int(&q, n);
    query_int(&q, paused);
    query_int(&q, now_us);
    return query_hit(&q, e);
}

int store_code_delete(struct store *s, int64_t n, int64_t now_us, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_CODE_DELETE);
    query_int(&q, n);
    query_int(&q, now_us);
    return query_hit(&q, e);
}

int store_revision_add(struct store *s, int64_t code, int64_t rev, const struct code_upload *up,
                       const struct store_package *p, int64_t now_us, int64_t *ret_n, struct err *e)
{
    AUTO(buf) struct buf env = BUF_INIT(BOUND_JSON_BODY_BYTES);
    if (up->env_vars)
        json_text(up->env_vars, &env);
    if (buf_check(&env, "env_vars", e) < 0)
        return e->code;
    AUTO(query) struct query q = query_start(s, SQL_REVISION_ADD);
    query_int(&q, code);
    query_int(&q, rev);
    query_int(&q, now_us);
    query_text(&q, up->image);
    query_text(&q, up->command);
    query_text(&q, up->runtime);
    query_text(&q, up->stack);
    query_text(&q, up->file_name);
    query_text(&q, up->config);
    query_text(&q, up->env_vars ? buf_str(&env) : NULL);
    query_text(&q, p->sha256);
    query_text(&q, p->md5);
    query_int(&q, p->bytes);
    return query_insert(&q, ret_n, e);
}
