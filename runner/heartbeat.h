/* The heartbeat thread: renews the leases of all held attempts by a parked call, and hands the
 * orders that come back to their jobs. It blocks on the server alone. */
#pragma once

#include "runner/jobs.h"
#include "runner/node.h"

struct heartbeat;

struct heartbeat *heartbeat_start(struct node *n, struct jobs *js);
/* heartbeat_stop: after the last slot has ended. */
void heartbeat_stop(struct heartbeat *h);
