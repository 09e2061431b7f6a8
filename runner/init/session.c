/* The session's state machine. Invariants: the command's pipes are open only while the phase is
 * INIT_RUNNING; END is queued after the last OUTPUT; nothing runs any more in INIT_ENDED. */
#include "runner/init/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "runner/init/facts.h"
#include "runner/init/prepare.h"
#include "runner/init/procs.h"
#include "runner/init/spawn.h"
#include "lib/banned.h"

#define STRAGGLER_GRACE_MS 1000
#define KILL_AGAIN_MS      100 /* for processes that were being forked during the last SIGKILL */
#define READ_BYTES         FRAME_OUTPUT_BYTES

void session_init(struct session *s, int in, int out)
{
    uint8_t protocol[2] = {FRAME_PROTOCOL & 0xff, FRAME_PROTOCOL >> 8};
    *s = (struct session){.doc = BUF_INIT(BOUND_INIT_DOC_BYTES), .pipes = {-1, -1}};
    channel_init(&s->channel, in, out);
    init_end_init(&s->end);
    channel_put(&s->channel, FRAME_HELLO, 0, protocol, sizeof(protocol));
}

static void close_pipe(struct session *s, int stream)
{
    if (s->pipes[stream] >= 0)
        close(s->pipes[stream]);
    s->pipes[stream] = -1;
}

void session_release(struct session *s)
{
    for (int i = 0; i < SESSION_STREAMS; i++)
        close_pipe(s, i);
    disk_release(&s->disk);
    task_release(&s->task);
    buf_release(&s->doc);
    output_close(&s->output);
    channel_release(&s->channel);
}

/* ---- the end of the task ---- */

/* finish: no process is left and every byte is in the ring. */
static void finish(struct session *s)
{
    disk_release(&s->disk);
    s->end.log_bytes = s->output.total;
    s->end.stdout_bytes = s->output.stdout_bytes;
    facts_of_container(&s->end);
    s->phase = INIT_ENDED;
}

static void finish_unstarted(struct session *s, enum end_kind kind, int os_errno, const char *where)
{
    s->end.kind = kind;
    s->end.os_errno = os_errno;
    memcpy(s->end.where, where, strnlen(where, sizeof(s->end.where) - 1)); /* it was all zero */
    finish(s);
}

static void note_status(struct session *s)
{
    if (WIFSIGNALED(s->status)) {
        s->end.kind = END_SIGNALED;
        s->end.signal = WTERMSIG(s->status);
    } else {
        s->end.kind = END_EXITED;
        s->end.code = WEXITSTATUS(s->status);
    }
    if (s->disk_full)
        s->end.kind = END_DISK_FULL;
}

static void ask_stragglers(struct session *s)
{
    procs_signal(SIGTERM);
    s->ending = ENDING_ASKED;
    s->kill_at_ms = clock_mono_ms() + STRAGGLER_GRACE_MS;
}

static void kill_all(struct session *s)
{
    procs_signal(SIGKILL);
    s->ending = ENDING_KILLED;
    s->kill_at_ms = clock_mono_ms() + KILL_AGAIN_MS;
}

void session_on_child(struct session *s)
{
    bool ended = false;
    bool none_left = procs_reap(s->command, &ended, &s->status);
    if (s->phase != INIT_RUNNING)
        return;
    if (ended)
        note_status(s);
    if (none_left)
        s->ending = ENDING_DRAIN;
    else if (ended && s->ending == ENDING_NOT)
        ask_stragglers(s);
}

void session_on_time(struct session *s)
{
    int64_t now_ms = clock_mono_ms();
    if (s->phase != INIT_RUNNING || s->ending == ENDING_DRAIN)
        return;
    if (s->ending != ENDING_NOT && now_ms >= s->kill_at_ms)
        kill_all(s);
    if (s->ending == ENDING_NOT && disk_step(&s->disk, now_ms)) {
        s->disk_full = true;
        kill_all(s);
    }
}

