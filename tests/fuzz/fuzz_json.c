/* Fuzzes json_parse with the decoder and the writer behind it: what parses must write a text that
 * parses to itself, and any bytes written as a string must parse. */
#include "lib/json.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/str.h"

#include "lib/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sample {
    const char *s;
    int64_t i, secs;
    bool b;
    const struct json *v, *o, *a;
};

static const struct json_field fields[] = {
    {"s", JT_STR, offsetof(struct sample, s), JF_REQUIRED, 0, 10},
    {"i", JT_INT, offsetof(struct sample, i), 0, -5, 5},
    {"t", JT_SECS, offsetof(struct sample, secs), 0, 0, 0},
    {"b", JT_BOOL, offsetof(struct sample, b), 0, 0, 0},
    {"v", JT_VAL, offsetof(struct sample, v), 0, 0, 0},
    {"o", JT_OBJ, offsetof(struct sample, o), 0, 0, 0},
    {"a", JT_ARR, offsetof(struct sample, a), 0, 0, 0},
};

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void fuzz_decode(const struct json *j)
{
    struct err e;
    struct sample lenient = {0}, strict = {0};
    int loose = json_decode(j, fields, ARRAY_LEN(fields), JSON_LENIENT, &lenient, &e);
    int tight = json_decode(j, fields, ARRAY_LEN(fields), JSON_STRICT, &strict, &e);
    need(loose == 0 || tight < 0);
    need(loose != 0 || (strlen(lenient.s) <= 10 && lenient.i >= -5 && lenient.i <= 5));
}

static void fuzz_parse(const char *text, size_t len)
{
    struct err e;
    autojson struct json *j = NULL, *again = NULL;
    if (json_parse(text, len, BOUND_JSON_DEPTH, &j, &e) < 0)
        return;
    need(str_is_utf8(text, len));
    fuzz_decode(j);
    AUTO(buf) struct buf once = BUF_INIT(64 << 20), twice = BUF_INIT(64 << 20);
    json_text(j, &once);
    need(json_parse(once.data, once.len, BOUND_JSON_DEPTH, &again, &e) == 0);
    json_text(again, &twice);
    need(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
}

static void fuzz_write(const char *bytes, size_t len)
{
    struct err e;
    AUTO(buf) struct buf b = BUF_INIT(64 << 20);
    struct jsonw w = JSONW(&b);
    autojson struct json *j = NULL;
    jw_strn(&w, NULL, bytes, len);
    /* The writer keeps a NUL as \u0000, which the reader refuses. */
    need(json_parse(b.data, b.len, 0, &j, &e) == 0 || memchr(bytes, 0, len));
    if (j && str_is_utf8(bytes, len)) {
        size_t back = 0;
        const char *s = json_string(j, &back);
        need(back == len && memcmp(s, bytes, len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy without a NUL behind it: reading past the end is seen. */
    autofree char *text = malloc(size ? size : 1);
    need(text != NULL);
    memcpy(text, data, size);
    fuzz_parse(text, size);
    fuzz_write(text, size);
    return 0;
}
