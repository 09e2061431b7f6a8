/* A scripted engine on a Unix socket: a thread that answers the n-th request, on whatever
 * connection it comes, with the n-th step. It notes what it was asked; fake_join fails the test
 * when a request was not the expected one or a step was left over.
 *
 *     static const struct fake_step steps[] = {FAKE_VERSION("1.41", "1.12"),
 *                                              {.expect = "GET /v1.41/info ", .body = "{}"}};
 *     struct fake f;
 *     fake_start(&f, "sock", steps, ARRAY_LEN(steps));
 *     … calls on "unix://…/sock" …
 *     fake_join(&f);
 *     … what it was asked: f.requests, fake_body …
 *     fake_release(&f);
 */
#pragma once

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/buf.h"
#include "lib/str.h"
#include "tests/unit/tap.h"

#define FAKE_CONNECTIONS   8
#define FAKE_REQUESTS      32
#define FAKE_REQUEST_BYTES (32u << 20)

enum fake_then {
    FAKE_KEEP,    /* answer, keep the connection */
    FAKE_CLOSE,   /* answer, close it */
    FAKE_HANG,    /* no answer, keep it open */
    FAKE_EARLY,   /* answer as soon as the head is there, do not read the body, close */
    FAKE_DRIBBLE, /* answer byte by byte, close */
    FAKE_STREAM,  /* answer, then note all that comes: fake_await_stream */
    FAKE_RESTART, /* close every connection without an answer, as a dying engine; the request is
                     answered by the next step when it comes again */
};

struct fake_step {
    const char *expect; /* how the request must start; NULL: any */
    unsigned status;    /* 0 = 200 */
    const char *type;   /* NULL = application/json */
    const char *body;   /* NULL = none */
    const char *raw;    /* instead of the three: the answer as it stands */
    size_t raw_len;     /* 0 = up to its NUL */
    enum fake_then then;
};

#define FAKE_VERSION(api, min)                                                                     \
    {                                                                                              \
        .expect = "GET /version ",                                                                 \
        .body = "{\"Version\":\"20.10.24\",\"ApiVersion\":\"" api "\",\"MinAPIVersion\":\"" min    \
                "\",\"Platform\":{\"Name\":\"\"},\"Components\":[{\"Name\":\"Engine\"}]}"          \
    }

struct fake_connection {
    int fd; /* -1 = free */
    bool streaming;
    struct buf in;
};

struct fake {
    int listener, stop_fd;
    pthread_t thread;
    const struct fake_step *steps;
    size_t n_steps, at;
    struct fake_connection connections[FAKE_CONNECTIONS];
    char *requests[FAKE_REQUESTS];
    size_t n_requests;
    size_t accepted; /* connections so far */
    char problem[512];
    pthread_mutex_t mu;
    pthread_cond_t grown;
    struct buf streamed; /* guarded by mu */
};

