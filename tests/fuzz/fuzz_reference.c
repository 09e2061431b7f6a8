/* Fuzzes the grammar of image references: what is accepted has no byte that a URL, a log line or an
 * engine could take for something else, and its last part stays one when a component comes before.
 */
#include "runner/engine/image.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char alphabet[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@+[]";
    autofree char *ref = str_dupn((const char *)data, size);
    if (!engine_is_reference(ref))
        return 0;
    if (ref[0] == '\0' || ref[strspn(ref, alphabet)] != '\0')
        abort();
    autofree char *local = str_fmt("localhost/%s", ref);
    bool has_domain = strchr(ref, '/') != NULL;
    if (!has_domain && strlen(ref) < 200 && !engine_is_reference(local))
        abort();
    return 0;
}
