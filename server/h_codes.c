/* Codes: list, get, delete, download, revisions. Uploads are in h_upload.c. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "api/code.h"
#include "server/app.h"
#include "server/handlers.h"
#include "server/ops.h"
#include "server/packages.h"

#include "lib/banned.h"

int h_code_list(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct store_page page;
    struct store *s;
    struct code *codes;
    size_t n;
    if (req_page(rq, &page, e) || req_store(rq, &s, e))
        return e->code;
    int rc = store_code_list(s, rq->project, page, &codes, &n, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_arr(&w, "codes");
    for (size_t i = 0; i < n; i++) {
        code_encode(&codes[i], &w, NULL);
        code_release(&codes[i]);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    free(codes);
    return 0;
}

int h_code_get(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct store *s;
    struct code c;
    if (req_store(rq, &s, e))
        return e->code;
    int rc = store_code_find(s, rq->project, rq->name, &c, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    code_encode(&c, &w, NULL);
    code_release(&c);
    return 0;
}

int h_code_revisions(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct store_page page;
    struct store *s;
    struct revision *revs;
    size_t n;
    if (req_page(rq, &page, e) || req_store(rq, &s, e))
        return e->code;
    int rc = store_revision_list(s, rq->project, rq->name, page, &revs, &n, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_arr(&w, "revisions");
    for (size_t i = 0; i < n; i++) {
        revision_encode(&revs[i], &w, NULL);
        revision_release(&revs[i]);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    free(revs);
    return 0;
}

static int deleted(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    if (e->code)
        return e->code;
    resp_msg(rq, "Deleted");
    return 0;
}

int h_code_delete(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct op_code_delete *op = req_mem(rq, sizeof(*op));
    op_code_delete_init(op);
    op->project = rq->project;
    op->id = rq->name;
    return req_await_writer(rq, &op->w, deleted, op, e);
}

/* A code's name in a header field: what could end the value or the path becomes "_". */
static void tame(char *name)
{
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && !strchr("._-:+@", *name))
            *name = '_';
    }
}

int h_code_download(struct req *rq, struct resp *rs, struct err *e)
{
    struct store *s;
    char sha256[SHA256_TEXT], name[256];
    int64_t rev;
    int fd;
    uint64_t bytes;
    if (req_arg_int(rq, "revision", 1, INT64_MAX, 0, &rev, e) || req_store(rq, &s, e))
        return e->code;
    int rc = store_package_of(s, rq->project, rq->name, rev, sha256, name, sizeof(name), &rev, e);
    req_store_done(rq, s);
    if (rc || packages_get(rq->app->packages, sha256, &fd, &bytes, e))
        return e->code;
    tame(name);
    resp_fd_take(rs, fd, bytes, "application/zip");
    resp_header(rs, "Content-Disposition",
                req_text(rq, "attachment; filename=%s_%lld.zip", name, (long long)rev));
    return 0;
}
