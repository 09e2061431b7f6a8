/* A worker often names a file twice: by file, and in a dir that holds it. That is one file;
 * anything else under one name is a mistake. */
#include "cli/dotworker_unite.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

void dw_file_release(struct dw_file *f)
{
    free(f->name);
    free(f->source);
    free(f->bytes);
    *f = (struct dw_file){0};
}

/* By name; of one name ours (line 0) comes first, then as the .worker file has them. */
static int compare(const void *a, const void *b)
{
    const struct dw_file *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->at.line > y->at.line) - (x->at.line < y->at.line);
}

static bool same_source(const struct dw_file *a, const struct dw_file *b)
{
    autofree char *x = realpath(a->source, NULL);
    autofree char *y = realpath(b->source, NULL);
    return x && y && strcmp(x, y) == 0;
}

/* is_module: a helper of ours that is there to be used, not to start the worker; the user's own
 * wins. */
static bool is_module(const struct dw_file *f)
{
    return strchr(f->name, '/') != NULL;
}

/* settle: `kept` becomes the one of two files of one name that stays; `next` is emptied. */
static int settle(const char *worker_file, struct dw_file *kept, struct dw_file *next,
                  struct err *e)
{
    bool ours = !kept->source;
    if (ours && !is_module(kept))
        return dw_error(worker_file, next->at, e, "%s is the name of a file that wrought makes",
                        kept->name);
    if (!ours && !same_source(kept, next))
        return dw_error(worker_file, next->at, e, "%s would be both %s (line %u) and %s",
                        kept->name, kept->source, kept->at.line, next->source);
    struct dw_file *gone = ours ? kept : next;
    dw_file_release(gone);
    if (ours) {
        *kept = *next;
        *next = (struct dw_file){0};
    }
    return 0;
}

/* unite: each name once, and no gaps. After an error some files are empty, which releases well. */
static int unite(const char *worker_file, struct dw_tree *t, struct err *e)
{
    size_t kept = 0;
    for (size_t i = 1; i < t->n; i++) {
        struct dw_file *last = &t->files[kept], *next = &t->files[i];
        if (strcmp(last->name, next->name) == 0) {
            int rc = settle(worker_file, last, next, e);
            if (rc < 0)
                return rc;
        } else if (++kept != i) {
            t->files[kept] = *next;
            *next = (struct dw_file){0};
        }
    }
    t->n = kept + 1;
    return 0;
}

static int compare_name(const void *name, const void *file)
{
    return strcmp(name, ((const struct dw_file *)file)->name);
}

/* check_folders: no folder on the way to `f` is a file. */
static int check_folders(const char *worker_file, const struct dw_tree *t, const struct dw_file *f,
                         struct err *e)
{
    for (const char *slash = strchr(f->name, '/'); slash; slash = strchr(slash + 1, '/')) {
        autofree char *folder = str_dupn(f->name, (size_t)(slash - f->name));
        const struct dw_file *file =
            bsearch(folder, t->files, t->n, sizeof(*t->files), compare_name);
        if (file)
            return dw_error(worker_file, f->at.line > 0 ? f->at : file->at, e,
                            "%s would be both a file and a folder", folder);
    }
    return 0;
}

int dw_unite(const char *worker_file, struct dw_tree *t, struct err *e)
{
    if (t->n == 0)
        return 0;
    qsort(t->files, t->n, sizeof(*t->files), compare);
    int rc = unite(worker_file, t, e);
    for (size_t i = 0; rc == 0 && i < t->n; i++)
        rc = check_folders(worker_file, t, &t->files[i], e);
    return rc;
}
