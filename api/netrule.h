/* One rule of a net sandbox: which destinations its tasks may or may not reach. Rules are words in
 * the argv of `wrought-init sandbox`, and in the runner's --allow-net and --deny-net without their
 * verb. Used by the static init: libc, lib/buf and lib/err only. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

#define NET_RULE_BYTES 96  /* of one as text, NUL included */
#define NET_RULES      256 /* in one sandbox */

enum net_policy { /* of a code; stored and sent by name */
                  NET_BRIDGE = 0,
                  NET_NONE = 1,
};
const char *net_policy_name(enum net_policy p);
bool net_policy_parse(const char *word, enum net_policy *ret);

struct net_rule {
    bool allow;
    int family; /* AF_INET, AF_INET6 */
    uint8_t address[16];
    unsigned prefix; /* bits of the address that count */
    uint16_t port;   /* TCP and UDP; 0 = all ports, and every protocol */
};

/* net_rule_parse_target: "ADDRESS[/PREFIX][:PORT]", an IPv6 address with a port in brackets.
 * Bits behind the prefix are cleared. ERR_INVALID names the text. */
NODISCARD int net_rule_parse_target(const char *text, bool allow, struct net_rule *ret,
                                    struct err *e);
/* net_rule_parse: "allow=TARGET" or "deny=TARGET". */
NODISCARD int net_rule_parse(const char *word, struct net_rule *ret, struct err *e);
/* net_rule_write: the word that net_rule_parse reads. */
void net_rule_write(const struct net_rule *r, struct buf *out);
/* net_rule_matches: the address is one of the rule's (whatever the port). */
bool net_rule_matches(const struct net_rule *r, int family, const void *address);

/* net_rules_parse: a list of targets, separated by commas; "" is none. Appends to rules[*n]. */
NODISCARD int net_rules_parse(const char *list, bool allow, struct net_rule rules[NET_RULES],
                              size_t *n, struct err *e);
