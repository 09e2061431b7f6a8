/* Opening the database, transactions, and what SQLite's result codes mean to us.
 *
 * One file, WAL, synchronous=FULL: a commit has reached the disk when store_commit returns. The
 * writer's connection is the only one that writes; readers see the last commit. A reader's query
 * has a budget of steps (sqlite3_progress_handler), so that one slow list never holds a thread. */
#include "server/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crypto.h"
#include "lib/str.h"
#include "server/store_priv.h"
#include "server/store_write.h"
#include "lib/banned.h"

#define SLICE_STEPS 1000 /* between two looks at a reader's budget */

#define PRAGMAS_WRITER                                                                             \
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"              \
    "PRAGMA cache_size = -16000; PRAGMA journal_size_limit = 67108864;"                            \
    "PRAGMA wal_autocheckpoint = 4000; PRAGMA trusted_schema = OFF;"
#define PRAGMAS_READER                                                                             \
    "PRAGMA query_only = ON; PRAGMA cache_size = -2000; PRAGMA trusted_schema = OFF;"
#define BUSY_MS 5000 /* only another program (a backup) can hold the lock */

/* disk_fails: the store cannot, whatever is asked of it. */
static bool disk_fails(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return true;
    default:
        return false;
    }
}

int store_fail(struct store *s, int rc, struct err *e)
{
    s->broken |= disk_fails(rc);
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return err_set(e, ERR_UNAVAILABLE, "the disk of %s is full", s->dir);
    case SQLITE_IOERR:
        return err_set(e, ERR_UNAVAILABLE, "the disk of %s is full or fails: %s", s->dir,
                       sqlite3_errstr(rc));
    case SQLITE_INTERRUPT:
        return err_set(e, ERR_UNAVAILABLE, "this would read too many rows; narrow it down");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(e, ERR_UNAVAILABLE, "%s/wrought.db is locked by another program", s->dir);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return err_set(e, ERR_UNAVAILABLE, "%s/wrought.db cannot be written: %s", s->dir,
                       sqlite3_errmsg(s->db));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(e, ERR_IO, "%s/wrought.db is damaged: %s", s->dir, sqlite3_errmsg(s->db));
    case SQLITE_NOMEM:
        abort(); /* as everywhere: small allocations do not fail */
    default:
        return err_set(e, ERR_INTERNAL, "database: %s", sqlite3_errmsg(s->db));
    }
}

int store_sql(struct store *s, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : store_fail(s, rc, e);
}

/* ---- opening ---- */

/* create_file: with mode 0600, which the WAL beside it inherits: payloads and the id key are
 * inside.
 */
