/* POST …/codes: data and perhaps a package become a revision. The package is checked and on disk
 * before the row that names it. */
#include <stdlib.h>
#include <string.h>

#include "api/code.h"
#include "api/stack.h"
#include "lib/bounds.h"
#include "server/app.h"
#include "server/handlers.h"
#include "server/metrics.h"
#include "server/ops_build.h"
#include "server/packages.h"
#include "server/stacks.h"
#include "server/form.h"

#include "lib/banned.h"

struct code_post {
    struct code_upload up;
    bool decoded;
    struct package_job job;
    struct op_code_put op;
    struct op_build_put build;
};

static void code_post_release(void *arg)
{
    struct code_post *cp = arg;
    if (cp->decoded)
        code_upload_release(&cp->up);
}

static void free_json(void *arg)
{
    json_free(arg);
}

static int decode(struct req *rq, struct code_post *cp, struct err *e)
{
    const char *text;
    size_t len;
    struct json *root;
    if (upload_data(rq->sink, &text, &len, e))
        return e->code;
    if (json_parse(text, len, BOUND_JSON_DEPTH, &root, e))
        return err_wrap(e, "data");
    req_defer(rq, free_json, root);
    if (json_kind(root) != JSON_OBJECT)
        return err_set(e, ERR_INVALID, "data: a JSON object is expected");
    if (code_upload_decode(root, &cp->up, e))
        return e->code;
    cp->decoded = true;
    return 0;
}

static bool has(const char *s)
{
    return s && *s;
}

/* Name and options alone change a code without a new revision. */
static bool says_what_to_run(const struct code_upload *up)
{
    return has(up->image) || has(up->command) || has(up->file_name) || has(up->stack) ||
           has(up->runtime);
}

static int check(struct req *rq, const struct code_upload *up, bool package, struct err *e)
{
    if (has(up->build) && !package)
        return err_set(e, ERR_MISSING, "build needs a package to work on: the part file");
    if (has(up->build) && !build_name_fits(up->name))
        return err_set(e, ERR_TOO_BIG, "name: too long for a code that is built");
    if (package && !has(up->image) && !has(up->command) && !has(up->file_name))
        return err_set(e, ERR_MISSING, "a package without an image needs a command or a file_name");
    bool placed = has(up->stack) || has(up->image);
    const struct runtime *rt;
    if (has(up->file_name) && !has(up->command) &&
        runtime_choose(up->runtime, up->file_name, placed, &rt, e))
        return e->code;
    return has(up->stack) && !has(up->image) ? stack_check(rq, up->stack, e) : 0;
}

static void reply(struct req *rq, const char *id, int64_t rev, const char *build_task)
{
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_str(&w, "msg", "Upload successful.");
    jw_str(&w, "id", id);
    jw_int(&w, "rev", rev);
    if (build_task[0])
        jw_str(&w, "build_task_id", build_task);
    jw_int(&w, "status_code", 200);
    jw_obj_end(&w);
}

static int put_done(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct code_post *cp = rq->state;
    if (e->code == 0)
        reply(rq, cp->op.ret_id, cp->op.ret_rev, "");
    return e->code;
}

static int build_done(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    const struct code_post *cp = rq->state;
    if (e->code == 0)
        reply(rq, cp->build.ret_id, cp->build.ret_rev, cp->build.ret_task_id);
    return e->code;
}

static int build(struct req *rq, struct code_post *cp, struct err *e)
{
    op_build_put_init(&cp->build);
    cp->build.project = rq->project;
    cp->build.up = &cp->up;
    cp->build.source =
        (struct store_package){cp->job.ret_sha256, cp->job.ret_md5, cp->job.ret_bytes};
    return req_await_writer(rq, &cp->build.w, build_done, cp, e);
}

static int put(struct req *rq, struct code_post *cp, bool package, struct err *e)
{
    op_code_put_init(&cp->op);
    cp->op.project = rq->project;
    cp->op.up = &cp->up;
    cp->op.only_options = !package && !says_what_to_run(&cp->up);
    if (package) {
        cp->op.package_sha256 = cp->job.ret_sha256;
        cp->op.package_md5 = cp->job.ret_md5;
        cp->op.package_bytes = cp->job.ret_bytes;
    }
    return req_await_writer(rq, &cp->op.w, put_done, cp, e);
}

static int package_kept(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    if (e->code)
        return e->code;
    metrics_add(rq->app->metrics, METRIC_UPLOADS, 1);
    struct code_post *cp = rq->state;
    return has(cp->up.build) ? build(rq, cp, e) : put(rq, cp, true, e);
}

int h_code_post(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    int fd;
    const char *path;
    struct code_post *cp = req_mem(rq, sizeof(*cp));
    req_defer(rq, code_post_release, cp);
    bool package = rq->sink && upload_file(rq->sink, &fd, &path);
    if (decode(rq, cp, e) || check(rq, &cp->up, package, e))
        return e->code;
    if (!package)
        return put(rq, cp, false, e);
    const struct zip_limits limits = {.max_unpacked_bytes = BOUND_ZIP_UNPACKED_BYTES,
                                      .max_entries = BOUND_ZIP_ENTRIES};
    package_job_init(&cp->job, rq->app->packages, fd, path, &limits);
    return req_await_inbox(rq, rq->app->intake, &cp->job.w, package_kept, cp, e);
}
