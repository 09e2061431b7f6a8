/* Codes and their revisions on /2/ (ironworker-api §2). Shared by server and CLI. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/id.h"
#include "lib/json.h"

/* The `data` of an upload. Strings are borrowed from the parsed request; "" = absent.
 * code_upload_release frees what decoding had to make. */
struct code_upload {
    const char *name;
    const char *image, *command, *runtime, *file_name, *stack;
    const char *build;  /* of ours: a command, as `command`, that makes the package of the upload */
    const char *config; /* text; an object in the request is turned into its JSON by the decoder */
    char *config_made;  /* owned: that JSON, or NULL */
    const struct json *env_vars; /* object of strings, or NULL */
    /* options; CODE_UNSET = not in the request (an options-only update keeps the old value) */
    int64_t max_concurrency, retries, retries_delay_s, default_priority, timeout_s;
};
#define CODE_UNSET INT64_MIN

/* code_upload_decode: lenient on unknown keys. Out-of-range default_priority (-1000) is unset; a
 * bad name, too long a config or command, env_vars that are no strings, retries over 10: an error
 * that names it. */
NODISCARD int code_upload_decode(const struct json *v, struct code_upload *ret, struct err *e);
void code_upload_release(struct code_upload *u);
void code_upload_encode(const struct code_upload *u, struct jsonw *w); /* the CLI's request */

/* A code with its current revision. Strings are owned. */
struct code {
    char id[ID_TEXT], project_id[ID_TEXT], latest_history_id[ID_TEXT];
    char *name;
    int64_t rev;
    int64_t created_us, updated_us, latest_change_us;
    char *image, *command, *runtime, *stack, *file_name, *config, *checksum;
    char *env_vars; /* JSON object text, or NULL */
    int64_t max_concurrency, retries, retries_delay_s, default_priority;
    bool paused;
    int64_t package_bytes; /* 0 = no package */
};
void code_release(struct code *c);
void code_encode(const struct code *c, struct jsonw *w,
                 const char *key); /* max_concurrency -1 while paused */
/* code_decode: of a paused code, max_concurrency is CODE_UNSET: the answer does not tell it. */
NODISCARD int code_decode(const struct json *v, struct code *ret, struct err *e);

/* One revision. Strings are owned. */
struct revision {
    char id[ID_TEXT], code_id[ID_TEXT], project_id[ID_TEXT];
    char *name;
    int64_t rev;
    int64_t created_us;
    char *image, *command, *runtime, *stack, *file_name, *checksum;
    int64_t package_bytes;
};
void revision_release(struct revision *r);
void revision_encode(const struct revision *r, struct jsonw *w, const char *key);
NODISCARD int revision_decode(const struct json *v, struct revision *ret, struct err *e);
