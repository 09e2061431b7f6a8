/* What a request says: its route, its query but for the token, and its body. Neighbours: the
 * handlers that queue; server/enqueue.c keeps the key. */
#include "server/once.h"

#include <string.h>

#include "server/routes.h"

#include "lib/banned.h"

static void add_text(struct sha256 *h, const char *text)
{
    sha256_add(h, text, strlen(text) + 1); /* with its NUL, so that no two lists read the same */
}

int once_read(const struct req *rq, struct op_enqueue *o, struct err *e)
{
    const char *key = rq->fields.idempotency_key;
    if (!key)
        return 0;
    size_t len = strlen(key);
    if (len == 0 || len > ONCE_KEY_BYTES)
        return err_set(e, ERR_INVALID, "Idempotency-Key: 1 to %d bytes are expected, not %zu",
                       ONCE_KEY_BYTES, len);
    for (const char *p = key; *p; p++)
        if (*p < ' ' || *p > '~')
            return err_set(e, ERR_INVALID, "Idempotency-Key: printable ASCII is expected");
    struct sha256 *h = sha256_new();
    add_text(h, rq->route->pattern);
    for (size_t i = 0; i < rq->target.args.n; i++) {
        const struct arg *a = &rq->target.args.at[i];
        if (strcmp(a->name, "oauth") == 0)
            continue;
        add_text(h, a->name);
        add_text(h, a->value);
    }
    sha256_add(h, rq->body.data, rq->body.len);
    sha256_peek(h, o->once_hash);
    sha256_free(h);
    o->once_key = key;
    return 0;
}

void once_header(const struct op_enqueue *o, struct resp *rs)
{
    if (o->ret_again)
        resp_header(rs, "Idempotent-Replayed", "true");
}
