/* The key file. Neighbour: server/credentials.c. */
#include "server/vault.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/crypto.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

struct vault {
    uint8_t key[SEAL_KEY_BYTES];
};

static int make_key(const char *path, uint8_t key[SEAL_KEY_BYTES], struct err *e)
{
    char text[2 * SEAL_KEY_BYTES + 2];
    random_hex(text, SEAL_KEY_BYTES);
    (void)hex_decode(text, key, SEAL_KEY_BYTES); /* our own digits */
    text[2 * SEAL_KEY_BYTES] = '\n';
    return fs_write_durable(path, text, sizeof(text) - 1, 0600, e);
}

int vault_open(const char *dir, struct vault **ret, struct err *e)
{
    autofree char *path = str_fmt("%s/secrets.key", dir);
    autofree char *text = NULL;
    autofree struct vault *v = calloc(1, sizeof(*v));
    if (!v)
        abort();
    int rc = fs_read_secret(path, &text, e);
    if (rc == 0 && !hex_decode(text, v->key, SEAL_KEY_BYTES))
        return err_set(e, ERR_INVALID, "%s: %d hex digits are expected", path, 2 * SEAL_KEY_BYTES);
    if (rc == ERR_NOT_FOUND) {
        err_clear(e);
        rc = make_key(path, v->key, e);
    }
    if (rc < 0)
        return rc;
    *ret = TAKE(v);
    return 0;
}

void vault_free(struct vault *v)
{
    if (v)
        explicit_bzero(v, sizeof(*v));
    free(v);
}

void vault_seal(const struct vault *v, const char *about, const void *bytes, size_t len,
                struct buf *out)
{
    secret_seal(v->key, about, bytes, len, out);
}

int vault_unseal(const struct vault *v, const char *about, const void *sealed, size_t len,
                 struct buf *out, struct err *e)
{
    return secret_open(v->key, about, sealed, len, out, e);
}
