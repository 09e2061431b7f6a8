/* Fuzzes .worker files: the parser and the keywords, and the scripts that are made of what they
 * accept. */
#include "cli/dotworker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dotworker_script.h"

#include "lib/banned.h"

#define SCRIPT_BYTES (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_scripts(const struct dotworker *w)
{
    AUTO(buf) struct buf out = BUF_INIT(SCRIPT_BYTES);
    dw_runner_script(w, &out);
    dw_build_script(w, &out);
    if (w->runtime->helper)
        dw_helper_script(w, &out);
    if (out.failed || strlen(buf_str(&out)) != out.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dotworker w = {0};
    struct err e = {0};
    int rc = dotworker_parse("fuzz.worker", (const char *)data, size, &w, &e);
    if (rc < 0) {
        if (strncmp(e.msg, "fuzz.worker:", strlen("fuzz.worker:")) != 0)
            abort(); /* every refusal says where */
        return 0;
    }
    if (!w.runtime || w.exec >= w.n || w.items[w.exec].kind != DW_EXEC || !w.name)
        abort();
    for (size_t i = 0; i < w.n; i++)
        if (w.items[i].at.line == 0 || w.items[i].at.line > size + 1)
            abort();
    check_scripts(&w);
    dotworker_release(&w);
    return 0;
}
