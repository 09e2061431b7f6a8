/* Watches how much the task has written. The volumes share the host's file system and the engine
 * has no quota for them, so the directories are walked: a little at a time, so that the loop stays
 * quick and the walks take less than 2 % of a processor. Owner: the session. One thread. */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DISK_DEPTH 128 /* a tree nested deeper cannot be measured and counts as full */

struct disk {
    uint64_t limit_bytes;  /* 0 = no limit */
    int64_t due_ms;        /* monotonic time of the next step */
    size_t root;           /* which of the two is being walked; beyond them between rounds */
    DIR *open[DISK_DEPTH]; /* the directories from that root to where the walk is */
    size_t depth;
    dev_t dev;     /* the file system of that root: others are not entered */
    uint64_t used; /* so far in this round */
};

/* disk_init: limit 0 watches nothing. The working directory is init's own by then. */
void disk_init(struct disk *d, uint64_t limit_bytes);
void disk_release(struct disk *d);
/* disk_step: does a part of the round if it is due. True when more than the limit is used. */
bool disk_step(struct disk *d, int64_t now_ms);
/* disk_wait_ms: how long until the next step; -1 = none. */
int64_t disk_wait_ms(const struct disk *d, int64_t now_ms);
