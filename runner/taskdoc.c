/* Builds the task document. The order of its records is free but for argv. */
#include "runner/taskdoc.h"

#include <stdlib.h>
#include <string.h>

#include "api/frame.h"
#include "lib/bounds.h"
#include "lib/json.h"
#include "lib/str.h"

#include "lib/banned.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- environment ---- */

static void env_put(struct words *env, const char *pair)
{
    size_t key = strcspn(pair, "=") + 1;
    for (size_t i = 0; i < env->n; i++) {
        if (strncmp(env->v[i], pair, key) == 0) {
            free(env->v[i]);
            env->v[i] = str_dup(pair);
            return;
        }
    }
    words_add(env, pair);
}

static void env_set(struct words *env, const char *key, const char *value)
{
    autofree char *pair = str_fmt("%s=%s", key, value);
    env_put(env, pair);
}

struct env_adder {
    struct words *env;
    struct err *e;
};

static int add_env_var(const char *key, const struct json *v, void *arg)
{
    struct env_adder *a = arg;
    const char *text = json_string(v, NULL);
    if (!text || !*key || strchr(key, '='))
        return err_set(a->e, ERR_INVALID, "env_vars: %.60s is no name with a text", key);
    env_set(a->env, key, text);
    return 0;
}

static int add_env_vars(struct words *env, const char *text, struct err *e)
{
    if (!text || !*text)
        return 0;
    autojson struct json *root = NULL;
    if (json_parse(text, strlen(text), BOUND_JSON_DEPTH, &root, e))
        return err_wrap(e, "env_vars");
    if (json_kind(root) == JSON_NULL)
        return 0;
    if (json_kind(root) != JSON_OBJECT)
        return err_set(e, ERR_INVALID, "env_vars is no object");
    struct env_adder adder = {env, e};
    return json_each(root, add_env_var, &adder);
}

int taskdoc_env(const struct grant *g, char *const *image_env, struct words *ret, struct err *e)
{
    AUTO(words) struct words env = {0};
    env_set(&env, "PATH", DEFAULT_PATH);
    env_set(&env, "HOME", "/task");
    for (char *const *pair = image_env; pair && *pair; pair++)
        if (strchr(*pair, '='))
            env_put(&env, *pair);
    if (add_env_vars(&env, g->env_vars, e))
        return e->code;
    env_set(&env, "TASK_ID", g->ref.task);
    env_set(&env, "TASK_DIR", COMMAND_DIR);
    env_set(&env, "PAYLOAD_FILE", COMMAND_PAYLOAD_FILE);
    if (g->config && *g->config)
        env_set(&env, "CONFIG_FILE", COMMAND_CONFIG_FILE);
    words_release(ret);
    *ret = env;
    env = (struct words){0};
    return 0;
}

/* ---- records ---- */

static void put_text(struct buf *doc, enum doc_tag tag, const char *text)
{
    doc_put(doc, tag, text, strlen(text));
}

static void put_file(struct buf *doc, const char *path, const void *bytes, size_t len)
{
    AUTO(buf) struct buf record = BUF_INIT(TASKDOC_BYTES);
    buf_add(&record, path, strlen(path) + 1);
    buf_add(&record, "0644", sizeof "0644");
    buf_add(&record, bytes, len);
    doc_put(doc, DOC_FILE, record.data, record.len);
}

static void put_marker(struct buf *doc, const char *path, const char *text)
{
    AUTO(buf) struct buf record = BUF_INIT(BOUND_PATH_BYTES);
    buf_add(&record, path, strlen(path) + 1);
    buf_adds(&record, text);
    doc_put(doc, DOC_MARKER, record.data, record.len);
}

static void put_rlimit(struct buf *doc, const char *name, int64_t value)
{
    AUTO(buf) struct buf record = BUF_INIT(128);
    buf_add(&record, name, strlen(name) + 1);
    buf_addf(&record, "%lld%c%lld", (long long)value, '\0', (long long)value);
    doc_put(doc, DOC_RLIMIT, record.data, record.len);
}

static void put_number(struct buf *doc, enum doc_tag tag, int64_t value)
{
    AUTO(buf) struct buf text = BUF_INIT(32);
    buf_addf(&text, "%lld", (long long)value);
    doc_put(doc, tag, text.data, text.len);
}

int taskdoc_build(const struct taskdoc *t, struct buf *ret, struct err *e)
{
    const struct grant *g = t->grant;
    for (size_t i = 0; i < t->argv->n; i++)
        put_text(ret, DOC_ARG, t->argv->v[i]);
    for (size_t i = 0; i < t->env->n; i++)
        put_text(ret, DOC_ENV, t->env->v[i]);
    put_text(ret, DOC_DIR, t->dir);
    if (g->package_sha256[0]) {
        put_marker(ret, CODE_MARKER, g->package_sha256);
        put_text(ret, DOC_COPY, CODE_FILES);
    }
    put_file(ret, COMMAND_PAYLOAD_FILE, buf_str(t->payload), t->payload->len);
    if (g->config && *g->config)
        put_file(ret, COMMAND_CONFIG_FILE, g->config, strlen(g->config));
    put_rlimit(ret, "nofile", t->caps->files);
    put_rlimit(ret, "core", 0);
    put_number(ret, DOC_DISK, t->caps->disk_bytes);
    doc_put(ret, DOC_SECCOMP, t->seccomp->data, t->seccomp->len);
    return buf_check(ret, "task document", e);
}
