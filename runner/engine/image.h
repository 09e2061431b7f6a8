/* Images of the engine: what they would run, pulling them, and which stacks are there. Part of
 * runner/engine/engine.h, which includes it and says what errors mean. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

struct engine;

struct engine_image {
    char id[80]; /* "sha256:…" */
    char *user;  /* "" = root */
    char *working_dir;
    char **entrypoint; /* NULL-terminated; may be empty */
    char **cmd;
    char **env;    /* KEY=VALUE */
    bool task_dir; /* label wrought.taskdir=1: the image has /task, writable for everybody */
    int64_t size_bytes;
};
void engine_image_release(struct engine_image *i);
/* engine_is_reference: whether `ref` can name an image at all. Any thread. */
bool engine_is_reference(const char *ref);
/* engine_image_inspect: ERR_INVALID for what is no reference, without asking the engine. */
NODISCARD int engine_image_inspect(struct engine *g, const char *ref, struct engine_image *ret,
                                   struct err *e);
/* engine_image_pull: `auth` is the X-Registry-Auth value or NULL. Errors come inside a 200 answer
 * as JSON lines; those are ERR_UNAVAILABLE, because they do not say whether trying again helps, and
 * neither does the 500 of a registry that cannot be reached. Afterwards inspect says whether the
 * image is there. timeout_ms: the whole pull; one that is silent for minutes ends earlier. on_idle:
 * see httpc; may be NULL. */
NODISCARD int engine_image_pull(struct engine *g, const char *ref, const char *auth, int timeout_ms,
                                int (*on_idle)(void *arg), void *arg, struct err *e);
/* engine_image_import: makes repo:tag from a tar of its root. Errors may come inside a good answer:
 * inspect says whether the image is there. */
NODISCARD int engine_image_import(struct engine *g, const char *repo, const char *tag,
                                  const struct buf *tar, struct err *e);
/* engine_stacks: the names NAME of all local images tagged wrought/NAME:latest, sorted.
 * NULL-terminated, owned by the caller (engine_strings_free). */
NODISCARD int engine_stacks(struct engine *g, char ***ret, struct err *e);
void engine_strings_free(char **list);
