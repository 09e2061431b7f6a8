/* POST …/tasks/webhook: whatever a third party posts, of any type, is the payload of a task. What
 * else a task has comes in the query. */
#include <string.h>

#include "api/task.h"
#include "lib/bounds.h"
#include "server/app.h"
#include "server/handlers.h"
#include "server/metrics.h"
#include "server/once.h"

#include "lib/banned.h"

struct webhook {
    struct task_new task;
    char id[1][ID_TEXT];
    struct op_enqueue op;
};

static const char *arg_or_none(const struct req *rq, const char *name)
{
    const char *text = req_arg(rq, name);
    return text ? text : "";
}

static int check_length(const char *text, const char *what, struct err *e)
{
    return strlen(text) > BOUND_NAME_BYTES
               ? err_set(e, ERR_TOO_BIG, "%s is over the limit of %d bytes", what, BOUND_NAME_BYTES)
               : 0;
}

static int decode(const struct req *rq, struct task_new *ret, struct err *e)
{
    const struct task_limits *lim = &rq->app->limits;
    struct task_new t = task_new_default(lim);
    t.code_name = arg_or_none(rq, "code_name");
    t.cluster = arg_or_none(rq, "cluster");
    t.label = arg_or_none(rq, "label");
    t.payload = rq->body.data;
    t.payload_len = rq->body.len;
    if (req_arg_int(rq, "priority", INT64_MIN, INT64_MAX, t.priority, &t.priority, e) ||
        req_arg_int(rq, "timeout", 0, lim->max_timeout_s, t.timeout_s, &t.timeout_s, e) ||
        req_arg_int(rq, "delay", 0, lim->max_delay_s, 0, &t.delay_s, e) ||
        check_length(t.label, "label", e) || task_new_settle(&t, lim, e))
        return e->code;
    *ret = t;
    return 0;
}

static int queued(struct req *rq, struct resp *rs, struct err *e)
{
    const struct webhook *hook = rq->state;
    if (e->code)
        return e->code;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_str(&w, "msg", "Queued up.");
    jw_str(&w, "id", hook->id[0]);
    jw_obj_end(&w);
    metrics_add(rq->app->metrics, METRIC_TASKS_QUEUED, hook->op.ret_again ? 0 : 1);
    once_header(&hook->op, rs);
    return 0;
}

int h_task_webhook(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct webhook *hook = req_mem(rq, sizeof(*hook));
    if (decode(rq, &hook->task, e))
        return e->code;
    op_enqueue_init(&hook->op);
    if (once_read(rq, &hook->op, e))
        return e->code;
    hook->op.project = rq->project;
    hook->op.tasks = &hook->task;
    hook->op.n = 1;
    hook->op.ret_ids = hook->id;
    return req_await_writer(rq, &hook->op.w, queued, hook, e);
}
