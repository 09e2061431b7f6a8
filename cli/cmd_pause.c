/* pause, resume: whether a code's queued tasks are handed out. */
#include "cli/command.h"

#include <string.h>

#include "cli/lookup.h"
#include "cli/out.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

/* What iron_worker said; scripts compare it. */
struct switch_words {
    const char *route, *group, *done, *already;
};

static int turn(const struct invocation *in, const struct switch_words *words, struct err *e)
{
    const struct common *common = in->args;
    const char *name = in->words->v[0];
    FILE *say = common->json ? NULL : stdout;
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(client) struct client c = {0};
    AUTO(reply) struct reply reply = {0};
    int rc = command_open(common, say, &c, e);
    if (rc < 0)
        return rc;
    out_group(say, "%s '%s'", words->group, name);
    rc = lookup_code_path(&c, name, words->route, &path, e);
    if (rc == 0)
        rc = client_post(&c, buf_str(&path), "{}", 2, &reply, e);
    if (rc < 0)
        return rc;
    if (!say)
        out_json(stdout, &reply.text);
    bool was_so = strncmp(json_get_str(reply.root, "msg", ""), "Already", 7) == 0;
    out_line(say, "Task queue and schedules for %s %s", name,
             was_so ? words->already : words->done);
    return 0;
}

static int run_pause(const struct invocation *in, int *ret_exit, struct err *e)
{
    static const struct switch_words words = {"/pause_task_queue",
                                              "Pausing task queue and schedules for",
                                              "paused successfully", "are already paused"};
    (void)ret_exit;
    return turn(in, &words, e);
}

const struct command cmd_pause = {
    .name = "pause",
    .group = GROUP_CODES,
    .words_usage = "NAME",
    .summary = "Hold the queued and scheduled tasks of a code back",
    .details = "What runs goes on. Tasks that are queued from now on wait for 'resume'.\n",
    .example = "pause hello",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_pause,
};

static int run_resume(const struct invocation *in, int *ret_exit, struct err *e)
{
    static const struct switch_words words = {"/resume_task_queue",
                                              "Resuming task queue and schedules for",
                                              "resumed successfully", "are already resumed"};
    (void)ret_exit;
    return turn(in, &words, e);
}

const struct command cmd_resume = {
    .name = "resume",
    .group = GROUP_CODES,
    .words_usage = "NAME",
    .summary = "Hand the tasks of a paused code out again",
    .example = "resume hello",
    .min_words = 1,
    .max_words = 1,
    .args_bytes = sizeof(struct common),
    .run = run_resume,
};
