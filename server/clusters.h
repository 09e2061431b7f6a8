/* Clusters: where tasks wait and runners ask. In memory by name, because a runner may ask for a
 * cluster that no task has named yet; a row and a number come with the first task. The writer's
 * thread only. */
#pragma once

#include "server/map.h"
#include "server/parked.h"
#include "server/store.h"

struct share; /* a project's part of a cluster: server/lanes.c */

struct cluster {
    char *name;
    int64_t n;                /* row number, 0 = has none yet */
    struct share *shares;     /* every project that ever had tasks here */
    struct share *turn;       /* ring of those with a lane that may be claimed; whose turn it is */
    int64_t fresh;            /* tasks that became ready since polls were woken */
    int64_t granted;          /* claims since polls were woken */
    struct parked_list polls; /* runners that wait for work */
};

struct clusters { /* zeroed = empty */
    struct map by_name;
};

void clusters_release(struct clusters *c);
struct cluster *clusters_get(struct clusters *c, const char *name); /* made when it is new */
/* clusters_row: as clusters_get, and sees to a row in the file. "" is the cluster `default`. */
NODISCARD int clusters_row(struct clusters *c, struct store *s, const char *name,
                           struct cluster **ret, struct err *e);
/* clusters_of_row: the cluster with that number. */
NODISCARD int clusters_of_row(struct clusters *c, struct store *s, int64_t n, struct cluster **ret,
                              struct err *e);
/* clusters_forget_rows: the file may have lost rows that were never committed. */
void clusters_forget_rows(struct clusters *c);
