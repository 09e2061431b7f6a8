/* Lists in order of first arrival, and one heap of deadlines over all of them. */
#include "server/parked.h"

#include <string.h>

#include "lib/banned.h"

void parking_release(struct parking *p)
{
    heap_release(&p->timers);
}

void parked_add(struct parking *p, struct parked_list *list, struct parked *it)
{
    if (it->order == 0)
        it->order = ++p->orders;
    struct parked *before = list->last; /* nearly always the place */
    while (before && before->order > it->order)
        before = before->prev;
    it->in = list;
    it->prev = before;
    it->next = before ? before->next : list->first;
    *(it->prev ? &it->prev->next : &list->first) = it;
    *(it->next ? &it->next->prev : &list->last) = it;
    heap_set(&p->timers, &it->timer, it->deadline_ms);
}

void parked_remove(struct parking *p, struct parked *it)
{
    *(it->prev ? &it->prev->next : &it->in->first) = it->next;
    *(it->next ? &it->next->prev : &it->in->last) = it->prev;
    it->in = NULL;
    heap_remove(&p->timers, &it->timer);
}

struct parked *parked_find(const struct parked_list *list, const char *runner, int64_t slot)
{
    for (struct parked *it = list->first; it; it = it->next)
        if (it->slot == slot && strcmp(it->runner, runner) == 0)
            return it;
    return NULL;
}

struct parked *parking_next(const struct parking *p)
{
    struct heap_node *top = heap_top(&p->timers);
    return top ? CONTAINER_OF(top, struct parked, timer) : NULL;
}
