/* One scripted engine and one client in front of it:
 *
 *     OPEN(b, FAKE_VERSION("1.41", "1.12"), {.expect = "GET /v1.41/info ", .body = "{}"});
 *     … calls on b.g with &b.e …
 *     bench_close(&b);
 */
#pragma once

#include "lib/httpc.h"
#include "runner/engine/engine.h"
#include "tests/fake/engine.h"

struct bench {
    struct fake fake;
    struct engine *g;
    struct err e;
};

static inline void bench_open(struct bench *b, const struct fake_step *steps, size_t n)
{
    char cwd[64], address[100];
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    snprintf(address, sizeof(address), "unix://%s/sock", cwd);
    *b = (struct bench){0};
    httpc_global_init();
    unlink("sock"); /* of the bench before it in the same test */
    fake_start(&b->fake, "sock", steps, n);
    CHECK_OK(engine_new(address, &b->g, &b->e), &b->e);
}

/* bench_join: what the engine was asked may be read; bench_release ends the test. */
static inline void bench_join(struct bench *b)
{
    fake_join(&b->fake);
}

static inline void bench_release(struct bench *b)
{
    engine_free(b->g);
    fake_release(&b->fake);
}

static inline void bench_close(struct bench *b)
{
    bench_join(b);
    bench_release(b);
}

#define OPEN(b, ...)                                                                               \
    const struct fake_step steps[] = {__VA_ARGS__};                                                \
    struct bench b;                                                                                \
    bench_open(&b, steps, ARRAY_LEN(steps))
