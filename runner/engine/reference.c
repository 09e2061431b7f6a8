/* The grammar of image references, so that what is none is told apart from an engine in trouble:
 * Docker answers 400 to it, Podman 500. Source: the distribution project's reference grammar:
 *   [DOMAIN/]COMPONENT{/COMPONENT}[:TAG][@ALGORITHM:HEX] */
#include "runner/engine/image.h"

#include <string.h>

#include "lib/banned.h"

#define LOWER        "abcdefghijklmnopqrstuvwxyz"
#define UPPER        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS       "0123456789"
#define REF_NAME_MAX 255 /* without tag and digest */
#define REF_TAG_MAX  128
#define HEX_MIN      32

struct part {
    const char *at;
    size_t len;
};

static bool all_of(struct part p, const char *set)
{
    for (size_t i = 0; i < p.len; i++)
        if (!p.at[i] || !strchr(set, p.at[i]))
            return false;
    return p.len > 0;
}

static bool is_domain(struct part p)
{
    return all_of(p, LOWER UPPER DIGITS ".-:[]") && p.at[0] != '-' && p.at[0] != '.';
}

/* is_component: lower-case words between separators: one dot, one or two underscores, any number of
 * hyphens. */
static bool is_component(struct part p)
{
    size_t word = 0;
    for (size_t i = 0; i < p.len;) {
        word = strspn(p.at + i, LOWER DIGITS);
        word = word < p.len - i ? word : p.len - i;
        if (word == 0)
            return false;
        i += word;
        if (i == p.len)
            return true;
        size_t hyphens = strspn(p.at + i, "-"), lines = strspn(p.at + i, "_");
        i += hyphens ? hyphens : lines ? lines : 1;
        if (lines > 2 || (!hyphens && !lines && p.at[i - 1] != '.'))
            return false;
    }
    return false; /* empty, or it ends with a separator */
}

/* is_name: the domain is told from a component as engines do: a dot, a colon, or localhost. */
static bool is_name(struct part name)
{
    bool first = true;
    if (name.len > REF_NAME_MAX)
        return false;
    for (;;) {
        const char *slash = memchr(name.at, '/', name.len);
        struct part p = {name.at, slash ? (size_t)(slash - name.at) : name.len};
        bool domain = first && slash &&
                      (memchr(p.at, '.', p.len) || memchr(p.at, ':', p.len) ||
                       (p.len == strlen("localhost") && memcmp(p.at, "localhost", p.len) == 0));
        if (domain ? !is_domain(p) : !is_component(p))
            return false;
        if (!slash)
            return true;
        name = (struct part){slash + 1, name.len - p.len - 1};
        first = false;
    }
}

static bool is_digest(struct part p)
{
    const char *colon = memchr(p.at, ':', p.len);
    if (!colon)
        return false;
    struct part algorithm = {p.at, (size_t)(colon - p.at)};
    struct part hex = {colon + 1, p.len - algorithm.len - 1};
    return all_of(algorithm, LOWER UPPER DIGITS "+._-") && hex.len >= HEX_MIN &&
           all_of(hex, DIGITS "abcdefABCDEF");
}

bool engine_is_reference(const char *ref)
{
    struct part name = {ref, strlen(ref)};
    const char *at = strchr(ref, '@');
    if (at) {
        if (!is_digest((struct part){at + 1, strlen(at + 1)}))
            return false;
        name.len = (size_t)(at - ref);
    }
    const char *slash = memrchr(ref, '/', name.len);
    const char *last = slash ? slash + 1 : ref;
    const char *colon = memchr(last, ':', name.len - (size_t)(last - ref));
    if (colon) {
        struct part tag = {colon + 1, name.len - (size_t)(colon + 1 - ref)};
        if (tag.len > REF_TAG_MAX || !all_of(tag, LOWER UPPER DIGITS "_.-") || tag.at[0] == '.' ||
            tag.at[0] == '-')
            return false;
        name.len = (size_t)(colon - ref);
    }
    return is_name(name);
}
