/* Volumes. */
#include "runner/engine/engine.h"

#include <stdlib.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/str.h"
#include "runner/engine/client.h"

#include "lib/banned.h"

static void volume_path(struct buf *path, const char *name)
{
    buf_adds(path, "/volumes/");
    httpc_escape(path, name);
}

int engine_volume_create(struct engine *g, const char *name, const struct engine_label *labels,
                         size_t n_labels, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(buf) struct buf body = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct jsonw w = JSONW(&body);
    buf_adds(&path, "/volumes/create");
    jw_obj(&w, NULL);
    jw_str(&w, "Name", name);
    engine_put_labels(&w, labels, n_labels);
    jw_obj_end(&w);
    return engine_call(g, "POST", &path, &body, ENGINE_ASK_MS, NULL, e);
}

int engine_volume_exists(struct engine *g, const char *name, bool *ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    volume_path(&path, name);
    int rc = engine_call(g, "GET", &path, NULL, ENGINE_ASK_MS, NULL, e);
    if (rc < 0 && rc != ERR_NOT_FOUND)
        return rc;
    *ret = rc == 0;
    return 0;
}

int engine_volume_remove(struct engine *g, const char *name, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    volume_path(&path, name);
    int rc = engine_call(g, "DELETE", &path, NULL, ENGINE_ASK_MS, NULL, e);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int decode_row(const struct json *row, struct engine_entry *out, struct err *e)
{
    const char *name = json_get_str(row, "Name", "");
    if (name[0] == '\0')
        return err_set(e, ERR_PROTOCOL, "engine lists a volume without a name");
    int64_t created_us = 0;
    struct err ignored; /* the time is a courtesy: plugins may leave it out */
    if (clock_parse(json_get_str(row, "CreatedAt", ""), &created_us, &ignored) == 0)
        out->created_s = created_us / 1000000;
    out->name = str_dup(name);
    out->labels = engine_labels(json_member(row, "Labels"));
    return 0;
}

int engine_volume_list(struct engine *g, const char *label_key, const char *label_value,
                       struct engine_entry **ret, size_t *ret_n, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    autojson struct json *root = NULL;
    buf_adds(&path, "/volumes?");
    engine_label_filter(&path, label_key, label_value);
    int rc = engine_list_call(g, &path, &root, e);
    if (rc < 0)
        return rc;
    const struct json *rows = json_member(root, "Volumes");
    if (json_kind(root) == JSON_OBJECT && json_kind(rows) == JSON_NULL) { /* none: null in Go */
        *ret = NULL;
        *ret_n = 0;
        return 0;
    }
    return engine_rows(rows, decode_row, ret, ret_n, e);
}
