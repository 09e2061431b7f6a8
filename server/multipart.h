/* multipart/form-data (RFC 7578) read as it arrives, in any split. Lenient where old clients need
 * it: line ends may be LF alone, the last boundary may lack its line end, parts come in any order
 * and are known by their `name` only. A part's bytes are handed on as they come and never kept, so
 * memory stays bounded whatever is sent. One thread a parser. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/err.h"

#define MULTIPART_BOUNDARY_MAX 200        /* RFC 2046 says 70; old clients are not that careful */
#define MULTIPART_HEADER_MAX   (8u << 10) /* of one part */
#define MULTIPART_NAME_MAX     255
#define MULTIPART_PARTS_MAX    64

struct multipart_part {
    char name[MULTIPART_NAME_MAX + 1];
    char filename[MULTIPART_NAME_MAX + 1]; /* as sent, a path perhaps; "" = none; cut when longer */
};

struct multipart_sink {
    /* The callbacks return 0, or a negative ERR_* that ends the parsing. `bytes` of one part come
     * in any number of pieces. */
    int (*begin)(void *arg, const struct multipart_part *part, struct err *e);
    int (*data)(void *arg, const char *bytes, size_t len, struct err *e);
    void *arg;
};

struct multipart {
    struct multipart_sink sink;
    char delimiter[MULTIPART_BOUNDARY_MAX + 4]; /* "\n--boundary" */
    size_t delimiter_len;
    int state;
    bool fresh;      /* the first of `held` is the line end of the header, not of the data */
    struct buf held; /* bytes that may be the start of a delimiter, or a header in the making */
    unsigned parts;
};

/* multipart_boundary: from a Content-Type value. False without a usable one. */
bool multipart_boundary(const char *content_type, char ret[MULTIPART_BOUNDARY_MAX + 1]);

void multipart_init(struct multipart *m, const char *boundary, const struct multipart_sink *sink);
void multipart_release(struct multipart *m);
NODISCARD int multipart_feed(struct multipart *m, const char *bytes, size_t len, struct err *e);
/* multipart_end: the body is over. ERR_INVALID when the last boundary did not come: something is
 * missing. */
NODISCARD int multipart_end(struct multipart *m, struct err *e);
