/* health: the answer of GET /health as an exit code, for people, scripts and the health checks of
 * containers, which need no other program then. No token: both programs answer it to anybody. */
#include "cli/command.h"

#include <stdio.h>

#include "cli/out.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/httpc.h"
#include "lib/json.h"

#include "lib/banned.h"

#define TIMEOUT_MS 5000

/* unwell: what an answer other than 200 says: a server in `msg`, a runner in `problem`. */
static int unwell(const char *base, const struct httpc_resp *rs, struct err *e)
{
    autojson struct json *root = NULL;
    struct err no_json; /* then there is nothing to quote */
    const char *why = "";
    if (json_parse(buf_str(&rs->body), rs->body.len, BOUND_JSON_DEPTH, &root, &no_json) == 0)
        why = json_get_str(root, "problem", json_get_str(root, "msg", ""));
    return err_set(e, ERR_UNAVAILABLE, "%s answers with HTTP %u%s%s", base, rs->status,
                   why[0] ? ": " : "", why);
}

static int ask(const char *base, const struct common *flags, struct err *e)
{
    autohttpc struct httpc *http = httpc_new(base, NULL, NULL);
    AUTO(httpc_resp) struct httpc_resp rs = HTTPC_RESP_INIT;
    const struct httpc_req rq = {.method = "GET", .path = "/health", .timeout_ms = TIMEOUT_MS};
    int rc = httpc_call(http, &rq, &rs, e);
    if (rc < 0)
        return rc;
    if (rs.status != 200)
        return unwell(base, &rs, e);
    if (flags->json)
        out_json(stdout, &rs.body);
    else
        printf("%s is well\n", base);
    return 0;
}

static int run_health(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct common *flags = in->args;
    AUTO(config) struct config config = {0};
    AUTO(buf) struct buf base = BUF_INIT(BOUND_URL_BYTES);
    (void)ret_exit;
    if (in->words->n > 0)
        return ask(in->words->v[0], flags, e);
    if (config_load(flags, &config, e) < 0)
        return e->code;
    config_base(&config, &base);
    return ask(buf_str(&base), flags, e);
}

const struct command cmd_health = {
    .name = "health",
    .group = GROUP_HERE,
    .words_usage = "[URL]",
    .summary = "Ask a server or a runner whether it can work",
    .details =
        "Exits with 0 when it can, 75 when it says why not, and 69 when nobody answers at URL.\n"
        "Without URL it asks the server of the configuration; a runner answers where its\n"
        "--listen says. No token is needed.\n",
    .example = "health http://127.0.0.1:8080",
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_health,
};
