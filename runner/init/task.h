/* A task as init was told it: the document of api/init.md, taken apart and checked. Owner: the
 * session; only needed until the command runs. One thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>
#include <sys/resource.h>

#include "lib/err.h"

#define TASK_RLIMITS 8
#define TASK_COPIES  8
#define TASK_MARKERS 8
#define TASK_FILES   64

struct task_rlimit {
    const char *name;
    int resource;
    struct rlimit value;
};

struct task_file {
    const char *path;
    unsigned mode; /* permission bits */
    const uint8_t *bytes;
    size_t len;
};

/* Everything points into `text`. */
struct task {
    char **argv; /* at least one, NULL-terminated */
    char **env;  /* NULL-terminated */
    size_t n_args, n_env;
    const char *dir;
    const char *copies[TASK_COPIES];
    size_t n_copies;
    struct task_file markers[TASK_MARKERS]; /* mode unused: this content must be there */
    size_t n_markers;
    struct task_file files[TASK_FILES];
    size_t n_files;
    struct task_rlimit rlimits[TASK_RLIMITS];
    size_t n_rlimits;
    struct sock_filter *seccomp; /* NULL = none */
    unsigned short seccomp_len;  /* instructions */
    uint64_t disk_bytes;         /* 0 = no limit */
    char *text;                  /* the strings, NUL-terminated */
};

/* task_decode: fills *ret from a whole document. Strict: an unknown tag, a string with a NUL in it
 * or a number that is none is an error, for a limit that is silently dropped would not be one.
 * Errors: ERR_PROTOCOL with what is wrong; ERR_IO no memory. */
NODISCARD int task_decode(const uint8_t *doc, size_t len, struct task *ret, struct err *e);
void task_release(struct task *t);
