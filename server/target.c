/* Request targets and form bodies. Neighbour: server/http.c, which gives the raw target. */
#include "server/target.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/str.h"

#include "lib/banned.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* decode: `text` in place. False for an encoded NUL, which would cut what follows it off. */
static bool decode(char *text, bool plus_is_space)
{
    char *out = text;
    for (const char *in = text; *in; in++) {
        int high, low;
        if (*in == '%' && (high = hex_value(in[1])) >= 0 && (low = hex_value(in[2])) >= 0) {
            if (high == 0 && low == 0)
                return false;
            *out++ = (char)(high << 4 | low);
            in += 2;
        } else {
            *out++ = *in == '+' && plus_is_space ? ' ' : *in;
        }
    }
    *out = '\0';
    return true;
}

/* cut: terminates `text` at the first `mark` and returns what follows, or NULL without one. */
static char *cut(char *text, char mark)
{
    char *at = strchr(text, mark);
    if (at)
        *at++ = '\0';
    return at;
}

int args_parse(char *text, struct args *ret, struct err *e)
{
    ret->n = 0;
    for (char *next; text; text = next) {
        next = cut(text, '&');
        if (!*text)
            continue;
        if (ret->n == ARGS_MAX)
            return err_set(e, ERR_INVALID, "more than %d arguments", ARGS_MAX);
        char *value = cut(text, '=');
        if (!decode(text, true) || (value && !decode(value, true)))
            return err_set(e, ERR_INVALID, "an argument holds an encoded NUL");
        ret->at[ret->n++] = (struct arg){text, value ? value : ""};
    }
    return 0;
}

const char *args_get(const struct args *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->at[i].name, name) == 0)
            return a->at[i].value;
    }
    return NULL;
}

/* skip_authority: "http://host:port/2/x" → "/2/x". */
static char *skip_authority(char *text)
{
    const char *schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(schemes[i]);
        if (strncasecmp(text, schemes[i], len) == 0)
            return text + len + strcspn(text + len, "/?");
    }
    return text;
}

int target_parse(char *text, struct target *ret, struct err *e)
{
    char *path = skip_authority(text);
    ret->n = ret->args.n = 0;
    if (path == text && *path != '/')
        return err_set(e, ERR_INVALID, "the request target is not a path");
    char *query = cut(path, '?');
    for (char *next; path; path = next) {
        next = cut(path, '/');
        if (!*path)
            continue;
        if (ret->n == SEGMENTS_MAX)
            return err_set(e, ERR_INVALID, "the path has more than %d parts", SEGMENTS_MAX);
        if (!decode(path, false))
            return err_set(e, ERR_INVALID, "the path holds an encoded NUL");
        ret->segment[ret->n++] = path;
    }
    return query ? args_parse(query, &ret->args, e) : 0;
}
