/* Rules of net sandboxes as text. */
#include "api/netrule.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

#include "lib/banned.h"

static const char *const policy_names[] = {[NET_BRIDGE] = "bridge", [NET_NONE] = "none"};

const char *net_policy_name(enum net_policy p)
{
    return policy_names[p];
}

bool net_policy_parse(const char *word, enum net_policy *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(policy_names); i++) {
        if (strcmp(word, policy_names[i]) == 0) {
            *ret = (enum net_policy)i;
            return true;
        }
    }
    return false;
}

static unsigned address_bits(int family)
{
    return family == AF_INET6 ? 128 : 32;
}

/* number: the whole text is a decimal number of at most `max`. */
static bool number(const char *text, unsigned max, unsigned *ret)
{
    char *end = NULL;
    if (*text < '0' || *text > '9' || strlen(text) > 5)
        return false;
    unsigned long v = strtoul(text, &end, 10);
    *ret = (unsigned)v;
    return *end == '\0' && v <= max;
}

static void clear_host_bits(struct net_rule *r)
{
    for (unsigned bit = r->prefix; bit < address_bits(r->family); bit++)
        r->address[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

/* cut_port: ends `text` before its ":PORT" and returns that; NULL when there is none. An IPv6
 * address has colons of its own, so it needs the brackets, which are taken off. */
static char *cut_port(char **text)
{
    char *at = *text;
    if (*at == '[') {
        char *close = strchr(at, ']');
        if (!close || (close[1] != '\0' && close[1] != ':'))
            return NULL; /* no address either: refused there */
        *text = at + 1;
        *close = '\0';
        return close[1] ? close + 2 : NULL;
    }
    char *colon = strchr(at, ':');
    if (!colon || strchr(colon + 1, ':'))
        return NULL;
    *colon = '\0';
    return colon + 1;
}

static bool parse_target(char *text, struct net_rule *r)
{
    char *port = cut_port(&text);
    char *slash = strchr(text, '/');
    unsigned prefix = 0, port_number = 0;
    if (slash)
        *slash = '\0';
    r->family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(r->family, text, r->address) != 1)
        return false;
    r->prefix = address_bits(r->family);
    if (slash) {
        if (!number(slash + 1, r->prefix, &prefix))
            return false;
        r->prefix = prefix;
    }
    if (port && (!number(port, UINT16_MAX, &port_number) || port_number == 0))
        return false;
    r->port = (uint16_t)port_number;
    clear_host_bits(r);
    return true;
}

int net_rule_parse_target(const char *text, bool allow, struct net_rule *ret, struct err *e)
{
    struct net_rule r = {.allow = allow};
    char copy[NET_RULE_BYTES];
    int n = snprintf(copy, sizeof copy, "%s", text);
    if (n < 0 || (size_t)n >= sizeof copy || !parse_target(copy, &r))
        return err_set(e, ERR_INVALID, "\"%.80s\" is not ADDRESS[/PREFIX][:PORT]", text);
    *ret = r;
    return 0;
}

int net_rule_parse(const char *word, struct net_rule *ret, struct err *e)
{
    static const char *const verbs[] = {"deny=", "allow="};
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        size_t len = strlen(verbs[i]);
        if (strncmp(word, verbs[i], len) == 0)
            return net_rule_parse_target(word + len, i == 1, ret, e);
    }
    return err_set(e, ERR_INVALID, "\"%.80s\" is neither allow=TARGET nor deny=TARGET", word);
}

void net_rule_write(const struct net_rule *r, struct buf *out)
{
    char address[INET6_ADDRSTRLEN];
    if (!inet_ntop(r->family, r->address, address, sizeof address))
        abort(); /* the family is one of ours, and the text has room */
    bool bracket = r->family == AF_INET6 && r->port != 0;
    buf_addf(out, "%s=%s%s/%u%s", r->allow ? "allow" : "deny", bracket ? "[" : "", address,
             r->prefix, bracket ? "]" : "");
    if (r->port != 0)
        buf_addf(out, ":%u", r->port);
}

bool net_rule_matches(const struct net_rule *r, int family, const void *address)
{
    const uint8_t *a = address;
    if (family != r->family)
        return false;
    unsigned whole = r->prefix / 8, rest = r->prefix % 8;
    if (memcmp(a, r->address, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ r->address[whole]) & (uint8_t)(0xff00u >> rest)) == 0;
}

int net_rules_parse(const char *list, bool allow, struct net_rule rules[NET_RULES], size_t *n,
                    struct err *e)
{
    while (*list) {
        char one[NET_RULE_BYTES];
        size_t len = strcspn(list, ",");
        if (*n == NET_RULES)
            return err_set(e, ERR_INVALID, "more than %d network rules", NET_RULES);
        snprintf(one, sizeof one, "%.*s", (int)(len < sizeof one ? len : sizeof one), list);
        if (net_rule_parse_target(one, allow, &rules[*n], e))
            return e->code;
        ++*n;
        list += len + (list[len] == ',');
    }
    return 0;
}
