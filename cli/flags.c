/* Flags: argv is rewritten into what conf_args reads ("--name=value" for letters, words taken out,
 * lists collected), so that types, limits and their messages stay in lib/conf.c. */
#include "cli/flags.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define MAX_FLAGS  64 /* of both tables of a verb */
#define HELP_BYTES 256

static void *grow(void *array, size_t n, size_t size)
{
    void *grown = reallocarray(array, n, size);
    if (!grown)
        abort();
    return grown;
}

void words_add(struct words *w, const char *word)
{
    w->v = grow(w->v, w->n + 1, sizeof(*w->v));
    w->v[w->n++] = word;
}

void words_release(struct words *w)
{
    free(w->v);
    *w = (struct words){0};
}

/* ---- looking flags up ---- */

static const struct flag *find_in(const struct flag_table *table, const char *name, size_t len)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct flag *f = &table->flags[i];
        if (strlen(f->opt.name) == len && memcmp(f->opt.name, name, len) == 0)
            return f;
    }
    return NULL;
}

/* find_name: a verb's own flag stands before the common one of the same name. */
static const struct flag *find_name(const struct flag_table tables[2], const char *name, size_t len)
{
    const struct flag *own = find_in(&tables[0], name, len);
    return own ? own : find_in(&tables[1], name, len);
}

static const struct flag *find_letter(const struct flag_table tables[2], char letter)
{
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < tables[t].n; i++)
            if (tables[t].flags[i].letter == letter)
                return &tables[t].flags[i];
    return NULL;
}

/* find: the flag that `word` names, and the value that is glued to it. NULL when there is none:
 * conf_args then says so. */
static const struct flag *find(const struct flag_table tables[2], const char *word,
                               const char **ret_glued)
{
    *ret_glued = NULL;
    if (word[0] != '-')
        return NULL;
    if (strlen(word) == 2)
        return find_letter(tables, word[1]);
    const char *name = word + (word[1] == '-' ? 2 : 1);
    size_t len = strcspn(name, "=");
    const struct flag *f = find_name(tables, name, len);
    if (f && name[len] == '=')
        *ret_glued = name + len + 1;
    return f;
}

const struct flag *flags_find(const struct flag_table *table, const char *word)
{
    const struct flag_table tables[2] = {*table, {NULL, 0}};
    const char *glued;
    return find(tables, word, &glued);
}

size_t flags_span(const struct flag_table *table, char **argv)
{
    const struct flag_table tables[2] = {*table, {NULL, 0}};
    size_t n = 0;
    while (argv[n]) {
        const char *glued;
        const struct flag *f = find(tables, argv[n], &glued);
        if (!f)
            break;
        n += 1;
        if (f->opt.type != CONF_BOOL && !glued && argv[n])
            n += 1;
    }
    return n;
}

/* ---- rewriting ---- */

struct rewrite {
    const struct flag_table *tables;
    struct words argv; /* for conf_args */
    struct parsed *p;
    void *out;
};

static void add_made(struct rewrite *r, char *text)
{
    r->p->made = grow(r->p->made, r->p->n_made + 1, sizeof(*r->p->made));
    r->p->made[r->p->n_made++] = text;
    words_add(&r->argv, text);
}

/* A value may not look like a flag unless it is glued: a forgotten value is then found at once. */
static const char *value_of(const char *glued, char ***at)
{
    if (glued)
        return glued;
    const char *next = **at;
    if (!next || str_starts(next, "--"))
        return NULL;
    (*at)++;
    return next;
}

/* is_choice: whether `value` is one of the words of "a|b|c". */
static bool is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);
    for (;;) {
        size_t n = strcspn(choices, "|");
        if (n == len && memcmp(choices, value, n) == 0)
            return true;
        if (choices[n] == '\0')
            return false;
        choices += n + 1;
    }
}

/* one_flag: rewrites the flag before *at, and moves *at behind its value. */
static int one_flag(struct rewrite *r, const char *word, char ***at, struct err *e)
{
    const char *glued;
    const struct flag *f = find(r->tables, word, &glued);
    if (!f) { /* conf_args knows what to say */
        words_add(&r->argv, word);
        return 0;
    }
    if (f->opt.type == CONF_BOOL) {
        add_made(r, str_fmt("--%s%s%s", f->opt.name, glued ? "=" : "", glued ? glued : ""));
        return 0;
    }
    const char *value = value_of(glued, at);
    if (!value)
        return err_set(e, ERR_USAGE, "--%s needs a value (one that begins with --: --%s=VALUE)",
                       f->opt.name, f->opt.name);
    if (f->choices && !is_choice(f->choices, value))
        return err_set(e, ERR_USAGE, "--%s cannot be \"%s\": it is one of %s", f->opt.name, value,
                       f->choices);
    if (f->list)
        words_add((struct words *)((char *)r->out + f->opt.offset), value);
    else
        add_made(r, str_fmt("--%s=%s", f->opt.name, value));
    return 0;
}

