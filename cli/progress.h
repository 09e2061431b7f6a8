/* A progress bar on stderr, where that is a terminal; else nothing. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on;
    int percent; /* last drawn; -1 = nothing yet */
    int64_t drawn_ms;
};

void progress_init(struct progress *p);
/* progress_update: redraws when there is something new to see, at most ten times a second. */
void progress_update(struct progress *p, uint64_t done, uint64_t total);
/* progress_done: leaves the line. */
void progress_done(struct progress *p);

/* progress_text: "[=====     ]  50%  1.0 MiB of 2.0 MiB" into `out`. */
#define PROGRESS_TEXT 128
void progress_text(uint64_t done, uint64_t total, char out[PROGRESS_TEXT]);
