/* Errors: one code vocabulary for all programs, one struct that travels by pointer.
 *
 * Every fallible function takes `struct err *e` last and returns 0 or a negative ERR_* value, which
 * is also stored in e->code. The first cause wins; each layer adds its noun with err_wrap.
 * The table in err.c is the only place that maps a code to a wire name, an HTTP status, a CLI exit
 * code, and to whether trying again can help. */
#pragma once

#include <stdbool.h>

#define NODISCARD              __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum err_code {
    ERR_NONE = 0,
    ERR_USAGE = -1,        /* wrong flags or configuration of our own programs */
    ERR_INVALID = -2,      /* bad input: the text names the thing and the limit */
    ERR_UNAUTHORIZED = -3, /* no token or a wrong one */
    ERR_FORBIDDEN = -4,    /* a token without the scope, or a suspended project */
    ERR_NOT_FOUND = -5,
    ERR_METHOD = -6,       /* the route exists, this verb does not */
    ERR_MISSING = -7,      /* a required field is absent (IronWorker answers 406) */
    ERR_CONFLICT = -8,     /* the state does not allow it: lost compare-and-set, name taken */
    ERR_TOO_BIG = -9,      /* over a ceiling */
    ERR_TOO_MANY = -10,    /* slowed down: ask again later */
    ERR_UNREACHABLE = -11, /* no connection to the peer */
    ERR_UNAVAILABLE = -12, /* the peer is there and cannot now: disk full, starting, stopping */
    ERR_TIMEOUT = -13,     /* a deadline of ours passed */
    ERR_PROTOCOL = -14,    /* the peer's bytes make no sense */
    ERR_IO = -15,          /* a system call failed: os_errno says how */
    ERR_EMPTY = -16,       /* nothing there now (an empty queue, the end of a list) */
    ERR_CANCELLED = -17,   /* stopped because somebody asked for it */
    ERR_INTERNAL = -18,    /* our bug */
};

struct err {
    int code;      /* enum err_code */
    int os_errno;  /* 0 where no system call failed */
    char msg[256]; /* complete sentence part, without a final dot; cut, never overrun */
};

/* err_set: record the first cause and return its code, so that `return err_set(e, …)` reads as one.
 * Keeps e->os_errno at 0. `e` may not be NULL. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* err_os: as err_set, and appends ": " and the text of `os_errno`. ENOSPC and EDQUOT become
 * ERR_UNAVAILABLE whatever `code` says: a full disk is never the caller's mistake. */
int err_os(struct err *e, enum err_code code, int os_errno, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* err_wrap: put "<noun>: " before the message and return e->code. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* err_clear: make `e` say that nothing happened. */
void err_clear(struct err *e);

const char *err_name(int code); /* wire name, such as "not_found"; "internal" for unknown codes */
unsigned err_http_status(int code); /* 200 for ERR_NONE */
int err_exit_code(int code);        /* DESIGN §3: 0, 64, 65, 66, 69, 75, 77, 124, 125, 130 */
bool err_retryable(int code);       /* true when the same request may succeed later */
int err_from_http(unsigned status); /* the code that a peer's status stands for; ERR_NONE for 2xx */
