/* The store: everything durable but logs and packages, behind one narrow interface. SQL is nowhere
 * else.
 *
 * A `struct store` is one database connection and belongs to one thread at a time: one read-write
 * store owned by the writer thread, and read-only ones that pool threads borrow (store_reader_get).
 * Reads see the last commit. Strings and structs that come out are owned by the caller. Rows are
 * named by their number (int64, `n`) inside the server and by their id (24 hex) on the wire;
 * store_ids gives the key between the two. tests/unit/test_store.c is the conformance suite that a
 * second implementation has to pass. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/code.h"
#include "api/runner.h"
#include "api/task.h"
#include "lib/err.h"
#include "lib/id.h"

struct store;
struct store_readers; /* a pool of read-only connections; any thread */

/* store_open: creates or migrates DIR/wrought.db (WAL, synchronous FULL, foreign keys).
 * ERR_CONFLICT when its schema is newer than this program. */
NODISCARD int store_open(const char *dir, struct store **ret, struct err *e);
void store_close(struct store *s); /* NULL is fine */
const struct id_key *store_ids(const struct store *s);

NODISCARD int store_readers_open(const char *dir, struct store_readers **ret, struct err *e);
void store_readers_close(struct store_readers *p);
/* Borrow and give back; opens a further connection when all are out. Never keep one across a
 * suspend. */
NODISCARD int store_reader_get(struct store_readers *p, struct store **ret, struct err *e);
void store_reader_put(struct store_readers *p, struct store *s);

/* ---- tokens and projects ---- */

/* Stored on disk: append only. */
enum token_scope { SCOPE_PROJECT = 1, SCOPE_RUNNER = 2, SCOPE_ADMIN = 3 };

struct store_token {
    int64_t n;
    enum token_scope scope;
    int64_t project; /* SCOPE_PROJECT; else 0 */
};
/* store_token_find: by the SHA-256 of the token. ERR_NOT_FOUND. */
NODISCARD int store_token_find(struct store *s, const uint8_t hash[32], struct store_token *ret,
                               struct err *e);

struct store_page {
    int64_t page, per_page;
};

struct store_project {
    int64_t n;
    char id[ID_TEXT];
    char name[256];
    int64_t created_us, updated_us;
};
NODISCARD int store_project_find(struct store *s, const char *id, struct store_project *ret,
                                 struct err *e);
/* store_project_list: project `n` alone, or all with 0. */
NODISCARD int store_project_list(struct store *s, int64_t n, struct store_page page,
                                 struct store_project **ret, size_t *ret_n, struct err *e);

/* ---- reads for clients: `project` is the row number that the token or the path gave ---- */

NODISCARD int store_code_find(struct store *s, int64_t project, const char *id, struct code *ret,
                              struct err *e);
NODISCARD int store_code_by_name(struct store *s, int64_t project, const char *name,
                                 struct code *ret, struct err *e);
/* Lists fill `ret` with at most per_page entries; the caller releases each and frees the array. */
NODISCARD int store_code_list(struct store *s, int64_t project, struct store_page page,
                              struct code **ret, size_t *ret_n, struct err *e);
/* store_code_stats: how many of its tasks are in each state, of those that last changed from
 * `from_us` to before `to_us`. Bounded work: ERR_UNAVAILABLE when it would read too many rows. */
NODISCARD int store_code_stats(struct store *s, int64_t project, const char *code_id,
                               int64_t from_us, int64_t to_us, int64_t ret[TASK_STATES],
                               struct err *e);
NODISCARD int store_revision_list(struct store *s, int64_t project, const char *code_id,
                                  struct store_page page, struct revision **ret, size_t *ret_n,
                                  struct err *e);
/* store_package_of: the package of revision `rev` of a code (0 = the current one). ERR_NOT_FOUND
 * without one. */
NODISCARD int store_package_of(struct store *s, int64_t project, const char *code_id, int64_t rev,
                               char ret_sha256[65], char *ret_name, size_t name_bytes,
                               int64_t *ret_rev, struct err *e);
NODISCARD int store_package_known(struct store *s, const char *sha256, bool *ret, struct err *e);

NODISCARD int store_task_find(struct store *s, int64_t project, const char *id, struct task *ret,
                              struct err *e);

struct store_task_filter {
    unsigned states;       /* bit set of 1u << enum task_state; 0 = all */
    const char *code_name; /* "" or NULL = any */
    const char *label, *cluster;
    int64_t from_us, to_us; /* creation; 0 = open */
};
/* store_task_list: newest first, payloads left out. Bounded work: ERR_UNAVAILABLE when it would
 * read too many rows. */
NODISCARD int store_task_list(struct store *s, int64_t project, const struct store_task_filter *f,
                              struct store_page page, struct task **ret, size_t *ret_n,
                              struct err *e);

/* What the log routes need to know of a task. */
struct store_log_ref {
    int64_t task;    /* row number */
    int64_t attempt; /* the last one; 0 = none yet */
    enum task_state state;
    bool stopping;
    bool incomplete;
};
NODISCARD int store_log_find(struct store *s, int64_t project, const char *id,
                             struct store_log_ref *ret, struct err *e);
/* store_attempt_live: whether (task, attempt) is the live attempt of `runner`; ERR_CONFLICT if not,
 * with the row number of the task when it is. */
NODISCARD int store_attempt_live(struct store *s, const struct attempt_ref *ref, const char *runner,
                                 int64_t *ret_task, struct err *e);

/* ---- runners ---- */

struct store_runner {
    char name[RUNNER_NAME_BYTES + 1];
    char *cluster, *version, *engine_version, *problem;
    char *stacks; /* JSON array text */
    int64_t slots;
    int64_t seen_us;
};
void store_runner_release(struct store_runner *r);
NODISCARD int store_runner_list(struct store *s, struct store_runner **ret, size_t *ret_n,
                                struct err *e);

/* store_probe: a durable write as large as ordinary ones, for /health. Writer only. */
NODISCARD int store_probe(struct store *s, struct err *e);
