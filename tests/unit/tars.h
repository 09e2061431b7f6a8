/* Tars made by hand: ustar headers, with the types that a build's folder may hold. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "lib/buf.h"

struct tar_entry {
    const char *name;
    char type; /* '0' file, '1' hard link, '2' symbolic link, '5' folder, '6' pipe */
    const char *data;
    const char *link;
    unsigned mode;
};

static inline void tar_put(struct buf *b, const struct tar_entry *t)
{
    char h[512] = {0};
    size_t len = t->data ? strlen(t->data) : 0;
    unsigned sum = 8 * ' ';
    snprintf(h, 100, "%s", t->name);
    snprintf(h + 100, 8, "%07o", t->mode);
    snprintf(h + 108, 8, "%07o", 10001);
    snprintf(h + 116, 8, "%07o", 10001);
    snprintf(h + 124, 12, "%011o", (unsigned)len & 0xffffff);
    snprintf(h + 136, 12, "%011o", 1700000000);
    h[156] = t->type;
    snprintf(h + 157, 100, "%s", t->link ? t->link : "");
    memcpy(h + 257,
           "ustar\0"
           "00",
           8);
    for (size_t i = 0; i < sizeof h; i++)
        sum += (unsigned char)h[i];
    snprintf(h + 148, 8, "%06o", sum);
    buf_add(b, h, sizeof h);
    buf_add(b, t->data, len);
    static const char zeros[512];
    buf_add(b, zeros, (512 - len % 512) % 512);
}

static inline void tar_make(struct buf *b, const struct tar_entry *entries, size_t n)
{
    static const char zeros[1024];
    for (size_t i = 0; i < n; i++)
        tar_put(b, &entries[i]);
    buf_add(b, zeros, sizeof zeros);
}
