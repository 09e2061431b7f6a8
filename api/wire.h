/* One table for both directions: a wire object is described once, and encoder and decoder read the
 * same rows. Beside json_decode this adds what wire objects need: ids, times, owned strings, and
 * members that are left out when there is nothing to say. For the codecs in api/ only. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/json.h"

enum wire_type {
    WIRE_HEX,      /* char[max + 1]: `max` lower-case hex digits, or "" */
    WIRE_TEXT,     /* const char *, borrowed from the tree when decoded */
    WIRE_OWNED,    /* char *, malloc'ed when decoded */
    WIRE_BYTES,    /* char *, malloc'ed when decoded, with its size_t length right behind it */
    WIRE_BLOB,     /* as WIRE_BYTES, exact for any bytes: a string, or {"base64": …} for what JSON
                      has no string for */
    WIRE_INT,      /* int64_t */
    WIRE_INT_TEXT, /* int64_t in a JSON string (ironworker-api R7) */
    WIRE_SECS,     /* int64_t; fractions are rounded down */
    WIRE_TIME,     /* int64_t UTC us; RFC 3339 */
    WIRE_BOOL,     /* bool */
    WIRE_ARR,      /* const struct json *, borrowed: an array */
    WIRE_OBJ,      /* const struct json *, borrowed: an object */
    WIRE_OBJ_TEXT, /* char *, malloc'ed when decoded: an object as JSON text */
};

enum {
    WIRE_REQUIRED = 1, /* decoding: absent or null is ERR_MISSING; a text may not be "" either */
    WIRE_OMIT = 2,     /* encoding: left out when "", NULL, 0 or false */
    WIRE_OMIT_NEG = 4, /* encoding: left out when negative */
};

struct wire_field {
    const char *key;
    enum wire_type type;
    size_t offset; /* in the struct */
    unsigned flags;
    int64_t min, max; /* as in struct json_field */
};

#define WIRE_MAX_FIELDS 40 /* rows of one table (asserted) */

/* wire_encode: the members alone; the caller opens and closes the object. */
void wire_encode(const struct wire_field *fields, size_t n, const void *from, struct jsonw *w);

/* wire_decode: as json_decode. On error `out` may hold owned values already: release it. */
NODISCARD int wire_decode(const struct json *obj, const struct wire_field *fields, size_t n,
                          enum json_unknown unknown, void *out, struct err *e);

/* wire_name_check: a name of 1 … BOUND_NAME_BYTES bytes without control characters. `what` names
 * the member. */
NODISCARD int wire_name_check(const char *name, const char *what, struct err *e);
