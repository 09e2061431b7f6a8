/* wrought-runner: takes tasks from a server and runs each in a container of its own.
 *
 * Threads, and what each may block on:
 *   main        signals (a signalfd) and the ends of the slots
 *   slot  × N   lease poll (server); preparation (engine, server); the attach stream
 *   ship  × N   the server; one beside each slot while that has a job
 *   heartbeat   the server (a parked renewal)
 *   beacon      engine and server, each with a short deadline
 *   janitor     the engine: removals
 *   health      libmicrohttpd's, with --listen: answers from memory
 * Locks: jobs before job; volumes, sandboxes, node and the janitor's queue are leaves. None is held
 * across a call to engine or server. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/bounds.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/confine.h"
#include "lib/httpc.h"
#include "lib/log.h"
#include "lib/roff.h"
#include "lib/str.h"
#include "runner/adopt.h"
#include "runner/beacon.h"
#include "runner/health.h"
#include "runner/heartbeat.h"
#include "runner/identity.h"
#include "runner/notify.h"
#include "runner/seccomp.h"
#include "runner/slot.h"
#include "runner/sync.h"

#include "lib/banned.h"

#define GIVE_BACK_MS 60000 /* over the grace: for ends to be reported before the process stops */
#define CLEAN_UP_MS  10000 /* for the last containers to be removed */
#define SLOTS_MAX    4096
#define SIZE_LIMIT   (1LL << 50)

#define OPT(field) offsetof(struct settings, field)
static const struct conf_opt options[] = {
    {"server", CONF_STR, OPT(server), "http://127.0.0.1:8080", 0, 0, "URL",
     "where the tasks come from"},
    {"token-file", CONF_STR, OPT(token_file), NULL, 0, 0, "FILE", "runner token of that server"},
    {"slots", CONF_INT, OPT(slots), "0", 0, SLOTS_MAX, "N",
     "tasks at a time; 0: one per processor"},
    {"cluster", CONF_STR, OPT(cluster), "default", 0, 0, "NAME",
     "the set of runners this one belongs to"},
    {"engine", CONF_STR, OPT(engine), NULL, 0, 0, "ADDRESS",
     "Docker Engine, unix:///path; else DOCKER_HOST, else unix:///var/run/docker.sock"},
    {"state-dir", CONF_STR, OPT(state_dir), "/var/lib/wrought-runner", 0, 0, "DIR",
     "identity, spooled logs and ends; one runner at a time"},
    {"decryption-key-file", CONF_STR, OPT(decryption_key_file), NULL, 0, 0, "FILE",
     "RSA private key (PEM) that opens encrypted payloads; else DECRYPTION_KEY_FILE"},
    {"init", CONF_STR, OPT(init), NULL, 0, 0, "FILE",
     "wrought-init; else the one beside this program"},
    {"listen", CONF_STR, OPT(listen), "", 0, 0, "ADDRESS:PORT", "serve /health and /metrics there"},
    {"memory", CONF_BYTES, OPT(memory_bytes), "512M", 6 << 20, SIZE_LIMIT, "BYTES",
     "memory of a task, without swap"},
    {"cpu-millis", CONF_INT, OPT(cpu_millis), "1000", 10, 1000000, "N",
     "thousandths of a processor for a task"},
    {"pids", CONF_INT, OPT(pids), "256", 2, 4194304, "N", "processes and threads of a task"},
    {"files", CONF_INT, OPT(files), "1024", 16, 1048576, "N", "open files of a process of a task"},
    {"disk", CONF_BYTES, OPT(disk_bytes), "10G", 1 << 20, SIZE_LIMIT, "BYTES",
     "what a task may write"},
    {"grace", CONF_DURATION, OPT(grace_ms), "10s", 0, 3600000, "TIME", "from SIGTERM to SIGKILL"},
    {"drain-timeout", CONF_DURATION, OPT(drain_ms), "60s", 0, 86400000, "TIME",
     "on SIGTERM, how long running tasks may go on before they are given back"},
    {"spool-limit", CONF_BYTES, OPT(spool_bytes), "1G", 1 << 20, SIZE_LIMIT, "BYTES",
     "unshipped log that is kept; beyond it the tasks wait"},
    {"log-limit", CONF_BYTES, OPT(log_bytes), "10G", 4096, SIZE_LIMIT, "BYTES",
     "log of one task that is kept"},
    {"code-volumes", CONF_INT, OPT(code_volumes), "50", 0, 100000, "N",
     "unpacked packages kept on the engine"},
    {"allow-net", CONF_STR, OPT(allow_net), "", 0, 0, "ADDRESS[/PREFIX][:PORT],…",
     "private addresses that tasks may reach all the same"},
    {"deny-net", CONF_STR, OPT(deny_net), "", 0, 0, "ADDRESS[/PREFIX][:PORT],…",
     "more addresses that tasks may not reach: public ones of the engine's host"},
    {"sandbox-tasks", CONF_INT, OPT(sandbox_tasks), "100", 1, 1000000, "N",
     "tasks that use a network namespace one after the other before it is replaced"},
    {"sandbox-age", CONF_DURATION, OPT(sandbox_age_ms), "10m", 1000, 86400000, "TIME",
     "age at which a network namespace is replaced"},
    {"log-level", CONF_STR, OPT(log_level), "info", 0, 0, "LEVEL", "debug, info, warn or error"},
};

