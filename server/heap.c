/* The array is 1-based, as in every textbook: children of i are 2i and 2i+1. */
#include "server/heap.h"

#include <stdlib.h>

#include "lib/banned.h"

void heap_release(struct heap *h)
{
    free(h->nodes);
    *h = (struct heap){0};
}

static void put(struct heap *h, struct heap_node *node, size_t place)
{
    h->nodes[place - 1] = node;
    node->place = place;
}

static struct heap_node *at(const struct heap *h, size_t place)
{
    return h->nodes[place - 1];
}

static void sift_up(struct heap *h, struct heap_node *node, size_t place)
{
    for (; place > 1 && at(h, place / 2)->key > node->key; place /= 2)
        put(h, at(h, place / 2), place);
    put(h, node, place);
}

static void sift_down(struct heap *h, struct heap_node *node, size_t place)
{
    for (size_t child; (child = place * 2) <= h->n; place = child) {
        if (child < h->n && at(h, child + 1)->key < at(h, child)->key)
            child++;
        if (at(h, child)->key >= node->key)
            break;
        put(h, at(h, child), place);
    }
    put(h, node, place);
}

/* settle: `node` may be too high or too low where it is. */
static void settle(struct heap *h, struct heap_node *node, size_t place)
{
    if (place > 1 && at(h, place / 2)->key > node->key)
        sift_up(h, node, place);
    else
        sift_down(h, node, place);
}

void heap_set(struct heap *h, struct heap_node *node, int64_t key)
{
    node->key = key;
    if (node->place) {
        settle(h, node, node->place);
        return;
    }
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 16;
        h->nodes = realloc(h->nodes, h->cap * sizeof(struct heap_node *));
        if (!h->nodes)
            abort();
    }
    sift_up(h, node, ++h->n);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    size_t place = node->place;
    if (!place)
        return;
    node->place = 0;
    struct heap_node *last = at(h, h->n--);
    if (last != node)
        settle(h, last, place);
}

struct heap_node *heap_top(const struct heap *h)
{
    return h->n ? h->nodes[0] : NULL;
}
