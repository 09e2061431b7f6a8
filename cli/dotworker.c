/* The keywords of .worker files: one table of what each takes and does. Neighbours:
 * dotworker_parse.c gives the calls, dotworker_tree.c makes files of the items. */
#include "cli/dotworker.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dotworker_path.h"
#include "cli/nearest.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define WARNINGS_BYTES (64u << 10)

struct reading {
    struct dotworker *w;
    struct err *e;
    bool has_exec;
    /* the first keyword that only one runtime has */
    const char *only_runtime, *only_word;
    struct dw_place only_at;
};

struct keyword {
    const char *word;
    size_t min, max;     /* arguments */
    const char *takes;   /* how it is written, for messages */
    const char *runtime; /* the only one that has it; NULL: all */
    int (*apply)(struct reading *r, const struct keyword *k, const struct dw_call *c);
    enum dw_item_kind kind; /* for apply_item */
};

#define ANY_NUMBER 64

/* ---- arguments ---- */

static int complain(struct reading *r, struct dw_place at, const char *why)
{
    return dw_error(r->w->file, at, r->e, "%s", why);
}

static int complain_use(struct reading *r, const struct keyword *k, struct dw_place at)
{
    return dw_error(r->w->file, at, r->e, "it is written %s", k->takes);
}

/* text_of: the value as text; a name (:symbol) and a number (1.9) are text as well. */
static int text_of(struct reading *r, const struct keyword *k, const struct dw_value *v,
                   const char **ret)
{
    if (v->kind != DW_TEXT && v->kind != DW_NAME && v->kind != DW_COUNT)
        return complain_use(r, k, v->at);
    if (strlen(v->text) != v->len)
        return complain(r, v->at, "the text holds a NUL byte");
    if (!str_is_utf8(v->text, v->len))
        return complain(r, v->at, "the text is not UTF-8");
    *ret = v->text;
    return 0;
}

/* word_of: as text_of, and not empty. */
static int word_of(struct reading *r, const struct keyword *k, const struct dw_value *v,
                   const char **ret)
{
    int rc = text_of(r, k, v, ret);
    if (rc == 0 && (*ret)[0] == '\0')
        rc = complain(r, v->at, "the text is empty");
    return rc;
}

/* optional: the i-th argument as text; NULL when it is absent or nil. */
static int optional(struct reading *r, const struct keyword *k, const struct dw_call *c, size_t i,
                    const char **ret)
{
    *ret = NULL;
    if (i >= c->args.n || c->args.items[i].kind == DW_NIL)
        return 0;
    return text_of(r, k, &c->args.items[i], ret);
}

static void warn(struct reading *r, struct dw_place at, const char *text)
{
    buf_addf(&r->w->warnings, "%s:%u:%u: %s\n", r->w->file, at.line, at.column, text);
}

static void set(char **field, const char *value)
{
    free(*field);
    *field = str_dup(value);
}

static struct dw_item *add_item(struct dotworker *w, enum dw_item_kind kind, struct dw_place at,
                                const char *what, const char *more)
{
    if ((w->n & (w->n - 1)) == 0) {
        w->items = realloc(w->items, (w->n > 0 ? 2 * w->n : 1) * sizeof(*w->items));
        if (!w->items)
            abort();
    }
    w->items[w->n] = (struct dw_item){kind, at, str_dup(what), str_dup(more)};
    return &w->items[w->n++];
}

/* ---- what the keywords do ---- */

static int apply_runtime(struct reading *r, const struct keyword *k, const struct dw_call *c)
{
    const char *name, *version;
    int rc = word_of(r, k, &c->args.items[0], &name);
    if (rc == 0)
        rc = optional(r, k, c, 1, &version);
    if (rc < 0)
        return rc;
    if (r->w->runtime)
        return dw_error(r->w->file, c->at, r->e,
                        "the runtime is already %s; a worker has one, and a second .worker file "
                        "makes a second worker",
                        r->w->runtime->name);
    r->w->runtime = dw_runtime_named(name);
    if (!r->w->runtime)
        return dw_error(r->w->file, c->args.items[0].at, r->e,
                        "there is no runtime \"%s\"; there are %s", name, dw_runtime_list());
    if (version && !r->w->stack)
        r->w->stack = str_fmt("%s-%s", r->w->runtime->name, version);
    return 0;
}

static int apply_stack(struct reading *r, const struct keyword *k, const struct dw_call *c)
{
    const char *stack;
    int rc = word_of(r, k, &c->args.items[0], &stack);
    if (rc == 0)
        set(&r->w->stack, stack);
    return rc;
}

