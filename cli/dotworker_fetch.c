/* Fetching by HTTP. Nothing is sent but the request: no token of ours goes to a foreign host. */
#include "cli/dotworker_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cli/dotworker_path.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/httpc.h"
#include "lib/str.h"

#include "lib/banned.h"

#define STALL_MS         30000
#define ERROR_BODY_BYTES (64u << 10) /* of a page that says why not; unread */

struct sink {
    struct buf *text; /* NULL: into fd */
    int fd;
    uint64_t bytes;
    struct err *e;
};

static int on_data(const void *bytes, size_t len, void *arg)
{
    struct sink *s = arg;
    s->bytes += len;
    if (s->text) {
        buf_add(s->text, bytes, len);
        return buf_check(s->text, "the file", s->e);
    }
    if (s->bytes > BOUND_UPLOAD_BYTES)
        return err_set(s->e, ERR_TOO_BIG, "larger than the %llu bytes of a package",
                       (unsigned long long)BOUND_UPLOAD_BYTES);
    return fs_write_all(s->fd, bytes, len, "a fetched file", s->e);
}

static int status_error(unsigned status, struct err *e)
{
    int code = err_from_http(status);
    if (code == ERR_NONE)
        return 0;
    if (status >= 300 && status < 400)
        return err_set(e, ERR_INVALID,
                       "the server answers %u and points elsewhere: give the address of the file "
                       "itself",
                       status);
    return err_set(e, code, "the server answers %u", status);
}

static int get(const char *url, struct sink *s, struct err *e)
{
    autofree char *raw = dw_raw_url(url);
    if (strlen(raw) > BOUND_URL_BYTES)
        return err_set(e, ERR_TOO_BIG, "the address is longer than %d bytes", BOUND_URL_BYTES);
    size_t host_end =
        strcspn(strstr(raw, "://") + 3, "/?#") + (size_t)(strstr(raw, "://") + 3 - raw);
    autofree char *host = str_dupn(raw, host_end);
    autohttpc struct httpc *c = httpc_new(host, NULL, NULL);
    struct httpc_resp answer = HTTPC_RESP_INIT;
    const struct httpc_req rq = {
        .method = "GET",
        .path = raw[host_end] == '/' ? raw + host_end : "/",
        .timeout_ms = -1, /* as long as it moves */
        .stall_timeout_ms = STALL_MS,
        .max_reply = ERROR_BODY_BYTES,
        .on_data = on_data,
        .arg = s,
    };
    struct err call = {0};
    err_clear(s->e);
    int rc = httpc_call(c, &rq, &answer, &call);
    if (rc == 0)
        rc = status_error(answer.status, e);
    else if (s->e->code == 0) /* else on_data ended the call and said why */
        *e = call;
    httpc_resp_release(&answer);
    return rc < 0 ? err_wrap(e, "cannot fetch %s", url) : 0;
}

int dw_fetch(const char *url, const char *path, struct err *e)
{
    autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_os(e, ERR_IO, errno, "cannot create %s", path);
    struct sink s = {.fd = fd, .e = e};
    return get(url, &s, e);
}

int dw_fetch_text(const char *url, struct buf *out, struct err *e)
{
    struct sink s = {.text = out, .fd = -1, .e = e};
    return get(url, &s, e);
}
