/* The tree: json-c's, behind our own names; nothing else knows json-c. A JSON null is a NULL
 * pointer here as it is there. Neighbours: json_scan.c (strictness), json_decode.c (tables),
 * json_write.c (output). */
#include "lib/json.h"

#include <json-c/json_object.h>
#include <json-c/json_object_iterator.h>
#include <json-c/json_tokener.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_scan.h"

#include "lib/banned.h"

/* A struct json is a json_object; json-c's accessors take it without const. */
static struct json_object *tree(const struct json *v)
{
    return (struct json_object *)(uintptr_t)v;
}

/* `before`: bytes that earlier pieces had; json-c counts from the start of a piece. */
static int parse_error(struct json_tokener *tok, size_t before, struct err *e)
{
    return err_set(e, ERR_INVALID, "JSON is broken at byte %zu: %s",
                   before + json_tokener_get_parse_end(tok),
                   json_tokener_error_desc(json_tokener_get_error(tok)));
}

int json_parse(const char *bytes, size_t len, int max_depth, struct json **ret_root, struct err *e)
{
    if (len > INT32_MAX)
        return err_set(e, ERR_TOO_BIG, "JSON of %zu bytes is over the limit of %d", len, INT32_MAX);
    int rc = json_scan(bytes, len, max_depth, e);
    if (rc < 0)
        return rc;
    /* json_scan has checked the depth; json-c counts scalars as a level too. */
    struct json_tokener *tok = json_tokener_new_ex(max_depth + 2);
    if (!tok)
        abort();
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    struct json_object *root = json_tokener_parse_ex(tok, bytes, (int)len);
    /* A scalar at the root may go on in the next piece, until a NUL says that there is none. */
    bool unfinished = json_tokener_get_error(tok) == json_tokener_continue;
    if (unfinished)
        root = json_tokener_parse_ex(tok, "", 1);
    if (json_tokener_get_error(tok) != json_tokener_success)
        rc = parse_error(tok, unfinished ? len : 0, e);
    else
        *ret_root = (struct json *)root;
    json_tokener_free(tok);
    return rc;
}

void json_free(struct json *root)
{
    json_object_put((struct json_object *)root);
}

enum json_kind json_kind(const struct json *v)
{
    switch (json_object_get_type(tree(v))) {
    case json_type_boolean:
        return JSON_BOOL;
    case json_type_double:
        return JSON_DOUBLE;
    case json_type_int:
        return JSON_INT;
    case json_type_object:
        return JSON_OBJECT;
    case json_type_array:
        return JSON_ARRAY;
    case json_type_string:
        return JSON_STRING;
    case json_type_null:
        break;
    }
    return JSON_NULL;
}

const struct json *json_member(const struct json *obj, const char *key)
{
    struct json_object *v = NULL;
    if (json_kind(obj) == JSON_OBJECT)
        json_object_object_get_ex(tree(obj), key, &v);
    return (const struct json *)v;
}

size_t json_length(const struct json *array)
{
    return json_kind(array) == JSON_ARRAY ? json_object_array_length(tree(array)) : 0;
}

const struct json *json_at(const struct json *array, size_t i)
{
    if (i >= json_length(array))
        return NULL;
    return (const struct json *)json_object_array_get_idx(tree(array), i);
}

const char *json_string(const struct json *v, size_t *ret_len)
{
    if (json_kind(v) != JSON_STRING)
        return NULL;
    if (ret_len)
        *ret_len = (size_t)json_object_get_string_len(tree(v));
    return json_object_get_string(tree(v));
}

int64_t json_as_int(const struct json *v)
{
    return json_kind(v) == JSON_INT ? json_object_get_int64(tree(v)) : 0;
}

double json_as_double(const struct json *v)
{
    enum json_kind kind = json_kind(v);
    return kind == JSON_INT || kind == JSON_DOUBLE ? json_object_get_double(tree(v)) : 0;
}

bool json_as_bool(const struct json *v)
{
    return json_kind(v) == JSON_BOOL && json_object_get_boolean(tree(v));
}

int json_each(const struct json *obj, int (*fn)(const char *key, const struct json *v, void *arg),
              void *arg)
{
    if (json_kind(obj) != JSON_OBJECT)
        return 0;
    struct json_object_iterator it = json_object_iter_begin(tree(obj));
    struct json_object_iterator end = json_object_iter_end(tree(obj));
    for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
        int rc = fn(json_object_iter_peek_name(&it),
                    (const struct json *)json_object_iter_peek_value(&it), arg);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void write_value(struct jsonw *w, const char *key, const struct json *v);

static int write_member(const char *key, const struct json *v, void *arg)
{
    write_value(arg, key, v);
    return 0;
}

/* As deep as json_parse allowed. */
static void write_value(struct jsonw *w, const char *key, const struct json *v)
{
    size_t len = 0;
    const char *text;
    switch (json_kind(v)) {
    case JSON_NULL:
        jw_null(w, key);
        break;
    case JSON_BOOL:
        jw_bool(w, key, json_as_bool(v));
        break;
    case JSON_INT:
        jw_int(w, key, json_as_int(v));
        break;
    case JSON_DOUBLE: /* json-c keeps the digits as they were written */
        text = json_object_to_json_string_length(tree(v), JSON_C_TO_STRING_PLAIN, &len);
        jw_raw(w, key, text, len);
        break;
    case JSON_STRING:
        text = json_string(v, &len);
        jw_strn(w, key, text, len);
        break;
    case JSON_ARRAY:
        jw_arr(w, key);
        for (size_t i = 0; i < json_length(v); i++)
            write_value(w, NULL, json_at(v, i));
        jw_arr_end(w);
        break;
    case JSON_OBJECT:
        jw_obj(w, key);
        json_each(v, write_member, w);
        jw_obj_end(w);
        break;
    }
}

void json_text(const struct json *v, struct buf *out)
{
    struct jsonw w = JSONW(out);
    write_value(&w, NULL, v);
}

const char *json_get_str(const struct json *obj, const char *key, const char *dflt)
{
    const char *s = json_string(json_member(obj, key), NULL);
    return s ? s : dflt;
}

int64_t json_get_int(const struct json *obj, const char *key, int64_t dflt)
{
    const struct json *v = json_member(obj, key);
    switch (json_kind(v)) {
    case JSON_INT:
        return json_as_int(v);
    case JSON_DOUBLE:
        return fabs(json_as_double(v)) < 0x1p63 ? (int64_t)json_as_double(v) : dflt;
    default:
        return dflt;
    }
}

bool json_get_bool(const struct json *obj, const char *key, bool dflt)
{
    const struct json *v = json_member(obj, key);
    return json_kind(v) == JSON_BOOL ? json_as_bool(v) : dflt;
}
