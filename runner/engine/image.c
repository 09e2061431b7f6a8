/* Images: what they would run, pulling them, and which stacks are there. */
#include "runner/engine/image.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"
#include "runner/engine/client.h"

#include "lib/banned.h"

#define TASK_DIR_LABEL "wrought.taskdir"
#define STACK_PREFIX   "wrought/"
#define STACK_SUFFIX   ":latest"

/* ---- inspect ---- */

void engine_image_release(struct engine_image *i)
{
    free(i->user);
    free(i->working_dir);
    engine_strings_free(i->entrypoint);
    engine_strings_free(i->cmd);
    engine_strings_free(i->env);
    *i = (struct engine_image){0};
}

/* add_ref: a reference in a path keeps its slashes. */
static void add_ref(struct buf *path, const char *ref)
{
    for (;;) {
        size_t len = strcspn(ref, "/");
        autofree char *part = str_dupn(ref, len);
        httpc_escape(path, part);
        if (ref[len] == '\0')
            return;
        buf_addc(path, '/');
        ref += len + 1;
    }
}

int engine_image_inspect(struct engine *g, const char *ref, struct engine_image *ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    autojson struct json *root = NULL;
    char id[sizeof(ret->id)];
    if (!engine_is_reference(ref))
        return err_set(e, ERR_INVALID, "no valid image reference");
    buf_adds(&path, "/images/");
    add_ref(&path, ref);
    buf_adds(&path, "/json");
    int rc = engine_call(g, "GET", &path, NULL, ENGINE_ASK_MS, &root, e);
    if (rc == 0)
        rc = engine_copy_id(json_get_str(root, "Id", ""), sizeof(id), id, e);
    if (rc < 0)
        return rc;
    const struct json *config = json_member(root, "Config"); /* newer engines omit what is empty */
    const char *mark = json_get_str(json_member(config, "Labels"), TASK_DIR_LABEL, "");
    *ret = (struct engine_image){
        .user = str_dup(json_get_str(config, "User", "")),
        .working_dir = str_dup(json_get_str(config, "WorkingDir", "")),
        .entrypoint = engine_strings(json_member(config, "Entrypoint")),
        .cmd = engine_strings(json_member(config, "Cmd")),
        .env = engine_strings(json_member(config, "Env")),
        .task_dir = strcmp(mark, "1") == 0,
        .size_bytes = json_get_int(root, "Size", 0),
    };
    str_copy(ret->id, sizeof(ret->id), id);
    return 0;
}

/* ---- pull ---- */

struct pull {
    struct buf line;
    struct buf error; /* the first that was reported; "" while all is well */
    int (*on_idle)(void *arg);
    void *arg;
};

static void end_line(struct pull *p)
{
    autojson struct json *root = NULL;
    struct err ignored; /* what is no JSON is no error report either */
    if (p->error.len == 0 && !p->line.failed &&
        json_parse(buf_str(&p->line), p->line.len, BOUND_ENGINE_JSON_DEPTH, &root, &ignored) == 0) {
        const char *text = json_get_str(json_member(root, "errorDetail"), "message", NULL);
        if (!text)
            text = json_get_str(root, "error", "");
        buf_add(&p->error, text, strnlen(text, BOUND_ENGINE_ERROR_BYTES));
    }
    buf_clear(&p->line);
}

static int on_progress(const void *bytes, size_t len, void *arg)
{
    struct pull *p = arg;
    const char *at = bytes, *end = at + len;
    while (at < end) {
        const char *nl = memchr(at, '\n', (size_t)(end - at));
        buf_add(&p->line, at, (size_t)((nl ? nl : end) - at));
        if (!nl)
            break;
        end_line(p);
        at = nl + 1;
    }
    return 0;
}

static int on_pull_idle(void *arg)
{
    struct pull *p = arg;
    return p->on_idle ? p->on_idle(p->arg) : 0;
}

/* A reference without tag and digest would pull every tag there is. */
static bool names_one(const char *ref)
{
    const char *slash = strrchr(ref, '/');
    return strchr(ref, '@') || strchr(slash ? slash : ref, ':');
}

