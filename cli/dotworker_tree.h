/* The files of a worker's package, found and fetched: what goes into the zip, under which name. One
 * thread. */
#pragma once

#include <stddef.h>

#include "cli/dotworker.h"
#include "lib/err.h"

struct dw_file {
    char *name;   /* in the package: relative, without "." and ".." */
    char *source; /* where it is read from; NULL: `bytes` are it */
    char *bytes;
    size_t len;
    bool executable;
    struct dw_place at; /* the line that asks for it; line 0: made by us */
};

struct dw_tree {
    struct dw_file *files; /* sorted by name, each name once */
    size_t n;
    char *scratch; /* folder of what was fetched and unpacked; removed by dw_tree_release */
};

/* dw_tree_make: looks for everything that `w` names, fetches what is a URL and unpacks its zips;
 * hidden files in a dir are left out, as they always were. Warnings go to w->warnings.
 * ERR_INVALID "file:line:column: …" for: no such file, a folder where a file is meant and the
 * reverse, two different files under one name, a destination outside of the package, what could not
 * be fetched. ERR_TOO_BIG: over what a server takes. */
NODISCARD int dw_tree_make(struct dotworker *w, struct dw_tree *ret, struct err *e);
void dw_tree_release(struct dw_tree *t);

/* dw_tree_zip: the package, written to `out_fd`. The same files give the same bytes, whatever their
 * times, owners, umasks and the order of their folders. */
NODISCARD int dw_tree_zip(const struct dw_tree *t, int out_fd, struct err *e);
