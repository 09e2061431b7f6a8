/* Fuzzes multipart bodies: the first byte chooses the size of the pieces. Whatever the pieces, the
 * same parts have to come out, and no byte more than went in. */
#include "server/multipart.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct buf text;
    size_t bytes;
};

static int note_begin(void *arg, const struct multipart_part *part, struct err *e)
{
    (void)e;
    struct seen *s = arg;
    buf_addf(&s->text, "[%s|%s]", part->name, part->filename);
    return 0;
}

static int note_data(void *arg, const char *bytes, size_t len, struct err *e)
{
    (void)e;
    struct seen *s = arg;
    s->bytes += len;
    buf_add(&s->text, bytes, len);
    return 0;
}

static int parse(const char *body, size_t len, size_t piece, struct seen *s)
{
    struct err e;
    struct multipart m;
    const struct multipart_sink sink = {note_begin, note_data, s};
    multipart_init(&m, "b", &sink);
    int rc = 0;
    for (size_t at = 0; at < len && rc == 0; at += piece)
        rc = multipart_feed(&m, body + at, len - at < piece ? len - at : piece, &e);
    if (rc == 0)
        rc = multipart_end(&m, &e);
    multipart_release(&m);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *body = (const char *)data + 1;
    size_t len = size - 1, piece = data[0] ? data[0] : 1;
    struct seen one = {.text = BUF_INIT(1 << 24)}, many = {.text = BUF_INIT(1 << 24)};
    int whole = parse(body, len, len, &one), cut = parse(body, len, piece, &many);
    if (whole != cut || one.bytes > len)
        abort();
    if (whole == 0 && (one.text.len != many.text.len ||
                       (one.text.len && memcmp(one.text.data, many.text.data, one.text.len) != 0)))
        abort();
    buf_release(&one.text);
    buf_release(&many.text);

    char type[512], boundary[MULTIPART_BOUNDARY_MAX + 1];
    size_t n = len < sizeof(type) - 31 ? len : sizeof(type) - 31;
    memcpy(type, "multipart/form-data; boundary=", 30);
    memcpy(type + 30, body, n);
    type[30 + n] = '\0';
    if (multipart_boundary(type, boundary) && strlen(boundary) > MULTIPART_BOUNDARY_MAX)
        abort();
    return 0;
}
