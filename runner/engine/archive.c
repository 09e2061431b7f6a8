/* Files into a container, as a tar. */
#include "runner/engine/engine.h"

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "runner/engine/client.h"
#include "runner/engine/dial.h"

#include "lib/banned.h"

int engine_put_tar(struct engine *g, const char *id, const char *dir, int fd, const void *bytes,
                   uint64_t len, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(buf) struct buf rest = BUF_INIT(BOUND_ENGINE_HEAD_BYTES);
    autoclose int done = -1;
    buf_adds(&path, "/containers/");
    httpc_escape(&path, id);
    buf_adds(&path, "/archive?path=");
    httpc_escape(&path, dir);
    int rc = buf_check(&path, "engine path", e);
    if (rc < 0)
        return rc;
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
