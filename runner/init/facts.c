/* Control groups come in two versions with different names; on a hybrid machine the controllers
 * are on version 1. One table says where each figure is. */
#include "runner/init/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/banned.h"

#define CGROUP_ROOT   "/sys/fs/cgroup"
#define FILE_BYTES    (64u << 10)
#define QUOTA_PERIOD  100000 /* struct init_end states the CPU quota per this many microseconds */
#define PATH_BYTES    512
#define NANO_PER_USEC 1000

/* ---- files of a few lines ---- */

static bool read_text(const char *path, struct buf *out)
{
    char piece[4096];
    buf_clear(out);
    autofclose FILE *f = fopen(path, "re");
    if (!f)
        return false;
    for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
        buf_add(out, piece, n);
    return !ferror(f) && !out->failed;
}

/* value_after: the text behind `key` at the start of a line and white space; NULL if there is
 * none. An empty key stands for the start of the text. */
static const char *value_after(const char *text, const char *key)
{
    size_t len = strlen(key);
    for (const char *line = text; line && *line;) {
        if (strncmp(line, key, len) == 0 && (len == 0 || strchr(": \t", line[len])))
            return line + len + strspn(line + len, ": \t");
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return NULL;
}

/* number_at: the number that `text` begins with; "max" is no limit; -1 if it is none. */
static int64_t number_at(const char *text, int base)
{
    char *end = NULL;
    if (!text)
        return -1;
    if (strncmp(text, "max", 3) == 0)
        return INT64_MAX;
    errno = 0;
    long long v = strtoll(text, &end, base);
    return end == text || errno != 0 ? -1 : v;
}

/* ---- the process ---- */

void facts_of_command(pid_t pid, struct init_end *end)
{
    char path[64];
    AUTO(buf) struct buf text = BUF_INIT(FILE_BYTES);
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (!read_text(path, &text))
        return;
    end->cap_eff = number_at(value_after(buf_str(&text), "CapEff"), 16);
    end->no_new_privs = number_at(value_after(buf_str(&text), "NoNewPrivs"), 10);
    end->seccomp_mode = number_at(value_after(buf_str(&text), "Seccomp"), 10);
    end->uid = number_at(value_after(buf_str(&text), "Uid"), 10);
}

/* ---- the control group ---- */

/* Where one figure is: the file in each version and the key of its line, "" for the only one. */
struct figure {
    const char *controller;
    const char *v1_file, *v1_key;
    const char *v2_file, *v2_key;
};

static const struct figure memory_peak = {"memory", "memory.max_usage_in_bytes", "", "memory.peak",
                                          ""};
static const struct figure memory_limit = {"memory", "memory.limit_in_bytes", "", "memory.max", ""};
/* Version 1 counts memory and swap together, version 2 swap alone. */
static const struct figure swap_limit = {"memory", "memory.memsw.limit_in_bytes", "",
                                         "memory.swap.max", ""};
static const struct figure oom_kills = {"memory", "memory.oom_control", "oom_kill", "memory.events",
                                        "oom_kill"};
static const struct figure cpu_usage = {"cpuacct", "cpuacct.usage", "", "cpu.stat", "usage_usec"};
static const struct figure cpu_quota = {"cpu", "cpu.cfs_quota_us", "", "cpu.max", ""};
static const struct figure cpu_period = {"cpu", "cpu.cfs_period_us", "", "cpu.max", ""};
static const struct figure pids_max = {"pids", "pids.max", "", "pids.max", ""};

/* names_controller: whether `list`, a comma-separated word up to ':', has `name`. */
static bool names_controller(const char *list, const char *name)
{
    size_t len = strlen(name);
    while (*list && *list != ':' && *list != '\n') {
        size_t word = strcspn(list, ",:\n");
        if (word == len && strncmp(list, name, len) == 0)
            return true;
        list += word + (list[word] == ',');
    }
    return false;
}

/* find_group: our path in the hierarchy of `controller`, from the lines "N:controllers:path" of
 * /proc/self/cgroup, and whether that is version 1. The path ends at the line's end. */
static const char *find_group(const char *text, const char *controller, bool *ret_v1)
{
    const char *unified = "";
    for (const char *line = text; line && *line;) {
        const char *list = strchr(line, ':');
        const char *path = list ? strchr(list + 1, ':') : NULL;
        if (!path)
            break;
        if (names_controller(list + 1, controller)) {
            *ret_v1 = true;
            return path + 1;
        }
        if (path == list + 1)
            unified = path + 1;
        line = strchr(path, '\n');
        line = line ? line + 1 : NULL;
    }
    *ret_v1 = false;
    return unified;
}

/* read_figure_file: inside a container the group's own directory is the root of the mount, while
 * /proc may name its path on the host; so that path is tried first and the root after it. */
static bool read_figure_file(const char *dir, const char *group, const char *file, struct buf *out)
{
    char path[PATH_BYTES];
    int len = (int)strcspn(group, "\n");
    int n = snprintf(path, sizeof(path), "%s%.*s/%s", dir, len, group, file);
    if (n > 0 && (size_t)n < sizeof(path) && read_text(path, out))
        return true;
    snprintf(path, sizeof(path), "%s/%s", dir, file);
    return read_text(path, out);
}

struct groups {
    const char *self; /* content of /proc/self/cgroup */
    struct buf file;  /* of the last figure */
};

/* figure_text: where the value of figure `f` stands, or NULL. Valid until the next one. */
static const char *figure_text(struct groups *g, const struct figure *f, bool *ret_v1)
{
    char dir[64];
    const char *group = find_group(g->self, f->controller, ret_v1);
    snprintf(dir, sizeof(dir), CGROUP_ROOT "%s%s", *ret_v1 ? "/" : "",
             *ret_v1 ? f->controller : "");
    if (!read_figure_file(dir, group, *ret_v1 ? f->v1_file : f->v2_file, &g->file))
        return NULL;
    return value_after(buf_str(&g->file), *ret_v1 ? f->v1_key : f->v2_key);
}

static int64_t figure_number(struct groups *g, const struct figure *f)
{
    bool v1;
    return number_at(figure_text(g, f, &v1), 10);
}

static int64_t read_cpu_us(struct groups *g)
{
    bool v1;
    int64_t n = number_at(figure_text(g, &cpu_usage, &v1), 10);
    return v1 && n >= 0 ? n / NANO_PER_USEC : n;
}

static int64_t read_swap_limit(struct groups *g, int64_t memory)
{
    bool v1;
    int64_t n = number_at(figure_text(g, &swap_limit, &v1), 10);
    if (v1 || n < 0 || memory < 0)
        return n;
    return n > INT64_MAX - memory ? INT64_MAX : n + memory;
}

/* read_cpu_quota: version 2 has "quota period" in one line, version 1 a file for each. */
static int64_t read_cpu_quota(struct groups *g)
{
    bool v1;
    const char *text = figure_text(g, &cpu_quota, &v1);
    if (!text)
        return -1;
    int64_t quota = number_at(text, 10);
    const char *second = strchr(text, ' ');
    int64_t period = v1 ? figure_number(g, &cpu_period) : number_at(second ? second + 1 : NULL, 10);
    if (quota < 0 || quota == INT64_MAX)
        return 0;
    return period > 0 ? quota * QUOTA_PERIOD / period : -1;
}

void facts_of_container(struct init_end *end)
{
    AUTO(buf) struct buf self = BUF_INIT(FILE_BYTES);
    struct groups g = {.file = BUF_INIT(FILE_BYTES)};
    struct statvfs root;
    if (statvfs("/", &root) == 0)
        end->rootfs_read_only = (root.f_flag & ST_RDONLY) != 0;
    if (!read_text("/proc/self/cgroup", &self))
        return;
    g.self = buf_str(&self);
    end->memory_peak_bytes = figure_number(&g, &memory_peak);
    end->memory_limit_bytes = figure_number(&g, &memory_limit);
    end->swap_limit_bytes = read_swap_limit(&g, end->memory_limit_bytes);
    end->oom_kills = figure_number(&g, &oom_kills);
    end->cpu_us = read_cpu_us(&g);
    end->cpu_quota_us = read_cpu_quota(&g);
    end->pids_limit = figure_number(&g, &pids_max);
    buf_release(&g.file);
}
