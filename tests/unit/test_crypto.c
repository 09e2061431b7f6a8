/* lib/crypto: known hashes, hashes in pieces, random bytes, hex. */
#include "lib/crypto.h"

#include <fcntl.h>

#include "lib/cleanup.h"
#include "tests/unit/tap.h"
#include "lib/banned.h"

#define SHA_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA_ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MD5_EMPTY "d41d8cd98f00b204e9800998ecf8427e"
#define MD5_ABC   "900150983cd24fb0d6963f7d28e17f72"

TEST(published_hashes_hold)
{
    char sha[SHA256_TEXT], md5[MD5_TEXT];
    sha256_hex("", 0, sha);
    CHECK_STR(sha, SHA_EMPTY);
    sha256_hex("abc", 3, sha);
    CHECK_STR(sha, SHA_ABC);
    md5_hex("", 0, md5);
    CHECK_STR(md5, MD5_EMPTY);
    md5_hex("abc", 3, md5);
    CHECK_STR(md5, MD5_ABC);
}

TEST(the_raw_hash_is_the_hex_one)
{
    uint8_t raw[SHA256_BYTES], from_hex[SHA256_BYTES];
    sha256_bytes("abc", 3, raw);
    CHECK(hex_decode(SHA_ABC, from_hex, sizeof(from_hex)));
    CHECK(memcmp(raw, from_hex, sizeof(raw)) == 0);
}

TEST(a_running_hash_can_be_looked_at_and_goes_on)
{
    char out[SHA256_TEXT];
    struct sha256 *h = sha256_new();
    sha256_peek(h, out);
    CHECK_STR(out, SHA_EMPTY);
    sha256_add(h, "a", 1);
    sha256_peek(h, out);
    sha256_peek(h, out);
    sha256_add(h, NULL, 0);
    sha256_add(h, "bc", 2);
    sha256_peek(h, out);
    CHECK_STR(out, SHA_ABC);
    sha256_free(h);
    sha256_free(NULL);
}

TEST(a_file_is_hashed_from_its_beginning_in_one_pass)
{
    enum { LEN = 200001 }; /* several reads and a short one */
    autofree char *bytes = malloc(LEN);
    for (int i = 0; i < LEN; i++)
        bytes[i] = (char)(i * 7 >> 3);
    autoclose int fd = open("f", O_RDWR | O_CREAT, 0600);
    CHECK_INT(write(fd, bytes, LEN), LEN);
    char sha[SHA256_TEXT], md5[MD5_TEXT], want_sha[SHA256_TEXT], want_md5[MD5_TEXT];
    struct err e;
    lseek(fd, 1000, SEEK_SET);
    CHECK_OK(file_digests(fd, sha, md5, &e), &e);
    CHECK_INT(lseek(fd, 0, SEEK_CUR), LEN);
    sha256_hex(bytes, LEN, want_sha);
    md5_hex(bytes, LEN, want_md5);
    CHECK_STR(sha, want_sha);
    CHECK_STR(md5, want_md5);
}

TEST(an_empty_file_has_the_empty_hashes)
{
    autoclose int fd = open("f", O_RDWR | O_CREAT, 0600);
    char sha[SHA256_TEXT], md5[MD5_TEXT];
    struct err e;
    CHECK_OK(file_digests(fd, sha, md5, &e), &e);
    CHECK_STR(sha, SHA_EMPTY);
    CHECK_STR(md5, MD5_EMPTY);
}

TEST(what_cannot_be_read_is_an_error_and_writes_nothing)
{
    char sha[SHA256_TEXT] = "s", md5[MD5_TEXT] = "m";
    struct err e;
    CHECK_INT(file_digests(-1, sha, md5, &e), ERR_IO);
    autoclose int dir = open(".", O_RDONLY);
    CHECK_INT(file_digests(dir, sha, md5, &e), ERR_IO);
    CHECK_STR(sha, "s");
    CHECK_STR(md5, "m");
}

