/* Reads STATE/jobs. What becomes of each job is decided in its slot (slot.c, take_over). */
#include "runner/adopt.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/log.h"
#include "lib/str.h"

#include "lib/banned.h"

static void adopt(struct node *n, struct jobs *js, const char *dir, struct job ***list,
                  size_t *count)
{
    struct job *j = NULL;
    struct err e = {0};
    if (job_load(n, dir, &j, &e)) {
        log_warn("removing a directory that holds no job: %s", e.msg);
        struct err remove_err = {0};
        if (fs_remove_tree(dir, &remove_err))
            log_warn("cannot remove %s: %s", dir, remove_err.msg);
        return;
    }
    struct job **grown = realloc(*list, (*count + 1) * sizeof *grown);
    if (!grown)
        abort();
    *list = grown;
    grown[(*count)++] = j;
    jobs_add(js, j);
    log_info("going on with task=%s attempt=%lld slot=%d spooled=%llu ended=%s", j->grant.ref.task,
             (long long)j->grant.ref.attempt, j->slot, (unsigned long long)j->spooled,
             j->finish ? "yes" : "no");
}

int adopt_jobs(struct node *n, struct jobs *js, struct job ***ret, size_t *ret_n, struct err *e)
{
    autofree char *path = str_fmt("%s/jobs", n->set.state_dir);
    *ret = NULL;
    *ret_n = 0;
    DIR *d = opendir(path);
    if (!d)
        return err_os(e, ERR_IO, errno, "state directory %s", path);
    for (struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.')
            continue;
        autofree char *dir = str_fmt("%s/%s", path, entry->d_name);
        adopt(n, js, dir, ret, ret_n);
    }
    closedir(d);
    return 0;
}
