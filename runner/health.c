/* libmicrohttpd with one thread of its own. */
#include "runner/health.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/confine.h"
#include "lib/json.h"
#include "lib/str.h"

#include "lib/banned.h"

#define REPLY_BYTES 16384

struct health {
    struct node *node;
    struct jobs *jobs;
    struct MHD_Daemon *daemon;
};

static unsigned get_health(struct health *h, struct buf *out, const char **ret_type)
{
    struct node_status st;
    node_status(h->node, &st);
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    jw_str(&w, "state", st.problem[0] ? "problem" : "ok");
    jw_str(&w, "problem", st.problem);
    jw_str(&w, "runner", h->node->name);
    jw_str(&w, "version", WROUGHT_VERSION);
    jw_str(&w, "engine", st.engine_up ? st.engine_version : "");
    jw_bool(&w, "server_answers", st.server_up);
    jw_str(&w, "server_problem", st.server_problem);
    jw_int(&w, "last_poll_age_ms", st.poll_age_ms);
    jw_int(&w, "slots", h->node->set.slots);
    jw_int(&w, "jobs", (int64_t)jobs_count(h->jobs));
    jw_int(&w, "unshipped_bytes", atomic_load(&h->node->unshipped_bytes));
    jw_obj_end(&w);
    *ret_type = "application/json";
    return st.problem[0] ? 503 : 200;
}

static void gauge(struct buf *out, const char *name, const char *kind, const char *help, int64_t v)
{
    buf_addf(out,
             "# HELP wrought_runner_%s %s\n# TYPE wrought_runner_%s %s\nwrought_runner_%s %lld\n",
             name, help, name, kind, name, (long long)v);
}

static unsigned get_metrics(struct health *h, struct buf *out, const char **ret_type)
{
    struct node_status st;
    node_status(h->node, &st);
    gauge(out, "slots", "gauge", "Room for tasks.", h->node->set.slots);
    gauge(out, "jobs", "gauge", "Attempts in work.", (int64_t)jobs_count(h->jobs));
    gauge(out, "tasks_ended_total", "counter", "Attempts that ended.",
          atomic_load(&h->node->tasks_ended));
    gauge(out, "unshipped_bytes", "gauge", "Log bytes that the server has not yet.",
          atomic_load(&h->node->unshipped_bytes));
    gauge(out, "confined", "gauge", "Whether this process has confined itself.", confine_is_on());
    gauge(out, "engine_up", "gauge", "Whether the engine answers.", st.engine_up);
    gauge(out, "server_up", "gauge", "Whether the server answers.", st.server_up);
    gauge(out, "last_poll_age_ms", "gauge", "Since the last answered poll; -1 = none yet.",
          st.poll_age_ms);
    *ret_type = "text/plain; version=0.0.4";
    return 200;
}

static const struct {
    const char *path;
    unsigned (*get)(struct health *h, struct buf *out, const char **ret_type);
} pages[] = {{"/health", get_health}, {"/metrics", get_metrics}};

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, const char *type,
                             struct buf *body)
{
    size_t len = body->len;
    struct MHD_Response *r =
        MHD_create_response_from_buffer(len, buf_take(body), MHD_RESPMEM_MUST_FREE);
    if (!r)
        return MHD_NO;
    enum MHD_Result rc = MHD_add_response_header(r, "Content-Type", type);
    if (rc == MHD_YES)
        rc = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return rc;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **con_cls)
{
    (void)version, (void)upload, (void)con_cls;
    *upload_size = 0; /* a body is read and dropped */
    AUTO(buf) struct buf body = BUF_INIT(REPLY_BYTES);
    const char *type = "application/json";
    bool is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (strcmp(url, pages[i].path) != 0)
            continue;
        if (is_get) {
            unsigned status = pages[i].get(cls, &body, &type);
            return reply(c, status, type, &body);
        }
        buf_adds(&body, "{\"msg\":\"Method not allowed\"}");
        return reply(c, 405, type, &body);
    }
    buf_adds(&body, "{\"msg\":\"Not found\"}");
    return reply(c, 404, type, &body);
}

/* "127.0.0.1:9090" to an address. */
static int parse_listen(const char *listen, struct sockaddr_in *ret, char host[64], struct err *e)
{
    const char *colon = strrchr(listen, ':');
    size_t len = colon ? (size_t)(colon - listen) : 0;
    int64_t port;
    if (!colon || len == 0 || len >= 64)
        return err_set(e, ERR_USAGE, "--listen %s: want ADDRESS:PORT", listen);
    memcpy(host, listen, len);
    host[len] = '\0';
    *ret = (struct sockaddr_in){.sin_family = AF_INET};
    if (inet_pton(AF_INET, host, &ret->sin_addr) != 1)
        return err_set(e, ERR_USAGE, "--listen %s: want an IPv4 address", listen);
    if (str_int(colon + 1, "port", 0, 65535, &port, e))
        return err_wrap(e, "--listen");
    ret->sin_port = htons((uint16_t)port);
    return 0;
}

int health_start(struct node *n, struct jobs *js, const char *listen, struct health **ret,
                 struct err *e)
{
    struct sockaddr_in addr;
    char host[64];
    if (parse_listen(listen, &addr, host, e))
        return e->code;
    struct health *h = calloc(1, sizeof *h);
    if (!h)
        abort();
    h->node = n;
    h->jobs = js;
    h->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, h,
                                 MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&addr,
                                 MHD_OPTION_CONNECTION_LIMIT, 64u, MHD_OPTION_CONNECTION_TIMEOUT,
                                 30u, MHD_OPTION_END);
    if (!h->daemon) {
        free(h);
        return err_os(e, ERR_IO, errno, "cannot listen on %s", listen);
    }
    printf("listening on http://%s:%u\n", host,
           MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    *ret = h;
    return 0;
}

void health_stop(struct health *h)
{
    if (!h)
        return;
    MHD_stop_daemon(h->daemon);
    free(h);
}
