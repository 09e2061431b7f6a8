/* Frames, the task document and the ending: the codec of api/init.md. Linked into the static
 * wrought-init, so nothing but libc, lib/buf and lib/err is used here.
 *
 * The parser trusts nothing: a torn frame may be followed by bytes that a task chose, so it looks
 * for the next header whose checksum holds and never believes a length before that. */
#include "api/frame.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/banned.h"

static const uint8_t magic[4] = {'W', 'R', 'I', '1'};

#define AT_TYPE   4
#define AT_STREAM 5
#define AT_ZERO   6
#define AT_LENGTH 8
#define AT_CRC    12

/* One frame that is not whole yet, and a large read behind it. */
#define PARSER_BYTES (FRAME_HEADER_BYTES + BOUND_FRAME_BYTES + (256u << 10))

/* ---- CRC-32, eight bytes at a time ("slicing-by-8": 5 times the speed of one) ---- */

static uint32_t crc_table[8][256];

/* Filled before main, so that parsers on several threads need no lock. */
__attribute__((constructor)) static void crc_fill(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = (c >> 1) ^ (c & 1 ? 0xedb88320u : 0);
        crc_table[0][i] = c;
    }
    for (int slice = 1; slice < 8; slice++) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = crc_table[slice - 1][i];
            crc_table[slice][i] = (c >> 8) ^ crc_table[0][c & 0xff];
        }
    }
}

static uint32_t crc_add(uint32_t crc, const uint8_t *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8) {
        uint32_t low = crc ^ frame_get_u32(p), high = frame_get_u32(p + 4);
        crc = crc_table[7][low & 0xff] ^ crc_table[6][low >> 8 & 0xff] ^
              crc_table[5][low >> 16 & 0xff] ^ crc_table[4][low >> 24] ^ crc_table[3][high & 0xff] ^
              crc_table[2][high >> 8 & 0xff] ^ crc_table[1][high >> 16 & 0xff] ^
              crc_table[0][high >> 24];
    }
    for (; len > 0; p++, len--)
        crc = (crc >> 8) ^ crc_table[0][(crc ^ *p) & 0xff];
    return crc;
}

static uint32_t frame_crc(const uint8_t *header, const uint8_t *body, size_t len)
{
    return ~crc_add(crc_add(~0u, header, AT_CRC), body, len);
}

/* ---- little-endian numbers ---- */

void frame_u32(uint8_t out[4], uint32_t v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> 8 * i);
}

void frame_u64(uint8_t out[8], uint64_t v)
{
    frame_u32(out, (uint32_t)v);
    frame_u32(out + 4, (uint32_t)(v >> 32));
}

uint32_t frame_get_u32(const uint8_t in[4])
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

uint64_t frame_get_u64(const uint8_t in[8])
{
    return frame_get_u32(in) | (uint64_t)frame_get_u32(in + 4) << 32;
}

/* ---- frames ---- */

void frame_put(struct buf *out, enum frame_type type, uint8_t stream, const void *body,
               uint32_t len)
{
    assert(len <= BOUND_FRAME_BYTES);
    uint8_t header[FRAME_HEADER_BYTES] = {0};
    memcpy(header, magic, sizeof(magic));
    header[AT_TYPE] = (uint8_t)type;
    header[AT_STREAM] = stream;
    frame_u32(header + AT_LENGTH, len);
    frame_u32(header + AT_CRC, frame_crc(header, body, len));
    buf_add(out, header, sizeof(header));
    buf_add(out, body, len);
}

void frame_parser_init(struct frame_parser *p)
{
    *p = (struct frame_parser){.in = BUF_INIT(PARSER_BYTES)};
}

void frame_parser_release(struct frame_parser *p)
{
    buf_release(&p->in);
}

int frame_feed(struct frame_parser *p, const void *bytes, size_t len, struct err *e)
{
    buf_consume(&p->in, p->used);
    p->used = 0;
    if (len > p->in.max - p->in.len)
        return err_set(e, ERR_TOO_BIG, "%zu bytes of frames wait unread", p->in.len);
    buf_add(&p->in, bytes, len);
    return 0;
}

/* header_possible: whether the `len` bytes at `p` can be, or begin, the header of a frame. */
static bool header_possible(const uint8_t *p, size_t len)
{
    if (memcmp(p, magic, len < sizeof(magic) ? len : sizeof(magic)) != 0)
        return false;
    if (len < AT_CRC)
        return true;
    return p[AT_ZERO] == 0 && p[AT_ZERO + 1] == 0 &&
           frame_get_u32(p + AT_LENGTH) <= BOUND_FRAME_BYTES;
}

