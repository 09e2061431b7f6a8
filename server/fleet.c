/* Runners by name, leases by task, and one heap of deadlines. */
#include "server/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/str.h"
#include "lib/banned.h"

/* ---- runners ---- */

static bool is_runner(const void *item, const void *key)
{
    return strcmp(((const struct runner *)item)->name, key) == 0;
}

struct runner *fleet_known(const struct fleet *f, const char *name)
{
    return map_find(&f->runners, map_hash_text(0, name), is_runner, name);
}

struct runner *fleet_runner(struct fleet *f, const char *name)
{
    struct runner *r = fleet_known(f, name);
    if (r)
        return r;
    r = calloc(1, sizeof(*r));
    if (!r)
        abort();
    str_copy(r->name, sizeof(r->name), name);
    runner_told(r, "", 0, "", "[]");
    map_put(&f->runners, map_hash_text(0, r->name), r);
    return r;
}

static void runner_clear(struct runner *r)
{
    free(TAKE(r->cluster));
    free(TAKE(r->problem));
    free(TAKE(r->stacks));
}

void runner_told(struct runner *r, const char *cluster, int64_t slots, const char *problem,
                 const char *stacks)
{
    runner_clear(r);
    r->cluster = str_dup(cluster);
    r->problem = str_dup(problem);
    r->stacks = str_dup(stacks);
    r->slots = slots;
}

void fleet_release(struct fleet *f)
{
    fleet_drop_leases(f);
    size_t at = 0;
    for (struct runner *r; (r = map_next(&f->runners, &at));) {
        runner_clear(r);
        free(r);
    }
    map_release(&f->runners);
}

/* ---- leases ---- */

static bool is_task(const void *item, const void *key)
{
    return ((const struct lease *)item)->task == *(const int64_t *)key;
}

static uint64_t hash_task(int64_t task)
{
    return map_hash_int((uint64_t)task);
}

struct lease *lease_new(struct fleet *f, struct runner *r, struct qcode *code,
                        const struct attempt_row *a, int64_t deadline_ms)
{
    struct lease *l = calloc(1, sizeof(*l));
    if (!l)
        abort();
    *l = (struct lease){.task = a->task,
                        .attempt = a->no,
                        .code = code,
                        .runner = r,
                        .slot = a->slot,
                        .started = a->started_us != 0,
                        .next = r->leases};
    str_copy(l->poll, sizeof(l->poll), a->poll);
    if (l->next)
        l->next->prev = l;
    r->leases = l;
    code->live++;
    map_put(&f->leases, hash_task(l->task), l);
    heap_set(&f->deadlines, &l->deadline_ms, deadline_ms);
    return l;
}

void lease_free(struct fleet *f, struct lease *l)
{
    *(l->prev ? &l->prev->next : &l->runner->leases) = l->next;
    if (l->next)
        l->next->prev = l->prev;
    l->code->live--;
    map_remove(&f->leases, hash_task(l->task), l);
    heap_remove(&f->deadlines, &l->deadline_ms);
    free(l);
}

void lease_extend(struct fleet *f, struct lease *l, int64_t deadline_ms)
{
    heap_set(&f->deadlines, &l->deadline_ms, deadline_ms);
}

struct lease *lease_of_task(const struct fleet *f, int64_t task)
{
    return map_find(&f->leases, hash_task(task), is_task, &task);
}

struct lease *fleet_first_due(const struct fleet *f)
{
    struct heap_node *top = heap_top(&f->deadlines);
    return top ? CONTAINER_OF(top, struct lease, deadline_ms) : NULL;
}

void fleet_drop_leases(struct fleet *f)
{
    size_t at = 0;
    for (struct lease *l; (l = map_next(&f->leases, &at));) {
        l->runner->leases = NULL;
        free(l);
    }
    map_release(&f->leases);
    heap_release(&f->deadlines);
}

void fleet_extend_all(struct fleet *f, int64_t deadline_ms)
{
    size_t at = 0;
    for (struct lease *l; (l = map_next(&f->leases, &at));)
        lease_extend(f, l, deadline_ms);
}
