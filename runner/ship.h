/* The shipper: one thread per job beside the slot's, which takes what the job has to say to the
 * server: started, log, end, in this order. It lives as long as the job in this process, and blocks
 * on the server alone. */
#pragma once

#include "runner/job.h"
#include "runner/uplink.h"

struct ship;

/* ship_start: works on `j` with the slot's connection until the job's outcome is settled. */
struct ship *ship_start(struct job *j, struct uplink *u);
void ship_join(struct ship *s); /* waits for the thread and frees */
