/* A binary heap of nodes that live inside other structs: the smallest key is on top, and any node
 * can be moved or taken out, because it knows its place. One thread at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t key;
    size_t place; /* 1 … n; 0 = in no heap */
};

struct heap { /* zeroed = empty */
    struct heap_node **nodes;
    size_t n, cap;
};

void heap_release(struct heap *h); /* not the nodes; empty and usable again */
/* heap_set: puts the node in, or moves it, with this key. */
void heap_set(struct heap *h, struct heap_node *node, int64_t key);
void heap_remove(struct heap *h, struct heap_node *node); /* in no heap: fine */
struct heap_node *heap_top(const struct heap *h);         /* NULL when empty */

/* The struct that `node` is a member of. */
#define CONTAINER_OF(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))
