/* JSON in and out. json-c stays inside json.c.
 *
 * In: json_parse gives a tree with ceilings on size and depth; json_decode fills a struct by a
 * field table. Out: a streaming writer into a struct buf, compact, in the order in which it is
 * called. A tree belongs to one thread at a time; strings borrowed from it live as long as the
 * tree. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

struct json; /* a value of a parsed tree; borrowed, except for the root */

/* json_parse: UTF-8 text to a tree. ERR_INVALID with the place for: broken syntax, trailing bytes,
 * invalid UTF-8, a raw or escaped NUL, deeper than `max_depth`. Caller json_free()s the root. */
NODISCARD int json_parse(const char *bytes, size_t len, int max_depth, struct json **ret_root,
                         struct err *e);
void json_free(struct json *root); /* NULL is fine */
static inline void json_freep(struct json **j)
{
    json_free(*j);
}
#define autojson __attribute__((cleanup(json_freep)))

enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,
    JSON_DOUBLE,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

enum json_kind json_kind(const struct json *v); /* JSON_NULL for NULL */
const struct json *json_member(const struct json *obj,
                               const char *key); /* NULL when absent or not an object */
size_t json_length(const struct json *array);    /* 0 unless an array */
const struct json *json_at(const struct json *array, size_t i);
const char *json_string(const struct json *v,
                        size_t *ret_len); /* NULL unless a string; ret_len may be NULL */
/* The value of a JSON_INT, of a number, of a JSON_BOOL; 0 or false for every other kind. */
int64_t json_as_int(const struct json *v);
double json_as_double(const struct json *v);
bool json_as_bool(const struct json *v);
/* json_each: calls fn for every member of an object in order; stops at the first non-zero result
 * and returns it. */
int json_each(const struct json *obj, int (*fn)(const char *key, const struct json *v, void *arg),
              void *arg);
/* json_text: the value as compact JSON, appended to `out`. */
void json_text(const struct json *v, struct buf *out);

/* Shorthands for answers of a peer that we trust to be in shape; a default where the member is
 * absent or of another type. */
const char *json_get_str(const struct json *obj, const char *key, const char *dflt);
int64_t json_get_int(const struct json *obj, const char *key,
                     int64_t dflt); /* truncates a double */
bool json_get_bool(const struct json *obj, const char *key, bool dflt);

/* ---- decoding by table ---- */

enum json_field_type {         /* json-c has an enum json_type */
                       JT_STR, /* const char *, borrowed from the tree; a string without NULs */
                       JT_INT, /* int64_t; an integer within min … max; an integral double is taken
                                */
                       JT_SECS, /* int64_t; an integer or a fraction, rounded down (old clients send
                                   floats for seconds) */
                       JT_BOOL, /* bool */
                       JT_VAL,  /* const struct json *, borrowed; any value */
                       JT_OBJ,  /* const struct json *, borrowed; an object */
                       JT_ARR,  /* const struct json *, borrowed; an array */
};

enum { JF_REQUIRED = 1 };

struct json_field {
    const char *name;
    enum json_field_type type;
    size_t offset;    /* in the struct that is filled */
    unsigned flags;   /* JF_REQUIRED: absent or null is ERR_MISSING */
    int64_t min, max; /* JT_INT, JT_SECS: range; JT_STR: `max` bytes; 0,0 = no limit */
};

enum json_unknown { JSON_LENIENT, JSON_STRICT }; /* unknown members: ignored, or ERR_INVALID */

/* json_decode: fills the members of *out that are present and not null; the others stay as the
 * caller set them. ERR_INVALID or ERR_MISSING or ERR_TOO_BIG names the member, what it is and what
 * it may be. */
NODISCARD int json_decode(const struct json *obj, const struct json_field *fields, size_t n_fields,
                          enum json_unknown unknown, void *out, struct err *e);

/* ---- encoding ---- */

struct jsonw {
    struct buf *b;
    bool comma; /* a separator is due before the next value */
};

#define JSONW(buffer) ((struct jsonw){.b = (buffer)})

/* `key` is NULL inside an array and at the root. Strings that are not UTF-8 get U+FFFD for each bad
 * byte, and for each NUL. */
void jw_obj(struct jsonw *w, const char *key);
void jw_obj_end(struct jsonw *w);
void jw_arr(struct jsonw *w, const char *key);
void jw_arr_end(struct jsonw *w);
void jw_str(struct jsonw *w, const char *key, const char *s); /* NULL writes "" */
void jw_strn(struct jsonw *w, const char *key, const char *bytes, size_t len);
void jw_int(struct jsonw *w, const char *key, int64_t v);
void jw_double(struct jsonw *w, const char *key, double v);
void jw_bool(struct jsonw *w, const char *key, bool v);
void jw_null(struct jsonw *w, const char *key);
void jw_time(struct jsonw *w, const char *key, int64_t us); /* clock_format; 0 is the unset time */
void jw_raw(struct jsonw *w, const char *key, const char *json, size_t len); /* already JSON */