static int apply_name(struct reading *r, const struct keyword *k, const struct dw_call *c)
{
    const char *name;
    int rc = word_of(r, k, &c->args.items[0], &name);
    if (rc == 0 && strlen(name) > BOUND_NAME_BYTES)
        rc = complain(r, c->args.items[0].at, "the name is too long");
    if (rc == 0)
        set(&r->w->name, name);
    return rc;
}

static int apply_remote(struct reading *r, const struct keyword *k, const struct dw_call *c)
{
    enum dw_value_kind kind = c->args.n > 0 ? c->args.items[0].kind : DW_TRUE;
    if (kind != DW_TRUE && kind != DW_FALSE)
        return complain_use(r, k, c->args.items[0].at);
    r->w->remote = kind == DW_TRUE;
    return 0;
}

/* class_of: the class among an exec's arguments: 'Class', ['Class'] or :class => 'Class'. */
static int class_of(struct reading *r, const struct keyword *k, const struct dw_call *c,
                    const char **ret)
{
    const struct dw_value *v = c->args.n > 1 ? &c->args.items[1] : NULL;
    *ret = NULL;
    if (v && v->kind == DW_LIST && v->n == 1)
        v = &v->items[0];
    if (!v || v->kind == DW_NIL || (v->kind == DW_HASH && v->n == 0))
        return 0;
    if (v->kind == DW_HASH) {
        const struct dw_value *key = &v->items[0];
        if (v->n != 2 || !key->text || strcmp(key->text, "class") != 0)
            return complain_use(r, k, v->at);
        v = &v->items[1];
    }
    return word_of(r, k, v, ret);
}

/* is_class: Names and packages, joined by "::" or "."; nothing that could leave its quotes. */
static bool is_class(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_.:$", *c))
            return false;
    return isalpha((unsigned char)*text);
}

static int apply_exec(struct reading *r, const struct keyword *k, const struct dw_call *c)
{
    const char *path, *class;
    int rc = word_of(r, k, &c->args.items[0], &path);
    if (rc == 0)
        rc = class_of(r, k, c, &class);
    if (rc < 0)
        return rc;
    if (class && !is_class(class))
        return complain(r, c->args.items[1].at, "this is not the name of a class");
    if (r->has_exec) {
        warn(r, c->at, "this exec is ignored: a worker has one, and it was named before");
        return 0;
    }
    r->w->exec = r->w->n;
    r->has_exec = true;
    add_item(r->w, DW_EXEC, c->at, path, class);
    return 0;
}

static int apply_item(struct reading *r, const struct keyword *k, const struct dw_call *c)
{
    const char *what, *more;
    int rc = word_of(r, k, &c->args.items[0], &what);
    if (rc == 0)
        rc = optional(r, k, c, 1, &more);
    if (rc == 0)
        add_item(r->w, k->kind, c->at, what, more);
    return rc;
}

static bool is_variable(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return false;
    return !isdigit((unsigned char)*name);
}

static int apply_env(struct reading *r, const struct keyword *k, const struct dw_call *c)
{
    const char *key, *value;
    int rc = word_of(r, k, &c->args.items[0], &key);
    if (rc == 0)
        rc = text_of(r, k, &c->args.items[1], &value);
    if (rc == 0 && !is_variable(key))
        rc = complain(r, c->args.items[0].at,
                      "a variable's name has letters, digits and _ only, and no digit first");
    if (rc == 0)
        add_item(r->w, DW_ENV, c->at, key, value);
    return rc;
}

/* add_groups: of one argument, which may be a list of them. */
static int add_groups(struct reading *r, const struct keyword *k, const struct dw_value *v,
                      struct buf *out)
{
    const char *group;
    if (v->kind != DW_LIST) {
        int rc = word_of(r, k, v, &group);
        if (rc == 0 && group[strcspn(group, " \t\r\n")] != '\0')
            rc = complain(r, v->at, "a group's name has no blanks");
        if (rc == 0)
            buf_addf(out, "%s%s", out->len > 0 ? " " : "", group);
        return rc;
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < v->n; i++)
        rc = v->items[i].kind == DW_LIST ? complain_use(r, k, v->items[i].at)
                                         : add_groups(r, k, &v->items[i], out);
    return rc;
}

static int apply_gemfile(struct reading *r, const struct keyword *k, const struct dw_call *c)
{
    AUTO(buf) struct buf groups = BUF_INIT(BOUND_DOTWORKER_BYTES);
    const char *path;
    int rc = word_of(r, k, &c->args.items[0], &path);
    for (size_t i = 1; rc == 0 && i < c->args.n; i++)
        rc = add_groups(r, k, &c->args.items[i], &groups);
    if (rc == 0)
        add_item(r->w, DW_GEMFILE, c->at, path, groups.len > 0 ? buf_str(&groups) : NULL);
    return rc;
}

/* ---- the table ---- */