struct runner {
    struct node node;
    struct jobs *jobs;
    struct volumes *volumes;
    struct sandboxes *sandboxes;
    struct janitor *janitor;
    struct heartbeat *heartbeat;
    struct beacon *beacon;
    struct health *health;
    struct slot **slots;
    size_t n_slots;
    int signal_fd, done_fd;
};

/* ---- settings ---- */

/* print_man: wrought-runner(8). `make` writes the page with it. */
static void print_man(void)
{
    AUTO(buf) struct buf out = BUF_INIT(65536);
    roff_open(&out, "wrought-runner", 8, "runs the tasks of Wrought in containers",
              "wrought-runner --server URL --token-file FILE [OPTIONS]");
    roff_section(&out, "DESCRIPTION");
    roff_text(&out, "Takes tasks from a server and runs each in a container of its own on a Docker "
                    "Engine. It may be killed at any time: a new one takes its containers over. "
                    "SIGTERM drains it.");
    roff_section(&out, "OPTIONS");
    roff_text(&out, "Each may be given by its variable too; a flag wins.");
    conf_man(options, ARRAY_LEN(options), &out);
    roff_see_also(&out, "wrought(1), wrought-server(8)");
    fputs(buf_str(&out), stdout);
}

static int show(const struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(65536);
    if (strcmp(e->msg, "version") == 0) {
        puts("wrought-runner " WROUGHT_VERSION);
        return 0;
    }
    if (strcmp(e->msg, "man") == 0) {
        print_man();
        return 0;
    }
    buf_adds(&text, "usage: wrought-runner --server URL --token-file FILE [options]\n\n");
    conf_help(options, ARRAY_LEN(options), &text);
    fputs(buf_str(&text), stdout);
    return 0;
}

/* wrought-init beside the running binary. */
static int find_init(const char **ret, struct err *e)
{
    static char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - sizeof "wrought-init");
    char *slash = len > 0 ? memrchr(path, '/', (size_t)len) : NULL;
    if (!slash)
        return err_os(e, ERR_IO, errno, "cannot find the running program");
    memcpy(slash + 1, "wrought-init", sizeof "wrought-init");
    *ret = path;
    return 0;
}

static int complete(struct settings *s, struct err *e)
{
    enum log_level level;
    if (!s->token_file || !*s->token_file)
        return err_set(e, ERR_USAGE, "--token-file is missing: the server's runner.token");
    if (s->slots == 0)
        s->slots = sysconf(_SC_NPROCESSORS_ONLN);
    if (!s->engine)
        s->engine = getenv("DOCKER_HOST");
    if (!s->engine || !*s->engine)
        s->engine = "unix:///var/run/docker.sock";
    if (!s->decryption_key_file)
        s->decryption_key_file = getenv("DECRYPTION_KEY_FILE");
    if ((!s->init || !*s->init) && find_init(&s->init, e))
        return e->code;
    if (log_level_parse(s->log_level, &level, e))
        return e->code;
    log_set_level(level);
    struct engine *probe = NULL;
    int rc = engine_new(s->engine, &probe, e); /* checks the address, connects to nothing */
    engine_free(probe);
    return rc;
}

/* ---- start ---- */

static int block_signals(struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of write() */
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd >= 0 ? fd : err_os(e, ERR_IO, errno, "signalfd");
}

/* Slots 0 … N-1; an adopted job goes to its own slot, or to an extra one that ends with it. */
static void start_slots(struct runner *r, struct job **adopted, size_t n_adopted)
{
    const struct slot_shared shared = {&r->node,     r->jobs,    r->volumes,
                                       r->sandboxes, r->janitor, r->done_fd};
    size_t n = (size_t)r->node.set.slots;
    r->slots = calloc(n + n_adopted + 1, sizeof(struct slot *));
    struct job **first = calloc(n + 1, sizeof(struct job *));
    if (!r->slots || !first)
        abort();
    for (size_t i = 0; i < n_adopted; i++) {
        struct job *j = adopted[i];
        if (j->slot >= 0 && (size_t)j->slot < n && !first[j->slot])
            first[j->slot] = j;
        else
            r->slots[r->n_slots++] = slot_start(&shared, j->slot, j, true);
    }
    for (size_t k = 0; k < n; k++)
        r->slots[r->n_slots++] = slot_start(&shared, (int)k, first[k], false);
    free(first);
}

