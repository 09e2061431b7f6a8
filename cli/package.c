/* Packages. First the zip is made or opened, then its start is decided: what the user said, or what
 * a script's own name and first line tell. Neighbours: language.c, lib/archive.h. */
#include "cli/package.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/dotworker.h"
#include "cli/language.h"
#include "cli/package_worker.h"
#include "lib/archive.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define HEAD_BYTES 256 /* enough of a script for its #! line */

void package_release(struct package *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    free(TAKE(p->name));
    free(TAKE(p->build));
    free(TAKE(p->runtime));
    free(TAKE(p->file_name));
    free(TAKE(p->stack));
    free(TAKE(p->command));
    free(TAKE(p->warnings));
}

int temp_file(int *ret_fd, struct err *e)
{
    const char *dir = getenv("TMPDIR");
    autofree char *path = str_fmt("%s/wrought-XXXXXX", dir && dir[0] ? dir : "/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_os(e, ERR_IO, errno, "temporary file %s", path);
    unlink(path);
    *ret_fd = fd;
    return 0;
}

/* ---- names ---- */

/* base_name: the last part of a path, without slashes at its end. Where that is "." or "..", the
 * folder's real name: `upload .` names the code after it. */
static char *base_name(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    size_t start = len;
    while (start > 0 && path[start - 1] != '/')
        start--;
    char *name = str_dupn(path + start, len - start);
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return name;
    free(name);
    autofree char *real = realpath(path, NULL);
    return str_dup(real ? strrchr(real, '/') + 1 : "package");
}

/* without_extension: "hello.py" is "hello"; a name that begins with its only dot stays. */
static char *without_extension(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot != name ? str_dupn(name, (size_t)(dot - name)) : str_dup(name);
}

/* ---- how it starts ---- */

static int read_head(const char *path, char head[HEAD_BYTES], size_t *ret_len, struct err *e)
{
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, head, HEAD_BYTES);
    if (n < 0)
        return err_os(e, ERR_INVALID, errno, "%s", path);
    *ret_len = (size_t)n;
    return 0;
}

static void set(char **field, const char *value)
{
    free(*field);
    *field = str_dup(value);
}

static bool start_is_given(const struct package_want *want)
{
    return want->command || (want->runtime && want->file_name);
}

/* shell_command: `line` for the shell, as a command that is split into words by the shell's rules
 * but run without it. */
static char *shell_command(const char *line)
{
    AUTO(buf) struct buf out = BUF_INIT(4 * BOUND_COMMAND_BYTES); /* too long: the server says so */
    buf_adds(&out, "sh -c '");
    for (const char *c = line; *c; c++)
        buf_adds(&out, *c == '\'' ? "'\\''" : (const char[]){*c, '\0'});
    buf_addc(&out, '\'');
    return buf_take(&out);
}

/* take_wish: what the user said stands; the rest is filled in around it. */
static void take_wish(struct package *p, const struct package_want *want)
{
    if (want->build)
        p->build = shell_command(want->build);
    set(&p->runtime, want->runtime);
    set(&p->file_name, want->file_name);
    set(&p->stack, want->stack);
    set(&p->command, want->command);
}

/* start_by_script: fills in what the script at `path` tells. `file_name` is its name in the zip. */
static int start_by_script(struct package *p, const struct package_want *want, const char *path,
                           const char *file_name, struct err *e)
{
    char head[HEAD_BYTES];
    size_t len = 0;
    int rc = read_head(path, head, &len, e);
    if (rc < 0)
        return rc;
    const struct language *lang = language_of(file_name, head, len);
    if (!lang && !want->runtime)
        return err_set(e, ERR_INVALID,
                       "cannot tell what runs %s: give --runtime, or --stack and --command",
                       file_name);
    if (want->runtime || lang->runtime) {
        set(&p->runtime, want->runtime ? want->runtime : lang->runtime);
        set(&p->file_name, file_name);
    } else {
        free(TAKE(p->file_name));
        free(p->command);
        p->command = str_fmt("%s %s", lang->command, file_name);
    }
    if (!want->stack && !want->image && lang)
        set(&p->stack, lang->stack);
    return 0;
}

