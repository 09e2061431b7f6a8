/* A tiny runner for the tests of wrought-init: starts the built program on a pair of pipes, speaks
 * frames with it and collects what the task wrote. Only for test_init*.c, after tap.h. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "api/frame.h"
#include "lib/clock.h"

#define BOX_DEADLINE_MS 60000
#define BOX_LOG_BYTES   (256u << 20)

struct box {
    pid_t pid; /* of init, or of what waits for it */
    int to, from;
    struct frame_parser parser;
    struct buf log[2]; /* by stream */
    uint64_t next;     /* offset of the next output byte */
    bool acks;         /* acknowledge as it comes */
    bool keep;         /* keep the log; else only count */
    bool hello, ended;
    int started; /* STARTED frames seen */
    struct init_end end;
    /* box_takeover */
    bool dropping; /* until RESUMED with this nonce */
    uint8_t nonce[FRAME_NONCE_BYTES];
    int phase;
    uint64_t resumed_at;
};

/* box_program: opens the init that was built beside this test. */
static inline int box_program(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
    CHECK(n > 0);
    path[n] = '\0';
    for (int up = 0; up < 2; up++)
        *strrchr(path, '/') = '\0';
    snprintf(path + strlen(path), 32, "/wrought-init");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

__attribute__((noreturn)) static inline void box_exec(int program)
{
    /* An init that is built with the address sanitizer cannot look for leaks: it is not dumpable.
     */
    char *const env[] = {"ASAN_OPTIONS=detect_leaks=0", "OF_INIT=1", NULL};
    char *const argv[] = {"wrought-init", NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fexecve(program, argv, env);
    _exit(99);
}

static inline void box_open(struct box *b, void (*run)(int program))
{
    int in[2], out[2], program = box_program();
    *b = (struct box){
        .acks = true, .keep = true, .log = {BUF_INIT(BOX_LOG_BYTES), BUF_INIT(BOX_LOG_BYTES)}};
    frame_parser_init(&b->parser);
    CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    fflush(stdout);
    b->pid = fork();
    CHECK(b->pid >= 0);
    if (b->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        run(program);
    }
    close(in[0]);
    close(out[1]);
    close(program);
    signal(SIGPIPE, SIG_IGN);
    b->to = in[1];
    b->from = out[0];
}

/* box_start: init as an ordinary process. */
static inline void box_start(struct box *b)
{
    box_open(b, box_exec);
}

static inline void box_write(struct box *b, const void *bytes, size_t len)
{
    const char *p = bytes;
    while (len > 0) {
        ssize_t n = write(b->to, p, len);
        if (n < 0)
            return; /* init has gone: the test that expects an answer will say so */
        p += n;
        len -= (size_t)n;
    }
}

static inline void box_send(struct box *b, enum frame_type type, const void *body, size_t len)
{
    AUTO(buf) struct buf f = BUF_INIT(FRAME_FLUSH_BYTES);
    frame_put(&f, type, 0, body, (uint32_t)len);
    box_write(b, f.data, f.len);
}

static inline void box_send_u64(struct box *b, enum frame_type type, uint64_t v)
{
    uint8_t body[8];
    frame_u64(body, v);
    box_send(b, type, body, sizeof(body));
}

static inline void box_send_signal(struct box *b, int n)
{
    box_send(b, FRAME_SIGNAL, &(uint8_t){(uint8_t)n}, 1);
}

/* box_task: sends a whole document. */
static inline void box_task(struct box *b, const struct buf *doc)
{
    uint8_t len[4];
    for (size_t at = 0; at < doc->len; at += FRAME_TASK_PART_BYTES) {
        size_t n = doc->len - at;
        box_send(b, FRAME_TASK_PART, doc->data + at,
                 n < FRAME_TASK_PART_BYTES ? n : FRAME_TASK_PART_BYTES);
    }
    frame_u32(len, (uint32_t)doc->len);
    box_send(b, FRAME_TASK_END, len, sizeof(len));
}

static inline void box_on_output(struct box *b, const struct frame *f)
{
    CHECK(f->len > 8 && f->len <= 8 + FRAME_OUTPUT_BYTES && f->stream < 2);
    CHECK(!b->ended);
    CHECK_INT(frame_get_u64(f->body), b->next);
    b->next += f->len - 8;
    if (b->keep)
        buf_add(&b->log[f->stream], f->body + 8, f->len - 8);
    if (b->acks)
        box_send_u64(b, FRAME_ACK, b->next);
}

static inline void box_on_resumed(struct box *b, const struct frame *f)
{
    CHECK_INT(f->len, FRAME_NONCE_BYTES + 9);
    if (memcmp(f->body, b->nonce, FRAME_NONCE_BYTES) != 0)
        return;
    b->dropping = false;
    b->phase = f->body[FRAME_NONCE_BYTES];
    b->next = b->resumed_at = frame_get_u64(f->body + FRAME_NONCE_BYTES + 1);
    if (b->keep) { /* as a spool: only what it has below the offset stays */
        CHECK(b->resumed_at <= b->log[0].len);
        b->log[0].len = b->resumed_at;
    }
}

static inline void box_on_frame(struct box *b, const struct frame *f)
{
    struct err e;
    if (f->type == FRAME_RESUMED)
        box_on_resumed(b, f);
    if (b->dropping)
        return;
    b->hello = b->hello || f->type == FRAME_HELLO;
    b->started += f->type == FRAME_STARTED;
    if (f->type == FRAME_OUTPUT)
        box_on_output(b, f);
    if (f->type == FRAME_END) {
        CHECK_OK(init_end_decode(f->body, f->len, &b->end, &e), &e);
        b->ended = true;
    }
}

/* box_step: waits for bytes and takes the frames in them. False at the end of the stream. */
static inline bool box_step(struct box *b, int64_t deadline_ms)
{
    static uint8_t bytes[65536];
    struct frame f;
    struct err e;
    struct pollfd p = {b->from, POLLIN, 0};
    CHECK(poll(&p, 1, (int)(deadline_ms - clock_mono_ms())) == 1);
    ssize_t n = read(b->from, bytes, sizeof(bytes));
    CHECK(n >= 0);
    CHECK_OK(frame_feed(&b->parser, bytes, (size_t)n, &e), &e);
    while (frame_next(&b->parser, &f))
        box_on_frame(b, &f);
    return n > 0;
}

/* BOX_UNTIL(box, condition): takes frames in until it holds. */
#define BOX_UNTIL(b, cond)                                                                         \
    do {                                                                                           \
        int64_t box_deadline_ms = clock_mono_ms() + BOX_DEADLINE_MS;                               \
        while (!(cond))                                                                            \
            CHECK(box_step(b, box_deadline_ms));                                                   \
    } while (0)

/* box_lose: the engine reads `len` bytes for a runner that is dead. */
static inline void box_lose(struct box *b, size_t len)
{
    static uint8_t bytes[65536];
    while (len > 0) {
        ssize_t n = read(b->from, bytes, len < sizeof(bytes) ? len : sizeof(bytes));
        CHECK(n > 0);
        len -= (size_t)n;
    }
}

/* box_takeover: as a new runner that has the bytes below `offset`; waits for the answer. For tasks
 * that write to standard output alone. */
static inline void box_takeover(struct box *b, uint64_t offset)
{
    static const char zeros[FRAME_FLUSH_BYTES];
    static uint8_t count;
    uint8_t body[FRAME_NONCE_BYTES + 8];
    memset(b->nonce, ++count, sizeof(b->nonce));
    frame_parser_release(&b->parser);
    frame_parser_init(&b->parser);
    b->dropping = true;
    b->started = 0;
    b->ended = false;
    memcpy(body, b->nonce, FRAME_NONCE_BYTES);
    frame_u64(body + FRAME_NONCE_BYTES, offset);
    box_write(b, zeros, sizeof(zeros));
    box_send(b, FRAME_RESUME, body, sizeof(body));
    BOX_UNTIL(b, !b->dropping);
}

/* box_gone: init exits by itself; returns its code. */
static inline int box_gone(struct box *b)
{
    int status;
    CHECK_INT(waitpid(b->pid, &status, 0), b->pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* box_finish: waits for the end of the task and says BYE. */
static inline void box_finish(struct box *b)
{
    BOX_UNTIL(b, b->ended);
    CHECK_INT(b->end.log_bytes, b->next);
    box_send(b, FRAME_BYE, NULL, 0);
    CHECK_INT(box_gone(b), 0);
}

static inline void box_release(struct box *b)
{
    buf_release(&b->log[0]);
    buf_release(&b->log[1]);
    frame_parser_release(&b->parser);
    cleanup_close_p(&b->to);
    cleanup_close_p(&b->from);
}

/* ---- documents ---- */

static inline void doc_text(struct buf *doc, enum doc_tag tag, const char *text)
{
    doc_put(doc, tag, text, strlen(text));
}

static inline void doc_file(struct buf *doc, const char *path, const char *mode, const void *bytes,
                            size_t len)
{
    AUTO(buf) struct buf r = BUF_INIT(BOUND_INIT_DOC_BYTES);
    buf_add(&r, path, strlen(path) + 1);
    buf_add(&r, mode, strlen(mode) + 1);
    buf_add(&r, bytes, len);
    doc_put(doc, DOC_FILE, buf_str(&r), r.len);
}

/* doc_here: a document with the test's directory as working directory and a PATH. */
static inline struct buf doc_here(void)
{
    char here[4096];
    struct buf doc = BUF_INIT(BOUND_INIT_DOC_BYTES);
    CHECK(getcwd(here, sizeof(here)) != NULL);
    doc_text(&doc, DOC_DIR, here);
    doc_text(&doc, DOC_ENV, "PATH=/usr/bin:/bin");
    return doc;
}

/* doc_script: … that runs a shell script. */
static inline struct buf doc_script(const char *script)
{
    struct buf doc = doc_here();
    doc_text(&doc, DOC_ARG, "sh");
    doc_text(&doc, DOC_ARG, "-c");
    doc_text(&doc, DOC_ARG, script);
    return doc;
}

/* box_script: runs it to its end in a fresh init. */
static inline void box_script(struct box *b, const char *script)
{
    AUTO(buf) struct buf doc = doc_script(script);
    box_start(b);
    box_task(b, &doc);
    box_finish(b);
}

static inline void box_doc(struct box *b, const struct buf *doc)
{
    box_start(b);
    box_task(b, doc);
    box_finish(b);
}
