/* Whether the server can do its work: a small durable write every few seconds, by the timer of
 * main.c and never by a request. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct health;
struct writer;

struct health *health_new(struct writer *wr);
/* health_free: after the writer was closed, which ends the probe that may be under way. */
void health_free(struct health *h);
/* health_tick: starts a probe when one is due. Main thread. */
void health_tick(struct health *h);
/* health_ok: how the last probe went; `why` is "" or one sentence. */
bool health_ok(struct health *h, char *why, size_t why_bytes);
