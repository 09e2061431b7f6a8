/* Jobs and their directories. */
#include "runner/job.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/clock.h"
#include "lib/fs.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/str.h"
#include "runner/sync.h"

#include "lib/banned.h"

#define JOB_FILE_BYTES (BOUND_JSON_BODY_BYTES * 2) /* a grant with its payload escaped */
#define TRIM_BYTES     (64u << 20)                 /* worth a punch */

static char *file_of(const struct job *j, const char *name)
{
    return str_fmt("%s/%s", j->dir, name);
}

static struct job *job_alloc(struct node *n)
{
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        abort();
    j->node = n;
    sync_init(&j->mu, &j->changed);
    j->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (j->wake_fd < 0)
        abort();
    j->arrived_ms = clock_mono_ms();
    return j;
}

void job_free(struct job *j)
{
    if (!j)
        return;
    atomic_fetch_sub(&j->node->unshipped_bytes, (int64_t)(j->spooled - j->shipped));
    seglog_close(j->spool);
    grant_release(&j->grant);
    free(j->dir);
    free(j->image);
    free(j->image_id);
    free(j->finish);
    if (j->wake_fd >= 0)
        close(j->wake_fd);
    pthread_cond_destroy(&j->changed);
    pthread_mutex_destroy(&j->mu);
    free(j);
}

void job_discard(struct job *j)
{
    struct err e = {0};
    if (fs_remove_tree(j->dir, &e))
        log_warn("cannot remove %s: %s", j->dir, e.msg); /* the next start tries again */
}

/* ---- making and loading ---- */

static void name_container(struct job *j)
{
    snprintf(j->container, sizeof j->container, "wrought-%s-%lld", j->grant.ref.task,
             (long long)j->grant.ref.attempt);
}

char *job_spool_path(const struct job *j)
{
    return file_of(j, "spool");
}

static int open_spool(struct job *j, struct err *e)
{
    autofree char *path = job_spool_path(j);
    return seglog_open(path, &j->spool, e);
}

static int save_grant(const struct job *j, struct err *e)
{
    AUTO(buf) struct buf answer = BUF_INIT(JOB_FILE_BYTES), text = BUF_INIT(JOB_FILE_BYTES);
    struct grant kept = j->grant; /* borrows all of it */
    kept.registry_auth = NULL;    /* for the pull alone: no secret on disk */
    grant_encode(&kept, &answer);
    struct jsonw w = JSONW(&text);
    jw_obj(&w, NULL);
    jw_int(&w, "slot", j->slot);
    jw_raw(&w, "answer", buf_str(&answer), answer.len);
    jw_obj_end(&w);
    if (buf_check(&text, "grant", e))
        return e->code;
    autofree char *path = file_of(j, "grant.json");
    return fs_write_durable(path, text.data, text.len, 0600, e);
}

int job_new(struct node *n, int slot, struct grant *grant_take, struct job **ret, struct err *e)
{
    struct job *j = job_alloc(n);
    j->grant = *grant_take;
    *grant_take = (struct grant){0};
    j->slot = slot;
    j->offset_known = true;
    name_container(j);
    j->dir = str_fmt("%s/jobs/%s.%lld", n->set.state_dir, j->grant.ref.task,
                     (long long)j->grant.ref.attempt);
    if (fs_remove_tree(j->dir, e) || fs_mkdirs(j->dir, 0700, e) || save_grant(j, e) ||
        open_spool(j, e)) {
        job_free(j);
        return err_wrap(e, "job directory");
    }
    *ret = j;
    return 0;
}

static int load_grant(struct job *j, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(JOB_FILE_BYTES);
    autofree char *path = file_of(j, "grant.json");
    autojson struct json *root = NULL;
    bool some = false;
    if (fs_read(path, &text, e) ||
        json_parse(buf_str(&text), text.len, BOUND_JSON_DEPTH, &root, e) ||
        grant_decode(json_member(root, "answer"), &some, &j->grant, e))
        return e->code;
    if (!some)
        return err_set(e, ERR_INVALID, "%s holds no grant", path);
    j->slot = (int)json_get_int(root, "slot", 0);
    return 0;
}

/* The content of a small file of the job; NULL when there is none. */
static char *load_text(const struct job *j, const char *name)
{
    AUTO(buf) struct buf text = BUF_INIT(JOB_FILE_BYTES);
    autofree char *path = file_of(j, name);
    struct err e = {0};
    if (fs_read(path, &text, &e))
        return NULL;
    return buf_take(&text);
}

