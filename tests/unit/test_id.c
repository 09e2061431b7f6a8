/* lib/id: the cipher by its published vector, and what makes an id valid. */
#include "lib/id.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"
#include "lib/banned.h"

/* The key of the paper's Speck64/128 vector, 1b1a1918 13121110 0b0a0908 03020100, whose last word
 * is the first of our bytes. */
static const uint8_t secret[ID_KEY_BYTES] = {0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0a, 0x0b,
                                             0x10, 0x11, 0x12, 0x13, 0x18, 0x19, 0x1a, 0x1b};
#define CREATED_US (INT64_C(0x57585cc9) * 1000000 + 689000)

TEST(the_published_vector_holds)
{
    /* plaintext 3b726574 7475432d: kind 0x3b, row 0x7265747475432d; ciphertext in the digits */
    struct id_key key;
    id_key_init(&key, secret);
    char out[ID_TEXT];
    CHECK_STR(id_encode(&key, (enum id_kind)0x3b, 0x7265747475432d, CREATED_US, out),
              "57585cc98c6fa548454e028b");
    int64_t row = 0;
    uint32_t created_s = 0;
    CHECK(id_decode(&key, (enum id_kind)0x3b, out, &row, &created_s));
    CHECK_INT(row, 0x7265747475432d);
    CHECK_INT(created_s, 0x57585cc9);
}

TEST(every_kind_and_row_comes_back)
{
    struct id_key key;
    id_key_init(&key, secret);
    static const int64_t rows[] = {1, 2, 255, 256, 1 << 20, (INT64_C(1) << 56) - 1};
    for (int kind = ID_PROJECT; kind <= ID_RUNNER; kind++) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            char out[ID_TEXT];
            int64_t row = 0;
            uint32_t created_s = 0;
            id_encode(&key, (enum id_kind)kind, rows[i], CREATED_US, out);
            CHECK_INT(strlen(out), ID_HEX);
            CHECK(id_decode(&key, (enum id_kind)kind, out, &row, &created_s));
            CHECK_INT(row, rows[i]);
            CHECK(id_matches(created_s, CREATED_US));
        }
    }
}

TEST(another_kind_does_not_decode)
{
    struct id_key key;
    id_key_init(&key, secret);
    char out[ID_TEXT];
    id_encode(&key, ID_TASK, 12, CREATED_US, out);
    int64_t row = 77;
    uint32_t created_s = 77;
    for (int kind = ID_PROJECT; kind <= ID_RUNNER; kind++)
        CHECK_INT(id_decode(&key, (enum id_kind)kind, out, &row, &created_s), kind == ID_TASK);
    row = created_s = 77;
    CHECK(!id_decode(&key, ID_CODE, out, &row, &created_s));
    CHECK(row == 77 && created_s == 77);
}

TEST(row_zero_does_not_decode)
{
    /* Encryptions of kind 1 with rows 0 and 1, by another implementation: id_encode makes no row 0.
     */
    struct id_key key;
    id_key_init(&key, secret);
    int64_t row = 77;
    uint32_t created_s = 77;
    CHECK(!id_decode(&key, ID_PROJECT, "0000000098ff35d908bd6803", &row, &created_s));
    CHECK(row == 77 && created_s == 77);
    CHECK(id_decode(&key, ID_PROJECT, "00000000fdb0e611b9d9c82e", &row, &created_s));
    CHECK(row == 1 && created_s == 0);
}

TEST(only_24_lower_case_digits_decode)
{
    struct id_key key;
    id_key_init(&key, secret);
    char good[ID_TEXT + 2] = "";
    id_encode(&key, ID_TASK, 7, CREATED_US, good);
    int64_t row;
    uint32_t created_s;
    for (size_t at = 0; at < ID_HEX; at++) {
        static const char bad[] = {'g', 'A', ' ', '-', '/', ':', '`', '\x80', '\xff', '\0'};
        for (size_t i = 0; i < sizeof(bad); i++) {
            char text[ID_TEXT];
            memcpy(text, good, ID_TEXT);
            text[at] = bad[i];
            CHECK(!id_decode(&key, ID_TASK, text, &row, &created_s));
        }
        char *cut = strndup(good, at); /* on the heap, so that a read beyond it is seen */
        CHECK(!id_decode(&key, ID_TASK, cut, &row, &created_s));
        free(cut);
    }
    good[ID_HEX] = '0';
    CHECK(!id_decode(&key, ID_TASK, good, &row, &created_s));
}

TEST(another_key_gives_other_ids_that_do_not_decode)
{
    struct id_key key, other;
    uint8_t changed[ID_KEY_BYTES];
    id_key_init(&key, secret);
    char out[ID_TEXT], with_other[ID_TEXT];
    id_encode(&key, ID_TASK, 7, CREATED_US, out);
    for (size_t i = 0; i < ID_KEY_BYTES; i++) { /* every byte of the secret counts */
        memcpy(changed, secret, sizeof(changed));
        changed[i] ^= 1;
        id_key_init(&other, changed);
        id_encode(&other, ID_TASK, 7, CREATED_US, with_other);
        CHECK(strcmp(out, with_other) != 0);
    }
}

TEST(neighbours_share_no_more_than_the_second)
{
    struct id_key key;
    id_key_init(&key, secret);
    char a[ID_TEXT], b[ID_TEXT];
    int different = 0;
    for (int64_t row = 1; row <= 1000; row++) {
        id_encode(&key, ID_TASK, row, CREATED_US, a);
        id_encode(&key, ID_TASK, row + 1, CREATED_US, b);
        CHECK(memcmp(a, b, 8) == 0);
        for (int i = 8; i < ID_HEX; i++)
            different += a[i] != b[i];
    }
    CHECK(different > 14000 && different < 16000); /* 15/16 of 16000 digits */
}

TEST(ids_sort_by_their_second)
{
    struct id_key key;
    id_key_init(&key, secret);
    char a[ID_TEXT], b[ID_TEXT];
    for (int64_t s = 1; s < 4000000000; s += 9999991) {
        id_encode(&key, ID_TASK, s, s * 1000000, a);
        id_encode(&key, ID_TASK, s, (s + 1) * 1000000, b);
        CHECK(strcmp(a, b) < 0);
    }
}

TEST(only_the_creation_second_matches)
{
    CHECK(id_matches(10, 10000000) && id_matches(10, 10999999));
    CHECK(!id_matches(10, 9999999) && !id_matches(10, 11000000) && !id_matches(0, -1));
}

TAP_MAIN
