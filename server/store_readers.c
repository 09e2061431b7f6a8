/* The pool of read-only connections: as many as were ever needed at once. */
#include "server/store_priv.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/str.h"
#include "lib/banned.h"

struct store_readers {
    char *dir;
    pthread_mutex_t mu;
    struct store *idle; /* guarded by mu */
};

int store_readers_open(const char *dir, struct store_readers **ret, struct err *e)
{
    struct store *first = NULL;
    if (store_open_reader(dir, &first, e) < 0)
        return e->code;
    struct store_readers *p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    p->dir = str_dup(dir);
    pthread_mutex_init(&p->mu, NULL);
    p->idle = first;
    *ret = p;
    return 0;
}

void store_readers_close(struct store_readers *p)
{
    if (!p)
        return;
    for (struct store *s = p->idle, *next; s; s = next) {
        next = s->next;
        store_close(s);
    }
    pthread_mutex_destroy(&p->mu);
    free(p->dir);
    free(p);
}

int store_reader_get(struct store_readers *p, struct store **ret, struct err *e)
{
    pthread_mutex_lock(&p->mu);
    struct store *s = p->idle;
    if (s)
        p->idle = s->next;
    pthread_mutex_unlock(&p->mu);
    if (!s)
        return store_open_reader(p->dir, ret, e);
    *ret = s;
    return 0;
}

void store_reader_put(struct store_readers *p, struct store *s)
{
    pthread_mutex_lock(&p->mu);
    s->next = p->idle;
    p->idle = s;
    pthread_mutex_unlock(&p->mu);
}
