/* Time zones by IANA name, read from the system's compiled files (RFC 8536; Debian's package
 * tzdata).
 *
 * A zone is a row of segments with one offset each: local = UTC + offset within a segment. That is
 * all a schedule needs; no global TZ variable and no libc state is involved. Immutable after
 * zone_open; any thread. */
#pragma once

#include <stdint.h>

#include "lib/err.h"

struct zone;

/* zone_open: "Europe/Berlin", "UTC". ERR_INVALID for a name that is unknown or is no zone name;
 * ERR_IO for a file that cannot be read or makes no sense. zone_close takes NULL. */
NODISCARD int zone_open(const char *name, struct zone **ret, struct err *e);
void zone_close(struct zone *z);
static inline void zone_closep(struct zone **z)
{
    zone_close(*z);
}
#define autozone __attribute__((cleanup(zone_closep)))

/* Between two clock changes. UTC seconds since 1970. */
struct zone_segment {
    int64_t start_s; /* first second; INT64_MIN = since ever */
    int64_t end_s;   /* first second that is not in it; INT64_MAX = for ever */
    int64_t offset_s;
    int64_t before_offset_s; /* of the segment before; = offset_s when there is none */
};

/* zone_segment_at: the segment that holds `utc_s`. Changes that leave the offset as it is do not
 * end a segment. */
struct zone_segment zone_segment_at(const struct zone *z, int64_t utc_s);
