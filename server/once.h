/* Idempotency-Key: what a request that queues tasks says, in one hash, so that the same key with
 * something else is noticed. Any thread. */
#pragma once

#include "server/ops.h"
#include "server/req.h"

/* once_read: fills o->once_key and o->once_hash when the request has the field. ERR_INVALID: empty,
 * over ONCE_KEY_BYTES, or not printable ASCII. */
#define ONCE_KEY_BYTES 255
NODISCARD int once_read(const struct req *rq, struct op_enqueue *o, struct err *e);
/* once_header: tells the client that the answer is an earlier one's. */
void once_header(const struct op_enqueue *o, struct resp *rs);
