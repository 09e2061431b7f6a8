/* Few in number: one map by name; by row number they are only looked up when memory is rebuilt and
 * when a task changes hands. */
#include "server/clusters.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/str.h"
#include "server/store_admin.h"
#include "server/store_write.h"
#include "lib/banned.h"

static bool is_name(const void *item, const void *key)
{
    return strcmp(((const struct cluster *)item)->name, key) == 0;
}

void clusters_release(struct clusters *c)
{
    size_t at = 0;
    for (struct cluster *it; (it = map_next(&c->by_name, &at));) {
        free(it->name);
        free(it);
    }
    map_release(&c->by_name);
}

struct cluster *clusters_get(struct clusters *c, const char *name)
{
    if (!name[0])
        name = "default";
    uint64_t hash = map_hash_text(0, name);
    struct cluster *it = map_find(&c->by_name, hash, is_name, name);
    if (it)
        return it;
    it = calloc(1, sizeof(*it));
    if (!it)
        abort();
    it->name = str_dup(name);
    map_put(&c->by_name, hash, it);
    return it;
}

int clusters_row(struct clusters *c, struct store *s, const char *name, struct cluster **ret,
                 struct err *e)
{
    struct cluster *it = clusters_get(c, name);
    if (it->n == 0) {
        int64_t n = 0;
        int rc = store_cluster_find(s, it->name, &n, e);
        if (rc == ERR_NOT_FOUND) {
            err_clear(e);
            rc = store_cluster_add(s, it->name, &n, e);
        }
        if (rc < 0)
            return rc;
        it->n = n;
    }
    *ret = it;
    return 0;
}

int clusters_of_row(struct clusters *c, struct store *s, int64_t n, struct cluster **ret,
                    struct err *e)
{
    size_t at = 0;
    for (struct cluster *it; (it = map_next(&c->by_name, &at));) {
        if (it->n == n) {
            *ret = it;
            return 0;
        }
    }
    autofree char *name = NULL;
    if (store_cluster_name(s, n, &name, e) < 0)
        return e->code;
    *ret = clusters_get(c, name);
    (*ret)->n = n;
    return 0;
}

void clusters_forget_rows(struct clusters *c)
{
    size_t at = 0;
    for (struct cluster *it; (it = map_next(&c->by_name, &at));)
        it->n = 0;
}
