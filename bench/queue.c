/* What the queue costs below HTTP: durable single enqueues by so many clients at once, and the
 * claim with few and with many tasks queued. Prints one line a figure.
 *
 *     build/bench/queue DIR [TASKS]        DIR: an empty directory on the disk to measure
 *
 * A claim is measured around its `run` in the writer's thread, in processor time and in batches of
 * 64: its own statements, without the queueing before it and the fsync after it, which the batch
 * shares. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/str.h"
#include "server/ops.h"
#include "server/writer.h"
#include "lib/banned.h"

#define CLIENTS 64
#define CLAIMS  (32 * CLIENTS)
#define FEW     1000

static struct err e;

static void die_if(int rc, const char *what, const struct err *why)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench/queue: %s: %s\n", what, why->msg);
    exit(1);
}

static int64_t read_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void run_op(struct writer *wr, struct work *w, const char *what)
{
    die_if(writer_run(wr, w), what, &w->err);
}

static int64_t make_project(struct writer *wr)
{
    uint8_t h[3][32] = {{1}, {2}, {3}};
    struct op_bootstrap b;
    op_bootstrap_init(&b);
    b.project_hash = h[0];
    b.runner_hash = h[1];
    b.admin_hash = h[2];
    run_op(wr, &b.w, "bootstrap");
    struct code_upload up = {.name = "bench",
                             .image = "img",
                             .command = "",
                             .runtime = "",
                             .file_name = "",
                             .stack = "",
                             .config = "",
                             .max_concurrency = CODE_UNSET,
                             .retries = CODE_UNSET,
                             .retries_delay_s = CODE_UNSET,
                             .default_priority = CODE_UNSET};
    struct op_code_put c;
    op_code_put_init(&c);
    c.project = 1; /* of a new file */
    c.up = &up;
    run_op(wr, &c.w, "upload");
    return c.project;
}

/* ---- enqueues: each client has one request under way, and the next follows its answer ---- */

struct load {
    struct writer *wr;
    pthread_mutex_t mu;
    pthread_cond_t ended;
    int64_t to_start; /* touched by the writer's thread alone once it runs */
    int running;      /* guarded by mu */
};

struct client {
    struct op_enqueue op;
    struct task_new task;
    char id[ID_TEXT];
    struct load *load;
};

static void client_ended(struct load *l)
{
    pthread_mutex_lock(&l->mu);
    if (--l->running == 0)
        pthread_cond_signal(&l->ended);
    pthread_mutex_unlock(&l->mu);
}

static void client_done(struct work *w)
{
    struct client *c = w->arg;
    die_if(w->err.code, "enqueue", &w->err);
    if (c->load->to_start-- > 0)
        writer_submit(c->load->wr, w);
    else
        client_ended(c->load);
}

static void round_wait(struct load *l)
{
    pthread_mutex_lock(&l->mu);
    while (l->running > 0)
        pthread_cond_wait(&l->ended, &l->mu);
    pthread_mutex_unlock(&l->mu);
}

static void enqueue_many(struct writer *wr, int64_t project, int64_t n)
{
    struct load l = {.wr = wr,
                     .mu = PTHREAD_MUTEX_INITIALIZER,
                     .ended = PTHREAD_COND_INITIALIZER,
                     .to_start = n - CLIENTS,
                     .running = CLIENTS};
    static struct client c[CLIENTS];
    int64_t began_ns = read_ns(CLOCK_MONOTONIC), cpu_ns = read_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < CLIENTS; i++) {
        c[i].load = &l;
        c[i].task = (struct task_new){.code_name = "bench",
                                      .payload = "{\"n\":1}",
                                      .payload_len = 7,
                                      .priority = 0,
                                      .timeout_s = 3600,
                                      .cluster = "",
                                      .label = ""};
        op_enqueue_init(&c[i].op);
        c[i].op.project = project;
        c[i].op.tasks = &c[i].task;
        c[i].op.n = 1;
        c[i].op.ret_ids = &c[i].id;
        c[i].op.w.done = client_done;
        c[i].op.w.arg = &c[i];
    }
    for (int i = 0; i < CLIENTS; i++)
        writer_submit(wr, &c[i].op.w);
    round_wait(&l);
    printf("enqueue_per_s clients=%d tasks=%lld %.0f\n", CLIENTS, (long long)n,
           (double)n * 1e9 / (double)(read_ns(CLOCK_MONOTONIC) - began_ns));
    printf("enqueue_cpu_us %.1f\n",
           (double)(read_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns) / 1e3 / (double)n);
}

