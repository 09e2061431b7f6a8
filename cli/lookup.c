/* Looking things up. */
#include "cli/lookup.h"

#include <string.h>

#include "cli/command.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

/* by_id: ERR_NOT_FOUND also for what cannot be an id. */
static int by_id(struct client *c, const char *id, struct code *ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    AUTO(reply) struct reply reply = {0};
    if (command_check_id(id, e) < 0)
        return e->code = ERR_NOT_FOUND;
    client_path(c, &path, "/codes/%s", id);
    int rc = client_get(c, buf_str(&path), &reply, e);
    return rc == 0 ? code_decode(reply.root, ret, e) : rc;
}

static int in_page(const struct json *codes, const char *name, struct code *ret, struct err *e)
{
    for (size_t i = 0; i < json_length(codes); i++) {
        const struct json *code = json_at(codes, i);
        if (strcmp(json_get_str(code, "name", ""), name) == 0)
            return code_decode(code, ret, e);
    }
    return err_set(e, ERR_NOT_FOUND, "there is no code \"%s\"", name);
}

static int by_name(struct client *c, const char *name, struct code *ret, struct err *e)
{
    for (int page = 0;; page++) {
        AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
        AUTO(reply) struct reply reply = {0};
        client_path(c, &path, "/codes?page=%d&per_page=%d", page, BOUND_PER_PAGE);
        int rc = client_get(c, buf_str(&path), &reply, e);
        if (rc < 0)
            return rc;
        const struct json *codes = json_member(reply.root, "codes");
        rc = in_page(codes, name, ret, e);
        bool more = json_length(codes) == BOUND_PER_PAGE && page < BOUND_PAGE;
        if (rc != ERR_NOT_FOUND || !more)
            return rc;
    }
}

int lookup_code(struct client *c, const char *name, struct code *ret, struct err *e)
{
    int rc = by_id(c, name, ret, e);
    return rc == ERR_NOT_FOUND ? by_name(c, name, ret, e) : rc;
}

int lookup_code_path(struct client *c, const char *name, const char *tail, struct buf *path,
                     struct err *e)
{
    AUTO(code) struct code code = {0};
    int rc = lookup_code(c, name, &code, e);
    if (rc == 0)
        client_path(c, path, "/codes/%s%s", code.id, tail);
    return rc;
}
