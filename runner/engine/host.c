/* What the engine's host has and what it says it can enforce. */
#include "runner/engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"
#include "runner/engine/client.h"

#include "lib/banned.h"

struct host_answer {
    struct engine_host host;
    const char *cgroup;
    const struct json *security;
};

#define HOST(member) offsetof(struct host_answer, host.member)
/* What is absent is not promised. */
static const struct json_field host_fields[] = {
    {"NCPU", JT_INT, HOST(cpus), JF_REQUIRED, 0, 0},
    {"MemTotal", JT_INT, HOST(memory_bytes), JF_REQUIRED, 0, 0},
    {"MemoryLimit", JT_BOOL, HOST(memory_limit), 0, 0, 0},
    {"SwapLimit", JT_BOOL, HOST(swap_limit), 0, 0, 0},
    {"CpuCfsQuota", JT_BOOL, HOST(cpu_quota), 0, 0, 0},
    {"PidsLimit", JT_BOOL, HOST(pids_limit), 0, 0, 0},
    {"CgroupVersion", JT_STR, offsetof(struct host_answer, cgroup), 0, 0, 0},
    {"SecurityOptions", JT_ARR, offsetof(struct host_answer, security), 0, 0, 0},
};

/* A row of SecurityOptions is "name=seccomp,profile=default". */
static bool has_security(const struct json *options, const char *name)
{
    for (size_t i = 0; i < json_length(options); i++) {
        const char *row = json_string(json_at(options, i), NULL);
        if (!row || !str_starts(row, "name="))
            continue;
        row += strlen("name=");
        if (strcspn(row, ",") == strlen(name) && str_starts(row, name))
            return true;
    }
    return false;
}

int engine_info(struct engine *g, struct engine_host *ret, struct err *e)
{
    AUTO(buf) struct buf path = BUF_INIT(BOUND_URL_BYTES);
    autojson struct json *root = NULL;
    buf_adds(&path, "/info");
    int rc = engine_call(g, "GET", &path, NULL, ENGINE_ASK_MS, &root, e);
    if (rc < 0)
        return rc;
    struct host_answer a = {.cgroup = "1"}; /* API 1.40 names none and knows only version 1 */
    if (json_decode(root, host_fields, ARRAY_LEN(host_fields), JSON_LENIENT, &a, e) < 0)
        return engine_garbled("info", e);
    a.host.cgroup_version = strcmp(a.cgroup, "2") == 0 ? 2 : 1;
    a.host.seccomp = has_security(a.security, "seccomp");
    *ret = a.host;
    return 0;
}
