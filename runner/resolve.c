/* Images: inspect first, pull only what is absent. */
#include "runner/resolve.h"

#include "lib/bounds.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "runner/command.h"

#include "lib/banned.h"

#define PULL_TIMEOUT_MS (15 * 60 * 1000)

static int must_stop(void *arg)
{
    struct node *n = arg;
    return node_stopping(n) >= GIVE_BACK;
}

/* Whether it is there: 0, ERR_NOT_FOUND, or another error. */
static int inspect(struct engine *g, const char *ref, struct engine_image *ret, struct err *e)
{
    int rc = engine_image_inspect(g, ref, ret, e);
    if (rc == ERR_INVALID)
        return err_wrap(e, "image %.100s", ref); /* no valid reference */
    if (rc && rc != ERR_NOT_FOUND)
        return err_wrap(e, "image");
    return rc;
}

int image_resolve(struct engine *g, struct node *n, const struct grant *grant,
                  struct engine_image *ret, char **ret_ref, struct err *e)
{
    AUTO(buf) struct buf ref = BUF_INIT(BOUND_NAME_BYTES * 4);
    bool is_stack = false;
    if (command_image(grant, &ref, &is_stack, e) || buf_check(&ref, "image", e))
        return e->code;
    int rc = inspect(g, buf_str(&ref), ret, e);
    if (rc == ERR_NOT_FOUND && is_stack)
        return err_set(e, ERR_UNAVAILABLE, "this node's engine has no stack image %s",
                       buf_str(&ref));
    if (rc == ERR_NOT_FOUND) {
        log_info("pulling image=%s task=%s", buf_str(&ref), grant->ref.task);
        rc = engine_image_pull(g, buf_str(&ref), NULL, PULL_TIMEOUT_MS, must_stop, n, e);
        if (rc == ERR_NOT_FOUND)
            return err_set(e, ERR_INVALID, "image %.150s does not exist", buf_str(&ref));
        if (rc)
            return err_wrap(e, "pulling %.100s", buf_str(&ref));
        rc = inspect(g, buf_str(&ref), ret, e);
        if (rc == ERR_NOT_FOUND)
            return err_set(e, ERR_UNAVAILABLE, "image %.150s is absent after its pull",
                           buf_str(&ref));
    }
    if (rc == 0)
        *ret_ref = buf_take(&ref);
    return rc;
}
