/* What a container is made of: all that the create body is built from, in one place. Plain values,
 * borrowed by engine_create. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine_label {
    const char *key, *value;
};

struct engine_mount {
    const char *volume; /* name; NULL = anonymous, removed with the container */
    const char *target;
    bool read_only;
};

struct engine_spec {
    const char *name;
    const char *image;
    const char *const
        *entrypoint;         /* argv of PID 1, NULL-terminated; the image's Cmd is always cleared */
    const char *const *env;  /* NULL-terminated; may be NULL */
    const char *user;        /* "10001:10001" */
    const char *working_dir; /* NULL = the image's */
    const struct engine_label *labels;
    size_t n_labels;
    const struct engine_mount *mounts;
    size_t n_mounts;
    const char *network_mode;           /* "none", "bridge", "container:ID" */
    const struct engine_label *sysctls; /* of the container's own namespaces */
    size_t n_sysctls;
    bool open_stdin; /* OpenStdin with StdinOnce false, and stdin, stdout, stderr attached */
    bool read_only_root;
    bool tmpfs_tmp; /* /tmp as tmpfs with exec,nosuid,nodev, mode 1777 */
    int64_t tmpfs_bytes;
    int64_t memory_bytes; /* swap is set to the same, so none is used; 0 = no limit */
    int64_t cpu_millis;
    int64_t pids;
    bool drop_caps;             /* CapDrop ALL and no-new-privileges */
    const char *const *cap_add; /* given back after the drop: a net sandbox's "NET_ADMIN"; may be
                                   NULL */
};
