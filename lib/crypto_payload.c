/* Encrypted payloads by OpenSSL 3's EVP interface. SHA-1 in OAEP and a key of 128 bits are what the
 * clients fixed; for OAEP, collisions of SHA-1 do not matter. */
#include "lib/crypto_payload.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto.h"
#include "lib/str.h"

#include "lib/banned.h"

#define AES_KEY_BYTES 16
#define TAG_BYTES     16
#define NONCE_BYTES   12
#define RSA_BITS_MIN  2048
#define RSA_BITS_MAX  16384
#define RSA_BYTES_MAX (RSA_BITS_MAX / 8)

struct payload_key {
    EVP_PKEY *pkey;
    size_t bytes; /* of one RSA block */
};

static void pkey_ctx_release(EVP_PKEY_CTX **c)
{
    EVP_PKEY_CTX_free(*c);
}

static void cipher_ctx_release(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c);
}

/* ---- keys ---- */

/* A key with a passphrase is refused: OpenSSL would ask the terminal for it. */
static int no_passphrase(char *text, int size, int writing, void *arg)
{
    (void)text, (void)size, (void)writing, (void)arg;
    return -1;
}

typedef EVP_PKEY *pem_reader(BIO *, EVP_PKEY **, pem_password_cb *, void *);

static int read_key(pem_reader *reader, const char *what, const char *pem, size_t len,
                    struct payload_key **ret, struct err *e)
{
    BIO *in = len <= PAYLOAD_KEY_PEM_BYTES ? BIO_new_mem_buf(pem, (int)len) : NULL;
    EVP_PKEY *pkey = in ? reader(in, NULL, no_passphrase, NULL) : NULL;
    BIO_free(in);
    if (!pkey)
        return err_set(e, ERR_INVALID, "no %s in PEM without a passphrase", what);
    int bits = EVP_PKEY_is_a(pkey, "RSA") ? EVP_PKEY_get_bits(pkey) : 0;
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
        EVP_PKEY_free(pkey);
        return err_set(e, ERR_INVALID, "the %s is no RSA key of %d to %d bits", what, RSA_BITS_MIN,
                       RSA_BITS_MAX);
    }
    struct payload_key *k = malloc(sizeof *k);
    if (!k)
        abort();
    *k = (struct payload_key){pkey, (size_t)EVP_PKEY_get_size(pkey)};
    *ret = k;
    return 0;
}

int payload_key_public(const char *pem, size_t len, struct payload_key **ret, struct err *e)
{
    return read_key(PEM_read_bio_PUBKEY, "public key", pem, len, ret, e);
}

int payload_key_private(const char *pem, size_t len, struct payload_key **ret, struct err *e)
{
    return read_key(PEM_read_bio_PrivateKey, "private key", pem, len, ret, e);
}

void payload_key_free(struct payload_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

/* ---- the AES key under RSA ---- */

typedef int rsa_start(EVP_PKEY_CTX *);

static EVP_PKEY_CTX *oaep(const struct payload_key *k, rsa_start *start)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    if (c && start(c) > 0 && EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) > 0 &&
        EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha1()) > 0 &&
        EVP_PKEY_CTX_set_rsa_mgf1_md(c, EVP_sha1()) > 0)
        return c;
    EVP_PKEY_CTX_free(c);
    return NULL;
}

static bool wrap_key(const struct payload_key *k, const uint8_t key[AES_KEY_BYTES], uint8_t *block)
{
    __attribute__((cleanup(pkey_ctx_release))) EVP_PKEY_CTX *c = oaep(k, EVP_PKEY_encrypt_init);
    size_t len = k->bytes;
    return c && EVP_PKEY_encrypt(c, block, &len, key, AES_KEY_BYTES) > 0 && len == k->bytes;
}

static bool unwrap_key(const struct payload_key *k, const uint8_t *block,
                       uint8_t key[AES_KEY_BYTES])
{
    __attribute__((cleanup(pkey_ctx_release))) EVP_PKEY_CTX *c = oaep(k, EVP_PKEY_decrypt_init);
    uint8_t out[RSA_BYTES_MAX];
    size_t len = sizeof out;
    if (!c || EVP_PKEY_decrypt(c, out, &len, block, k->bytes) <= 0 || len != AES_KEY_BYTES)
        return false;
    memcpy(key, out, AES_KEY_BYTES);
    return true;
}

/* ---- AES-GCM ---- */

static bool seal(const uint8_t key[AES_KEY_BYTES], const uint8_t *nonce, const void *bytes,
                 size_t len, uint8_t *out, uint8_t *tag)
{
    __attribute__((cleanup(cipher_ctx_release))) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0;
    return c && EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, nonce) &&
           (len == 0 || EVP_EncryptUpdate(c, out, &n, bytes, (int)len)) &&
           EVP_EncryptFinal_ex(c, out + n, &n) &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag);
}

static bool unseal(const uint8_t key[AES_KEY_BYTES], const uint8_t *bytes, size_t len,
                   uint8_t tag[TAG_BYTES], const uint8_t *nonce, uint8_t *out)
{
    __attribute__((cleanup(cipher_ctx_release))) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0;
    return c && EVP_DecryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, nonce) &&
           (len == 0 || EVP_DecryptUpdate(c, out, &n, bytes, (int)len)) &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) &&
           EVP_DecryptFinal_ex(c, out + n, &n);
}

/* ---- payloads ---- */

int payload_encrypt(const struct payload_key *k, const void *bytes, size_t len, struct buf *ret,
                    struct err *e)
{
    uint8_t key[AES_KEY_BYTES];
    if (len > ret->max)
        return err_set(e, ERR_TOO_BIG, "the payload has %zu bytes; at most %zu", len, ret->max);
    autofree uint8_t *all = malloc(k->bytes + len + TAG_BYTES + NONCE_BYTES);
    if (!all)
        abort();
    uint8_t *cipher = all + k->bytes, *tag = cipher + len, *nonce = tag + TAG_BYTES;
    random_bytes(key, sizeof key);
    random_bytes(nonce, NONCE_BYTES);
    if (!wrap_key(k, key, all) || !seal(key, nonce, bytes, len, cipher, tag))
        return err_set(e, ERR_INTERNAL, "libcrypto cannot encrypt the payload");
    autofree char *text = str_base64(all, k->bytes + len + TAG_BYTES + NONCE_BYTES);
    buf_adds(ret, text);
    return buf_check(ret, "the encrypted payload", e);
}

int payload_decrypt(const struct payload_key *k, const char *text, size_t len, struct buf *ret,
                    struct err *e)
{
    autofree char *copy = str_dupn(text, len);
    autofree uint8_t *all = NULL;
    uint8_t key[AES_KEY_BYTES];
    size_t n = 0;
    if (strlen(copy) != len || str_unbase64(copy, &all, &n, e) ||
        n < k->bytes + TAG_BYTES + NONCE_BYTES || !unwrap_key(k, all, key))
        return err_set(e, ERR_EMPTY, "not encrypted for this key");
    size_t body = n - k->bytes - TAG_BYTES - NONCE_BYTES;
    uint8_t *cipher = all + k->bytes, *tag = cipher + body;
    char *out = buf_reserve(ret, body);
    if (!out)
        return buf_check(ret, "the decrypted payload", e);
    if (!unseal(key, cipher, body, tag, tag + TAG_BYTES, (uint8_t *)out))
        return err_set(e, ERR_INVALID,
                       "the encrypted payload is damaged: its key fits, its checksum does not");
    buf_commit(ret, body);
    return 0;
}
