/* The create body: everything a container is made of, spelled once. The keys are those of Docker
 * Engine API v1.41, ContainerCreate; they mean the same up to ENGINE_API_MAX. */
#include "runner/engine/client.h"

#include <assert.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

#define NANO_CPUS_PER_MILLI 1000000

static void put_strings(struct jsonw *w, const char *key, const char *const *list)
{
    jw_arr(w, key);
    for (; list && *list; list++)
        jw_str(w, NULL, *list);
    jw_arr_end(w);
}

static void put_process(struct jsonw *w, const struct engine_spec *s)
{
    static const char *const no_check[] = {"NONE", NULL}; /* the image's would run in the task */
    jw_str(w, "Image", s->image);
    put_strings(w, "Entrypoint", s->entrypoint);
    put_strings(w, "Cmd", NULL);
    put_strings(w, "Env", s->env);
    jw_str(w, "User", s->user);
    if (s->working_dir)
        jw_str(w, "WorkingDir", s->working_dir);
    engine_put_labels(w, s->labels, s->n_labels);
    jw_bool(w, "Tty", false);
    jw_bool(w, "OpenStdin", s->open_stdin);
    jw_bool(w, "StdinOnce", false); /* true would end stdin with the first runner that detaches */
    jw_bool(w, "AttachStdin", s->open_stdin);
    jw_bool(w, "AttachStdout", s->open_stdin);
    jw_bool(w, "AttachStderr", s->open_stdin);
    jw_obj(w, "Healthcheck");
    put_strings(w, "Test", no_check);
    jw_obj_end(w);
}

/* No Ulimits: init sets them for the command. Podman adds one for processes to those that it is
 * given, higher than a machine without CAP_SYS_RESOURCE lets it, and the container does not start.
 */
static void put_limits(struct jsonw *w, const struct engine_spec *s)
{
    if (s->memory_bytes > 0) {
        jw_int(w, "Memory", s->memory_bytes);
        jw_int(w, "MemorySwap", s->memory_bytes); /* both together: so no swap at all */
    }
    if (s->cpu_millis > 0)
        jw_int(w, "NanoCpus", s->cpu_millis * NANO_CPUS_PER_MILLI);
    if (s->pids > 0)
        jw_int(w, "PidsLimit", s->pids);
}

/* No SecurityOpt but no-new-privileges: the engine's default seccomp profile stays. */
static void put_privileges(struct jsonw *w, const struct engine_spec *s)
{
    static const char *const all[] = {"ALL", NULL};
    static const char *const no_new[] = {"no-new-privileges", NULL};
    if (s->drop_caps) {
        put_strings(w, "CapDrop", all);
        put_strings(w, "SecurityOpt", no_new);
    }
    if (s->cap_add)
        put_strings(w, "CapAdd", s->cap_add);
    jw_bool(w, "ReadonlyRootfs", s->read_only_root);
}

/* Without a size a tmpfs may take half of the host's memory: the task's own limit ends it first. */
static void put_tmpfs(struct jsonw *w, const struct engine_spec *s)
{
    AUTO(buf) struct buf options = BUF_INIT(128);
    buf_adds(&options, "rw,exec,nosuid,nodev,");
    if (s->tmpfs_bytes > 0)
        buf_addf(&options, "size=%lld,", (long long)s->tmpfs_bytes);
    buf_adds(&options, "mode=1777");
    assert(!options.failed);
    jw_obj(w, "Tmpfs");
    jw_str(w, "/tmp", buf_str(&options));
    jw_obj_end(w);
}

static void put_mounts(struct jsonw *w, const struct engine_spec *s)
{
    jw_arr(w, "Mounts");
    for (size_t i = 0; i < s->n_mounts; i++) {
        const struct engine_mount *m = &s->mounts[i];
        jw_obj(w, NULL);
        jw_str(w, "Type", "volume");
        if (m->volume)
            jw_str(w, "Source", m->volume);
        jw_str(w, "Target", m->target);
        jw_bool(w, "ReadOnly", m->read_only);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void put_sysctls(struct jsonw *w, const struct engine_spec *s)
{
    if (s->n_sysctls == 0)
        return; /* a container that joins a network is refused when it names any */
    jw_obj(w, "Sysctls");
    for (size_t i = 0; i < s->n_sysctls; i++)
        jw_str(w, s->sysctls[i].key, s->sysctls[i].value);
    jw_obj_end(w);
}

static void put_host(struct jsonw *w, const struct engine_spec *s)
{
    jw_obj(w, "HostConfig");
    jw_str(w, "NetworkMode", s->network_mode);
    jw_str(w, "IpcMode", "private");
    jw_bool(w, "Init", false);
    jw_bool(w, "AutoRemove", false); /* the ending is read from the container after it */
    jw_obj(w, "RestartPolicy");
    jw_str(w, "Name", "no");
    jw_obj_end(w);
    jw_obj(w, "LogConfig");
    jw_str(w, "Type", "none");
    jw_obj_end(w);
    put_limits(w, s);
    put_privileges(w, s);
    put_sysctls(w, s);
    if (s->tmpfs_tmp)
        put_tmpfs(w, s);
    put_mounts(w, s);
    jw_obj_end(w);
}

void engine_create_body(const struct engine_spec *spec, struct buf *out)
{
    assert(spec->entrypoint && spec->entrypoint[0]); /* else the image's Entrypoint and Cmd run */
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    put_process(&w, spec);
    put_host(&w, spec);
    jw_obj_end(&w);
}
