/* The text of every statement. Values are only ever bound. */
#include "server/store_sql.h"

#include "lib/banned.h"

#define CODE_COLUMNS                                                                               \
    "SELECT c.n, c.created_us, p.n, p.created_us, r.n, r.created_us, c.name, c.rev,"               \
    " c.created_us, c.updated_us, c.changed_us, r.image, r.command, r.runtime, r.stack,"           \
    " r.file_name, r.config, r.package_md5, r.env_vars, c.max_concurrency, c.retries,"             \
    " c.retries_delay_s, c.default_priority, c.paused, r.package_bytes"                            \
    " FROM code c CROSS JOIN revision r ON r.n = c.revision"                                       \
    " CROSS JOIN project p ON p.n = c.project"

#define RULES_COLUMNS                                                                              \
    "SELECT n, project, created_us, name, rev, revision, max_concurrency, retries,"                \
    " retries_delay_s, default_priority, paused, deleted_us IS NOT NULL FROM code"

/* CROSS JOIN fixes the order of the tables: the task first, then what hangs on it. */
#define TASK_COLUMNS(payload)                                                                      \
    "SELECT t.n, t.created_us, p.n, p.created_us, c.n, c.created_us, r.n, r.created_us,"           \
    " t.schedule_id, t.original_id, t.retry_id, c.name, r.rev, t.state, t.created_us,"             \
    " t.updated_us, t.start_us, t.end_us, t.timeout_s, t.delay_s, t.priority, k.name, t.label,"    \
    " t.msg, t.percent, t.retry, t.attempt, t.stopping, a.class, a.exit_code, a.signal,"           \
    " a.log_bytes, a.image, " payload " FROM task t"                                               \
    " CROSS JOIN project p ON p.n = t.project CROSS JOIN code c ON c.n = t.code"                   \
    " CROSS JOIN revision r ON r.n = t.revision CROSS JOIN cluster k ON k.n = t.cluster"           \
    " LEFT JOIN attempt a ON a.task = t.n AND a.no = t.attempt"

#define TASK_FILTER                                                                                \
    " (?2 & (1 << t.state)) != 0 AND (?3 IS NULL OR t.label = ?3)"                                 \
    " AND (?4 IS NULL OR t.cluster = ?4) AND t.created_us >= ?5 AND t.created_us < ?6"             \
    " ORDER BY t.n DESC LIMIT ?7 OFFSET ?8"

#define ROW_COLUMNS                                                                                \
    "SELECT n, project, code, cluster, priority, created_us, attempt, retry, infra, state,"        \
    " stopping, ready_us, start_us, end_us, msg IS NOT NULL, original_id, retry_id, schedule_id"   \
    " FROM task"

#define ATTEMPT_COLUMNS                                                                            \
    "SELECT task, no, slot, started_us, ended_us, exit_code, signal, log_bytes, class, runner,"    \
    " poll, log_sha256, reason FROM attempt"

#define SCHEDULE_COLUMNS(payload)                                                                  \
    "SELECT s.n, s.created_us, p.n, p.created_us, s.updated_us, r.status, r.due_us, r.next_us,"    \
    " r.wake_us, r.waiting_us, r.last_us, r.run_count, r.error_count, r.msg, s.code_name,"         \
    " s.priority, s.timeout_s, s.task_delay_s, s.cluster, s.label, s.start_us, s.end_us,"          \
    " s.delay_s, s.every_s, s.run_times, s.cron, s.zone, s.overlap, s.catch_up, s.catch_up_max,"   \
    " s.jitter_s, s.paused, " payload " FROM schedule s"                                           \
    " CROSS JOIN schedule_run r ON r.schedule = s.n CROSS JOIN project p ON p.n = s.project"

#define QUEUED_LANE " FROM task INDEXED BY task_ready WHERE state = 0"

