/* What the tasks of a net sandbox may reach: the rules in their order, the first that matches
 * counts, and what no rule names may be reached. One thread. */
#pragma once

#include "api/netrule.h"

struct net_rules {
    struct net_rule rules[NET_RULES];
    size_t n;
};

/* netpolicy_gather: what `words` (NULL-terminated) allow; the resolvers of /etc/resolv.conf, port
 * 53; then what `words` deny, the ranges that nobody's task has business with, and the networks and
 * gateways of this network namespace. ERR_INVALID for a bad word, ERR_IO when a file cannot be
 * read. */
NODISCARD int netpolicy_gather(char *const *words, struct net_rules *ret, struct err *e);

/* The parts that read files, apart for their tests. `text` is the file's. */
NODISCARD int netpolicy_add_resolvers(const char *text, struct net_rules *to, struct err *e);
NODISCARD int netpolicy_add_routes4(const char *text, struct net_rules *to, struct err *e);
NODISCARD int netpolicy_add_routes6(const char *text, struct net_rules *to, struct err *e);
