/* Requests that wait. Neighbours: server/http.c goes on with them, server/work.h items and response
 * streams wake them.
 *
 * Invariant: between a suspension and its resumption nobody but the waker touches a request;
 * libmicrohttpd neither closes nor times out a suspended connection, so it stays valid. Every
 * suspension is counted, for stopping the daemon with one left would abort the process. */
#include "server/http.h"

#include <poll.h>
#include <time.h>

#include "server/app.h"
#include "server/http_conn.h"
#include "server/ops.h"

#include "lib/banned.h"

static struct http_conn *conn_of(const struct req *rq)
{
    return (struct http_conn *)rq;
}

static void uncount(struct http *h)
{
    if (atomic_fetch_sub(&h->suspended, 1) != 1 || !atomic_load(&h->stopping))
        return;
    pthread_mutex_lock(&h->mu);
    pthread_cond_broadcast(&h->none_suspended);
    pthread_mutex_unlock(&h->mu);
}

void http_ended_wait(struct http_conn *hc)
{
    if (hc->suspended) {
        hc->suspended = false;
        uncount(hc->http);
    }
}

static void suspend_counted(struct http_conn *hc)
{
    hc->suspended = true;
    MHD_suspend_connection(hc->mhd);
}

void req_suspend(struct req *rq)
{
    struct http_conn *hc = conn_of(rq);
    atomic_fetch_add(&hc->http->suspended, 1);
    suspend_counted(hc);
}

void req_resume(struct req *rq)
{
    MHD_resume_connection(conn_of(rq)->mhd);
}

bool req_stopping(const struct req *rq)
{
    return atomic_load(&conn_of(rq)->http->stopping);
}

int req_suspended(const struct req *rq)
{
    return atomic_load(&conn_of(rq)->http->suspended);
}

bool req_alive(const struct req *rq)
{
    struct pollfd p = {.fd = conn_of(rq)->fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) <= 0 || !(p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

/* In the owner's thread. The request may be over before MHD_resume_connection returns. */
static void work_done(struct work *w)
{
    req_resume(w->arg);
}

/* await: everything but the submission, which has to come last. Counted before `stopping` is looked
 * at, so that http_drain misses none. */
static int await(struct req *rq, struct work *w, handler_fn then, void *state, struct err *e)
{
    struct http_conn *hc = conn_of(rq);
    w->done = work_done;
    w->arg = rq;
    rq->state = state;
    hc->work = w;
    hc->then = then;
    atomic_fetch_add(&hc->http->suspended, 1);
    if (atomic_load(&hc->http->stopping)) {
        uncount(hc->http);
        return err_set(e, ERR_UNAVAILABLE, "the server is stopping");
    }
    suspend_counted(hc);
    return 0;
}

int req_await_writer(struct req *rq, struct work *w, handler_fn then, void *state, struct err *e)
{
    if (await(rq, w, then, state, e))
        return e->code;
    writer_submit(rq->app->writer, w);
    return REQ_LATER;
}

int req_await_inbox(struct req *rq, struct inbox *in, struct work *w, handler_fn then, void *state,
                    struct err *e)
{
    if (await(rq, w, then, state, e))
        return e->code;
    inbox_submit(in, w);
    return REQ_LATER;
}

bool http_drain(struct http *h, int64_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    pthread_mutex_lock(&h->mu);
    while (atomic_load(&h->suspended) > 0) {
        if (pthread_cond_clockwait(&h->none_suspended, &h->mu, CLOCK_MONOTONIC, &until) != 0)
            break;
    }
    pthread_mutex_unlock(&h->mu);
    return atomic_load(&h->suspended) == 0;
}
