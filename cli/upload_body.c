/* multipart/form-data (RFC 7578), data before file as every Iron client sends it. */
#include "cli/upload_body.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/package.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

#define BOUNDARY_BYTES 16
#define COPY_BYTES     (64u << 10)

/* Random, so that no package can hold it. */
static int make_boundary(char **ret, struct err *e)
{
    unsigned char random[BOUNDARY_BYTES];
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return err_os(e, ERR_IO, errno, "random bytes");
    struct buf text = BUF_INIT(BOUND_PATH_BYTES);
    buf_adds(&text, "wrought-");
    for (size_t i = 0; i < sizeof(random); i++)
        buf_addf(&text, "%02x", random[i]);
    *ret = buf_take(&text);
    return 0;
}

/* A quoted parameter: what would end it is escaped as browsers do. */
static void add_quoted(struct buf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '"')
            buf_adds(out, "%22");
        else if ((unsigned char)*p < ' ')
            buf_addf(out, "%%%02X", (unsigned char)*p);
        else
            buf_addc(out, *p);
    }
}

static int copy_package(int from, int to, struct err *e)
{
    char chunk[COPY_BYTES];
    if (lseek(from, 0, SEEK_SET) < 0)
        return err_os(e, ERR_IO, errno, "rewind the package");
    for (;;) {
        ssize_t n = read(from, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_os(e, ERR_IO, errno, "read the package");
        if (n == 0)
            return 0;
        int rc = fs_write_all(to, chunk, (size_t)n, "the upload's temporary file", e);
        if (rc < 0)
            return rc;
    }
}

static int write_text(int fd, struct buf *text, struct err *e)
{
    int rc = buf_check(text, "the upload's description", e);
    if (rc == 0)
        rc = fs_write_all(fd, buf_str(text), text->len, "the upload's temporary file", e);
    buf_clear(text);
    return rc;
}

static int write_parts(int fd, const char *boundary, const char *data, size_t data_len,
                       int package_fd, const char *file_name, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(BOUND_JSON_BODY_BYTES);
    buf_addf(&text,
             "--%s\r\nContent-Disposition: form-data; name=\"data\"\r\n"
             "Content-Type: application/json\r\n\r\n",
             boundary);
    buf_add(&text, data, data_len);
    if (package_fd >= 0) {
        buf_addf(&text, "\r\n--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"",
                 boundary);
        add_quoted(&text, file_name);
        buf_adds(&text, "\"\r\nContent-Type: application/zip\r\n\r\n");
    }
    int rc = write_text(fd, &text, e);
    if (rc == 0 && package_fd >= 0)
        rc = copy_package(package_fd, fd, e);
    buf_addf(&text, "\r\n--%s--\r\n", boundary);
    return rc == 0 ? write_text(fd, &text, e) : rc;
}

int upload_body_make(const char *data, size_t data_len, int package_fd, const char *file_name,
                     struct upload_body *ret, struct err *e)
{
    autoclose int fd = -1;
    autofree char *boundary = NULL;
    int rc = make_boundary(&boundary, e);
    if (rc == 0)
        rc = temp_file(&fd, e);
    if (rc == 0)
        rc = write_parts(fd, boundary, data, data_len, package_fd, file_name, e);
    if (rc < 0)
        return rc;
    off_t bytes = lseek(fd, 0, SEEK_CUR);
    if (bytes < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return err_os(e, ERR_IO, errno, "rewind the upload");
    *ret = (struct upload_body){
        .fd = TAKE_FD(fd),
        .bytes = (uint64_t)bytes,
        .content_type = str_fmt("multipart/form-data; boundary=%s", boundary),
    };
    return 0;
}

void upload_body_release(struct upload_body *m)
{
    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
    free(TAKE(m->content_type));
}
