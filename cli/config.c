/* Configuration discovery. Every source fills only what a stronger one left open, so the order of
 * the calls in config_load is the precedence. Neighbour: client.c. */
#include "cli/config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/json.h"
#include "lib/str.h"

#include "lib/banned.h"

#define CONFIG_FILE_BYTES (64u << 10)
#define LOCAL_FILE        "./iron.json"
#define HOME_FILE         ".iron.json"

/* A key under the names that Iron clients give it: some write "scheme", others "protocol". */
static const struct {
    const char *name, *alias, *env, *env_alias, *flag;
} keys[CONFIG_KEYS] = {
    [CONFIG_HOST] = {"host", NULL, "HOST", NULL, "--host"},
    [CONFIG_PORT] = {"port", NULL, "PORT", NULL, "--port"},
    [CONFIG_SCHEME] = {"scheme", "protocol", "SCHEME", "PROTOCOL", "--scheme"},
    [CONFIG_TOKEN] = {"token", NULL, "TOKEN", NULL, "--token"},
    [CONFIG_PROJECT_ID] = {"project_id", NULL, "PROJECT_ID", NULL, "--project-id"},
    [CONFIG_API_VERSION] = {"api_version", NULL, "API_VERSION", NULL, NULL},
};

/* The run of config_load. */
struct search {
    struct config *c;
    const char *section; /* environment section that was asked for, or NULL */
    bool section_found;
    bool files_read;
};

static void take(struct config *c, enum config_key key, const char *value, const char *source)
{
    struct setting *s = &c->set[key];
    if (s->value || !value || !value[0])
        return;
    s->value = str_dup(value);
    s->source = str_dup(source);
}

/* ---- flags and variables ---- */

static int take_flags(struct config *c, const struct common *f, struct err *e)
{
    autofree char *port = f->port ? str_fmt("%lld", (long long)f->port) : NULL;
    const char *given[CONFIG_KEYS] = {[CONFIG_HOST] = f->host,
                                      [CONFIG_PORT] = port,
                                      [CONFIG_SCHEME] = f->scheme,
                                      [CONFIG_TOKEN] = f->token,
                                      [CONFIG_PROJECT_ID] = f->project_id};
    for (int k = 0; k < CONFIG_KEYS; k++)
        if (given[k])
            take(c, (enum config_key)k, given[k], keys[k].flag);
    if (!f->token_file)
        return 0;
    autofree char *token = NULL;
    int rc = fs_read_secret(f->token_file, &token, e);
    if (rc < 0)
        return rc;
    take(c, CONFIG_TOKEN, token, f->token_file);
    return 0;
}

static void take_variable(struct config *c, enum config_key key, const char *prefix,
                          const char *name)
{
    if (!name)
        return;
    autofree char *variable = str_fmt("%s%s", prefix, name);
    take(c, key, getenv(variable), variable);
}

static void take_variables(struct config *c, const char *prefix)
{
    for (int k = 0; k < CONFIG_KEYS; k++) {
        take_variable(c, (enum config_key)k, prefix, keys[k].env);
        take_variable(c, (enum config_key)k, prefix, keys[k].env_alias);
    }
}

/* ---- files ---- */

/* Port and version come as numbers or strings, depending on the client that wrote the file. */
static int take_member(struct config *c, enum config_key key, const struct json *object,
                       const char *name, const char *path, struct err *e)
{
    const struct json *v = name ? json_member(object, name) : NULL;
    switch (json_kind(v)) {
    case JSON_NULL:
        return 0;
    case JSON_STRING:
        take(c, key, json_string(v, NULL), path);
        return 0;
    case JSON_INT: {
        AUTO(buf) struct buf text = BUF_INIT(64);
        json_text(v, &text);
        take(c, key, buf_str(&text), path);
        return 0;
    }
    default:
        return err_set(e, ERR_USAGE, "%s: %s must be a string", path, name);
    }
}

static int take_object(struct config *c, const struct json *object, const char *path, struct err *e)
{
    int rc = 0;
    for (int k = 0; k < CONFIG_KEYS && rc == 0; k++) {
        rc = take_member(c, (enum config_key)k, object, keys[k].name, path, e);
        if (rc == 0)
            rc = take_member(c, (enum config_key)k, object, keys[k].alias, path, e);
    }
    return rc;
}

static int take_document(struct search *s, const struct json *root, const char *path, struct err *e)
{
    if (json_kind(root) != JSON_OBJECT)
        return err_set(e, ERR_USAGE, "%s does not hold a JSON object", path);
    s->files_read = true;
    if (s->section) {
        root = json_member(root, s->section);
        if (json_kind(root) != JSON_OBJECT)
            return 0;
        s->section_found = true;
    }
    int rc = take_object(s->c, json_member(root, "iron_worker"), path, e);
    return rc == 0 ? take_object(s->c, root, path, e) : rc;
}

