/* The writer against bad disks and sudden death: what was acknowledged is there, what was not is
 * not in memory either. */
#include <errno.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/fs.h"
#include "tests/unit/queue_world.h"
#include "lib/banned.h"

static void check_integrity(void)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    CHECK_INT(sqlite3_open("wrought.db", &db), SQLITE_OK);
    CHECK_INT(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(st), SQLITE_ROW);
    CHECK_STR((const char *)sqlite3_column_text(st, 0), "ok");
    sqlite3_finalize(st);
    sqlite3_close(db);
}

/* ---- a full disk: here, files that may not grow (SIGXFSZ is ignored, so writes fail) ---- */

static void limit_files(rlim_t bytes)
{
    struct rlimit l;
    signal(SIGXFSZ, SIG_IGN);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &l), 0);
    l.rlim_cur = bytes;
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static off_t wal_bytes(void)
{
    struct stat st;
    CHECK_INT(stat("wrought.db-wal", &st), 0);
    return st.st_size;
}

static int enqueue_rc(struct world *w, char id[ID_TEXT], struct err *ret)
{
    struct task_new t = new_task("hello");
    struct op_enqueue o;
    op_enqueue_init(&o);
    o.project = w->project;
    o.tasks = &t;
    o.n = 1;
    o.ret_ids = (char(*)[ID_TEXT])id;
    int rc = writer_run(w->wr, &o.w);
    *ret = o.w.err;
    return rc;
}

TEST(a_full_disk_refuses_everything_and_nothing_runs_ahead)
{
    struct world *w = world_new();
    struct id before = enqueue(w, "hello"), running = {""};
    struct held_task h = lease(w, "r1", 0);
    memcpy(running.text, h.ref.task, ID_TEXT);
    CHECK(got(&h, &before));
    struct id waiting = enqueue(w, "hello");
    limit_files((rlim_t)wal_bytes());

    char id[ID_TEXT];
    struct err full;
    CHECK_INT(enqueue_rc(w, id, &full), ERR_UNAVAILABLE);
    CHECK_HAS(full.msg, "the disk of .");
    struct a_poll p;
    poll_init(&p, "r2", 0, 0);
    CHECK_INT(writer_run(w->wr, &p.op.w), ERR_UNAVAILABLE);
    if (p.op.ret_some) /* filled before the commit failed: the caller's to release */
        grant_release(&p.op.ret_grant);
    CHECK_INT(finish_rc(w, &h, CLASS_OK), ERR_UNAVAILABLE);
    struct op_probe probe;
    op_probe_init(&probe);
    CHECK_INT(writer_run(w->wr, &probe.w), ERR_UNAVAILABLE);
    CHECK_INT(state_of(w, waiting.text), TASK_QUEUED);
    CHECK_INT(renew(w, &h), ORDER_NONE); /* still the live attempt, in memory as in the file */

    limit_files(RLIM_INFINITY);
    struct held_task second = lease(w, "r2", 0);
    CHECK(got(&second, &waiting));
    CHECK_INT(second.ref.attempt, 1);
    CHECK_STR(lease(w, "r3", 0).ref.task, ""); /* the task that was refused is nowhere */
    CHECK_INT(finish_rc(w, &h, CLASS_OK), 0);
    CHECK_INT(state_of(w, running.text), TASK_COMPLETE);
    world_close(w);
    check_integrity();
}

TEST(a_full_file_system_is_survived)
{
    CHECK_INT(mkdir("small", 0700), 0);
    /* in a mount namespace of its own, so that nothing of it can be left behind */
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", "small", "tmpfs", 0, "size=1m") != 0)
        TAP_FAIL("this test needs root: %s", strerror(errno));
    CHECK_INT(chdir("small"), 0);
    struct world *w = world_new();
    char id[ID_TEXT];
    struct err full = {0};
    int64_t kept = 0;
    while (enqueue_rc(w, id, &full) == 0)
        kept++;
    CHECK_INT(full.code, ERR_UNAVAILABLE);
    CHECK_HAS(full.msg, "the disk of .");
    CHECK_INT(mount("tmpfs", ".", "tmpfs", MS_REMOUNT, "size=16m"), 0);
    enqueue(w, "hello");
    for (int64_t i = 0; i < kept + 1; i++)
        CHECK(lease(w, "r1", i).ref.task[0]);
    CHECK_STR(lease(w, "r1", kept + 1).ref.task, "");
    world_close(w);
    check_integrity();
    CHECK_INT(chdir(".."), 0);
}

TEST(an_expiry_waits_for_the_disk)
{
    struct world *w = world_new();
    struct id id = enqueue(w, "hello");
    lease(w, "r1", 0);
    limit_files((rlim_t)wal_bytes());
    atomic_fetch_add(&ahead_ms, 31000);
    struct op_probe probe;
    op_probe_init(&probe);
    CHECK_INT(writer_run(w->wr, &probe.w), ERR_UNAVAILABLE);
    CHECK_INT(state_of(w, id.text), TASK_PREPARING);
    limit_files(RLIM_INFINITY);
    kick(w);
    later(w, 31000); /* memory was built again, with a full term */
    CHECK_INT(state_of(w, id.text), TASK_QUEUED);
    world_close(w);
}

