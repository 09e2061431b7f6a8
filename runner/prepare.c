/* Preparation, in the order in which prepare_container calls it. */
#include "runner/prepare.h"

#include <errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/archive.h"
#include "lib/bounds.h"
#include "lib/fs.h"
#include "lib/log.h"
#include "lib/str.h"
#include "runner/resolve.h"
#include "runner/taskdoc.h"

#include "lib/banned.h"

#define TASK_UID    10001
#define INIT_MOUNT  "/wrought"
#define INIT_BYTES  (32u << 20) /* a static init is under one MiB; with debug symbols more */
#define TMPFS_BYTES (64LL << 20)
#define MEMORY_MIN  (6LL << 20) /* below it no container starts */
#define TASK_OWNED  "10001:10001"

void prepared_release(struct prepared *r, struct volumes *vs)
{
    if (r->code_volume[0])
        volumes_drop(vs, r->code_volume);
    if (r->init_volume[0])
        volumes_drop(vs, r->init_volume);
    free(r->image);
    free(r->dir);
    words_release(&r->argv);
    words_release(&r->env);
    buf_release(&r->payload);
    *r = (struct prepared){0};
}

/* ---- limits and user ---- */

static int64_t or_default(int64_t value, int64_t dflt)
{
    return value > 0 ? value : dflt;
}

/* The image's user when it is not root, else ours. *ret_uid is -1 for a name. */
static void choose_user(const char *image_user, char user[72], int64_t *ret_uid)
{
    bool root = !image_user || !*image_user || str_starts(image_user, "root") ||
                strcmp(image_user, "0") == 0 || str_starts(image_user, "0:");
    *ret_uid = TASK_UID;
    str_copy(user, 72, root ? TASK_OWNED : image_user);
    if (root)
        return;
    char *end;
    long long uid = strtoll(image_user, &end, 10);
    *ret_uid = end != image_user && (*end == '\0' || *end == ':') ? uid : -1;
}

static int decide_limits(struct node *n, const struct grant *g, struct task_caps *ret,
                         struct err *e)
{
    const struct settings *s = &n->set;
    struct node_status st;
    node_status(n, &st);
    int64_t host_millis = st.host_cpus * 1000;
    struct task_caps c = {
        .memory_bytes = or_default(g->caps.memory_bytes, s->memory_bytes),
        .cpu_millis = or_default(g->caps.cpu_millis, s->cpu_millis),
        .pids = or_default(g->caps.pids, s->pids),
        .files = or_default(g->caps.files, s->files),
        .disk_bytes = or_default(g->caps.disk_bytes, s->disk_bytes),
    };
    if (g->caps.cpu_millis <= 0 && host_millis > 0 && c.cpu_millis > host_millis)
        c.cpu_millis = host_millis;
    if (host_millis > 0 && c.cpu_millis > host_millis)
        return err_set(e, ERR_INVALID, "asks for %lld thousandths of a CPU; this host has %lld",
                       (long long)c.cpu_millis, (long long)host_millis);
    if (st.host_memory_bytes > 0 && c.memory_bytes > st.host_memory_bytes)
        return err_set(e, ERR_INVALID, "asks for %lld MB of memory; this host has %lld",
                       (long long)(c.memory_bytes >> 20), (long long)(st.host_memory_bytes >> 20));
    if (c.memory_bytes < MEMORY_MIN)
        return err_set(e, ERR_INVALID, "asks for %lld bytes of memory; at least %lld are needed",
                       (long long)c.memory_bytes, (long long)MEMORY_MIN);
    *ret = c;
    return 0;
}

/* ---- payload ---- */

/* One that was encrypted for this node is opened here, so that it lies in plain text in the
 * container only; any other is passed on as it is. */
static int open_payload(const struct node *n, const struct grant *g, struct buf *ret, struct err *e)
{
    int rc = ERR_EMPTY;
    *ret = BUF_INIT(TASKDOC_BYTES);
    if (n->key)
        rc = payload_decrypt(n->key, g->payload, g->payload_len, ret, e);
    if (rc != ERR_EMPTY)
        return rc;
    buf_add(ret, g->payload, g->payload_len);
    return buf_check(ret, "payload", e);
}

/* ---- volumes ---- */

struct package {
    const struct prepare *p;
    const struct grant *grant;
};

/* The package as a tar below files/, the root of which everybody may read. */
static int make_package(void *arg, int *ret_fd, uint64_t *ret_len, struct err *e)
{
    const struct package *pk = arg;
    autoclose int zip = node_temp_file(pk->p->node, e);
    autoclose int tar = zip < 0 ? -1 : node_temp_file(pk->p->node, e);
    if (zip < 0 || tar < 0)
        return e->code;
    if (uplink_package(pk->p->up, pk->grant->package_sha256, zip, e))
        return e->code;
    if (zip_to_tar(zip, "files/", TASK_UID, TASK_UID, tar, e))
        return err_wrap(e, "package");
    struct stat st;
    if (fstat(tar, &st) != 0 || lseek(tar, 0, SEEK_SET) != 0)
        return err_os(e, ERR_IO, errno, "package");
    *ret_len = (uint64_t)st.st_size;
    *ret_fd = TAKE_FD(tar);
    return 0;
}

