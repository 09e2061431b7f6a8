/* AES-256-GCM by OpenSSL's EVP interface, for secrets that we keep (server/vault.h). Encrypting
 * fails only as hashes do (lib/crypto.c), and aborts. */
#include "lib/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/banned.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

#define NONCE_BYTES 12
#define TAG_BYTES   16

/* gcm_start: a context that has seen `about`. */
static EVP_CIPHER_CTX *gcm_start(const uint8_t *key, const uint8_t *nonce, const char *about,
                                 int encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    must(ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) == 1 &&
         EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)about, (int)strlen(about)) == 1);
    return ctx;
}

void secret_seal(const uint8_t key[SEAL_KEY_BYTES], const char *about, const void *bytes,
                 size_t len, struct buf *out)
{
    char *at = buf_reserve(out, NONCE_BYTES + len + TAG_BYTES);
    if (!at)
        return; /* `out` knows */
    uint8_t *nonce = (uint8_t *)at, *body = nonce + NONCE_BYTES;
    int n;
    random_bytes(nonce, NONCE_BYTES);
    EVP_CIPHER_CTX *ctx = gcm_start(key, nonce, about, 1);
    must(EVP_CipherUpdate(ctx, body, &n, bytes, (int)len) == 1 && (size_t)n == len &&
         EVP_CipherFinal_ex(ctx, body + len, &n) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, body + len) == 1);
    EVP_CIPHER_CTX_free(ctx);
    buf_commit(out, NONCE_BYTES + len + TAG_BYTES);
}

int secret_open(const uint8_t key[SEAL_KEY_BYTES], const char *about, const void *sealed,
                size_t len, struct buf *out, struct err *e)
{
    if (len < NONCE_BYTES + TAG_BYTES)
        return err_set(e, ERR_INVALID, "sealed bytes are cut off");
    size_t plain = len - NONCE_BYTES - TAG_BYTES;
    const uint8_t *nonce = sealed, *body = nonce + NONCE_BYTES;
    uint8_t *to = (uint8_t *)buf_reserve(out, plain + 1); /* never of size 0 */
    uint8_t tag[TAG_BYTES];
    int n;
    if (!to)
        return buf_check(out, "unsealed bytes", e);
    memcpy(tag, body + plain, TAG_BYTES);
    EVP_CIPHER_CTX *ctx = gcm_start(key, nonce, about, 0);
    must(EVP_CipherUpdate(ctx, to, &n, body, (int)plain) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1);
    bool genuine = EVP_CipherFinal_ex(ctx, to + plain, &n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!genuine) {
        OPENSSL_cleanse(to, plain);
        return err_set(e, ERR_INVALID, "sealed with another key, or changed since");
    }
    buf_commit(out, plain);
    return 0;
}
