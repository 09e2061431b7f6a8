/* What the files of the engine client share and nobody else sees: the client itself, one request,
 * and what an answer means. */
#pragma once

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/httpc.h"
#include "lib/json.h"
#include "runner/engine/engine.h"

struct engine {
    char *socket;
    struct httpc *http;
    int api; /* minor of the version in use; 0: ask before the next request */
};

/* Deadlines of whole calls. The engine answers in milliseconds; these are for one that hangs or
 * whose disk does. */
#define ENGINE_PING_MS       5000
#define ENGINE_ASK_MS        30000  /* reads, kill, volumes */
#define ENGINE_CHANGE_MS     120000 /* create, start, remove: they unpack, mount and unmount */
#define ENGINE_PUT_MS        600000 /* a tar of up to a few GiB */
#define ENGINE_STALL_MS      60000  /* of these not one byte moved */
#define ENGINE_CONNECT_MS    5000
#define ENGINE_ATTACH_MS     10000
#define ENGINE_PULL_STALL_MS 120000 /* unpacking a large layer is silent */

/* engine_request: one call over the kept connection. `rq->path` starts after "/v1.NN"; its ceiling
 * of the answer is BOUND_ENGINE_REPLY_BYTES unless set. 0 for 2xx and 304; ret_root may be NULL
 * when the answer's content does not matter. Errors: as engine.h says, and ERR_PROTOCOL when the
 * answer is not JSON. */
NODISCARD int engine_request(struct engine *g, const struct httpc_req *rq, struct json **ret_root,
                             struct err *e);

/* engine_call: engine_request for the plain cases; `body` NULL: none. */
NODISCARD int engine_call(struct engine *g, const char *method, const struct buf *path,
                          const struct buf *body, int timeout_ms, struct json **ret_root,
                          struct err *e);

/* engine_versioned: appends "/v1.NN" and `path`, asking the engine for its version first if need
 * be. */
NODISCARD int engine_versioned(struct engine *g, const char *path, struct buf *out, struct err *e);

/* engine_version_moved: the engine refused a request of version 1.`used`. Asks again, and says
 * whether it now speaks another one, so that the request is worth repeating. */
bool engine_version_moved(struct engine *g, int used);

/* engine_refused: the error that an answer with this status stands for. */
int engine_refused(unsigned status, const struct buf *body, struct err *e);

/* engine_garbled: turns the error of a parser into ERR_PROTOCOL that names `what`. */
int engine_garbled(const char *what, struct err *e);

/* engine_copy_id: an id into its place; ERR_PROTOCOL when it does not fit. */
NODISCARD int engine_copy_id(const char *id, size_t out_bytes, char *out, struct err *e);

/* engine_create_body: the JSON of a container to create. The only place that spells its keys,
 * because the engine silently ignores one that it does not know, and a limit with it. */
void engine_create_body(const struct engine_spec *spec, struct buf *out);

/* ---- lists (list.c) ---- */

/* engine_strings: a JSON array of strings as a NULL-terminated list; others are left out. */
char **engine_strings(const struct json *array);
/* engine_labels: a JSON object of strings as "key=value". */
char **engine_labels(const struct json *object);
/* engine_put_labels: writes the member "Labels". */
void engine_put_labels(struct jsonw *w, const struct engine_label *labels, size_t n);
/* engine_label_filter: appends `filters={"label":["key=value"]}`, escaped for a query. */
void engine_label_filter(struct buf *path, const char *key, const char *value);

/* engine_list_call: a GET whose answer may be long (thousands of rows after a bad day). */
NODISCARD int engine_list_call(struct engine *g, const struct buf *path, struct json **ret_root,
                               struct err *e);
/* engine_rows: decodes every row of a JSON array into a list for engine_list_free. ERR_PROTOCOL for
 * what is no array: "nothing there" must not come from an answer that was not understood. */
NODISCARD int engine_rows(const struct json *array,
                          int (*decode)(const struct json *row, struct engine_entry *out,
                                        struct err *e),
                          struct engine_entry **ret, size_t *ret_n, struct err *e);
