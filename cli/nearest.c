/* Nearness is Levenshtein's distance, at most two; never so far that nothing of a word is left. */
#include "cli/nearest.h"

#include <string.h>

#include "lib/banned.h"

#define MAX_WORD     32
#define MAX_DISTANCE 2

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* distance: insertions, deletions and replacements from `a` to `b`, which fits MAX_WORD. */
static size_t distance(const char *a, const char *b)
{
    size_t row[MAX_WORD + 1];
    size_t n = strlen(b);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

const char *nearest(const char *typed, const char *(*name_at)(size_t i))
{
    const char *found = NULL, *name;
    size_t best = MAX_DISTANCE + 1;
    if (strlen(typed) > MAX_WORD)
        return NULL;
    for (size_t i = 0; (name = name_at(i)); i++) {
        size_t len = strlen(name);
        size_t d = len <= MAX_WORD ? distance(typed, name) : best;
        if (d < best && d < len) {
            best = d;
            found = name;
        }
    }
    return found;
}