#define EXEC_USE  "exec 'path' or exec 'path', 'Class'"
#define FILE_USE  "file 'path' or file 'path', 'folder'"
#define DIR_USE   "dir 'path' or dir 'path', 'folder'"
#define ZIP_USE   "zip 'path' or zip 'path', 'folder'"
#define GEM_USE   "gem 'name' or gem 'name', 'version'; what else a gem can have, gemfile knows"
#define PIP_USE   "pip 'name' or pip 'name', 'version'"
#define DEB_USE   "deb 'path' or deb 'name'"
#define BUILD_USE "build 'shell command'"

static const struct keyword keywords[] = {
    {"runtime", 1, 2, "runtime 'name' or runtime 'name', 'version'", NULL, apply_runtime, 0},
    {"stack", 1, 1, "stack 'name'", NULL, apply_stack, 0},
    {"name", 1, 1, "name 'name'", NULL, apply_name, 0},
    {"exec", 1, 2, EXEC_USE, NULL, apply_exec, DW_EXEC},
    {"worker", 1, 2, EXEC_USE, NULL, apply_exec, DW_EXEC},
    {"merge_exec", 1, 2, EXEC_USE, NULL, apply_exec, DW_EXEC},
    {"merge_worker", 1, 2, EXEC_USE, NULL, apply_exec, DW_EXEC},
    {"file", 1, 2, FILE_USE, NULL, apply_item, DW_FILE},
    {"merge_file", 1, 2, FILE_USE, NULL, apply_item, DW_FILE},
    {"dir", 1, 2, DIR_USE, NULL, apply_item, DW_DIR},
    {"merge_dir", 1, 2, DIR_USE, NULL, apply_item, DW_DIR},
    {"zip", 1, 2, ZIP_USE, NULL, apply_item, DW_ZIP},
    {"merge_zip", 1, 2, ZIP_USE, NULL, apply_item, DW_ZIP},
    {"deb", 1, 1, DEB_USE, NULL, apply_item, DW_DEB},
    {"merge_deb", 1, 1, DEB_USE, NULL, apply_item, DW_DEB},
    {"set_env", 2, 2, "set_env 'NAME', 'value'", NULL, apply_env, DW_ENV},
    {"build", 1, 1, BUILD_USE, NULL, apply_item, DW_BUILD},
    {"remote_build_command", 1, 1, BUILD_USE, NULL, apply_item, DW_BUILD},
    {"full_remote_build", 0, 1, "full_remote_build true", NULL, apply_remote, 0},
    {"remote", 0, 1, "remote", NULL, apply_remote, 0},
    {"gem", 1, 2, GEM_USE, "ruby", apply_item, DW_GEM},
    {"merge_gem", 1, 2, GEM_USE, "ruby", apply_item, DW_GEM},
    {"gemfile", 1, ANY_NUMBER, "gemfile 'path' or gemfile 'path', 'group', …", "ruby",
     apply_gemfile, DW_GEMFILE},
    {"merge_gemfile", 1, ANY_NUMBER, "merge_gemfile 'path' or merge_gemfile 'path', 'group', …",
     "ruby", apply_gemfile, DW_GEMFILE},
    {"jar", 1, 1, "jar 'path'", "java", apply_item, DW_JAR},
    {"merge_jar", 1, 1, "jar 'path'", "java", apply_item, DW_JAR},
    {"pip", 1, 2, PIP_USE, "python", apply_item, DW_PIP},
    {"merge_pip", 1, 2, PIP_USE, "python", apply_item, DW_PIP},
    {"requirements", 1, 1, "requirements 'path'", "python", apply_item, DW_REQUIREMENTS},
};

/* What uploads can be told, but not here (ironworker-api §7, last line). */
static const struct {
    const char *word, *flag;
} upload_flags[] = {
    {"max_concurrency", "--max-concurrency"},
    {"retries", "--retries"},
    {"retries_delay", "--retries-delay"},
    {"default_priority", "--priority"},
    {"config", "--worker-config"},
};

static const char *keyword_at(size_t i)
{
    return i < ARRAY_LEN(keywords) ? keywords[i].word : NULL;
}

static int unknown_keyword(struct reading *r, const struct dw_call *c)
{
    for (size_t i = 0; i < ARRAY_LEN(upload_flags); i++)
        if (strcmp(c->word, upload_flags[i].word) == 0)
            return dw_error(r->w->file, c->at, r->e,
                            "\"%s\" is no keyword of .worker files: give it as upload %s", c->word,
                            upload_flags[i].flag);
    const char *near = nearest(c->word, keyword_at);
    if (near)
        return dw_error(r->w->file, c->at, r->e, "there is no keyword \"%s\"; did you mean \"%s\"?",
                        c->word, near);
    return dw_error(r->w->file, c->at, r->e,
                    "there is no keyword \"%s\"; there are runtime, stack, name, exec, file, dir, "
                    "zip, deb, set_env, build, remote, gem, gemfile, jar, pip, requirements",
                    c->word);
}

