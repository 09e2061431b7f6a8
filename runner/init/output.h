/* The output that nobody has acknowledged yet: a ring of BOUND_INIT_UNACKED_BYTES over both streams
 * in the order of their arrival, with the stream of every byte. Nothing is dropped: when it is full
 * the caller stops reading, and the task blocks. Owner: the session. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* Changes between the streams that are remembered; a task that alternates more often before an
 * acknowledgement comes is held up as if the ring were full. */
#define OUTPUT_SEGMENTS 16384

struct segment {
    uint64_t end; /* offset behind its last byte */
    uint8_t stream;
};

/* Offsets count from the first byte of the task on: acked <= sent <= total. */
struct output {
    uint8_t *ring;
    struct segment *segments;
    uint64_t acked, sent, total;
    uint64_t stdout_bytes;
    uint64_t first_segment, at_segment, end_segment; /* numbers; slot = number % OUTPUT_SEGMENTS */
};

/* A piece of output that is contiguous in memory and of one stream. */
struct chunk {
    uint64_t offset;
    const uint8_t *bytes; /* valid until the next output_* call */
    size_t len;
    uint8_t stream;
};

/* output_open: reserves the ring. Its pages cost nothing until output arrives.
 * Errors: ERR_IO no memory. */
NODISCARD int output_open(struct output *o, struct err *e);
void output_close(struct output *o);

/* output_room: where the next bytes go and how many fit there; 0 = full. */
size_t output_room(const struct output *o, uint8_t **ret_at);
/* output_commit: `len` bytes were written where output_room said. */
void output_commit(struct output *o, uint8_t stream, size_t len);

/* output_next: the next unsent piece, at most `max` bytes, which counts as sent from now on. */
bool output_next(struct output *o, size_t max, struct chunk *ret);
/* output_ack: the bytes below `offset` are safe. What was never sent cannot be: ignored. */
void output_ack(struct output *o, uint64_t offset);
/* output_rewind: sends again from `offset` on, or from the lowest byte still there when that one is
 * gone or makes no sense. Returns where. */
uint64_t output_rewind(struct output *o, uint64_t offset);
