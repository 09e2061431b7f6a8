/* Calls to the server's /2/ API for the verbs. One thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cli/config.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/httpc.h"
#include "lib/json.h"

struct task;

struct client {
    struct config config;
    const char *project_id; /* in `config` */
    char *base, *auth;
    struct httpc *http; /* kept alive, for GETs */
};

/* client_open: finds the configuration; connects to nothing yet. */
NODISCARD int client_open(const struct common *flags, struct client *ret, struct err *e);
void client_release(struct client *c);

/* An answer: its text and, parsed, its JSON. */
struct reply {
    struct buf text;
    struct json *root;
};
void reply_release(struct reply *r);

/* client_path: "/2/projects/<project>" and `fmt`, appended. What comes from a user goes through
 * httpc_escape after it. */
void client_path(const struct client *c, struct buf *out, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* client_get: a GET, tried again for some seconds while the server says 503 or 429.
 * Errors: what the server's status stands for, with its `msg`; ERR_UNREACHABLE names host, port and
 * where they come from; ERR_UNAUTHORIZED names where the token comes from. */
NODISCARD int client_get(struct client *c, const char *path, struct reply *ret, struct err *e);

/* client_send: POST, PUT or DELETE, once and on a connection of its own. Once, because there is no
 * telling whether a request that got no answer was done; of its own, because a kept connection that
 * broke would be replaced below us and the request sent a second time. */
NODISCARD int client_send(struct client *c, const struct httpc_req *rq, struct reply *ret,
                          struct err *e);

/* client_post: client_send of a POST with a JSON body. */
NODISCARD int client_post(struct client *c, const char *path, const char *body, size_t body_len,
                          struct reply *ret, struct err *e);

/* client_post_once: a POST that queues, which the server carries out once however often it is sent:
 * it goes with an Idempotency-Key of its own (api/http.md), and so may be tried again for some
 * seconds when no answer came or the server is busy. */
NODISCARD int client_post_once(struct client *c, const char *path, const char *body,
                               size_t body_len, struct reply *ret, struct err *e);

/* client_stream: a GET whose 2xx body goes to rq->on_data; once. *ret_status is the HTTP status
 * when an answer came, else 0. */
NODISCARD int client_stream(struct client *c, const struct httpc_req *rq, unsigned *ret_status,
                            struct err *e);

/* client_task: GET …/tasks/ID; the caller task_release()s *ret. */
NODISCARD int client_task(struct client *c, const char *id, struct task *ret, struct err *e);

/* client_project_name: also the cheapest proof that server, token and project are right. The caller
 * frees *ret. */
NODISCARD int client_project_name(struct client *c, char **ret, struct err *e);