/* next_candidate: how far from `p` on, after its first byte, a header may begin. */
static size_t next_candidate(const uint8_t *p, size_t len)
{
    const uint8_t *found = len > 1 ? memchr(p + 1, magic[0], len - 1) : NULL;
    return found ? (size_t)(found - p) : len;
}

bool frame_next(struct frame_parser *p, struct frame *ret)
{
    while (p->used < p->in.len) {
        const uint8_t *at = (const uint8_t *)p->in.data + p->used;
        size_t left = p->in.len - p->used;
        if (header_possible(at, left)) {
            if (left < FRAME_HEADER_BYTES)
                return false;
            uint32_t len = frame_get_u32(at + AT_LENGTH);
            const uint8_t *body = at + FRAME_HEADER_BYTES;
            if (left - FRAME_HEADER_BYTES < len)
                return false;
            if (frame_crc(at, body, len) == frame_get_u32(at + AT_CRC)) {
                *ret = (struct frame){
                    .type = at[AT_TYPE], .stream = at[AT_STREAM], .body = body, .len = len};
                p->used += FRAME_HEADER_BYTES + len;
                return true;
            }
        }
        size_t skip = next_candidate(at, left);
        p->used += skip;
        p->skipped += skip;
    }
    return false;
}

/* ---- the task document ---- */

#define DOC_HEADER_BYTES 5

void doc_put(struct buf *doc, enum doc_tag tag, const void *bytes, size_t len)
{
    uint8_t header[DOC_HEADER_BYTES] = {(uint8_t)tag};
    assert(len <= UINT32_MAX);
    frame_u32(header + 1, (uint32_t)len);
    buf_add(doc, header, sizeof(header));
    buf_add(doc, bytes, len);
}

int doc_next(const uint8_t *doc, size_t len, size_t *pos, enum doc_tag *ret_tag,
             const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
    size_t at = *pos;
    if (at == len)
        return 0;
    if (at > len || len - at < DOC_HEADER_BYTES)
        return err_set(e, ERR_PROTOCOL, "the task document ends inside a record");
    size_t n = frame_get_u32(doc + at + 1);
    if (n > len - at - DOC_HEADER_BYTES)
        return err_set(e, ERR_PROTOCOL, "a record is longer than the task document");
    *ret_tag = doc[at];
    *ret_bytes = doc + at + DOC_HEADER_BYTES;
    *ret_len = n;
    *pos = at + DOC_HEADER_BYTES + n;
    return 1;
}

/* ---- the ending ---- */

static const char *const end_kinds[] = {
    [END_EXITED] = "exited",           [END_SIGNALED] = "signaled",
    [END_EXEC_FAILED] = "exec_failed", [END_SETUP_FAILED] = "setup_failed",
    [END_DISK_FULL] = "disk_full",
};

enum field_type { FIELD_KIND, FIELD_TEXT, FIELD_INT, FIELD_I64, FIELD_U64 };

/* What an ending holds, in the order it is written. */
static const struct end_field {
    const char *key;
    enum field_type type;
    size_t offset;
} end_fields[] = {
    {"kind", FIELD_KIND, offsetof(struct init_end, kind)},
    {"code", FIELD_INT, offsetof(struct init_end, code)},
    {"signal", FIELD_INT, offsetof(struct init_end, signal)},
    {"errno", FIELD_INT, offsetof(struct init_end, os_errno)},
    {"where", FIELD_TEXT, offsetof(struct init_end, where)},
    {"log_bytes", FIELD_U64, offsetof(struct init_end, log_bytes)},
    {"stdout_bytes", FIELD_U64, offsetof(struct init_end, stdout_bytes)},
    {"memory_peak_bytes", FIELD_I64, offsetof(struct init_end, memory_peak_bytes)},
    {"cpu_us", FIELD_I64, offsetof(struct init_end, cpu_us)},
    {"oom_kills", FIELD_I64, offsetof(struct init_end, oom_kills)},
    {"memory_limit_bytes", FIELD_I64, offsetof(struct init_end, memory_limit_bytes)},
    {"swap_limit_bytes", FIELD_I64, offsetof(struct init_end, swap_limit_bytes)},
    {"cpu_quota_us", FIELD_I64, offsetof(struct init_end, cpu_quota_us)},
    {"pids_limit", FIELD_I64, offsetof(struct init_end, pids_limit)},
    {"cap_eff", FIELD_I64, offsetof(struct init_end, cap_eff)},
    {"no_new_privs", FIELD_I64, offsetof(struct init_end, no_new_privs)},
    {"seccomp_mode", FIELD_I64, offsetof(struct init_end, seccomp_mode)},
    {"uid", FIELD_I64, offsetof(struct init_end, uid)},
    {"rootfs_read_only", FIELD_I64, offsetof(struct init_end, rootfs_read_only)},
};

