/* Files into a container and out of it, as a tar. */
#include "runner/engine/engine.h"

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "runner/engine/client.h"
#include "runner/engine/dial.h"

#include "lib/banned.h"

static int archive_path(const char *id, const char *path, struct buf *out, struct err *e)
{
    buf_adds(out, "/containers/");
    httpc_escape(out, id);
    buf_adds(out, "/archive?path=");
    httpc_escape(out, path);
    return buf_check(out, "engine path", e);
}

int engine_put_tar(struct engine *g, const char *id, const char *dir, int fd, const void *bytes,
                   uint64_t len, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(buf) struct buf rest = BUF_INIT(BOUND_ENGINE_HEAD_BYTES);
    autoclose int done = -1;
    if (archive_path(id, dir, &path, e) < 0)
        return e->code;
    const struct dial_req rq = {.method = "PUT",
                                .path = buf_str(&path),
                                .headers = "Connection: close\r\n",
                                .content_type = "application/x-tar",
                                .fd = fd,
                                .bytes = bytes,
                                .len = len,
                                .want_status = 200,
                                .timeout_ms = ENGINE_PUT_MS};
    return dial_request(g, &rq, &done, &rest, e);
}

struct download {
    int fd;
    uint64_t left;
    struct err *e;
};

static int take_piece(const void *bytes, size_t len, void *arg)
{
    struct download *d = arg;
    if (len > d->left)
        return err_set(d->e, ERR_TOO_BIG, "more than may be kept of it");
    d->left -= len;
    return fs_write_all(d->fd, bytes, len, "a tar", d->e);
}

int engine_get_tar(struct engine *g, const char *id, const char *path, int fd, uint64_t max_bytes,
                   struct err *e)
{
    AUTO(buf) struct buf plain = BUF_INIT(BOUND_URL_BYTES), full = BUF_INIT(BOUND_URL_BYTES);
    AUTO(httpc_resp) struct httpc_resp rs = HTTPC_RESP_INIT;
    struct err own = {0};
    struct download d = {fd, max_bytes, &own};
    if (archive_path(id, path, &plain, e) < 0 || engine_versioned(g, buf_str(&plain), &full, e) < 0)
        return e->code;
    const struct httpc_req rq = {.method = "GET",
                                 .path = buf_str(&full),
                                 .connect_timeout_ms = ENGINE_CONNECT_MS,
                                 .timeout_ms = ENGINE_PUT_MS,
                                 .stall_timeout_ms = ENGINE_STALL_MS,
                                 .on_data = take_piece,
                                 .arg = &d};
    int rc = httpc_call(g->http, &rq, &rs, e);
    if (own.code) {
        *e = own;
        return own.code;
    }
    return rc < 0 || rs.status == 200 ? rc : engine_refused(rs.status, &rs.body, e);
}
