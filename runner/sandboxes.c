/* The names of the living sandboxes, and the operator's rules. */
#include "runner/sandboxes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/netrule.h"

#include "lib/banned.h"

struct sandboxes {
    struct node *node;
    struct words rules;
    pthread_mutex_t mu;
    struct words names; /* guarded by mu */
};

static int read_rules(const struct settings *set, struct words *ret, struct err *e)
{
    static struct net_rule rules[NET_RULES]; /* at start, one thread */
    size_t n = 0;
    const struct {
        const char *flag, *list;
        bool allow;
    } flags[] = {{"--allow-net", set->allow_net, true}, {"--deny-net", set->deny_net, false}};
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (net_rules_parse(flags[i].list, flags[i].allow, rules, &n, e)) {
            e->code = ERR_USAGE;
            return err_wrap(e, "%s", flags[i].flag);
        }
    }
    for (size_t i = 0; i < n; i++) {
        AUTO(buf) struct buf word = BUF_INIT(NET_RULE_BYTES);
        net_rule_write(&rules[i], &word);
        words_add(ret, buf_str(&word));
    }
    return 0;
}

int sandboxes_new(struct node *n, struct sandboxes **ret, struct err *e)
{
    struct words rules = {0};
    if (read_rules(&n->set, &rules, e))
        return e->code;
    struct sandboxes *sbs = calloc(1, sizeof *sbs);
    if (!sbs)
        abort();
    sbs->node = n;
    sbs->rules = rules;
    pthread_mutex_init(&sbs->mu, NULL);
    *ret = sbs;
    return 0;
}

void sandboxes_free(struct sandboxes *sbs)
{
    if (!sbs)
        return;
    words_release(&sbs->rules);
    words_release(&sbs->names);
    pthread_mutex_destroy(&sbs->mu);
    free(sbs);
}

struct node *sandboxes_node(const struct sandboxes *sbs)
{
    return sbs->node;
}

const struct words *sandboxes_rules(const struct sandboxes *sbs)
{
    return &sbs->rules;
}

/* mu held; the number of names when it is not there */
static size_t place_of(const struct sandboxes *sbs, const char *name)
{
    size_t i = 0;
    while (i < sbs->names.n && strcmp(sbs->names.v[i], name) != 0)
        i++;
    return i;
}

void sandboxes_add(struct sandboxes *sbs, const char *name)
{
    pthread_mutex_lock(&sbs->mu);
    words_add(&sbs->names, name);
    pthread_mutex_unlock(&sbs->mu);
}

void sandboxes_drop(struct sandboxes *sbs, const char *name)
{
    pthread_mutex_lock(&sbs->mu);
    size_t i = place_of(sbs, name);
    if (i < sbs->names.n) {
        free(sbs->names.v[i]);
        sbs->names.v[i] = sbs->names.v[--sbs->names.n];
        sbs->names.v[sbs->names.n] = NULL;
    }
    pthread_mutex_unlock(&sbs->mu);
}

bool sandboxes_has(struct sandboxes *sbs, const char *name)
{
    pthread_mutex_lock(&sbs->mu);
    bool found = place_of(sbs, name) < sbs->names.n;
    pthread_mutex_unlock(&sbs->mu);
    return found;
}
