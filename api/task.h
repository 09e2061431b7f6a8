/* Tasks: their states, the legal moves between them, and their wire form on /2/ (ironworker-api
 * §3). Shared by server (encode, request decode) and CLI (decode). Lifecycle: api/lifecycle.md. Any
 * thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/id.h"
#include "lib/json.h"

/* Stored on disk: append only. */
enum task_state {
    TASK_QUEUED = 0,
    TASK_PREPARING =
        1, /* leased to a runner, the command not yet executed; "queued" on /2/ (D16) */
    TASK_RUNNING = 2,
    TASK_COMPLETE = 3,
    TASK_ERROR = 4,
    TASK_CANCELLED = 5,
    TASK_TIMEOUT = 6,
};
#define TASK_STATES 7

bool task_state_ended(enum task_state s);
/* task_move_legal: the one table of moves, as in api/lifecycle.md. */
bool task_move_legal(enum task_state from, enum task_state to);
/* task_state_name: the word on /2/ ("queued" for preparing too); task_state_own_name: ours
 * ("preparing"). */
const char *task_state_name(enum task_state s);
const char *task_state_own_name(enum task_state s);
/* task_state_parse: a /2/ status word or "preparing"; "killed" parses as TASK_CANCELLED. False if
 * unknown. */
bool task_state_parse(const char *word, enum task_state *ret);

/* Limits that a server applies to requests; set by its flags. */
struct task_limits {
    int64_t max_payload_bytes;
    int64_t max_timeout_s;
    int64_t max_delay_s;
    int64_t default_timeout_s;
};

/* task_priority_or_unset: old clients send -3 to 2, and other numbers by mistake: out of range
 * means "not said", which is -1. */
int64_t task_priority_or_unset(int64_t priority);

/* One element of a queue request. Strings are borrowed from the parsed request. */
struct task_new {
    const char *code_name;
    const char *payload;
    size_t payload_len;
    int64_t priority;  /* 0, 1, 2; -1 = the code's default (absent, null, or out of range as the cli
                          sends) */
    int64_t timeout_s; /* resolved: 0 and absent become the maximum and the default as §3 says */
    int64_t delay_s;
    const char *cluster; /* "" = default */
    const char *label;   /* "" = none */
};

/* task_new_decode: lenient about unknown keys and nulls (W8). Errors name the field and its limit.
 */
NODISCARD int task_new_decode(const struct json *v, const struct task_limits *lim,
                              struct task_new *ret, struct err *e);
/* task_new_default, task_new_settle: for requests that are no JSON: fill the members in between.
 * settle resolves timeout and priority and checks the names. */
struct task_new task_new_default(const struct task_limits *lim);
NODISCARD int task_new_settle(struct task_new *t, const struct task_limits *lim, struct err *e);
/* task_new_encode: the CLI's request. A negative priority or timeout_s is not sent; timeout_s 0
 * asks for the maximum. */
void task_new_encode(const struct task_new *t, struct jsonw *w, const char *key);

/* A task as a client sees it. Strings are owned; NULL means absent. */
struct task {
    char id[ID_TEXT], project_id[ID_TEXT], code_id[ID_TEXT], code_history_id[ID_TEXT];
    char schedule_id[ID_TEXT], original_task_id[ID_TEXT], retry_task_id[ID_TEXT]; /* "" = none */
    char *code_name;
    int64_t code_rev;
    enum task_state state;
    int64_t created_us, updated_us, start_us, end_us; /* 0 = not yet */
    int64_t timeout_s, delay_s, priority;
    char *payload;
    size_t payload_len;
    char *cluster, *label, *msg, *error_class;
    int64_t percent, retry, log_bytes;
    /* ours, beside IronWorker's */
    int64_t attempt;   /* number of the last attempt, 0 = none yet */
    int64_t exit_code; /* -1 = none */
    bool stopping;     /* cancelled, and its container not yet confirmed gone */
    char *image;       /* that the last attempt ran in */
    char *reason;      /* why it is not running, where that is known */
};

void task_release(struct task *t);
/* task_encode: the object of §3 plus our fields; never a member that rule R9 forbids. */
void task_encode(const struct task *t, struct jsonw *w, const char *key);
NODISCARD int task_decode(const struct json *v, struct task *ret, struct err *e);
