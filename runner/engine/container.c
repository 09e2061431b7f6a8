/* Containers: their life from create to remove, and what the engine says about them. */
#include "runner/engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"
#include "runner/engine/client.h"

#include "lib/banned.h"

static void container_path(struct buf *path, const char *id, const char *rest)
{
    buf_adds(path, "/containers/");
    httpc_escape(path, id);
    buf_adds(path, rest);
}

static void join_warnings(const struct json *warnings, struct buf *out)
{
    for (size_t i = 0; i < json_length(warnings); i++) {
        const char *text = json_string(json_at(warnings, i), NULL);
        if (text)
            buf_addf(out, "%s%s", out->len > 0 ? "; " : "", text);
    }
}

int engine_create(struct engine *g, const struct engine_spec *spec, char ret_id[ENGINE_ID_TEXT],
                  struct buf *ret_warnings, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(buf) struct buf body = BUF_INIT(BOUND_JSON_BODY_BYTES);
    autojson struct json *root = NULL;
    buf_adds(&path, "/containers/create?name=");
    httpc_escape(&path, spec->name);
    engine_create_body(spec, &body);
    int rc = engine_call(g, "POST", &path, &body, ENGINE_CHANGE_MS, &root, e);
    if (rc == 0)
        rc = engine_copy_id(json_get_str(root, "Id", ""), ENGINE_ID_TEXT, ret_id, e);
    if (rc == 0)
        join_warnings(json_member(root, "Warnings"), ret_warnings);
    return rc;
}

static int act(struct engine *g, const char *method, const char *id, const char *rest,
               int timeout_ms, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    container_path(&path, id, rest);
    return engine_call(g, method, &path, NULL, timeout_ms, NULL, e);
}

int engine_start(struct engine *g, const char *id, struct err *e)
{
    return act(g, "POST", id, "/start", ENGINE_CHANGE_MS, e);
}

int engine_kill(struct engine *g, const char *id, int signal, struct err *e)
{
    autofree char *rest = str_fmt("/kill?signal=%d", signal);
    return act(g, "POST", id, rest, ENGINE_ASK_MS, e);
}

int engine_remove(struct engine *g, const char *id, struct err *e)
{
    int rc = act(g, "DELETE", id, "?force=1&v=1", ENGINE_CHANGE_MS, e);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* ---- inspect ---- */

struct state_answer {
    const char *status, *error;
    bool running, oom_killed;
    int64_t exit_code;
};

/* Required: what is not said must not read as "exited with 0". */
static const struct json_field state_fields[] = {
    {"Status", JT_STR, offsetof(struct state_answer, status), JF_REQUIRED, 0, 0},
    {"Running", JT_BOOL, offsetof(struct state_answer, running), JF_REQUIRED, 0, 0},
    {"ExitCode", JT_INT, offsetof(struct state_answer, exit_code), JF_REQUIRED, INT32_MIN,
     INT32_MAX},
    {"OOMKilled", JT_BOOL, offsetof(struct state_answer, oom_killed), 0, 0, 0},
    {"Error", JT_STR, offsetof(struct state_answer, error), 0, 0, 0},
};

static const struct json_field limit_fields[] = {
    {"Memory", JT_INT, offsetof(struct engine_state, memory_bytes), 0, 0, 0},
    {"MemorySwap", JT_INT, offsetof(struct engine_state, memory_swap_bytes), 0, 0, 0},
    {"NanoCpus", JT_INT, offsetof(struct engine_state, nano_cpus), 0, 0, 0},
    {"PidsLimit", JT_INT, offsetof(struct engine_state, pids), 0, 0, 0},
};

static int decode_state(const struct json *root, struct engine_state *out, struct err *e)
{
    struct state_answer s = {.error = ""};
    int rc = json_decode(json_member(root, "State"), state_fields, ARRAY_LEN(state_fields),
                         JSON_LENIENT, &s, e);
    if (rc == 0)
        rc = json_decode(json_member(root, "HostConfig"), limit_fields, ARRAY_LEN(limit_fields),
                         JSON_LENIENT, out, e);
    if (rc < 0)
        return engine_garbled("container", e);
    str_copy(out->status, sizeof(out->status), s.status);
    str_copy(out->error, sizeof(out->error), s.error);
    out->running = s.running;
    out->oom_killed = s.oom_killed;
    out->exit_code = (int)s.exit_code;
    return engine_copy_id(json_get_str(root, "Id", ""), sizeof(out->id), out->id, e);
}

int engine_inspect(struct engine *g, const char *id, struct engine_state *ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    autojson struct json *root = NULL;
    container_path(&path, id, "/json");
    int rc = engine_call(g, "GET", &path, NULL, ENGINE_ASK_MS, &root, e);
    struct engine_state state = {0};
    if (rc == 0)
        rc = decode_state(root, &state, e);
    if (rc == 0)
        *ret = state;
    return rc;
}

/* ---- list ---- */

static int decode_row(const struct json *row, struct engine_entry *out, struct err *e)
{
    const char *name = json_string(json_at(json_member(row, "Names"), 0), NULL);
    if (!name)
        name = ""; /* one that is being removed may have lost it */
    out->name = str_dup(name[0] == '/' ? name + 1 : name);
    out->labels = engine_labels(json_member(row, "Labels"));
    out->created_s = json_get_int(row, "Created", 0);
    str_copy(out->state, sizeof(out->state), json_get_str(row, "State", ""));
    return engine_copy_id(json_get_str(row, "Id", ""), sizeof(out->id), out->id, e);
}

int engine_list(struct engine *g, const char *label_key, const char *label_value,
                struct engine_entry **ret, size_t *ret_n, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    autojson struct json *root = NULL;
    buf_adds(&path, "/containers/json?all=1&");
    engine_label_filter(&path, label_key, label_value);
    int rc = engine_list_call(g, &path, &root, e);
    return rc < 0 ? rc : engine_rows(root, decode_row, ret, ret_n, e);
}
