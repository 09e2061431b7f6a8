/* A .worker file: what one says, checked, in order. Reading it touches no other file and no
 * network; what it names is looked for when a package is made of it (dotworker_tree.h). One
 * thread. Source: ironworker-api §7. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/dotworker_runtime.h"
#include "cli/dotworker_syntax.h"
#include "lib/buf.h"
#include "lib/err.h"

enum dw_item_kind {
    DW_EXEC,         /* path; more: the class to run, or NULL */
    DW_FILE,         /* path or URL; more: the folder it goes into, or NULL */
    DW_DIR,          /* path; more: as DW_FILE */
    DW_ZIP,          /* path or URL; more: as DW_FILE */
    DW_JAR,          /* path or URL */
    DW_DEB,          /* path or URL of a package, or the name of one */
    DW_ENV,          /* name; more: value */
    DW_BUILD,        /* shell command */
    DW_GEM,          /* name; more: version, or NULL */
    DW_GEMFILE,      /* path; more: groups, one blank between them, or NULL for the default one */
    DW_PIP,          /* name; more: version, or NULL */
    DW_REQUIREMENTS, /* path */
};

struct dw_item {
    enum dw_item_kind kind;
    struct dw_place at;
    char *what, *more; /* owned */
};

struct dotworker {
    char *file;  /* path or URL, as given; messages begin with it */
    char *dir;   /* put before its relative paths: "" or with a slash at its end */
    char *name;  /* of the code */
    char *stack; /* NULL: the file asks for none */
    const struct dw_runtime *runtime;
    struct dw_item *items; /* in the order of the file */
    size_t n;
    size_t exec;         /* the item of kind DW_EXEC */
    bool remote;         /* full_remote_build or remote */
    struct buf warnings; /* lines */
};

/* dotworker_parse: `file` names the text in messages and the code by default, and its folder is
 * where paths begin. ERR_INVALID says file:line:column and why: Ruby that would have to run, an
 * unknown keyword (and the one that may have been meant), a second runtime, a keyword of another
 * runtime, no exec. */
NODISCARD int dotworker_parse(const char *file, const char *text, size_t len, struct dotworker *ret,
                              struct err *e);
void dotworker_release(struct dotworker *w);

/* dotworker_find: the .worker file that `word` stands for: itself when it ends in .worker (or is a
 * Workerfile), else word.worker when that exists. NULL: none. The caller frees it. */
char *dotworker_find(const char *word);

/* dotworker_load: dotworker_parse of the file at `path`, which may also be a URL. */
NODISCARD int dotworker_load(const char *path, struct dotworker *ret, struct err *e);

/* dw_deb_is_file: this DW_DEB is a path or URL, no package's name. */
bool dw_deb_is_file(const struct dw_item *item);

/* dw_item_builds: it needs the build task: build, gem, gemfile, pip, requirements, deb.
 * dotworker_builds: some item does. What is only fetched needs none, full_remote_build or not: the
 * uploader fetches it. */
bool dw_item_builds(const struct dw_item *item);
bool dotworker_builds(const struct dotworker *w);
