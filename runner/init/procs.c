/* PID 1 of a PID namespace signals everything in it with kill(-1); elsewhere that would hit the
 * whole machine, so the tree of descendants is walked instead. */
#include "runner/init/procs.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/banned.h"

#define TREE_MAX 4096 /* descendants signalled in one go */

struct pid_list {
    pid_t pids[TREE_MAX];
    size_t n;
};

static bool is_pid1(void)
{
    return getpid() == 1;
}

bool procs_adopt(void)
{
    return is_pid1() || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

static void add_children_of_thread(pid_t pid, const char *thread, struct pid_list *list)
{
    char path[320];
    int child;
    snprintf(path, sizeof(path), "/proc/%d/task/%s/children", (int)pid, thread);
    autofclose FILE *f = fopen(path, "re");
    while (f && list->n < TREE_MAX && fscanf(f, "%d", &child) == 1)
        list->pids[list->n++] = child;
}

static void add_children(pid_t pid, struct pid_list *list)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    if (!dir)
        return; /* ended meanwhile */
    for (struct dirent *d; (d = readdir(dir));) {
        if (d->d_name[0] != '.')
            add_children_of_thread(pid, d->d_name, list);
    }
    closedir(dir);
}

static void signal_descendants(int n)
{
    static struct pid_list list;
    list.n = 0;
    add_children(getpid(), &list);
    for (size_t i = 0; i < list.n; i++)
        add_children(list.pids[i], &list);
    for (size_t i = 0; i < list.n; i++)
        (void)kill(list.pids[i], n); /* may have ended meanwhile */
}

void procs_signal(int n)
{
    if (is_pid1())
        (void)kill(-1, n); /* ESRCH: nobody is left */
    else
        signal_descendants(n);
}

bool procs_reap(pid_t command, bool *ret_ended, int *ret_status)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != command)
            continue;
        *ret_ended = true;
        *ret_status = status;
    }
    return pid < 0 && errno == ECHILD;
}
