/* Remote builds: an upload that says `build` is kept as source, and a task of the code
 * NAME::builder makes the package of it; the revision comes with the end of that task.
 *
 * The key of a build is what went into it: the source, and all that the builder runs with. What was
 * made of a key once answers every later upload with it. */
#include "server/ops_build.h"
#include "server/queue.h"

#include <string.h>

#include "lib/bounds.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/str.h"
#include "lib/banned.h"

#define BUILDER_SUFFIX "::builder"

bool build_name_fits(const char *name)
{
    return strlen(name) + strlen(BUILDER_SUFFIX) <= BOUND_NAME_BYTES;
}

/* ---- the upload ---- */

/* builder_of: what the builder is: the worker's own place and environment, and the command. */
static struct code_upload builder_of(const struct code_upload *up, const char *name)
{
    struct code_upload b = *up;
    b.name = name;
    b.command = up->build;
    b.build = b.file_name = "";
    b.max_concurrency = b.retries = b.retries_delay_s = 0;
    b.default_priority = b.timeout_s = CODE_UNSET;
    return b;
}

static int build_key(const struct op_build_put *o, char ret[SHA256_TEXT], struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(BOUND_JSON_BODY_BYTES);
    const struct code_upload builder = builder_of(o->up, "");
    struct jsonw w = JSONW(&text);
    code_upload_encode(&builder, &w);
    buf_adds(&text, o->source.sha256);
    if (buf_check(&text, "the upload", e) < 0)
        return e->code;
    sha256_hex(text.data, text.len, ret);
    return 0;
}

static int make_revision(struct queue *q, int64_t project, const struct code_upload *up,
                         const struct build_result *r, struct code_put *put, struct err *e)
{
    *put = (struct code_put){
        .project = project, .up = up, .revision = true, .package = {r->sha256, r->md5, r->bytes}};
    return queue_put_code(q, put, e);
}

/* add_task: of the builder, whose new revision is the source. */
static int add_task(struct queue *q, struct op_build_put *o, int64_t *ret_task, struct err *e)
{
    autofree char *name = str_fmt("%s" BUILDER_SUFFIX, o->up->name);
    const struct code_upload builder = builder_of(o->up, name);
    struct code_put put = {
        .project = o->project, .up = &builder, .revision = true, .package = o->source};
    const struct task_new t = {.code_name = name,
                               .payload = "{}",
                               .payload_len = 2,
                               .priority = -1,
                               .timeout_s = BOUND_TIMEOUT_DEFAULT_S,
                               .cluster = "",
                               .label = ""};
    if (queue_put_code(q, &put, e) < 0)
        return e->code;
    int64_t now_us = queue_now_us(q);
    if (queue_add_task(q, o->project, &t, NULL, now_us, ret_task, e) < 0)
        return e->code;
    queue_task_id(q, *ret_task, now_us, o->ret_task_id);
    return 0;
}

static int queue_build(struct queue *q, struct op_build_put *o, const char *key, struct err *e)
{
    AUTO(buf) struct buf upload = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct jsonw w = JSONW(&upload);
    struct code_put target = {.project = o->project, .up = o->up, .name_alone = true};
    struct build_row b = {.created_us = queue_now_us(q)};
    code_upload_encode(o->up, &w);
    if (buf_check(&upload, "the upload", e) < 0 || queue_put_code(q, &target, e) < 0 ||
        add_task(q, o, &b.task, e) < 0)
        return e->code;
    b.code = target.ret.n;
    b.upload = upload.data; /* borrowed for the call */
    memcpy(o->ret_id, target.ret_id, ID_TEXT);
    o->ret_rev = target.ret.rev;
    return store_build_add(q->store, &b, key, e);
}

int run_build_put(struct work *w, void *owner, struct err *e)
{
    struct op_build_put *o = (struct op_build_put *)w;
    struct queue *q = owner;
    char key[SHA256_TEXT];
    struct build_result made;
    struct code_put put;
    if (build_key(o, key, e) < 0)
        return e->code;
    int rc = store_build_cached(q->store, key, &made, e);
    if (rc == ERR_NOT_FOUND) {
        err_clear(e);
        return queue_build(q, o, key, e);
    }
    if (rc < 0 || make_revision(q, o->project, o->up, &made, &put, e) < 0)
        return e->code;
    memcpy(o->ret_id, put.ret_id, ID_TEXT);
    o->ret_rev = put.ret.rev;
    return 0;
}

void op_build_put_init(struct op_build_put *o)
{
    *o = (struct op_build_put){.w = {.run = run_build_put, .writes = true}};
}

/* ---- the result ---- */

int run_build_result(struct work *w, void *owner, struct err *e)
{
    struct op_build_result *o = (struct op_build_result *)w;
    struct queue *q = owner;
    struct lease *l;
    struct task_row row;
    if (queue_live(q, o->ref, o->runner, &l, &row, e) < 0)
        return e->code;
    l->runner->seen_us = queue_now_us(q);
    int rc = store_build_result(q->store, row.n, o->ref->attempt, &o->result, e);
    if (rc == ERR_CONFLICT)
        return err_set(e, ERR_INVALID, "task %s is no build", o->ref->task);
    return rc;
}

void op_build_result_init(struct op_build_result *o)
{
    *o = (struct op_build_result){.w = {.run = run_build_result, .writes = true}};
}

/* ---- the end ---- */

/* revise: the upload that waited for its package. Not when its code was deleted or a later upload
 * is current: then what was built is only kept for the next upload of the same. */
static int revise(struct queue *q, const struct build_row *b, int64_t *ret_revision, struct err *e)
{
    struct qcode *code;
    bool overtaken = false;
    *ret_revision = 0;
    if (codes_by_n(&q->codes, q->store, b->code, &code, e) < 0 ||
        store_build_overtaken(q->store, b, &overtaken, e) < 0)
        return e->code;
    if (code->r.deleted || overtaken)
        return 0;
    autojson struct json *root = NULL;
    struct code_upload up;
    struct code_put put;
    if (json_parse(b->upload, strlen(b->upload), BOUND_JSON_DEPTH, &root, e) < 0 ||
        code_upload_decode(root, &up, e) < 0)
        return err_wrap(e, "upload of a build");
    int rc = make_revision(q, code->r.project, &up, &b->result, &put, e);
    code_upload_release(&up);
    if (rc == 0)
        *ret_revision = put.ret.revision;
    return rc;
}

int queue_build_ends(struct queue *q, const struct task_row *row, struct finish *f, struct err *e)
{
    AUTO(build_row) struct build_row b = {0};
    int64_t revision;
    if (f->class != CLASS_OK || row->state == TASK_CANCELLED)
        return 0;
    int rc = store_build_find(q->store, row->n, &b, e);
    if (rc == ERR_NOT_FOUND) {
        err_clear(e);
        return 0;
    }
    if (rc < 0)
        return rc;
    if (b.attempt != f->ref.attempt) {
        f->class = CLASS_INFRA;
        f->reason = "the build ended without its package";
        return 0;
    }
    if (revise(q, &b, &revision, e) < 0)
        return e->code;
    return store_build_made(q->store, row->n, revision, queue_now_us(q), e);
}
