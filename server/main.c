/* wrought-server: options, the order in which the rooms are opened and closed, signals. The main
 * thread is the one reader of signals and the timer of the others. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/bounds.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/confine.h"
#include "lib/fs.h"
#include "lib/log.h"
#include "lib/roff.h"
#include "lib/str.h"
#include "server/app.h"
#include "server/auth.h"
#include "server/bootstrap.h"
#include "server/follow.h"
#include "server/health.h"
#include "server/http.h"
#include "server/listen.h"
#include "server/logstore.h"
#include "server/metrics.h"
#include "server/notify.h"
#include "server/ops.h"
#include "server/packages.h"
#include "server/vault.h"

#include "lib/banned.h"

#define TICK_MS    1000  /* of health and of the sweep for lost clients */
#define IDLE_S     30    /* a client may send nothing for so long */
#define DRAIN_MS   10000 /* for requests that wait for a commit when the server stops */
#define JSON_FRAME (64u << 10)

struct options {
    const char *listen, *data_dir, *runner_token_file, *public_url, *log_level;
    int64_t max_payload, max_timeout_ms, default_timeout_ms, max_delay_ms, max_upload;
    int64_t min_interval_ms, infra_retries, threads;
};

#define OPT(name, type, field, dflt, min, max, arg, help)                                          \
    {                                                                                              \
        name, type, offsetof(struct options, field), dflt, min, max, arg, help                     \
    }
#define DAYS_MS (86400 * 1000ll)

static const struct conf_opt options[] = {
    OPT("listen", CONF_STR, listen, "127.0.0.1:8080", 0, 0, "HOST:PORT",
        "where to serve; port 0 picks one"),
    OPT("data-dir", CONF_STR, data_dir, NULL, 0, 0, "DIR", "everything that is kept; required"),
    OPT("runner-token-file", CONF_STR, runner_token_file, "", 0, 0, "FILE",
        "where the first start puts the runner token, if not in runner.token of the data "
        "directory"),
    OPT("public-url", CONF_STR, public_url, "", 0, 0, "URL",
        "how clients and tasks reach this server, if not as it listens"),
    OPT("max-payload", CONF_BYTES, max_payload, "1M", 1, 64 << 20, "BYTES",
        "largest payload of a task"),
    OPT("default-timeout", CONF_DURATION, default_timeout_ms, "3600", 1000, 365 * DAYS_MS, "TIME",
        "timeout of a task that names none"),
    OPT("max-timeout", CONF_DURATION, max_timeout_ms, "24h", 1000, 365 * DAYS_MS, "TIME",
        "longest timeout of a task"),
    OPT("max-delay", CONF_DURATION, max_delay_ms, "7d", 0, 3650 * DAYS_MS, "TIME",
        "longest delay of a task"),
    OPT("min-interval", CONF_DURATION, min_interval_ms, "60", 1000, 365 * DAYS_MS, "TIME",
        "shortest run_every of a schedule"),
    OPT("max-upload", CONF_BYTES, max_upload, "512M", 1024, 64ll << 30, "BYTES",
        "largest code package, packed"),
    OPT("infra-retries", CONF_INT, infra_retries, "10", 0, 1000, "N",
        "how often a task is run again after failures of engine or runner"),
    OPT("threads", CONF_INT, threads, "2", 1, 64, "N", "HTTP threads"),
    OPT("log-level", CONF_STR, log_level, "info", 0, 0, "LEVEL", "debug, info, warn or error"),
};

/* Everything that main opens, in the order in which it is opened. */
struct server {
    struct app app;
    struct listen_addr addr;
    int listen_fd, lock_fd, signal_fd;
    struct http *http;
};

static void print_help(void)
{
    AUTO(buf) struct buf text = BUF_INIT(BOUND_CONFIG_BYTES);
    buf_adds(&text, "Usage: wrought-server --data-dir DIR [--listen HOST:PORT] …\n\n");
    conf_help(options, ARRAY_LEN(options), &text);
    fputs(buf_str(&text), stdout);
}

/* print_man: wrought-server(8). `make` writes the page with it. */
static void print_man(void)
{
    AUTO(buf) struct buf out = BUF_INIT(BOUND_CONFIG_BYTES);
    roff_open(&out, "wrought-server", 8, "the queue, the API and the logs of Wrought",
              "wrought-server --data-dir DIR [--listen HOST:PORT] [OPTIONS]");
    roff_section(&out, "DESCRIPTION");
    roff_text(&out, "Serves the API, keeps codes, tasks and logs under DIR, and hands tasks to "
                    "runners. In an empty DIR it makes a project and tokens. What it has answered "
                    "for is on disk. SIGTERM stops it.");
    roff_section(&out, "OPTIONS");
    roff_text(&out, "Each may be given by its variable too; a flag wins.");
    conf_man(options, ARRAY_LEN(options), &out);
    roff_section(&out, "FILES");
    roff_item(&out, "DIR/iron.json", "project, token and address, for any Iron client");
    roff_item(&out, "DIR/runner.token, DIR/admin.token", "tokens of runners and administrators");
    roff_see_also(&out, "wrought(1), wrought-runner(8)");
    fputs(buf_str(&out), stdout);
}

