/* Inside the store: the connection, its statements, and the one way to run them. Included by
 * server/store*.c alone; no other file knows SQLite.
 *
 * A statement is named by its enum, prepared when it is first used and kept. A `struct query` binds
 * and reads in order, remembers the first failure, and gives the statement back when its scope
 * ends:
 *
 *     AUTO(query) struct query q = query_start(s, SQL_PROJECT_FIND);
 *     query_int(&q, n);
 *     int rc = query_row(&q, e);   // 1 a row, 0 the end, negative an error
 *     int64_t created_us = read_int(&q);
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "server/store.h"
#include "server/store_sql.h"

struct store {
    sqlite3 *db;
    char *dir; /* for messages */
    struct id_key ids;
    sqlite3_stmt *statements[SQL_COUNT];
    int64_t slices_left; /* readers: what the query under way may still cost; see store.c */
    int64_t changes;     /* writer: sqlite3_total_changes64 when the item began */
    bool broken;         /* writer: the disk failed a statement of this transaction */
    bool savepoint;      /* writer: one is open for the item */
    struct store *next;  /* of a pool's free list */
};

struct query {
    struct store *s;
    sqlite3_stmt *st; /* NULL: it could not be prepared */
    int rc;           /* the first failure, SQLITE_OK so far */
    int bound, read;  /* how many */
};

struct query query_start(struct store *s, enum sql id);
void query_release(struct query *q);
void query_int(struct query *q, int64_t v);
void query_text(struct query *q, const char *v); /* NULL binds NULL; borrowed until the release */
void query_bytes(struct query *q, const void *v, size_t len);
void query_null(struct query *q);
void query_page(struct query *q, struct store_page page); /* LIMIT ? OFFSET ? */
NODISCARD int query_row(struct query *q, struct err *e);
/* query_done: runs a statement that gives no rows. */
NODISCARD int query_done(struct query *q, struct err *e);
/* query_insert: as query_done, and gives the number of the new row. */
NODISCARD int query_insert(struct query *q, int64_t *ret_n, struct err *e);
/* query_hit: as query_done, and ERR_CONFLICT unless exactly one row changed. */
NODISCARD int query_hit(struct query *q, struct err *e);

/* The next column of the row; NULL reads as 0, false or "". */
int64_t read_int(struct query *q);
bool read_bool(struct query *q);
char *read_text(struct query *q);     /* malloc'ed, "" for NULL */
char *read_text_opt(struct query *q); /* malloc'ed, NULL for NULL and "" */
void read_copy(struct query *q, char *out, size_t out_bytes);
char *read_bytes(struct query *q,
                 size_t *ret_len); /* malloc'ed and followed by a NUL; NULL for NULL */
/* read_id: two columns, row and creation, as an id; "" when the row is NULL. */
void read_id(struct query *q, enum id_kind kind, char out[ID_TEXT]);

/* store_grow: a zeroed element behind the `n` of a list, which may move. */
void *store_grow(void *list, size_t n, size_t *cap, size_t element_bytes);
/* store_sql: one statement outside the table (transactions, pragmas). */
NODISCARD int store_sql(struct store *s, const char *sql, struct err *e);
/* store_fail: what a result code of SQLite means to us. */
int store_fail(struct store *s, int rc, struct err *e);
/* store_open_reader: a read-only connection to a database that the writer has open. */
NODISCARD int store_open_reader(const char *dir, struct store **ret, struct err *e);
/* store_migrate: brings an older or empty file to the newest schema. */
NODISCARD int store_migrate(struct store *s, struct err *e);
