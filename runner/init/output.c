/* The ring of unacknowledged output. Invariants: acked <= sent <= total <= acked + RING_BYTES, and
 * the segments [first, end) cover exactly [acked, total). */
#include "runner/init/output.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#include "lib/bounds.h"
#include "lib/banned.h"

#define RING_BYTES     BOUND_INIT_UNACKED_BYTES
#define SEGMENTS_BYTES (OUTPUT_SEGMENTS * sizeof(struct segment))

/* Mapped, not malloc'ed: untouched pages of a mapping are not there. */
static void *map_lazily(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

int output_open(struct output *o, struct err *e)
{
    *o = (struct output){.ring = map_lazily(RING_BYTES), .segments = map_lazily(SEGMENTS_BYTES)};
    if (o->ring && o->segments)
        return 0;
    output_close(o);
    return err_os(e, ERR_IO, ENOMEM, "room for output");
}

void output_close(struct output *o)
{
    if (o->ring)
        munmap(o->ring, RING_BYTES);
    if (o->segments)
        munmap(o->segments, SEGMENTS_BYTES);
    *o = (struct output){0};
}

static struct segment *segment_at(struct output *o, uint64_t number)
{
    return &o->segments[number % OUTPUT_SEGMENTS];
}

size_t output_room(const struct output *o, uint8_t **ret_at)
{
    size_t at = o->total % RING_BYTES;
    size_t room = RING_BYTES - (size_t)(o->total - o->acked);
    *ret_at = o->ring + at;
    if (o->end_segment - o->first_segment == OUTPUT_SEGMENTS)
        return 0;
    return room < RING_BYTES - at ? room : RING_BYTES - at;
}

void output_commit(struct output *o, uint8_t stream, size_t len)
{
    bool any = o->end_segment > o->first_segment;
    if (len == 0)
        return;
    if (!any || segment_at(o, o->end_segment - 1)->stream != stream) {
        assert(o->end_segment - o->first_segment < OUTPUT_SEGMENTS);
        segment_at(o, o->end_segment++)->stream = stream;
    }
    o->total += len;
    segment_at(o, o->end_segment - 1)->end = o->total;
    if (stream == 0)
        o->stdout_bytes += len;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

bool output_next(struct output *o, size_t max, struct chunk *ret)
{
    if (o->sent == o->total)
        return false;
    while (segment_at(o, o->at_segment)->end <= o->sent)
        o->at_segment++;
    const struct segment *s = segment_at(o, o->at_segment);
    size_t at = o->sent % RING_BYTES;
    size_t len = least(least(max, (size_t)(s->end - o->sent)), RING_BYTES - at);
    *ret =
        (struct chunk){.offset = o->sent, .bytes = o->ring + at, .len = len, .stream = s->stream};
    o->sent += len;
    return true;
}

void output_ack(struct output *o, uint64_t offset)
{
    if (offset <= o->acked || offset > o->sent)
        return;
    o->acked = offset;
    while (o->first_segment < o->end_segment && segment_at(o, o->first_segment)->end <= offset)
        o->first_segment++;
    if (o->at_segment < o->first_segment)
        o->at_segment = o->first_segment;
}

uint64_t output_rewind(struct output *o, uint64_t offset)
{
    output_ack(o, offset);
    o->sent = o->acked;
    o->at_segment = o->first_segment;
    return o->sent;
}
