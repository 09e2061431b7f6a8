/* What a net sandbox learns from resolv.conf and the kernel's tables, and whether the kernel takes
 * the filter that comes of it. */
#include "runner/init/netpolicy.h"

#include <arpa/inet.h>
#include <sched.h>

#include "runner/init/nft.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static struct net_rules rules;

static const char *rule(size_t i)
{
    static struct buf out;
    CHECK(i < rules.n);
    buf_release(&out);
    out = BUF_INIT(NET_RULE_BYTES);
    net_rule_write(&rules.rules[i], &out);
    return buf_str(&out);
}

TEST(resolvers_are_allowed_at_their_port)
{
    struct err e = {0};
    CHECK_OK(netpolicy_add_resolvers("# nameserver 192.0.2.1\nsearch example\n"
                                     "nameserver 10.0.0.53\n  nameserver\tfe80::1%eth0\n"
                                     "nameserver 9.9.9.9",
                                     &rules, &e),
             &e);
    CHECK_INT(rules.n, 3);
    CHECK_STR(rule(0), "allow=10.0.0.53/32:53");
    CHECK_STR(rule(1), "allow=[fe80::1/128]:53");
    CHECK_STR(rule(2), "allow=9.9.9.9/32:53");
}

TEST(a_resolver_that_is_no_address_is_an_error)
{
    struct err e = {0};
    CHECK_INT(netpolicy_add_resolvers("nameserver 10.0.0.0/8\n", &rules, &e), ERR_INVALID);
    CHECK_INT(netpolicy_add_resolvers("nameserver dns.example\n", &rules, &e), ERR_INVALID);
}

TEST(networks_and_gateways_are_denied)
{
    struct err e = {0};
    CHECK_OK(netpolicy_add_routes4(
                 "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n"
                 "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                 "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n",
                 &rules, &e),
             &e);
    CHECK_INT(rules.n, 2);
    CHECK_STR(rule(0), "deny=172.17.0.1/32");
    CHECK_STR(rule(1), "deny=172.17.0.0/16");
}

TEST(networks_of_version_6_are_denied_but_for_the_loopback)
{
    struct err e = {0};
    CHECK_OK(netpolicy_add_routes6(
                 "20010db8000100000000000000000000 40 00000000000000000000000000000000 00 "
                 "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n"
                 "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
                 "20010db8000100000000000000000001 00000400 00000001 00000000 00000003     eth0\n"
                 "00000000000000000000000000000001 80 00000000000000000000000000000000 00 "
                 "00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo\n",
                 &rules, &e),
             &e);
    CHECK_INT(rules.n, 2);
    CHECK_STR(rule(0), "deny=2001:db8:1::/64");
    CHECK_STR(rule(1), "deny=2001:db8:1::1/128");
}

/* The first rule that names an address decides; true when none does. */
static bool reachable(const char *address)
{
    uint8_t bytes[16];
    int family = strchr(address, ':') ? AF_INET6 : AF_INET;
    CHECK(inet_pton(family, address, bytes) == 1);
    for (size_t i = 0; i < rules.n; i++)
        if (rules.rules[i].port == 0 && net_rule_matches(&rules.rules[i], family, bytes))
            return rules.rules[i].allow;
    return true;
}

TEST(what_is_not_of_the_world_is_denied_whatever_the_words)
{
    static char *none[] = {NULL};
    static const char *const private[] = {
        "10.1.2.3",   "172.16.0.1", "172.31.9.9",      "192.168.1.1",     "169.254.169.254",
        "100.64.0.1", "224.0.0.1",  "0.0.0.1",         "255.255.255.255", "fd00:ec2::254",
        "fe80::1",    "ff02::1",    "::ffff:10.0.0.1", "64:ff9b::a00:1"};
    struct err e = {0};
    CHECK_OK(netpolicy_gather(none, &rules, &e), &e);
    for (size_t i = 0; i < sizeof private / sizeof *private; i++)
        if (reachable(private[i]))
            TAP_FAIL("reachable: %s", private[i]);
    CHECK(reachable("9.9.9.9") && reachable("2620:fe::fe"));
}

TEST(words_come_before_the_table)
{
    static char *words[] = {"deny=9.9.9.9", "allow=10.0.0.7", NULL};
    static char *wrong[] = {"allow=10.0.0.7", "open", NULL};
    struct err e = {0};
    CHECK_OK(netpolicy_gather(words, &rules, &e), &e);
    CHECK(reachable("10.0.0.7") && !reachable("10.0.0.8") && !reachable("9.9.9.9"));
    CHECK_INT(netpolicy_gather(wrong, &rules, &e), ERR_INVALID);
}

TEST(more_rules_than_there_is_room_for_are_refused)
{
    static char *words[NET_RULES + 2];
    struct err e = {0};
    for (size_t i = 0; i <= NET_RULES; i++)
        words[i] = "deny=9.9.9.9";
    CHECK_INT(netpolicy_gather(words, &rules, &e), ERR_INVALID);
}

TEST(the_kernel_takes_a_full_filter)
{
    struct err e = {0};
    for (rules.n = 0; rules.n < NET_RULES; rules.n++)
        CHECK_OK(net_rule_parse(rules.n % 2 ? "allow=[fd00::/9]:53" : "deny=10.0.0.0/9",
                                &rules.rules[rules.n], &e),
                 &e);
    CHECK(unshare(CLONE_NEWNET | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) == 0);
    CHECK_OK(nft_apply(&rules, &e), &e);
}

TAP_MAIN
