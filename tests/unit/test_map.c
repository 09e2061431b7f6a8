/* server/map and server/heap against what they must hold, with random operations. */
#include "server/map.h"

#include <stdlib.h>

#include "server/heap.h"
#include "tests/unit/tap.h"
#include "lib/banned.h"

#define ITEMS 500
#define STEPS 20000

struct item {
    int64_t key;
    bool in;
    struct heap_node node;
};

static bool is_key(const void *item, const void *key)
{
    return ((const struct item *)item)->key == *(const int64_t *)key;
}

/* Few different hashes, so that there are long runs and removals in the middle of them. */
static uint64_t poor_hash(int64_t key)
{
    return (uint64_t)key % 7;
}

static void check_map(const struct map *m, const struct item *items)
{
    size_t n = 0, at = 0;
    for (int64_t k = 0; k < ITEMS; k++) {
        const struct item *found = map_find(m, poor_hash(k), is_key, &k);
        CHECK(found == (items[k].in ? &items[k] : NULL));
        n += items[k].in;
    }
    for (struct item *it; (it = map_next(m, &at)); n--)
        CHECK(it->in);
    CHECK_INT(n, 0);
}

TEST(a_map_holds_what_was_put_and_not_removed)
{
    static struct item items[ITEMS];
    struct map m = {0};
    srandom(1);
    for (int64_t k = 0; k < ITEMS; k++)
        items[k].key = k;
    for (int i = 0; i < STEPS; i++) {
        struct item *it = &items[random() % ITEMS];
        if (it->in)
            map_remove(&m, poor_hash(it->key), it);
        else
            map_put(&m, poor_hash(it->key), it);
        it->in = !it->in;
        if (i % 500 == 0)
            check_map(&m, items);
    }
    check_map(&m, items);
    map_release(&m);
    CHECK_INT(m.n, 0);
}

TEST(removing_what_is_not_there_changes_nothing)
{
    struct map m = {0};
    struct item a = {.key = 1}, b = {.key = 2};
    map_remove(&m, 1, &a);
    map_put(&m, 1, &a);
    map_remove(&m, 1, &b);
    int64_t key = 1;
    CHECK(map_find(&m, 1, is_key, &key) == &a);
    map_release(&m);
}

TEST(a_heap_gives_the_smallest_key)
{
    static struct item items[ITEMS];
    struct heap h = {0};
    srandom(2);
    for (int i = 0; i < STEPS; i++) {
        struct item *it = &items[random() % ITEMS];
        it->in = random() % 3 != 0;
        if (it->in)
            heap_set(&h, &it->node, random() % 1000);
        else
            heap_remove(&h, &it->node);
        if (i % 100 != 0)
            continue;
        int64_t least = INT64_MAX;
        for (int k = 0; k < ITEMS; k++)
            if (items[k].in && items[k].node.key < least)
                least = items[k].node.key;
        CHECK_INT(heap_top(&h)->key, least);
    }
    int64_t last = INT64_MIN;
    for (struct heap_node *top; (top = heap_top(&h)); heap_remove(&h, top)) {
        CHECK(top->key >= last);
        CHECK(CONTAINER_OF(top, struct item, node)->in);
        last = top->key;
    }
    heap_release(&h);
}

TAP_MAIN
