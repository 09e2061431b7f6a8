/* A table "wrought" for each family with one chain at the output hook, sent as one transaction.
 * A message is a netlink header, an nfgenmsg and attributes, which nest; a rule is a list of
 * expressions that load a value, compare it, and end in a verdict. Numbers are big-endian.
 * Source: linux/netfilter/nf_tables.h. */
#include "runner/init/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/cleanup.h"

#include "lib/banned.h"

#define TABLE       "wrought"
#define CHAIN       "out"
#define BATCH_BYTES (1u << 20)
#define ANSWER_MS   5000
/* Neighbour discovery and multicast listening, which the kernel itself sends; below it are errors
 * and echo requests. */
#define ICMP6_LINK_FIRST 130
/* Codes of "destination unreachable" that mean "administratively prohibited": RFC 1812, RFC 4443 */
#define ICMP4_ADMIN 13
#define ICMP6_ADMIN 1
#define PORT_OFFSET 2 /* of the destination port in TCP and UDP headers */

/* Where the families differ. */
struct family {
    int address_family;
    uint8_t nfproto;
    uint32_t daddr_offset, daddr_bytes; /* in the network header */
    uint8_t reject_code;
};

static const struct family families[] = {
    {AF_INET, NFPROTO_IPV4, 16, 4, ICMP4_ADMIN},
    {AF_INET6, NFPROTO_IPV6, 24, 16, ICMP6_ADMIN},
};

/* ---- messages and attributes ---- */

struct writer {
    struct buf *out;
    const struct family *family;
    uint32_t seq;
};

static size_t open_message(struct writer *w, uint16_t type, uint16_t flags, uint8_t nfproto,
                           uint16_t resource)
{
    struct {
        struct nlmsghdr head;
        struct nfgenmsg gen;
    } m = {.head = {.nlmsg_type = type,
                    .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
                    .nlmsg_seq = w->seq++},
           .gen = {.nfgen_family = nfproto, .version = NFNETLINK_V0, .res_id = htons(resource)}};
    size_t at = w->out->len;
    buf_add(w->out, &m, sizeof m);
    return at;
}

static void close_message(struct writer *w, size_t at)
{
    uint32_t len = (uint32_t)(w->out->len - at);
    if (!w->out->failed)
        memcpy(w->out->data + at, &len, sizeof len);
}

static void put(struct writer *w, uint16_t type, const void *bytes, size_t len)
{
    static const uint8_t zeros[NLA_ALIGNTO];
    struct nlattr a = {.nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type};
    buf_add(w->out, &a, sizeof a);
    buf_add(w->out, bytes, len);
    buf_add(w->out, zeros, NLA_ALIGN(len) - len);
}

static void put_text(struct writer *w, uint16_t type, const char *text)
{
    put(w, type, text, strlen(text) + 1);
}

static void put_u32(struct writer *w, uint16_t type, uint32_t v)
{
    uint32_t be = htonl(v);
    put(w, type, &be, sizeof be);
}

static size_t open_nest(struct writer *w, uint16_t type)
{
    size_t at = w->out->len;
    put(w, type | NLA_F_NESTED, NULL, 0);
    return at;
}

static void close_nest(struct writer *w, size_t at)
{
    uint16_t len = (uint16_t)(w->out->len - at);
    if (!w->out->failed)
        memcpy(w->out->data + at, &len, sizeof len);
}

/* ---- expressions ---- */

struct expr {
    size_t element, data;
};

static struct expr open_expr(struct writer *w, const char *name)
{
    struct expr x = {.element = open_nest(w, NFTA_LIST_ELEM)};
    put_text(w, NFTA_EXPR_NAME, name);
    x.data = open_nest(w, NFTA_EXPR_DATA);
    return x;
}

static void close_expr(struct writer *w, struct expr x)
{
    close_nest(w, x.data);
    close_nest(w, x.element);
}

static void put_value(struct writer *w, uint16_t type, const void *bytes, size_t len)
{
    size_t nest = open_nest(w, type);
    put(w, NFTA_DATA_VALUE, bytes, len);
    close_nest(w, nest);
}

static void load_meta(struct writer *w, uint32_t key)
{
    struct expr x = open_expr(w, "meta");
    put_u32(w, NFTA_META_DREG, NFT_REG_1);
    put_u32(w, NFTA_META_KEY, key);
    close_expr(w, x);
}

static void load_payload(struct writer *w, uint32_t base, uint32_t offset, uint32_t len)
{
    struct expr x = open_expr(w, "payload");
    put_u32(w, NFTA_PAYLOAD_DREG, NFT_REG_1);
    put_u32(w, NFTA_PAYLOAD_BASE, base);
    put_u32(w, NFTA_PAYLOAD_OFFSET, offset);
    put_u32(w, NFTA_PAYLOAD_LEN, len);
    close_expr(w, x);
}

