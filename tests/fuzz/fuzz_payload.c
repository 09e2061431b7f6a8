/* Fuzzes encrypted payloads: what a client sent, before and behind the RSA block. */
#include "lib/crypto_payload.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"
#include "tests/unit/payload_keys.h"

#include "lib/banned.h"

#define RSA_BYTES 256 /* of a block under KEY_PRIVATE */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct payload_key *key(void)
{
    static struct payload_key *k;
    struct err e;
    if (!k && payload_key_private(KEY_PRIVATE, strlen(KEY_PRIVATE), &k, &e))
        abort();
    return k;
}

static void decrypt(const char *text, size_t len)
{
    AUTO(buf) struct buf out = BUF_INIT(1 << 20);
    struct err e;
    int rc = payload_decrypt(key(), text, len, &out, &e);
    if (rc == 0 ? out.len > len : out.len != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decrypt((const char *)data, size);

    uint8_t *raw = NULL; /* the block of a good payload, with other bytes behind it */
    size_t len = 0;
    struct err e;
    if (str_unbase64(VECTOR, &raw, &len, &e))
        abort();
    autofree uint8_t *all = malloc(RSA_BYTES + size);
    if (!all)
        abort();
    memcpy(all, raw, RSA_BYTES);
    memcpy(all + RSA_BYTES, data, size);
    autofree char *text = str_base64(all, RSA_BYTES + size);
    decrypt(text, strlen(text));
    free(raw);
    return 0;
}
