/* The runner protocol: requests are strict, since an unknown key there is a bug of ours; answers
 * are lenient, so that a newer server can say more to an older runner. Neighbours: api/wire.h,
 * api/lease.md. */
#include "api/runner.h"

#include <stdlib.h>
#include <string.h>

#include "api/wire.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define SHA256_HEX 64
#define MAX_SLOT   4095
#define MAX_HELD   4096 /* attempts in one renewal: a runner's slots */
#define MAX_STACKS 256

/* ---- shared pieces ---- */

/* Every table starts its rows for attempt_ref with this pair. */
#define REF_ROWS(type, member)                                                                     \
    {"task", WIRE_HEX, offsetof(struct type, member.task), WIRE_REQUIRED, 0, ID_HEX},              \
    {                                                                                              \
        "attempt", WIRE_INT, offsetof(struct type, member.attempt), WIRE_REQUIRED, 1, INT32_MAX    \
    }

static void encode_document(const struct wire_field *fields, size_t n, const void *from,
                            struct buf *out)
{
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    wire_encode(fields, n, from, &w);
    jw_obj_end(&w);
}

static int check_runner(const char *runner, struct err *e)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strlen(runner);
    if (len == 0 || len > RUNNER_NAME_BYTES || strspn(runner, allowed) != len)
        return err_set(e, ERR_INVALID, "runner must be 1 to %d of the characters A-Z a-z 0-9 . _ -",
                       RUNNER_NAME_BYTES);
    return 0;
}

/* ---- register ---- */

#define HELLO(key, type, member, flags, min, max)                                                  \
    {                                                                                              \
        key, type, offsetof(struct runner_hello, member), flags, min, max                          \
    }

static const struct wire_field hello_fields[] = {
    HELLO("runner", WIRE_TEXT, runner, WIRE_REQUIRED, 0, RUNNER_NAME_BYTES),
    HELLO("cluster", WIRE_TEXT, cluster, WIRE_REQUIRED, 0, BOUND_NAME_BYTES),
    HELLO("version", WIRE_TEXT, version, 0, 0, BOUND_NAME_BYTES),
    HELLO("slots", WIRE_INT, slots, WIRE_REQUIRED, 1, MAX_SLOT + 1),
    HELLO("engine_version", WIRE_TEXT, engine_version, 0, 0, BOUND_NAME_BYTES),
    HELLO("problem", WIRE_TEXT, problem, 0, 0, BOUND_ENGINE_ERROR_BYTES),
    HELLO("stacks", WIRE_ARR, stacks, WIRE_REQUIRED, 0, 0),
};

static int check_stacks(const struct json *stacks, struct err *e)
{
    size_t n = json_length(stacks);
    if (n > MAX_STACKS)
        return err_set(e, ERR_TOO_BIG, "stacks has %zu names; it may have %d", n, MAX_STACKS);
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string(json_at(stacks, i), NULL);
        if (!name)
            return err_set(e, ERR_INVALID, "stacks[%zu] must be a string", i);
        if (wire_name_check(name, "stack", e) < 0)
            return err_wrap(e, "stacks[%zu]", i);
    }
    return 0;
}

int runner_hello_decode(const struct json *v, struct runner_hello *ret, struct err *e)
{
    struct runner_hello h = {.version = "", .engine_version = "", .problem = ""};
    int rc = wire_decode(v, hello_fields, ARRAY_LEN(hello_fields), JSON_STRICT, &h, e);
    if (rc == 0)
        rc = check_runner(h.runner, e);
    if (rc == 0)
        rc = wire_name_check(h.cluster, "cluster", e);
    if (rc == 0)
        rc = check_stacks(h.stacks, e);
    if (rc == 0)
        *ret = h;
    return rc;
}

void runner_hello_encode(const struct runner_hello *h, const char *const *stacks, size_t n_stacks,
                         struct buf *out)
{
    struct runner_hello rest = *h;
    rest.stacks = NULL; /* written here, from names */
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    wire_encode(hello_fields, ARRAY_LEN(hello_fields), &rest, &w);
    jw_arr(&w, "stacks");
    for (size_t i = 0; i < n_stacks; i++)
        jw_str(&w, NULL, stacks[i]);
    jw_arr_end(&w);
    jw_obj_end(&w);
}

/* ---- lease ---- */

#define POLL(key, type, member, flags, min, max)                                                   \
    {                                                                                              \
        key, type, offsetof(struct lease_poll, member), flags, min, max                            \
    }

