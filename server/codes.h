/* The codes that the rules have met, kept in memory so that a claim or an insert reads no code row.
 * Only the writer changes codes, so what is here is what the file says. The writer's thread only.
 */
#pragma once

#include "server/map.h"
#include "server/store_write.h"

struct lane;

struct qcode {
    struct code_rules r;
    int64_t live;       /* attempts that are preparing, running or stopping */
    struct lane *lanes; /* all of its lanes, whatever their state (server/lanes.h) */
};

struct codes { /* zeroed = empty */
    struct map by_n, by_name;
};

void codes_release(struct codes *c); /* empty and usable again */
/* Both read the row the first time. ERR_NOT_FOUND; a deleted code is found by number alone. */
NODISCARD int codes_by_name(struct codes *c, struct store *s, int64_t project, const char *name,
                            struct qcode **ret, struct err *e);
NODISCARD int codes_by_n(struct codes *c, struct store *s, int64_t n, struct qcode **ret,
                         struct err *e);
/* codes_known: the code if it is in memory, else NULL. */
struct qcode *codes_known(const struct codes *c, int64_t n);
void codes_deleted(struct codes *c, struct qcode *code); /* its name finds it no more */

/* qcode_full: its limit allows no further attempt. qcode_held: nothing of it may be claimed now. */
bool qcode_full(const struct qcode *c);
bool qcode_held(const struct qcode *c);
