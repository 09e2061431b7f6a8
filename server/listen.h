/* The listening socket: made by us and not by the HTTP library, for precise errors and port 0. */
#pragma once

#include <netdb.h>

#include "lib/err.h"

struct listen_addr {
    char host[NI_MAXHOST]; /* as it was given, without brackets */
    int port;
};

/* listen_parse: "HOST:PORT", "[IPv6]:PORT"; an empty host means every address. ERR_USAGE. */
NODISCARD int listen_parse(const char *text, struct listen_addr *ret, struct err *e);
/* listen_open: binds and listens; a->port becomes the real one. ERR_UNAVAILABLE: in use. */
NODISCARD int listen_open(struct listen_addr *a, int *ret_fd, struct err *e);
/* listen_url_host: how a program on this machine reaches it, in brackets if need be. */
void listen_url_host(const struct listen_addr *a, char *out, size_t out_bytes);
