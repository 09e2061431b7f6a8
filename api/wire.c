/* Codec tables: json_decode does types, ranges and unknown members on a row of slots; each slot
 * then moves to its place by type. Neighbours: the codecs in api/, lib/json.h. */
#include "api/wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/clock.h"
#include "lib/str.h"

#include "lib/banned.h"

/* What json_decode fills for one member. */
union slot {
    const char *text;
    const struct json *value;
    int64_t number;
    bool flag;
};

static const enum json_field_type json_type_of[] = {
    [WIRE_HEX] = JT_STR,      [WIRE_TEXT] = JT_STR,  [WIRE_OWNED] = JT_STR,
    [WIRE_BYTES] = JT_STR,    [WIRE_BLOB] = JT_VAL,  [WIRE_INT] = JT_INT,
    [WIRE_INT_TEXT] = JT_STR, [WIRE_SECS] = JT_SECS, [WIRE_TIME] = JT_STR,
    [WIRE_BOOL] = JT_BOOL,    [WIRE_ARR] = JT_ARR,   [WIRE_OBJ] = JT_OBJ,
    [WIRE_OBJ_TEXT] = JT_OBJ,
};

/* Bytes of a number or a time in text: their own parsers say what is wrong with a longer one. */
#define SHORT_TEXT_BYTES 64

static void own(char **to, char *text)
{
    free(*to);
    *to = text;
}

static int store_hex(const struct wire_field *f, const char *text, char *to, struct err *e)
{
    size_t len = strlen(text);
    if (len > 0 && (len != (size_t)f->max || strspn(text, "0123456789abcdef") != len))
        return err_set(e, ERR_INVALID, "%s is not %d lower-case hex digits", f->key, (int)f->max);
    memcpy(to, text, len + 1);
    return 0;
}

static int store_text(const struct wire_field *f, const char *text, void *to, struct err *e)
{
    if (text[0] == '\0' && (f->flags & WIRE_REQUIRED) && f->type != WIRE_BYTES)
        return err_set(e, ERR_MISSING, "%s is required", f->key);
    switch (f->type) {
    case WIRE_HEX:
        return store_hex(f, text, to, e);
    case WIRE_INT_TEXT:
        return str_int(text, f->key, f->min, f->max ? f->max : INT64_MAX, to, e);
    case WIRE_TIME:
        if (text[0] == '\0') { /* as some clients write the unset time */
            *(int64_t *)to = 0;
            return 0;
        }
        return clock_parse(text, to, e) < 0 ? err_wrap(e, "%s", f->key) : 0;
    case WIRE_TEXT:
        *(const char **)to = text;
        return 0;
    case WIRE_BYTES:
        *(size_t *)((char *)to + sizeof(char *)) = strlen(text);
        own(to, str_dup(text));
        return 0;
    default:
        own(to, str_dup(text));
        return 0;
    }
}

static void store_value(const struct wire_field *f, const struct json *value, void *to)
{
    if (f->type != WIRE_OBJ_TEXT) {
        *(const struct json **)to = value;
        return;
    }
    struct buf text = BUF_INIT(BOUND_JSON_BODY_BYTES);
    json_text(value, &text);
    own(to, buf_take(&text));
}

static int store_blob(const struct wire_field *f, const struct json *value, void *to, struct err *e)
{
    const char *text = json_string(value, NULL);
    uint8_t *bytes = NULL;
    size_t len = 0;
    if (text) {
        len = strlen(text);
        bytes = (uint8_t *)str_dup(text);
    } else if (str_unbase64(json_get_str(value, "base64", "?"), &bytes, &len, e) < 0) {
        return err_set(e, ERR_INVALID, "%s must be a string, or base64 in an object", f->key);
    }
    *(size_t *)((char *)to + sizeof(char *)) = len;
    own(to, (char *)bytes);
    return 0;
}

static int store(const struct wire_field *f, const union slot *slot, void *to, struct err *e)
{
    switch (json_type_of[f->type]) {
    case JT_INT:
    case JT_SECS:
        *(int64_t *)to = slot->number;
        return 0;
    case JT_BOOL:
        *(bool *)to = slot->flag;
        return 0;
    case JT_STR:
        return slot->text ? store_text(f, slot->text, to, e) : 0;
    default:
        if (slot->value && f->type == WIRE_BLOB)
            return store_blob(f, slot->value, to, e);
        if (slot->value)
            store_value(f, slot->value, to);
        return 0;
    }
}

/* preset: members that are absent keep what the struct holds. Texts and values say so by NULL. */
static union slot preset(const struct wire_field *f, const void *from)
{
    switch (json_type_of[f->type]) {
    case JT_INT:
    case JT_SECS:
        return (union slot){.number = *(const int64_t *)from};
    case JT_BOOL:
        return (union slot){.flag = *(const bool *)from};
    default:
        return (union slot){0};
    }
}

static struct json_field row_of(const struct wire_field *f, size_t offset)
{
    struct json_field row = {f->key, json_type_of[f->type],
                             offset, f->flags & WIRE_REQUIRED ? JF_REQUIRED : 0,
                             f->min, f->max};
    if (f->type == WIRE_INT_TEXT || f->type == WIRE_TIME || f->type == WIRE_HEX) {
        row.min = 0;
        row.max = SHORT_TEXT_BYTES;
    }
    return row;
}