/* ---- claims: rounds of as many polls as there are clients, then as many endings ---- */

static int (*claim_run)(struct work *w, void *owner, struct err *e);
static int64_t took_ns[CLAIMS];
static int n_took; /* the writer's thread, and this one between rounds */

static int timed_run(struct work *w, void *owner, struct err *ret)
{
    int64_t began_ns = read_ns(CLOCK_THREAD_CPUTIME_ID);
    int rc = claim_run(w, owner, ret);
    took_ns[n_took++] = read_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
    return rc;
}

struct claimer {
    struct op_lease lease;
    struct op_finish finish;
    struct lease_poll poll;
    struct finish end;
    char number[RUNNER_POLL_HEX + 1];
};

static void round_done(struct work *w)
{
    die_if(w->err.code, "claim or finish", &w->err);
    client_ended(w->arg);
}

static void round_submit(struct load *l, struct work *w)
{
    w->done = round_done;
    w->arg = l;
    writer_submit(l->wr, w);
}

static void lease_init(struct claimer *c, int64_t slot)
{
    snprintf(c->number, sizeof(c->number), "%016llx", (unsigned long long)read_ns(CLOCK_MONOTONIC));
    c->poll = (struct lease_poll){
        .runner = "bench", .cluster = "default", .slot = slot, .poll = c->number};
    op_lease_init(&c->lease, &c->poll);
    claim_run = c->lease.w.run;
    c->lease.w.run = timed_run;
}

static void finish_init(struct claimer *c)
{
    if (!c->lease.ret_some) {
        fprintf(stderr, "bench/queue: nothing to claim\n");
        exit(1);
    }
    c->end = (struct finish){.runner = "bench",
                             .ref = c->lease.ret_grant.ref,
                             .class = CLASS_OK,
                             .reason = "",
                             .log_sha256 = "",
                             .log_complete = true};
    grant_release(&c->lease.ret_grant);
    op_finish_init(&c->finish);
    c->finish.finish = &c->end;
}

static void claim_round(struct writer *wr)
{
    static struct claimer c[CLIENTS];
    struct load l = {.wr = wr,
                     .mu = PTHREAD_MUTEX_INITIALIZER,
                     .ended = PTHREAD_COND_INITIALIZER,
                     .running = CLIENTS};
    for (int i = 0; i < CLIENTS; i++)
        lease_init(&c[i], i);
    for (int i = 0; i < CLIENTS; i++)
        round_submit(&l, &c[i].lease.w);
    round_wait(&l);
    l.running = CLIENTS;
    for (int i = 0; i < CLIENTS; i++)
        finish_init(&c[i]);
    for (int i = 0; i < CLIENTS; i++)
        round_submit(&l, &c[i].finish.w);
    round_wait(&l);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void report_claims(struct writer *wr, int64_t queued)
{
    for (n_took = 0; n_took < CLAIMS;)
        claim_round(wr);
    qsort(took_ns, CLAIMS, sizeof(took_ns[0]), by_value);
    printf("claim_p50_us queued=%lld %.1f\n", (long long)queued,
           (double)took_ns[CLAIMS / 2] / 1000);
    printf("claim_p99_us queued=%lld %.1f\n", (long long)queued,
           (double)took_ns[CLAIMS * 99 / 100] / 1000);
}

int main(int argc, char **argv)
{
    int64_t tasks = 1000000;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: queue DIR [TASKS]\n");
        return 64;
    }
    if (argc == 3)
        die_if(str_int(argv[2], "TASKS", FEW, 100000000, &tasks, &e), "usage", &e);
    struct writer_conf conf = {.data_dir = argv[1], .infra_retries = INFRA_RETRIES_DEFAULT};
    struct writer *wr;
    die_if(writer_open(&conf, &wr, &e), "open", &e);
    int64_t project = make_project(wr);
    enqueue_many(wr, project, FEW + CLAIMS);
    report_claims(wr, FEW);
    enqueue_many(wr, project, tasks + CLAIMS);
    report_claims(wr, tasks);
    writer_close(wr);
    return 0;
}
