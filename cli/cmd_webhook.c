/* webhook: the address by which others queue tasks of a code. */
#include "cli/command.h"

#include <stdio.h>

#include "cli/out.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

static int url(const struct client *c, const char *name, struct buf *out, struct err *e)
{
    buf_adds(out, c->base);
    client_path(c, out, "/tasks/webhook?code_name=");
    httpc_escape(out, name);
    buf_adds(out, "&oauth=");
    httpc_escape(out, c->config.set[CONFIG_TOKEN].value);
    return buf_check(out, "the address", e);
}

static int run(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct common *common = in->args;
    FILE *say = common->json ? NULL : stdout;
    AUTO(buf) struct buf address = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    (void)ret_exit;
    int rc = command_open(common, say, &c, e);
    if (rc == 0)
        rc = url(&c, in->words->v[0], &address, e);
    if (rc < 0)
        return rc;
    out_group(say, "Generating code package webhook");
    out_line(say, "You can invoke your worker by POSTing to the following URL");
    out_line(say, "%s", buf_str(&address));
    if (!say) {
        AUTO(buf) struct buf json = BUF_INIT(BOUND_URL_BYTES * 2);
        struct jsonw w = JSONW(&json);
        jw_obj(&w, NULL);
        jw_str(&w, "url", buf_str(&address));
        jw_obj_end(&w);
        out_json(stdout, &json);
    }
    return 0;
}

const struct command cmd_webhook = {
    .name = "webhook",
    .group = GROUP_CODES,
    .words_usage = "NAME",
    .summary = "Print the address whose POSTs queue tasks of a code",
    .details = "Whatever is posted there becomes the payload. The address holds your token.\n",
    .example = "webhook hello",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run,
};
