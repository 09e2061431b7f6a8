/* A walk that can stop after any entry. Every step goes through open directories, so a task that
 * moves its directories about meanwhile leads it nowhere else; what it hides from one round, the
 * next one finds. */
#include "runner/init/disk.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/banned.h"

#define ENTRIES_A_STEP 2000 /* some milliseconds */
#define ROUND_PAUSE_MS 500
#define REST_PER_WORK  50 /* 2 % */
#define ST_BLOCK_BYTES 512
#define DIR_OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

static const char *const roots[] = {".", "/tmp"};

void disk_init(struct disk *d, uint64_t limit_bytes)
{
    *d = (struct disk){.limit_bytes = limit_bytes, .root = ARRAY_LEN(roots)};
}

void disk_release(struct disk *d)
{
    while (d->depth > 0)
        closedir(d->open[--d->depth]);
    d->limit_bytes = 0;
}

/* enter: goes down into an open directory, which it takes over. */
static bool enter(struct disk *d, int fd)
{
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir)
        d->open[d->depth++] = dir;
    else if (fd >= 0)
        close(fd);
    return dir != NULL;
}

/* start_root: a tmpfs knows its use, deleted files included; other trees are walked. */
static void start_root(struct disk *d, const char *path)
{
    struct statfs fs;
    struct stat st;
    int fd = open(path, DIR_OPEN_FLAGS);
    if (fd >= 0 && fstat(fd, &st) == 0 && fstatfs(fd, &fs) == 0) {
        if (fs.f_type == TMPFS_MAGIC) {
            d->used += (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
        } else {
            d->dev = st.st_dev;
            enter(d, fd);
            return;
        }
    }
    if (fd >= 0)
        close(fd);
}

/* count: adds one entry and goes into it if it is a directory. A file with several names counts
 * once over all of them. False when the tree is too deep to be measured. */
static bool count(struct disk *d, const char *name)
{
    int at = dirfd(d->open[d->depth - 1]);
    struct stat st;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_dev != d->dev)
        return true;
    uint64_t bytes = (uint64_t)st.st_blocks * ST_BLOCK_BYTES;
    if (!S_ISDIR(st.st_mode)) {
        d->used += bytes / (st.st_nlink ? st.st_nlink : 1);
        return true;
    }
    d->used += bytes;
    if (d->depth == DISK_DEPTH)
        return false;
    enter(d, openat(at, name, DIR_OPEN_FLAGS));
    return true;
}

/* walk: one entry further. *ret_more is false at the end of the round. */
static bool walk(struct disk *d, bool *ret_more)
{
    *ret_more = true;
    if (d->depth == 0) {
        *ret_more = ++d->root < ARRAY_LEN(roots);
        if (*ret_more)
            start_root(d, roots[d->root]);
        return true;
    }
    struct dirent *entry = readdir(d->open[d->depth - 1]);
    if (entry)
        return count(d, entry->d_name);
    closedir(d->open[--d->depth]);
    return true;
}

bool disk_step(struct disk *d, int64_t now_ms)
{
    bool more = true, measurable = true;
    if (d->limit_bytes == 0 || now_ms < d->due_ms)
        return false;
    if (d->root == ARRAY_LEN(roots)) {
        d->used = 0;
        d->root = 0;
        start_root(d, roots[0]);
    }
    for (int i = 0; i < ENTRIES_A_STEP && more && measurable && d->used <= d->limit_bytes; i++)
        measurable = walk(d, &more);
    int64_t end_ms = clock_mono_ms(), rest = (end_ms - now_ms + 1) * REST_PER_WORK;
    d->due_ms = end_ms + (!more && rest < ROUND_PAUSE_MS ? ROUND_PAUSE_MS : rest);
    return !measurable || d->used > d->limit_bytes;
}

int64_t disk_wait_ms(const struct disk *d, int64_t now_ms)
{
    if (d->limit_bytes == 0)
        return -1;
    return d->due_ms > now_ms ? d->due_ms - now_ms : 0;
}
