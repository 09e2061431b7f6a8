/* The writer: the one thread that changes the database. It owns the read-write store and the
 * queue's rules, and runs the operations of server/ops.h in batches, one transaction each. Any
 * thread may submit. */
#pragma once

#include <stdint.h>

#include "lib/err.h"
#include "lib/id.h"
#include "server/work.h"

/* Where the rules have the time from; tests bring their own. */
struct time_source {
    int64_t (*now_us)(void *arg);  /* UTC */
    int64_t (*mono_ms)(void *arg); /* never goes back */
    void *arg;
};

struct writer;

struct writer_conf {
    const char *data_dir;
    int64_t infra_retries; /* per task: so many failures of ours are forgiven */
    /* Called in the writer's thread after a commit, for every task whose state or attempt changed:
     * followers wake. NULL = none. */
    void (*on_task)(int64_t task, void *arg);
    void *arg;
    const struct time_source *time; /* NULL = the system's clocks */
};
#define INFRA_RETRIES_DEFAULT 10

NODISCARD int writer_open(const struct writer_conf *c, struct writer **ret, struct err *e);
void writer_submit(struct writer *wr, struct work *w);
int writer_run(struct writer *wr, struct work *w); /* inbox_run */
const struct id_key *writer_ids(const struct writer *wr);
/* writer_quiesce: ends all parked polls and renewals (their done is called); later ones are not
 * parked. */
void writer_quiesce(struct writer *wr);
void writer_close(struct writer *wr); /* NULL is fine */
