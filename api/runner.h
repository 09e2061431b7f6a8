/* The runner protocol /runner/1/ (api/lease.md): one codec for server and runner. Our own routes
 * are strict: an unknown key of a request is refused. Answers are read leniently, so that a newer
 * server can say more to an older runner. Strings of decoded requests are borrowed from the parsed
 * tree. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/id.h"
#include "lib/json.h"

#define RUNNER_API     1
#define RUNNER_LEASE_S 30
#define RUNNER_RENEW_S 10
#define RUNNER_NAME_BYTES                                                                          \
    64                     /* identity of a runner: [A-Za-z0-9._-], kept in its state directory    \
                            */
#define RUNNER_POLL_HEX 16 /* a fresh random number for every poll */

/* Which attempt a report is about. The pair fences: a report about an old attempt changes nothing.
 */
struct attempt_ref {
    char task[ID_TEXT];
    int64_t attempt;
};

/* POST /runner/1/register: who this runner is and what it can do. Sent at start, on change, and
 * every minute. */
struct runner_hello {
    const char *runner, *cluster, *version;
    int64_t slots;
    const struct json *stacks;  /* array of names */
    const char *engine_version; /* "" while it does not answer */
    const char *problem;        /* "" or why no task can run here, in words for a person */
};
NODISCARD int runner_hello_decode(const struct json *v, struct runner_hello *ret, struct err *e);
void runner_hello_encode(const struct runner_hello *h, const char *const *stacks, size_t n_stacks,
                         struct buf *out);

/* POST /runner/1/lease */
struct lease_poll {
    const char *runner, *cluster;
    int64_t slot;     /* 0 … 4095: this slot holds nothing */
    const char *poll; /* 16 hex digits; the same again after a lost answer gets the same grant */
    int64_t wait_s;   /* park up to this long, 0 … 60 */
};
NODISCARD int lease_poll_decode(const struct json *v, struct lease_poll *ret, struct err *e);
void lease_poll_encode(const struct lease_poll *p, struct buf *out);

/* What a task may use. 0 = the runner's default. */
struct task_caps {
    int64_t memory_bytes, cpu_millis, pids, files, disk_bytes;
};

/* The answer: {"grant":null} or one of these. Strings are owned by the struct; "" = absent. */
struct grant {
    struct attempt_ref ref;
    char project_id[ID_TEXT], code_id[ID_TEXT], revision_id[ID_TEXT], schedule_id[ID_TEXT];
    char *code_name;
    int64_t code_rev;
    char *image, *command, *runtime, *stack, *file_name, *config;
    char *env_vars;          /* JSON object text, or "" */
    char package_sha256[65]; /* "" = no package */
    int64_t package_bytes;
    char *payload;
    size_t payload_len;
    int64_t timeout_s;
    int64_t lease_s;
    char
        *registry_auth; /* X-Registry-Auth for the image's registry: a secret, never kept on disk */
    bool collect;       /* a build: what is in /task at a good end is sent as its package */
    struct task_caps caps;
};
void grant_release(struct grant *g);
void grant_encode(const struct grant *g, struct buf *out); /* whole answer; NULL = no grant */
/* grant_decode: *ret_some false for {"grant":null}. */
NODISCARD int grant_decode(const struct json *v, bool *ret_some, struct grant *ret, struct err *e);

/* POST /runner/1/renew: the attempts held, and what the runner already knows about their end. */
enum order { ORDER_NONE = 0, ORDER_CANCEL = 1, ORDER_LOST = 2 };
struct held {
    struct attempt_ref ref;
    enum order known; /* the order that is being carried out already */
};
struct renew {
    const char *runner;
    int64_t wait_s;
    struct held *held; /* owned by the struct after decoding */
    size_t n_held;
};
NODISCARD int renew_decode(const struct json *v, struct renew *ret, struct err *e);
void renew_release(struct renew *r);
void renew_encode(const struct renew *r, struct buf *out);
/* The answer: the orders that the runner does not know yet. */
void orders_encode(const struct held *orders, size_t n, struct buf *out);
NODISCARD int orders_decode(const struct json *v, struct held **ret, size_t *ret_n, struct err *e);

/* POST /runner/1/started */
struct started {
    const char *runner;
    struct attempt_ref ref;
    const char *container, *image, *image_id;
};
NODISCARD int started_decode(const struct json *v, struct started *ret, struct err *e);
void started_encode(const struct started *s, struct buf *out);

/* POST /runner/1/finish. Classes: docs/ARCHITECTURE.md "Failure classes"; stored on disk: append
 * only. */
enum attempt_class {
    CLASS_NONE = 0, /* not ended */
    CLASS_OK = 1,   /* exit code 0 */
    CLASS_TASK = 2, /* exit code, signal, out of memory, disk */
    CLASS_TIMEOUT = 3,
    CLASS_INFRA = 4,   /* engine or runner: run again by us */
    CLASS_REQUEST = 5, /* cannot work as asked: no such image or command, package broken */
    CLASS_CANCELLED = 6,
    CLASS_LOST = 7, /* set by the server alone: the lease ran out */
};
const char *attempt_class_name(enum attempt_class c);
bool attempt_class_parse(const char *word, enum attempt_class *ret);

struct finish {
    const char *runner;
    struct attempt_ref ref;
    enum attempt_class class;
    int64_t exit_code;        /* -1 = none */
    int64_t signal;           /* 0 = none */
    const char *reason;       /* for a person; "" = none */
    int64_t start_us, end_us; /* by the runner's clock; 0 = the command never ran */
    int64_t log_bytes, stdout_bytes;
    const char *log_sha256; /* of the whole log as sent */
    bool log_complete;
    const struct json
        *facts; /* object: limits and usage as init read them; kept with the attempt; or NULL */
    const char *facts_text; /* for encoding: the same as JSON text, or NULL */
};
NODISCARD int finish_decode(const struct json *v, struct finish *ret, struct err *e);
void finish_encode(const struct finish *f, struct buf *out);
