/* docker login: credentials of a registry, for pulls of private images. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/out.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

#define DOCKER_HUB "https://index.docker.io/v1/"

struct login_args {
    struct common common;
    const char *user, *password, *password_file, *email, *url;
};

/* -e is the e-mail address here, as the Go client has it. */
static const struct flag flags[] = {
    FLAG_STR('u', "username", struct login_args, user, "NAME", "user of the registry"),
    FLAG_STR('p', "password", struct login_args, password, "TEXT",
             "password or token (visible in the process list)"),
    FLAG_STR(0, "password-file", struct login_args, password_file, "FILE",
             "the same, the first line of a file"),
    FLAG_STR('e', "email", struct login_args, email, "ADDRESS", "e-mail address"),
    FLAG_STR(0, "url", struct login_args, url, "URL", "registry (Docker Hub)"),
};

static void preset(void *args)
{
    ((struct login_args *)args)->url = DOCKER_HUB;
}

static int password_of(const struct login_args *a, char **ret, struct err *e)
{
    if (!a->user || !a->user[0] || !a->password == !a->password_file)
        return err_set(e, ERR_USAGE,
                       "docker login needs --username, and --password or "
                       "--password-file");
    if (a->password_file)
        return fs_read_secret(a->password_file, ret, e);
    *ret = str_dup(a->password);
    return 0;
}

/* encode: the body; what it says goes as base64, as docker itself keeps it. */
static void encode(const struct login_args *a, const char *password, struct buf *out)
{
    AUTO(buf) struct buf inner = BUF_INIT(BOUND_CONFIG_BYTES);
    struct jsonw w = JSONW(&inner);
    jw_obj(&w, NULL);
    jw_str(&w, "username", a->user);
    jw_str(&w, "password", password);
    jw_str(&w, "email", a->email);
    jw_str(&w, "serveraddress", a->url);
    jw_obj_end(&w);
    autofree char *auth = str_base64(inner.data, inner.len);
    w = JSONW(out);
    jw_obj(&w, NULL);
    jw_str(&w, "auth", auth);
    jw_obj_end(&w);
    explicit_bzero(inner.data, inner.len);
    explicit_bzero(auth, strlen(auth));
}

static int run(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct login_args *a = in->args;
    FILE *say = a->common.json ? NULL : stdout;
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(buf) struct buf body = BUF_INIT(BOUND_CONFIG_BYTES * 2);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    autofree char *password = NULL;
    (void)ret_exit;
    int rc = password_of(a, &password, e);
    if (rc == 0)
        rc = command_open_go(&a->common, say, &c, e);
    if (rc < 0)
        return rc;
    out_step(say, "Storing docker repo credentials");
    encode(a, password, &body);
    client_path(&c, &path, "/credentials");
    rc = client_post(&c, buf_str(&path), body.data, body.len, &reply, e);
    if (rc == 0 && !say)
        out_json(stdout, &reply.text);
    else if (rc == 0)
        out_line(say, "Added docker repo credentials: %s", json_get_str(reply.root, "msg", ""));
    return rc;
}

const struct command cmd_docker_login = {
    .name = "docker login",
    .group = GROUP_GO,
    .words_usage = "",
    .summary = "Store the credentials of a registry, for pulls of private images",
    .example = "docker login -u ann --password-file secret -e ann@example.org",
    .flags = {flags, ARRAY_LEN(flags)},
    .args_bytes = sizeof(struct login_args),
    .preset = preset,
    .run = run,
};