static const struct wire_field poll_fields[] = {
    POLL("runner", WIRE_TEXT, runner, WIRE_REQUIRED, 0, RUNNER_NAME_BYTES),
    POLL("cluster", WIRE_TEXT, cluster, WIRE_REQUIRED, 0, BOUND_NAME_BYTES),
    POLL("slot", WIRE_INT, slot, WIRE_REQUIRED, 0, MAX_SLOT),
    POLL("poll", WIRE_TEXT, poll, WIRE_REQUIRED, 0, RUNNER_POLL_HEX),
    POLL("wait_s", WIRE_INT, wait_s, 0, 0, BOUND_LONG_POLL_S),
};

int lease_poll_decode(const struct json *v, struct lease_poll *ret, struct err *e)
{
    struct lease_poll p = {0};
    int rc = wire_decode(v, poll_fields, ARRAY_LEN(poll_fields), JSON_STRICT, &p, e);
    if (rc == 0)
        rc = check_runner(p.runner, e);
    if (rc == 0)
        rc = wire_name_check(p.cluster, "cluster", e);
    if (rc == 0 && strspn(p.poll, "0123456789abcdef") != RUNNER_POLL_HEX)
        rc = err_set(e, ERR_INVALID, "poll is not %d lower-case hex digits", RUNNER_POLL_HEX);
    if (rc == 0)
        *ret = p;
    return rc;
}

void lease_poll_encode(const struct lease_poll *p, struct buf *out)
{
    encode_document(poll_fields, ARRAY_LEN(poll_fields), p, out);
}

/* ---- grant ---- */

#define GRANT(key, type, member, flags, min, max)                                                  \
    {                                                                                              \
        key, type, offsetof(struct grant, member), flags, min, max                                 \
    }

static const struct wire_field grant_fields[] = {
    REF_ROWS(grant, ref),
    GRANT("project_id", WIRE_HEX, project_id, WIRE_REQUIRED, 0, ID_HEX),
    GRANT("code_id", WIRE_HEX, code_id, WIRE_REQUIRED, 0, ID_HEX),
    GRANT("revision_id", WIRE_HEX, revision_id, WIRE_REQUIRED, 0, ID_HEX),
    GRANT("schedule_id", WIRE_HEX, schedule_id, WIRE_OMIT, 0, ID_HEX),
    GRANT("code_name", WIRE_OWNED, code_name, WIRE_REQUIRED, 0, BOUND_NAME_BYTES),
    GRANT("code_rev", WIRE_INT, code_rev, WIRE_REQUIRED, 0, 0),
    GRANT("image", WIRE_OWNED, image, WIRE_OMIT, 0, BOUND_PATH_BYTES),
    GRANT("command", WIRE_OWNED, command, WIRE_OMIT, 0, BOUND_COMMAND_BYTES),
    GRANT("runtime", WIRE_OWNED, runtime, WIRE_OMIT, 0, BOUND_NAME_BYTES),
    GRANT("stack", WIRE_OWNED, stack, WIRE_OMIT, 0, BOUND_NAME_BYTES),
    GRANT("file_name", WIRE_OWNED, file_name, WIRE_OMIT, 0, BOUND_PATH_BYTES),
    GRANT("config", WIRE_OWNED, config, WIRE_OMIT, 0, BOUND_CONFIG_BYTES),
    GRANT("env_vars", WIRE_OBJ_TEXT, env_vars, WIRE_OMIT, 0, 0),
    GRANT("package_sha256", WIRE_HEX, package_sha256, WIRE_OMIT, 0, SHA256_HEX),
    GRANT("package_bytes", WIRE_INT, package_bytes, WIRE_OMIT, 0, BOUND_UPLOAD_BYTES),
    GRANT("payload", WIRE_BLOB, payload, 0, 0, 0),
    GRANT("timeout_s", WIRE_INT, timeout_s, WIRE_REQUIRED, 1, INT32_MAX),
    GRANT("lease_s", WIRE_INT, lease_s, WIRE_REQUIRED, 1, INT32_MAX),
    GRANT("registry_auth", WIRE_OWNED, registry_auth, WIRE_OMIT, 0, BOUND_REGISTRY_AUTH_BYTES),
    GRANT("collect", WIRE_BOOL, collect, WIRE_OMIT, 0, 0),
    GRANT("memory_bytes", WIRE_INT, caps.memory_bytes, WIRE_OMIT, 0, INT64_MAX),
    GRANT("cpu_millis", WIRE_INT, caps.cpu_millis, WIRE_OMIT, 0, INT32_MAX),
    GRANT("pids", WIRE_INT, caps.pids, WIRE_OMIT, 0, INT32_MAX),
    GRANT("files", WIRE_INT, caps.files, WIRE_OMIT, 0, INT32_MAX),
    GRANT("disk_bytes", WIRE_INT, caps.disk_bytes, WIRE_OMIT, 0, INT64_MAX),
};
_Static_assert(offsetof(struct grant, payload_len) ==
                   offsetof(struct grant, payload) + sizeof(char *),
               "WIRE_BLOB: the length follows the pointer");

