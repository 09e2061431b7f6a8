/* Fuzzes what init and runner read from each other: frames (the first input byte chooses the size
 * of the pieces they arrive in), the task document and the ending. */
#include "api/frame.h"

#include <stdlib.h>
#include <string.h>

#include "lib/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_frames(const uint8_t *data, size_t size, size_t piece)
{
    AUTO(frame_parser) struct frame_parser p;
    frame_parser_init(&p);
    AUTO(buf) struct buf again = BUF_INIT(4 * FRAME_FLUSH_BYTES);
    uint64_t whole = 0;
    for (size_t at = 0; at < size; at += piece) {
        struct err e;
        struct frame f;
        if (frame_feed(&p, data + at, size - at < piece ? size - at : piece, &e) != 0)
            abort(); /* everything is taken out, so there is always room */
        while (frame_next(&p, &f)) {
            buf_clear(&again);
            frame_put(&again, f.type, f.stream, f.body, f.len);
            whole += again.len;
            if (memcmp(again.data + FRAME_HEADER_BYTES, f.body, f.len) != 0)
                abort();
        }
    }
    if (whole + p.skipped > size) /* no byte counts twice */
        abort();
}

static void fuzz_document(const uint8_t *data, size_t size)
{
    size_t pos = 0, len, records = 0;
    enum doc_tag tag;
    const uint8_t *bytes;
    struct err e;
    while (doc_next(data, size, &pos, &tag, &bytes, &len, &e) == 1) {
        if (bytes < data || len > size || bytes + len != data + pos)
            abort();
        records++;
    }
    if (records > size / 5)
        abort();
}

static void fuzz_ending(const uint8_t *data, size_t size)
{
    struct init_end end, second;
    struct err e;
    if (init_end_decode(data, size, &end, &e) != 0)
        return;
    AUTO(buf) struct buf text = BUF_INIT(BOUND_FRAME_BYTES);
    init_end_encode(&end, &text);
    if (init_end_decode((const uint8_t *)text.data, text.len, &second, &e) != 0)
        abort();
    if (second.kind != end.kind || second.code != end.code || second.log_bytes != end.log_bytes)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    fuzz_frames(data + 1, size - 1, data[0] ? data[0] : 65536);
    fuzz_document(data + 1, size - 1);
    fuzz_ending(data + 1, size - 1);
    return 0;
}