static int start(struct runner *r, struct err *e)
{
    struct job **adopted = NULL;
    size_t n_adopted = 0;
    r->jobs = jobs_new();
    r->volumes = volumes_new(&r->node);
    if (sandboxes_new(&r->node, &r->sandboxes, e))
        return e->code;
    r->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->done_fd < 0)
        return err_os(e, ERR_IO, errno, "eventfd");
    if (r->node.set.listen[0] && health_start(&r->node, r->jobs, r->node.set.listen, &r->health, e))
        return e->code;
    if (adopt_jobs(&r->node, r->jobs, &adopted, &n_adopted, e))
        return e->code;
    r->heartbeat = heartbeat_start(&r->node, r->jobs); /* first: adopted leases may be short */
    r->beacon = beacon_start(&r->node);
    r->janitor = janitor_start(&r->node, r->jobs, r->volumes, r->sandboxes);
    start_slots(r, adopted, n_adopted);
    free(adopted);
    return 0;
}

/* ---- stop ---- */

static bool all_done(const struct runner *r)
{
    for (size_t i = 0; i < r->n_slots; i++)
        if (!slot_is_done(r->slots[i]))
            return false;
    return true;
}

static void raise_stop(struct runner *r, enum stop_level level)
{
    static const char *const words[] = {
        [DRAIN] = "taking no more tasks, waiting for those that run",
        [GIVE_BACK] = "giving running tasks back",
        [STOP_NOW] = "ending running tasks at once",
    };
    if (level <= node_stopping(&r->node))
        return;
    log_info("stopping: %s jobs=%zu", words[level], jobs_count(r->jobs));
    node_stop(&r->node, level);
    jobs_wake_all(r->jobs);
}

/* Serves until a signal came and every slot has ended. */
static void serve(struct runner *r)
{
    int64_t level_ms = INT64_MAX; /* when the next level is due */
    while (!all_done(r)) {
        int64_t left_ms = level_ms - clock_mono_ms();
        struct pollfd fds[2] = {{.fd = r->signal_fd, .events = POLLIN},
                                {.fd = r->done_fd, .events = POLLIN}};
        (void)poll(fds, 2, left_ms > 60000 ? 60000 : left_ms < 0 ? 0 : (int)left_ms);
        wake_lower(r->done_fd);
        struct signalfd_siginfo info;
        enum stop_level level = node_stopping(&r->node);
        if (read(r->signal_fd, &info, sizeof info) == sizeof info)
            raise_stop(r, level == RUN ? DRAIN : STOP_NOW);
        else if (clock_mono_ms() >= level_ms)
            raise_stop(r, level + 1);
        if (node_stopping(&r->node) != level)
            level_ms = clock_mono_ms() + (node_stopping(&r->node) == DRAIN
                                              ? r->node.set.drain_ms
                                              : r->node.set.grace_ms + GIVE_BACK_MS);
    }
}

static void stop(struct runner *r)
{
    for (size_t i = 0; i < r->n_slots; i++)
        slot_join(r->slots[i]);
    free(r->slots);
    if (r->janitor)
        janitor_stop(r->janitor, CLEAN_UP_MS);
    if (r->heartbeat)
        heartbeat_stop(r->heartbeat);
    if (r->beacon)
        beacon_stop(r->beacon);
    health_stop(r->health);
    sandboxes_free(r->sandboxes);
    volumes_free(r->volumes);
    jobs_free(r->jobs);
    if (r->done_fd >= 0)
        close(r->done_fd);
    node_release(&r->node);
}

static int run(struct runner *r, int argc, char **argv, struct err *e)
{
    int rest;
    if (conf_load(options, ARRAY_LEN(options), argc, argv, false, &r->node.set, &rest, e))
        return e->code == ERR_EMPTY ? show(e) : e->code;
    if (complete(&r->node.set, e))
        return e->code;
    r->signal_fd = block_signals(e);
    if (r->signal_fd < 0)
        return e->code;
    httpc_global_init();
    r->node.seccomp = BUF_INIT(SECCOMP_PROGRAM_BYTES);
    if (seccomp_program(&r->node.seccomp, e) || identity_load(&r->node, e) || start(r, e))
        return e->code;
    if (confine(e)) { /* some kernels and containers cannot; /metrics says which it is */
        log_warn("going on unconfined: %s", e->msg);
        err_clear(e);
    }
    printf("ready %s\n", r->node.name);
    fflush(stdout);
    log_info("runner %s ready slots=%lld cluster=%s server=%s engine=%s", r->node.name,
             (long long)r->node.set.slots, r->node.set.cluster, r->node.set.server,
             r->node.set.engine);
    notify("READY=1");
    serve(r);
    notify("STOPPING=1");
    return 0;
}

int main(int argc, char **argv)
{
    static struct runner runner = {.signal_fd = -1, .done_fd = -1};
    struct err e = {0};
    node_init(&runner.node);
    int rc = run(&runner, argc, argv, &e);
    if (rc)
        fprintf(stderr, "wrought-runner: %s\n", e.msg);
    stop(&runner);
    if (runner.signal_fd >= 0)
        close(runner.signal_fd);
    return err_exit_code(rc);
}
