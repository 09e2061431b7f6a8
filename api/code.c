/* Codes and revisions: the upload request and both objects. Neighbour: api/wire.h. */
#include "api/code.h"

#include <stdlib.h>
#include <string.h>

#include "api/wire.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

/* So many tasks of one code at a time at most; a higher number would be no limit either. */
#define MAX_CONCURRENCY 1000000

/* ---- the upload request ---- */

#define UPLOAD(key, type, member, max)                                                             \
    {                                                                                              \
        key, type, offsetof(struct code_upload, member), WIRE_OMIT | WIRE_OMIT_NEG, 0, max         \
    }
#define UPLOAD_OPTION(key, type, member, max)                                                      \
    {                                                                                              \
        key, type, offsetof(struct code_upload, member), WIRE_OMIT_NEG, 0, max                     \
    }

/* `config` is not here: it may be a string or an object. An unset option is negative (CODE_UNSET),
 * so it is left out when encoding. */
static const struct wire_field upload_fields[] = {
    UPLOAD("name", WIRE_TEXT, name, 0), /* bounded by wire_name_check */
    UPLOAD("image", WIRE_TEXT, image, BOUND_PATH_BYTES),
    UPLOAD("command", WIRE_TEXT, command, BOUND_COMMAND_BYTES),
    UPLOAD("runtime", WIRE_TEXT, runtime, BOUND_NAME_BYTES),
    UPLOAD("file_name", WIRE_TEXT, file_name, BOUND_PATH_BYTES),
    UPLOAD("stack", WIRE_TEXT, stack, BOUND_NAME_BYTES),
    UPLOAD("build", WIRE_TEXT, build, BOUND_COMMAND_BYTES),
    UPLOAD("env_vars", WIRE_OBJ, env_vars, 0),
    UPLOAD_OPTION("max_concurrency", WIRE_INT, max_concurrency, MAX_CONCURRENCY),
    UPLOAD_OPTION("retries", WIRE_INT, retries, BOUND_RETRIES),
    UPLOAD_OPTION("retries_delay", WIRE_SECS, retries_delay_s, BOUND_DELAY_S),
    UPLOAD_OPTION("default_priority", WIRE_INT, default_priority, 0),
    UPLOAD_OPTION("timeout", WIRE_SECS, timeout_s, BOUND_TIMEOUT_S),
};

static int decode_config(const struct json *v, struct code_upload *u, struct err *e)
{
    size_t len = 0;
    const char *text = json_string(v, &len);
    if (text) {
        u->config = text;
    } else if (json_kind(v) == JSON_OBJECT || json_kind(v) == JSON_ARRAY) {
        struct buf made = BUF_INIT(BOUND_JSON_BODY_BYTES);
        json_text(v, &made);
        len = made.len;
        u->config = u->config_made = buf_take(&made);
    } else if (json_kind(v) != JSON_NULL) {
        return err_set(e, ERR_INVALID, "config must be a string or an object");
    }
    if (len > BOUND_CONFIG_BYTES)
        return err_set(e, ERR_TOO_BIG, "config has %zu bytes; it may have %u", len,
                       BOUND_CONFIG_BYTES);
    return 0;
}

struct env_check {
    size_t bytes;
    struct err *e;
};

static int check_env_var(const char *key, const struct json *v, void *arg)
{
    struct env_check *check = arg;
    size_t len = 0;
    if (key[0] == '\0' || strchr(key, '='))
        return err_set(check->e, ERR_INVALID, "env_vars has a bad name \"%.64s\"", key);
    if (!json_string(v, &len))
        return err_set(check->e, ERR_INVALID, "env_vars.%.64s must be a string", key);
    check->bytes += strlen(key) + len;
    return 0;
}

static int check_env(const struct json *env_vars, struct err *e)
{
    struct env_check check = {.e = e};
    int rc = json_each(env_vars, check_env_var, &check);
    if (rc == 0 && check.bytes > BOUND_ENV_BYTES)
        return err_set(e, ERR_TOO_BIG, "env_vars have %zu bytes; they may have %u", check.bytes,
                       BOUND_ENV_BYTES);
    return rc;
}

int code_upload_decode(const struct json *v, struct code_upload *ret, struct err *e)
{
    struct code_upload u = {.name = "",
                            .image = "",
                            .command = "",
                            .runtime = "",
                            .file_name = "",
                            .stack = "",
                            .build = "",
                            .config = "",
                            .max_concurrency = CODE_UNSET,
                            .retries = CODE_UNSET,
                            .retries_delay_s = CODE_UNSET,
                            .default_priority = CODE_UNSET,
                            .timeout_s = CODE_UNSET};
    int rc = wire_decode(v, upload_fields, ARRAY_LEN(upload_fields), JSON_LENIENT, &u, e);
    if (rc == 0)
        rc = wire_name_check(u.name, "name", e);
    if (rc == 0)
        rc = check_env(u.env_vars, e);
    if (rc == 0)
        rc = decode_config(json_member(v, "config"), &u, e);
    if (rc < 0) {
        code_upload_release(&u);
        return rc;
    }
    if (u.default_priority < 0 || u.default_priority > 2)
        u.default_priority = CODE_UNSET;
    *ret = u;
    return 0;
}

void code_upload_release(struct code_upload *u)
{
    free(TAKE(u->config_made));
}

void code_upload_encode(const struct code_upload *u, struct jsonw *w)
{
    jw_obj(w, NULL);
    wire_encode(upload_fields, ARRAY_LEN(upload_fields), u, w);
    if (u->config && u->config[0])
        jw_str(w, "config", u->config);
    jw_obj_end(w);
}

