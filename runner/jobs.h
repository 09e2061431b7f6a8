/* The jobs in work on this runner: what is held, for the heartbeat, and whose containers are alive,
 * for the janitor. Any thread; lock order: jobs before job. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/job.h"

struct jobs;

struct jobs *jobs_new(void);
void jobs_free(struct jobs *js);

void jobs_add(struct jobs *js, struct job *j); /* borrowed until jobs_remove */
void jobs_remove(struct jobs *js, struct job *j);
size_t jobs_count(struct jobs *js);
/* jobs_has_container: a job runs in the container of this name, or, adopted, in its network; a net
 * sandbox of this process is the sandboxes' to know. */
bool jobs_has_container(struct jobs *js, const char *name);

/* jobs_held: the attempts held, as an owned array. */
size_t jobs_held(struct jobs *js, struct held **ret);
int64_t jobs_newest_ms(struct jobs *js); /* when the newest of them came (monotonic) */
/* jobs_order: gives an order to the job it names; false when there is none. */
bool jobs_order(struct jobs *js, const struct held *order);
void jobs_wake_all(struct jobs *js);