static const struct {
    const char *name;
    size_t offset; /* of an int64_t in struct asked */
} asked_fields[] = {
    {"memory_bytes", offsetof(struct asked, caps.memory_bytes)},
    {"cpu_millis", offsetof(struct asked, caps.cpu_millis)},
    {"pids", offsetof(struct asked, caps.pids)},
    {"files", offsetof(struct asked, caps.files)},
    {"disk_bytes", offsetof(struct asked, caps.disk_bytes)},
    {"uid", offsetof(struct asked, uid)},
    {"timeout_s", offsetof(struct asked, timeout_s)},
};

static void load_container(struct job *j)
{
    autofree char *text = load_text(j, "container.json");
    autojson struct json *root = NULL;
    struct err e = {0};
    if (!text || json_parse(text, strlen(text), BOUND_JSON_DEPTH, &root, &e))
        return; /* none was made, or it was not started yet */
    for (size_t i = 0; i < ARRAY_LEN(asked_fields); i++)
        *(int64_t *)((char *)&j->asked + asked_fields[i].offset) =
            json_get_int(root, asked_fields[i].name, 0);
    j->image = str_dup(json_get_str(root, "image", ""));
    j->image_id = str_dup(json_get_str(root, "image_id", ""));
    str_copy(j->sandbox, sizeof j->sandbox, json_get_str(root, "sandbox", ""));
}

int job_load(struct node *n, const char *dir, struct job **ret, struct err *e)
{
    struct job *j = job_alloc(n);
    j->dir = str_dup(dir);
    j->adopted = true;
    if (load_grant(j, e) || open_spool(j, e)) {
        job_free(j);
        return err_wrap(e, "job directory %s", dir);
    }
    name_container(j);
    j->spooled = seglog_size(j->spool);
    atomic_fetch_add(&n->unshipped_bytes, (int64_t)j->spooled);
    j->finish = load_text(j, "finish.json");
    load_container(j);
    autofree char *started = load_text(j, "started");
    struct err ignored = {0};
    if (started && str_int(started, "started", 1, INT64_MAX, &j->start_us, &ignored))
        j->start_us = clock_now_us(); /* torn by a crash: the timeout runs anew */
    *ret = j;
    return 0;
}

/* A small note that need not survive the host: containers do not either. */
static void note(const struct job *j, const char *name, const char *text)
{
    autofree char *path = file_of(j, name);
    autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct err e = {0};
    if (fd < 0 ? err_os(&e, ERR_IO, errno, "%s", path)
               : fs_write_all(fd, text, strlen(text), path, &e))
        log_warn("cannot note: %s task=%s", e.msg, j->grant.ref.task);
}

/* ---- the slot's side ---- */

int job_spool(struct job *j, enum seg_stream stream, const void *bytes, size_t len, struct err *e)
{
    if (seglog_append(j->spool, stream, bytes, len, e))
        return err_wrap(e, "spool");
    atomic_fetch_add(&j->node->unshipped_bytes, (int64_t)len);
    pthread_mutex_lock(&j->mu);
    j->spooled = seglog_size(j->spool);
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->mu);
    return 0;
}

bool job_may_ack(const struct job *j)
{
    return atomic_load(&j->node->unshipped_bytes) <= j->node->set.spool_bytes;
}

/* The hash of the whole spool; "" when a former process gave the beginning back. */
static int spool_hash(struct job *j, char out[65], struct err *e)
{
    int rc = seglog_sha256(j->spool, out, e);
    if (rc != ERR_NOT_FOUND)
        return rc;
    out[0] = '\0';
    return 0;
}

void job_trim(struct job *j)
{
    pthread_mutex_lock(&j->mu);
    uint64_t shipped = j->shipped;
    pthread_mutex_unlock(&j->mu);
    if (shipped < j->trimmed + TRIM_BYTES)
        return;
    char sha256[65];
    struct err e = {0};
    if (spool_hash(j, sha256, &e)) { /* while the bytes can still be read */
        log_warn("cannot hash the spool: %s task=%s", e.msg, j->grant.ref.task);
        return;
    }
    seglog_punch(j->spool, shipped);
    j->trimmed = shipped;
}

void job_prepared(struct job *j, const struct asked *asked, const char *image, const char *image_id,
                  const char *sandbox)
{
    AUTO(buf) struct buf text = BUF_INIT(JOB_FILE_BYTES);
    struct jsonw w = JSONW(&text);
    j->asked = *asked;
    j->image = str_dup(image);
    j->image_id = str_dup(image_id);
    str_copy(j->sandbox, sizeof j->sandbox, sandbox);
    jw_obj(&w, NULL);
    for (size_t i = 0; i < ARRAY_LEN(asked_fields); i++)
        jw_int(&w, asked_fields[i].name, *(int64_t *)((char *)&j->asked + asked_fields[i].offset));
    jw_str(&w, "image", image);
    jw_str(&w, "image_id", image_id);
    jw_str(&w, "sandbox", sandbox);
    jw_obj_end(&w);
    note(j, "container.json", buf_str(&text));
}