static int pull_stream(struct engine *g, const char *path, const char *auth, int timeout_ms,
                       struct pull *p, struct err *e)
{
    autofree char *auth_line = auth ? str_fmt("X-Registry-Auth: %s", auth) : NULL;
    const char *const headers[] = {auth_line, NULL};
    const struct httpc_req rq = {.method = "POST",
                                 .path = path,
                                 .headers = headers,
                                 .timeout_ms = timeout_ms,
                                 .stall_timeout_ms = ENGINE_PULL_STALL_MS,
                                 .on_data = on_progress,
                                 .on_idle = on_pull_idle,
                                 .arg = p};
    return engine_request(g, &rq, NULL, e);
}

int engine_image_pull(struct engine *g, const char *ref, const char *auth, int timeout_ms,
                      int (*on_idle)(void *arg), void *arg, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    struct pull p = {.line = BUF_INIT(BOUND_ENGINE_LINE_BYTES),
                     .error = BUF_INIT(BOUND_ENGINE_ERROR_BYTES),
                     .on_idle = on_idle,
                     .arg = arg};
    buf_adds(&path, "/images/create?fromImage=");
    httpc_escape(&path, ref);
    buf_adds(&path, names_one(ref) ? "" : "&tag=latest");
    int rc = buf_check(&path, "engine path", e);
    if (rc == 0)
        rc = pull_stream(g, buf_str(&path), auth, timeout_ms, &p, e);
    if (rc == 0) {
        end_line(&p); /* the last one may lack its newline */
        if (p.error.len > 0)
            rc = err_set(e, ERR_UNAVAILABLE, "%s", buf_str(&p.error));
    }
    buf_release(&p.line);
    buf_release(&p.error);
    return rc < 0 ? err_wrap(e, "pull %s", ref) : 0;
}

int engine_image_import(struct engine *g, const char *repo, const char *tag, const struct buf *tar,
                        struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    buf_adds(&path, "/images/create?fromSrc=-&repo=");
    httpc_escape(&path, repo);
    buf_adds(&path, "&tag=");
    httpc_escape(&path, tag);
    return engine_call(g, "POST", &path, tar, ENGINE_PUT_MS, NULL, e);
}

/* ---- stacks ---- */

/* stack_name: NAME of "wrought/NAME:latest", NULL for other tags. Podman names a registry for local
 * images too. */
static char *stack_name(const char *tag)
{
    static const char *const registries[] = {"localhost/", "docker.io/"};
    for (size_t i = 0; i < ARRAY_LEN(registries); i++) {
        if (str_starts(tag, registries[i]))
            tag += strlen(registries[i]);
    }
    if (!str_starts(tag, STACK_PREFIX) || !str_ends(tag, STACK_SUFFIX))
        return NULL;
    tag += strlen(STACK_PREFIX);
    size_t len = strlen(tag) - strlen(STACK_SUFFIX);
    return len > 0 ? str_dupn(tag, len) : NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **names_of(const struct json *images)
{
    size_t n = 0, room = 0;
    for (size_t i = 0; i < json_length(images); i++)
        room += json_length(json_member(json_at(images, i), "RepoTags"));
    char **list = calloc(room + 1, sizeof(*list));
    if (!list)
        abort();
    for (size_t i = 0; i < json_length(images); i++) {
        const struct json *tags = json_member(json_at(images, i), "RepoTags");
        for (size_t k = 0; k < json_length(tags); k++) {
            const char *tag = json_string(json_at(tags, k), NULL);
            list[n] = tag ? stack_name(tag) : NULL;
            n += list[n] != NULL;
        }
    }
    qsort(list, n, sizeof(*list), by_text);
    return list;
}

int engine_stacks(struct engine *g, char ***ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    autojson struct json *root = NULL;
    buf_adds(&path, "/images/json"); /* unfiltered: engines match "reference" differently */
    int rc = engine_list_call(g, &path, &root, e);
    if (rc < 0)
        return rc;
    if (json_kind(root) != JSON_ARRAY)
        return err_set(e, ERR_PROTOCOL, "engine's list of images is none");
    *ret = names_of(root);
    return 0;
}
