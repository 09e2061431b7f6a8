/* Zips made by hand, with every field in reach: what a writer would never let one do. */
#pragma once

#include <string.h>

#include "lib/buf.h"

struct zip_entry {
    const char *name;
    const char *data;
    unsigned host;          /* "version made by", upper byte: 0 DOS, 3 Unix */
    unsigned mode;          /* upper half of the external attributes */
    unsigned dos;           /* lower half */
    unsigned flags;         /* 1 encrypted, 8 sizes behind the data, 0x800 UTF-8 */
    uint32_t crc_xor;       /* breaks the CRC */
    int32_t size_more;      /* added to the size that the headers say */
    const char *local_name; /* other than in the directory */
};

static inline void zip_put(struct buf *b, unsigned bytes, uint64_t v)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_addc(b, (char)(v >> 8 * i));
}

static inline uint32_t zip_crc(const char *p, size_t len)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

/* What both headers have in common, from the flags to the lengths. */
static inline void zip_put_common(struct buf *b, const struct zip_entry *z, size_t name_len,
                                  bool local)
{
    size_t len = strlen(z->data);
    bool later = local && (z->flags & 8);
    zip_put(b, 2, z->flags);
    zip_put(b, 2, 0);          /* stored */
    zip_put(b, 4, 0x00210000); /* 1980-01-01 00:00 */
    zip_put(b, 4, later ? 0 : zip_crc(z->data, len) ^ z->crc_xor);
    zip_put(b, 4, later ? 0 : len);
    zip_put(b, 4, later ? 0 : len + (uint64_t)(int64_t)z->size_more);
    zip_put(b, 2, name_len);
    zip_put(b, 2, 0); /* extra */
}

static inline void zip_put_local(struct buf *b, const struct zip_entry *z)
{
    size_t len = strlen(z->data);
    const char *name = z->local_name ? z->local_name : z->name;
    buf_adds(b, "PK\3\4");
    zip_put(b, 2, 20);
    zip_put_common(b, z, strlen(name), true);
    buf_adds(b, name);
    buf_adds(b, z->data);
    if (z->flags & 8) {
        buf_adds(b, "PK\7\10");
        zip_put(b, 4, zip_crc(z->data, len) ^ z->crc_xor);
        zip_put(b, 4, len);
        zip_put(b, 4, len);
    }
}

static inline void zip_put_central(struct buf *b, const struct zip_entry *z, size_t at)
{
    buf_adds(b, "PK\1\2");
    zip_put(b, 2, 20 | z->host << 8);
    zip_put(b, 2, 20);
    zip_put_common(b, z, strlen(z->name), false);
    zip_put(b, 2, 0); /* comment */
    zip_put(b, 2, 0); /* disk */
    zip_put(b, 2, 0); /* internal attributes */
    zip_put(b, 4, z->dos | (uint64_t)z->mode << 16);
    zip_put(b, 4, at);
    buf_adds(b, z->name);
}

static inline void zip_make(struct buf *b, const struct zip_entry *entries, size_t n)
{
    size_t at[64] = {0}, base = b->len;
    for (size_t i = 0; i < n; i++) {
        at[i] = b->len - base;
        zip_put_local(b, &entries[i]);
    }
    size_t start = b->len;
    for (size_t i = 0; i < n; i++)
        zip_put_central(b, &entries[i], at[i]);
    size_t bytes = b->len - start;
    buf_adds(b, "PK\5\6");
    zip_put(b, 4, 0);
    zip_put(b, 2, n);
    zip_put(b, 2, n);
    zip_put(b, 4, bytes);
    zip_put(b, 4, start - base);
    zip_put(b, 2, 0);
}
