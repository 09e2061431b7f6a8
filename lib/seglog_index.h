/* The .seg file of a seglog, seen as a list of runs: where an offset lies in it, without keeping
 * the list in memory. Every `stride` records one position is marked; when the marks are full, every
 * second one goes and the stride doubles. From a mark on, the file is read. Only seglog.c uses
 * this. One thread at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/seglog.h"

#define SEG_RECORD_BYTES 4
#define SEG_RUN_MAX      0x7FFFFFFFu /* longest run that one record can name */

/* The place before record `rec`: the raw bytes before it, and those of them that are stdout. */
struct seg_pos {
    uint64_t rec;
    uint64_t raw;
    uint64_t out;
};

struct seg_run {
    enum seg_stream stream;
    uint32_t len; /* 0: no run there */
};

static inline uint64_t seg_view(const struct seg_pos *at, enum seg_filter filter)
{
    return filter == SEG_BOTH ? at->raw : filter == SEG_ONLY_STDOUT ? at->out : at->raw - at->out;
}

static inline bool seg_wants(enum seg_filter filter, enum seg_stream stream)
{
    return filter == SEG_BOTH || (filter == SEG_ONLY_STDOUT) == (stream == SEG_STDOUT);
}

void seg_pos_step(struct seg_pos *at, struct seg_run run);
void seg_run_encode(struct seg_run run, uint8_t out[SEG_RECORD_BYTES]);

struct seg_index {
    struct seg_pos *marks; /* every `stride` records, from record 0 on */
    size_t n;
    uint64_t stride;
    struct seg_pos end;
};

void seg_index_init(struct seg_index *ix);
void seg_index_release(struct seg_index *ix);
void seg_index_push(struct seg_index *ix, struct seg_run run);
/* seg_index_find: the last mark at or before `offset` of the filtered view. */
struct seg_pos seg_index_find(const struct seg_index *ix, enum seg_filter filter, uint64_t offset);

/* A walk over the records, forward, by blocks. */
struct seg_walk {
    int fd;
    struct seg_pos at;
    uint64_t limit; /* records that exist for this walk */
    uint64_t block_rec;
    size_t block_n;
    uint8_t block[1024 * SEG_RECORD_BYTES];
};

void seg_walk_init(struct seg_walk *w, int fd, struct seg_pos from, uint64_t limit);
/* seg_walk_peek: the run at w->at; its length is 0 at the limit or at a record that was never
 * written. Go on with seg_pos_step(&w->at, run). */
NODISCARD int seg_walk_peek(struct seg_walk *w, struct seg_run *ret, struct err *e);