void init_end_init(struct init_end *end)
{
    *end = (struct init_end){
        .memory_peak_bytes = -1,
        .cpu_us = -1,
        .oom_kills = -1,
        .memory_limit_bytes = -1,
        .swap_limit_bytes = -1,
        .cpu_quota_us = -1,
        .pids_limit = -1,
        .cap_eff = -1,
        .no_new_privs = -1,
        .seccomp_mode = -1,
        .uid = -1,
        .rootfs_read_only = -1,
    };
}

/* put_line_of_text: `text` may quote what a user named, so that no line break gets through. */
static void put_line_of_text(struct buf *out, const char *text)
{
    for (; *text; text++)
        buf_addc(out, (unsigned char)*text < ' ' ? '?' : *text);
}

void init_end_encode(const struct init_end *end, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(end_fields); i++) {
        const struct end_field *f = &end_fields[i];
        const void *value = (const char *)end + f->offset;
        buf_addf(out, "%s ", f->key);
        switch (f->type) {
        case FIELD_KIND:
            buf_adds(out, end_kinds[end->kind]);
            break;
        case FIELD_TEXT:
            put_line_of_text(out, value);
            break;
        case FIELD_INT:
            buf_addf(out, "%d", *(const int *)value);
            break;
        case FIELD_I64:
            buf_addf(out, "%" PRId64, *(const int64_t *)value);
            break;
        case FIELD_U64:
            buf_addf(out, "%" PRIu64, *(const uint64_t *)value);
            break;
        }
        buf_addc(out, '\n');
    }
}

/* number_of: the decimal number in `text`, within [min, max]; the unsigned ones of an ending are
 * byte counts, which an int64 holds as well. */
static bool number_of(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    char *end = NULL;
    if (*text != '-' && (*text < '0' || *text > '9'))
        return false;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || v < min || v > max)
        return false;
    *ret = v;
    return true;
}

static bool kind_of(const char *word, enum end_kind *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(end_kinds); i++) {
        if (strcmp(word, end_kinds[i]) == 0) {
            *ret = (enum end_kind)i;
            return true;
        }
    }
    return false;
}

static bool set_field(struct init_end *end, const struct end_field *f, const char *text)
{
    void *value = (char *)end + f->offset;
    int64_t n;
    switch (f->type) {
    case FIELD_KIND:
        return kind_of(text, value);
    case FIELD_TEXT:
        snprintf(value, sizeof(end->where), "%s", text);
        return true;
    case FIELD_INT:
        if (!number_of(text, INT32_MIN, INT32_MAX, &n))
            return false;
        *(int *)value = (int)n;
        return true;
    case FIELD_I64:
        return number_of(text, INT64_MIN, INT64_MAX, value);
    case FIELD_U64:
        if (!number_of(text, 0, INT64_MAX, &n))
            return false;
        *(uint64_t *)value = (uint64_t)n;
        return true;
    }
    return false;
}

/* decode_line: `line` is "key value", in memory that may be written. */
static int decode_line(char *line, struct init_end *end, bool *has_kind, struct err *e)
{
    char *value = strchr(line, ' ');
    if (!value)
        return err_set(e, ERR_PROTOCOL, "a line of the ending has no value");
    *value++ = '\0';
    for (size_t i = 0; i < ARRAY_LEN(end_fields); i++) {
        const struct end_field *f = &end_fields[i];
        if (strcmp(line, f->key) != 0)
            continue;
        if (!set_field(end, f, value))
            return err_set(e, ERR_PROTOCOL, "bad %s in the ending", f->key);
        *has_kind = *has_kind || f->type == FIELD_KIND;
        return 0;
    }
    return 0;
}

int init_end_decode(const uint8_t *bytes, size_t len, struct init_end *ret, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(BOUND_FRAME_BYTES);
    if (memchr(bytes, '\0', len))
        return err_set(e, ERR_PROTOCOL, "a NUL byte in the ending");
    buf_add(&text, bytes, len);
    int rc = buf_check(&text, "the ending", e);
    if (rc)
        return rc;
    struct init_end end;
    init_end_init(&end);
    bool has_kind = false;
    for (char *line = text.data; line && *line;) {
        char *stop = strchr(line, '\n');
        if (!stop)
            return err_set(e, ERR_PROTOCOL, "the ending stops inside a line");
        *stop = '\0';
        rc = decode_line(line, &end, &has_kind, e);
        if (rc)
            return rc;
        line = stop + 1;
    }
    if (!has_kind)
        return err_set(e, ERR_PROTOCOL, "the ending does not say its kind");
    *ret = end;
    return 0;
}
