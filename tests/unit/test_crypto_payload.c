/* lib/crypto_payload: there and back, what is told apart, what is refused. The vector was made by
 * another implementation: see VECTOR. */
#include "lib/crypto_payload.h"

#include "lib/str.h"
#include "tests/unit/payload_keys.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static struct payload_key *private_key(void)
{
    struct payload_key *k = NULL;
    struct err e = {0};
    CHECK_OK(payload_key_private(KEY_PRIVATE, strlen(KEY_PRIVATE), &k, &e), &e);
    return k;
}

static struct payload_key *public_key(void)
{
    struct payload_key *k = NULL;
    struct err e = {0};
    CHECK_OK(payload_key_public(KEY_PUBLIC, strlen(KEY_PUBLIC), &k, &e), &e);
    return k;
}

static char *encrypted(const void *bytes, size_t len)
{
    autopayloadkey struct payload_key *k = public_key();
    AUTO(buf) struct buf text = BUF_INIT(1 << 20);
    struct err e = {0};
    CHECK_OK(payload_encrypt(k, bytes, len, &text, &e), &e);
    return buf_take(&text);
}

static int decrypted(const char *text, struct buf *out, struct err *e)
{
    autopayloadkey struct payload_key *k = private_key();
    return payload_decrypt(k, text, strlen(text), out, e);
}

TEST(what_is_encrypted_comes_back_byte_for_byte)
{
    struct err e = {0};
    const char *const payloads[] = {"", "{\"n\":1}", "a\nb", NULL};
    for (const char *const *p = payloads; *p; p++) {
        AUTO(buf) struct buf out = BUF_INIT(1 << 20);
        autofree char *text = encrypted(*p, strlen(*p));
        CHECK_OK(decrypted(text, &out, &e), &e);
        CHECK_STR(buf_str(&out), *p);
    }
    AUTO(buf) struct buf out = BUF_INIT(1 << 20);
    autofree char *text = encrypted("a\0b", 3);
    CHECK_OK(decrypted(text, &out, &e), &e);
    CHECK_INT(out.len, 3);
    CHECK(memcmp(out.data, "a\0b", 3) == 0);
}

TEST(what_another_implementation_encrypted_is_read)
{
    AUTO(buf) struct buf out = BUF_INIT(1 << 20);
    struct err e = {0};
    CHECK_OK(decrypted(VECTOR, &out, &e), &e);
    CHECK_STR(buf_str(&out), VECTOR_PLAIN);
}

TEST(the_same_payload_never_looks_the_same)
{
    autofree char *one = encrypted("same", 4), *two = encrypted("same", 4);
    CHECK(strcmp(one, two) != 0);
}

TEST(plain_payloads_are_told_apart)
{
    AUTO(buf) struct buf out = BUF_INIT(1 << 20);
    uint8_t zeros[1000] = {0};
    autofree char *base64 = str_base64(zeros, sizeof zeros);
    const char *const plain[] = {"", "{}", "QUJD", base64, NULL};
    for (const char *const *p = plain; *p; p++) {
        struct err e = {0};
        CHECK_INT(decrypted(*p, &out, &e), ERR_EMPTY);
        CHECK_INT(out.len, 0);
    }
}

TEST(one_for_another_key_counts_as_plain)
{
    autopayloadkey struct payload_key *other = NULL;
    AUTO(buf) struct buf text = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
    struct err e = {0};
    CHECK_OK(payload_key_public(KEY_OTHER_PUBLIC, strlen(KEY_OTHER_PUBLIC), &other, &e), &e);
    CHECK_OK(payload_encrypt(other, "secret", 6, &text, &e), &e);
    CHECK_INT(decrypted(buf_str(&text), &out, &e), ERR_EMPTY);
}

TEST(a_changed_byte_behind_the_key_is_damage)
{
    uint8_t *raw = NULL;
    size_t len = 0;
    struct err e = {0};
    autofree char *text = encrypted("payload", 7);
    CHECK_OK(str_unbase64(text, &raw, &len, &e), &e);
    for (size_t at = 256; at < len; at++) { /* ciphertext, tag and nonce */
        AUTO(buf) struct buf out = BUF_INIT(1 << 20);
        raw[at] ^= 1;
        autofree char *changed = str_base64(raw, len);
        raw[at] ^= 1;
        CHECK_INT(decrypted(changed, &out, &e), ERR_INVALID);
        CHECK_INT(out.len, 0);
        CHECK_HAS(e.msg, "damaged");
    }
    free(raw);
}

TEST(what_is_no_key_is_refused)
{
    struct payload_key *k = NULL;
    struct err e = {0};
    const char *const wrong[] = {"", "no key", KEY_PUBLIC, KEY_EC_PRIVATE, KEY_LOCKED, NULL};
    for (const char *const *w = wrong; *w; w++)
        CHECK_INT(payload_key_private(*w, strlen(*w), &k, &e), ERR_INVALID);
    CHECK_INT(payload_key_public(KEY_PRIVATE, strlen(KEY_PRIVATE), &k, &e), ERR_INVALID);
    CHECK(!k);
    payload_key_free(NULL);
}

TEST(a_ceiling_holds_in_both_directions)
{
    autopayloadkey struct payload_key *pub = public_key(), *priv = private_key();
    AUTO(buf) struct buf small = BUF_INIT(10), out = BUF_INIT(3);
    struct err e = {0};
    CHECK_INT(payload_encrypt(pub, "payload", 7, &small, &e), ERR_TOO_BIG);
    autofree char *text = encrypted("payload", 7);
    CHECK_INT(payload_decrypt(priv, text, strlen(text), &out, &e), ERR_TOO_BIG);
}

TAP_MAIN
