/* A request target taken apart: path segments and query arguments, decoded in place. libmicrohttpd
 * hands over absolute forms as they are and cuts at %00, so the raw target is ours to read. Also
 * reads application/x-www-form-urlencoded bodies. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

#define ARGS_MAX     64
#define SEGMENTS_MAX 12

struct args {
    struct arg {
        const char *name, *value; /* borrowed from the text that was parsed */
    } at[ARGS_MAX];
    size_t n;
};

struct target {
    const char
        *segment[SEGMENTS_MAX]; /* without empty ones: a final or double slash says nothing */
    size_t n;
    struct args args;
};

/* target_parse: takes `text` (origin form, or absolute form as proxies and old clients send it)
 * apart and overwrites it. ERR_INVALID: no path, a NUL, too many parts. */
NODISCARD int target_parse(char *text, struct target *ret, struct err *e);

/* args_parse: `a=1&b=2` with + and %20 for spaces. A % that no two hex digits follow stands for
 * itself. ERR_INVALID: a NUL, too many arguments. */
NODISCARD int args_parse(char *text, struct args *ret, struct err *e);

/* args_get: the first argument of that name; NULL when absent. */
const char *args_get(const struct args *a, const char *name);
