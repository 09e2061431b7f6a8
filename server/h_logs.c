/* The log of a task: IronWorker's two routes, which answer when the task has ended, and the live
 * one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"
#include "server/app.h"
#include "server/follow.h"
#include "server/handlers.h"
#include "server/logstore.h"

#include "lib/banned.h"

/* Bytes of any encoding: the type that old clients ask for. */
#define LOG_TYPE   "text/plain; charset=utf-8"
#define PATIENCE_S 600 /* of a reader of a long log */

static int find(struct req *rq, struct store_log_ref *ret, struct err *e)
{
    struct store *s;
    if (req_store(rq, &s, e))
        return e->code;
    int rc = store_log_find(s, rq->project, rq->name, ret, e);
    req_store_done(rq, s);
    return rc == ERR_NOT_FOUND ? err_set(e, ERR_NOT_FOUND, "Task not found; so no log either") : rc;
}

/* find_ended: clients wait for a log by asking until the 404 ends, and tell this 404 from others by
 * the word "log" in it. */
static int find_ended(struct req *rq, struct store_log_ref *ret, struct err *e)
{
    if (find(rq, ret, e))
        return e->code;
    if (!task_state_ended(ret->state))
        return err_set(e, ERR_NOT_FOUND, "Log not found");
    if (ret->attempt == 0)
        return err_set(e, ERR_NOT_FOUND, "Log not found: the task never ran");
    return 0;
}

/* ---- follow=1 ---- */

/* A browser that lost its stream says where it was by the last event's id, "attempt-offset". */
static int resume_point(struct req *rq, struct follow_start *st, struct err *e)
{
    const char *id = rq->fields.last_event_id;
    const char *dash = id ? strchr(id, '-') : NULL;
    if (!st->events || !dash)
        return 0;
    autofree char *attempt = str_dupn(id, (size_t)(dash - id));
    int64_t n, offset;
    if (str_int(attempt, "Last-Event-ID", 0, INT64_MAX, &n, e) ||
        str_int(dash + 1, "Last-Event-ID", 0, INT64_MAX, &offset, e))
        return e->code;
    if (n <= st->ref.attempt) {
        st->ref.attempt = n;
        st->offset = (uint64_t)offset;
    }
    return 0;
}

static bool wants_events(const struct req *rq)
{
    return rq->fields.accept && strstr(rq->fields.accept, "text/event-stream");
}

static int start_follow(struct req *rq, struct resp *rs, struct err *e)
{
    struct follow_start st = {.events = wants_events(rq)};
    int64_t offset, attempt;
    if (req_arg_int(rq, "offset", 0, INT64_MAX, 0, &offset, e) ||
        req_arg_int(rq, "attempt", 0, INT64_MAX, 0, &attempt, e) || find(rq, &st.ref, e))
        return e->code;
    if (task_state_ended(st.ref.state) && st.ref.attempt == 0)
        return err_set(e, ERR_NOT_FOUND, "Log not found: the task never ran");
    st.offset = (uint64_t)offset;
    if (attempt > st.ref.attempt)
        return err_set(e, ERR_NOT_FOUND, "Log not found: there is no attempt %lld",
                       (long long)attempt);
    if (attempt > 0) {
        st.ref.attempt = attempt;
        st.one_attempt = true;
    }
    if (resume_point(rq, &st, e))
        return e->code;
    follow(rq, rs, &st);
    return 0;
}

/* ---- the whole log ---- */

static bool is_set(const char *flag)
{
    return flag && strcmp(flag, "0") != 0 && strcmp(flag, "false") != 0;
}

static void reply_nothing(struct resp *rs)
{
    rs->type = LOG_TYPE; /* rq->out is empty */
}

int h_task_log(struct req *rq, struct resp *rs, struct err *e)
{
    struct store_log_ref at;
    if (is_set(req_arg(rq, "follow")))
        return start_follow(rq, rs, e);
    if (find_ended(rq, &at, e))
        return e->code;
    const struct log_ref ref = {at.task, at.attempt};
    struct seglog *log;
    int rc = logstore_read(rq->app->logs, ref, &log, e);
    if (rc == ERR_NOT_FOUND) {
        reply_nothing(rs);
        return 0;
    }
    if (rc)
        return rc;
    uint64_t bytes = seglog_size(log); /* what counts; the file may have more after a crash */
    seglog_close(log);
    int fd;
    if (logstore_raw(rq->app->logs, ref, &fd, e))
        return e->code;
    resp_fd_take(rs, fd, bytes, LOG_TYPE);
    rs->patience_s = PATIENCE_S;
    return 0;
}

/* ---- stdout alone ---- */

struct outlog {
    struct seglog *log;
    uint64_t bytes;
};

static int64_t outlog_read(void *arg, uint64_t pos, char *out, size_t max)
{
    struct outlog *o = arg;
    struct err e;
    if (pos >= o->bytes)
        return RESP_END;
    if (max > o->bytes - pos)
        max = (size_t)(o->bytes - pos);
    AUTO(buf) struct buf piece = BUF_INIT(max);
    if (seglog_read(o->log, SEG_ONLY_STDOUT, pos, max, &piece, &e) || piece.len == 0)
        return RESP_BROKEN;
    memcpy(out, piece.data, piece.len);
    return (int64_t)piece.len;
}

static void outlog_free(void *arg)
{
    struct outlog *o = arg;
    seglog_close(o->log);
}

int h_task_outlog(struct req *rq, struct resp *rs, struct err *e)
{
    static const struct resp_stream stream = {outlog_read, outlog_free};
    struct store_log_ref at;
    if (find_ended(rq, &at, e))
        return e->code;
    struct outlog *o = req_mem(rq, sizeof(*o));
    int rc = logstore_read(rq->app->logs, (struct log_ref){at.task, at.attempt}, &o->log, e);
    if (rc == ERR_NOT_FOUND) {
        reply_nothing(rs);
        return 0;
    }
    if (rc)
        return rc;
    o->bytes = seglog_stream_size(o->log, SEG_STDOUT);
    resp_stream_take(rs, &stream, o, (int64_t)o->bytes, LOG_TYPE);
    rs->patience_s = PATIENCE_S;
    return 0;
}
