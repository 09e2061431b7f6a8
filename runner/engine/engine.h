/* Docker Engine API client over its Unix socket (also Podman's compatible one).
 *
 * A struct engine belongs to one thread; each slot has its own. It asks /version before the first
 * call and after every reconnect and speaks the highest API version that both sides know, at
 * least 1.40. Errors are told apart by structure, never by wording: 404 ERR_NOT_FOUND, 409
 * ERR_CONFLICT, 400 and 406 ERR_INVALID, other 4xx ERR_INVALID, 5xx ERR_UNAVAILABLE; no socket
 * ERR_UNREACHABLE; no answer in time ERR_TIMEOUT. The message carries the engine's own text, cut to
 * BOUND_ENGINE_ERROR_BYTES, for people only. Source: Docker Engine API v1.41
 * (docs.docker.com/engine/api/v1.41). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "runner/engine/spec.h"
#include "runner/engine/image.h"

#define ENGINE_ID_TEXT 65 /* container id or hex of an image id, with NUL */
#define ENGINE_API_MIN 40 /* minor of 1.x */
/* The newest whose changes were read for what this client sends and reads (none touch it: what left
 * the answers up to here are VirtualSize, Container, ContainerConfig). Newer engines still speak
 * it: Engine 29 refuses below 1.44 only, and 1.47 leaves room for that floor to rise. */
#define ENGINE_API_MAX 47

struct engine;

/* engine_new: remembers "unix:///path" (or a plain path); connects at the first call. ERR_USAGE for
 * anything else. */
NODISCARD int engine_new(const char *address, struct engine **ret, struct err *e);
void engine_free(struct engine *g); /* NULL is fine */
const char *engine_socket(const struct engine *g);

struct engine_version {
    char version[32];  /* "20.10.24" */
    int api;           /* minor of the version in use: 41 */
    char platform[64]; /* "Docker Engine - Community", "Podman Engine", … */
};
/* engine_ping: asks /version now. The runner's health check: short deadline. */
NODISCARD int engine_ping(struct engine *g, struct engine_version *ret, struct err *e);

struct engine_host {
    int64_t cpus;
    int64_t memory_bytes;
    bool memory_limit, swap_limit, cpu_quota, pids_limit,
        seccomp; /* what this engine says it can enforce */
    int cgroup_version;
};
NODISCARD int engine_info(struct engine *g, struct engine_host *ret, struct err *e);

/* ---- containers ---- */

/* Always: LogConfig none, Healthcheck NONE, RestartPolicy no, AutoRemove false, IpcMode private,
 * Init false. *ret_warnings: the engine's warnings joined by "; " ("" if none): a dropped limit
 * shows there. */
NODISCARD int engine_create(struct engine *g, const struct engine_spec *spec,
                            char ret_id[ENGINE_ID_TEXT], struct buf *ret_warnings, struct err *e);
NODISCARD int engine_start(struct engine *g, const char *id, struct err *e);
/* engine_kill: ERR_CONFLICT (not running) and ERR_NOT_FOUND (gone) are for the caller to take as
 * success. */
NODISCARD int engine_kill(struct engine *g, const char *id, int signal, struct err *e);
/* engine_remove: force, with its anonymous volumes. Gone already is success. ERR_CONFLICT: removal
 * is in progress. */
NODISCARD int engine_remove(struct engine *g, const char *id, struct err *e);

struct engine_state {
    char id[ENGINE_ID_TEXT];
    char status[16]; /* created, running, paused, restarting, removing, exited, dead */
    bool running;
    int exit_code;
    bool oom_killed;
    char error[256]; /* State.Error */
    /* limits as the engine recorded them (it only echoes the request: init reads what applied) */
    int64_t memory_bytes, memory_swap_bytes, nano_cpus, pids;
};
NODISCARD int engine_inspect(struct engine *g, const char *id, struct engine_state *ret,
                             struct err *e);

struct engine_entry { /* one row of a list; strings owned */
    char id[ENGINE_ID_TEXT];
    char *name;
    char state[16];
    char **labels; /* "key=value", NULL-terminated */
    int64_t created_s;
};
const char *engine_entry_label(const struct engine_entry *entry,
                               const char *key); /* NULL if absent */
/* engine_list: containers in any state whose label `key` has this value (value NULL: any). */
NODISCARD int engine_list(struct engine *g, const char *label_key, const char *label_value,
                          struct engine_entry **ret, size_t *ret_n, struct err *e);
void engine_list_free(struct engine_entry *list, size_t n);

/* engine_put_tar: unpacks a tar below `dir` of a container (created or running); the tar is read
 * from `fd` from its current offset for `len` bytes, or from `bytes` when fd is -1. */
NODISCARD int engine_put_tar(struct engine *g, const char *id, const char *dir, int fd,
                             const void *bytes, uint64_t len, struct err *e);

/* engine_get_tar: what lies at `path` in a container (running or not), as a tar into `fd`. The
 * entries begin with the last part of `path`. ERR_TOO_BIG past `max_bytes`. */
NODISCARD int engine_get_tar(struct engine *g, const char *id, const char *path, int fd,
                             uint64_t max_bytes, struct err *e);

/* ---- volumes ---- */

NODISCARD int engine_volume_create(struct engine *g, const char *name,
                                   const struct engine_label *labels, size_t n_labels,
                                   struct err *e);
/* engine_volume_exists: the engine creates a missing volume silently and empty at container create:
 * ask first. */
NODISCARD int engine_volume_exists(struct engine *g, const char *name, bool *ret, struct err *e);
NODISCARD int engine_volume_remove(struct engine *g, const char *name,
                                   struct err *e); /* gone is success; in use ERR_CONFLICT */
/* engine_volume_list: as engine_list; `name` and `labels` are filled. */
NODISCARD int engine_volume_list(struct engine *g, const char *label_key, const char *label_value,
                                 struct engine_entry **ret, size_t *ret_n, struct err *e);
