/* Ids: creation second ‖ Speck64/128 of (kind in the top byte, row below). A block cipher of 64
 * bits fits 16 hex digits exactly, and its 128-bit key cannot be searched. Both directions are hot:
 * every request decodes ids and every reply encodes some, so the digits go through tables. */
#include "lib/id.h"

#include <assert.h>
#include <string.h>

#include "lib/banned.h"

#define ROUNDS    27
#define ROW_BITS  56
#define ROW_MASK  ((UINT64_C(1) << ROW_BITS) - 1)
#define SEC_HEX   8
#define BLOCK_HEX 16
#define US_PER_S  1000000

static uint32_t rotl(uint32_t v, unsigned by)
{
    return v << by | v >> (32 - by);
}

static uint32_t rotr(uint32_t v, unsigned by)
{
    return v >> by | v << (32 - by);
}

static uint32_t load_le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The paper's names: x and y are the block's high and low word, k the round keys, l the schedule.
 */
void id_key_init(struct id_key *key, const uint8_t secret[ID_KEY_BYTES])
{
    uint32_t k = load_le32(secret);
    uint32_t l[3] = {load_le32(secret + 4), load_le32(secret + 8), load_le32(secret + 12)};
    for (uint32_t i = 0; i < ROUNDS; i++) {
        key->round[i] = k;
        uint32_t *li = &l[i % 3];
        *li = (k + rotr(*li, 8)) ^ i;
        k = rotl(k, 3) ^ *li;
    }
}

static uint64_t encrypt(const struct id_key *key, uint64_t block)
{
    uint32_t x = (uint32_t)(block >> 32), y = (uint32_t)block;
    for (int i = 0; i < ROUNDS; i++) {
        x = (rotr(x, 8) + y) ^ key->round[i];
        y = rotl(y, 3) ^ x;
    }
    return (uint64_t)x << 32 | y;
}

static uint64_t decrypt(const struct id_key *key, uint64_t block)
{
    uint32_t x = (uint32_t)(block >> 32), y = (uint32_t)block;
    for (int i = ROUNDS - 1; i >= 0; i--) {
        y = rotr(y ^ x, 3);
        x = rotl((x ^ key->round[i]) - y, 8);
    }
    return (uint64_t)x << 32 | y;
}

static char *put_hex(char *to, uint64_t v, int digits)
{
    for (int i = digits - 1; i >= 0; i--, v >>= 4)
        to[i] = "0123456789abcdef"[v & 15];
    return to + digits;
}

/* hex_values: one more than the digit's value, so that every other byte is 0. */
static const uint8_t hex_values[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* take_hex: false at the first byte that is no digit, so never beyond the text's NUL. */
static bool take_hex(const char *from, int digits, uint64_t *ret)
{
    uint64_t v = 0;
    for (int i = 0; i < digits; i++) {
        uint8_t value = hex_values[(uint8_t)from[i]];
        if (value == 0)
            return false;
        v = v << 4 | (value - 1u);
    }
    *ret = v;
    return true;
}

const char *id_encode(const struct id_key *key, enum id_kind kind, int64_t row, int64_t created_us,
                      char out[ID_TEXT])
{
    assert(row > 0 && (uint64_t)row <= ROW_MASK && created_us >= 0);
    uint64_t block = (uint64_t)kind << ROW_BITS | (uint64_t)row;
    char *end = put_hex(out, (uint32_t)(created_us / US_PER_S), SEC_HEX);
    end = put_hex(end, encrypt(key, block), BLOCK_HEX);
    *end = '\0';
    return out;
}

bool id_decode(const struct id_key *key, enum id_kind kind, const char *text, int64_t *ret_row,
               uint32_t *ret_created_s)
{
    uint64_t created_s, block;
    if (!take_hex(text, SEC_HEX, &created_s) || !take_hex(text + SEC_HEX, BLOCK_HEX, &block) ||
        text[ID_HEX] != '\0')
        return false;
    block = decrypt(key, block);
    if (block >> ROW_BITS != kind || (block & ROW_MASK) == 0)
        return false;
    *ret_row = (int64_t)(block & ROW_MASK);
    *ret_created_s = (uint32_t)created_s;
    return true;
}

bool id_matches(uint32_t created_s, int64_t created_us)
{
    return created_us >= 0 && (uint32_t)(created_us / US_PER_S) == created_s;
}