static int make_init(void *arg, int *ret_fd, uint64_t *ret_len, struct err *e)
{
    struct node *n = arg;
    AUTO(buf) struct buf binary = BUF_INIT(INIT_BYTES), tar = BUF_INIT(INIT_BYTES + 65536);
    autoclose int fd = node_temp_file(n, e);
    if (fd < 0 || fs_read(n->set.init, &binary, e) ||
        tar_one("init", 0555, 0, 0, binary.data, binary.len, &tar, e) ||
        fs_write_all(fd, tar.data, tar.len, "init volume", e))
        return err_wrap(e, "wrought-init");
    if (lseek(fd, 0, SEEK_SET) != 0)
        return err_os(e, ERR_IO, errno, "init volume");
    *ret_len = tar.len;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int hold_volumes(const struct prepare *p, const struct grant *g, struct prepared *r,
                        struct err *e)
{
    const struct volume_want init = {.kind = "init",
                                     .sha256 = p->node->init_sha256,
                                     .image = r->image_id,
                                     .make = make_init,
                                     .arg = p->node};
    if (volumes_hold(p->volumes, p->engine, &init, r->init_volume, e))
        return e->code;
    if (!g->package_sha256[0])
        return 0;
    struct package pk = {p, g};
    const struct volume_want code = {.kind = "code",
                                     .sha256 = g->package_sha256,
                                     .image = r->image_id,
                                     .make = make_package,
                                     .arg = &pk};
    return volumes_hold(p->volumes, p->engine, &code, r->code_volume, e);
}

/* ---- the container ---- */

static int create_container(const struct prepare *p, const struct job *j, const struct prepared *r,
                            struct err *e)
{
    char attempt[24], slot[24];
    snprintf(attempt, sizeof attempt, "%lld", (long long)j->grant.ref.attempt);
    snprintf(slot, sizeof slot, "%d", j->slot);
    const char *const entrypoint[] = {INIT_MOUNT "/init", NULL};
    const struct engine_label labels[] = {{LABEL_RUNNER, p->node->id},
                                          {LABEL_KIND, "task"},
                                          {"wrought.task", j->grant.ref.task},
                                          {"wrought.attempt", attempt},
                                          {"wrought.slot", slot}};
    const struct engine_mount mounts[] = {
        {.volume = r->init_volume, .target = INIT_MOUNT, .read_only = true},
        {.volume = NULL, .target = "/task"},
        {.volume = r->code_volume, .target = CODE_MOUNT, .read_only = true},
    };
    const struct task_caps *c = &r->asked.caps;
    const struct engine_spec spec = {
        .name = j->container,
        .image = r->image_id, /* what was inspected is what runs, whatever a tag says by now */
        .entrypoint = entrypoint,
        .user = r->user,
        .working_dir = "/",
        .labels = labels,
        .n_labels = ARRAY_LEN(labels),
        .mounts = mounts,
        .n_mounts = ARRAY_LEN(mounts) - (r->code_volume[0] ? 0 : 1),
        .network_mode = r->network_mode,
        .open_stdin = true,
        .read_only_root = true,
        .tmpfs_tmp = true,
        .tmpfs_bytes = TMPFS_BYTES,
        .memory_bytes = c->memory_bytes,
        .cpu_millis = c->cpu_millis,
        .pids = c->pids,
        .drop_caps = true,
    };
    char id[ENGINE_ID_TEXT];
    AUTO(buf) struct buf warnings = BUF_INIT(BOUND_ENGINE_ERROR_BYTES);
    if (engine_create(p->engine, &spec, id, &warnings, e))
        return err_wrap(e, "container");
    if (warnings.len > 0)
        log_warn("engine warns: %s task=%s", buf_str(&warnings), j->grant.ref.task);
    return 0;
}

/* An image without a /task of its own gets an anonymous volume that only root may write. The engine
 * leaves an entry "." or "./" out, but not "/", which it takes below the directory; volumes can be
 * written although the root is read-only (tried with 20.10). */
static int open_task_dir(const struct prepare *p, const struct job *j, struct err *e)
{
    AUTO(buf) struct buf tar = BUF_INIT(65536);
    if (tar_dir("/", 0777, 0, 0, &tar, e) ||
        engine_put_tar(p->engine, j->container, "/task", -1, tar.data, tar.len, e)) {
        if (e->code == ERR_INVALID)
            e->code = ERR_UNAVAILABLE; /* not what the task asked for */
        return err_wrap(e, "task directory");
    }
    return 0;
}

int prepare_container(const struct prepare *p, struct job *j, struct prepared *r, struct err *e)
{
    const struct grant *g = &j->grant;
    AUTO(engine_image) struct engine_image image = {0};
    if (image_resolve(p->engine, p->node, g, &image, &r->image, e))
        return e->code;
    str_copy(r->image_id, sizeof r->image_id, image.id);
    r->asked.timeout_s = g->timeout_s;
    choose_user(image.user, r->user, &r->asked.uid);
    if (decide_limits(p->node, g, &r->asked.caps, e) || command_argv(g, &image, &r->argv, e) ||
        taskdoc_env(g, image.env, &r->env, e) || open_payload(p->node, g, &r->payload, e))
        return e->code;
    r->dir = str_dup(command_dir(g, &image));
    if (hold_volumes(p, g, r, e) ||
        sandbox_enter(p->seat, p->engine, NET_BRIDGE, false, &r->sandbox, &r->network_mode, e) ||
        create_container(p, j, r, e))
        return e->code;
    return image.task_dir ? 0 : open_task_dir(p, j, e);
}