/* ---- the writer's process is killed at any moment ---- */

#define KILLS 12

/* What the killed process says on its pipe, after the answer came: one record a line. */
static void say(int fd, char what, const char *id)
{
    char line[64];
    int n = snprintf(line, sizeof(line), "%c %s\n", what, id);
    if (write(fd, line, (size_t)n) != n)
        _exit(1);
}

/* work_until_killed: queues tasks, and runs them as r1 does. */
static void work_until_killed(struct world *w, int fd)
{
    static const enum attempt_class ends[] = {CLASS_OK, CLASS_TASK, CLASS_INFRA};
    for (int64_t i = 0;; i++) {
        for (int k = 0; k < 3; k++)
            say(fd, 'q', enqueue(w, "hello").text);
        struct held_task h = lease(w, "r1", i % 1000);
        if (!h.ref.task[0])
            continue;
        if (i % 2)
            (void)started_rc(w, &h); /* lost ones belong to the life of a runner */
        enum attempt_class end = ends[i % (int64_t)ARRAY_LEN(ends)];
        if (i % 5 && finish_rc(w, &h, end) == 0 && end == CLASS_OK)
            say(fd, 'c', h.ref.task);
    }
}

static pid_t start_victim(struct world *w, int *ret_fd)
{
    int fds[2];
    CHECK_INT(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        world_open(w);
        work_until_killed(w, fds[1]);
    }
    close(fds[1]);
    *ret_fd = fds[0];
    return pid;
}

/* kill_after: lets it say so many lines first; appends all that it said. */
static void kill_after(pid_t pid, int fd, int lines, struct buf *said)
{
    char c;
    for (int n = 0; n < lines && read(fd, &c, 1) == 1; n += c == '\n')
        buf_addc(said, c);
    kill(pid, SIGKILL);
    while (read(fd, &c, 1) == 1)
        buf_addc(said, c);
    close(fd);
    int status;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* check_said: every task that was acknowledged is there, and complete if that was acknowledged. */
static int check_said(struct world *w, const struct buf *said)
{
    int n = 0;
    for (const char *at = buf_str(said), *end; (end = strchr(at, '\n')); at = end + 1, n++) {
        char id[ID_TEXT];
        str_copy(id, sizeof(id), at + 2);
        enum task_state s = state_of(w, id);
        CHECK(at[0] == 'c' ? s == TASK_COMPLETE : s >= TASK_QUEUED && s <= TASK_TIMEOUT);
    }
    return n;
}

/* check_books: tasks and attempts agree: a live attempt for each task that runs, none for others.
 */
static void check_books(void)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    CHECK_INT(sqlite3_open("wrought.db", &db), SQLITE_OK);
    CHECK_INT(sqlite3_prepare_v2(db,
                                 "SELECT count(*) FROM task t LEFT JOIN attempt a ON a.task = t.n"
                                 " AND a.no = t.attempt WHERE (t.state IN (1, 2)) !="
                                 " (a.no IS NOT NULL AND a.ended_us = 0)",
                                 -1, &st, NULL),
              SQLITE_OK);
    CHECK_INT(sqlite3_step(st), SQLITE_ROW);
    CHECK_INT(sqlite3_column_int64(st, 0), 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

TEST(what_was_acknowledged_survives_sigkill)
{
    struct world *w = world_new();
    world_close(w);
    AUTO(buf) struct buf said = BUF_INIT(64 << 20);
    srandom((unsigned)time(NULL));
    for (int i = 0; i < KILLS; i++) {
        int fd;
        pid_t pid = start_victim(w, &fd);
        kill_after(pid, fd, 1 + (int)(random() % 700), &said);
        check_integrity();
        check_books();
    }
    world_open(w);
    CHECK(check_said(w, &said) >= KILLS);
    world_close(w);
}

/* ---- many at once ---- */

#define CLIENTS    4
#define PER_CLIENT 150

struct client {
    struct world *w;
    int64_t slot;
    int done;
};

static void *client_main(void *arg)
{
    struct client *c = arg;
    for (int i = 0; i < PER_CLIENT; i++) {
        enqueue(c->w, "hello");
        struct held_task h;
        do
            h = lease(c->w, "r1", c->slot);
        while (!h.ref.task[0]);
        CHECK_INT(started_rc(c->w, &h), 0);
        CHECK_INT(finish_rc(c->w, &h, CLASS_OK), 0);
        c->done++;
    }
    return NULL;
}

TEST(many_clients_at_once_each_get_their_answer)
{
    struct world *w = world_new();
    struct client c[CLIENTS];
    pthread_t t[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        c[i] = (struct client){.w = w, .slot = i};
        CHECK_INT(pthread_create(&t[i], NULL, client_main, &c[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(t[i], NULL);
        CHECK_INT(c[i].done, PER_CLIENT);
    }
    CHECK_STR(lease(w, "r1", 0).ref.task, "");
    world_close(w);
    check_integrity();
}

TAP_MAIN
