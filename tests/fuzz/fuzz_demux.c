/* Fuzzes the attach stream: the same bytes in one piece and in small ones (the first byte says how
 * small) must come out the same, or fail the same. */
#include "runner/engine/attach.h"

#include <stdlib.h>
#include <string.h>

#include "lib/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ERR_OUT_BYTES 64

struct result {
    struct buf out, err_out;
    struct demux d;
    int rc;
};

static struct result run(const uint8_t *data, size_t size, size_t piece)
{
    struct result r = {.out = BUF_INIT(size), .err_out = BUF_INIT(ERR_OUT_BYTES)};
    struct err e;
    for (size_t at = 0; at < size && r.rc == 0; at += piece)
        r.rc = demux_feed(&r.d, data + at, size - at < piece ? size - at : piece, &r.out,
                          &r.err_out, &e);
    return r;
}

static void check_same(const struct buf *a, const struct buf *b)
{
    if (a->len != b->len || memcmp(buf_str(a), buf_str(b), a->len) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct result whole = run(data + 1, size - 1, size);
    struct result pieces = run(data + 1, size - 1, 1 + data[0] % 32);
    if (whole.rc != pieces.rc || whole.d.left != pieces.d.left || whole.d.have != pieces.d.have)
        abort();
    check_same(&whole.out, &pieces.out);
    check_same(&whole.err_out, &pieces.err_out);
    buf_release(&whole.out);
    buf_release(&whole.err_out);
    buf_release(&pieces.out);
    buf_release(&pieces.err_out);
    return 0;
}
