/* info code, revisions, download, delete: one code package. */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/lookup.h"
#include "cli/out.h"
#include "cli/rows.h"
#include "cli/table.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

#define STALL_MS 60000 /* a download that moves nothing for so long is dead */

/* ---- info ---- */

static void print_code(const struct code *c)
{
    const struct rows rows = {stdout, OUT_INDENT};
    row_text(&rows, "id", c->id);
    row_text(&rows, "name", c->name);
    row_int(&rows, "revision", c->rev);
    row_time(&rows, "uploaded", c->latest_change_us);
    if (c->paused)
        row_text(&rows, "paused", "its tasks wait for 'resume'");
    else
        row_int(&rows, "max concurrency", c->max_concurrency);
    row_int(&rows, "retries", c->retries);
    row_span(&rows, "retries delay", c->retries_delay_s * 1000000);
    row_int(&rows, "priority", c->default_priority);
    row_text(&rows, "image", c->image);
    row_text(&rows, "stack", c->stack);
    row_text(&rows, "runtime", c->runtime);
    row_text(&rows, "file name", c->file_name);
    row_text(&rows, "command", c->command);
    row_text(&rows, "env vars", c->env_vars);
    row_text(&rows, "config", c->config);
    row_text(&rows, "checksum", c->checksum);
}

static int run_info(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct common *common = in->args;
    FILE *say = common->json ? NULL : stdout;
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    AUTO(code) struct code code = {0};
    (void)ret_exit;
    int rc = command_open(common, say, &c, e);
    if (rc < 0)
        return rc;
    out_group(say, "Getting code package info");
    rc = lookup_code_path(&c, in->words->v[0], "", &path, e);
    if (rc == 0)
        rc = client_get(&c, buf_str(&path), &reply, e);
    if (rc == 0 && !say)
        out_json(stdout, &reply.text);
    else if (rc == 0 && (rc = code_decode(reply.root, &code, e)) == 0)
        print_code(&code);
    return rc;
}

const struct command cmd_info_code = {
    .name = "info code",
    .group = GROUP_CODES,
    .words_usage = "NAME",
    .summary = "Show what is known about a code package",
    .example = "info code hello",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_info,
};

/* ---- revisions ---- */

static void add_revision(struct table *table, const struct revision *r, int64_t now_us)
{
    char word[OUT_WORD];
    snprintf(word, sizeof(word), "%" PRId64, r->rev);
    table_add(table, word, COLOUR_NONE);
    table_add(table, r->id, COLOUR_NONE);
    table_add(table, out_age(r->created_us, now_us, word), COLOUR_NONE);
    table_add(table, out_bytes((uint64_t)r->package_bytes, word), COLOUR_NONE);
    table_add(table,
              r->image     ? r->image
              : r->stack   ? r->stack
              : r->runtime ? r->runtime
                           : "-",
              COLOUR_NONE);
}

static int print_revisions(const struct json *list, struct err *e)
{
    static const char *const titles[] = {"REVISION", "ID", "AGE", "SIZE", "RUNS IN"};
    AUTO(table) struct table table;
    int64_t now_us = clock_now_us();
    table_init(&table, titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < json_length(list); i++) {
        AUTO(revision) struct revision r = {0};
        if (revision_decode(json_at(list, i), &r, e) < 0)
            return err_wrap(e, "revision %zu of the list", i);
        add_revision(&table, &r, now_us);
    }
    table_print(&table, stdout);
    return 0;
}

struct revisions_args {
    struct common common;
    int64_t per_page, page;
};

static const struct flag revisions_flags[] = {
    FLAG_INT('n', "per-page", struct revisions_args, per_page, 1, BOUND_PER_PAGE, "N",
             "how many (30)"),
    FLAG_INT(0, "page", struct revisions_args, page, 0, BOUND_PAGE, "N", "which page, from 0"),
};

static void preset_revisions(void *args)
{
    ((struct revisions_args *)args)->per_page = 30;
}

static int run_revisions(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct revisions_args *a = in->args;
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    (void)ret_exit;
    int rc = command_open(&a->common, NULL, &c, e);
    if (rc == 0)
        rc = lookup_code_path(&c, in->words->v[0], "/revisions", &path, e);
    if (rc < 0)
        return rc;
    buf_addf(&path, "?page=%" PRId64 "&per_page=%" PRId64, a->page, a->per_page);
    rc = client_get(&c, buf_str(&path), &reply, e);
    if (rc < 0)
        return rc;
    if (!a->common.json)
        return print_revisions(json_member(reply.root, "revisions"), e);
    out_json(stdout, &reply.text);
    return 0;
}

const struct command cmd_revisions = {
    .name = "revisions",
    .group = GROUP_CODES,
    .words_usage = "NAME",
    .summary = "List the revisions of a code package",
    .example = "revisions hello",
    .min_words = 1,
    .max_words = 1,
    .flags = {revisions_flags, ARRAY_LEN(revisions_flags)},
    .args_bytes = sizeof(struct revisions_args),
    .preset = preset_revisions,
    .run = run_revisions,
};

