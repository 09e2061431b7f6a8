/* Decoding by table: one row a member, one small function a type. Neighbour: json.c. */
#include "lib/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "lib/banned.h"

/* How much of a peer's member name a message repeats. */
#define NAME_SHOWN 64

static const char *kind_text(const struct json *v)
{
    static const char *const text[] = {
        [JSON_NULL] = "null",       [JSON_BOOL] = "a boolean",  [JSON_INT] = "an integer",
        [JSON_DOUBLE] = "a number", [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
        [JSON_OBJECT] = "an object"};
    return text[json_kind(v)];
}

static int wrong_kind(const struct json_field *f, const struct json *v, const char *want,
                      struct err *e)
{
    return err_set(e, ERR_INVALID, "%s is %s; it must be %s", f->name, kind_text(v), want);
}

static int decode_str(const struct json_field *f, const struct json *v, void *to, struct err *e)
{
    size_t len = 0;
    const char *s = json_string(v, &len);
    if (!s)
        return wrong_kind(f, v, "a string", e);
    if (f->max > 0 && len > (uint64_t)f->max)
        return err_set(e, ERR_TOO_BIG, "%s has %zu bytes; it may have %" PRId64, f->name, len,
                       f->max);
    if (f->min > 0 && len < (uint64_t)f->min)
        return err_set(e, ERR_INVALID, "%s has %zu bytes; it must have %" PRId64 " or more",
                       f->name, len, f->min);
    *(const char **)to = s;
    return 0;
}

static int store_int(const struct json_field *f, int64_t n, void *to, struct err *e)
{
    bool limited = f->min != 0 || f->max != 0;
    if (limited && (n < f->min || n > f->max))
        return err_set(e, ERR_INVALID, "%s is %" PRId64 "; it may be %" PRId64 " to %" PRId64,
                       f->name, n, f->min, f->max);
    *(int64_t *)to = n;
    return 0;
}

/* store_double: `d` has no fraction. */
static int store_double(const struct json_field *f, double d, void *to, struct err *e)
{
    if (!(d >= -0x1p63 && d < 0x1p63))
        return err_set(e, ERR_INVALID, "%s is %g, which is out of range", f->name, d);
    return store_int(f, (int64_t)d, to, e);
}

static int decode_int(const struct json_field *f, const struct json *v, void *to, struct err *e)
{
    if (json_kind(v) == JSON_INT)
        return store_int(f, json_as_int(v), to, e);
    double d = json_as_double(v);
    if (json_kind(v) != JSON_DOUBLE || d != trunc(d))
        return wrong_kind(f, v, "an integer", e);
    return store_double(f, d, to, e);
}

static int decode_secs(const struct json_field *f, const struct json *v, void *to, struct err *e)
{
    if (json_kind(v) == JSON_INT)
        return store_int(f, json_as_int(v), to, e);
    if (json_kind(v) != JSON_DOUBLE)
        return wrong_kind(f, v, "a number of seconds", e);
    return store_double(f, floor(json_as_double(v)), to, e);
}

static int decode_bool(const struct json_field *f, const struct json *v, void *to, struct err *e)
{
    if (json_kind(v) != JSON_BOOL)
        return wrong_kind(f, v, "true or false", e);
    *(bool *)to = json_as_bool(v);
    return 0;
}

static int decode_val(const struct json_field *f, const struct json *v, void *to, struct err *e)
{
    (void)f, (void)e;
    *(const struct json **)to = v;
    return 0;
}

static int decode_obj(const struct json_field *f, const struct json *v, void *to, struct err *e)
{
    return json_kind(v) == JSON_OBJECT ? decode_val(f, v, to, e) : wrong_kind(f, v, "an object", e);
}

static int decode_arr(const struct json_field *f, const struct json *v, void *to, struct err *e)
{
    return json_kind(v) == JSON_ARRAY ? decode_val(f, v, to, e) : wrong_kind(f, v, "an array", e);
}

static int (*const decode_by_type[])(const struct json_field *, const struct json *, void *,
                                     struct err *) = {
    [JT_STR] = decode_str, [JT_INT] = decode_int, [JT_SECS] = decode_secs, [JT_BOOL] = decode_bool,
    [JT_VAL] = decode_val, [JT_OBJ] = decode_obj, [JT_ARR] = decode_arr,
};

struct known {
    const struct json_field *fields;
    size_t n;
    struct err *e;
};

static int check_known(const char *key, const struct json *v, void *arg)
{
    (void)v;
    const struct known *known = arg;
    for (size_t i = 0; i < known->n; i++)
        if (strcmp(known->fields[i].name, key) == 0)
            return 0;
    return err_set(known->e, ERR_INVALID, "unknown member \"%.*s\"", NAME_SHOWN, key);
}

int json_decode(const struct json *obj, const struct json_field *fields, size_t n_fields,
                enum json_unknown unknown, void *out, struct err *e)
{
    if (json_kind(obj) != JSON_OBJECT)
        return err_set(e, ERR_INVALID, "expected a JSON object, got %s", kind_text(obj));
    if (unknown == JSON_STRICT) {
        struct known known = {.fields = fields, .n = n_fields, .e = e};
        int rc = json_each(obj, check_known, &known);
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < n_fields; i++) {
        const struct json_field *f = &fields[i];
        const struct json *v = json_member(obj, f->name);
        if (!v) {
            if (f->flags & JF_REQUIRED)
                return err_set(e, ERR_MISSING, "%s is required", f->name);
            continue;
        }
        int rc = decode_by_type[f->type](f, v, (char *)out + f->offset, e);
        if (rc < 0)
            return rc;
    }
    return 0;
}
