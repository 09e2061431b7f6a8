/* Rows of keys and values. */
#include "cli/rows.h"

#include <inttypes.h>

#include "cli/out.h"

#include "lib/banned.h"

void row_text(const struct rows *r, const char *key, const char *value)
{
    if (!value || !value[0])
        return;
    fprintf(r->to, "%s%-16s ", r->indent, key);
    out_text(r->to, value);
}

void row_int(const struct rows *r, const char *key, int64_t v)
{
    char word[OUT_WORD];
    snprintf(word, sizeof(word), "%" PRId64, v);
    row_text(r, key, word);
}

void row_time(const struct rows *r, const char *key, int64_t at_us)
{
    char word[OUT_WORD];
    row_text(r, key, out_time(at_us, word));
}

void row_span(const struct rows *r, const char *key, int64_t us)
{
    char word[OUT_WORD];
    row_text(r, key, out_span(us, word));
}