static void compare(struct writer *w, uint32_t op, const void *bytes, size_t len)
{
    struct expr x = open_expr(w, "cmp");
    put_u32(w, NFTA_CMP_SREG, NFT_REG_1);
    put_u32(w, NFTA_CMP_OP, op);
    put_value(w, NFTA_CMP_DATA, bytes, len);
    close_expr(w, x);
}

static void mask(struct writer *w, unsigned prefix, uint32_t len)
{
    static const uint8_t zeros[16];
    uint8_t bits[16] = {0};
    for (unsigned bit = 0; bit < prefix; bit++)
        bits[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
    struct expr x = open_expr(w, "bitwise");
    put_u32(w, NFTA_BITWISE_SREG, NFT_REG_1);
    put_u32(w, NFTA_BITWISE_DREG, NFT_REG_1);
    put_u32(w, NFTA_BITWISE_LEN, len);
    put_value(w, NFTA_BITWISE_MASK, bits, len);
    put_value(w, NFTA_BITWISE_XOR, zeros, len);
    close_expr(w, x);
}

static void accept_packet(struct writer *w)
{
    struct expr x = open_expr(w, "immediate");
    put_u32(w, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    size_t data = open_nest(w, NFTA_IMMEDIATE_DATA);
    size_t verdict = open_nest(w, NFTA_DATA_VERDICT);
    put_u32(w, NFTA_VERDICT_CODE, NF_ACCEPT);
    close_nest(w, verdict);
    close_nest(w, data);
    close_expr(w, x);
}

static void reject_packet(struct writer *w)
{
    struct expr x = open_expr(w, "reject");
    put_u32(w, NFTA_REJECT_TYPE, NFT_REJECT_ICMP_UNREACH);
    put(w, NFTA_REJECT_ICMP_CODE, &w->family->reject_code, 1);
    close_expr(w, x);
}

/* ---- rules ---- */

struct rule {
    size_t message, list;
};

static struct rule open_rule(struct writer *w)
{
    struct rule r;
    r.message = open_message(w, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE,
                             NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, w->family->nfproto, 0);
    put_text(w, NFTA_RULE_TABLE, TABLE);
    put_text(w, NFTA_RULE_CHAIN, CHAIN);
    r.list = open_nest(w, NFTA_RULE_EXPRESSIONS);
    return r;
}

static void close_rule(struct writer *w, struct rule r, void (*verdict)(struct writer *w))
{
    verdict(w);
    close_nest(w, r.list);
    close_message(w, r.message);
}

static void put_loopback_rule(struct writer *w, unsigned loopback)
{
    struct rule r = open_rule(w);
    uint32_t index = loopback; /* as the processor has it */
    load_meta(w, NFT_META_OIF);
    compare(w, NFT_CMP_EQ, &index, sizeof index);
    close_rule(w, r, accept_packet);
}

static void put_link_rule(struct writer *w)
{
    static const uint8_t icmp6 = IPPROTO_ICMPV6, first = ICMP6_LINK_FIRST;
    struct rule r = open_rule(w);
    load_meta(w, NFT_META_L4PROTO);
    compare(w, NFT_CMP_EQ, &icmp6, 1);
    load_payload(w, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
    compare(w, NFT_CMP_GTE, &first, 1);
    close_rule(w, r, accept_packet);
}

static void match_destination(struct writer *w, const struct net_rule *n)
{
    const struct family *f = w->family;
    load_payload(w, NFT_PAYLOAD_NETWORK_HEADER, f->daddr_offset, f->daddr_bytes);
    if (n->prefix < f->daddr_bytes * 8)
        mask(w, n->prefix, f->daddr_bytes);
    compare(w, NFT_CMP_EQ, n->address, f->daddr_bytes);
}

/* protocol 0: every one. */
static void put_net_rule(struct writer *w, const struct net_rule *n, uint8_t protocol)
{
    struct rule r = open_rule(w);
    match_destination(w, n);
    if (protocol != 0) {
        uint16_t port = htons(n->port);
        load_meta(w, NFT_META_L4PROTO);
        compare(w, NFT_CMP_EQ, &protocol, 1);
        load_payload(w, NFT_PAYLOAD_TRANSPORT_HEADER, PORT_OFFSET, sizeof port);
        compare(w, NFT_CMP_EQ, &port, sizeof port);
    }
    close_rule(w, r, n->allow ? accept_packet : reject_packet);
}

static void put_rules(struct writer *w, const struct net_rules *rules, unsigned loopback)
{
    put_loopback_rule(w, loopback);
    if (w->family->address_family == AF_INET6)
        put_link_rule(w);
    for (size_t i = 0; i < rules->n; i++) {
        const struct net_rule *n = &rules->rules[i];
        if (n->family != w->family->address_family)
            continue;
        if (n->port == 0) {
            put_net_rule(w, n, 0);
        } else {
            put_net_rule(w, n, IPPROTO_TCP);
            put_net_rule(w, n, IPPROTO_UDP);
        }
    }
}

/* ---- table and chain ---- */

static void put_table(struct writer *w)
{
    size_t m = open_message(w, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE,
                            NLM_F_CREATE | NLM_F_ACK, w->family->nfproto, 0);
    put_text(w, NFTA_TABLE_NAME, TABLE);
    close_message(w, m);
}

static void put_chain(struct writer *w)
{
    size_t m = open_message(w, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN,
                            NLM_F_CREATE | NLM_F_ACK, w->family->nfproto, 0);
    put_text(w, NFTA_CHAIN_TABLE, TABLE);
    put_text(w, NFTA_CHAIN_NAME, CHAIN);
    put_text(w, NFTA_CHAIN_TYPE, "filter");
    put_u32(w, NFTA_CHAIN_POLICY, NF_ACCEPT);
    size_t hook = open_nest(w, NFTA_CHAIN_HOOK);
    put_u32(w, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
    put_u32(w, NFTA_HOOK_PRIORITY, 0);
    close_nest(w, hook);
    close_message(w, m);
}

void nft_batch(const struct net_rules *rules, int family, unsigned loopback, uint32_t first_seq,
               struct buf *out, uint32_t *ret_last_seq)
{
    struct writer w = {.out = out, .family = &families[family == AF_INET6], .seq = first_seq};
    close_message(&w, open_message(&w, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
    put_table(&w);
    put_chain(&w);
    put_rules(&w, rules, loopback);
    *ret_last_seq = w.seq - 1;
    close_message(&w, open_message(&w, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

/* ---- talking to the kernel ---- */

/* take_answers: the acknowledgements in one datagram. 1 when the last one, `last_seq`, is among
 * them, 0 when more are to come. */
static int take_answers(const uint8_t *bytes, size_t len, uint32_t last_seq, struct err *e)
{
    struct nlmsghdr head;
    for (size_t at = 0; at + sizeof head <= len; at += NLMSG_ALIGN(head.nlmsg_len)) {
        int32_t error;
        memcpy(&head, bytes + at, sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > len - at)
            return err_set(e, ERR_PROTOCOL, "nf_tables: torn answer");
        if (head.nlmsg_type != NLMSG_ERROR || head.nlmsg_len < sizeof head + sizeof error)
            continue;
        memcpy(&error, bytes + at + sizeof head, sizeof error);
        if (error != 0)
            return err_os(e, ERR_IO, -error, "nf_tables");
        if (head.nlmsg_seq == last_seq)
            return 1;
    }
    return 0;
}

static int await_answers(int fd, uint32_t last_seq, struct err *e)
{
    uint8_t bytes[16384];
    int rc = 0;
    while (rc == 0) {
        ssize_t n = TEMP_FAILURE_RETRY(recv(fd, bytes, sizeof bytes, 0));
        if (n < 0)
            return err_os(e, ERR_IO, errno, "nf_tables: no answer");
        rc = take_answers(bytes, (size_t)n, last_seq, e);
    }
    return rc < 0 ? rc : 0;
}

static int send_batch(int fd, const struct buf *batch, uint32_t last_seq, struct err *e)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (buf_check(batch, "network rules", e))
        return e->code;
    if (TEMP_FAILURE_RETRY(sendto(fd, batch->data, batch->len, 0, (struct sockaddr *)&kernel,
                                  sizeof kernel)) != (ssize_t)batch->len)
        return err_os(e, ERR_IO, errno, "nf_tables");
    return await_answers(fd, last_seq, e);
}

int nft_apply(const struct net_rules *rules, struct err *e)
{
    const struct timeval patience = {.tv_sec = ANSWER_MS / 1000};
    const int room = (int)BATCH_BYTES;
    unsigned loopback = if_nametoindex("lo");
    bool have_v6 = access("/proc/net/if_inet6", F_OK) == 0;
    autoclose int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd < 0 || loopback == 0)
        return err_os(e, ERR_IO, errno, "nf_tables");
    /* One acknowledgement for each message waits until we read. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
        return err_os(e, ERR_IO, errno, "nf_tables");
    uint32_t seq = 1;
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        AUTO(buf) struct buf batch = BUF_INIT(BATCH_BYTES);
        uint32_t last;
        if (families[i].address_family == AF_INET6 && !have_v6)
            continue;
        nft_batch(rules, families[i].address_family, loopback, seq, &batch, &last);
        if (send_batch(fd, &batch, last, e))
            return e->code;
        seq = last + 2;
    }
    return 0;
}
