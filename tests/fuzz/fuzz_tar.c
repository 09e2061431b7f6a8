/* Fuzzes what an engine may send as a build's folder: what is made of it passes the check of
 * uploads. */
#include "lib/archive.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/cleanup.h"
#include "lib/fs.h"

#include "lib/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const skip[] = {"skipped", NULL};
    const struct tar_want want = {.root = "task",
                                  .skip = skip,
                                  .limits = {.max_unpacked_bytes = 1 << 20, .max_entries = 100}};
    struct zip_facts facts;
    struct err e;
    autoclose int tar = memfd_create("tar", MFD_CLOEXEC);
    autoclose int zip = memfd_create("zip", MFD_CLOEXEC);
    if (tar < 0 || zip < 0 || fs_write_all(tar, data, size, "the tar", &e))
        abort();
    if (tar_to_zip(tar, &want, zip, &e) == 0 && zip_check(zip, &want.limits, &facts, &e))
        abort();
    return 0;
}
