/* The tables of runtimes and of IronWorker's stacks. Neighbours: stacks/NAME/stack.json, which
 * tests/unit/test_stack.c holds to the first; api/code.h, whose words they explain. */
#include "api/stack.h"

#include <string.h>

#include "lib/bounds.h"
#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

/* Files from old clients carry no modes. "./", for a name without a slash would be sought in PATH;
 * a file's name is relative to the package. */
#define RUN_BINARY "chmod +x \"./$0\" && exec \"./$0\" \"$@\""

static const struct runtime runtimes[] = {
    {"sh", ".sh", STACK_CLASSIC, {"sh"}},
    {"bash", ".bash", STACK_CLASSIC, {"bash"}},
    {"python", ".py", STACK_CLASSIC, {"python3", "-u"}},
    {"python3", NULL, STACK_CLASSIC, {"python3", "-u"}},
    {"ruby", ".rb", STACK_CLASSIC, {"ruby"}},
    {"node", ".js", STACK_CLASSIC, {"node"}},
    {"javascript", NULL, STACK_CLASSIC, {"node"}}, /* the PHP client's word */
    {"php", ".php", STACK_CLASSIC, {"php"}},
    {"perl", ".pl", STACK_CLASSIC, {"perl"}},
    {"no_type_found", NULL, STACK_CLASSIC, {"sh"}}, /* the PHP client, of files it does not know */
    {"java", ".jar", NULL, {"java", "-jar"}},
    {"mono", ".exe", NULL, {"mono"}},
    {"go", ".go", NULL, {"go", "run"}},
    {"binary", "", STACK_CLASSIC, {"sh", "-c", RUN_BINARY}}, /* last: every name ends in "" */
};

/* The names that IronWorker had. ffmpeg-2.3, java-1.7, mono-3.0 and scala-2.9 have no heir. */
static const struct {
    const char *old, *today;
} heirs[] = {
    {"node-0.10", "node-18"},      {"php-5.4", "php-8.2"},   {"python-2.7", "python-3.11"},
    {"python-3.2", "python-3.11"}, {"ruby-1.9", "ruby-3.1"}, {"ruby-2.1", "ruby-3.1"},
};

static const struct runtime *runtime_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
        if (strcmp(runtimes[i].name, name) == 0)
            return &runtimes[i];
    return NULL;
}

static const struct runtime *runtime_of_file(const char *file_name)
{
    size_t i = 0;
    while (!runtimes[i].suffix || !str_ends(file_name, runtimes[i].suffix))
        i++;
    return &runtimes[i];
}

/* Those that have a stack. */
static void list_runtimes(struct buf *out)
{
    const char *before = "";
    for (size_t i = 0; i < ARRAY_LEN(runtimes); i++) {
        if (!runtimes[i].stack)
            continue;
        buf_addf(out, "%s%s", before, runtimes[i].name);
        before = ", ";
    }
}

int runtime_choose(const char *runtime, const char *file_name, bool placed,
                   const struct runtime **ret, struct err *e)
{
    bool named = runtime && *runtime;
    const struct runtime *rt = named ? runtime_named(runtime) : runtime_of_file(file_name);
    if (rt && (placed || rt->stack)) {
        *ret = rt;
        return 0;
    }
    AUTO(buf) struct buf known = BUF_INIT(BOUND_MSG_BYTES);
    list_runtimes(&known);
    if (!rt)
        return err_set(e, ERR_INVALID, "runtime: there is no %.40s; there are %s", runtime,
                       buf_str(&known));
    return err_set(e, ERR_INVALID, "runtime: no stack has %s, name an image; there are %s",
                   rt->name, buf_str(&known));
}

const char *stack_today(const char *old)
{
    for (size_t i = 0; i < ARRAY_LEN(heirs); i++)
        if (strcmp(heirs[i].old, old) == 0)
            return heirs[i].today;
    return NULL;
}
