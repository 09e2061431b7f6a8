/* Hashes and random bytes by OpenSSL 3's EVP interface. A digest call fails only when
 * memory is out or the library lacks the algorithm; neither leaves a way to go on, so both abort.
 */
#include "lib/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/banned.h"

#define MD5_BYTES  16
#define READ_BYTES (64u << 10)

struct sha256 {
    EVP_MD_CTX *ctx;
};

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void to_hex(const uint8_t *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

/* ---- running hashes ---- */

static EVP_MD_CTX *digest_start(const EVP_MD *md)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(ctx && EVP_DigestInit_ex(ctx, md, NULL));
    return ctx;
}

/* digest_end: writes the hash as hex and frees `ctx`. */
static void digest_end(EVP_MD_CTX *ctx, char *out)
{
    uint8_t md[EVP_MAX_MD_SIZE];
    unsigned len;
    must(EVP_DigestFinal_ex(ctx, md, &len));
    EVP_MD_CTX_free(ctx);
    to_hex(md, len, out);
}

struct sha256 *sha256_new(void)
{
    struct sha256 *h = malloc(sizeof(*h));
    must(h);
    h->ctx = digest_start(EVP_sha256());
    return h;
}

void sha256_add(struct sha256 *h, const void *bytes, size_t len)
{
    must(EVP_DigestUpdate(h->ctx, bytes, len));
}

void sha256_peek(const struct sha256 *h, char out[SHA256_TEXT])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new(); /* finishing would end the hash: finish a copy */
    must(copy && EVP_MD_CTX_copy_ex(copy, h->ctx));
    digest_end(copy, out);
}

void sha256_free(struct sha256 *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

/* ---- whole hashes ---- */

void sha256_bytes(const void *bytes, size_t len, uint8_t out[SHA256_BYTES])
{
    must(EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL));
}

void sha256_hex(const void *bytes, size_t len, char out[SHA256_TEXT])
{
    uint8_t md[SHA256_BYTES];
    sha256_bytes(bytes, len, md);
    to_hex(md, sizeof(md), out);
}

void md5_hex(const void *bytes, size_t len, char out[MD5_TEXT])
{
    uint8_t md[MD5_BYTES];
    must(EVP_Digest(bytes, len, md, NULL, EVP_md5(), NULL));
    to_hex(md, sizeof(md), out);
}

static int digest_file(int fd, EVP_MD_CTX *sha256, EVP_MD_CTX *md5, struct err *e)
{
    autofree uint8_t *block = malloc(READ_BYTES);
    must(block);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_os(e, ERR_IO, errno, "cannot rewind the file to hash");
    for (;;) {
        ssize_t n = read(fd, block, READ_BYTES);
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_os(e, ERR_IO, errno, "cannot read the file to hash");
        must(EVP_DigestUpdate(sha256, block, (size_t)n));
        must(EVP_DigestUpdate(md5, block, (size_t)n));
    }
}

int file_digests(int fd, char ret_sha256[SHA256_TEXT], char ret_md5[MD5_TEXT], struct err *e)
{
    EVP_MD_CTX *sha256 = digest_start(EVP_sha256());
    EVP_MD_CTX *md5 = digest_start(EVP_md5());
    int rc = digest_file(fd, sha256, md5, e);
    if (rc == 0) {
        digest_end(TAKE(sha256), ret_sha256);
        digest_end(TAKE(md5), ret_md5);
    }
    EVP_MD_CTX_free(sha256);
    EVP_MD_CTX_free(md5);
    return rc;
}

/* ---- random, comparison, hex ---- */

void random_bytes(void *out, size_t len)
{
    uint8_t *to = out;
    while (len > 0) {
        ssize_t n = getrandom(to, len, 0);
        must(n > 0 || errno == EINTR);
        if (n > 0) {
            to += n;
            len -= (size_t)n;
        }
    }
}

void random_hex(char *out, size_t len)
{
    uint8_t bytes[64];
    for (; len > 0; out += 2 * sizeof(bytes)) {
        size_t n = len < sizeof(bytes) ? len : sizeof(bytes);
        random_bytes(bytes, n);
        to_hex(bytes, n, out);
        len -= n;
    }
}

bool bytes_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_decode(const char *text, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < 2 * len; i++) {
        if (hex_value(text[i]) < 0)
            return false;
    }
    if (text[2 * len] != '\0')
        return false;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
    return true;
}
