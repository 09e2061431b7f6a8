/* A hash table of pointers whose keys are in the items themselves. Linear probing; items do not
 * move, the table does. One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
    uint64_t hash;
    void *item; /* NULL = free */
};

struct map { /* zeroed = empty */
    struct map_slot *slots;
    size_t cap, n;
};

typedef bool map_eq(const void *item, const void *key);

void map_release(struct map *m); /* not the items; empty and usable again */
void *map_find(const struct map *m, uint64_t hash, map_eq *eq, const void *key); /* or NULL */
void map_put(struct map *m, uint64_t hash, void *item); /* its key is not in there yet */
void map_remove(struct map *m, uint64_t hash, const void *item);
/* map_next: each item in some order; *at starts at 0; NULL at the end. The map may not change. */
void *map_next(const struct map *m, size_t *at);

uint64_t map_hash_int(uint64_t v);
uint64_t map_hash_text(uint64_t seed, const char *s);
