/* From .worker file to package: always started by our runner script, as IronWorker's own uploads
 * were (ironworker-api §7). Neighbours: dotworker.h reads, dotworker_tree.h packs. */
#include "cli/package_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/dotworker.h"
#include "cli/dotworker_script.h"
#include "cli/dotworker_tree.h"
#include "lib/str.h"

#include "lib/banned.h"

static void set(char **field, const char *value)
{
    free(*field);
    *field = str_dup(value);
}

static int pack(struct dotworker *w, struct package *p, struct err *e)
{
    struct dw_tree tree = {0};
    int rc = dw_tree_make(w, &tree, e);
    if (rc == 0)
        rc = temp_file(&p->fd, e);
    if (rc == 0)
        rc = dw_tree_zip(&tree, p->fd, e);
    if (rc == 0 && lseek(p->fd, 0, SEEK_SET) < 0)
        rc = err_os(e, ERR_IO, errno, "rewind the package");
    dw_tree_release(&tree);
    return rc;
}

static int fill(struct dotworker *w, const struct package_want *want, struct package *p,
                struct err *e)
{
    int rc = pack(w, p, e);
    if (rc < 0)
        return rc;
    set(&p->name, want->name ? want->name : w->name);
    set(&p->runtime, "sh");
    set(&p->file_name, DW_RUNNER_FILE);
    if (!want->stack && !want->image)
        set(&p->stack, w->stack);
    if (dotworker_builds(w))
        set(&p->build, "sh " DW_BUILD_FILE);
    if (w->warnings.len > 0)
        set(&p->warnings, buf_str(&w->warnings));
    return 0;
}

int package_worker(const char *path, const struct package_want *want, struct package *p,
                   struct err *e)
{
    struct dotworker w = {0};
    if (want->command || want->runtime || want->file_name || want->build)
        return err_set(e, ERR_INVALID,
                       "%s says how its worker is built and starts: --command, --runtime, "
                       "--file-name and --build do not go with it",
                       path);
    int rc = dotworker_load(path, &w, e);
    if (rc < 0)
        return rc;
    rc = fill(&w, want, p, e);
    dotworker_release(&w);
    return rc;
}
