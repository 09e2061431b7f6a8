/* Linear probing at most 3/4 full; removal shifts what follows back, so there are no tombstones. */
#include "server/map.h"

#include <stdlib.h>

#include "lib/banned.h"

#define FIRST_CAP 64 /* a power of two, as every later one */

void map_release(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}

void *map_find(const struct map *m, uint64_t hash, map_eq *eq, const void *key)
{
    if (m->n == 0)
        return NULL;
    for (size_t i = hash & (m->cap - 1); m->slots[i].item; i = (i + 1) & (m->cap - 1))
        if (m->slots[i].hash == hash && eq(m->slots[i].item, key))
            return m->slots[i].item;
    return NULL;
}

static void place(struct map *m, uint64_t hash, void *item)
{
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].item)
        i = (i + 1) & (m->cap - 1);
    m->slots[i] = (struct map_slot){hash, item};
}

static void grow(struct map *m)
{
    struct map old = *m;
    m->cap = old.cap ? old.cap * 2 : FIRST_CAP;
    m->slots = calloc(m->cap, sizeof(*m->slots));
    if (!m->slots)
        abort();
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].item)
            place(m, old.slots[i].hash, old.slots[i].item);
    free(old.slots);
}

void map_put(struct map *m, uint64_t hash, void *item)
{
    if ((m->n + 1) * 4 > m->cap * 3)
        grow(m);
    place(m, hash, item);
    m->n++;
}

void map_remove(struct map *m, uint64_t hash, const void *item)
{
    if (m->n == 0)
        return;
    size_t mask = m->cap - 1, hole = hash & mask;
    while (m->slots[hole].item && m->slots[hole].item != item)
        hole = (hole + 1) & mask;
    if (!m->slots[hole].item)
        return;
    /* Whatever follows moves into the hole, unless its own place lies between the hole and it. */
    for (size_t i = (hole + 1) & mask; m->slots[i].item; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole].item = NULL;
    m->n--;
}

void *map_next(const struct map *m, size_t *at)
{
    while (*at < m->cap) {
        void *item = m->slots[(*at)++].item;
        if (item)
            return item;
    }
    return NULL;
}

uint64_t map_hash_int(uint64_t v)
{
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u; /* splitmix64's finisher */
    v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
    return v ^ (v >> 31);
}

uint64_t map_hash_text(uint64_t seed, const char *s)
{
    uint64_t h = 0xcbf29ce484222325u ^ seed; /* FNV-1a */
    for (; *s; s++)
        h = (h ^ (uint8_t)*s) * 0x100000001b3u;
    return map_hash_int(h);
}
