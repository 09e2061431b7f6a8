/* Running statements: bind in order, step, read in order. The only file that touches sqlite3_bind,
 * sqlite3_step and sqlite3_column; every result is looked at, and the first failure sticks. */
#include "server/store_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"
#include "lib/banned.h"

/* A reader's query may cost so many slices of steps (store.c): some 200 000 rows looked at. */
#define SLICES_PER_QUERY 3000

struct query query_start(struct store *s, enum sql id)
{
    struct query q = {.s = s, .rc = SQLITE_OK};
    if (!s->statements[id])
        q.rc = sqlite3_prepare_v3(s->db, sql_text(id), -1, SQLITE_PREPARE_PERSISTENT,
                                  &s->statements[id], NULL);
    q.st = s->statements[id];
    s->slices_left = SLICES_PER_QUERY;
    return q;
}

void query_release(struct query *q)
{
    if (!q->st)
        return;
    sqlite3_reset(q->st); /* repeats the step's error, which was reported */
    sqlite3_clear_bindings(q->st);
    q->st = NULL;
}

static void bound(struct query *q, int rc)
{
    if (q->rc == SQLITE_OK)
        q->rc = rc;
}

void query_int(struct query *q, int64_t v)
{
    bound(q, sqlite3_bind_int64(q->st, ++q->bound, v));
}

void query_text(struct query *q, const char *v)
{
    bound(q, sqlite3_bind_text(q->st, ++q->bound, v, -1, SQLITE_STATIC));
}

void query_bytes(struct query *q, const void *v, size_t len)
{
    bound(q, sqlite3_bind_blob64(q->st, ++q->bound, len ? v : "", len, SQLITE_STATIC));
}

void query_null(struct query *q)
{
    bound(q, sqlite3_bind_null(q->st, ++q->bound));
}

void query_page(struct query *q, struct store_page page)
{
    query_int(q, page.per_page);
    query_int(q, page.page * page.per_page);
}

int query_row(struct query *q, struct err *e)
{
    if (q->rc == SQLITE_OK) {
        q->read = 0;
        int rc = sqlite3_step(q->st);
        if (rc == SQLITE_ROW)
            return 1;
        if (rc == SQLITE_DONE)
            return 0;
        q->rc = rc;
    }
    return store_fail(q->s, q->rc, e);
}

int query_done(struct query *q, struct err *e)
{
    int rc = query_row(q, e);
    assert(rc <= 0);
    return rc;
}

int query_insert(struct query *q, int64_t *ret_n, struct err *e)
{
    int rc = query_done(q, e);
    if (rc == 0)
        *ret_n = sqlite3_last_insert_rowid(q->s->db);
    return rc;
}

int query_hit(struct query *q, struct err *e)
{
    int rc = query_done(q, e);
    if (rc == 0 && sqlite3_changes(q->s->db) != 1)
        return err_set(e, ERR_CONFLICT, "it is no longer in that state");
    return rc;
}

int64_t read_int(struct query *q)
{
    return sqlite3_column_int64(q->st, q->read++);
}

bool read_bool(struct query *q)
{
    return read_int(q) != 0;
}

static const char *column_text(struct query *q)
{
    const char *t = (const char *)sqlite3_column_text(q->st, q->read++);
    return t ? t : "";
}

char *read_text(struct query *q)
{
    return str_dup(column_text(q));
}

char *read_text_opt(struct query *q)
{
    const char *t = column_text(q);
    return t[0] ? str_dup(t) : NULL;
}

void read_copy(struct query *q, char *out, size_t out_bytes)
{
    str_copy(out, out_bytes, column_text(q));
}

char *read_bytes(struct query *q, size_t *ret_len)
{
    int i = q->read++;
    const void *v = sqlite3_column_blob(q->st, i);
    *ret_len = (size_t)sqlite3_column_bytes(q->st, i);
    if (sqlite3_column_type(q->st, i) == SQLITE_NULL)
        return NULL;
    return str_dupn(v ? v : "", *ret_len);
}

void read_id(struct query *q, enum id_kind kind, char out[ID_TEXT])
{
    int64_t row = read_int(q), created_us = read_int(q);
    out[0] = '\0';
    if (row > 0)
        id_encode(&q->s->ids, kind, row, created_us, out);
}

void *store_grow(void *list, size_t n, size_t *cap, size_t element_bytes)
{
    if (n == *cap) {
        *cap = *cap ? *cap * 2 : 16;
        list = realloc(list, *cap * element_bytes);
        if (!list)
            abort();
    }
    memset((char *)list + n * element_bytes, 0, element_bytes);
    return list;
}
