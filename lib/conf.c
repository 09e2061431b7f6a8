/* Program options. Defaults, variables and flags all go through set_value, which knows the types by
 * a table; what differs is only the name that a message calls the option by. */
#include "lib/conf.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/roff.h"
#include "lib/str.h"
#include "lib/banned.h"

#define ENV_PREFIX "WROUGHT_"
#define NAME_BYTES 64 /* of a flag or variable */

/* ---- numbers with units ---- */

struct unit {
    const char *suffix;
    int64_t factor;
};

/* From small to large, so that the last one that divides a value writes it shortest. */
static const struct unit byte_units[] = {
    {"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};
static const struct unit time_units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                         {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

/* parse_scaled: digits and one suffix. `bare` is the factor of a number without one. */
static bool parse_scaled(const char *text, const struct unit *units, int64_t bare, int64_t *ret)
{
    char digits[24]; /* more are over the range in any unit */
    size_t n = strspn(text + (*text == '-'), "0123456789") + (*text == '-');
    if (n >= sizeof(digits))
        return false;
    str_copy(digits, n + 1, text);
    int64_t factor = text[n] == '\0' ? bare : 0;
    for (const struct unit *u = units; u->suffix && factor == 0; u++) {
        if (strcmp(text + n, u->suffix) == 0)
            factor = u->factor;
    }
    int64_t v;
    struct err ignored; /* the caller's message says more */
    if (factor == 0 || str_int(digits, "", INT64_MIN, INT64_MAX, &v, &ignored) != 0)
        return false;
    return !__builtin_mul_overflow(v, factor, ret);
}

static void add_scaled(struct buf *out, int64_t v, const struct unit *units)
{
    const struct unit *best = units;
    for (const struct unit *u = units; u->suffix; u++) {
        if (v != 0 && v % u->factor == 0)
            best = u;
    }
    buf_addf(out, "%lld%s", (long long)(v / best->factor), best->suffix);
}

/* ---- types ---- */

struct type {
    const char *arg;   /* placeholder in --help where the option has none of its own */
    const char *wants; /* in messages: "must be …" */
    const char *hint;  /* in messages, after the range */
    const struct unit *units;
    int64_t bare, least; /* factor of a bare number; smallest value without limits */
};

static const struct type types[] = {
    [CONF_STR] = {.arg = "TEXT"},
    [CONF_INT] = {"N", "a whole number", "", no_units, 1, INT64_MIN},
    [CONF_BYTES] = {"BYTES", "a size", " (bytes, or with K, M or G)", byte_units, 1, 0},
    [CONF_DURATION] = {"TIME", "a duration", " (seconds, or with ms, s, m, h or d)", time_units,
                       1000, 0},
    [CONF_BOOL] = {.wants = "1, 0, true or false", .hint = ""},
};

static bool has_limits(const struct conf_opt *o)
{
    return o->min != 0 || o->max != 0;
}

static int bad_value(const struct conf_opt *o, const char *called, const char *value, struct err *e)
{
    const struct type *t = &types[o->type];
    AUTO(buf) struct buf range = BUF_INIT(128);
    if (t->units && has_limits(o)) {
        buf_adds(&range, " from ");
        add_scaled(&range, o->min, t->units);
        buf_adds(&range, " to ");
        add_scaled(&range, o->max, t->units);
    }
    return err_set(e, ERR_USAGE, "%s must be %s%s%s, not \"%s\"", called, t->wants, buf_str(&range),
                   t->hint, value);
}

static bool parse_bool(const char *text, bool *ret)
{
    bool yes = strcmp(text, "1") == 0 || strcmp(text, "true") == 0;
    bool no = strcmp(text, "0") == 0 || strcmp(text, "false") == 0;
    if (yes || no)
        *ret = yes;
    return yes || no;
}

/* set_value: puts `value` into the option's field. `called` is how the user named the option. */
static int set_value(const struct conf_opt *o, const char *called, const char *value, void *out,
                     struct err *e)
{
    const struct type *t = &types[o->type];
    char *field = (char *)out + o->offset;
    if (o->type == CONF_STR) {
        memcpy(field, &value, sizeof(value));
        return 0;
    }
    if (o->type == CONF_BOOL) {
        bool v;
        if (!parse_bool(value, &v))
            return bad_value(o, called, value, e);
        memcpy(field, &v, sizeof(v));
        return 0;
    }
    int64_t min = has_limits(o) ? o->min : t->least;
    int64_t max = has_limits(o) ? o->max : INT64_MAX;
    int64_t v;
    if (!parse_scaled(value, t->units, t->bare, &v) || v < min || v > max)
        return bad_value(o, called, value, e);
    memcpy(field, &v, sizeof(v));
    return 0;
}

/* ---- defaults and variables ---- */

/* env_name: "data-dir" as WROUGHT_DATA_DIR. */
static void env_name(const struct conf_opt *o, char out[NAME_BYTES])
{
    str_copy(out, NAME_BYTES, ENV_PREFIX);
    size_t at = strlen(out);
    assert(strlen(o->name) < NAME_BYTES - at);
    str_copy(out + at, NAME_BYTES - at, o->name);
    for (char *p = out + at; *p; p++)
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}

/* same_but_spelt_otherwise: `name` (not terminated) is `known` but for case and dashes. */
static bool same_but_spelt_otherwise(const char *name, size_t len, const char *known)
{
    if (strlen(known) != len || memcmp(name, known, len) == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
        if (c != known[i])
            return false;
    }
    return true;
}

static int load_variable(const struct conf_opt *o, void *out, struct err *e)
{
    char known[NAME_BYTES];
    env_name(o, known);
    for (char **v = environ; v && *v; v++) {
        size_t len = strcspn(*v, "=");
        if (same_but_spelt_otherwise(*v, len, known)) {
            return err_set(e, ERR_USAGE, "the variable %.*s would be ignored: write %s",
                           (int)(len < NAME_BYTES ? len : NAME_BYTES), *v, known);
        }
        if ((*v)[len] == '=' && len == strlen(known) && memcmp(*v, known, len) == 0) {
            int rc = set_value(o, known, *v + len + 1, out, e);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

/* ---- flags ---- */

struct flag {
    const struct conf_opt *opt; /* NULL when there is none of that name */
    const char *value;          /* after "=", else NULL */
    bool negated;               /* --no-NAME of a CONF_BOOL */
};

static const struct conf_opt *find(const struct conf_opt *opts, size_t n, const char *name,
                                   size_t len)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(opts[i].name) == len && memcmp(opts[i].name, name, len) == 0)
            return &opts[i];
    }
    return NULL;
}

static struct flag parse_flag(const struct conf_opt *opts, size_t n, const char *word)
{
    if (!str_starts(word, "--"))
        return (struct flag){0};
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    struct flag f = {.opt = find(opts, n, name, len),
                     .value = name[len] == '=' ? name + len + 1 : NULL};
    if (!f.opt && str_starts(name, "no-")) {
        f.opt = find(opts, n, name + 3, len - 3);
        f.negated = true;
        if (f.opt && f.opt->type != CONF_BOOL)
            f.opt = NULL;
    }
    return f;
}

/* load_flag: the option at argv[*at], and its value; moves *at behind them. */
static int load_flag(const struct conf_opt *opts, size_t n, char **argv, int *at, void *out,
                     struct err *e)
{
    const char *word = argv[(*at)++];
    struct flag f = parse_flag(opts, n, word);
    if (!f.opt) /* without its value, which may be a secret */
        return err_set(e, ERR_USAGE, "unknown flag %.*s", (int)strcspn(word, "="), word);
    if (f.negated && f.value)
        return err_set(e, ERR_USAGE, "--no-%s takes no value", f.opt->name);
    if (f.opt->type == CONF_BOOL && !f.value)
        f.value = f.negated ? "false" : "true";
    if (!f.value) {
        const char *next = argv[*at];
        if (!next || str_starts(next, "--")) {
            return err_set(e, ERR_USAGE, "%s needs a value (one that begins with --: %s=VALUE)",
                           word, word);
        }
        f.value = next;
        (*at)++;
    }
    char called[NAME_BYTES] = "--";
    str_copy(called + 2, sizeof(called) - 2, f.opt->name);
    return set_value(f.opt, called, f.value, out, e);
}

static int load_flags(const struct conf_opt *opts, size_t n, char **argv, int *at,
                      bool stop_at_word, void *out, struct err *e)
{
    while (argv[*at]) {
        const char *word = argv[*at];
        if (strcmp(word, "--") == 0) {
            (*at)++;
            return 0;
        }
        if (strcmp(word, "--help") == 0 || strcmp(word, "--man") == 0 ||
            strcmp(word, "--version") == 0)
            return err_set(e, ERR_EMPTY, "%s", word + 2);
        if (word[0] != '-' || word[1] == '\0') {
            if (stop_at_word)
                return 0;
            return err_set(e, ERR_USAGE, "unexpected argument \"%s\"", word);
        }
        int rc = load_flag(opts, n, argv, at, out, e);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int load_defaults(const struct conf_opt *opts, size_t n, void *out, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (opts[i].dflt && set_value(&opts[i], "its default", opts[i].dflt, out, e) != 0)
            return err_wrap(e, "--%s", opts[i].name);
    }
    return 0;
}

int conf_load(const struct conf_opt *opts, size_t n, int argc, char **argv, bool stop_at_word,
              void *out, int *ret_rest, struct err *e)
{
    int rc = load_defaults(opts, n, out, e);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = load_variable(&opts[i], out, e);
    int at = argc > 0 ? 1 : 0;
    if (rc == 0)
        rc = load_flags(opts, n, argv, &at, stop_at_word, out, e);
    if (rc == 0)
        *ret_rest = at;
    return rc;
}

int conf_args(const struct conf_opt *opts, size_t n, char **argv, void *out, struct err *e)
{
    int at = 0;
    int rc = load_defaults(opts, n, out, e);
    return rc == 0 ? load_flags(opts, n, argv, &at, false, out, e) : rc;
}

/* ---- help ---- */

static void add_usage(const struct conf_opt *o, struct buf *out)
{
    const char *arg = o->arg ? o->arg : types[o->type].arg;
    if (o->type == CONF_BOOL)
        buf_addf(out, "--[no-]%s", o->name);
    else
        buf_addf(out, "--%s %s", o->name, arg);
}

void conf_help(const struct conf_opt *opts, size_t n, struct buf *out)
{
    AUTO(buf) struct buf usage = BUF_INIT(1024);
    size_t width = 0;
    for (size_t i = 0; i < n; i++) {
        buf_clear(&usage);
        add_usage(&opts[i], &usage);
        width = usage.len > width ? usage.len : width;
    }
    for (size_t i = 0; i < n; i++) {
        char variable[NAME_BYTES];
        env_name(&opts[i], variable);
        buf_clear(&usage);
        add_usage(&opts[i], &usage);
        buf_addf(out, "  %-*s  %s (", (int)width, buf_str(&usage), opts[i].help);
        if (opts[i].dflt)
            buf_addf(out, "default %s; ", opts[i].dflt[0] ? opts[i].dflt : "\"\"");
        buf_addf(out, "%s)\n", variable);
    }
}

void conf_man(const struct conf_opt *opts, size_t n, struct buf *out)
{
    AUTO(buf) struct buf usage = BUF_INIT(1024);
    AUTO(buf) struct buf text = BUF_INIT(1024);
    for (size_t i = 0; i < n; i++) {
        char variable[NAME_BYTES];
        env_name(&opts[i], variable);
        buf_clear(&usage);
        add_usage(&opts[i], &usage);
        buf_clear(&text);
        buf_addf(&text, "%s (", opts[i].help);
        if (opts[i].dflt)
            buf_addf(&text, "default %s; ", opts[i].dflt[0] ? opts[i].dflt : "\"\"");
        buf_addf(&text, "%s)", variable);
        roff_item(out, buf_str(&usage), buf_str(&text));
    }
}
