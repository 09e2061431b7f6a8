/* Fuzzes what the engine answers. A thread plays the engine and gives every request the input: as
 * it stands to an attach, which reads HTTP by hand, and as the body of a good answer to one of the
 * calls that decode JSON. The first byte chooses. */
#include "runner/engine/attach.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/httpc.h"
#include "runner/engine/client.h"

#include "lib/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_BYTES (1u << 20)
#define KNOWN_API 41 /* so that no input is spent on the version unless it is meant to be */

static struct {
    int listener;
    char path[64];
    pthread_mutex_t mu;
    const uint8_t *answer; /* guarded by mu, as is all below */
    size_t len;
    bool raw;
} fake = {.mu = PTHREAD_MUTEX_INITIALIZER};

static void read_head(int fd)
{
    char seen[4096];
    size_t n = 0;
    while (n < sizeof(seen) && !memmem(seen, n, "\r\n\r\n", 4)) {
        ssize_t got = recv(fd, seen + n, sizeof(seen) - n, 0);
        if (got <= 0)
            return;
        n += (size_t)got;
    }
}

static void *serve(void *arg)
{
    (void)arg;
    for (;;) {
        autoclose int fd = accept4(fake.listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            abort();
        read_head(fd);
        pthread_mutex_lock(&fake.mu);
        char head[100];
        int n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                         fake.len);
        /* A client that has gone is fine. */
        if (fake.raw || send(fd, head, (size_t)n, MSG_NOSIGNAL) == n)
            (void)!send(fd, fake.answer, fake.len, MSG_NOSIGNAL);
        pthread_mutex_unlock(&fake.mu);
    }
    return NULL;
}

static void remove_socket(void)
{
    unlink(fake.path);
}

static struct engine *set_up(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct engine *g = NULL;
    struct err e;
    pthread_t thread;
    snprintf(fake.path, sizeof(fake.path), "/tmp/wrought-fuzz-engine.%d", (int)getpid());
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", fake.path);
    unlink(fake.path);
    atexit(remove_socket);
    fake.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    httpc_global_init();
    if (bind(fake.listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(fake.listener, 16) < 0 || pthread_create(&thread, NULL, serve, NULL) != 0 ||
        engine_new(fake.path, &g, &e) < 0)
        abort();
    return g;
}

/* ---- one function a kind of answer ---- */

static void ask_version(struct engine *g, struct err *e)
{
    struct engine_version v;
    (void)!engine_ping(g, &v, e);
}

static void ask_info(struct engine *g, struct err *e)
{
    struct engine_host h;
    (void)!engine_info(g, &h, e);
}

static void ask_image(struct engine *g, struct err *e)
{
    struct engine_image i;
    if (engine_image_inspect(g, "x", &i, e) == 0)
        engine_image_release(&i);
}

static void ask_stacks(struct engine *g, struct err *e)
{
    char **names = NULL;
    if (engine_stacks(g, &names, e) == 0)
        engine_strings_free(names);
}

static void ask_state(struct engine *g, struct err *e)
{
    struct engine_state s;
    (void)!engine_inspect(g, "x", &s, e);
}

static void ask_containers(struct engine *g, struct err *e)
{
    struct engine_entry *list = NULL;
    size_t n = 0;
    if (engine_list(g, "k", NULL, &list, &n, e) == 0)
        engine_list_free(list, n);
}

static void ask_volumes(struct engine *g, struct err *e)
{
    struct engine_entry *list = NULL;
    size_t n = 0;
    if (engine_volume_list(g, "k", NULL, &list, &n, e) == 0)
        engine_list_free(list, n);
}

static void pull(struct engine *g, struct err *e)
{
    (void)!engine_image_pull(g, "x:1", NULL, 10000, NULL, NULL, e);
}

static void attach(struct engine *g, struct err *e)
{
    struct attach *a = NULL;
    if (attach_open(g, "x", &a, e) < 0)
        return;
    AUTO(buf) struct buf out = BUF_INIT(OUT_BYTES);
    AUTO(buf) struct buf err_out = BUF_INIT(64);
    struct pollfd p = {attach_fd(a), POLLIN, 0};
    while (attach_recv(a, &out, &err_out, e) == 0 && poll(&p, 1, 10000) > 0)
        continue;
    attach_close(a);
}

static void (*const calls[])(struct engine *, struct err *) = {
    ask_version,    ask_info,    ask_image, ask_stacks, ask_state,
    ask_containers, ask_volumes, pull,      attach};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct engine *g;
    if (!g)
        g = set_up();
    if (size < 1)
        return 0;
    struct err e = {0};
    void (*call)(struct engine *, struct err *) = calls[data[0] % ARRAY_LEN(calls)];
    pthread_mutex_lock(&fake.mu);
    fake.answer = data + 1;
    fake.len = size - 1;
    fake.raw = call == attach;
    pthread_mutex_unlock(&fake.mu);
    g->api = KNOWN_API;
    call(g, &e);
    pthread_mutex_lock(&fake.mu);
    fake.answer = NULL; /* libFuzzer's memory is its own again */
    fake.len = 0;
    pthread_mutex_unlock(&fake.mu);
    return 0;
}