static int apply(struct reading *r, const struct dw_call *c)
{
    const struct keyword *k = NULL;
    for (size_t i = 0; !k && i < ARRAY_LEN(keywords); i++)
        k = strcmp(keywords[i].word, c->word) == 0 ? &keywords[i] : NULL;
    if (!k)
        return unknown_keyword(r, c);
    if (c->args.n < k->min || c->args.n > k->max)
        return complain_use(r, k, c->at);
    if (k->runtime && r->only_runtime && strcmp(k->runtime, r->only_runtime) != 0)
        return dw_error(r->w->file, c->at, r->e, "\"%s\" is for %s, and \"%s\" in line %u for %s",
                        c->word, k->runtime, r->only_word, r->only_at.line, r->only_runtime);
    if (k->runtime && !r->only_runtime) {
        r->only_runtime = k->runtime;
        r->only_word = k->word;
        r->only_at = c->at;
    }
    return k->apply(r, k, c);
}

/* ---- the whole file ---- */

/* choose_runtime: as said, as a keyword of one runtime tells, as the exec's extension tells; ruby.
 */
static int choose_runtime(struct reading *r)
{
    struct dotworker *w = r->w;
    if (w->runtime && r->only_runtime && strcmp(w->runtime->name, r->only_runtime) != 0)
        return dw_error(w->file, r->only_at, r->e, "\"%s\" is for %s, and the runtime is %s",
                        r->only_word, r->only_runtime, w->runtime->name);
    if (!w->runtime && r->only_runtime)
        w->runtime = dw_runtime_named(r->only_runtime);
    autofree char *exec = dw_base_name(w->items[w->exec].what);
    if (!w->runtime)
        w->runtime = dw_runtime_of(exec);
    if (!w->runtime)
        w->runtime = dw_runtime_named("ruby");
    return 0;
}

static int finish(struct reading *r)
{
    struct dotworker *w = r->w;
    if (!r->has_exec)
        return err_set(r->e, ERR_INVALID, "%s: no exec says what the worker runs", w->file);
    int rc = choose_runtime(r);
    const struct dw_item *exec = &w->items[w->exec];
    bool has_class = strcmp(w->runtime->name, "ruby") == 0 || strcmp(w->runtime->name, "java") == 0;
    if (rc == 0 && exec->more && !has_class)
        warn(r, exec->at, "the class is ignored: only ruby and java workers have one");
    return rc;
}

/* base_of: "app/hello.worker" begins in "app/" and is called hello. */
static void take_file_name(struct dotworker *w, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file;
    size_t len = strcspn(base, "?#");
    if (len > strlen(".worker") && str_ends(base, ".worker"))
        len = strlen(base) - strlen(".worker");
    w->file = str_dup(file);
    w->dir = str_dupn(file, (size_t)(base - file));
    w->name = str_dupn(base, len);
}

int dotworker_parse(const char *file, const char *text, size_t len, struct dotworker *ret,
                    struct err *e)
{
    struct dw_calls calls = {0};
    struct dotworker w = {.warnings = BUF_INIT(WARNINGS_BYTES)};
    struct reading r = {.w = &w, .e = e};
    int rc = dw_parse(file, text, len, &calls, e);
    if (rc < 0)
        return rc;
    take_file_name(&w, file);
    for (size_t i = 0; rc == 0 && i < calls.n; i++)
        rc = apply(&r, &calls.v[i]);
    if (rc == 0)
        rc = finish(&r);
    dw_calls_release(&calls);
    if (rc < 0)
        dotworker_release(&w);
    else
        *ret = w;
    return rc;
}

void dotworker_release(struct dotworker *w)
{
    for (size_t i = 0; i < w->n; i++) {
        free(w->items[i].what);
        free(w->items[i].more);
    }
    free(w->items);
    free(w->file);
    free(w->dir);
    free(w->name);
    free(w->stack);
    buf_release(&w->warnings);
    *w = (struct dotworker){0};
}

bool dw_deb_is_file(const struct dw_item *item)
{
    return strchr(item->what, '/') || str_ends(item->what, ".deb");
}

bool dw_item_builds(const struct dw_item *item)
{
    switch (item->kind) {
    case DW_BUILD:
    case DW_GEM:
    case DW_GEMFILE:
    case DW_PIP:
    case DW_REQUIREMENTS:
    case DW_DEB:
        return true;
    case DW_EXEC:
    case DW_FILE:
    case DW_DIR:
    case DW_ZIP:
    case DW_JAR:
    case DW_ENV:
        break;
    }
    return false;
}

bool dotworker_builds(const struct dotworker *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (dw_item_builds(&w->items[i]))
            return true;
    return false;
}