static int fail(const struct err *e)
{
    fprintf(stderr, "wrought-server: %s\n", e->msg);
    return err_exit_code(e->code);
}

/* ---- opening ---- */

static int load(int argc, char **argv, struct options *o, struct listen_addr *addr, struct err *e)
{
    enum log_level level;
    int rest;
    if (conf_load(options, ARRAY_LEN(options), argc, argv, false, o, &rest, e))
        return e->code;
    if (!o->data_dir || !*o->data_dir)
        return err_set(e, ERR_USAGE, "--data-dir is required");
    if (log_level_parse(o->log_level, &level, e)) {
        e->code = ERR_USAGE;
        return err_wrap(e, "--log-level");
    }
    if (listen_parse(o->listen, addr, e))
        return e->code;
    if (o->default_timeout_ms > o->max_timeout_ms)
        return err_set(e, ERR_USAGE, "--default-timeout is longer than --max-timeout");
    log_set_level(level);
    return 0;
}

/* Signals are blocked before the first thread starts, so that every thread inherits it. */
static int take_signals(int *ret_fd, struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    *ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return *ret_fd < 0 ? err_os(e, ERR_IO, errno, "signalfd") : 0;
}

static void raise_descriptors(void)
{
    struct rlimit lim;
    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &lim); /* what there is has to do then */
    }
}

/* What the file system refuses is the operator's to change, and no bug of ours. */
static int blame(struct err *e)
{
    if (e->os_errno == EACCES || e->os_errno == EPERM || e->os_errno == EROFS)
        e->code = ERR_FORBIDDEN;
    return e->code;
}

static int open_data_dir(const char *dir, int *ret_lock, struct err *e)
{
    autofree char *lock = str_fmt("%s/lock", dir);
    if (fs_mkdirs(dir, 0700, e))
        return err_wrap(e, "data directory");
    int rc = fs_lock(lock, ret_lock, e);
    if (rc == ERR_CONFLICT) {
        e->code = ERR_UNAVAILABLE; /* it may be free in a moment */
        return err_wrap(e, "data directory %s is locked by another server", dir);
    }
    return rc ? err_wrap(e, "data directory") : 0;
}

static void task_changed(int64_t task, void *arg)
{
    followers_wake(arg, task);
}

static int sweep_packages(struct app *app, struct err *e)
{
    struct store *s;
    if (store_reader_get(app->readers, &s, e))
        return e->code;
    int rc = packages_sweep(app->packages, s, e);
    store_reader_put(app->readers, s);
    return rc;
}

static int open_rooms(struct app *app, const struct options *o, struct err *e)
{
    app->limits = (struct task_limits){.max_payload_bytes = o->max_payload,
                                       .max_timeout_s = o->max_timeout_ms / 1000,
                                       .max_delay_s = o->max_delay_ms / 1000,
                                       .default_timeout_s = o->default_timeout_ms / 1000};
    app->min_interval_s = (o->min_interval_ms + 999) / 1000;
    app->max_upload_bytes = o->max_upload;
    /* A byte of payload takes six in JSON at worst. */
    app->max_json_bytes = 6 * o->max_payload + JSON_FRAME;
    if (app->max_json_bytes < (int64_t)BOUND_JSON_BODY_BYTES)
        app->max_json_bytes = BOUND_JSON_BODY_BYTES;
    app->metrics = metrics_new();
    app->auth = auth_new();
    app->followers = followers_new();
    const struct writer_conf wc = {.data_dir = o->data_dir,
                                   .infra_retries = o->infra_retries,
                                   .on_task = task_changed,
                                   .arg = app->followers};
    if (writer_open(&wc, &app->writer, e) || store_readers_open(o->data_dir, &app->readers, e) ||
        vault_open(o->data_dir, &app->vault, e) || packages_open(o->data_dir, &app->packages, e) ||
        sweep_packages(app, e) || packages_intake(&app->intake, e) ||
        logstore_open(o->data_dir, app->followers, &app->logs, e))
        return e->code;
    app->health = health_new(app->writer);
    return 0;
}

