/* Engine → tar → zip → server. */
#include "runner/collect.h"

#include <string.h>

#include "lib/archive.h"
#include "lib/bounds.h"
#include "lib/crypto.h"
#include "lib/log.h"

#include "lib/banned.h"

#define TAR_BYTES (BOUND_ZIP_UNPACKED_BYTES + BOUND_ZIP_ENTRIES * 2048) /* with its headers */
#define RETRY_MS  1000

/* What the runner itself put into /task, see taskdoc.c. */
static const char *const ours[] = {"task_payload.json", "task_config.json", NULL};

static int make_zip(const struct collect *c, int zip, struct err *e)
{
    const struct tar_want want = {.root = "task",
                                  .skip = ours,
                                  .limits = {.max_unpacked_bytes = BOUND_ZIP_UNPACKED_BYTES,
                                             .max_entries = BOUND_ZIP_ENTRIES}};
    autoclose int tar = node_temp_file(c->node, e);
    if (tar < 0)
        return tar;
    int rc = engine_get_tar(c->engine, c->job->container, "/task", tar, TAR_BYTES, e);
    if (rc == ERR_INVALID)
        e->code = ERR_UNAVAILABLE; /* the engine's trouble, not the build's */
    return rc ? e->code : tar_to_zip(tar, &want, zip, e);
}

static bool must_end(const struct collect *c)
{
    return job_order(c->job) != ORDER_NONE || node_stopping(c->node) >= GIVE_BACK;
}

static int send(const struct collect *c, int zip, struct err *e)
{
    char sha256[SHA256_TEXT], md5[MD5_TEXT];
    enum said said = SAID_OK;
    if (file_digests(zip, sha256, md5, e))
        return e->code;
    log_info("sending what was built sha256=%s task=%s", sha256, c->job->grant.ref.task);
    for (;;) {
        int rc = uplink_result(c->up, &c->job->grant.ref, sha256, zip, &said, e);
        if (rc == 0 && said == SAID_LOST) {
            job_give_order(c->job, ORDER_LOST);
            return err_set(e, ERR_CANCELLED, "the attempt is not ours any more");
        }
        if (rc == 0 || !err_retryable(rc))
            return rc;
        if (must_end(c))
            return err_set(e, ERR_CANCELLED, "the attempt is to end");
        node_pause(c->node, RETRY_MS);
    }
}

int collect_package(const struct collect *c, struct err *e)
{
    autoclose int zip = node_temp_file(c->node, e);
    if (zip < 0 || make_zip(c, zip, e))
        return e->code;
    return send(c, zip, e);
}
