/* What is known about one thing: "%-16s %s" lines, as iron_worker's `info` prints them. One thread.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

struct rows {
    FILE *to;
    const char *indent; /* before every line */
};

/* A row without a value (NULL or "") is left out; an unset time is "-". */
void row_text(const struct rows *r, const char *key, const char *value);
void row_int(const struct rows *r, const char *key, int64_t v);
void row_time(const struct rows *r, const char *key, int64_t at_us);
void row_span(const struct rows *r, const char *key, int64_t us);