TEST(random_bytes_fill_the_whole_room_and_no_more)
{
    enum { LEN = 100000 };
    autofree uint8_t *bytes = calloc(1, LEN + 1);
    int seen[256] = {0}, values = 0;
    random_bytes(bytes, 0);
    CHECK_INT(bytes[0], 0);
    random_bytes(bytes, LEN);
    CHECK_INT(bytes[LEN], 0);
    int tail_zero = 0;
    for (int i = 0; i < LEN; i++)
        seen[bytes[i]]++;
    for (int i = 0; i < 256; i++)
        values += seen[i] > 0;
    for (int i = LEN - 64; i < LEN; i++)
        tail_zero += bytes[i] == 0;
    CHECK_INT(values, 256);
    CHECK(tail_zero < 32);
}

TEST(random_hex_is_digits_of_the_asked_length)
{
    static const size_t lens[] = {0, 1, 16, 63, 64, 65, 128, 200};
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        char text[401] = "-", again[401] = "-";
        uint8_t bytes[200];
        random_hex(text, lens[i]);
        random_hex(again, lens[i]);
        if (lens[i] == 0)
            CHECK_STR(text, "-");
        else
            CHECK(hex_decode(text, bytes, lens[i]));
        CHECK(lens[i] < 16 || strcmp(text, again) != 0);
    }
}

TEST(bytes_are_compared_over_the_whole_length)
{
    CHECK(bytes_equal("abc", "abc", 3) && bytes_equal("abx", "aby", 2) && bytes_equal("a", "b", 0));
    CHECK(!bytes_equal("abc", "abd", 3) && !bytes_equal("xbc", "abc", 3));
    CHECK(!bytes_equal("a\0b", "a\0c", 3));
}

TEST(hex_is_decoded_only_when_it_is_all_hex)
{
    uint8_t out[2] = {9, 9};
    CHECK(hex_decode("00fF", out, 2));
    CHECK(out[0] == 0 && out[1] == 255);
    out[0] = out[1] = 9;
    static const char *const bad[] = {"", "0", "00f", "00ff0", "00fg", "g0ff", "00-1", " 00f"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!hex_decode(bad[i], out, 2));
    CHECK(out[0] == 9 && out[1] == 9);
    CHECK(hex_decode("", out, 0) && !hex_decode("0", out, 0));
}

/* ---- sealing ---- */

static const uint8_t seal_key[SEAL_KEY_BYTES] = {1, 2, 3};

static int unseal_as(const uint8_t *key, const char *about, const struct buf *sealed,
                     struct buf *out)
{
    struct err e = {0};
    return secret_open(key, about, sealed->data, sealed->len, out, &e);
}

TEST(what_is_sealed_opens_with_its_key_and_place_alone)
{
    static const uint8_t other[SEAL_KEY_BYTES] = {1, 2, 4};
    for (size_t len = 0; len < 40; len++) {
        AUTO(buf) struct buf sealed = BUF_INIT(1024), plain = BUF_INIT(1024);
        const char *text = "a secret of forty bytes and no more, yes";
        secret_seal(seal_key, "here", text, len, &sealed);
        CHECK_INT(sealed.len, len + 28);
        CHECK(len < 4 || !memmem(sealed.data, sealed.len, text, len));
        CHECK_INT(unseal_as(other, "here", &sealed, &plain), ERR_INVALID);
        CHECK_INT(unseal_as(seal_key, "there", &sealed, &plain), ERR_INVALID);
        CHECK_INT(plain.len, 0);
        CHECK_INT(unseal_as(seal_key, "here", &sealed, &plain), 0);
        CHECK(plain.len == len && memcmp(buf_str(&plain), text, len) == 0);
    }
}

TEST(a_changed_or_cut_seal_does_not_open)
{
    AUTO(buf) struct buf sealed = BUF_INIT(1024), plain = BUF_INIT(1024);
    secret_seal(seal_key, "x", "hello", 5, &sealed);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        CHECK_INT(unseal_as(seal_key, "x", &sealed, &plain), ERR_INVALID);
        sealed.data[i] ^= 1;
    }
    for (; sealed.len > 0; sealed.len--) {
        if (sealed.len < 33)
            CHECK_INT(unseal_as(seal_key, "x", &sealed, &plain), ERR_INVALID);
    }
}

TEST(the_same_bytes_never_look_the_same_sealed)
{
    AUTO(buf) struct buf a = BUF_INIT(1024), b = BUF_INIT(1024);
    secret_seal(seal_key, "x", "hello", 5, &a);
    secret_seal(seal_key, "x", "hello", 5, &b);
    CHECK(memcmp(a.data, b.data, a.len) != 0);
}

TAP_MAIN
