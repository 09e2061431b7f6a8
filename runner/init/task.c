/* The task document, one record at a time through a table of tags. All strings are copied once into
 * one block, each with a NUL behind it, so that argv and the environment can point into it. */
#include "runner/init/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/frame.h"
#include "lib/banned.h"

/* One record, NUL-terminated in the task's block. */
struct record {
    char *bytes;
    size_t len;
};

static int bad(struct err *e, const char *what)
{
    return err_set(e, ERR_PROTOCOL, "task document: bad %s", what);
}

static bool is_string(struct record r)
{
    return memchr(r.bytes, '\0', r.len) == NULL;
}

/* cut_word: the string up to the first NUL; *r is what follows. NULL when there is no NUL. */
static char *cut_word(struct record *r)
{
    char *word = r->bytes, *nul = memchr(r->bytes, '\0', r->len);
    if (!nul)
        return NULL;
    r->len -= (size_t)(nul + 1 - word);
    r->bytes = nul + 1;
    return word;
}

static bool number(const char *text, int base, uint64_t *ret)
{
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long v = strtoull(text, &end, base);
    if (errno != 0 || *end != '\0')
        return false;
    *ret = v;
    return true;
}

static int add_arg(struct task *t, struct record r, struct err *e)
{
    if (!is_string(r))
        return bad(e, "argument");
    t->argv[t->n_args++] = r.bytes;
    return 0;
}

static int add_env(struct task *t, struct record r, struct err *e)
{
    if (!is_string(r) || !strchr(r.bytes, '='))
        return bad(e, "environment");
    t->env[t->n_env++] = r.bytes;
    return 0;
}

static int set_dir(struct task *t, struct record r, struct err *e)
{
    if (!is_string(r) || r.bytes[0] != '/')
        return bad(e, "working directory");
    t->dir = r.bytes;
    return 0;
}

static int add_copy(struct task *t, struct record r, struct err *e)
{
    if (!is_string(r) || t->n_copies == TASK_COPIES)
        return bad(e, "copy");
    t->copies[t->n_copies++] = r.bytes;
    return 0;
}

static int add_marker(struct task *t, struct record r, struct err *e)
{
    char *path = cut_word(&r);
    if (!path || t->n_markers == TASK_MARKERS)
        return bad(e, "marker");
    t->markers[t->n_markers++] =
        (struct task_file){.path = path, .bytes = (uint8_t *)r.bytes, .len = r.len};
    return 0;
}

static int add_file(struct task *t, struct record r, struct err *e)
{
    char *path = cut_word(&r), *mode = path ? cut_word(&r) : NULL;
    uint64_t bits;
    if (!mode || t->n_files == TASK_FILES || !number(mode, 8, &bits) || bits > 0777)
        return bad(e, "file");
    t->files[t->n_files++] = (struct task_file){
        .path = path, .mode = (unsigned)bits, .bytes = (uint8_t *)r.bytes, .len = r.len};
    return 0;
}

static int add_rlimit(struct task *t, struct record r, struct err *e)
{
    static const struct {
        const char *name;
        int resource;
    } known[] = {{"nofile", RLIMIT_NOFILE},
                 {"nproc", RLIMIT_NPROC},
                 {"core", RLIMIT_CORE},
                 {"fsize", RLIMIT_FSIZE}};
    char *name = cut_word(&r), *soft = name ? cut_word(&r) : NULL;
    uint64_t cur, max;
    if (!soft || t->n_rlimits == TASK_RLIMITS || !is_string(r) || !number(soft, 10, &cur) ||
        !number(r.bytes, 10, &max))
        return bad(e, "rlimit");
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(name, known[i].name) != 0)
            continue;
        t->rlimits[t->n_rlimits++] = (struct task_rlimit){
            .name = known[i].name, .resource = known[i].resource, .value = {cur, max}};
        return 0;
    }
    return bad(e, "rlimit");
}

static int set_seccomp(struct task *t, struct record r, struct err *e)
{
    size_t n = r.len / sizeof(struct sock_filter);
    if (n == 0 || n > BPF_MAXINSNS || r.len % sizeof(struct sock_filter) != 0 || t->seccomp)
        return bad(e, "seccomp filter");
    t->seccomp = malloc(r.len); /* of its own: aligned */
    if (!t->seccomp)
        return err_os(e, ERR_IO, ENOMEM, "task document");
    memcpy(t->seccomp, r.bytes, r.len);
    t->seccomp_len = (unsigned short)n;
    return 0;
}

static int set_disk(struct task *t, struct record r, struct err *e)
{
    if (!is_string(r) || !number(r.bytes, 10, &t->disk_bytes))
        return bad(e, "disk limit");
    return 0;
}

static const struct {
    enum doc_tag tag;
    int (*add)(struct task *t, struct record r, struct err *e);
} tags[] = {
    {DOC_ARG, add_arg},       {DOC_ENV, add_env},       {DOC_DIR, set_dir},
    {DOC_COPY, add_copy},     {DOC_MARKER, add_marker}, {DOC_FILE, add_file},
    {DOC_RLIMIT, add_rlimit}, {DOC_DISK, set_disk},     {DOC_SECCOMP, set_seccomp},
};

static int add_record(struct task *t, enum doc_tag tag, struct record r, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        if (tags[i].tag == tag)
            return tags[i].add(t, r, e);
    }
    return bad(e, "tag");
}

/* reserve: room for every string and every pointer that the document can hold. */
static int reserve(const uint8_t *doc, size_t len, struct task *t, struct err *e)
{
    size_t pos = 0, n, n_args = 0, n_env = 0, bytes = 0;
    enum doc_tag tag;
    const uint8_t *at;
    int rc;
    while ((rc = doc_next(doc, len, &pos, &tag, &at, &n, e)) == 1) {
        n_args += tag == DOC_ARG;
        n_env += tag == DOC_ENV;
        bytes += n + 1;
    }
    if (rc < 0)
        return rc;
    t->argv = calloc(n_args + 1, sizeof(*t->argv));
    t->env = calloc(n_env + 1, sizeof(*t->env));
    t->text = malloc(bytes + 1);
    if (!t->argv || !t->env || !t->text)
        return err_os(e, ERR_IO, ENOMEM, "task document");
    return 0;
}

static int fill(const uint8_t *doc, size_t len, struct task *t, struct err *e)
{
    size_t pos = 0, n;
    enum doc_tag tag;
    const uint8_t *at;
    char *text = t->text;
    int rc;
    while ((rc = doc_next(doc, len, &pos, &tag, &at, &n, e)) == 1) {
        memcpy(text, at, n);
        text[n] = '\0';
        rc = add_record(t, tag, (struct record){text, n}, e);
        if (rc)
            return rc;
        text += n + 1;
    }
    if (rc == 0 && t->n_args == 0)
        return err_set(e, ERR_PROTOCOL, "task document: no command");
    if (rc == 0 && !t->dir)
        return err_set(e, ERR_PROTOCOL, "task document: no working directory");
    return rc;
}

int task_decode(const uint8_t *doc, size_t len, struct task *ret, struct err *e)
{
    struct task t = {0};
    int rc = reserve(doc, len, &t, e);
    if (rc == 0)
        rc = fill(doc, len, &t, e);
    if (rc == 0)
        *ret = t;
    else
        task_release(&t);
    return rc;
}

void task_release(struct task *t)
{
    free(t->argv);
    free(t->env);
    free(t->seccomp);
    free(t->text);
    *t = (struct task){0};
}