int wire_decode(const struct json *obj, const struct wire_field *fields, size_t n,
                enum json_unknown unknown, void *out, struct err *e)
{
    struct json_field rows[WIRE_MAX_FIELDS];
    union slot slots[WIRE_MAX_FIELDS];
    assert(n > 0 && n <= WIRE_MAX_FIELDS);
    for (size_t i = 0; i < n; i++) {
        rows[i] = row_of(&fields[i], i * sizeof(union slot));
        slots[i] = preset(&fields[i], (const char *)out + fields[i].offset);
    }
    int rc = json_decode(obj, rows, n, unknown, slots, e);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = store(&fields[i], &slots[i], (char *)out + fields[i].offset, e);
    return rc;
}

static void encode_text(const struct wire_field *f, const char *text, struct jsonw *w)
{
    if ((text && text[0]) || !(f->flags & WIRE_OMIT))
        jw_str(w, f->key, text);
}

static void encode_bytes(const struct wire_field *f, const void *at, struct jsonw *w)
{
    const char *bytes = *(char *const *)at;
    size_t len = *(const size_t *)((const char *)at + sizeof(char *));
    if (len > 0 || !(f->flags & WIRE_OMIT))
        jw_strn(w, f->key, bytes ? bytes : "", len);
}

static void encode_blob(const struct wire_field *f, const void *at, struct jsonw *w)
{
    const char *bytes = *(char *const *)at;
    size_t len = *(const size_t *)((const char *)at + sizeof(char *));
    if (len == 0 || (str_is_utf8(bytes, len) && !memchr(bytes, '\0', len))) {
        encode_bytes(f, at, w);
        return;
    }
    autofree char *text = str_base64(bytes, len);
    jw_obj(w, f->key);
    jw_str(w, "base64", text);
    jw_obj_end(w);
}

static void encode_number(const struct wire_field *f, int64_t v, struct jsonw *w)
{
    if ((v == 0 && (f->flags & WIRE_OMIT)) || (v < 0 && (f->flags & WIRE_OMIT_NEG)))
        return;
    if (f->type == WIRE_TIME) {
        jw_time(w, f->key, v);
    } else if (f->type == WIRE_INT_TEXT) {
        struct buf text = BUF_INIT(SHORT_TEXT_BYTES);
        buf_addf(&text, "%lld", (long long)v);
        jw_str(w, f->key, buf_str(&text));
        buf_release(&text);
    } else {
        jw_int(w, f->key, v);
    }
}

static void encode_value(const struct wire_field *f, const struct json *v, struct jsonw *w)
{
    if (!v)
        return;
    struct buf text = BUF_INIT(BOUND_JSON_BODY_BYTES);
    json_text(v, &text);
    jw_raw(w, f->key, buf_str(&text), text.len);
    buf_release(&text);
}

static void encode_one(const struct wire_field *f, const void *at, struct jsonw *w)
{
    const char *text;
    switch (f->type) {
    case WIRE_HEX:
        encode_text(f, at, w);
        break;
    case WIRE_TEXT:
    case WIRE_OWNED:
        encode_text(f, *(const char *const *)at, w);
        break;
    case WIRE_BYTES:
        encode_bytes(f, at, w);
        break;
    case WIRE_BLOB:
        encode_blob(f, at, w);
        break;
    case WIRE_INT:
    case WIRE_INT_TEXT:
    case WIRE_SECS:
    case WIRE_TIME:
        encode_number(f, *(const int64_t *)at, w);
        break;
    case WIRE_BOOL:
        if (*(const bool *)at || !(f->flags & WIRE_OMIT))
            jw_bool(w, f->key, *(const bool *)at);
        break;
    case WIRE_ARR:
    case WIRE_OBJ:
        encode_value(f, *(const struct json *const *)at, w);
        break;
    case WIRE_OBJ_TEXT: /* absent and empty are the same: there is no empty JSON */
        text = *(char *const *)at;
        if (text && text[0])
            jw_raw(w, f->key, text, strlen(text));
        break;
    }
}

void wire_encode(const struct wire_field *fields, size_t n, const void *from, struct jsonw *w)
{
    for (size_t i = 0; i < n; i++)
        encode_one(&fields[i], (const char *)from + fields[i].offset, w);
}

/* is_control: C0, DEL, and C1 as UTF-8 writes it: all of them can drive a terminal. */
static bool is_control(const unsigned char *p)
{
    return *p < ' ' || *p == 0x7f || (*p == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F);
}

int wire_name_check(const char *name, const char *what, struct err *e)
{
    size_t len = strlen(name);
    if (len == 0)
        return err_set(e, ERR_MISSING, "%s is required", what);
    if (len > BOUND_NAME_BYTES)
        return err_set(e, ERR_TOO_BIG, "%s has %zu bytes; it may have %d", what, len,
                       BOUND_NAME_BYTES);
    for (const unsigned char *p = (const unsigned char *)name; *p; p++)
        if (is_control(p))
            return err_set(e, ERR_INVALID, "%s has a control character at byte %zu", what,
                           (size_t)(p - (const unsigned char *)name));
    return 0;
}
