/* Tasks as flags say them. */
#include "cli/task_args.h"

#include "api/task.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

#define SECOND_MS 1000

void task_args_preset(void *args)
{
    struct task_args *a = args;
    a->priority = a->timeout_ms = -1;
}

static int64_t whole_seconds(int64_t ms)
{
    return ms < 0 ? -1 : ms / SECOND_MS + (ms % SECOND_MS != 0);
}

static int64_t count_of(const struct task_args *a)
{
    return a->count > 0 ? a->count : 1;
}

static void encode(const char *code_name, const struct task_args *a, const struct buf *payload,
                   struct buf *out)
{
    const struct task_new t = {
        .code_name = code_name,
        .payload = buf_str(payload),
        .payload_len = payload->len,
        .priority = a->priority,
        .timeout_s = whole_seconds(a->timeout_ms),
        .delay_s = whole_seconds(a->delay_ms),
        .cluster = a->cluster,
        .label = a->label,
    };
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    jw_arr(&w, "tasks");
    for (int64_t i = 0; i < count_of(a); i++)
        task_new_encode(&t, &w, NULL);
    jw_arr_end(&w);
    jw_obj_end(&w);
}

int task_args_queue(struct client *c, const char *code_name, const struct task_args *a,
                    const struct buf *payload, struct reply *ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(buf) struct buf body = BUF_INIT(BOUND_JSON_BODY_BYTES * 2);
    client_path(c, &path, "/tasks");
    encode(code_name, a, payload, &body);
    if (buf_check(&body, "the request", e) < 0)
        return e->code;
    int rc = client_post_once(c, buf_str(&path), body.data, body.len, ret, e);
    if (rc == 0 && !reply_task_id(ret, (size_t)count_of(a) - 1)[0])
        rc = err_set(e, ERR_PROTOCOL, "the server's answer has no task id");
    return rc;
}

const char *reply_task_id(const struct reply *r, size_t i)
{
    return json_get_str(json_at(json_member(r->root, "tasks"), i), "id", "");
}
