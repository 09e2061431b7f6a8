/* The grammar of a cron line: fields of lists of ranges with steps, by one table of fields. */
#include <string.h>

#include "lib/civil.h"
#include "lib/cleanup.h"
#include "lib/cron.h"
#include "lib/str.h"
#include "lib/banned.h"

struct field {
    const char *name;
    int min, max;
    const char *const *words; /* words[i] stands for min + i */
    bool question;            /* `?` is `*` */
};

static const char *const month_words[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

enum { F_SECOND, F_MINUTE, F_HOUR, F_DAY, F_MONTH, F_WEEKDAY, FIELDS };

static const struct field fields[FIELDS] = {
    [F_SECOND] = {"second", 0, 59, NULL, false},
    [F_MINUTE] = {"minute", 0, 59, NULL, false},
    [F_HOUR] = {"hour", 0, 23, NULL, false},
    [F_DAY] = {"day-of-month", 1, 31, NULL, true},
    [F_MONTH] = {"month", 1, 12, month_words, false},
    [F_WEEKDAY] = {"day-of-week", 0, 7, weekday_words, true},
};

static const struct {
    const char *name, *line;
} nicknames[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

/* One field's text: p … end, never empty. */
struct span {
    const char *p, *end;
};

static int bad_field(struct err *e, const struct field *f, struct span text, const char *why)
{
    return err_set(e, ERR_INVALID, "cron %s field \"%.*s\": %s (%d-%d, lists, ranges, steps)",
                   f->name, (int)(text.end - text.p), text.p, why, f->min, f->max);
}

static bool take_word(const char **p, const char *end, const struct field *f, int *ret)
{
    for (int i = 0; f->words && f->words[i]; i++) {
        size_t len = strlen(f->words[i]);
        if ((size_t)(end - *p) >= len && strncasecmp(*p, f->words[i], len) == 0) {
            *p += len;
            *ret = f->min + i;
            return true;
        }
    }
    return false;
}

static bool take_number(const char **p, const char *end, int *ret)
{
    const char *start = *p;
    int v = 0;
    for (; *p < end && **p >= '0' && **p <= '9' && v < 10000; (*p)++)
        v = v * 10 + (**p - '0');
    *ret = v;
    return *p > start;
}

static bool take_value(const char **p, const char *end, const struct field *f, int *ret)
{
    return take_word(p, end, f, ret) || take_number(p, end, ret);
}

/* One element of a list, "*", "a", "a-b", each with "/step": returns what is wrong with it, NULL if
 * nothing is. */
static const char *take_item(struct span item, const struct field *f, uint64_t *set)
{
    const char *p = item.p;
    int from = f->min, to = f->max, step = 1;
    bool star = p < item.end && (*p == '*' || (f->question && *p == '?'));
    bool range = star;
    if (star) {
        p++;
    } else {
        if (!take_value(&p, item.end, f, &from))
            return "a value is expected";
        to = from;
        if (p < item.end && *p == '-') {
            p++;
            range = true;
            if (!take_value(&p, item.end, f, &to))
                return "the range has no end";
        }
    }
    if (p < item.end && *p == '/') {
        p++;
        if (!take_number(&p, item.end, &step) || step == 0)
            return "a step is a number above 0";
        if (!range)
            to = f->max;
    }
    if (p != item.end)
        return "something is left over";
    if (from < f->min || from > f->max || to < f->min || to > f->max)
        return "out of range";
    if (from > to)
        return "the range runs backwards";
    for (int v = from; v <= to; v += step)
        *set |= UINT64_C(1) << v;
    return NULL;
}

static int parse_field(struct span text, const struct field *f, uint64_t *ret, struct err *e)
{
    *ret = 0;
    for (const char *p = text.p; p <= text.end;) {
        const char *comma = memchr(p, ',', (size_t)(text.end - p));
        struct span item = {p, comma ? comma : text.end};
        const char *why = take_item(item, f, ret);
        if (why)
            return bad_field(e, f, text, why);
        p = item.end + 1;
    }
    return 0;
}

/* Cuts the line at white space; the number of fields, at most FIELDS + 1. */
static int split(const char *line, struct span out[FIELDS + 1])
{
    int n = 0;
    while (n <= FIELDS) {
        line += strspn(line, " \t");
        if (*line == '\0')
            break;
        size_t len = strcspn(line, " \t");
        out[n++] = (struct span){line, line + len};
        line += len;
    }
    return n;
}

static bool is_star(struct span s)
{
    return *s.p == '*' || *s.p == '?';
}

/* By days of the month alone: is there one that its month can have? 29 February comes every few
 * years. */
static bool can_fire(const struct cron *c)
{
    if (!c->any_weekday)
        return true;
    for (int month = 1; month <= 12; month++)
        for (int day = 1; day <= civil_month_days(2000, month); day++)
            if ((c->months >> month & 1) && (c->days >> day & 1))
                return true;
    return false;
}

int cron_parse(const char *text, struct cron *ret, struct err *e)
{
    if (strlen(text) > CRON_TEXT_BYTES)
        return err_set(e, ERR_INVALID, "a cron line has at most %d bytes", CRON_TEXT_BYTES);
    const char *line = text;
    for (size_t i = 0; i < ARRAY_LEN(nicknames); i++)
        if (strcasecmp(text, nicknames[i].name) == 0)
            line = nicknames[i].line;
    if (*line == '@')
        return err_set(e, ERR_INVALID, "unknown cron nickname \"%s\" (as @hourly, @daily)", text);

    struct span spans[FIELDS + 1] = {{0}};
    int n = split(line, spans);
    if (n != FIELDS && n != FIELDS - 1)
        return err_set(e, ERR_INVALID, "the cron line \"%s\" has %s%d fields, not 5 or 6", text,
                       n > FIELDS ? "more than " : "", n > FIELDS ? FIELDS : n);
    int first = FIELDS - n; /* five fields: no seconds */
    uint64_t sets[FIELDS] = {[F_SECOND] = 1};
    for (int i = first; i < FIELDS; i++) {
        int r = parse_field(spans[i - first], &fields[i], &sets[i], e);
        if (r)
            return r;
    }
    struct cron c = {
        .seconds = sets[F_SECOND],
        .minutes = sets[F_MINUTE],
        .hours = (uint32_t)sets[F_HOUR],
        .days = (uint32_t)sets[F_DAY],
        .months = (uint32_t)sets[F_MONTH],
        .weekdays = (uint8_t)((sets[F_WEEKDAY] | sets[F_WEEKDAY] >> 7) & 0x7f),
        .any_day = is_star(spans[F_DAY - first]),
        .any_weekday = is_star(spans[F_WEEKDAY - first]),
        .follows_clock = is_star(spans[F_MINUTE - first]) || is_star(spans[F_HOUR - first]),
    };
    if (!can_fire(&c))
        return err_set(e, ERR_INVALID,
                       "the cron line \"%s\" never fires: no such day in that month", text);
    *ret = c;
    return 0;
}