/* ---- download ---- */

struct download_args {
    struct common common;
    const char *output;
    int64_t revision; /* 0 = the current one */
};

static const struct flag download_flags[] = {
    FLAG_STR('o', "output", struct download_args, output, "FILE",
             "where to (NAME_REVISION.zip); - is stdout"),
    FLAG_INT('r', "revision", struct download_args, revision, 1, INT64_MAX, "N",
             "which revision (the current one)"),
};

/* A download: into a file beside its place, so that what is there is whole. */
struct download {
    int fd;
    uint64_t bytes;
    struct err failed; /* of writing */
};

static int on_data(const void *bytes, size_t len, void *arg)
{
    struct download *d = arg;
    d->bytes += len;
    return fs_write_all(d->fd, bytes, len, "the package", &d->failed);
}

static int fetch(struct client *c, const struct code *code, int64_t revision, struct download *d,
                 struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    unsigned status;
    client_path(c, &path, "/codes/%s/download?revision=%" PRId64, code->id, revision);
    const struct httpc_req rq = {
        .method = "GET",
        .path = buf_str(&path),
        .timeout_ms = -1,
        .stall_timeout_ms = STALL_MS,
        .on_data = on_data,
        .arg = d,
    };
    int rc = client_stream(c, &rq, &status, e);
    if (d->failed.code != ERR_NONE)
        *e = d->failed;
    return rc < 0 ? e->code : 0;
}

static int fetch_to_file(struct client *c, const struct code *code, int64_t revision,
                         const char *file, uint64_t *ret_bytes, struct err *e)
{
    autofree char *part = str_fmt("%s.part", file);
    autoclose int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_os(e, ERR_IO, errno, "create %s", part);
    struct download d = {.fd = fd};
    int rc = fetch(c, code, revision, &d, e);
    if (rc == 0 && rename(part, file) < 0)
        rc = err_os(e, ERR_IO, errno, "rename %s to %s", part, file);
    if (rc < 0)
        (void)unlink(part); /* the cause is told already */
    *ret_bytes = d.bytes;
    return rc;
}

/* file_name: a name of a code may hold '/' and ':'. */
static char *file_name(const struct code *code, int64_t revision)
{
    char *name = str_fmt("%s_%" PRId64 ".zip", code->name, revision);
    for (char *p = name; *p; p++)
        if (*p == '/' || *p == ':')
            *p = '_';
    return name;
}

static int run_download(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct download_args *a = in->args;
    AUTO(client) struct client c = {0};
    AUTO(code) struct code code = {0};
    uint64_t bytes = 0;
    char size[OUT_WORD];
    (void)ret_exit;
    int rc = command_open(&a->common, NULL, &c, e);
    if (rc == 0)
        rc = lookup_code(&c, in->words->v[0], &code, e);
    if (rc < 0)
        return rc;
    int64_t revision = a->revision > 0 ? a->revision : code.rev;
    if (a->output && strcmp(a->output, "-") == 0) {
        struct download d = {.fd = STDOUT_FILENO};
        return fetch(&c, &code, revision, &d, e);
    }
    autofree char *file = a->output ? str_dup(a->output) : file_name(&code, revision);
    rc = fetch_to_file(&c, &code, revision, file, &bytes, e);
    if (rc == 0)
        out_line(stderr, "Revision %" PRId64 " of '%s': %s in %s", revision, code.name,
                 out_bytes(bytes, size), file);
    return rc;
}

const struct command cmd_download = {
    .name = "download",
    .group = GROUP_CODES,
    .words_usage = "NAME",
    .summary = "Save the zip of a code package",
    .example = "download hello --revision 3 -o hello.zip",
    .min_words = 1,
    .max_words = 1,
    .flags = {download_flags, ARRAY_LEN(download_flags)},
    .args_bytes = sizeof(struct download_args),
    .run = run_download,
};

/* ---- delete ---- */

static int run_delete(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct common *common = in->args;
    const char *name = in->words->v[0];
    FILE *say = common->json ? NULL : stdout;
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    (void)ret_exit;
    int rc = command_open(common, say, &c, e);
    if (rc < 0)
        return rc;
    out_group(say, "Deleting code package '%s'", name);
    rc = lookup_code_path(&c, name, "", &path, e);
    if (rc < 0)
        return rc;
    const struct httpc_req rq = {.method = "DELETE", .path = buf_str(&path)};
    rc = client_send(&c, &rq, &reply, e);
    if (rc == 0 && !say)
        out_json(stdout, &reply.text);
    else if (rc == 0)
        out_line(say, "Code package '%s' deleted", name);
    return rc;
}

const struct command cmd_delete = {
    .name = "delete",
    .group = GROUP_CODES,
    .words_usage = "NAME",
    .summary = "Delete a code package and cancel its queued tasks",
    .example = "delete hello",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_delete,
};
