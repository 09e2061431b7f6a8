/* Fuzzes request targets and form bodies: everything that comes out stands in the text that went
 * in, and decoding never makes it longer. */
#include "server/target.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t check(const char *at, const char *text, size_t size)
{
    if (*at && (at < text || at >= text + size))
        abort();
    return strlen(at);
}

static void check_args(const struct args *a, const char *text, size_t size)
{
    size_t total = 0;
    for (size_t i = 0; i < a->n; i++)
        total += check(a->at[i].name, text, size) + check(a->at[i].value, text, size);
    if (a->n > ARGS_MAX || total > size)
        abort();
}

static char *copy(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e;
    struct target t;
    struct args a;
    char *target = copy(data, size), *form = copy(data, size);
    if (target_parse(target, &t, &e) == 0) {
        if (t.n > SEGMENTS_MAX)
            abort();
        for (size_t i = 0; i < t.n; i++)
            check(t.segment[i], target, size);
        check_args(&t.args, target, size);
    }
    if (args_parse(form, &a, &e) == 0)
        check_args(&a, form, size);
    free(target);
    free(form);
    return 0;
}
