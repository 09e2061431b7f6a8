/* Address text to listening socket. Neighbour: server/main.c. */
#include "server/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define BACKLOG 1024

static int wrong(const char *text, struct err *e)
{
    return err_set(e, ERR_USAGE, "--listen %s: HOST:PORT is expected", text);
}

int listen_parse(const char *text, struct listen_addr *ret, struct err *e)
{
    const char *colon = strrchr(text, ':'), *host = text;
    struct err number;
    int64_t port;
    if (!colon || str_int(colon + 1, "port", 0, 65535, &port, &number))
        return wrong(text, e);
    size_t len = (size_t)(colon - text);
    if (*text == '[') {
        if (len < 2 || text[len - 1] != ']')
            return wrong(text, e);
        host++;
        len -= 2;
    } else if (memchr(text, ':', len)) {
        return wrong(text, e); /* an IPv6 address without brackets: where does the port begin? */
    }
    if (len >= sizeof(ret->host))
        return wrong(text, e);
    memcpy(ret->host, host, len);
    ret->host[len] = '\0';
    ret->port = (int)port;
    return 0;
}

static int real_port(int fd, int *ret, struct err *e)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return err_os(e, ERR_IO, errno, "ask for the port");
    if (at.ss_family == AF_INET6)
        *ret = ntohs(((struct sockaddr_in6 *)&at)->sin6_port);
    else
        *ret = ntohs(((struct sockaddr_in *)&at)->sin_port);
    return 0;
}

static int bind_one(const struct addrinfo *at, int *ret_fd)
{
    autoclose int fd =
        socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
        return errno;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int listen_open(struct listen_addr *a, int *ret_fd, struct err *e)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    char port[8];
    snprintf(port, sizeof(port), "%d", a->port);
    int rc = getaddrinfo(a->host[0] ? a->host : NULL, port, &hints, &found);
    if (rc != 0)
        return err_set(e, ERR_USAGE, "--listen %s: %s", a->host, gai_strerror(rc));
    autoclose int fd = -1;
    int why = 0;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        why = bind_one(at, &fd);
    freeaddrinfo(found);
    if (fd < 0) {
        bool permanent = why == EADDRNOTAVAIL || why == EACCES;
        return err_os(e, permanent ? ERR_USAGE : ERR_UNAVAILABLE, why, "listen on %s:%d", a->host,
                      a->port);
    }
    if (real_port(fd, &a->port, e))
        return e->code;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

void listen_url_host(const struct listen_addr *a, char *out, size_t out_bytes)
{
    bool v6 = strchr(a->host, ':') != NULL;
    if (!a->host[0] || strcmp(a->host, "0.0.0.0") == 0)
        str_copy(out, out_bytes, "127.0.0.1");
    else if (strcmp(a->host, "::") == 0)
        str_copy(out, out_bytes, "[::1]");
    else
        (void)snprintf(out, out_bytes, "%s%s%s", v6 ? "[" : "", a->host, v6 ? "]" : "");
}
