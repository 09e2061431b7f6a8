/* Two indexes over the same items: number, and (project, name) while the name is the code's. */
#include "server/codes.h"

#include <stdlib.h>
#include <string.h>

#include "lib/banned.h"

struct name_key {
    int64_t project;
    const char *name;
};

static uint64_t hash_n(int64_t n)
{
    return map_hash_int((uint64_t)n);
}

static uint64_t hash_name(int64_t project, const char *name)
{
    return map_hash_text((uint64_t)project, name);
}

static bool is_n(const void *item, const void *key)
{
    return ((const struct qcode *)item)->r.n == *(const int64_t *)key;
}

static bool is_name(const void *item, const void *key)
{
    const struct qcode *c = item;
    const struct name_key *k = key;
    return c->r.project == k->project && strcmp(c->r.name, k->name) == 0;
}

void codes_release(struct codes *c)
{
    size_t at = 0;
    for (struct qcode *code; (code = map_next(&c->by_n, &at));) {
        code_rules_release(&code->r);
        free(code);
    }
    map_release(&c->by_n);
    map_release(&c->by_name);
}

struct qcode *codes_known(const struct codes *c, int64_t n)
{
    return map_find(&c->by_n, hash_n(n), is_n, &n);
}

static struct qcode *add(struct codes *c, const struct code_rules *take)
{
    struct qcode *code = calloc(1, sizeof(*code));
    if (!code)
        abort();
    code->r = *take;
    map_put(&c->by_n, hash_n(code->r.n), code);
    if (!code->r.deleted)
        map_put(&c->by_name, hash_name(code->r.project, code->r.name), code);
    return code;
}

int codes_by_n(struct codes *c, struct store *s, int64_t n, struct qcode **ret, struct err *e)
{
    struct qcode *code = codes_known(c, n);
    if (!code) {
        struct code_rules r;
        if (store_code_rules(s, n, &r, e) < 0)
            return e->code;
        code = add(c, &r);
    }
    *ret = code;
    return 0;
}

int codes_by_name(struct codes *c, struct store *s, int64_t project, const char *name,
                  struct qcode **ret, struct err *e)
{
    struct name_key key = {project, name};
    struct qcode *code = map_find(&c->by_name, hash_name(project, name), is_name, &key);
    if (!code) {
        struct code_rules r;
        if (store_code_rules_by_name(s, project, name, &r, e) < 0)
            return e->code;
        code = add(c, &r);
    }
    *ret = code;
    return 0;
}

void codes_deleted(struct codes *c, struct qcode *code)
{
    map_remove(&c->by_name, hash_name(code->r.project, code->r.name), code);
    code->r.deleted = true;
}

bool qcode_full(const struct qcode *c)
{
    return c->r.max_concurrency > 0 && c->live >= c->r.max_concurrency;
}

bool qcode_held(const struct qcode *c)
{
    return c->r.deleted || c->r.paused || qcode_full(c);
}
