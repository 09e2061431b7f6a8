/* TZif files (RFC 8536): explicit changes from the version-2 block, and after the last one the rule
 * of the footer (a POSIX TZ string, RFC 8536 §3.3.1), unrolled year by year when it is asked for.
 */
#include "lib/zone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/civil.h"
#include "lib/fs.h"
#include "lib/str.h"
#include "lib/zone_rule.h"
#include "lib/banned.h"

#define ZONE_DIR        "/usr/share/zoneinfo"
#define ZONE_FILE_BYTES (1u << 20)
#define ZONE_NAME_BYTES 64
#define HEADER_BYTES    44

struct change {
    int64_t at_s;
    int64_t offset_s;
};

struct zone {
    int64_t first_offset_s; /* before the first change */
    struct change *changes; /* ascending; neighbours differ in their offset */
    size_t n;
    bool has_rule;
    struct zone_rule rule;
    int64_t rule_from_s; /* the rule holds after this second: the file's last change */
};

struct tzif {
    const uint8_t *p, *end;
    uint32_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
};

static int64_t be(const uint8_t *p, int bytes)
{
    uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

static int broken(struct err *e, const char *what)
{
    return err_set(e, ERR_IO, "the time zone file is broken: %s", what);
}

/* Reads a header and leaves t->p behind it. */
static int read_header(struct tzif *t, char *ret_version, struct err *e)
{
    if (t->end - t->p < HEADER_BYTES || memcmp(t->p, "TZif", 4) != 0)
        return broken(e, "no TZif header");
    *ret_version = (char)t->p[4];
    uint32_t *counts[] = {&t->isutcnt, &t->isstdcnt, &t->leapcnt,
                          &t->timecnt, &t->typecnt,  &t->charcnt};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        *counts[i] = (uint32_t)be(t->p + 20 + 4 * i, 4);
        if (*counts[i] > 100000)
            return broken(e, "a count is out of all measure");
    }
    if (t->typecnt == 0)
        return broken(e, "no types");
    t->p += HEADER_BYTES;
    return 0;
}

static uint64_t block_bytes(const struct tzif *t, unsigned time_bytes)
{
    return (uint64_t)t->timecnt * (time_bytes + 1) + t->typecnt * UINT64_C(6) + t->charcnt +
           t->leapcnt * (uint64_t)(time_bytes + 4) + t->isstdcnt + t->isutcnt;
}

static void add_change(struct zone *z, int64_t at_s, int64_t offset_s)
{
    int64_t before = z->n ? z->changes[z->n - 1].offset_s : z->first_offset_s;
    if (offset_s != before)
        z->changes[z->n++] = (struct change){at_s, offset_s};
}

static int read_changes(struct zone *z, const struct tzif *t, struct err *e)
{
    const uint8_t *times = t->p, *kinds = times + t->timecnt * 8, *types = kinds + t->timecnt;
    z->changes = calloc(t->timecnt + 1, sizeof *z->changes);
    if (!z->changes)
        abort();
    z->first_offset_s = be(types, 4);
    z->rule_from_s = INT64_MIN;
    for (uint32_t i = 0; i < t->timecnt; i++) {
        int64_t at_s = be(times + i * 8, 8);
        if (kinds[i] >= t->typecnt || (i && at_s <= z->rule_from_s))
            return broken(e, "a change is out of order");
        z->rule_from_s = at_s;
        add_change(z, at_s, be(types + kinds[i] * 6, 4));
    }
    return 0;
}

static int read_footer(struct zone *z, const uint8_t *p, const uint8_t *end, struct err *e)
{
    const uint8_t *stop = p < end && *p == '\n' ? memchr(p + 1, '\n', (size_t)(end - p - 1)) : NULL;
    if (!stop)
        return broken(e, "no footer");
    autofree char *text = str_dupn((const char *)p + 1, (size_t)(stop - p - 1));
    if (text[0] == '\0')
        return 0;
    z->has_rule = zone_rule_parse(text, &z->rule);
    return z->has_rule ? 0 : broken(e, "the footer is no TZ string");
}