/* public_address: what iron.json says: the public URL when there is one. */
static int public_address(const struct options *o, const struct listen_addr *a, char **ret_host,
                          struct bootstrap_conf *bc, struct err *e)
{
    char host[NI_MAXHOST + 2];
    bc->scheme = "http";
    bc->port = a->port;
    listen_url_host(a, host, sizeof(host));
    if (o->public_url[0]) {
        const char *rest = o->public_url;
        bool tls = str_starts(rest, "https://");
        if (!tls && !str_starts(rest, "http://"))
            return err_set(e, ERR_USAGE, "--public-url: an http:// or https:// URL is expected");
        rest += strlen(tls ? "https://" : "http://");
        size_t len = strcspn(rest, "/");
        autofree char *authority = str_dupn(rest, len);
        autofree char *with_port = strrchr(authority, ':') > strrchr(authority, ']')
                                       ? str_dup(authority)
                                       : str_fmt("%s:%d", authority, tls ? 443 : 80);
        struct listen_addr pub;
        if (listen_parse(with_port, &pub, e) || !pub.host[0])
            return err_set(e, ERR_USAGE, "--public-url: it names no usable host and port");
        bc->scheme = tls ? "https" : "http";
        bc->port = pub.port;
        listen_url_host(&pub, host, sizeof(host));
    }
    *ret_host = str_dup(host);
    return 0;
}

static int open_server(struct server *sv, const struct options *o, struct err *e)
{
    autofree char *host = NULL;
    struct bootstrap_conf bc = {.data_dir = o->data_dir, .runner_token_file = o->runner_token_file};
    raise_descriptors();
    if (take_signals(&sv->signal_fd, e) || listen_open(&sv->addr, &sv->listen_fd, e) ||
        public_address(o, &sv->addr, &host, &bc, e))
        return e->code;
    bc.host = host;
    if (open_data_dir(o->data_dir, &sv->lock_fd, e) || open_rooms(&sv->app, o, e) ||
        bootstrap(&sv->app, &bc, e))
        return blame(e);
    const struct http_conf hc = {
        .listen_fd = TAKE_FD(sv->listen_fd), .threads = (unsigned)o->threads, .idle_s = IDLE_S};
    return http_start(&hc, &sv->app, &sv->http, e);
}

/* ---- running ---- */

/* next_signal: 0 when none came within `ms`. */
static int next_signal(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct signalfd_siginfo info;
    if (poll(&p, 1, ms) <= 0 || read(fd, &info, sizeof(info)) != sizeof(info))
        return 0;
    return (int)info.ssi_signo;
}

static void serve(struct server *sv)
{
    char host[NI_MAXHOST + 2];
    struct err e = {0};
    if (confine(&e)) /* some kernels and containers cannot; /metrics says which it is */
        log_warn("going on unconfined: %s", e.msg);
    listen_url_host(&sv->addr, host, sizeof(host));
    printf("listening on http://%s:%d\n", host, sv->addr.port);
    fflush(stdout);
    notify_manager("READY=1");
    for (;;) {
        int sig = next_signal(sv->signal_fd, TICK_MS);
        if (sig == SIGTERM || sig == SIGINT) {
            log_info("stopping signal=%s", strsignal(sig));
            return;
        }
        health_tick(sv->app.health);
        followers_sweep(sv->app.followers);
    }
}

/* ---- closing ---- */

/* A second signal means now: what was answered is on disk whatever happens. */
static void exit_at_once(int sig)
{
    _exit(128 + sig);
}

static void let_signals_kill(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGTERM, exit_at_once);
    signal(SIGINT, exit_at_once);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* quiesce: no new connections, everything that is parked is let go, and then nothing is suspended,
 * which stopping the HTTP daemon demands. */
static void quiesce(struct server *sv)
{
    http_quiesce(sv->http);
    writer_quiesce(sv->app.writer);
    followers_quiesce(sv->app.followers);
    if (!http_drain(sv->http, DRAIN_MS)) {
        log_warn("requests did not end in time, leaving them");
        _exit(err_exit_code(ERR_INTERNAL));
    }
    http_stop(sv->http);
}

static void close_server(struct server *sv)
{
    struct app *app = &sv->app;
    if (sv->http)
        quiesce(sv);
    inbox_stop(app->intake);
    logstore_close(app->logs);
    writer_close(app->writer);
    health_free(app->health);
    packages_close(app->packages);
    vault_free(app->vault);
    store_readers_close(app->readers);
    followers_free(app->followers);
    auth_free(app->auth);
    metrics_free(app->metrics);
    int fds[] = {sv->listen_fd, sv->lock_fd, sv->signal_fd};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

int main(int argc, char **argv)
{
    struct err e = {0};
    struct options o = {0};
    struct server sv = {.listen_fd = -1, .lock_fd = -1, .signal_fd = -1};
    int rc = load(argc, argv, &o, &sv.addr, &e);
    if (rc == ERR_EMPTY) {
        if (strcmp(e.msg, "version") == 0)
            printf("wrought-server %s\n", WROUGHT_VERSION);
        else if (strcmp(e.msg, "man") == 0)
            print_man();
        else
            print_help();
        return 0;
    }
    if (rc)
        return fail(&e);
    if (open_server(&sv, &o, &e) == 0) {
        serve(&sv);
        notify_manager("STOPPING=1");
        let_signals_kill();
        rc = 0;
    } else {
        rc = fail(&e);
    }
    close_server(&sv);
    return rc;
}
