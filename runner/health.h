/* The runner's own small HTTP side, for supervisors and Prometheus: GET /health (200, or 503 with
 * the reason why no task can run here) and GET /metrics. Answers from memory, never asks the engine
 * or the server. */
#pragma once

#include "runner/jobs.h"
#include "runner/node.h"

struct health;

/* health_start: `listen` is HOST:PORT; port 0 picks one. Prints "listening on http://HOST:PORT". */
NODISCARD int health_start(struct node *n, struct jobs *js, const char *listen, struct health **ret,
                           struct err *e);
void health_stop(struct health *h); /* NULL is fine */
