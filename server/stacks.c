/* The union of the runners' stacks. Neighbours: server/h_upload.c, server/h_ops.c. */
#include "server/stacks.h"

#include <stdlib.h>
#include <string.h>

#include "api/stack.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"
#include "server/store.h"

#include "lib/banned.h"

struct names {
    char **at;
    size_t n, cap;
};

static void names_release(struct names *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->at[i]);
    free(l->at);
}

static void names_add(struct names *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->at[i], name) == 0)
            return;
    }
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->at = reallocarray(l->at, l->cap, sizeof(*l->at));
        if (!l->at)
            abort();
    }
    l->at[l->n++] = str_dup(name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A runner's list was checked when it registered; what is no array of names adds none. */
static void add_runner(struct names *l, const char *stacks)
{
    autojson struct json *root = NULL;
    struct err broken;
    if (!stacks || json_parse(stacks, strlen(stacks), BOUND_JSON_DEPTH, &root, &broken))
        return;
    for (size_t i = 0; i < json_length(root); i++) {
        const char *name = json_string(json_at(root, i), NULL);
        if (name)
            names_add(l, name);
    }
}

static int collect(struct req *rq, struct names *ret, struct err *e)
{
    struct store *s;
    struct store_runner *runners;
    size_t n;
    if (req_store(rq, &s, e))
        return e->code;
    int rc = store_runner_list(s, &runners, &n, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    for (size_t i = 0; i < n; i++) {
        add_runner(ret, runners[i].stacks);
        store_runner_release(&runners[i]);
    }
    free(runners);
    if (ret->n > 0)
        qsort(ret->at, ret->n, sizeof(*ret->at), by_name);
    return 0;
}

static bool is_known(const struct names *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i], name) == 0)
            return true;
    return false;
}

int stack_check(struct req *rq, const char *name, struct err *e)
{
    AUTO(names) struct names l = {0};
    if (collect(rq, &l, e))
        return e->code;
    const char *today = stack_today(name);
    if (l.n == 0 || is_known(&l, name) || (today && is_known(&l, today)))
        return 0;
    AUTO(buf) struct buf known = BUF_INIT(BOUND_MSG_BYTES);
    for (size_t i = 0; i < l.n; i++)
        buf_addf(&known, "%s%s", i ? ", " : "", l.at[i]);
    return err_set(e, ERR_INVALID, "stack: there is no %.64s; there are %s", name, buf_str(&known));
}

int stack_list(struct req *rq, struct jsonw *w, struct err *e)
{
    AUTO(names) struct names l = {0};
    if (collect(rq, &l, e))
        return e->code;
    for (size_t i = 0; i < l.n; i++)
        jw_str(w, NULL, l.at[i]);
    return 0;
}
