/* --wait. */
#include "cli/wait.h"

#include "cli/follow.h"
#include "cli/out.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

/* An error without an exit code is not the task's own doing. */
int wait_exit_code(const struct task *t)
{
    switch (t->state) {
    case TASK_COMPLETE:
        return 0;
    case TASK_TIMEOUT:
        return err_exit_code(ERR_TIMEOUT);
    case TASK_CANCELLED:
        return err_exit_code(ERR_CANCELLED);
    default:
        return t->exit_code > 0 ? (int)t->exit_code : err_exit_code(ERR_INTERNAL);
    }
}

int wait_for_task(struct client *c, const char *id, int *ret_exit, struct err *e)
{
    AUTO(task) struct task t = {0};
    int rc = follow_task(c, id, stdout, &t, e);
    if (rc < 0)
        return rc;
    out_group(stderr, "Task ended: %s", task_state_own_name(t.state));
    if (t.exit_code > 0)
        out_line(stderr, "exit code %lld", (long long)t.exit_code);
    else if (t.state != TASK_COMPLETE && (t.reason || t.msg))
        out_line(stderr, "%s", t.reason ? t.reason : t.msg);
    *ret_exit = wait_exit_code(&t);
    return 0;
}
