/* What a task needs before it can start: image, volumes, container. Nothing runs yet.
 *
 * Errors: ERR_INVALID means that it cannot work as asked (class request); everything else is the
 * runner's or the engine's trouble (class infra). Blocks on the engine, and on the server for a
 * package. */
#pragma once

#include "runner/classify.h"
#include "runner/command.h"
#include "runner/job.h"
#include "runner/sandbox.h"
#include "runner/uplink.h"
#include "runner/volumes.h"

struct prepare { /* what it works with; borrowed */
    struct node *node;
    struct volumes *volumes;
    struct engine *engine;
    struct uplink *up;
    struct sandbox_seat *seat;
};

struct prepared { /* what came out */
    char *image;  /* reference as used */
    char image_id[80];
    struct asked asked;
    char user[72];
    struct words argv, env;
    struct buf payload; /* as the task reads it */
    char *dir;
    const char *sandbox, *network_mode;                                  /* the seat's */
    char code_volume[VOLUME_NAME_BYTES], init_volume[VOLUME_NAME_BYTES]; /* held; "" = none */
};

NODISCARD int prepare_container(const struct prepare *p, struct job *j, struct prepared *ret,
                                struct err *e);
/* prepared_release: also drops the volumes. A half-made one is fine. */
void prepared_release(struct prepared *r, struct volumes *vs);