static int create_file(const char *dir, const char *path, struct err *e)
{
    struct stat st;
    if (stat(dir, &st) != 0)
        return err_os(e, ERR_IO, errno, "data directory %s", dir);
    if (!S_ISDIR(st.st_mode))
        return err_set(e, ERR_INVALID, "data directory %s is not a directory", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_os(e, ERR_IO, errno, "open of %s", path);
    close(fd);
    return 0;
}

static int on_progress(void *arg)
{
    struct store *s = arg;
    return --s->slices_left < 0;
}

static int open_db(const char *dir, bool reader, struct store **ret, struct err *e)
{
    autofree char *path = str_fmt("%s/wrought.db", dir);
    if (!reader && create_file(dir, path, e) < 0)
        return e->code;
    struct store *s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    s->dir = str_dup(dir);
    int flags = (reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &s->db, flags, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(s->db, BUSY_MS);
    rc = rc == SQLITE_OK ? store_sql(s, reader ? PRAGMAS_READER : PRAGMAS_WRITER, e)
                         : store_fail(s, rc, e);
    if (rc < 0) {
        store_close(s);
        return rc;
    }
    if (reader)
        sqlite3_progress_handler(s->db, SLICE_STEPS, on_progress, s);
    *ret = s;
    return 0;
}

#define ID_KEY "id_key"

static int meta_set(struct store *s, const char *key, const void *v, size_t len, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_META_SET);
    query_text(&q, key);
    query_bytes(&q, v, len);
    return query_done(&q, e);
}

/* load_key: the key of the ids; made when the file is new. */
static int load_key(struct store *s, bool reader, struct err *e)
{
    AUTO(query) struct query q = query_start(s, SQL_META_GET);
    query_text(&q, ID_KEY);
    int rc = query_row(&q, e);
    if (rc < 0)
        return rc;
    size_t len = 0;
    autofree char *found = rc > 0 ? read_bytes(&q, &len) : NULL;
    uint8_t secret[ID_KEY_BYTES];
    if (found && len == sizeof(secret)) {
        memcpy(secret, found, sizeof(secret));
    } else if (found || reader) {
        return err_set(e, ERR_IO, "%s/wrought.db has no usable id key", s->dir);
    } else {
        random_bytes(secret, sizeof(secret));
        if (meta_set(s, ID_KEY, secret, sizeof(secret), e) < 0)
            return e->code;
    }
    id_key_init(&s->ids, secret);
    return 0;
}

static int open_whole(const char *dir, bool reader, struct store **ret, struct err *e)
{
    struct store *s = NULL;
    if (open_db(dir, reader, &s, e) < 0)
        return e->code;
    if ((!reader && store_migrate(s, e) < 0) || load_key(s, reader, e) < 0) {
        store_close(s);
        return e->code;
    }
    *ret = s;
    return 0;
}

int store_open(const char *dir, struct store **ret, struct err *e)
{
    return open_whole(dir, false, ret, e);
}

int store_open_reader(const char *dir, struct store **ret, struct err *e)
{
    return open_whole(dir, true, ret, e);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(s->statements[i]);
    sqlite3_close(s->db);
    free(s->dir);
    free(s);
}

const struct id_key *store_ids(const struct store *s)
{
    return &s->ids;
}

/* ---- transactions ---- */

static int run(struct store *s, enum sql id, struct err *e)
{
    AUTO(query) struct query q = query_start(s, id);
    return query_done(&q, e);
}

int store_begin(struct store *s, struct err *e)
{
    s->changes = sqlite3_total_changes64(s->db);
    s->broken = false;
    return run(s, SQL_BEGIN, e);
}

int store_commit(struct store *s, struct err *e)
{
    return run(s, SQL_COMMIT, e);
}

void store_rollback(struct store *s)
{
    s->savepoint = false;
    if (!sqlite3_get_autocommit(s->db))
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL,
                           NULL); /* cannot fail with a transaction */
}

int store_item_begin(struct store *s, struct err *e)
{
    s->savepoint = run(s, SQL_ITEM_BEGIN, e) == 0;
    return s->savepoint ? 0 : e->code;
}

int store_item_end(struct store *s, bool ok, struct err *e)
{
    bool savepoint = s->savepoint;
    int64_t before = s->changes;
    s->savepoint = false;
    s->changes = sqlite3_total_changes64(s->db);
    if (s->broken || sqlite3_get_autocommit(s->db))
        return err_set(e, ERR_UNAVAILABLE, "the disk of %s is full or fails", s->dir);
    if (savepoint && !ok && run(s, SQL_ITEM_UNDO, e) < 0)
        return e->code;
    if (savepoint)
        return run(s, SQL_ITEM_RELEASE, e);
    if (!ok && s->changes != before)
        return err_set(e, ERR_INTERNAL, "a failed operation had written without a savepoint");
    return 0;
}

/* Larger than what an ordinary operation writes: on a full disk a few bytes still find room in the
 * pages that the write-ahead log has already. And new each time, as SQLite leaves equal pages out.
 */
#define PROBE_BYTES 32768

int store_probe(struct store *s, struct err *e)
{
    uint8_t seen[PROBE_BYTES];
    random_bytes(seen, sizeof(seen));
    return meta_set(s, "probe", seen, sizeof(seen), e);
}
