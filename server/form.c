/* Uploads. Neighbours: server/multipart.c, server/packages.c (the spool file), server/h_upload.c
 * (what the data says). */
#include "server/form.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/bounds.h"
#include "lib/fs.h"
#include "lib/str.h"
#include "server/app.h"
#include "server/handlers.h"
#include "server/multipart.h"
#include "server/packages.h"
#include "server/routes.h"

#include "lib/banned.h"

#define DATA_BYTES (1u << 20) /* the JSON: configuration and environment are 64 KiB each */

enum form { FORM_PLAIN, FORM_URLENCODED, FORM_MULTIPART };

struct upload {
    struct packages *packages;
    enum form form;
    struct multipart parser;
    enum { PART_OTHER, PART_DATA, PART_FILE } part; /* that is being read */
    bool data_seen;
    struct buf data; /* the part `data`; of other forms the whole body */
    int fd;          /* -1 = no part `file` */
    char *path;
    bool file_named; /* forms without a chosen file send an empty part without a name */
    bool file_bytes; /* something came */
};

static void upload_free(void *arg)
{
    struct upload *u = arg;
    multipart_release(&u->parser);
    buf_release(&u->data);
    if (u->fd >= 0) {
        close(u->fd);
        (void)unlink(u->path); /* gone already when the package was kept */
    }
    free(u->path);
}

/* ---- multipart ---- */

static int part_begin(void *arg, const struct multipart_part *part, struct err *e)
{
    struct upload *u = arg;
    u->part = PART_OTHER;
    if (strcmp(part->name, "data") == 0) {
        if (u->data_seen)
            return err_set(e, ERR_INVALID, "multipart: two parts named data");
        u->data_seen = true;
        u->part = PART_DATA;
    } else if (strcmp(part->name, "file") == 0) {
        if (u->fd >= 0)
            return err_set(e, ERR_INVALID, "multipart: two parts named file");
        u->part = PART_FILE;
        u->file_named = part->filename[0] != '\0';
        return packages_spool(u->packages, &u->fd, &u->path, e);
    }
    return 0;
}

static int part_data(void *arg, const char *bytes, size_t len, struct err *e)
{
    struct upload *u = arg;
    switch (u->part) {
    case PART_FILE:
        u->file_bytes = true;
        return fs_write_all(u->fd, bytes, len, "the upload", e);
    case PART_DATA:
        buf_add(&u->data, bytes, len);
        return buf_check(&u->data, "data", e);
    default:
        return 0;
    }
}

/* ---- the sink ---- */

static int upload_open(struct req *rq, struct err *e)
{
    const char *type = rq->fields.content_type ? rq->fields.content_type : "";
    char boundary[MULTIPART_BOUNDARY_MAX + 1];
    struct upload *u = req_mem(rq, sizeof(*u));
    u->packages = rq->app->packages;
    u->fd = -1;
    u->data = BUF_INIT(DATA_BYTES);
    u->form = FORM_PLAIN;
    if (multipart_boundary(type, boundary)) {
        u->form = FORM_MULTIPART;
        const struct multipart_sink sink = {part_begin, part_data, u};
        multipart_init(&u->parser, boundary, &sink);
    } else if (strncasecmp(type, "multipart/", 10) == 0) {
        return err_set(e, ERR_INVALID, "multipart: the Content-Type names no usable boundary");
    } else if (strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0) {
        u->form = FORM_URLENCODED;
        u->data.max = BOUND_JSON_BODY_BYTES; /* every byte may be three */
    }
    req_defer(rq, upload_free, u);
    rq->sink = u;
    return 0;
}

static int upload_feed(struct req *rq, const char *bytes, size_t len, struct err *e)
{
    struct upload *u = rq->sink;
    if (u->form == FORM_MULTIPART)
        return multipart_feed(&u->parser, bytes, len, e);
    buf_add(&u->data, bytes, len);
    return buf_check(&u->data, "request body", e);
}

const struct body_sink upload_sink = {upload_open, upload_feed};

/* ---- at the end ---- */

/* A form's `data`; curl -d sends plain JSON under the form's type. */
static int form_data(struct upload *u, const char **ret, size_t *ret_len, struct err *e)
{
    struct args form;
    if (u->data.len > 0 && u->data.data[0] == '{') {
        *ret = u->data.data;
        *ret_len = u->data.len;
        return 0;
    }
    if (u->data.len == 0)
        return err_set(e, ERR_MISSING, "data is required");
    if (args_parse(u->data.data, &form, e))
        return e->code;
    const char *text = args_get(&form, "data");
    if (!text)
        return err_set(e, ERR_MISSING, "data is required");
    *ret = text;
    *ret_len = strlen(text);
    return 0;
}

int upload_data(struct upload *u, const char **ret, size_t *ret_len, struct err *e)
{
    if (u->form == FORM_URLENCODED)
        return form_data(u, ret, ret_len, e);
    if (u->form == FORM_MULTIPART && multipart_end(&u->parser, e))
        return e->code;
    if (u->data.len == 0)
        return err_set(e, ERR_MISSING, "data is required");
    *ret = buf_str(&u->data);
    *ret_len = u->data.len;
    return 0;
}

bool upload_file(const struct upload *u, int *ret_fd, const char **ret_path)
{
    *ret_fd = u->fd;
    *ret_path = u->path;
    return u->fd >= 0 && (u->file_named || u->file_bytes);
}
