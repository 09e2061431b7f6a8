/* One HTTP request as handlers see it: nothing of libmicrohttpd, nothing of SQL.
 *
 * A handler decodes and validates, makes one call into the rules and encodes. It runs on a pool
 * thread and never waits: what takes time goes to the thread that owns it, as a work item, and the
 * request is suspended meanwhile:
 *
 *     int h_thing_post(struct req *rq, struct resp *rs, struct err *e)
 *     {
 *         struct op_thing *op = req_mem(rq, sizeof(*op));     // lives as long as the request
 *         op_thing_init(op);
 *         op->… = …;
 *         return req_await_writer(rq, &op->w, thing_done, op, e);  // REQ_LATER
 *     }
 *     static int thing_done(struct req *rq, struct resp *rs, struct err *e)
 *     {
 *         const struct op_thing *op = rq->state;
 *         if (e->code)                       // how the operation went
 *             return e->code;
 *         …encode into rq->out…
 *         return 0;
 *     }
 *
 * `thing_done` runs on the pool thread again, after the commit, and may itself await something.
 * Returning 0 sends `rs`, a negative ERR_* sends the one error shape {"msg": e->msg} with the
 * status of the code. A request belongs to one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "server/resp.h"
#include "server/store.h"
#include "server/target.h"
#include "server/work.h"

struct app;   /* server/app.h */
struct inbox; /* server/work.h */
struct route; /* server/routes.h */
struct req;

#define REQ_LATER 1 /* the answer comes after a suspension */

typedef int (*handler_fn)(struct req *rq, struct resp *rs, struct err *e);

/* What http.c picks from the header fields; borrowed for the life of the request. NULL = absent. */
struct req_fields {
    const char *authorization, *content_type, *accept, *last_event_id, *idempotency_key;
};

/* Who asks. */
struct caller {
    struct store_token token; /* .n 0 = nobody (open routes) */
};

struct req_block; /* memory and clean-ups of the request */

struct req {
    struct app *app;
    const struct route *route;
    const char *method;
    uint64_t id; /* for log lines; counts from 1 */
    int64_t since_ms;
    struct target target;
    struct req_fields fields;
    const char *project_id, *name; /* {project} and the other {parameter} of the path, or NULL */
    struct caller who;
    int64_t project; /* row number of {project} */
    struct buf body; /* BODY_BUF: whole */
    void *sink;      /* BODY_STREAM: the route's */
    struct buf out;  /* the answer, unless resp says otherwise */
    void *state;     /* what the handler gave to req_await… */
    struct req_block *blocks;
};

/* ---- memory that lives as long as the request ---- */

void *req_mem(struct req *rq, size_t len); /* zeroed; aborts on out of memory */
char *req_text(struct req *rq, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* req_defer: fn(arg) when the request is over; the last one first. */
void req_defer(struct req *rq, void (*fn)(void *arg), void *arg);
/* req_cleanup: runs what was deferred and frees. http.c's alone. */
void req_cleanup(struct req *rq);

/* ---- reading ---- */

/* req_json: the body as a JSON object, freed with the request. An empty body is ERR_INVALID. */
NODISCARD int req_json(struct req *rq, const struct json **ret, struct err *e);
/* req_json_opt: as req_json; NULL when there is no body. */
NODISCARD int req_json_opt(struct req *rq, const struct json **ret, struct err *e);
/* req_arg: a query argument; NULL when absent. */
const char *req_arg(const struct req *rq, const char *name);
/* req_arg_int: a query argument that is a number; `dflt` when absent or empty. */
NODISCARD int req_arg_int(const struct req *rq, const char *name, int64_t min, int64_t max,
                          int64_t dflt, int64_t *ret, struct err *e);
/* req_arg_time: a query argument in epoch seconds, perhaps with a fraction; as UTC us. `dflt_us`
 * when absent or empty. */
NODISCARD int req_arg_time(const struct req *rq, const char *name, int64_t dflt_us, int64_t *ret_us,
                           struct err *e);
/* req_page: `page` and `per_page`; more than may be asked for is cut, as IronWorker does. */
NODISCARD int req_page(const struct req *rq, struct store_page *ret, struct err *e);
/* req_store: a reader of the store, given back by req_store_done; never kept across a suspension.
 */
NODISCARD int req_store(struct req *rq, struct store **ret, struct err *e);
void req_store_done(struct req *rq, struct store *s);

/* resp_msg: {"msg": …} as the answer. */
void resp_msg(struct req *rq, const char *msg);

/* ---- waiting (server/http.c) ---- */

/* req_await_writer, req_await_inbox: suspend, submit `w`, and go on with `then` when it is done.
 * `state` becomes rq->state. REQ_LATER, or ERR_UNAVAILABLE while the server is stopping. */
NODISCARD int req_await_writer(struct req *rq, struct work *w, handler_fn then, void *state,
                               struct err *e);
NODISCARD int req_await_inbox(struct req *rq, struct inbox *in, struct work *w, handler_fn then,
                              void *state, struct err *e);
/* req_suspend, req_resume: for response streams; resume from any thread, once for each suspend. */
void req_suspend(struct req *rq);
void req_resume(struct req *rq);
/* req_alive: whether the client still holds the connection. libmicrohttpd notices nothing while a
 * request is suspended; any thread, only then. */
bool req_alive(const struct req *rq);
/* req_suspended: how many requests of the server are suspended now. */
int req_suspended(const struct req *rq);
/* req_stopping: the server is on its way out: streams should come to an end. */
bool req_stopping(const struct req *rq);
