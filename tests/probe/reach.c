/* reach WAY:ADDRESS:PORT…: which of these hosts answer, one line each: "WAY:ADDRESS:PORT reached"
 * or "… unreachable (why)". Runs in a task; static, because test images have no libraries. A host
 * answers anything, over TCP and UDP. The ways are those that go around routing as well. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define DEVICE "eth0"

static int set_patience(int fd)
{
    const struct timeval patience = {.tv_sec = 3};
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ||
           setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static int bind_device(int fd)
{
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, DEVICE, sizeof DEVICE);
}

/* 0 when something came back. */
static int hear(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);
    if (n == 0)
        errno = ENODATA;
    return n == 1 ? 0 : -1;
}

static int by_tcp(int fd, const struct sockaddr_in *to)
{
    return connect(fd, (const struct sockaddr *)to, sizeof *to) || hear(fd);
}

static int by_udp(int fd, const struct sockaddr_in *to)
{
    return sendto(fd, "?", 1, 0, (const struct sockaddr *)to, sizeof *to) != 1 || hear(fd);
}

static int by_tcp_on_device(int fd, const struct sockaddr_in *to)
{
    return bind_device(fd) || by_tcp(fd, to);
}

static int by_udp_on_device(int fd, const struct sockaddr_in *to)
{
    return bind_device(fd) || by_udp(fd, to);
}

/* The device in the control data of one message. */
static int by_packet_info(int fd, const struct sockaddr_in *to)
{
    struct sockaddr_in name = *to;
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control = {0};
    struct iovec text = {.iov_base = "?", .iov_len = 1};
    struct msghdr m = {.msg_name = &name,
                       .msg_namelen = sizeof name,
                       .msg_iov = &text,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    struct in_pktinfo info = {.ipi_ifindex = (int)if_nametoindex(DEVICE)};
    control.head = (struct cmsghdr){
        .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
    memcpy(CMSG_DATA(&control.head), &info, sizeof info);
    return sendmsg(fd, &m, 0) != 1 || hear(fd);
}

static int by_broadcast(int fd, const struct sockaddr_in *to)
{
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) || bind_device(fd) ||
           by_udp(fd, to);
}

static const struct {
    const char *name;
    int type;
    int (*go)(int fd, const struct sockaddr_in *to);
} ways[] = {
    {"tcp", SOCK_STREAM, by_tcp},
    {"udp", SOCK_DGRAM, by_udp},
    {"tcp-device", SOCK_STREAM, by_tcp_on_device},
    {"udp-device", SOCK_DGRAM, by_udp_on_device},
    {"udp-pktinfo", SOCK_DGRAM, by_packet_info},
    {"broadcast", SOCK_DGRAM, by_broadcast},
};

static int try_way(const char *way, const struct sockaddr_in *to)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(ways[i].name, way) != 0)
            continue;
        int fd = socket(AF_INET, ways[i].type, 0);
        int rc = fd < 0 || set_patience(fd) || ways[i].go(fd, to);
        int why = errno;
        close(fd);
        errno = why;
        return rc;
    }
    fprintf(stderr, "reach: no way %s\n", way);
    exit(64);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc && argv[i][0] != '-'; i++) { /* what a task is told comes behind */
        char way[32], address[32];
        unsigned port;
        struct sockaddr_in to = {.sin_family = AF_INET};
        if (sscanf(argv[i], "%31[^:]:%31[^:]:%u", way, address, &port) != 3 ||
            inet_pton(AF_INET, address, &to.sin_addr) != 1) {
            fprintf(stderr, "reach: bad target %s\n", argv[i]);
            return 64;
        }
        to.sin_port = htons((uint16_t)port);
        if (try_way(way, &to) == 0)
            printf("%s reached\n", argv[i]);
        else
            printf("%s unreachable (%s)\n", argv[i], strerror(errno));
        fflush(stdout);
    }
    return 0;
}