/* ---- the code object ---- */

#define CODE(key, type, member, flags, max)                                                        \
    {                                                                                              \
        key, type, offsetof(struct code, member), flags, 0, max                                    \
    }

static const struct wire_field code_fields[] = {
    CODE("id", WIRE_HEX, id, WIRE_REQUIRED, ID_HEX),
    CODE("project_id", WIRE_HEX, project_id, 0, ID_HEX),
    CODE("name", WIRE_OWNED, name, WIRE_REQUIRED, 0),
    CODE("rev", WIRE_INT, rev, 0, 0),
    CODE("latest_history_id", WIRE_HEX, latest_history_id, 0, ID_HEX),
    CODE("latest_change", WIRE_TIME, latest_change_us, 0, 0),
    CODE("latest_checksum", WIRE_OWNED, checksum, WIRE_OMIT, 0),
    CODE("created_at", WIRE_TIME, created_us, 0, 0),
    CODE("updated_at", WIRE_TIME, updated_us, 0, 0),
    CODE("image", WIRE_OWNED, image, WIRE_OMIT, 0),
    CODE("command", WIRE_OWNED, command, WIRE_OMIT, 0),
    CODE("runtime", WIRE_OWNED, runtime, WIRE_OMIT, 0),
    CODE("stack", WIRE_OWNED, stack, WIRE_OMIT, 0),
    CODE("file_name", WIRE_OWNED, file_name, WIRE_OMIT, 0),
    CODE("config", WIRE_OWNED, config, WIRE_OMIT, 0),
    CODE("env_vars", WIRE_OBJ_TEXT, env_vars, WIRE_OMIT, 0),
    CODE("max_concurrency", WIRE_INT, max_concurrency, 0, 0),
    CODE("retries", WIRE_INT, retries, 0, 0),
    CODE("retries_delay", WIRE_SECS, retries_delay_s, 0, 0),
    CODE("default_priority", WIRE_INT, default_priority, 0, 0),
    CODE("code_size", WIRE_INT, package_bytes, WIRE_OMIT, 0),
};

void code_release(struct code *c)
{
    char **owned[] = {&c->name,      &c->image,  &c->command,  &c->runtime, &c->stack,
                      &c->file_name, &c->config, &c->checksum, &c->env_vars};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++)
        free(TAKE(*owned[i]));
}

void code_encode(const struct code *c, struct jsonw *w, const char *key)
{
    struct code shown = *c;
    if (c->paused)
        shown.max_concurrency = -1;
    jw_obj(w, key);
    wire_encode(code_fields, ARRAY_LEN(code_fields), &shown, w);
    jw_int(w, "priority", c->default_priority); /* the name in answers (D6) */
    jw_obj_end(w);
}

int code_decode(const struct json *v, struct code *ret, struct err *e)
{
    struct code c = {0};
    int rc = wire_decode(v, code_fields, ARRAY_LEN(code_fields), JSON_LENIENT, &c, e);
    if (rc < 0) {
        code_release(&c);
        return rc;
    }
    c.paused = c.max_concurrency < 0;
    if (c.paused)
        c.max_concurrency = CODE_UNSET;
    *ret = c;
    return 0;
}

/* ---- the revision object ---- */

#define REVISION(key, type, member, flags, max)                                                    \
    {                                                                                              \
        key, type, offsetof(struct revision, member), flags, 0, max                                \
    }

static const struct wire_field revision_fields[] = {
    REVISION("id", WIRE_HEX, id, WIRE_REQUIRED, ID_HEX),
    REVISION("code_id", WIRE_HEX, code_id, 0, ID_HEX),
    REVISION("project_id", WIRE_HEX, project_id, 0, ID_HEX),
    REVISION("name", WIRE_OWNED, name, WIRE_REQUIRED, 0),
    REVISION("rev", WIRE_INT, rev, 0, 0),
    REVISION("created_at", WIRE_TIME, created_us, 0, 0),
    REVISION("checksum", WIRE_OWNED, checksum, WIRE_OMIT, 0),
    REVISION("code_size", WIRE_INT, package_bytes, WIRE_OMIT, 0),
    REVISION("image", WIRE_OWNED, image, WIRE_OMIT, 0),
    REVISION("command", WIRE_OWNED, command, WIRE_OMIT, 0),
    REVISION("runtime", WIRE_OWNED, runtime, WIRE_OMIT, 0),
    REVISION("stack", WIRE_OWNED, stack, WIRE_OMIT, 0),
    REVISION("file_name", WIRE_OWNED, file_name, WIRE_OMIT, 0),
};

void revision_release(struct revision *r)
{
    char **owned[] = {&r->name,  &r->image,     &r->command, &r->runtime,
                      &r->stack, &r->file_name, &r->checksum};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++)
        free(TAKE(*owned[i]));
}

void revision_encode(const struct revision *r, struct jsonw *w, const char *key)
{
    jw_obj(w, key);
    wire_encode(revision_fields, ARRAY_LEN(revision_fields), r, w);
    jw_time(w, "updated_at", r->created_us); /* a revision never changes */
    jw_obj_end(w);
}

int revision_decode(const struct json *v, struct revision *ret, struct err *e)
{
    struct revision r = {0};
    int rc = wire_decode(v, revision_fields, ARRAY_LEN(revision_fields), JSON_LENIENT, &r, e);
    if (rc < 0) {
        revision_release(&r);
        return rc;
    }
    *ret = r;
    return 0;
}
