#include "server/zones.h"

#include <stdlib.h>
#include <string.h>

#include "lib/str.h"
#include "lib/banned.h"

struct known_zone {
    char *name;
    struct zone *zone;
};

static bool is_name(const void *item, const void *key)
{
    return strcmp(((const struct known_zone *)item)->name, key) == 0;
}

void zones_release(struct zones *z)
{
    size_t at = 0;
    for (struct known_zone *it; (it = map_next(&z->by_name, &at));) {
        zone_close(it->zone);
        free(it->name);
        free(it);
    }
    map_release(&z->by_name);
}

int zones_get(struct zones *z, const char *name, const struct zone **ret, struct err *e)
{
    uint64_t hash = map_hash_text(0, name);
    struct known_zone *it = map_find(&z->by_name, hash, is_name, name);
    if (!it) {
        struct zone *zone;
        if (zone_open(name, &zone, e) < 0)
            return e->code;
        it = calloc(1, sizeof(*it));
        if (!it)
            abort();
        it->name = str_dup(name);
        it->zone = zone;
        map_put(&z->by_name, hash, it);
    }
    *ret = it->zone;
    return 0;
}