void job_started(struct job *j)
{
    char text[32];
    if (j->start_us == 0) {
        j->start_us = clock_now_us();
        snprintf(text, sizeof text, "%lld", (long long)j->start_us);
        note(j, "started", text);
    }
    pthread_mutex_lock(&j->mu);
    j->started_due = true;
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->mu);
}

enum order job_order(struct job *j)
{
    pthread_mutex_lock(&j->mu);
    enum order order = j->order;
    pthread_mutex_unlock(&j->mu);
    return order;
}

/* Limits and usage as init read them; -1 = could not be read. */
static void encode_facts(const struct job *j, const struct job_end *end, struct buf *out)
{
    struct jsonw w = JSONW(out);
    jw_obj(&w, NULL);
    jw_str(&w, "container", j->container);
    if (end->dropped_bytes > 0)
        jw_int(&w, "log_dropped_bytes", (int64_t)end->dropped_bytes);
    const struct init_end *f = end->facts;
    if (f) {
        jw_int(&w, "memory_peak_bytes", f->memory_peak_bytes);
        jw_int(&w, "cpu_us", f->cpu_us);
        jw_int(&w, "oom_kills", f->oom_kills);
        jw_int(&w, "memory_limit_bytes", f->memory_limit_bytes);
        jw_int(&w, "swap_limit_bytes", f->swap_limit_bytes);
        jw_int(&w, "cpu_quota_us", f->cpu_quota_us);
        jw_int(&w, "pids_limit", f->pids_limit);
        jw_int(&w, "cap_eff", f->cap_eff);
        jw_int(&w, "no_new_privs", f->no_new_privs);
        jw_int(&w, "seccomp_mode", f->seccomp_mode);
        jw_int(&w, "uid", f->uid);
        jw_int(&w, "rootfs_read_only", f->rootfs_read_only);
    }
    jw_obj_end(&w);
}

int job_finish(struct job *j, const struct job_end *end, struct err *e)
{
    char sha256[65];
    if (spool_hash(j, sha256, e))
        return err_wrap(e, "spool");
    AUTO(buf) struct buf facts = BUF_INIT(16384), text = BUF_INIT(JOB_FILE_BYTES);
    encode_facts(j, end, &facts);
    struct finish f = {
        .runner = j->node->name,
        .ref = j->grant.ref,
        .class = end->verdict->class,
        .exit_code = end->verdict->exit_code,
        .signal = end->verdict->signal,
        .reason = end->verdict->reason,
        .start_us = j->start_us,
        .end_us = clock_now_us(),
        .log_bytes = (int64_t)seglog_size(j->spool),
        .stdout_bytes = (int64_t)seglog_stream_size(j->spool, SEG_STDOUT),
        .log_sha256 = sha256,
        .log_complete = end->log_complete,
        .facts_text = buf_str(&facts),
    };
    finish_encode(&f, &text);
    if (buf_check(&text, "end report", e))
        return e->code;
    autofree char *path = file_of(j, "finish.json");
    int rc = fs_write_durable(path, text.data, text.len, 0600, e);
    pthread_mutex_lock(&j->mu);
    free(j->finish); /* posted also when it could not be kept: the server's disk may be better */
    j->finish = buf_take(&text);
    pthread_mutex_unlock(&j->mu);
    return rc;
}

void job_report(struct job *j)
{
    pthread_mutex_lock(&j->mu);
    j->finish_due = j->finish != NULL;
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->mu);
}

enum job_outcome job_wait_outcome(struct job *j)
{
    pthread_mutex_lock(&j->mu);
    while (j->outcome == JOB_OPEN)
        sync_wait(&j->changed, &j->mu, clock_mono_ms() + 60000);
    enum job_outcome outcome = j->outcome;
    pthread_mutex_unlock(&j->mu);
    return outcome;
}

/* ---- anybody ---- */

void job_give_order(struct job *j, enum order order)
{
    pthread_mutex_lock(&j->mu);
    if (order > j->order)
        j->order = order;
    pthread_mutex_unlock(&j->mu);
    job_wake(j);
}

void job_wake(struct job *j)
{
    wake_raise(j->wake_fd);
    pthread_mutex_lock(&j->mu);
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->mu);
}

void job_settle(struct job *j, enum job_outcome outcome)
{
    pthread_mutex_lock(&j->mu);
    if (j->outcome == JOB_OPEN)
        j->outcome = outcome;
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->mu);
    wake_raise(j->wake_fd);
}