static int take_file(struct search *s, const char *path, bool must_exist, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(CONFIG_FILE_BYTES);
    int rc = fs_read(path, &text, e);
    if (rc == ERR_NOT_FOUND && !must_exist)
        return 0;
    if (rc < 0)
        return rc;
    autojson struct json *root = NULL;
    if (json_parse(buf_str(&text), text.len, BOUND_JSON_DEPTH, &root, e) < 0) {
        (void)err_wrap(e, "%s", path);
        return e->code = ERR_USAGE; /* our own configuration, not a peer's */
    }
    return take_document(s, root, path, e);
}

/* ---- all together ---- */

static const char *first_variable(const char *a, const char *b)
{
    const char *v = getenv(a);
    return v && v[0] ? v : getenv(b);
}

static int check_values(const struct config *c, struct err *e)
{
    const struct setting *scheme = &c->set[CONFIG_SCHEME], *port = &c->set[CONFIG_PORT];
    const struct setting *version = &c->set[CONFIG_API_VERSION];
    int64_t number;
    if (strcmp(scheme->value, "http") != 0 && strcmp(scheme->value, "https") != 0)
        return err_set(e, ERR_USAGE, "scheme must be http or https, not \"%s\" (from %s)",
                       scheme->value, scheme->source);
    if (str_int(port->value, "port", 1, 65535, &number, e) < 0)
        return err_set(e, ERR_USAGE, "port must be 1 to 65535, not \"%s\" (from %s)", port->value,
                       port->source);
    if (strcmp(version->value, "2") != 0)
        return err_set(e, ERR_USAGE, "api_version must be 2, not \"%s\" (from %s)", version->value,
                       version->source);
    return 0;
}

static void take_defaults(struct config *c)
{
    take(c, CONFIG_HOST, "127.0.0.1", "default");
    take(c, CONFIG_SCHEME, "http", "default");
    bool tls = strcmp(c->set[CONFIG_SCHEME].value, "https") == 0;
    take(c, CONFIG_PORT, tls ? "443" : "8080", "default");
    take(c, CONFIG_API_VERSION, "2", "default");
}

static int search_all(struct search *s, const struct common *flags, struct err *e)
{
    int rc = take_flags(s->c, flags, e);
    if (rc == 0 && flags->config)
        rc = take_file(s, flags->config, true, e);
    if (rc == 0)
        rc = take_file(s, LOCAL_FILE, false, e);
    if (rc < 0)
        return rc;
    take_variables(s->c, "IRON_WORKER_");
    take_variables(s->c, "IRON_");
    const char *home = getenv("HOME");
    if (home && home[0]) {
        autofree char *path = str_fmt("%s/%s", home, HOME_FILE);
        rc = take_file(s, path, false, e);
    }
    if (rc == 0 && s->section && s->files_read && !s->section_found)
        rc = err_set(e, ERR_USAGE, "no configuration file has the environment \"%s\"", s->section);
    return rc;
}

int config_load(const struct common *flags, struct config *ret, struct err *e)
{
    struct config c = {0};
    struct search s = {.c = &c, .section = flags->env};
    if (!s.section)
        s.section = first_variable("IRON_WORKER_ENV", "IRON_ENV");
    if (s.section && !s.section[0])
        s.section = NULL;
    int rc = search_all(&s, flags, e);
    if (rc == 0) {
        take_defaults(&c);
        rc = check_values(&c, e);
    }
    if (rc < 0) {
        config_release(&c);
        return rc;
    }
    *ret = c;
    return 0;
}

void config_release(struct config *c)
{
    for (int k = 0; k < CONFIG_KEYS; k++) {
        free(TAKE(c->set[k].value));
        free(TAKE(c->set[k].source));
    }
}

int config_need(const struct config *c, enum config_key key, const char **ret, struct err *e)
{
    if (!c->set[key].value)
        return err_set(e, key == CONFIG_TOKEN ? ERR_UNAUTHORIZED : ERR_USAGE,
                       "no %s: give %s, or set IRON_%s, or put it into ./iron.json or ~/%s",
                       keys[key].name, keys[key].flag, keys[key].env, HOME_FILE);
    *ret = c->set[key].value;
    return 0;
}

void config_base(const struct config *c, struct buf *out)
{
    const char *host = c->set[CONFIG_HOST].value;
    bool bare_v6 = strchr(host, ':') && host[0] != '[';
    buf_addf(out, "%s://%s%s%s:%s", c->set[CONFIG_SCHEME].value, bare_v6 ? "[" : "", host,
             bare_v6 ? "]" : "", c->set[CONFIG_PORT].value);
}
