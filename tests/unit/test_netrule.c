/* Network rules as text: what is taken, what is refused, and what they match. */
#include "api/netrule.h"

#include <arpa/inet.h>

#include "tests/unit/tap.h"

#include "lib/banned.h"

/* A rule's text after it was read and written again; NULL when it is refused. */
static const char *again(const char *word)
{
    static struct buf out;
    struct net_rule r;
    struct err e = {0};
    if (net_rule_parse(word, &r, &e)) {
        CHECK_INT(e.code, ERR_INVALID);
        return NULL;
    }
    buf_release(&out);
    out = BUF_INIT(NET_RULE_BYTES);
    net_rule_write(&r, &out);
    CHECK(!out.failed);
    return buf_str(&out);
}

static bool matches(const char *word, int family, const char *address)
{
    uint8_t bytes[16];
    struct net_rule r;
    struct err e = {0};
    CHECK_OK(net_rule_parse(word, &r, &e), &e);
    CHECK(inet_pton(family, address, bytes) == 1);
    return net_rule_matches(&r, family, bytes);
}

TEST(targets_are_addresses_with_prefix_and_port)
{
    CHECK_STR(again("deny=10.0.0.0/8"), "deny=10.0.0.0/8");
    CHECK_STR(again("allow=10.1.2.3"), "allow=10.1.2.3/32");
    CHECK_STR(again("allow=10.1.2.3:8080"), "allow=10.1.2.3/32:8080");
    CHECK_STR(again("allow=10.1.2.0/24:443"), "allow=10.1.2.0/24:443");
    CHECK_STR(again("deny=fc00::/7"), "deny=fc00::/7");
    CHECK_STR(again("allow=[fd00::1]:53"), "allow=[fd00::1/128]:53");
    CHECK_STR(again("allow=[fd00::/64]:53"), "allow=[fd00::/64]:53");
    CHECK_STR(again("deny=0.0.0.0/0"), "deny=0.0.0.0/0");
}

TEST(what_was_written_is_read_again)
{
    CHECK_STR(again("allow=[fd00::1/128]:53"), "allow=[fd00::1/128]:53");
    CHECK_STR(again("allow=10.1.2.3/32:8080"), "allow=10.1.2.3/32:8080");
}

TEST(bits_behind_the_prefix_are_cleared)
{
    CHECK_STR(again("deny=10.255.1.2/12"), "deny=10.240.0.0/12");
    CHECK_STR(again("deny=fdff::1/7"), "deny=fc00::/7");
}

TEST(what_is_no_target_is_refused)
{
    static const char *const bad[] = {"",
                                      "10.0.0.0/8",
                                      "deny=",
                                      "deny=host",
                                      "deny=10.0.0",
                                      "deny=10.0.0.0/33",
                                      "deny=10.0.0.0/-1",
                                      "deny=10.0.0.0/",
                                      "deny=::/129",
                                      "deny=10.0.0.1:0",
                                      "deny=10.0.0.1:65536",
                                      "deny=10.0.0.1:",
                                      "deny=10.0.0.1:80x",
                                      "deny=[::1",
                                      "deny=[::1]80",
                                      "deny=10.0.0.1 ",
                                      "permit=10.0.0.1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (again(bad[i]))
            TAP_FAIL("taken: \"%s\"", bad[i]);
    char longest[200] = "deny=";
    memset(longest + 5, '1', sizeof longest - 6);
    CHECK(!again(longest));
}

TEST(a_rule_matches_the_addresses_under_its_prefix)
{
    CHECK(matches("deny=172.16.0.0/12", AF_INET, "172.31.255.255"));
    CHECK(!matches("deny=172.16.0.0/12", AF_INET, "172.32.0.0"));
    CHECK(matches("deny=169.254.169.254", AF_INET, "169.254.169.254"));
    CHECK(!matches("deny=169.254.169.254", AF_INET, "169.254.169.253"));
    CHECK(matches("deny=0.0.0.0/0", AF_INET, "8.8.8.8"));
    CHECK(matches("deny=fe80::/10", AF_INET6, "febf::1"));
    CHECK(!matches("deny=fe80::/10", AF_INET6, "fec0::1"));
    CHECK(!matches("deny=::/0", AF_INET, "8.8.8.8"));
}

TEST(lists_are_separated_by_commas)
{
    static struct net_rule rules[NET_RULES];
    size_t n = 0;
    struct err e = {0};
    CHECK_OK(net_rules_parse("", true, rules, &n, &e), &e);
    CHECK_INT(n, 0);
    CHECK_OK(net_rules_parse("10.0.0.1:80,fd00::/8", true, rules, &n, &e), &e);
    CHECK_OK(net_rules_parse("192.0.2.1", false, rules, &n, &e), &e);
    CHECK_INT(n, 3);
    CHECK(rules[0].allow && rules[0].port == 80 && rules[1].prefix == 8 && !rules[2].allow);
    CHECK_INT(net_rules_parse("10.0.0.1,,", true, rules, &n, &e), ERR_INVALID);
}

TEST(policies_have_names)
{
    enum net_policy p = NET_BRIDGE;
    CHECK(net_policy_parse("none", &p) && p == NET_NONE);
    CHECK_STR(net_policy_name(p), "none");
    CHECK(!net_policy_parse("host", &p));
    CHECK_INT(p, NET_NONE);
}

TAP_MAIN
