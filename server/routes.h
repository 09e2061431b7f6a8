/* The route table: one row a route, matched by method and path. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "server/req.h"

enum route_scope {
    OPEN,    /* no token */
    CLIENT,  /* a project's token or the admin's */
    PROJECT, /* the token of {project}, or the admin's */
    RUNNER,  /* the runners' token */
    ADMIN,   /* the admin's token; a {project} need not be named */
};

enum body_kind {
    BODY_NONE,   /* read and dropped: clients send bodies with GET and DELETE (W3) */
    BODY_BUF,    /* whole in rq->body, at most max_body bytes */
    BODY_STREAM, /* to the route's sink as it comes, at most max_body bytes */
};

/* Ceilings that are settings, resolved by route_max_body. */
#define BODY_MAX_JSON    (-1) /* app->max_json_bytes */
#define BODY_MAX_UPLOAD  (-2) /* app->max_upload_bytes */
#define BODY_MAX_PAYLOAD (-3) /* app->limits.max_payload_bytes */

/* Who takes a body in pieces. `open` sets rq->sink; it is freed with the request (req_defer). */
struct body_sink {
    int (*open)(struct req *rq, struct err *e);
    int (*feed)(struct req *rq, const char *bytes, size_t len, struct err *e);
};

struct route {
    const char *method;
    const char *pattern; /* "/2/projects/{project}/tasks/{id}" */
    handler_fn handler;
    enum route_scope scope;
    enum body_kind body;
    int64_t max_body;
    const struct body_sink *sink;
    const char *doc; /* where the contract is written */
};

extern const struct route routes[];
extern const size_t n_routes;

struct route_match {
    const struct route *route;
    const char *project_id, *name; /* as in struct req */
};

/* routes_find: HEAD finds GET. ERR_NOT_FOUND; ERR_METHOD when the path is there under another verb.
 */
NODISCARD int routes_find(const char *method, const struct target *t, struct route_match *ret,
                          struct err *e);
/* routes_allow: the verbs of a path as an Allow field, into `out`. */
void routes_allow(const struct target *t, char *out, size_t out_bytes);

int64_t route_max_body(const struct route *r, const struct app *app);
