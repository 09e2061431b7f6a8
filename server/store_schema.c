/* The schema, as numbered steps that only ever grow: `user_version` counts the steps that a file
 * has behind it, and each runs in a transaction of its own.
 *
 * Budget of indexes: every one is paid for by each queued task. Ids need none (lib/id.h: the row
 * number is in them), so a task has three: task_ready for claims, partial and so free of ended
 * tasks, and task_project and task_code for lists, both in row order and so newest first. */
#include "server/store_priv.h"

#include <stdlib.h>

#include "server/store_write.h"
#include "lib/banned.h"

static const char *const steps[] = {
    /* 1: projects, tokens, codes, tasks, attempts, runners */
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;"

    "CREATE TABLE project (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL) STRICT;"

    "CREATE TABLE token (n INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE,"
    " scope INTEGER NOT NULL, project INTEGER REFERENCES project(n),"
    " created_us INTEGER NOT NULL) STRICT;"

    /* A deleted code keeps its row for the tasks that ran it; its name is free again. */
    "CREATE TABLE code (n INTEGER PRIMARY KEY, project INTEGER NOT NULL REFERENCES project(n),"
    " name TEXT NOT NULL, rev INTEGER NOT NULL, revision INTEGER,"
    " created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL, changed_us INTEGER NOT NULL,"
    " deleted_us INTEGER, paused INTEGER NOT NULL DEFAULT 0,"
    " max_concurrency INTEGER NOT NULL, retries INTEGER NOT NULL,"
    " retries_delay_s INTEGER NOT NULL, default_priority INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX code_name ON code(project, name) WHERE deleted_us IS NULL;"

    "CREATE TABLE revision (n INTEGER PRIMARY KEY, code INTEGER NOT NULL REFERENCES code(n),"
    " rev INTEGER NOT NULL, created_us INTEGER NOT NULL,"
    " image TEXT NOT NULL, command TEXT NOT NULL, runtime TEXT NOT NULL, stack TEXT NOT NULL,"
    " file_name TEXT NOT NULL, config TEXT NOT NULL, env_vars TEXT,"
    " package_sha256 TEXT, package_md5 TEXT, package_bytes INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX revision_code ON revision(code, rev);"
    "CREATE INDEX revision_package ON revision(package_sha256) WHERE package_sha256 IS NOT NULL;"

    "CREATE TABLE cluster (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"

    /* Slim, because every move of a task rewrites its row. Large payloads are in task_payload. The
     * three ids are kept as text: they are rare, and nobody looks tasks up by them. */
    "CREATE TABLE task (n INTEGER PRIMARY KEY, project INTEGER NOT NULL, code INTEGER NOT NULL,"
    " revision INTEGER NOT NULL, cluster INTEGER NOT NULL, state INTEGER NOT NULL,"
    " priority INTEGER NOT NULL, ready_us INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0,"
    " infra INTEGER NOT NULL DEFAULT 0, stopping INTEGER NOT NULL DEFAULT 0,"
    " created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL,"
    " start_us INTEGER NOT NULL DEFAULT 0, end_us INTEGER NOT NULL DEFAULT 0,"
    " timeout_s INTEGER NOT NULL, delay_s INTEGER NOT NULL, percent INTEGER NOT NULL DEFAULT 0,"
    " retry INTEGER NOT NULL DEFAULT 0, label TEXT, msg TEXT,"
    " original_id TEXT, retry_id TEXT, schedule_id TEXT, payload BLOB) STRICT;"
    "CREATE INDEX task_ready ON task(cluster, code, priority, ready_us) WHERE state = 0;"
    "CREATE INDEX task_project ON task(project);"
    "CREATE INDEX task_code ON task(code);"

    "CREATE TABLE task_payload (task INTEGER PRIMARY KEY REFERENCES task(n),"
    " payload BLOB NOT NULL) STRICT;"

    "CREATE TABLE attempt (task INTEGER NOT NULL, no INTEGER NOT NULL, runner TEXT NOT NULL,"
    " slot INTEGER NOT NULL, poll TEXT NOT NULL, leased_us INTEGER NOT NULL,"
    " started_us INTEGER NOT NULL DEFAULT 0, ended_us INTEGER NOT NULL DEFAULT 0,"
    " container TEXT, image TEXT, image_id TEXT, class INTEGER NOT NULL DEFAULT 0,"
    " exit_code INTEGER NOT NULL DEFAULT -1, signal INTEGER NOT NULL DEFAULT 0, reason TEXT,"
    " log_bytes INTEGER NOT NULL DEFAULT 0, stdout_bytes INTEGER NOT NULL DEFAULT 0,"
    " log_sha256 TEXT, log_complete INTEGER NOT NULL DEFAULT 0, facts TEXT,"
    " PRIMARY KEY (task, no)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX attempt_live ON attempt(task, no) WHERE ended_us = 0;"

    "CREATE TABLE runner (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " cluster TEXT NOT NULL, slots INTEGER NOT NULL, version TEXT NOT NULL,"
    " engine_version TEXT NOT NULL, problem TEXT NOT NULL, stacks TEXT NOT NULL,"
    " seen_us INTEGER NOT NULL) STRICT;",

    /* 2: requests that are carried out once */
    "CREATE TABLE once (n INTEGER PRIMARY KEY, project INTEGER NOT NULL REFERENCES project(n),"
    " key TEXT NOT NULL, hash TEXT NOT NULL, ids TEXT NOT NULL, created_us INTEGER NOT NULL,"
    " UNIQUE (project, key)) STRICT;",

    /* 3: credentials of image registries */
    "CREATE TABLE credential (project INTEGER NOT NULL REFERENCES project(n),"
    " registry TEXT NOT NULL, sealed BLOB NOT NULL, updated_us INTEGER NOT NULL,"
    " PRIMARY KEY (project, registry)) STRICT, WITHOUT ROWID;",

    /* 4: tokens have names; a deleted project keeps its row for its tasks, and gives its name up */
    ("ALTER TABLE token ADD COLUMN name TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE project ADD COLUMN deleted_us INTEGER;"),
    /* 5: schedules and firings. What the client said is apart from the slim row that every firing
     * rewrites; schedule_wake is what the clock looks at, so schedules that are not due cost
     * nothing. A firing's key makes a second one for the same due time impossible. task_schedule
     * holds only live tasks of schedules. */
    "CREATE TABLE schedule (n INTEGER PRIMARY KEY, project INTEGER NOT NULL REFERENCES project(n),"
    " created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL DEFAULT 0,"
    " code_name TEXT NOT NULL DEFAULT '', priority INTEGER NOT NULL DEFAULT -1,"
    " timeout_s INTEGER NOT NULL DEFAULT 0, task_delay_s INTEGER NOT NULL DEFAULT 0,"
    " cluster TEXT NOT NULL DEFAULT '', label TEXT NOT NULL DEFAULT '',"
    " start_us INTEGER NOT NULL DEFAULT 0, end_us INTEGER NOT NULL DEFAULT 0,"
    " delay_s INTEGER NOT NULL DEFAULT 0, every_s INTEGER NOT NULL DEFAULT 0,"
    " run_times INTEGER NOT NULL DEFAULT 0, cron TEXT NOT NULL DEFAULT '',"
    " zone TEXT NOT NULL DEFAULT 'UTC', overlap INTEGER NOT NULL DEFAULT 0,"
    " catch_up INTEGER NOT NULL DEFAULT 0, catch_up_max INTEGER NOT NULL DEFAULT 0,"
    " jitter_s INTEGER NOT NULL DEFAULT 0, paused INTEGER NOT NULL DEFAULT 0,"
    " payload BLOB NOT NULL DEFAULT x'') STRICT;"
    "CREATE INDEX schedule_project ON schedule(project);"

    "CREATE TABLE schedule_run (schedule INTEGER PRIMARY KEY REFERENCES schedule(n),"
    " status INTEGER NOT NULL DEFAULT 0, due_us INTEGER NOT NULL DEFAULT 0,"
    " next_us INTEGER NOT NULL DEFAULT 0, wake_us INTEGER NOT NULL DEFAULT 0,"
    " waiting_us INTEGER NOT NULL DEFAULT 0, last_us INTEGER NOT NULL DEFAULT 0,"
    " run_count INTEGER NOT NULL DEFAULT 0, error_count INTEGER NOT NULL DEFAULT 0,"
    " msg TEXT) STRICT;"
    "CREATE INDEX schedule_wake ON schedule_run(wake_us) WHERE wake_us > 0;"
    "CREATE INDEX schedule_waiting ON schedule_run(schedule) WHERE waiting_us > 0;"

    "CREATE TABLE firing (schedule INTEGER NOT NULL REFERENCES schedule(n),"
    " due_us INTEGER NOT NULL, fired_us INTEGER NOT NULL, outcome INTEGER NOT NULL,"
    " task INTEGER NOT NULL, note TEXT, PRIMARY KEY (schedule, due_us)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX task_schedule ON task(schedule_id)"
    " WHERE schedule_id IS NOT NULL AND state <= 2;",

    /* 6: builds. `key` is what went in, `upload` what the revision will be; sha256 … bytes are of
     * the package that `attempt` sent, and count once made_us is set. */
    "CREATE TABLE build (task INTEGER PRIMARY KEY, code INTEGER NOT NULL,"
    " created_us INTEGER NOT NULL, key TEXT NOT NULL, upload TEXT NOT NULL,"
    " attempt INTEGER NOT NULL DEFAULT 0, sha256 TEXT, md5 TEXT,"
    " bytes INTEGER NOT NULL DEFAULT 0, revision INTEGER,"
    " made_us INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX build_key ON build(key) WHERE made_us > 0;"
    "CREATE INDEX build_revision ON build(revision) WHERE revision IS NOT NULL;"
    "CREATE INDEX build_package ON build(sha256) WHERE sha256 IS NOT NULL;",
};
#define NEWEST ((int64_t)ARRAY_LEN(steps))

static int version_get(struct store *s, int64_t *ret, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st); /* repeats the step's error, which is kept in rc */
    return rc == SQLITE_ROW ? 0 : store_fail(s, rc, e);
}

static int run_step(struct store *s, int64_t version, struct err *e)
{
    char *sql = sqlite3_mprintf("BEGIN IMMEDIATE; %s PRAGMA user_version = %lld; COMMIT;",
                                steps[version], (long long)version + 1);
    if (!sql)
        abort();
    int rc = store_sql(s, sql, e);
    sqlite3_free(sql);
    if (rc < 0) {
        store_rollback(s);
        return err_wrap(e, "schema step %lld", (long long)version + 1);
    }
    return 0;
}

int store_migrate(struct store *s, struct err *e)
{
    int64_t version = 0;
    if (version_get(s, &version, e) < 0)
        return e->code;
    if (version > NEWEST)
        return err_set(e, ERR_CONFLICT,
                       "%s/wrought.db has schema %lld; this program knows up to %lld: use a newer "
                       "wrought-server",
                       s->dir, (long long)version, (long long)NEWEST);
    for (; version < NEWEST; version++)
        if (run_step(s, version, e) < 0)
            return e->code;
    return 0;
}