/* Every owned string: absent is "", so that readers need no NULL check. */
#define GRANT_STRINGS 10
static void grant_strings(struct grant *g, char **ret[GRANT_STRINGS])
{
    char **all[GRANT_STRINGS] = {&g->code_name, &g->image,        &g->command, &g->runtime,
                                 &g->stack,     &g->file_name,    &g->config,  &g->env_vars,
                                 &g->payload,   &g->registry_auth};
    memcpy(ret, all, sizeof(all));
}

void grant_release(struct grant *g)
{
    char **owned[GRANT_STRINGS];
    grant_strings(g, owned);
    for (size_t i = 0; i < GRANT_STRINGS; i++)
        free(TAKE(*owned[i]));
    g->payload_len = 0;
}

void grant_encode(const struct grant *g, struct buf *out)
{
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    if (g) {
        jw_obj(&w, "grant");
        wire_encode(grant_fields, ARRAY_LEN(grant_fields), g, &w);
        jw_obj_end(&w);
    } else {
        jw_null(&w, "grant");
    }
    jw_obj_end(&w);
}

int grant_decode(const struct json *v, bool *ret_some, struct grant *ret, struct err *e)
{
    if (json_kind(v) != JSON_OBJECT)
        return err_set(e, ERR_PROTOCOL, "the answer to a lease poll is no JSON object");
    const struct json *body = json_member(v, "grant");
    if (!body) {
        *ret_some = false;
        return 0;
    }
    struct grant g = {0};
    char **owned[GRANT_STRINGS];
    grant_strings(&g, owned);
    for (size_t i = 0; i < GRANT_STRINGS; i++)
        *owned[i] = str_dup("");
    if (wire_decode(body, grant_fields, ARRAY_LEN(grant_fields), JSON_LENIENT, &g, e) < 0) {
        grant_release(&g);
        return err_wrap(e, "grant");
    }
    *ret_some = true;
    *ret = g;
    return 0;
}

/* ---- renew and orders ---- */

static const char *const order_names[] = {
    [ORDER_NONE] = "none", [ORDER_CANCEL] = "cancel", [ORDER_LOST] = "lost"};

/* One element of both lists: `known` in a renewal, `order` in its answer. */
struct held_wire {
    struct attempt_ref ref;
    const char *word;
};
static const struct wire_field renew_held_fields[] = {
    REF_ROWS(held_wire, ref),
    {"known", WIRE_TEXT, offsetof(struct held_wire, word), 0, 0, 16},
};
static const struct wire_field order_fields[] = {
    REF_ROWS(held_wire, ref),
    {"order", WIRE_TEXT, offsetof(struct held_wire, word), WIRE_REQUIRED, 0, 16},
};
#define HELD_FIELDS ARRAY_LEN(order_fields)

static int order_parse(const char *word, enum order *ret, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(order_names); i++) {
        if (strcmp(order_names[i], word) == 0) {
            *ret = (enum order)i;
            return 0;
        }
    }
    return err_set(e, ERR_INVALID, "unknown order \"%s\"", word);
}

static int held_decode(const struct json *v, const struct wire_field fields[HELD_FIELDS],
                       enum json_unknown unknown, struct held *ret, struct err *e)
{
    struct held_wire h = {.word = order_names[ORDER_NONE]};
    int rc = wire_decode(v, fields, HELD_FIELDS, unknown, &h, e);
    if (rc == 0)
        rc = order_parse(h.word, &ret->known, e);
    if (rc == 0)
        ret->ref = h.ref;
    return rc;
}

