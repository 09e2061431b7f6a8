/* Schedules as flags say them. */
#include "cli/schedule_args.h"

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#include "lib/banned.h"

#define SECOND_MS 1000
#define NOT_GIVEN (-1)

void schedule_args_preset(void *args)
{
    struct schedule_args *a = args;
    a->priority = a->timeout_ms = a->delay_ms = a->task_delay_ms = NOT_GIVEN;
    a->every_ms = a->run_times = a->jitter_ms = NOT_GIVEN;
    a->catch_up_max = a->max_concurrency = NOT_GIVEN;
}

static void put_int(struct jsonw *w, const char *key, int64_t v)
{
    if (v != NOT_GIVEN)
        jw_int(w, key, v);
}

static void put_seconds(struct jsonw *w, const char *key, int64_t ms)
{
    if (ms != NOT_GIVEN)
        jw_int(w, key, ms / SECOND_MS + (ms % SECOND_MS != 0));
}

static void put_text(struct jsonw *w, const char *key, const char *text)
{
    if (text)
        jw_str(w, key, text);
}

/* put_time: the empty text takes a time away. */
static int put_time(struct jsonw *w, const char *key, const char *flag, const char *text,
                    struct err *e)
{
    int64_t us;
    if (text && text[0] && clock_parse(text, &us, e) < 0) {
        (void)err_wrap(e, "--%s", flag);
        return e->code = ERR_USAGE;
    }
    put_text(w, key, text);
    return 0;
}

int schedule_args_request(const struct schedule_args *a, const char *code_name,
                          const char *default_payload, struct buf *out, struct err *e)
{
    AUTO(buf) struct buf payload = BUF_INIT(BOUND_JSON_BODY_BYTES);
    bool given = a->payload.text || a->payload.file;
    struct jsonw w = JSONW(out);
    int rc = given ? payload_read(&a->payload, &payload, e) : 0;
    if (rc < 0)
        return rc;
    if (!given && default_payload)
        buf_adds(&payload, default_payload);
    jw_obj(&w, NULL);
    jw_arr(&w, "schedules");
    jw_obj(&w, NULL);
    jw_str(&w, "code_name", code_name);
    rc = schedule_args_encode(a, given || default_payload ? &payload : NULL, &w, e);
    jw_obj_end(&w);
    jw_arr_end(&w);
    jw_obj_end(&w);
    return rc == 0 ? buf_check(out, "the request", e) : rc;
}

int schedule_args_encode(const struct schedule_args *a, const struct buf *payload, struct jsonw *w,
                         struct err *e)
{
    if (payload)
        jw_strn(w, "payload", buf_str(payload), payload->len);
    put_int(w, "priority", a->priority);
    put_seconds(w, "timeout", a->timeout_ms);
    put_seconds(w, "task_delay", a->task_delay_ms);
    put_text(w, "label", a->label);
    put_text(w, "cluster", a->cluster);
    put_seconds(w, "delay", a->delay_ms);
    put_seconds(w, "run_every", a->every_ms);
    put_int(w, "run_times", a->run_times);
    put_text(w, "cron", a->cron);
    put_text(w, "zone", a->zone);
    put_text(w, "overlap", a->overlap);
    put_text(w, "catch_up", a->catch_up);
    put_int(w, "catch_up_max", a->catch_up_max);
    put_seconds(w, "jitter", a->jitter_ms);
    put_int(w, "max_concurrency", a->max_concurrency);
    int rc = put_time(w, "start_at", "start-at", a->start_at, e);
    return rc == 0 ? put_time(w, "end_at", "end-at", a->end_at, e) : rc;
}

const char *reply_schedule_id(const struct reply *r)
{
    return json_get_str(json_at(json_member(r->root, "schedules"), 0), "id", "");
}