static inline void fake_say(int fd, const char *bytes, size_t len, bool dribble)
{
    for (size_t at = 0; at < len;) {
        /* A client that has gone is for the test to notice. */
        ssize_t n = send(fd, bytes + at, dribble ? 1 : len - at, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        at += (size_t)n;
    }
}

static inline void fake_answer(int fd, const struct fake_step *s)
{
    const char *body = s->body ? s->body : "";
    autofree char *text = NULL;
    const char *bytes = s->raw;
    size_t len = s->raw ? (s->raw_len ? s->raw_len : strlen(s->raw)) : 0;
    if (!bytes) {
        text = str_fmt("HTTP/1.1 %u X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                       s->status ? s->status : 200, s->type ? s->type : "application/json",
                       strlen(body), body);
        bytes = text;
        len = strlen(text);
    }
    fake_say(fd, bytes, len, s->then == FAKE_DRIBBLE);
}

static inline void fake_drop(struct fake_connection *c)
{
    close(c->fd);
    c->fd = -1;
    c->streaming = false;
    buf_release(&c->in);
}

/* The length of the request at the front of `in`; 0 while it is not whole. */
static inline size_t fake_whole(const struct fake_connection *c, bool head_only)
{
    const char *text = buf_str(&c->in);
    const char *end = strstr(text, "\r\n\r\n");
    if (!end)
        return 0;
    size_t want = (size_t)(end - text) + 4;
    const char *length = strcasestr(text, "\r\nContent-Length: ");
    if (length && length < end && !head_only)
        want += strtoull(length + strlen("\r\nContent-Length: "), NULL, 10);
    return c->in.len >= want ? want : 0;
}

static inline void fake_check(struct fake *f, const struct fake_step *s, const char *request)
{
    if (s->expect && strncmp(request, s->expect, strlen(s->expect)) != 0 && !f->problem[0])
        snprintf(f->problem, sizeof(f->problem), "step %zu wants \"%s\", got \"%.200s\"", f->at,
                 s->expect, request);
}

static inline void fake_serve(struct fake *f, struct fake_connection *c)
{
    static const struct fake_step surprise = {.status = 500, .body = "{\"message\":\"no step\"}"};
    const struct fake_step *s = f->at < f->n_steps ? &f->steps[f->at] : &surprise;
    size_t len = fake_whole(c, s->then == FAKE_EARLY);
    if (len == 0)
        return;
    autofree char *request = str_dupn(buf_str(&c->in), len);
    if (s == &surprise && !f->problem[0])
        snprintf(f->problem, sizeof(f->problem), "no step left for \"%.200s\"", request);
    fake_check(f, s, request);
    if (f->n_requests < FAKE_REQUESTS)
        f->requests[f->n_requests++] = TAKE(request);
    f->at += s != &surprise;
    buf_consume(&c->in, len);
    if (s->then == FAKE_RESTART) {
        for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
            if (f->connections[i].fd >= 0)
                fake_drop(&f->connections[i]);
        return;
    }
    if (s->then != FAKE_HANG)
        fake_answer(c->fd, s);
    c->streaming = s->then == FAKE_STREAM;
    if (s->then == FAKE_CLOSE || s->then == FAKE_EARLY || s->then == FAKE_DRIBBLE)
        fake_drop(c);
}

static inline void fake_read(struct fake *f, struct fake_connection *c)
{
    char chunk[65536];
    ssize_t n = recv(c->fd, chunk, sizeof(chunk), 0);
    if (n <= 0) {
        fake_drop(c);
    } else if (c->streaming) {
        pthread_mutex_lock(&f->mu);
        buf_add(&f->streamed, chunk, (size_t)n);
        pthread_cond_signal(&f->grown);
        pthread_mutex_unlock(&f->mu);
    } else {
        buf_add(&c->in, chunk, (size_t)n);
        fake_serve(f, c);
    }
}

static inline void fake_accept(struct fake *f)
{
    int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
    f->accepted++;
    for (size_t i = 0; i < FAKE_CONNECTIONS && fd >= 0; i++) {
        if (f->connections[i].fd < 0) {
            f->connections[i] = (struct fake_connection){fd, false, BUF_INIT(FAKE_REQUEST_BYTES)};
            return;
        }
    }
}

static inline void *fake_main(void *arg)
{
    struct fake *f = arg;
    for (;;) {
        struct pollfd p[FAKE_CONNECTIONS + 2] = {{f->stop_fd, POLLIN, 0}, {f->listener, POLLIN, 0}};
        for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
            p[i + 2] = (struct pollfd){f->connections[i].fd, POLLIN, 0};
        if (poll(p, FAKE_CONNECTIONS + 2, -1) < 0)
            continue;
        if (p[0].revents)
            return NULL;
        for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
            if (p[i + 2].revents && f->connections[i].fd == p[i + 2].fd)
                fake_read(f, &f->connections[i]);
        if (p[1].revents)
            fake_accept(f);
    }
}

static inline void fake_start(struct fake *f, const char *path, const struct fake_step *steps,
                              size_t n)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    *f = (struct fake){.steps = steps, .n_steps = n, .streamed = BUF_INIT(FAKE_REQUEST_BYTES)};
    pthread_mutex_init(&f->mu, NULL);
    pthread_cond_init(&f->grown, NULL);
    for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
        f->connections[i].fd = -1;
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    f->stop_fd = eventfd(0, EFD_CLOEXEC);
    f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(f->listener, (struct sockaddr *)&at, sizeof(at)) == 0);
    CHECK(listen(f->listener, FAKE_CONNECTIONS) == 0);
    CHECK(pthread_create(&f->thread, NULL, fake_main, f) == 0);
}

/* fake_join: the thread has ended; what it noted is for the test now. */
static inline void fake_join(struct fake *f)
{
    CHECK(eventfd_write(f->stop_fd, 1) == 0);
    CHECK(pthread_join(f->thread, NULL) == 0);
    for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
        if (f->connections[i].fd >= 0)
            fake_drop(&f->connections[i]);
    close(f->listener);
    close(f->stop_fd);
    CHECK_STR(f->problem, "");
    CHECK_INT(f->at, f->n_steps);
}

static inline void fake_release(struct fake *f)
{
    for (size_t i = 0; i < f->n_requests; i++)
        free(f->requests[i]);
    buf_release(&f->streamed);
}

/* fake_body: of request `i`, after fake_join. */
static inline const char *fake_body(const struct fake *f, size_t i)
{
    const char *end = i < f->n_requests ? strstr(f->requests[i], "\r\n\r\n") : NULL;
    return end ? end + 4 : NULL;
}

/* fake_await_stream: until FAKE_STREAM has noted `len` bytes; the test's deadline is the limit. */
static inline void fake_await_stream(struct fake *f, size_t len)
{
    pthread_mutex_lock(&f->mu);
    while (f->streamed.len < len)
        pthread_cond_wait(&f->grown, &f->mu);
    pthread_mutex_unlock(&f->mu);
}
