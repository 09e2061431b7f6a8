/* log: the log of a task that has ended, or, with --follow, of one that goes on. */
#include "cli/command.h"

#include <errno.h>

#include "cli/follow.h"
#include "cli/out.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

#define STALL_MS 60000 /* a download that moves nothing for so long is dead */

struct log_args {
    struct common common;
    bool follow, wait;
};

static const struct flag flags[] = {
    FLAG_BOOL('f', "follow", struct log_args, follow, "print it as it grows, until the task ends"),
    FLAG_BOOL('w', "wait", struct log_args, wait, "the same, as iron_worker calls it"),
};

static int on_data(const void *bytes, size_t len, void *arg)
{
    int *write_errno = arg;
    if (fwrite(bytes, 1, len, stdout) == len)
        return 0;
    *write_errno = errno;
    return 1;
}

/* not_there_yet: a 404 means that the task is unknown, or that it has not ended. */
static int not_there_yet(struct client *c, const char *id, struct err *e)
{
    AUTO(task) struct task t = {0};
    struct err look = {0};
    if (client_task(c, id, &t, &look) < 0 || task_state_ended(t.state))
        return e->code; /* what the server said first */
    return err_set(e, ERR_NOT_FOUND,
                   "task %s is %s and its log is not complete: 'wrought log -f %s' follows it", id,
                   task_state_own_name(t.state), id);
}

static int print_log(struct client *c, const char *id, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    int write_errno = 0;
    unsigned status;
    client_path(c, &path, "/tasks/");
    httpc_escape(&path, id);
    buf_adds(&path, "/log");
    const struct httpc_req rq = {
        .method = "GET",
        .path = buf_str(&path),
        .timeout_ms = -1,
        .stall_timeout_ms = STALL_MS,
        .on_data = on_data,
        .arg = &write_errno,
    };
    int rc = client_stream(c, &rq, &status, e);
    if (write_errno != 0)
        return err_os(e, ERR_IO, write_errno, "write the log");
    return rc == ERR_NOT_FOUND ? not_there_yet(c, id, e) : rc;
}

static int run(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct log_args *a = in->args;
    const char *id = in->words->v[0];
    AUTO(client) struct client c = {0};
    AUTO(task) struct task t = {0};
    (void)ret_exit;
    int rc = command_check_id(id, e);
    if (rc == 0)
        rc = command_open(&a->common, stderr, &c, e);
    if (rc < 0)
        return rc;
    out_group(stderr, "Getting log for task with id='%s'", id);
    return a->follow || a->wait ? follow_task(&c, id, stdout, &t, e) : print_log(&c, id, e);
}

/* The Go client's spelling; its log too came once the task had ended. */
static int run_go(const struct invocation *in, int *ret_exit, struct err *e)
{
    const struct common *common = in->args;
    const char *id = in->words->v[0];
    AUTO(client) struct client c = {0};
    (void)ret_exit;
    int rc = command_check_id(id, e);
    if (rc == 0)
        rc = command_open_go(common, stderr, &c, e);
    if (rc < 0)
        return rc;
    out_step(stderr, "Getting log for task with id='%s'", id);
    return print_log(&c, id, e);
}

const struct command cmd_worker_log = {
    .name = "worker log",
    .group = GROUP_GO,
    .words_usage = "ID",
    .summary = "Print the log of a task that has ended",
    .example = "worker log 5f0c7d009b2d4c0007a1c001",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_go,
};

const struct command cmd_log = {
    .name = "log",
    .group = GROUP_TASKS,
    .words_usage = "ID",
    .summary = "Print the log of a task",
    .details =
        "The log goes to stdout as it is, everything else to stderr. Without --follow the task\n"
        "must have ended. A follower waits for a task that is still queued, and goes on where\n"
        "it was when the connection or the server comes back.\n",
    .example = "log -f 5f0c7d009b2d4c0007a1c001",
    .min_words = 1,
    .max_words = 1,
    .flags = {flags, ARRAY_LEN(flags)},
    .args_bytes = sizeof(struct log_args),
    .run = run,
};