int session_wait_ms(const struct session *s)
{
    int64_t now_ms = clock_mono_ms(), wait_ms = -1;
    if (s->phase != INIT_RUNNING || s->ending == ENDING_DRAIN)
        return -1;
    if (s->ending == ENDING_NOT)
        wait_ms = disk_wait_ms(&s->disk, now_ms);
    else
        wait_ms = s->kill_at_ms > now_ms ? s->kill_at_ms - now_ms : 0;
    return (int)wait_ms;
}

/* ---- output ---- */

bool session_wants_output(const struct session *s)
{
    uint8_t *at;
    return s->phase == INIT_RUNNING && output_room(&s->output, &at) > 0;
}

/* read_pipe: takes in one piece. True when there may be more right away. */
static bool read_pipe(struct session *s, int stream)
{
    uint8_t *at;
    size_t room = output_room(&s->output, &at);
    if (s->pipes[stream] < 0 || room == 0)
        return false;
    ssize_t n = read(s->pipes[stream], at, room < READ_BYTES ? room : READ_BYTES);
    if (n > 0)
        output_commit(&s->output, (uint8_t)stream, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_pipe(s, stream);
    return n > 0 || (n < 0 && errno == EINTR);
}

void session_on_output(struct session *s, int stream)
{
    (void)read_pipe(s, stream); /* one piece: the other stream has its turn, and it is sent */
}

/* drained: with every writer gone, an empty pipe is one that stays empty, even if somebody outside
 * held it open. Stops when the ring is full; acknowledgements make it go on. */
static bool drained(struct session *s)
{
    uint8_t *at;
    for (int i = 0; i < SESSION_STREAMS; i++) {
        while (read_pipe(s, i))
            ;
        if (s->pipes[i] >= 0 && output_room(&s->output, &at) == 0)
            return false;
        close_pipe(s, i);
    }
    return true;
}

static void queue_output(struct session *s, const struct chunk *c)
{
    static uint8_t body[sizeof(uint64_t) + FRAME_OUTPUT_BYTES];
    frame_u64(body, c->offset);
    memcpy(body + sizeof(uint64_t), c->bytes, c->len);
    channel_put(&s->channel, FRAME_OUTPUT, c->stream, body, (uint32_t)(sizeof(uint64_t) + c->len));
}

static void queue_end(struct session *s)
{
    AUTO(buf) struct buf text = BUF_INIT(BOUND_FRAME_BYTES);
    init_end_encode(&s->end, &text);
    channel_put(&s->channel, FRAME_END, 0, text.data, (uint32_t)text.len);
    s->end_sent = true;
}

/* send_all: as much as the runner's pipe takes, a frame at a time. */
static void send_all(struct session *s)
{
    struct chunk c;
    while (channel_flush(&s->channel) && !s->channel.out_broken) {
        if (output_next(&s->output, FRAME_OUTPUT_BYTES, &c))
            queue_output(s, &c);
        else if (s->phase == INIT_ENDED && !s->end_sent)
            queue_end(s);
        else
            return;
    }
}

/* unheard: the ending was said, or cannot be, and nobody can ever answer. */
static bool unheard(const struct session *s)
{
    return !s->channel.in_open && s->phase != INIT_RUNNING && channel_idle(&s->channel) &&
           (s->end_sent || s->channel.out_broken || s->phase == INIT_WAITING);
}

void session_advance(struct session *s)
{
    send_all(s); /* first: what was acknowledged meanwhile makes room for draining */
    if (s->phase == INIT_RUNNING && s->ending == ENDING_DRAIN && drained(s))
        finish(s);
    send_all(s);
    if (unheard(s))
        s->done = true;
}

/* ---- frames ---- */

static void start_command(struct session *s)
{
    struct spawned child;
    struct err e = {0};
    int rc = spawn(&s->task, &child, &e);
    if (rc) {
        finish_unstarted(s, END_SETUP_FAILED, e.os_errno, e.msg);
        return;
    }
    s->pipes[0] = child.out;
    s->pipes[1] = child.err;
    if (child.exec_errno != 0) {
        for (int i = 0; i < SESSION_STREAMS; i++)
            close_pipe(s, i);
        finish_unstarted(s, END_EXEC_FAILED, child.exec_errno, s->task.argv[0]);
        return;
    }
    facts_of_command(child.pid, &s->end);
    disk_init(&s->disk, s->task.disk_bytes);
    s->command = child.pid;
    s->phase = INIT_RUNNING;
    s->started = true;
    channel_put(&s->channel, FRAME_STARTED, 0, NULL, 0);
}

static int set_up(struct session *s, struct err *e)
{
    int rc = buf_check(&s->doc, "the task document", e);
    if (rc == 0)
        rc = task_decode((const uint8_t *)buf_str(&s->doc), s->doc.len, &s->task, e);
    buf_release(&s->doc); /* it is in s->task now, or of no use */
    if (rc == 0)
        rc = output_open(&s->output, e);
    if (rc == 0)
        rc = prepare(&s->task, e);
    return rc;
}

/* takes_document: a document with a torn or forged frame in it must not run, nor may one come after
 * a RESUME: the runner was told that this container is of no use. */
static bool takes_document(const struct session *s)
{
    return s->phase == INIT_WAITING && s->channel.parser.skipped == 0;
}

static void on_task_part(struct session *s, const struct frame *f)
{
    if (takes_document(s))
        buf_add(&s->doc, f->body, f->len);
}

static void on_task_end(struct session *s, const struct frame *f)
{
    struct err e = {0};
    if (!takes_document(s) || f->len != sizeof(uint32_t))
        return;
    if (!s->doc.failed && frame_get_u32(f->body) != s->doc.len)
        finish_unstarted(s, END_SETUP_FAILED, 0, "the task document is not whole");
    else if (set_up(s, &e) != 0)
        finish_unstarted(s, END_SETUP_FAILED, e.os_errno, e.msg);
    else
        start_command(s);
    task_release(&s->task); /* a payload need not stay in memory */
}

static void on_ack(struct session *s, const struct frame *f)
{
    if (f->len == sizeof(uint64_t) && s->phase != INIT_WAITING)
        output_ack(&s->output, frame_get_u64(f->body));
}

static void on_resume(struct session *s, const struct frame *f)
{
    uint8_t answer[FRAME_NONCE_BYTES + 1 + sizeof(uint64_t)];
    if (f->len != FRAME_NONCE_BYTES + sizeof(uint64_t))
        return;
    uint64_t from = output_rewind(&s->output, frame_get_u64(f->body + FRAME_NONCE_BYTES));
    memcpy(answer, f->body, FRAME_NONCE_BYTES);
    answer[FRAME_NONCE_BYTES] = (uint8_t)s->phase;
    frame_u64(answer + FRAME_NONCE_BYTES + 1, from);
    channel_restart(&s->channel);
    channel_put(&s->channel, FRAME_RESUMED, 0, answer, sizeof(answer));
    if (s->started)
        channel_put(&s->channel, FRAME_STARTED, 0, NULL, 0);
    s->end_sent = false;
}

static void on_signal(struct session *s, const struct frame *f)
{
    if (f->len == 1 && f->body[0] > 0 && f->body[0] < NSIG && s->phase == INIT_RUNNING)
        procs_signal(f->body[0]);
}

static void on_bye(struct session *s, const struct frame *f)
{
    (void)f;
    if (s->phase != INIT_RUNNING) /* a running task is ended first: SIGNAL */
        s->done = true;
}

static const struct {
    enum frame_type type;
    void (*handle)(struct session *s, const struct frame *f);
} handlers[] = {
    {FRAME_TASK_PART, on_task_part}, {FRAME_TASK_END, on_task_end}, {FRAME_ACK, on_ack},
    {FRAME_RESUME, on_resume},       {FRAME_SIGNAL, on_signal},     {FRAME_BYE, on_bye},
};

void session_on_frames(struct session *s)
{
    struct frame f;
    channel_read(&s->channel);
    while (!s->done && channel_next(&s->channel, &f)) {
        for (size_t i = 0; i < ARRAY_LEN(handlers); i++) {
            if (handlers[i].type == f.type)
                handlers[i].handle(s, &f);
        }
    }
}

/* A signal from outside, such as an operator's `docker stop`, is meant for the task. */
void session_on_signal(struct session *s, int n)
{
    if (s->phase == INIT_RUNNING)
        procs_signal(n);
    else if (s->phase == INIT_WAITING)
        s->done = true;
}
