/* Fuzzes zip_check and zip_to_tar: what passes the check must turn into a tar, and what does not
 * may fail there as well, but never more than that. */
#include "lib/archive.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int zip = -1, nowhere = -1;
    if (zip < 0) {
        zip = memfd_create("zip", MFD_CLOEXEC);
        nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    if (ftruncate(zip, 0) != 0 || pwrite(zip, data, size, 0) != (ssize_t)size)
        abort();
    static const struct zip_limits lim = {.max_unpacked_bytes = 1 << 20, .max_entries = 100};
    struct zip_facts facts;
    struct err e;
    int checked = zip_check(zip, &lim, &facts, &e);
    if (checked == 0 && (facts.entries == 0 || facts.entries > lim.max_entries ||
                         facts.unpacked_bytes > lim.max_unpacked_bytes))
        abort();
    int converted = zip_to_tar(zip, "code/", 1, 1, nowhere, &e);
    if (checked == 0 && converted != 0)
        abort();
    return 0;
}