static int held_list_decode(const struct json *list, const struct wire_field fields[HELD_FIELDS],
                            enum json_unknown unknown, struct held **ret, size_t *ret_n,
                            struct err *e)
{
    size_t n = json_length(list);
    if (n > MAX_HELD)
        return err_set(e, ERR_TOO_BIG, "%zu attempts in one list; there may be %d", n, MAX_HELD);
    autofree struct held *held = calloc(n + 1, sizeof(*held)); /* never of size 0 */
    if (!held)
        abort();
    for (size_t i = 0; i < n; i++)
        if (held_decode(json_at(list, i), fields, unknown, &held[i], e) < 0)
            return err_wrap(e, "attempt %zu of the list", i);
    *ret = TAKE(held);
    *ret_n = n;
    return 0;
}

static void held_list_encode(struct jsonw *w, const char *key,
                             const struct wire_field fields[HELD_FIELDS], const struct held *held,
                             size_t n)
{
    jw_arr(w, key);
    for (size_t i = 0; i < n; i++) {
        struct held_wire h = {held[i].ref, order_names[held[i].known]};
        jw_obj(w, NULL);
        wire_encode(fields, HELD_FIELDS, &h, w);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

struct renew_wire {
    const char *runner;
    int64_t wait_s;
    const struct json *held;
};
static const struct wire_field renew_fields[] = {
    {"runner", WIRE_TEXT, offsetof(struct renew_wire, runner), WIRE_REQUIRED, 0, RUNNER_NAME_BYTES},
    {"wait_s", WIRE_INT, offsetof(struct renew_wire, wait_s), 0, 0, BOUND_LONG_POLL_S},
    {"held", WIRE_ARR, offsetof(struct renew_wire, held), WIRE_REQUIRED, 0, 0},
};

int renew_decode(const struct json *v, struct renew *ret, struct err *e)
{
    struct renew_wire r = {0};
    int rc = wire_decode(v, renew_fields, ARRAY_LEN(renew_fields), JSON_STRICT, &r, e);
    if (rc == 0)
        rc = check_runner(r.runner, e);
    struct renew decoded = {.runner = r.runner, .wait_s = r.wait_s};
    if (rc == 0)
        rc = held_list_decode(r.held, renew_held_fields, JSON_STRICT, &decoded.held,
                              &decoded.n_held, e);
    if (rc == 0)
        *ret = decoded;
    return rc;
}

void renew_release(struct renew *r)
{
    free(TAKE(r->held));
    r->n_held = 0;
}

void renew_encode(const struct renew *r, struct buf *out)
{
    struct jsonw w = JSONW(out);
    struct renew_wire head = {.runner = r->runner, .wait_s = r->wait_s};
    jw_obj(&w, NULL);
    wire_encode(renew_fields, ARRAY_LEN(renew_fields), &head, &w);
    held_list_encode(&w, "held", renew_held_fields, r->held, r->n_held);
    jw_obj_end(&w);
}

void orders_encode(const struct held *orders, size_t n, struct buf *out)
{
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    held_list_encode(&w, "orders", order_fields, orders, n);
    jw_obj_end(&w);
}

int orders_decode(const struct json *v, struct held **ret, size_t *ret_n, struct err *e)
{
    const struct json *orders = json_member(v, "orders");
    if (json_kind(orders) != JSON_ARRAY)
        return err_set(e, ERR_PROTOCOL, "the answer to a renewal has no orders");
    return held_list_decode(orders, order_fields, JSON_LENIENT, ret, ret_n, e);
}

/* ---- started ---- */

#define STARTED(key, type, member, flags, max)                                                     \
    {                                                                                              \
        key, type, offsetof(struct started, member), flags, 0, max                                 \
    }

static const struct wire_field started_fields[] = {
    STARTED("runner", WIRE_TEXT, runner, WIRE_REQUIRED, RUNNER_NAME_BYTES),
    REF_ROWS(started, ref),
    STARTED("container", WIRE_TEXT, container, 0, BOUND_NAME_BYTES),
    STARTED("image", WIRE_TEXT, image, 0, BOUND_PATH_BYTES),
    STARTED("image_id", WIRE_TEXT, image_id, 0, BOUND_NAME_BYTES),
};

int started_decode(const struct json *v, struct started *ret, struct err *e)
{
    struct started s = {.container = "", .image = "", .image_id = ""};
    int rc = wire_decode(v, started_fields, ARRAY_LEN(started_fields), JSON_STRICT, &s, e);
    if (rc == 0)
        rc = check_runner(s.runner, e);
    if (rc == 0)
        *ret = s;
    return rc;
}

void started_encode(const struct started *s, struct buf *out)
{
    encode_document(started_fields, ARRAY_LEN(started_fields), s, out);
}

/* ---- finish ---- */

static const char *const class_names[] = {
    [CLASS_NONE] = "none",           [CLASS_OK] = "ok",       [CLASS_TASK] = "task",
    [CLASS_TIMEOUT] = "timeout",     [CLASS_INFRA] = "infra", [CLASS_REQUEST] = "request",
    [CLASS_CANCELLED] = "cancelled", [CLASS_LOST] = "lost",
};

const char *attempt_class_name(enum attempt_class c)
{
    return class_names[c];
}

bool attempt_class_parse(const char *word, enum attempt_class *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(class_names); i++) {
        if (strcmp(class_names[i], word) == 0) {
            *ret = (enum attempt_class)i;
            return true;
        }
    }
    return false;
}

struct finish_wire {
    struct finish f;
    const char *class_word;
};

#define FINISH(key, type, member, flags, min, max)                                                 \
    {                                                                                              \
        key, type, offsetof(struct finish_wire, member), flags, min, max                           \
    }

static const struct wire_field finish_fields[] = {
    FINISH("runner", WIRE_TEXT, f.runner, WIRE_REQUIRED, 0, RUNNER_NAME_BYTES),
    REF_ROWS(finish_wire, f.ref),
    FINISH("class", WIRE_TEXT, class_word, WIRE_REQUIRED, 0, 16),
    FINISH("exit_code", WIRE_INT, f.exit_code, WIRE_OMIT_NEG, 0, 255),
    FINISH("signal", WIRE_INT, f.signal, WIRE_OMIT, 0, 64),
    FINISH("reason", WIRE_TEXT, f.reason, WIRE_OMIT, 0, BOUND_MSG_BYTES),
    FINISH("start_us", WIRE_INT, f.start_us, WIRE_OMIT, 0, INT64_MAX),
    FINISH("end_us", WIRE_INT, f.end_us, WIRE_OMIT, 0, INT64_MAX),
    FINISH("log_bytes", WIRE_INT, f.log_bytes, WIRE_REQUIRED, 0, INT64_MAX),
    FINISH("stdout_bytes", WIRE_INT, f.stdout_bytes, WIRE_REQUIRED, 0, INT64_MAX),
    FINISH("log_sha256", WIRE_TEXT, f.log_sha256, 0, 0, SHA256_HEX),
    FINISH("log_complete", WIRE_BOOL, f.log_complete, WIRE_REQUIRED, 0, 0),
    FINISH("facts", WIRE_OBJ, f.facts, 0, 0, 0),
};

/* `none` and `lost` are not a runner's to say. */
static int finish_class(const char *word, enum attempt_class *ret, struct err *e)
{
    enum attempt_class c = CLASS_NONE;
    if (!attempt_class_parse(word, &c) || c == CLASS_NONE || c == CLASS_LOST)
        return err_set(e, ERR_INVALID,
                       "class is \"%s\"; it may be ok, task, timeout, infra, request or cancelled",
                       word);
    *ret = c;
    return 0;
}

int finish_decode(const struct json *v, struct finish *ret, struct err *e)
{
    struct finish_wire w = {.f = {.exit_code = -1, .reason = "", .log_sha256 = ""}};
    int rc = wire_decode(v, finish_fields, ARRAY_LEN(finish_fields), JSON_STRICT, &w, e);
    if (rc == 0)
        rc = check_runner(w.f.runner, e);
    if (rc == 0)
        rc = finish_class(w.class_word, &w.f.class, e);
    size_t sha = rc == 0 ? strlen(w.f.log_sha256) : 0;
    if (sha > 0 && strspn(w.f.log_sha256, "0123456789abcdef") != SHA256_HEX)
        rc = err_set(e, ERR_INVALID, "log_sha256 is not %d lower-case hex digits", SHA256_HEX);
    if (rc == 0)
        *ret = w.f;
    return rc;
}

void finish_encode(const struct finish *f, struct buf *out)
{
    struct finish_wire rest = {.f = *f, .class_word = class_names[f->class]};
    rest.f.facts = NULL; /* written here, from text */
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    wire_encode(finish_fields, ARRAY_LEN(finish_fields), &rest, &w);
    if (f->facts_text)
        jw_raw(&w, "facts", f->facts_text, strlen(f->facts_text));
    jw_obj_end(&w);
}
