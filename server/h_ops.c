/* What operators and monitors ask: health, version, metrics, this API; and the stacks there are. */
#include "lib/embed.h"
#include "server/app.h"
#include "server/handlers.h"
#include "server/health.h"
#include "server/metrics.h"
#include "server/stacks.h"

#include "lib/banned.h"

EMBED(openapi_yaml, "api/openapi.yaml");

int h_health(struct req *rq, struct resp *rs, struct err *e)
{
    (void)e;
    char why[256];
    bool ok = health_ok(rq->app->health, why, sizeof(why));
    rs->status = ok ? 200 : 503;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_str(&w, "msg", ok ? "ok" : why);
    jw_bool(&w, "healthy", ok);
    jw_obj_end(&w);
    return 0;
}

int h_version(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs, (void)e;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_str(&w, "name", "wrought-server");
    jw_str(&w, "version", WROUGHT_VERSION);
    jw_int(&w, "api_version", 2);
    jw_int(&w, "runner_api", 1);
    jw_obj_end(&w);
    return 0;
}

int h_metrics(struct req *rq, struct resp *rs, struct err *e)
{
    (void)e;
    metrics_text(rq->app->metrics, &rq->out);
    buf_addf(&rq->out,
             "# HELP wrought_http_suspended Requests that wait: polls, followers, commits.\n"
             "# TYPE wrought_http_suspended gauge\nwrought_http_suspended %d\n",
             req_suspended(rq));
    rs->type = "text/plain; version=0.0.4; charset=utf-8";
    return 0;
}

int h_openapi(struct req *rq, struct resp *rs, struct err *e)
{
    (void)e;
    buf_adds(&rq->out, openapi_yaml);
    rs->type = "application/yaml";
    return 0;
}

/* A bare array, as old clients read it. */
int h_stack_list(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct jsonw w = JSONW(&rq->out);
    jw_arr(&w, NULL);
    if (stack_list(rq, &w, e))
        return e->code;
    jw_arr_end(&w);
    return 0;
}