static const char *const text[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ITEM_BEGIN] = "SAVEPOINT item",
    [SQL_ITEM_UNDO] = "ROLLBACK TO item",
    [SQL_ITEM_RELEASE] = "RELEASE item",

    [SQL_META_GET] = "SELECT value FROM meta WHERE key = ?",
    [SQL_META_SET] = "INSERT INTO meta (key, value) VALUES (?, ?)"
                     " ON CONFLICT (key) DO UPDATE SET value = excluded.value",

    [SQL_PROJECT_ANY] = "SELECT n FROM project LIMIT 1",
    [SQL_PROJECT_FIND] = "SELECT n, name, created_us, updated_us FROM project"
                         " WHERE n = ? AND deleted_us IS NULL",
    [SQL_PROJECT_LIST] = "SELECT n, name, created_us, updated_us FROM project "
                         "WHERE (?1 = 0 OR n = ?1) AND deleted_us IS NULL"
                         " ORDER BY n LIMIT ? OFFSET ?",
    [SQL_PROJECT_BY_NAME] = "SELECT 1 FROM project WHERE name = ?",
    [SQL_PROJECT_CODES] = "SELECT count(*) FROM code WHERE project = ? AND deleted_us IS NULL",
    [SQL_PROJECT_DELETE] = "UPDATE project SET deleted_us = ?2, updated_us = ?2,"
                           " name = name || ' (deleted ' || n || ')'"
                           " WHERE n = ?1 AND deleted_us IS NULL",
    [SQL_PROJECT_ADD] = "INSERT INTO project (name, created_us, updated_us) VALUES (?1, ?2, ?2)",
    [SQL_TOKEN_FIND] = "SELECT n, scope, project FROM token WHERE hash = ?",
    [SQL_TOKEN_ADD] = "INSERT INTO token (hash, scope, project, name, created_us)"
                      " VALUES (?, ?, ?, ?, ?)",
    [SQL_TOKEN_LIST] = "SELECT t.n, t.created_us, p.n, p.created_us, t.scope, t.name, t.created_us"
                       " FROM token t LEFT JOIN project p ON p.n = t.project"
                       " ORDER BY t.n LIMIT ? OFFSET ?",
    [SQL_TOKEN_ROW] = "SELECT scope, created_us FROM token WHERE n = ?",
    [SQL_TOKEN_COUNT] = "SELECT count(*) FROM token WHERE scope = ?",
    [SQL_TOKEN_DELETE] = "DELETE FROM token WHERE n = ?",
    [SQL_TOKEN_DELETE_PROJECT] = "DELETE FROM token WHERE project = ?",

    [SQL_CODE_FIND] = CODE_COLUMNS " WHERE c.n = ? AND c.project = ? AND c.deleted_us IS NULL",
    [SQL_CODE_BY_NAME] =
        CODE_COLUMNS " WHERE c.project = ? AND c.name = ? AND c.deleted_us IS NULL",
    [SQL_CODE_LIST] = CODE_COLUMNS " WHERE c.project = ? AND c.deleted_us IS NULL"
                                   " ORDER BY c.name LIMIT ? OFFSET ?",
    [SQL_CODE_RULES] = RULES_COLUMNS " WHERE n = ?",
    [SQL_CODE_RULES_BY_NAME] =
        RULES_COLUMNS " WHERE project = ? AND name = ? AND deleted_us IS NULL",
    [SQL_CODE_ADD] = "INSERT INTO code (project, name, max_concurrency, retries, retries_delay_s,"
                     " default_priority, rev, created_us, updated_us, changed_us)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?7, ?7)",
    [SQL_CODE_UPDATE] = "UPDATE code SET max_concurrency = ?2, retries = ?3, retries_delay_s = ?4,"
                        " default_priority = ?5, rev = ?6, revision = ?7, updated_us = ?8,"
                        " changed_us = iif(?9, ?8, changed_us)"
                        " WHERE n = ?1 AND deleted_us IS NULL",
    [SQL_CODE_PAUSE] = "UPDATE code SET paused = ?2, updated_us = ?3"
                       " WHERE n = ?1 AND deleted_us IS NULL",
    [SQL_CODE_DELETE] = "UPDATE code SET deleted_us = ?2, updated_us = ?2"
                        " WHERE n = ?1 AND deleted_us IS NULL",
    [SQL_CODE_STATS] = "SELECT state, count(*) FROM task WHERE code = ?"
                       " AND updated_us >= ? AND updated_us < ? GROUP BY state",
    [SQL_REVISION_LIST] =
        "SELECT r.n, r.created_us, c.n, c.created_us, p.n, p.created_us, c.name, r.rev,"
        " r.created_us, r.image, r.command, r.runtime, r.stack, r.file_name, r.package_md5,"
        " r.package_bytes FROM revision r CROSS JOIN code c ON c.n = r.code"
        " CROSS JOIN project p ON p.n = c.project WHERE r.code = ?"
        " ORDER BY r.rev DESC LIMIT ? OFFSET ?",
    [SQL_REVISION_ADD] =
        "INSERT INTO revision (code, rev, created_us, image, command, runtime, stack, file_name,"
        " config, env_vars, package_sha256, package_md5, package_bytes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_PACKAGE_OF] = "SELECT r.package_sha256, r.rev, c.name FROM code c CROSS JOIN revision r"
                       " ON r.code = c.n AND r.rev = iif(?2 = 0, c.rev, ?2)"
                       " WHERE c.n = ?1 AND r.package_sha256 IS NOT NULL",
    [SQL_PACKAGE_KNOWN] = "SELECT 1 FROM revision WHERE package_sha256 = ?1"
                          " UNION ALL SELECT 1 FROM build WHERE sha256 = ?1 LIMIT 1",

    [SQL_BUILD_ADD] = "INSERT INTO build (task, code, created_us, key, upload)"
                      " VALUES (?, ?, ?, ?, ?)",
    [SQL_BUILD_FIND] = "SELECT code, created_us, attempt, sha256, md5, bytes, upload FROM build"
                       " WHERE task = ?",
    [SQL_BUILD_CACHED] = "SELECT sha256, md5, bytes FROM build WHERE key = ? AND made_us > 0"
                         " ORDER BY task DESC LIMIT 1",
    [SQL_BUILD_RESULT] = "UPDATE build SET attempt = ?2, sha256 = ?3, md5 = ?4, bytes = ?5"
                         " WHERE task = ?1",
    [SQL_BUILD_MADE] = "UPDATE build SET revision = ?2, made_us = ?3 WHERE task = ?1",
    [SQL_BUILD_OVERTAKEN] =
        "SELECT 1 FROM revision r LEFT JOIN build b ON b.revision = r.n WHERE r.code = ?1"
        " AND coalesce(b.created_us, r.created_us) > ?2 LIMIT 1",

    [SQL_CLUSTER_FIND] = "SELECT n FROM cluster WHERE name = ?",
    [SQL_CLUSTER_NAME] = "SELECT name FROM cluster WHERE n = ?",
    [SQL_CLUSTER_ADD] = "INSERT INTO cluster (name) VALUES (?)",

    [SQL_ONCE_FIND] =
        "SELECT hash, ids FROM once WHERE project = ? AND key = ? AND created_us >= ?",
    [SQL_ONCE_PUT] = "INSERT OR REPLACE INTO once (project, key, hash, ids, created_us)"
                     " VALUES (?, ?, ?, ?, ?)",
    [SQL_ONCE_PRUNE] = "DELETE FROM once WHERE n IN (SELECT n FROM (SELECT n, created_us FROM once"
                       " ORDER BY n LIMIT 16) WHERE created_us < ?)",

    [SQL_CREDENTIAL_FIND] =
        "SELECT registry, sealed, updated_us FROM credential WHERE project = ? AND registry = ?",
    [SQL_CREDENTIAL_LIST] = "SELECT registry, sealed, updated_us FROM credential WHERE project = ?"
                            " ORDER BY registry LIMIT ? OFFSET ?",
    [SQL_CREDENTIAL_PUT] = "INSERT OR REPLACE INTO credential (project, registry, sealed,"
                           " updated_us) VALUES (?, ?, ?, ?)",
    [SQL_CREDENTIAL_DELETE] = "DELETE FROM credential WHERE project = ? AND registry = ?",

    [SQL_TASK_FIND] =
        TASK_COLUMNS("coalesce(t.payload, l.payload)") " LEFT JOIN task_payload l ON l.task = t.n "
                                                       "AND t.payload IS NULL"
                                                       " WHERE t.n = ? AND t.project = ?",
    [SQL_TASK_LIST] = TASK_COLUMNS("NULL") " WHERE t.project = ?1 AND (?9 IS NULL OR c.name = ?9)"
                                           " AND" TASK_FILTER,
    [SQL_TASK_LIST_CODE] = TASK_COLUMNS("NULL") " WHERE t.code = ?1 AND" TASK_FILTER,
    [SQL_TASK_CODES] = "SELECT n FROM code WHERE project = ? AND name = ? LIMIT 2",
    [SQL_TASK_LOG] = "SELECT t.created_us, t.attempt, t.state, t.stopping, a.log_complete,"
                     " a.ended_us FROM task t LEFT JOIN attempt a ON a.task = t.n"
                     " AND a.no = t.attempt WHERE t.n = ? AND t.project = ?",
    [SQL_TASK_ADD] =
        "INSERT INTO task (project, code, revision, cluster, state, priority, ready_us,"
        " created_us, updated_us, timeout_s, delay_s, label, schedule_id, payload)"
        " VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12)",
    [SQL_TASK_COPY] =
        "INSERT INTO task (project, code, revision, cluster, state, priority, ready_us,"
        " created_us, updated_us, timeout_s, delay_s, retry, original_id, label, schedule_id,"
        " payload) SELECT project, code, ?2, cluster, 0, priority, ?3, ?4, ?4, timeout_s, ?5, ?6,"
        " ?7, label, schedule_id, payload FROM task WHERE n = ?1",
    [SQL_PAYLOAD_ADD] = "INSERT INTO task_payload (task, payload) VALUES (?, ?)",
    [SQL_PAYLOAD_COPY] = "INSERT INTO task_payload (task, payload)"
                         " SELECT ?2, payload FROM task_payload WHERE task = ?1",
    [SQL_TASK_LAST] = "SELECT max(n) FROM task",
    [SQL_TASK_ROW] = ROW_COLUMNS " WHERE n = ?",
    [SQL_TASK_STACK] = "SELECT r.stack FROM task t CROSS JOIN revision r ON r.n = t.revision"
                       " WHERE t.n = ?",
    [SQL_TASK_UPDATE] =
        "UPDATE task SET state = ?4, stopping = ?5, infra = ?6, ready_us = ?7, start_us = ?8,"
        " end_us = ?9, retry_id = ?10, msg = coalesce(?11, msg), updated_us = ?12"
        " WHERE n = ?1 AND state = ?2 AND attempt = ?3",
    [SQL_TASK_PROGRESS] = "UPDATE task SET percent = coalesce(?2, percent),"
                          " msg = iif(?3 IS NULL, msg, nullif(?3, '')), updated_us = ?4"
                          " WHERE n = ?1",
    [SQL_TASK_CLAIM] = "UPDATE task SET state = 1, attempt = attempt + 1, updated_us = ?2"
                       " WHERE n = ?1 AND state = 0 RETURNING attempt",
    [SQL_TASK_CANCEL_LANE] =
        "UPDATE task SET state = 5, msg = coalesce(?5, msg), end_us = ?6, updated_us = ?6"
        " WHERE n IN (SELECT n" QUEUED_LANE " AND cluster = ?1 AND code = ?2 AND priority = ?3"
        " AND n <= ?7 LIMIT ?4) RETURNING n",

    [SQL_LANE_FIRST] =
        "SELECT n, ready_us" QUEUED_LANE
        " AND cluster = ? AND code = ? AND priority = ? ORDER BY ready_us, n LIMIT 1",
    [SQL_LANE_AHEAD] = "SELECT count(*) FROM (SELECT 1" QUEUED_LANE
                       " AND cluster = ?1 AND code = ?2 AND priority = ?3"
                       " AND ready_us <= ?4 AND (ready_us < ?4 OR n < ?5) LIMIT ?6)",
    /* A row-value comparison would read the whole index (measured: 160 ms with a million tasks);
     * one statement per column is a seek each. */
    [SQL_LANE_NEXT_CLUSTER] =
        "SELECT cluster" QUEUED_LANE " AND cluster > ? ORDER BY cluster LIMIT 1",
    [SQL_LANE_NEXT_CODE] =
        "SELECT code" QUEUED_LANE " AND cluster = ? AND code > ? ORDER BY code LIMIT 1",
    [SQL_LANE_NEXT_PRIORITY] = "SELECT priority" QUEUED_LANE " AND cluster = ? AND code = ?"
                               " AND priority > ? ORDER BY priority LIMIT 1",

    [SQL_ATTEMPT_ADD] = "INSERT INTO attempt (task, no, runner, slot, poll, leased_us)"
                        " VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_ATTEMPT_FIND] = ATTEMPT_COLUMNS " WHERE task = ? AND no = ?",
    [SQL_ATTEMPT_STARTED] =
        "UPDATE attempt SET started_us = iif(started_us = 0, ?3, started_us), container = ?4,"
        " image = ?5, image_id = ?6 WHERE task = ?1 AND no = ?2 AND ended_us = 0",
    [SQL_ATTEMPT_END] =
        "UPDATE attempt SET ended_us = ?3, class = ?4, exit_code = ?5, signal = ?6, reason = ?7,"
        " log_bytes = ?8, stdout_bytes = ?9, log_sha256 = ?10, log_complete = ?11, facts = ?12"
        " WHERE task = ?1 AND no = ?2 AND ended_us = 0",
    [SQL_ATTEMPT_LIVE] = "SELECT t.created_us FROM attempt a CROSS JOIN task t ON t.n = a.task"
                         " WHERE a.task = ? AND a.no = ? AND a.runner = ? AND a.ended_us = 0",
    [SQL_ATTEMPT_ALL_LIVE] = ATTEMPT_COLUMNS " INDEXED BY attempt_live WHERE ended_us = 0",
    [SQL_GRANT] =
        "SELECT t.n, t.created_us, p.n, p.created_us, c.n, c.created_us, r.n, r.created_us,"
        " t.schedule_id, c.name, r.rev, r.image, r.command, r.runtime, r.stack, r.file_name,"
        " r.config, r.env_vars, r.package_sha256, r.package_bytes,"
        " coalesce(t.payload, l.payload), t.timeout_s, b.task IS NOT NULL"
        " FROM task t CROSS JOIN project p ON p.n = t.project CROSS JOIN code c ON c.n = t.code"
        " CROSS JOIN revision r ON r.n = t.revision"
        " LEFT JOIN task_payload l ON l.task = t.n AND t.payload IS NULL"
        " LEFT JOIN build b ON b.task = t.n WHERE t.n = ?",

    [SQL_SCHEDULE_ROW] = SCHEDULE_COLUMNS("s.payload") " WHERE s.n = ?",
    [SQL_SCHEDULE_LIST] = SCHEDULE_COLUMNS(
        "iif(length(s.payload) <= 65536, s.payload, x'')") " WHERE s.project = ?1 AND (?2 IS NULL "
                                                           "OR s.code_name = ?2) AND (?3 IS NULL "
                                                           "OR s.label = ?3)"
                                                           " ORDER BY s.n DESC LIMIT ?4 OFFSET ?5",
    [SQL_SCHEDULE_ADD] = "INSERT INTO schedule (project, created_us) VALUES (?, ?)",
    [SQL_SCHEDULE_RUN_ADD] = "INSERT INTO schedule_run (schedule) VALUES (?)",
    [SQL_SCHEDULE_UPDATE] =
        "UPDATE schedule SET updated_us = ?2, code_name = ?3, priority = ?4, timeout_s = ?5,"
        " task_delay_s = ?6, cluster = ?7, label = ?8, start_us = ?9, end_us = ?10, delay_s = ?11,"
        " every_s = ?12, run_times = ?13, cron = ?14, zone = ?15, overlap = ?16, catch_up = ?17,"
        " catch_up_max = ?18, jitter_s = ?19, paused = ?20, payload = ?21 WHERE n = ?1",
    [SQL_SCHEDULE_MOVE] =
        "UPDATE schedule_run SET status = ?2, due_us = ?3, next_us = ?4, wake_us = ?5,"
        " waiting_us = ?6, last_us = ?7, run_count = ?8, error_count = ?9, msg = ?10"
        " WHERE schedule = ?1",
    [SQL_SCHEDULE_FIRST] = "SELECT schedule, wake_us FROM schedule_run INDEXED BY schedule_wake"
                           " WHERE wake_us > 0 ORDER BY wake_us LIMIT 1",
    [SQL_SCHEDULE_WAKE] = "UPDATE schedule_run SET wake_us = ?1"
                          " WHERE schedule = ?2 AND waiting_us > 0 AND wake_us > ?1",
    [SQL_SCHEDULE_WAKE_ALL] = "UPDATE schedule_run INDEXED BY schedule_waiting SET wake_us = ?1"
                              " WHERE waiting_us > 0 AND wake_us > ?1",
    [SQL_SCHEDULE_LIVE] = "SELECT n FROM task INDEXED BY task_schedule"
                          " WHERE schedule_id = ? AND state <= 2 ORDER BY n LIMIT ?",
    [SQL_FIRING_ADD] = "INSERT INTO firing (schedule, due_us, fired_us, outcome, task, note)"
                       " VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_FIRING_SETTLE] = "UPDATE firing SET fired_us = ?3, outcome = ?4, task = ?5, note = ?6"
                          " WHERE schedule = ?1 AND due_us = ?2 AND outcome = ?7",
    [SQL_FIRING_KNOWN] = "SELECT 1 FROM firing WHERE schedule = ? AND due_us = ?",
    [SQL_FIRING_TRIM] = "DELETE FROM firing WHERE schedule = ?1 AND outcome <> ?3 AND due_us <="
                        " (SELECT due_us FROM firing WHERE schedule = ?1 ORDER BY due_us DESC"
                        " LIMIT 1 OFFSET ?2)",
    [SQL_FIRING_LIST] = "SELECT due_us, fired_us, outcome, task, fired_us, note FROM firing"
                        " WHERE schedule = ? ORDER BY due_us DESC LIMIT ? OFFSET ?",

    [SQL_RUNNER_PUT] =
        "INSERT INTO runner (name, cluster, slots, version, engine_version, problem, stacks,"
        " seen_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " cluster = excluded.cluster, slots = excluded.slots, version = excluded.version,"
        " engine_version = excluded.engine_version, problem = excluded.problem,"
        " stacks = excluded.stacks, seen_us = excluded.seen_us",
    [SQL_RUNNER_LIST] = "SELECT name, cluster, slots, version, engine_version, problem, stacks,"
                        " seen_us FROM runner ORDER BY name",
};

const char *sql_text(enum sql id)
{
    return text[id];
}
