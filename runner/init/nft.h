/* The packet filter of this network namespace, set through nf_tables by netlink (no nft program, no
 * library). One thread.
 *
 * Not routing rules (`ip rule … unreachable`), though they take less to set: a process without any
 * privilege may bind a socket to a device, and the kernel then takes a destination that no route
 * leads to for a neighbour on the link and sends the packet all the same; broadcasts to it are not
 * even looked up. A filter at the output hook sees every packet. */
#pragma once

#include "runner/init/netpolicy.h"

/* nft_apply: packets that leave over anything but the loopback device go by the rules: refused ones
 * are answered with "administratively prohibited". All or nothing. Needs CAP_NET_ADMIN; ERR_IO when
 * the kernel refuses, with its errno. */
NODISCARD int nft_apply(const struct net_rules *rules, struct err *e);

/* nft_batch: the netlink messages of nft_apply for one family, appended; `loopback` is the index of
 * that device. Returns in *ret_last_seq the number of the last message that is acknowledged, having
 * counted up from `first_seq`. */
void nft_batch(const struct net_rules *rules, int family, unsigned loopback, uint32_t first_seq,
               struct buf *out, uint32_t *ret_last_seq);