static bool asks_for_help(const struct flag_table tables[2], const char *word)
{
    return strcmp(word, "-help") == 0 || (strcmp(word, "-h") == 0 && !find_letter(tables, 'h'));
}

static int rewrite_all(struct rewrite *r, char **at, bool words_end, struct err *e)
{
    int rc = 0;
    while (*at && rc == 0 && !(words_end && r->p->words.n > 0)) {
        const char *word = *at++;
        if (strcmp(word, "--") == 0)
            break;
        if (asks_for_help(r->tables, word))
            word = "--help";
        if (word[0] == '-' && word[1] != '\0')
            rc = one_flag(r, word, &at, e);
        else
            words_add(&r->p->words, word);
    }
    while (*at && rc == 0)
        words_add(&r->p->words, *at++);
    words_add(&r->argv, NULL);
    return rc;
}

/* conf_rows: what conf_args handles: all but the lists. */
static size_t conf_rows(const struct flag_table tables[2], struct conf_opt rows[MAX_FLAGS])
{
    size_t n = 0;
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < tables[t].n; i++) {
            if (tables[t].flags[i].list)
                continue;
            assert(n < MAX_FLAGS);
            rows[n++] = tables[t].flags[i].opt;
        }
    return n;
}

int flags_parse(const struct flag_table tables[2], char **argv, bool words_end, void *out,
                struct parsed *ret, struct err *e)
{
    struct conf_opt rows[MAX_FLAGS];
    size_t n = conf_rows(tables, rows);
    struct rewrite r = {.tables = tables, .p = ret, .out = out};
    int rc = rewrite_all(&r, argv, words_end, e);
    if (rc == 0)
        rc = conf_args(rows, n, (char **)(uintptr_t)r.argv.v, out, e);
    words_release(&r.argv);
    return rc;
}

void flags_release(const struct flag_table tables[2], void *out, struct parsed *p)
{
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < tables[t].n; i++)
            if (tables[t].flags[i].list)
                words_release((struct words *)((char *)out + tables[t].flags[i].opt.offset));
    for (size_t i = 0; i < p->n_made; i++)
        free(p->made[i]);
    free(TAKE(p->made));
    p->n_made = 0;
    words_release(&p->words);
}

/* ---- help ---- */

static const char *placeholder(const struct flag *f)
{
    if (f->opt.arg)
        return f->opt.arg;
    return f->opt.type == CONF_DURATION ? "TIME" : f->opt.type == CONF_INT ? "N" : "TEXT";
}

void flag_usage(const struct flag *f, struct buf *out)
{
    if (f->letter)
        buf_addf(out, "-%c, ", f->letter);
    buf_addf(out, "--%s", f->opt.name);
    if (f->opt.type != CONF_BOOL)
        buf_addf(out, " %s", placeholder(f));
}

/* add_usage: with the names in one column, letter or not. */
static void add_usage(const struct flag *f, struct buf *out)
{
    if (!f->letter)
        buf_adds(out, "    ");
    flag_usage(f, out);
}

static bool is_hidden(const struct flag *f, const struct flag_table *over)
{
    return over && find_in(over, f->opt.name, strlen(f->opt.name)) != NULL;
}

void flags_help(const struct flag_table *table, const struct flag_table *over, struct buf *out)
{
    AUTO(buf) struct buf usage = BUF_INIT(HELP_BYTES);
    size_t width = 0;
    for (size_t i = 0; i < table->n; i++) {
        buf_clear(&usage);
        add_usage(&table->flags[i], &usage);
        width = usage.len > width ? usage.len : width;
    }
    for (size_t i = 0; i < table->n; i++) {
        const struct flag *f = &table->flags[i];
        if (is_hidden(f, over))
            continue;
        buf_clear(&usage);
        add_usage(f, &usage);
        buf_addf(out, "  %-*s  %s%s\n", (int)width, buf_str(&usage), f->opt.help,
                 f->list ? " (may be repeated)" : "");
    }
}
