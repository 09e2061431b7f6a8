/* Gathers the rules. What only the sandbox itself can know, its resolvers and its neighbourhood, is
 * read here; what an operator knows comes as words; the rest is the table. */
#include "runner/init/netpolicy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"

#include "lib/banned.h"

#define FILE_BYTES (256u << 10)
#define DNS_PORT   53

/* Private, shared, link-local (with cloud metadata), multicast, broadcast and other addresses that
 * are not of the world (RFC 6890), and the prefix under which NAT64 shows all of IPv4 again. */
static const char *const never[] = {
    "deny=0.0.0.0/8",     "deny=10.0.0.0/8",     "deny=100.64.0.0/10",  "deny=169.254.0.0/16",
    "deny=172.16.0.0/12", "deny=192.0.0.0/24",   "deny=192.168.0.0/16", "deny=198.18.0.0/15",
    "deny=224.0.0.0/4",   "deny=240.0.0.0/4",    "deny=::/96",          "deny=::ffff:0:0/96",
    "deny=64:ff9b::/96",  "deny=64:ff9b:1::/48", "deny=2002::/16",      "deny=fc00::/7",
    "deny=fe80::/10",     "deny=fec0::/10",      "deny=ff00::/8",
};

static int add(struct net_rules *to, const struct net_rule *r, struct err *e)
{
    if (to->n == ARRAY_LEN(to->rules))
        return err_set(e, ERR_INVALID, "more than %d network rules", NET_RULES);
    to->rules[to->n++] = *r;
    return 0;
}

static int add_address(struct net_rules *to, bool allow, int family, const void *address,
                       unsigned prefix, struct err *e)
{
    struct net_rule r = {.allow = allow, .family = family, .prefix = prefix};
    memcpy(r.address, address, family == AF_INET6 ? 16 : 4);
    return add(to, &r, e);
}

static int add_words(char *const *words, bool allow, struct net_rules *to, struct err *e)
{
    for (; *words; words++) {
        struct net_rule r;
        if (net_rule_parse(*words, &r, e) || (r.allow == allow && add(to, &r, e)))
            return e->code;
    }
    return 0;
}

static int add_never(struct net_rules *to, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        struct net_rule r;
        if (net_rule_parse(never[i], &r, e) || add(to, &r, e))
            return e->code;
    }
    return 0;
}

/* next_line: the line at *at, cut into `line`; false at the end. */
static bool next_line(const char **at, char line[256])
{
    if (**at == '\0')
        return false;
    size_t len = strcspn(*at, "\n");
    snprintf(line, 256, "%.*s", (int)(len < 256 ? len : 255), *at);
    *at += len + ((*at)[len] == '\n');
    return true;
}

int netpolicy_add_resolvers(const char *text, struct net_rules *to, struct err *e)
{
    char line[256], address[64];
    while (next_line(&text, line)) {
        struct net_rule r;
        if (sscanf(line, " nameserver %63s", address) != 1)
            continue;
        address[strcspn(address, "%")] = '\0'; /* a link-local resolver names its interface */
        if (strchr(address, '/') || net_rule_parse_target(address, true, &r, e))
            return err_set(e, ERR_INVALID, "resolv.conf: bad nameserver %s", address);
        r.port = DNS_PORT;
        if (add(to, &r, e))
            return e->code;
    }
    return 0;
}

/* /proc/net/route: "eth0 000011AC 00000000 0001 0 0 0 0000FFFF …": destination, gateway, flags and
 * mask; the addresses are numbers as the processor reads them. */
int netpolicy_add_routes4(const char *text, struct net_rules *to, struct err *e)
{
    char line[256];
    while (next_line(&text, line)) {
        uint32_t net, gateway, mask;
        unsigned flags;
        if (sscanf(line, "%*s %8x %8x %x %*s %*s %*s %8x", &net, &gateway, &flags, &mask) != 4)
            continue; /* the head */
        unsigned prefix = (unsigned)__builtin_popcount(mask);
        if (prefix > 0 && add_address(to, false, AF_INET, &net, prefix, e))
            return e->code;
        if ((flags & RTF_GATEWAY) && add_address(to, false, AF_INET, &gateway, 32, e))
            return e->code;
    }
    return 0;
}

static bool parse_hex(const char *digits, uint8_t out[16])
{
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        if (sscanf(digits + 2 * i, "%2x", &byte) != 1)
            return false;
        out[i] = (uint8_t)byte;
    }
    return true;
}

/* /proc/net/ipv6_route: destination and prefix, source and prefix, next hop, metric, reference and
 * use counts, flags, interface; all in hexadecimal. */
int netpolicy_add_routes6(const char *text, struct net_rules *to, struct err *e)
{
    static const uint8_t none[16] = {0};
    char line[256], net[33], hop[33], interface[33];
    while (next_line(&text, line)) {
        uint8_t address[16];
        unsigned prefix;
        if (sscanf(line, "%32s %x %*s %*s %32s %*s %*s %*s %*s %32s", net, &prefix, hop,
                   interface) != 4)
            continue;
        bool local = strcmp(interface, "lo") == 0;
        if (!local && prefix > 0 && prefix <= 128 && strlen(net) == 32 && parse_hex(net, address) &&
            add_address(to, false, AF_INET6, address, prefix, e))
            return e->code;
        if (strlen(hop) == 32 && parse_hex(hop, address) && memcmp(address, none, 16) != 0 &&
            add_address(to, false, AF_INET6, address, 128, e))
            return e->code;
    }
    return 0;
}

/* A file that is not there has nothing to add: no IPv6, no resolver. */
static int add_file(const char *path,
                    int (*add_text)(const char *text, struct net_rules *to, struct err *e),
                    struct net_rules *to, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(FILE_BYTES);
    char piece[4096];
    autofclose FILE *f = fopen(path, "re");
    if (!f)
        return errno == ENOENT ? 0 : err_os(e, ERR_IO, errno, "%s", path);
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        buf_add(&text, piece, n);
    if (ferror(f) || text.failed)
        return err_set(e, ERR_IO, "%s cannot be read", path);
    return add_text(buf_str(&text), to, e);
}

int netpolicy_gather(char *const *words, struct net_rules *ret, struct err *e)
{
    ret->n = 0;
    if (add_words(words, true, ret, e) ||
        add_file("/etc/resolv.conf", netpolicy_add_resolvers, ret, e) ||
        add_words(words, false, ret, e) || add_never(ret, e) ||
        add_file("/proc/net/route", netpolicy_add_routes4, ret, e) ||
        add_file("/proc/net/ipv6_route", netpolicy_add_routes6, ret, e))
        return e->code;
    return 0;
}
