/* Lists of strings and rows as the engine's answers hold them: labels, containers, volumes. */
#include "runner/engine/client.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define FILTER_BYTES (64u << 10)

static char **strings_new(size_t n)
{
    char **list = calloc(n + 1, sizeof(*list));
    if (!list)
        abort();
    return list;
}

char **engine_strings(const struct json *array)
{
    char **list = strings_new(json_length(array));
    size_t n = 0;
    for (size_t i = 0; i < json_length(array); i++) {
        const char *s = json_string(json_at(array, i), NULL);
        if (s)
            list[n++] = str_dup(s);
    }
    return list;
}

void engine_strings_free(char **list)
{
    for (char **s = list; s && *s; s++)
        free(*s);
    free(list);
}

struct label_list {
    char **list;
    size_t n;
};

static int count_label(const char *key, const struct json *v, void *arg)
{
    (void)key, (void)v;
    ++*(size_t *)arg;
    return 0;
}

static int add_label(const char *key, const struct json *v, void *arg)
{
    struct label_list *l = arg;
    const char *value = json_string(v, NULL);
    l->list[l->n++] = str_fmt("%s=%s", key, value ? value : "");
    return 0;
}

char **engine_labels(const struct json *object)
{
    size_t n = 0;
    json_each(object, count_label, &n);
    struct label_list l = {.list = strings_new(n)};
    json_each(object, add_label, &l);
    return l.list;
}

const char *engine_entry_label(const struct engine_entry *entry, const char *key)
{
    size_t len = strlen(key);
    for (char **row = entry->labels; row && *row; row++) {
        if (strncmp(*row, key, len) == 0 && (*row)[len] == '=')
            return *row + len + 1;
    }
    return NULL;
}

void engine_list_free(struct engine_entry *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(list[i].name);
        engine_strings_free(list[i].labels);
    }
    free(list);
}

int engine_list_call(struct engine *g, const struct buf *path, struct json **ret_root,
                     struct err *e)
{
    int rc = buf_check(path, "engine path", e);
    if (rc < 0)
        return rc;
    const struct httpc_req rq = {.method = "GET",
                                 .path = buf_str(path),
                                 .timeout_ms = ENGINE_ASK_MS,
                                 .max_reply = BOUND_JSON_REPLY_BYTES};
    return engine_request(g, &rq, ret_root, e);
}

int engine_rows(const struct json *array,
                int (*decode)(const struct json *row, struct engine_entry *out, struct err *e),
                struct engine_entry **ret, size_t *ret_n, struct err *e)
{
    if (json_kind(array) != JSON_ARRAY)
        return err_set(e, ERR_PROTOCOL, "engine's list is none");
    size_t n = json_length(array);
    struct engine_entry *list = calloc(n + 1, sizeof(*list));
    if (!list)
        abort();
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = decode(json_at(array, i), &list[i], e);
    if (rc < 0) {
        engine_list_free(list, n);
        return rc;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

void engine_put_labels(struct jsonw *w, const struct engine_label *labels, size_t n)
{
    jw_obj(w, "Labels");
    for (size_t i = 0; i < n; i++)
        jw_str(w, labels[i].key, labels[i].value);
    jw_obj_end(w);
}

void engine_label_filter(struct buf *path, const char *key, const char *value)
{
    autofree char *label = value ? str_fmt("%s=%s", key, value) : str_dup(key);
    AUTO(buf) struct buf json = BUF_INIT(FILTER_BYTES);
    struct jsonw w = JSONW(&json);
    jw_obj(&w, NULL);
    jw_arr(&w, "label");
    jw_str(&w, NULL, label);
    jw_arr_end(&w);
    jw_obj_end(&w);
    buf_adds(path, "filters=");
    httpc_escape(path, buf_str(&json));
    path->failed |= json.failed; /* a filter that was cut would find other things */
}
