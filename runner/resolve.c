/* Images: inspect first, pull only what is absent. */
#include "runner/resolve.h"

#include "api/stack.h"
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
        return err_wrap(e, "image %.100s", ref);
    if (rc && rc != ERR_NOT_FOUND)
        return err_wrap(e, "image");
    return rc;
}

/* inspect_stack: under its own name, or as the stack that took its place; `ref` is the one found.
 */
static int inspect_stack(struct engine *g, const char *stack, struct buf *ref,
                         struct engine_image *ret, struct err *e)
{
    int rc = inspect(g, buf_str(ref), ret, e);
    const char *today = stack_today(stack);
    if (rc == ERR_NOT_FOUND && today) {
        err_clear(e);
        buf_clear(ref);
        buf_addf(ref, STACK_TAG "%s", today);
        rc = inspect(g, buf_str(ref), ret, e);
    }
    if (rc == ERR_NOT_FOUND)
        return err_set(e, ERR_UNAVAILABLE, "this node's engine has no stack image %s",
                       buf_str(ref));
    return rc;
}

/* inspect_or_pull: an image that is not there is fetched. */
static int inspect_or_pull(struct engine *g, struct node *n, const struct grant *grant,
                           const char *ref, struct engine_image *ret, struct err *e)
{
    int rc = inspect(g, ref, ret, e);
    if (rc != ERR_NOT_FOUND)
        return rc;
    const char *auth = grant->registry_auth && *grant->registry_auth ? grant->registry_auth : NULL;
    log_info("pulling image=%s task=%s", ref, grant->ref.task);
    rc = engine_image_pull(g, ref, auth, PULL_TIMEOUT_MS, must_stop, n, e);
    if (rc == ERR_NOT_FOUND)
        return err_set(e, ERR_INVALID, "image %.150s does not exist", ref);
    if (rc)
        return err_wrap(e, "pulling %.100s", ref);
    rc = inspect(g, ref, ret, e);
    if (rc == ERR_NOT_FOUND)
        return err_set(e, ERR_UNAVAILABLE, "image %.150s is absent after its pull", ref);
    return rc;
}

int image_resolve(struct engine *g, struct node *n, const struct grant *grant,
                  struct engine_image *ret, char **ret_ref, struct err *e)
{
    AUTO(buf) struct buf ref = BUF_INIT(BOUND_NAME_BYTES * 4);
    bool is_stack = false;
    if (command_image(grant, &ref, &is_stack, e) || buf_check(&ref, "image", e))
        return e->code;
    int rc = is_stack ? inspect_stack(g, grant->stack, &ref, ret, e)
                      : inspect_or_pull(g, n, grant, buf_str(&ref), ret, e);
    if (rc == 0)
        *ret_ref = buf_take(&ref);
    return rc;
}
