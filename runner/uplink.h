/* The runner's side of the protocol in api/lease.md: one function a route. A struct uplink belongs
 * to one thread at a time and keeps its connection. Every result also tells the node whether the
 * server answers. Errors: err_retryable says whether the same call may succeed later. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/runner.h"
#include "lib/err.h"

struct node;
struct uplink;

struct uplink *uplink_new(struct node *n);
void uplink_free(struct uplink *u); /* NULL is fine */

/* on_idle: asked several times a second; non-zero ends the call with ERR_CANCELLED. */
struct uplink_idle {
    int (*fn)(void *arg);
    void *arg;
};

NODISCARD int uplink_register(struct uplink *u, const char *const *stacks, struct err *e);

/* uplink_lease: *ret_some false: nothing to do. */
NODISCARD int uplink_lease(struct uplink *u, int slot, const char *poll, int wait_s,
                           const struct uplink_idle *idle, bool *ret_some, struct grant *ret,
                           struct err *e);

/* uplink_renew: *ret is an owned array of orders. */
NODISCARD int uplink_renew(struct uplink *u, const struct held *held, size_t n, int wait_s,
                           const struct uplink_idle *idle, struct held **ret, size_t *ret_n,
                           struct err *e);

/* What the server says to a report. */
enum said {
    SAID_OK,
    SAID_LOST,   /* the attempt is not ours any more (rule 3) */
    SAID_OFFSET, /* it has the log up to *ret_offset only: send from there (rule 5) */
};

NODISCARD int uplink_started(struct uplink *u, const struct started *s, enum said *ret,
                             struct err *e);
/* uplink_log: SAID_OK sets *ret_offset too. */
NODISCARD int uplink_log(struct uplink *u, const struct attempt_ref *ref, uint64_t offset,
                         const void *segments, size_t len, enum said *ret, uint64_t *ret_offset,
                         struct err *e);
/* uplink_finish: `body` is an encoded struct finish. */
NODISCARD int uplink_finish(struct uplink *u, const char *body, size_t len, enum said *ret,
                            uint64_t *ret_offset, struct err *e);

/* uplink_result: the package that a build left: the file `fd`, whole. */
NODISCARD int uplink_result(struct uplink *u, const struct attempt_ref *ref, const char *sha256,
                            int fd, enum said *ret, struct err *e);

/* uplink_package: the zip with this hash into `fd`; checked. ERR_NOT_FOUND when the server has
 * none, ERR_PROTOCOL when what came has another hash. */
NODISCARD int uplink_package(struct uplink *u, const char *sha256, int fd, struct err *e);
