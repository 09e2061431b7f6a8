/* Rings in rings: cluster → shares (projects) → lanes per priority. All are circular lists whose
 * head pointer names whose turn it is, so "go to the end" is one step of that pointer. */
#include "server/lanes.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/banned.h"

struct share {
    int64_t project;
    struct share *next_of_cluster;
    struct share *prev, *next; /* in the cluster's ring; next NULL = not in it */
    struct lane *turn[PRIORITIES];
};

/* ---- rings ---- */

#define RING_ADD(head, it)                                                                         \
    do {                                                                                           \
        if (head) {                                                                                \
            (it)->next = (head);                                                                   \
            (it)->prev = (head)->prev;                                                             \
            (it)->prev->next = (it);                                                               \
            (it)->next->prev = (it);                                                               \
        } else {                                                                                   \
            (it)->prev = (it)->next = (it);                                                        \
            (head) = (it);                                                                         \
        }                                                                                          \
    } while (0)

#define RING_REMOVE(head, it)                                                                      \
    do {                                                                                           \
        (it)->prev->next = (it)->next;                                                             \
        (it)->next->prev = (it)->prev;                                                             \
        if ((head) == (it))                                                                        \
            (head) = (it)->next == (it) ? NULL : (it)->next;                                       \
        (it)->prev = (it)->next = NULL;                                                            \
    } while (0)

static void ring_join(struct lane *lane)
{
    struct share *sh = lane->share;
    RING_ADD(sh->turn[lane->priority], lane);
    lane->place = LANE_RING;
    if (!sh->next)
        RING_ADD(lane->cluster->turn, sh);
}

static struct lane *share_head(const struct share *sh)
{
    for (int p = PRIORITIES - 1; p >= 0; p--)
        if (sh->turn[p])
            return sh->turn[p];
    return NULL;
}

static void ring_leave(struct lane *lane)
{
    struct share *sh = lane->share;
    RING_REMOVE(sh->turn[lane->priority], lane);
    if (!share_head(sh))
        RING_REMOVE(lane->cluster->turn, sh);
}

/* ---- finding ---- */

static bool is_lane(const void *item, const void *key)
{
    const struct lane *a = item, *b = key;
    return a->cluster == b->cluster && a->code == b->code && a->priority == b->priority;
}

static uint64_t hash_lane(const struct lane *k)
{
    uint64_t cluster = map_hash_int((uint64_t)(uintptr_t)k->cluster);
    return map_hash_int(cluster + (uint64_t)k->code->r.n * PRIORITIES + (uint64_t)k->priority);
}

static struct share *share_of(struct cluster *c, int64_t project)
{
    for (struct share *sh = c->shares; sh; sh = sh->next_of_cluster)
        if (sh->project == project)
            return sh;
    struct share *sh = calloc(1, sizeof(*sh));
    if (!sh)
        abort();
    sh->project = project;
    sh->next_of_cluster = c->shares;
    c->shares = sh;
    return sh;
}

struct lane *lanes_get(struct lanes *l, struct cluster *cluster, struct qcode *code,
                       int64_t priority)
{
    assert(priority >= 0 && priority < PRIORITIES);
    struct lane key = {.cluster = cluster, .code = code, .priority = priority};
    struct lane *lane = map_find(&l->by_key, hash_lane(&key), is_lane, &key);
    if (lane)
        return lane;
    lane = calloc(1, sizeof(*lane));
    if (!lane)
        abort();
    *lane = key;
    lane->share = share_of(cluster, code->r.project);
    lane->next_of_code = code->lanes;
    code->lanes = lane;
    map_put(&l->by_key, hash_lane(&key), lane);
    return lane;
}

struct store_lane lane_row(const struct lane *lane)
{
    return (struct store_lane){lane->cluster->n, lane->code->r.n, lane->priority};
}

void lanes_release(struct lanes *l, struct clusters *c)
{
    size_t at = 0;
    for (struct lane *lane; (lane = map_next(&l->by_key, &at));) {
        lane->code->lanes = NULL;
        free(lane);
    }
    map_release(&l->by_key);
    heap_release(&l->timers);
    at = 0;
    for (struct cluster *cl; (cl = map_next(&c->by_name, &at));) {
        for (struct share *sh = cl->shares, *next; sh; sh = next) {
            next = sh->next_of_cluster;
            free(sh);
        }
        cl->shares = cl->turn = NULL;
    }
}

/* ---- moving ---- */

static void timer_join(struct lanes *l, struct lane *lane, int64_t ready_us)
{
    lane->place = LANE_TIMER;
    heap_set(&l->timers, &lane->ready_us, ready_us);
}

void lane_task(struct lanes *l, struct lane *lane, int64_t ready_us, int64_t now_us)
{
    bool ready = ready_us <= now_us;
    if (ready)
        lane->cluster->fresh++;
    if (lane->place == LANE_RING || lane->place == LANE_HELD)
        return;
    if (ready) {
        heap_remove(&l->timers, &lane->ready_us);
        ring_join(lane);
    } else if (lane->place == LANE_OUT || ready_us < lane->ready_us.key) {
        timer_join(l, lane, ready_us);
    }
}

struct lane *lanes_head(struct cluster *c)
{
    while (c->turn) {
        struct lane *lane = share_head(c->turn);
        if (!qcode_held(lane->code))
            return lane;
        ring_leave(lane);
        lane->place = LANE_HELD;
    }
    return NULL;
}

void lane_served(struct lane *lane)
{
    lane->cluster->granted++;
    lane->share->turn[lane->priority] = lane->next;
    lane->cluster->turn = lane->share->next;
}

void lane_empty(struct lanes *l, struct lane *lane)
{
    if (lane->place == LANE_RING)
        ring_leave(lane);
    heap_remove(&l->timers, &lane->ready_us);
    lane->place = LANE_OUT;
}

void lane_sleep(struct lanes *l, struct lane *lane, int64_t ready_us)
{
    ring_leave(lane);
    timer_join(l, lane, ready_us);
}

void lanes_released(struct qcode *code)
{
    if (qcode_held(code))
        return;
    for (struct lane *lane = code->lanes; lane; lane = lane->next_of_code) {
        if (lane->place != LANE_HELD)
            continue;
        ring_join(lane);
        lane->cluster->fresh++;
    }
}

void lanes_wake(struct lanes *l, int64_t now_us)
{
    struct heap_node *top;
    while ((top = heap_top(&l->timers)) && top->key <= now_us) {
        struct lane *lane = CONTAINER_OF(top, struct lane, ready_us);
        heap_remove(&l->timers, top);
        ring_join(lane);
        lane->cluster->fresh++;
    }
}

int64_t lanes_next_us(const struct lanes *l)
{
    struct heap_node *top = heap_top(&l->timers);
    return top ? top->key : INT64_MAX;
}
