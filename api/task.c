/* Tasks: the table of states and moves, the queue request, the task object. Neighbour: api/wire.h.
 */
#include "api/task.h"

#include <stdlib.h>
#include <string.h>

#include "api/wire.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

/* ---- states ---- */

#define TO(state) (1u << (state))

static const struct {
    const char *name;     /* on /2/ */
    const char *own_name; /* ours */
    unsigned moves;       /* set of TO(state); none: the task has ended */
} states[TASK_STATES] = {
    [TASK_QUEUED] = {"queued", "queued", TO(TASK_PREPARING) | TO(TASK_ERROR) | TO(TASK_CANCELLED)},
    [TASK_PREPARING] = {"queued", "preparing",
                        TO(TASK_QUEUED) | TO(TASK_RUNNING) | TO(TASK_ERROR) | TO(TASK_TIMEOUT) |
                            TO(TASK_CANCELLED)},
    [TASK_RUNNING] = {"running", "running",
                      TO(TASK_QUEUED) | TO(TASK_COMPLETE) | TO(TASK_ERROR) | TO(TASK_TIMEOUT) |
                          TO(TASK_CANCELLED)},
    [TASK_COMPLETE] = {"complete", "complete", 0},
    [TASK_ERROR] = {"error", "error", 0},
    [TASK_CANCELLED] = {"cancelled", "cancelled", 0},
    [TASK_TIMEOUT] = {"timeout", "timeout", 0},
};

bool task_state_ended(enum task_state s)
{
    return states[s].moves == 0;
}

bool task_move_legal(enum task_state from, enum task_state to)
{
    return (states[from].moves & TO(to)) != 0;
}

const char *task_state_name(enum task_state s)
{
    return states[s].name;
}

const char *task_state_own_name(enum task_state s)
{
    return states[s].own_name;
}

bool task_state_parse(const char *word, enum task_state *ret)
{
    if (strcmp(word, "killed") == 0) /* old filters and answers (D9) */
        word = states[TASK_CANCELLED].own_name;
    for (int s = 0; s < TASK_STATES; s++) {
        if (strcmp(states[s].own_name, word) == 0) {
            *ret = (enum task_state)s;
            return true;
        }
    }
    return false;
}

/* ---- the queue request ---- */

int64_t task_priority_or_unset(int64_t priority)
{
    return priority >= 0 && priority <= 2 ? priority : -1;
}

struct task_new task_new_default(const struct task_limits *lim)
{
    int64_t timeout_s = lim->default_timeout_s;
    return (struct task_new){.payload = "",
                             .priority = -1,
                             .timeout_s =
                                 timeout_s < lim->max_timeout_s ? timeout_s : lim->max_timeout_s,
                             .cluster = "",
                             .label = ""};
}

int task_new_settle(struct task_new *t, const struct task_limits *lim, struct err *e)
{
    int rc = wire_name_check(t->code_name, "code_name", e);
    if (rc == 0 && t->cluster[0])
        rc = wire_name_check(t->cluster, "cluster", e);
    if (rc < 0)
        return rc;
    t->priority = task_priority_or_unset(t->priority);
    if (t->timeout_s == 0)
        t->timeout_s = lim->max_timeout_s;
    return 0;
}

int task_new_decode(const struct json *v, const struct task_limits *lim, struct task_new *ret,
                    struct err *e)
{
    const struct wire_field fields[] = {
        {"code_name", WIRE_TEXT, offsetof(struct task_new, code_name), WIRE_REQUIRED, 0, 0},
        {"payload", WIRE_TEXT, offsetof(struct task_new, payload), 0, 0, lim->max_payload_bytes},
        {"priority", WIRE_INT, offsetof(struct task_new, priority), 0, 0, 0},
        {"timeout", WIRE_SECS, offsetof(struct task_new, timeout_s), 0, 0, lim->max_timeout_s},
        {"delay", WIRE_SECS, offsetof(struct task_new, delay_s), 0, 0, lim->max_delay_s},
        {"cluster", WIRE_TEXT, offsetof(struct task_new, cluster), 0, 0, BOUND_NAME_BYTES},
        {"label", WIRE_TEXT, offsetof(struct task_new, label), 0, 0, BOUND_NAME_BYTES},
    };
    struct task_new t = task_new_default(lim);
    int rc = wire_decode(v, fields, ARRAY_LEN(fields), JSON_LENIENT, &t, e);
    if (rc == 0)
        rc = task_new_settle(&t, lim, e);
    if (rc < 0)
        return rc;
    t.payload_len = strlen(t.payload); /* the parser refuses NULs */
    *ret = t;
    return 0;
}

void task_new_encode(const struct task_new *t, struct jsonw *w, const char *key)
{
    jw_obj(w, key);
    jw_str(w, "code_name", t->code_name);
    jw_strn(w, "payload", t->payload ? t->payload : "", t->payload_len);
    if (t->priority >= 0)
        jw_int(w, "priority", t->priority);
    if (t->timeout_s >= 0)
        jw_int(w, "timeout", t->timeout_s);
    if (t->delay_s > 0)
        jw_int(w, "delay", t->delay_s);
    if (t->cluster && t->cluster[0])
        jw_str(w, "cluster", t->cluster);
    if (t->label && t->label[0])
        jw_str(w, "label", t->label);
    jw_obj_end(w);
}

