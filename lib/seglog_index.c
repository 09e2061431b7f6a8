/* Marks and walks over the records of a .seg file. Neighbour: seglog.c. */
#include "lib/seglog_index.h"

#include <stdlib.h>

#include "lib/fs.h"

#include "lib/banned.h"

#define FIRST_STRIDE 1024 /* records between two marks, at first */
#define MAX_MARKS    4096

void seg_pos_step(struct seg_pos *at, struct seg_run run)
{
    at->rec++;
    at->raw += run.len;
    if (run.stream == SEG_STDOUT)
        at->out += run.len;
}

void seg_run_encode(struct seg_run run, uint8_t out[SEG_RECORD_BYTES])
{
    uint32_t v = run.len | (run.stream == SEG_STDERR ? 1u << 31 : 0);
    for (int i = 0; i < SEG_RECORD_BYTES; i++)
        out[i] = (uint8_t)(v >> 8 * i);
}

static struct seg_run decode(const uint8_t *p)
{
    uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return (struct seg_run){.stream = v >> 31 ? SEG_STDERR : SEG_STDOUT, .len = v & SEG_RUN_MAX};
}

void seg_index_init(struct seg_index *ix)
{
    *ix = (struct seg_index){.stride = FIRST_STRIDE};
}

void seg_index_release(struct seg_index *ix)
{
    free(ix->marks);
    seg_index_init(ix);
}

static void thin_out(struct seg_index *ix)
{
    for (size_t i = 0; i < ix->n / 2; i++)
        ix->marks[i] = ix->marks[2 * i];
    ix->n /= 2;
    ix->stride *= 2;
}

static void mark(struct seg_index *ix)
{
    if (ix->n == MAX_MARKS) {
        thin_out(ix);
        if (ix->end.rec % ix->stride != 0)
            return;
    }
    if ((ix->n & (ix->n - 1)) == 0) { /* a power of two is full */
        ix->marks = realloc(ix->marks, (ix->n ? 2 * ix->n : 1) * sizeof(*ix->marks));
        if (!ix->marks)
            abort();
    }
    ix->marks[ix->n++] = ix->end;
}

void seg_index_push(struct seg_index *ix, struct seg_run run)
{
    if (ix->end.rec % ix->stride == 0)
        mark(ix);
    seg_pos_step(&ix->end, run);
}

struct seg_pos seg_index_find(const struct seg_index *ix, enum seg_filter filter, uint64_t offset)
{
    size_t low = 0, high = ix->n; /* marks[low] is at or before, marks[high] after */
    if (ix->n == 0)
        return (struct seg_pos){0};
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (seg_view(&ix->marks[mid], filter) <= offset)
            low = mid;
        else
            high = mid;
    }
    return ix->marks[low];
}

void seg_walk_init(struct seg_walk *w, int fd, struct seg_pos from, uint64_t limit)
{
    w->fd = fd;
    w->at = from;
    w->limit = limit;
    w->block_rec = 0;
    w->block_n = 0;
}

static int load_block(struct seg_walk *w, struct err *e)
{
    uint64_t n = sizeof(w->block) / SEG_RECORD_BYTES;
    if (n > w->limit - w->at.rec)
        n = w->limit - w->at.rec;
    w->block_n = 0;
    int rc = fs_pread_all(w->fd, w->block, n * SEG_RECORD_BYTES, w->at.rec * SEG_RECORD_BYTES,
                          "log records", e);
    if (rc < 0)
        return rc;
    w->block_rec = w->at.rec;
    w->block_n = n;
    return 0;
}

int seg_walk_peek(struct seg_walk *w, struct seg_run *ret, struct err *e)
{
    *ret = (struct seg_run){0};
    if (w->at.rec >= w->limit)
        return 0;
    if (w->at.rec < w->block_rec || w->at.rec - w->block_rec >= w->block_n) {
        int rc = load_block(w, e);
        if (rc < 0)
            return rc;
    }
    *ret = decode(w->block + (w->at.rec - w->block_rec) * SEG_RECORD_BYTES);
    return 0;
}
