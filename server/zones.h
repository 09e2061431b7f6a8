/* Time zones by name, read once and kept: there are some hundred of them. One thread at a time. */
#pragma once

#include "lib/err.h"
#include "lib/zone.h"
#include "server/map.h"

struct zones { /* zeroed = empty */
    struct map by_name;
};

void zones_release(struct zones *z); /* empty and usable again */
/* zones_get: borrowed until the release. Errors as of zone_open. */
NODISCARD int zones_get(struct zones *z, const char *name, const struct zone **ret, struct err *e);