static int zone_read(struct zone *z, const struct buf *file, struct err *e)
{
    struct tzif t = {.p = (const uint8_t *)file->data,
                     .end = (const uint8_t *)file->data + file->len};
    char version;
    int r = read_header(&t, &version, e);
    if (r)
        return r;
    if (version < '2')
        return broken(e, "version 1, without 64-bit times");
    if (block_bytes(&t, 4) > (uint64_t)(t.end - t.p))
        return broken(e, "cut short");
    t.p += block_bytes(&t, 4);
    r = read_header(&t, &version, e);
    if (r)
        return r;
    if (block_bytes(&t, 8) > (uint64_t)(t.end - t.p))
        return broken(e, "cut short");
    r = read_changes(z, &t, e);
    return r ? r : read_footer(z, t.p + block_bytes(&t, 8), t.end, e);
}

/* Letters, digits and "_+-/", no empty and no dotted part: never a way out of ZONE_DIR. */
static bool name_is_sane(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > ZONE_NAME_BYTES || name[0] == '/' || name[len - 1] == '/')
        return false;
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    return strspn(name, allowed) == len && !strstr(name, "//");
}

int zone_open(const char *name, struct zone **ret, struct err *e)
{
    if (!name_is_sane(name))
        return err_set(e, ERR_INVALID, "\"%.64s\" is no time zone name (as Europe/Berlin)", name);
    autozone struct zone *z = calloc(1, sizeof *z);
    if (!z)
        abort();
    if (strcmp(name, "UTC") != 0) { /* UTC works without the zone files */
        autofree char *path = str_fmt("%s/%s", ZONE_DIR, name);
        AUTO(buf) struct buf file = BUF_INIT(ZONE_FILE_BYTES);
        int r = fs_read(path, &file, e);
        if (r == ERR_NOT_FOUND || (r && e->os_errno == EISDIR))
            return err_set(e, ERR_INVALID, "unknown time zone \"%s\"", name);
        if (r || (r = zone_read(z, &file, e)) != 0)
            return err_wrap(e, "time zone %s", name);
    }
    *ret = TAKE(z);
    return 0;
}

void zone_close(struct zone *z)
{
    if (z)
        free(z->changes);
    free(z);
}

/* The segment among the explicit changes; its end is open (INT64_MAX) after the last one. */
static struct zone_segment explicit_segment(const struct zone *z, int64_t utc_s)
{
    size_t lo = 0, hi = z->n; /* changes[lo-1] <= utc_s < changes[hi] */
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (z->changes[mid].at_s <= utc_s)
            lo = mid + 1;
        else
            hi = mid;
    }
    int64_t offset = lo ? z->changes[lo - 1].offset_s : z->first_offset_s;
    int64_t before = lo > 1 ? z->changes[lo - 2].offset_s : z->first_offset_s;
    return (struct zone_segment){.start_s = lo ? z->changes[lo - 1].at_s : INT64_MIN,
                                 .end_s = lo < z->n ? z->changes[lo].at_s : INT64_MAX,
                                 .offset_s = offset,
                                 .before_offset_s = lo ? before : offset};
}

/* rule_segment: narrows `seg` (open at its end) by the rule's changes of the years around `utc_s`.
 */
static struct zone_segment rule_segment(const struct zone *z, struct zone_segment seg,
                                        int64_t utc_s)
{
    int64_t year = civil_from_seconds(utc_s).year;
    for (int64_t y = year - 2; y <= year + 2; y++) {
        struct zone_rule_change c[2];
        zone_rule_year(&z->rule, y, c);
        for (int i = 0; i < 2; i++) {
            if (c[i].at_s <= z->rule_from_s || c[i].offset_s == seg.offset_s)
                continue; /* before the rule's time, or nothing changes */
            if (c[i].at_s > utc_s) {
                seg.end_s = c[i].at_s;
                return seg;
            }
            seg = (struct zone_segment){c[i].at_s, INT64_MAX, c[i].offset_s, seg.offset_s};
        }
    }
    return seg;
}

struct zone_segment zone_segment_at(const struct zone *z, int64_t utc_s)
{
    struct zone_segment seg = explicit_segment(z, utc_s);
    if (seg.end_s != INT64_MAX || !z->has_rule || !z->rule.has_dst)
        return seg;
    return rule_segment(z, seg, utc_s);
}
