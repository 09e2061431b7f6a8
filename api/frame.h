/* The frames between the runner and wrought-init: see api/init.md for what they mean and when they
 * come.
 *
 * A frame is a 16-byte header and a body:
 *   0  4  magic "WRI1"
 *   4  1  type (enum frame_type)
 *   5  1  stream (0 stdout, 1 stderr; OUTPUT only, else 0)
 *   6  2  0
 *   8  4  body length, little-endian, at most BOUND_FRAME_BYTES
 *  12  4  CRC-32 (IEEE 802.3, reflected, as in zlib) of bytes 0 … 11 and the body, little-endian
 * The checksum is there because a peer that dies in mid-frame leaves a torn one in the pipe: the
 * reader drops bytes until the next whole frame. Used by the static init: libc, lib/buf and lib/err
 * only. One thread a parser. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/bounds.h"
#include "lib/buf.h"
#include "lib/err.h"

#define FRAME_HEADER_BYTES    16
#define FRAME_PROTOCOL        1
#define FRAME_NONCE_BYTES     16
#define FRAME_TASK_PART_BYTES 4096        /* body of one TASK_PART at most */
#define FRAME_OUTPUT_BYTES    (32u << 10) /* output bytes in one OUTPUT at most */
/* Zeros that a new runner sends before RESUME, and init before RESUMED. A torn frame leaves bytes
 * that the task chose, and they may look like the header of the longest frame: so this is what the
 * longest one can be missing, else it would swallow what follows. */
#define FRAME_FLUSH_BYTES (FRAME_HEADER_BYTES + BOUND_FRAME_BYTES)

enum frame_type {
    /* runner → init */
    FRAME_TASK_PART = 1, /* a piece of the task document */
    FRAME_TASK_END = 2,  /* u32 length of the whole document: run it */
    FRAME_ACK = 3,       /* u64: every output byte below this offset is safe */
    FRAME_RESUME = 4, /* nonce, u64 offset: a new runner is attached and has the bytes below it */
    FRAME_SIGNAL = 5, /* u8 signal number for every process of the task */
    FRAME_BYE = 6,    /* the end was received: exit */
    /* init → runner */
    FRAME_HELLO = 65,   /* u16 protocol: ready for the task */
    FRAME_STARTED = 66, /* the command was executed (exec succeeded) */
    FRAME_OUTPUT = 67,  /* u64 offset of the first byte, bytes; `stream` says of which */
    FRAME_END = 68,     /* facts as text, see struct init_end */
    FRAME_RESUMED =
        69, /* nonce, u8 phase (enum init_phase), u64 offset from which output follows */
};

enum init_phase { INIT_WAITING = 0, INIT_RUNNING = 1, INIT_ENDED = 2 };

struct frame {
    enum frame_type type;
    uint8_t stream;
    const uint8_t *body; /* in the parser's buffer: valid until the next frame_feed */
    uint32_t len;
};

/* frame_put: appends a frame. `len` is at most BOUND_FRAME_BYTES (asserted). */
void frame_put(struct buf *out, enum frame_type type, uint8_t stream, const void *body,
               uint32_t len);

struct frame_parser {
    struct buf in;
    size_t used;      /* bytes at the front of `in` that were handed out or skipped */
    uint64_t skipped; /* bytes dropped because they belonged to no whole frame */
};

void frame_parser_init(struct frame_parser *p);
void frame_parser_release(struct frame_parser *p);
/* frame_feed: adds bytes that arrived. ERR_TOO_BIG when the caller feeds without taking frames out.
 */
NODISCARD int frame_feed(struct frame_parser *p, const void *bytes, size_t len, struct err *e);
/* frame_next: true and *ret filled when a whole, intact frame is there. Never fails: what is no
 * frame is skipped. A type that this version does not know is handed out too: ignore it. */
bool frame_next(struct frame_parser *p, struct frame *ret);

void frame_u32(uint8_t out[4], uint32_t v);
void frame_u64(uint8_t out[8], uint64_t v);
uint32_t frame_get_u32(const uint8_t in[4]);
uint64_t frame_get_u64(const uint8_t in[8]);

/* ---- the task document: records {u8 tag, u32 length, bytes}, in any order but argv ---- */

enum doc_tag {
    DOC_ARG = 'a',     /* one element of argv, in order; at least one */
    DOC_ENV = 'e',     /* KEY=VALUE: the whole environment of the command */
    DOC_DIR = 'd',     /* working directory */
    DOC_COPY = 'c',    /* directory whose tree is copied into the working directory first */
    DOC_MARKER = 'm',  /* PATH NUL TEXT: this file must hold this text, else the setup failed (an
                          empty volume) */
    DOC_FILE = 'f',    /* PATH NUL OCTAL-MODE NUL CONTENT: written before the command runs */
    DOC_RLIMIT = 'r',  /* NAME NUL SOFT NUL HARD; NAME: nofile, nproc, core, fsize */
    DOC_SECCOMP = 's', /* a BPF program (struct sock_filter[]), loaded last */
    DOC_DISK = 'q',    /* decimal bytes: the working directory and /tmp may hold so much */
};

void doc_put(struct buf *doc, enum doc_tag tag, const void *bytes, size_t len);
/* doc_next: walks a document from *pos (0 at first). 1 = a record, 0 = the end, negative
 * ERR_PROTOCOL. */
NODISCARD int doc_next(const uint8_t *doc, size_t len, size_t *pos, enum doc_tag *ret_tag,
                       const uint8_t **ret_bytes, size_t *ret_len, struct err *e);

/* ---- how it ended ---- */

enum end_kind {
    END_EXITED = 0,      /* code */
    END_SIGNALED = 1,    /* signal */
    END_EXEC_FAILED = 2, /* os_errno: the command could not be executed; `where` is its name */
    END_SETUP_FAILED =
        3,             /* os_errno, where: init could not prepare the task; not the task's fault */
    END_DISK_FULL = 4, /* over its disk limit, ended by init */
};

struct init_end {
    enum end_kind kind;
    int code, signal, os_errno;
    char where[128];    /* one line of text */
    uint64_t log_bytes; /* of both streams */
    uint64_t stdout_bytes;
    /* Read by init from its own cgroup and /proc; -1 = could not be read */
    int64_t memory_peak_bytes;
    int64_t cpu_us;
    int64_t oom_kills;
    int64_t memory_limit_bytes; /* what really applied; about 2^63 = no limit, for pids_limit too */
    int64_t swap_limit_bytes;   /* memory and swap together */
    int64_t cpu_quota_us;       /* per 100000 us; 0 = no limit */
    int64_t pids_limit;
    int64_t cap_eff; /* CapEff of the command's process, as a number */
    int64_t no_new_privs;
    int64_t seccomp_mode;
    int64_t uid;
    int64_t rootfs_read_only; /* 1, 0 */
};

/* init_end_init: all zero, and -1 for everything that is yet to be read. */
void init_end_init(struct init_end *end);

/* As lines "key value\n"; unknown keys are ignored by the decoder, so that versions may differ. An
 * absent key has the value of init_end_init; only `kind` must be there. */
void init_end_encode(const struct init_end *end, struct buf *out);
NODISCARD int init_end_decode(const uint8_t *bytes, size_t len, struct init_end *ret,
                              struct err *e);
