/* What the tests of .worker packages share: files, packages made and unpacked, runners run. */
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include "cli/dotworker_tree.h"
#include "lib/archive.h"
#include "lib/bounds.h"
#include "lib/crypto.h"
#include "lib/fs.h"
#include "lib/str.h"
#include "tests/unit/tap.h"

static inline void put_file(const char *path, const char *text, mode_t mode)
{
    struct err e;
    const char *slash = strrchr(path, '/');
    char *dir = str_dupn(path, slash ? (size_t)(slash - path) : 0);
    if (slash)
        CHECK_OK(fs_mkdirs(dir, 0755, &e), &e);
    free(dir);
    CHECK_OK(fs_write_durable(path, text, strlen(text), mode, &e), &e);
}

/* try_tree: the tree of the .worker file at `path`. */
static inline int try_tree(const char *path, struct dw_tree *ret, struct buf *warnings,
                           struct err *e)
{
    struct dotworker w = {0};
    CHECK_OK(dotworker_load(path, &w, e), e);
    int rc = dw_tree_make(&w, ret, e);
    if (warnings)
        buf_adds(warnings, buf_str(&w.warnings));
    dotworker_release(&w);
    return rc;
}

/* names_of: the names in the tree, a blank behind each, a star behind executables. */
static inline char *names_of(const struct dw_tree *t)
{
    struct buf out = BUF_INIT(1 << 20);
    for (size_t i = 0; i < t->n; i++)
        buf_addf(&out, "%s%s ", t->files[i].name, t->files[i].executable ? "*" : "");
    return buf_take(&out);
}

static inline void check_names(const char *path, const char *want)
{
    struct dw_tree t = {0};
    struct err e;
    CHECK_OK(try_tree(path, &t, NULL, &e), &e);
    char *names = names_of(&t);
    CHECK_STR(names, want);
    free(names);
    dw_tree_release(&t);
}

static inline void check_tree_fails(const char *path, const char *message)
{
    struct dw_tree t = {0};
    struct err e = {0};
    int rc = try_tree(path, &t, NULL, &e);
    if (rc != ERR_INVALID || strcmp(e.msg, message) != 0)
        TAP_FAIL("%s gives %d \"%s\", not \"%s\"", path, rc, e.msg, message);
}

/* make_zip: the package of `path` as the file `zip`; its hash. */
static inline void make_zip(const char *path, const char *zip, char sha256[SHA256_TEXT])
{
    struct dw_tree t = {0};
    struct err e;
    char md5[MD5_TEXT];
    CHECK_OK(try_tree(path, &t, NULL, &e), &e);
    int fd = open(zip, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_OK(dw_tree_zip(&t, fd, &e), &e);
    CHECK_OK(file_digests(fd, sha256, md5, &e), &e);
    close(fd);
    dw_tree_release(&t);
}

/* unpack_worker: the package of `path` unpacked into the new folder `to`, as on a runner. */
static inline void unpack_worker(const char *path, const char *to)
{
    static const struct zip_limits limits = {BOUND_ZIP_UNPACKED_BYTES, BOUND_ZIP_ENTRIES};
    struct zip_facts facts;
    char sha256[SHA256_TEXT];
    struct err e;
    make_zip(path, "package.zip", sha256);
    int fd = open("package.zip", O_RDONLY | O_CLOEXEC);
    CHECK_OK(zip_check(fd, &limits, &facts, &e), &e);
    CHECK(mkdir(to, 0755) == 0);
    CHECK_OK(zip_unpack(fd, to, &e), &e);
    close(fd);
}

/* output_of: what `argv` writes to stdout and stderr; its exit code in *ret_code. */
static inline char *output_of(char *const argv[], int *ret_code)
{
    int out[2], status;
    char block[4096];
    struct buf text = BUF_INIT(1 << 20);
    CHECK(pipe(out) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], 1);
        dup2(out[1], 2);
        close(out[0]);
        close(out[1]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(out[1]);
    for (ssize_t n; (n = read(out[0], block, sizeof(block))) > 0;)
        buf_add(&text, block, (size_t)n);
    close(out[0]);
    CHECK(waitpid(pid, &status, 0) == pid);
    *ret_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return buf_take(&text);
}

/* run_package: starts `script` of the package in `dir` as a runner does, with ARGS
 * (ironworker-api §6) and the given payload. */
static inline char *run_package(const char *dir, const char *script, const char *payload,
                                int *ret_code)
{
    char *root = str_fmt("%s/", dir), *path = str_fmt("%s/%s", dir, script);
    char *here = realpath(".", NULL);
    char *payload_file = str_fmt("%s/payload.json", here);
    put_file("payload.json", payload, 0644);
    char *argv[] = {(char *)"sh",
                    path,
                    (char *)"-d",
                    root,
                    (char *)"-e",
                    (char *)"production",
                    (char *)"-id",
                    (char *)"0123",
                    (char *)"-payload",
                    payload_file,
                    NULL};
    char *text = output_of(argv, ret_code);
    free(root);
    free(path);
    free(here);
    free(payload_file);
    return text;
}

static inline void check_run(const char *dir, const char *payload, const char *want)
{
    int code = -1;
    char *text = run_package(dir, "__runner__.sh", payload, &code);
    CHECK_STR(text, want);
    CHECK_INT(code, 0);
    free(text);
}
