/* What handlers need beside their own work. Neighbours: server/http.c owns requests and suspends
 * them; every server/h_*.c uses this. */
#include "server/req.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"
#include "server/app.h"

#include "lib/banned.h"

/* ---- memory ---- */

/* One allocation or one clean-up; freed in reverse order. */
struct req_block {
    struct req_block *next;
    void (*fn)(void *arg);
    void *arg;
    max_align_t bytes[];
};

static struct req_block *block_new(struct req *rq, size_t len)
{
    struct req_block *b = calloc(1, sizeof(*b) + len);
    if (!b)
        abort();
    b->next = rq->blocks;
    rq->blocks = b;
    return b;
}

void *req_mem(struct req *rq, size_t len)
{
    return block_new(rq, len)->bytes;
}

char *req_text(struct req *rq, const char *fmt, ...)
{
    char *text;
    va_list ap;
    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0)
        abort();
    req_defer(rq, free, text);
    return text;
}

void req_defer(struct req *rq, void (*fn)(void *arg), void *arg)
{
    struct req_block *b = block_new(rq, 0);
    b->fn = fn;
    b->arg = arg;
}

void req_cleanup(struct req *rq)
{
    while (rq->blocks) {
        struct req_block *b = rq->blocks;
        rq->blocks = b->next;
        if (b->fn)
            b->fn(b->arg);
        free(b);
    }
}

/* ---- reading ---- */

static void free_json(void *arg)
{
    json_free(arg);
}

int req_json(struct req *rq, const struct json **ret, struct err *e)
{
    struct json *root;
    if (rq->body.len == 0)
        return err_set(e, ERR_INVALID, "the request has no body; a JSON object is expected");
    if (json_parse(buf_str(&rq->body), rq->body.len, BOUND_JSON_DEPTH, &root, e))
        return err_wrap(e, "request body");
    req_defer(rq, free_json, root);
    if (json_kind(root) != JSON_OBJECT)
        return err_set(e, ERR_INVALID, "request body: a JSON object is expected");
    *ret = root;
    return 0;
}

int req_json_opt(struct req *rq, const struct json **ret, struct err *e)
{
    *ret = NULL;
    return rq->body.len > 0 ? req_json(rq, ret, e) : 0;
}

const char *req_arg(const struct req *rq, const char *name)
{
    return args_get(&rq->target.args, name);
}

int req_arg_int(const struct req *rq, const char *name, int64_t min, int64_t max, int64_t dflt,
                int64_t *ret, struct err *e)
{
    const char *text = req_arg(rq, name);
    if (text && *text)
        return str_int(text, name, min, max, ret, e);
    *ret = dflt;
    return 0;
}

int req_arg_time(const struct req *rq, const char *name, int64_t dflt_us, int64_t *ret_us,
                 struct err *e)
{
    const char *text = req_arg(rq, name);
    int64_t seconds;
    *ret_us = dflt_us;
    if (!text || !*text)
        return 0;
    autofree char *whole = str_dupn(text, strcspn(text, "."));
    if (str_int(whole, name, 0, INT64_MAX / 1000000, &seconds, e))
        return e->code;
    *ret_us = seconds * 1000000;
    return 0;
}

#define PER_PAGE_DEFAULT 30

int req_page(const struct req *rq, struct store_page *ret, struct err *e)
{
    if (req_arg_int(rq, "page", 0, BOUND_PAGE, 0, &ret->page, e) ||
        req_arg_int(rq, "per_page", 0, INT32_MAX, PER_PAGE_DEFAULT, &ret->per_page, e))
        return e->code;
    if (ret->per_page == 0)
        ret->per_page = PER_PAGE_DEFAULT;
    if (ret->per_page > BOUND_PER_PAGE)
        ret->per_page = BOUND_PER_PAGE;
    return 0;
}

int req_store(struct req *rq, struct store **ret, struct err *e)
{
    return store_reader_get(rq->app->readers, ret, e);
}

void req_store_done(struct req *rq, struct store *s)
{
    store_reader_put(rq->app->readers, s);
}

/* ---- answering ---- */

void resp_msg(struct req *rq, const char *msg)
{
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_str(&w, "msg", msg);
    jw_obj_end(&w);
}

void resp_header(struct resp *rs, const char *name, const char *value)
{
    if (rs->n_headers < RESP_HEADERS) {
        rs->header[rs->n_headers].name = name;
        rs->header[rs->n_headers++].value = value;
    }
}

void resp_fd_take(struct resp *rs, int fd, uint64_t bytes, const char *type)
{
    rs->fd = fd;
    rs->fd_bytes = bytes;
    rs->type = type;
}

void resp_stream_take(struct resp *rs, const struct resp_stream *s, void *arg, int64_t bytes,
                      const char *type)
{
    rs->stream = s;
    rs->stream_arg = arg;
    rs->stream_bytes = bytes;
    rs->type = type;
}
