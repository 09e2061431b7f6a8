/* What all threads of one runner share: its settings and identity, whether it is stopping, and what
 * is known about its engine and its server. Any thread; `mu` is a leaf lock: nothing is called
 * while it is held. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/runner.h"
#include "lib/buf.h"
#include "lib/crypto_payload.h"
#include "lib/err.h"

struct settings { /* read-only after the start; see main.c for what they mean */
    const char *server, *token_file, *cluster, *engine, *state_dir, *init, *listen, *log_level;
    const char *decryption_key_file;
    int64_t slots;
    int64_t memory_bytes, cpu_millis, pids, files, disk_bytes;
    int64_t grace_ms, drain_ms;
    int64_t spool_bytes, log_bytes;
    int64_t code_volumes;
    const char *allow_net, *deny_net;
    int64_t sandbox_tasks, sandbox_age_ms;
};

/* How far a stop has gone; it only ever rises. */
enum stop_level {
    RUN = 0,
    DRAIN = 1,     /* take nothing new, let the running tasks end */
    GIVE_BACK = 2, /* end the running tasks with SIGTERM and grace, and give them back */
    STOP_NOW = 3,  /* end them at once */
};

struct node {
    struct settings set;
    char id[RUNNER_NAME_BYTES];   /* random, kept in the state directory */
    char name[RUNNER_NAME_BYTES]; /* HOST-xxxxxxxx: what the server and people see */
    char *auth;                   /* Authorization header */
    char init_sha256[65];         /* of the wrought-init binary */
    int lock_fd;                  /* of the state directory */
    struct buf seccomp;           /* the filter that every task gets (seccomp.h) */
    struct payload_key *key;      /* opens encrypted payloads; NULL = none is opened */

    _Atomic int stop;                /* enum stop_level */
    _Atomic int64_t unshipped_bytes; /* of all spools */
    _Atomic int64_t tasks_ended;

    pthread_mutex_t mu;
    pthread_cond_t changed; /* stop, engine state */
    /* guarded by mu */
    bool engine_up, server_up;
    char engine_problem[256], server_problem[256];
    char engine_version[32];
    int64_t host_cpus, host_memory_bytes; /* 0 until the engine answered */
    char limit_problem[256];              /* an applied limit differed */
    int64_t limit_hold_ms;                /* no new tasks before (monotonic) */
    uint64_t changes;                     /* counts them, for node_wait_change */
    int64_t last_poll_ms;                 /* last lease poll that was answered (monotonic) */
};

void node_init(struct node *n);
void node_release(struct node *n);

void node_stop(struct node *n, enum stop_level level);
static inline enum stop_level node_stopping(const struct node *n)
{
    return (enum stop_level)atomic_load(&n->stop);
}

/* node_temp_file: an unnamed file in the state directory, or a negative ERR_*. */
NODISCARD int node_temp_file(const struct node *n, struct err *e);

/* node_pause: waits, but not into a higher stop level than the one at its start. */
void node_pause(struct node *n, int64_t ms);

/* What a call to the engine has shown. A change is logged. */
void node_engine_up(struct node *n, const char *version, int64_t cpus, int64_t memory_bytes);
void node_engine_down(struct node *n, const struct err *e);
/* node_engine_failed: for any failed engine call: down if that is what the error says. */
void node_engine_failed(struct node *n, const struct err *e);
/* node_server_seen: result of a call to the server (0 or an error). Logs a change. */
void node_server_seen(struct node *n, int rc, const struct err *e);
void node_polled(struct node *n);

/* node_hold: a limit did not apply: no new tasks for a while. */
void node_hold(struct node *n, const char *problem);

/* node_wait_ready: until tasks can be run here, or `ms` passed, or the stop level rose. */
bool node_wait_ready(struct node *n, int64_t ms);
bool node_engine_is_up(struct node *n);

/* node_wait_change: until the stop level, the engine's state or a limit changed, or `ms` passed. */
void node_wait_change(struct node *n, int64_t ms);
void node_changed(struct node *n); /* ends it */

struct node_status {
    bool engine_up, server_up;
    char problem[600]; /* why no task can run here; "" = none */
    char server_problem[256];
    char engine_version[32];
    int64_t host_cpus, host_memory_bytes;
    int64_t poll_age_ms; /* -1 = never polled */
};
void node_status(struct node *n, struct node_status *ret);