/* ---- the task object ---- */

#define TASK(key, type, member, flags, max)                                                        \
    {                                                                                              \
        key, type, offsetof(struct task, member), flags, 0, max                                    \
    }

/* Members of ironworker-api §3 in its order, then ours. What R9 forbids (start_at, run_count, …)
 * may never come in; `msg` is left out when empty (R10). Status, duration and run_times are
 * derived: see task_encode. */
static const struct wire_field task_fields[] = {
    TASK("id", WIRE_HEX, id, WIRE_REQUIRED, ID_HEX),
    TASK("project_id", WIRE_HEX, project_id, 0, ID_HEX),
    TASK("code_id", WIRE_HEX, code_id, 0, ID_HEX),
    TASK("code_history_id", WIRE_HEX, code_history_id, 0, ID_HEX),
    TASK("code_name", WIRE_OWNED, code_name, 0, 0),
    TASK("code_rev", WIRE_INT_TEXT, code_rev, 0, 0),
    TASK("msg", WIRE_OWNED, msg, WIRE_OMIT, 0),
    TASK("error_class", WIRE_OWNED, error_class, WIRE_OMIT, 0),
    TASK("created_at", WIRE_TIME, created_us, 0, 0),
    TASK("updated_at", WIRE_TIME, updated_us, 0, 0),
    TASK("start_time", WIRE_TIME, start_us, 0, 0),
    TASK("end_time", WIRE_TIME, end_us, 0, 0),
    TASK("timeout", WIRE_SECS, timeout_s, 0, 0),
    TASK("priority", WIRE_INT, priority, 0, 0),
    TASK("delay", WIRE_SECS, delay_s, 0, 0),
    TASK("payload", WIRE_BYTES, payload, 0, 0),
    TASK("percent", WIRE_INT, percent, 0, 0),
    TASK("log_size", WIRE_INT, log_bytes, 0, 0),
    TASK("cluster", WIRE_OWNED, cluster, 0, 0),
    TASK("label", WIRE_OWNED, label, 0, 0),
    TASK("schedule_id", WIRE_HEX, schedule_id, WIRE_OMIT, ID_HEX),
    TASK("retry", WIRE_INT, retry, 0, 0),
    TASK("retry_task_id", WIRE_HEX, retry_task_id, WIRE_OMIT, ID_HEX),
    TASK("original_task_id", WIRE_HEX, original_task_id, WIRE_OMIT, ID_HEX),
    TASK("attempt", WIRE_INT, attempt, 0, 0),
    TASK("exit_code", WIRE_INT, exit_code, WIRE_OMIT_NEG, 0),
    TASK("stopping", WIRE_BOOL, stopping, WIRE_OMIT, 0),
    TASK("image", WIRE_OWNED, image, WIRE_OMIT, 0),
    TASK("reason", WIRE_OWNED, reason, WIRE_OMIT, 0),
};

_Static_assert(offsetof(struct task, payload_len) ==
                   offsetof(struct task, payload) + sizeof(char *),
               "WIRE_BYTES: the length follows the pointer");

void task_release(struct task *t)
{
    char **owned[] = {&t->code_name, &t->payload,     &t->cluster, &t->label,
                      &t->msg,       &t->error_class, &t->image,   &t->reason};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++)
        free(TAKE(*owned[i]));
    t->payload_len = 0;
}

/* Milliseconds of the run, 0 until it has ended. */
static int64_t duration_ms(const struct task *t)
{
    return t->start_us > 0 && t->end_us > t->start_us ? (t->end_us - t->start_us) / 1000 : 0;
}

void task_encode(const struct task *t, struct jsonw *w, const char *key)
{
    jw_obj(w, key);
    wire_encode(task_fields, ARRAY_LEN(task_fields), t, w);
    jw_str(w, "status", task_state_name(t->state));
    jw_str(w, "phase", task_state_own_name(t->state));
    jw_int(w, "duration", duration_ms(t));
    jw_int(w, "run_times", 1);
    jw_obj_end(w);
}

/* The state is our own `phase` where the server is ours, else IronWorker's `status`. */
static int decode_state(const struct json *v, enum task_state *ret, struct err *e)
{
    const char *word = json_get_str(v, "phase", json_get_str(v, "status", ""));
    if (!task_state_parse(word, ret))
        return err_set(e, ERR_INVALID, "task has a status that is unknown here: \"%s\"", word);
    return 0;
}

int task_decode(const struct json *v, struct task *ret, struct err *e)
{
    struct task t = {.exit_code = -1};
    int rc = wire_decode(v, task_fields, ARRAY_LEN(task_fields), JSON_LENIENT, &t, e);
    if (rc == 0)
        rc = decode_state(v, &t.state, e);
    if (rc < 0) {
        task_release(&t);
        return rc;
    }
    *ret = t;
    return 0;
}
