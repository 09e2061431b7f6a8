/* PUT /runner/1/package: what a build left (api/lease.md, rule 9). The body is spooled, checked and
 * kept like an uploaded package; the rules then note whose it is. */
#include <string.h>
#include <unistd.h>

#include "lib/bounds.h"
#include "lib/fs.h"
#include "server/app.h"
#include "server/form.h"
#include "server/handlers.h"
#include "server/ops_build.h"
#include "server/packages.h"
#include "server/routes.h"

#include "lib/banned.h"

/* ---- the body ---- */

struct result {
    int fd;
    char *path;
    struct attempt_ref ref;
    const char *sha256;
    struct package_job job;
    struct op_build_result op;
};

static void result_free(void *arg)
{
    struct result *r = arg;
    if (r->fd >= 0) {
        close(r->fd);
        (void)unlink(r->path); /* gone already when it was kept */
    }
    free(r->path);
}

static int result_open(struct req *rq, struct err *e)
{
    struct result *r = req_mem(rq, sizeof(*r));
    r->fd = -1;
    req_defer(rq, result_free, r);
    rq->sink = r;
    return packages_spool(rq->app->packages, &r->fd, &r->path, e);
}

static int result_feed(struct req *rq, const char *bytes, size_t len, struct err *e)
{
    const struct result *r = rq->sink;
    return fs_write_all(r->fd, bytes, len, "the package", e);
}

const struct body_sink result_sink = {result_open, result_feed};

/* ---- the request ---- */

static int noted(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    if (e->code)
        return e->code;
    resp_msg(rq, "Noted");
    return 0;
}

static int kept(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct result *r = rq->state;
    if (e->code)
        return e->code;
    if (strcmp(r->job.ret_sha256, r->sha256) != 0) /* swept at the next start */
        return err_set(e, ERR_INVALID, "the package has another sha256 than it should");
    op_build_result_init(&r->op);
    r->op.ref = &r->ref;
    r->op.runner = req_arg(rq, "runner");
    r->op.result.bytes = r->job.ret_bytes;
    memcpy(r->op.result.sha256, r->job.ret_sha256, sizeof(r->op.result.sha256));
    memcpy(r->op.result.md5, r->job.ret_md5, sizeof(r->op.result.md5));
    return req_await_writer(rq, &r->op.w, noted, r, e);
}

int h_runner_result(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct result *r = rq->sink;
    const char *runner;
    const struct zip_limits limits = {.max_unpacked_bytes = BOUND_ZIP_UNPACKED_BYTES,
                                      .max_entries = BOUND_ZIP_ENTRIES};
    if (runner_attempt_args(rq, &runner, &r->ref, e) ||
        runner_required_arg(rq, "sha256", &r->sha256, e))
        return e->code;
    package_job_init(&r->job, rq->app->packages, r->fd, r->path, &limits);
    return req_await_inbox(rq, rq->app->intake, &r->job.w, kept, r, e);
}