/* ---- a folder ---- */

/* The scripts at the top of a folder, as far as they matter. */
struct scripts {
    char *main, *named, *only; /* owned; "main.*", "NAME.*", the only one */
    size_t n;
};

static void scripts_release(struct scripts *s)
{
    free(s->main);
    free(s->named);
    free(s->only);
}

static void note_script(struct scripts *s, const char *name, const char *code_name)
{
    autofree char *stem = without_extension(name);
    if (strcmp(stem, "main") == 0)
        set(&s->main, name);
    if (strcmp(stem, code_name) == 0)
        set(&s->named, name);
    set(&s->only, name);
    s->n++;
}

static int list_scripts(const char *dir, const char *code_name, struct scripts *s, struct err *e)
{
    DIR *d = opendir(dir);
    if (!d)
        return err_os(e, ERR_INVALID, errno, "%s", dir);
    for (struct dirent *entry; (entry = readdir(d));) {
        autofree char *path = str_fmt("%s/%s", dir, entry->d_name);
        char head[HEAD_BYTES];
        size_t len = 0;
        struct stat st;
        struct err skip; /* what cannot be read is reported by the zip */
        if (entry->d_name[0] == '.' || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
            continue;
        if (read_head(path, head, &len, &skip) == 0 && language_of(entry->d_name, head, len))
            note_script(s, entry->d_name, code_name);
    }
    closedir(d);
    return 0;
}

static int start_by_folder(struct package *p, const struct package_want *want, const char *dir,
                           struct err *e)
{
    AUTO(scripts) struct scripts s = {0};
    const char *entry = want->file_name;
    int rc = entry ? 0 : list_scripts(dir, p->name, &s, e);
    if (rc < 0)
        return rc;
    if (!entry)
        entry = s.main ? s.main : s.named ? s.named : s.n == 1 ? s.only : NULL;
    if (!entry)
        return err_set(e, ERR_INVALID,
                       "cannot tell how %s starts: name one script main.* or %s.*, or give "
                       "--file-name or --command",
                       dir, p->name);
    autofree char *path = str_fmt("%s/%s", dir, entry);
    return start_by_script(p, want, path, entry, e);
}

/* ---- zips ---- */

/* finish_zip: closes the writer; its fd is then the package. */
static int finish_zip(struct zipw *z, int rc, struct package *p, struct err *e)
{
    if (rc < 0) {
        zipw_abort(z);
        return rc;
    }
    rc = zipw_close(z, e);
    if (rc == 0 && lseek(p->fd, 0, SEEK_SET) < 0)
        rc = err_os(e, ERR_IO, errno, "rewind the package");
    return rc;
}

static int zip_script(const char *path, const char *name, struct package *p, struct err *e)
{
    struct zipw *z = NULL;
    int rc = temp_file(&p->fd, e);
    if (rc == 0)
        rc = zipw_open(p->fd, &z, e);
    if (rc < 0)
        return rc;
    return finish_zip(z, zipw_add_file(z, name, path, e), p, e);
}

static int zip_folder(const char *path, struct package *p, struct err *e)
{
    struct zipw *z = NULL;
    int rc = temp_file(&p->fd, e);
    if (rc == 0)
        rc = zipw_open(p->fd, &z, e);
    if (rc < 0)
        return rc;
    return finish_zip(z, zipw_add_tree(z, "", path, e), p, e);
}

/* check_zip: what the server would refuse is said before anything is sent. */
static int check_zip(const char *path, int fd, struct err *e)
{
    static const struct zip_limits limits = {BOUND_ZIP_UNPACKED_BYTES, BOUND_ZIP_ENTRIES};
    struct zip_facts facts = {0};
    if (zip_check(fd, &limits, &facts, e) < 0)
        return err_wrap(e, "%s", path);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_os(e, ERR_IO, errno, "rewind %s", path);
    return 0;
}

/* ---- each kind ---- */

static int make_folder(const char *path, const struct package_want *want, struct package *p,
                       struct err *e)
{
    int rc = zip_folder(path, p, e);
    if (rc == 0)
        rc = check_zip(path, p->fd, e); /* an empty folder, too much of it */
    if (rc == 0 && !start_is_given(want))
        rc = start_by_folder(p, want, path, e);
    return rc;
}

static int make_zip(const char *path, const struct package_want *want, struct package *p,
                    struct err *e)
{
    p->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (p->fd < 0)
        return err_os(e, ERR_INVALID, errno, "%s", path);
    int rc = check_zip(path, p->fd, e);
    if (rc == 0 && !start_is_given(want))
        rc = err_set(e, ERR_INVALID,
                     "%s does not say how it starts: give --command, or --runtime and --file-name",
                     path);
    return rc;
}

static int make_script(const char *path, const struct package_want *want, struct package *p,
                       struct err *e)
{
    autofree char *name = base_name(path);
    if (want->file_name && strcmp(want->file_name, name) != 0)
        return err_set(e, ERR_INVALID, "--file-name is \"%s\", but the package is %s alone",
                       want->file_name, name);
    int rc = zip_script(path, name, p, e);
    if (rc == 0 && !want->command)
        rc = start_by_script(p, want, path, name, e);
    return rc;
}

static bool is_zip(const char *path)
{
    char head[HEAD_BYTES];
    size_t len = 0;
    struct err unreadable; /* make_script says so */
    if (str_ends(path, ".zip"))
        return true;
    return read_head(path, head, &len, &unreadable) == 0 && len >= 4 &&
           memcmp(head, "PK\3\4", 4) == 0;
}

static int make_from(const char *path, const struct stat *st, const struct package_want *want,
                     struct package *p, struct err *e)
{
    if (S_ISDIR(st->st_mode))
        return make_folder(path, want, p, e);
    if (!S_ISREG(st->st_mode))
        return err_set(e, ERR_INVALID, "%s is neither a file nor a folder", path);
    return is_zip(path) ? make_zip(path, want, p, e) : make_script(path, want, p, e);
}

static int measure(const char *path, struct package *p, struct err *e)
{
    struct stat st;
    if (fstat(p->fd, &st) < 0)
        return err_os(e, ERR_IO, errno, "stat the package");
    if ((uint64_t)st.st_size > BOUND_UPLOAD_BYTES)
        return err_set(e, ERR_TOO_BIG, "%s is %lld bytes packed; a package may have %llu", path,
                       (long long)st.st_size, (unsigned long long)BOUND_UPLOAD_BYTES);
    p->bytes = (uint64_t)st.st_size;
    return 0;
}

/* worker_file: the .worker file that `path` stands for, unless it is a file itself. */
static char *worker_file(const char *path)
{
    struct stat st;
    autofree char *found = dotworker_find(path);
    bool itself = found && strcmp(found, path) == 0;
    return found && (itself || stat(path, &st) < 0 || !S_ISREG(st.st_mode)) ? TAKE(found) : NULL;
}

/* make_any: fills `p`, which the caller releases when it fails. */
static int make_any(const char *path, const struct package_want *want, struct package *p,
                    struct err *e)
{
    struct stat st;
    autofree char *worker = worker_file(path);
    if (worker) {
        int rc = package_worker(worker, want, p, e);
        return rc == 0 ? check_zip(worker, p->fd, e) : rc;
    }
    if (stat(path, &st) < 0) {
        int os_errno = errno;
        p->name = str_dup(want->name ? want->name : path);
        if (want->image && os_errno == ENOENT)
            return 0;
        return err_os(e, os_errno == ENOENT ? ERR_NOT_FOUND : ERR_INVALID, os_errno, "%s", path);
    }
    autofree char *base = base_name(path);
    p->name = want->name            ? str_dup(want->name)
              : S_ISDIR(st.st_mode) ? str_dup(base)
                                    : without_extension(base);
    return make_from(path, &st, want, p, e);
}

int package_make(const char *path, const struct package_want *want, struct package *ret,
                 struct err *e)
{
    struct package p = {.fd = -1};
    take_wish(&p, want);
    int rc = make_any(path, want, &p, e);
    if (rc == 0 && p.fd >= 0)
        rc = measure(path, &p, e);
    if (rc < 0) {
        package_release(&p);
        return rc;
    }
    *ret = p;
    return 0;
}
