/* Read-only volumes that containers share: one per package (its files), one per wrought-init
 * binary.
 *
 * A volume is named after the hash of what it holds and filled once, through a helper container
 * that is created and never started; its last file, `complete`, holds that hash. Who uses a volume
 * checks that file (init does, DOC_MARKER), because nothing else tells a volume that was filled
 * from one that an engine made silently and empty, or that a dead runner left half full: such a one
 * costs an attempt, is removed and filled again. Several runners may share an engine and these
 * volumes.
 *
 * Any thread; filling blocks on engine and server, and the other slots that want the same volume
 * wait for it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "runner/engine/engine.h"
#include "runner/node.h"

#define VOLUME_NAME_BYTES 64
#define VOLUME_MARKER     "complete"

#define LABEL_RUNNER "wrought.runner" /* id of the runner that made a container */
#define LABEL_KIND   "wrought.kind"   /* task, fill, net (containers); code, init (volumes) */
#define LABEL_VOLUME "wrought.volume" /* of a fill container: what it was filling */

struct volumes;

struct volumes *volumes_new(struct node *n);
void volumes_free(struct volumes *vs);

struct volume_want {
    const char *kind;   /* "code", "init" */
    const char *sha256; /* of the content */
    const char *image;  /* for the helper container: any image that is there */
    /* Makes the content: a tar in *ret_fd from its beginning. */
    int (*make)(void *arg, int *ret_fd, uint64_t *ret_len, struct err *e);
    void *arg;
};
/* volumes_hold: the volume is there and will not be trimmed until volumes_drop. */
NODISCARD int volumes_hold(struct volumes *vs, struct engine *g, const struct volume_want *want,
                           char ret_name[VOLUME_NAME_BYTES], struct err *e);
void volumes_drop(struct volumes *vs, const char *name);
/* volumes_distrust: its content is not what it should be: to be removed before the next use. */
void volumes_distrust(struct volumes *vs, const char *name);

/* volumes_is_filling: a live helper container of this process has this name. */
bool volumes_is_filling(struct volumes *vs, const char *container);
/* volumes_trim: removes the code volumes unused for longest, down to `keep`. */
void volumes_trim(struct volumes *vs, struct engine *g, int64_t keep);
