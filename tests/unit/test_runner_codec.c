/* api/runner.c: every message of the runner protocol there and back, and what is refused. */
#include "api/runner.h"

#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

#define TASK_A "5f0c7d009b2d4c0007a1c001"
#define TASK_B "5f0c7d009b2d4c0007a1c002"
#define SHA    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct json *parse(const char *text)
{
    struct json *root = NULL;
    struct err e = {0};
    CHECK_OK(json_parse(text, strlen(text), BOUND_JSON_DEPTH, &root, &e), &e);
    return root;
}

/* REFUSED(decoder, result type, text, part of the message): the request does not decode. */
#define REFUSED(decode, type, text, part)                                                          \
    do {                                                                                           \
        autojson struct json *refused_root = parse(text);                                          \
        struct type refused_got;                                                                   \
        struct err refused_e = {0};                                                                \
        CHECK(decode(refused_root, &refused_got, &refused_e) < 0);                                 \
        CHECK_HAS(refused_e.msg, part);                                                            \
    } while (0)

/* ---- register ---- */

TEST(hello_survives_the_round_trip)
{
    static const char *const stacks[] = {"sh", "python-3.11"};
    struct runner_hello h = {.runner = "node-1.a_b",
                             .cluster = "default",
                             .version = "0.1.0",
                             .slots = 4,
                             .engine_version = "20.10",
                             .problem = "engine away"};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    runner_hello_encode(&h, stacks, 2, &b);
    autojson struct json *root = parse(buf_str(&b));
    struct runner_hello got;
    struct err e = {0};
    CHECK_OK(runner_hello_decode(root, &got, &e), &e);
    CHECK_STR(got.runner, h.runner);
    CHECK_STR(got.cluster, h.cluster);
    CHECK_STR(got.version, h.version);
    CHECK_INT(got.slots, 4);
    CHECK_STR(got.engine_version, "20.10");
    CHECK_STR(got.problem, "engine away");
    CHECK_INT(json_length(got.stacks), 2);
    CHECK_STR(json_string(json_at(got.stacks, 1), NULL), "python-3.11");
}

TEST(hello_of_a_runner_without_stacks_is_fine)
{
    struct runner_hello h = {.runner = "r", .cluster = "default", .slots = 1};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    runner_hello_encode(&h, NULL, 0, &b);
    autojson struct json *root = parse(buf_str(&b));
    struct runner_hello got;
    struct err e = {0};
    CHECK_OK(runner_hello_decode(root, &got, &e), &e);
    CHECK_INT(json_length(got.stacks), 0);
    CHECK_STR(got.problem, "");
}

TEST(bad_hello_is_refused)
{
#define HELLO(runner, more) "{\"runner\":\"" runner "\",\"cluster\":\"c\",\"slots\":1" more "}"
    REFUSED(runner_hello_decode, runner_hello, HELLO("a b", ",\"stacks\":[]"), "runner");
    REFUSED(runner_hello_decode, runner_hello, HELLO("a/b", ",\"stacks\":[]"), "runner");
    REFUSED(runner_hello_decode, runner_hello, HELLO("a", ""), "stacks");
    REFUSED(runner_hello_decode, runner_hello, HELLO("a", ",\"stacks\":[1]"), "stacks[0]");
    REFUSED(runner_hello_decode, runner_hello, HELLO("a", ",\"stacks\":[\"a\\u0001\"]"),
            "stacks[0]");
    REFUSED(runner_hello_decode, runner_hello, HELLO("a", ",\"stacks\":[],\"more\":1"), "more");
    REFUSED(runner_hello_decode, runner_hello,
            "{\"runner\":\"a\",\"cluster\":\"c\",\"slots\":0,\"stacks\":[]}", "slots");
}

/* ---- lease ---- */

TEST(poll_survives_the_round_trip)
{
    struct lease_poll p = {
        .runner = "r", .cluster = "default", .slot = 0, .poll = "0123456789abcdef", .wait_s = 30};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    lease_poll_encode(&p, &b);
    autojson struct json *root = parse(buf_str(&b));
    struct lease_poll got;
    struct err e = {0};
    CHECK_OK(lease_poll_decode(root, &got, &e), &e);
    CHECK_STR(got.runner, "r");
    CHECK_STR(got.cluster, "default");
    CHECK_INT(got.slot, 0);
    CHECK_STR(got.poll, p.poll);
    CHECK_INT(got.wait_s, 30);
}

TEST(bad_poll_is_refused)
{
#define POLL(slot, poll, wait)                                                                     \
    "{\"runner\":\"r\",\"cluster\":\"c\",\"slot\":" slot ",\"poll\":\"" poll "\",\"wait_s\":" wait \
    "}"
    REFUSED(lease_poll_decode, lease_poll, POLL("-1", "0123456789abcdef", "1"), "slot");
    REFUSED(lease_poll_decode, lease_poll, POLL("4096", "0123456789abcdef", "1"), "slot");
    REFUSED(lease_poll_decode, lease_poll, POLL("0", "0123456789abcde", "1"), "poll");
    REFUSED(lease_poll_decode, lease_poll, POLL("0", "0123456789abcdeg", "1"), "poll");
    REFUSED(lease_poll_decode, lease_poll, POLL("0", "0123456789abcdef", "61"), "wait_s");
    REFUSED(lease_poll_decode, lease_poll, POLL("0", "0123456789abcdef", "1,\"x\":1"), "x");
}

/* ---- grant ---- */

static struct grant full_grant(void)
{
    return (struct grant){.ref = {TASK_A, 2},
                          .project_id = "5f0c6a1e9b2d4c0007a1b2c0",
                          .code_id = "5f0c6a1e9b2d4c0007a1b2c3",
                          .revision_id = "5f0c7b3f9b2d4c0007a1b9aa",
                          .schedule_id = "5f0c7b3f9b2d4c0007a1b9ab",
                          .code_name = str_dup("thumb"),
                          .code_rev = 4,
                          .image = str_dup("i"),
                          .command = str_dup("c"),
                          .runtime = str_dup("python"),
                          .stack = str_dup("python-3.11"),
                          .file_name = str_dup("main.py"),
                          .config = str_dup("{}"),
                          .env_vars = str_dup("{\"A\":\"1\"}"),
                          .package_sha256 = SHA,
                          .package_bytes = 1234,
                          .payload = str_dup("{\"n\":1}"),
                          .payload_len = 7,
                          .registry_auth = str_dup("e30="),
                          .timeout_s = 60,
                          .lease_s = 30,
                          .caps = {1, 2, 3, 4, 5}};
}

TEST(grant_survives_the_round_trip)
{
    AUTO(grant) struct grant g = full_grant();
    AUTO(grant) struct grant got = {0};
    AUTO(buf) struct buf first = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(buf) struct buf second = BUF_INIT(BOUND_JSON_BODY_BYTES);
    grant_encode(&g, &first);
    autojson struct json *root = parse(buf_str(&first));
    bool some = false;
    struct err e = {0};
    CHECK_OK(grant_decode(root, &some, &got, &e), &e);
    CHECK(some);
    CHECK_STR(got.ref.task, TASK_A);
    CHECK_INT(got.ref.attempt, 2);
    CHECK_STR(got.package_sha256, SHA);
    CHECK_STR(got.payload, "{\"n\":1}");
    CHECK_INT(got.payload_len, 7);
    CHECK_INT(got.caps.disk_bytes, 5);
    grant_encode(&got, &second); /* every other member */
    CHECK_STR(buf_str(&second), buf_str(&first));
}

TEST(absent_strings_of_a_grant_are_empty_not_null)
{
    struct grant g = {.ref = {TASK_A, 1},
                      .project_id = "5f0c6a1e9b2d4c0007a1b2c0",
                      .code_id = "5f0c6a1e9b2d4c0007a1b2c3",
                      .revision_id = "5f0c7b3f9b2d4c0007a1b9aa",
                      .code_name = (char[]){"x"},
                      .code_rev = 1,
                      .timeout_s = 1,
                      .lease_s = 30};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    grant_encode(&g, &b);
    autojson struct json *root = parse(buf_str(&b));
    AUTO(grant) struct grant got = {0};
    bool some = false;
    struct err e = {0};
    CHECK_OK(grant_decode(root, &some, &got, &e), &e);
    CHECK_STR(got.image, "");
    CHECK_STR(got.config, "");
    CHECK_STR(got.env_vars, "");
    CHECK_STR(got.payload, "");
    CHECK_STR(got.package_sha256, "");
    CHECK_INT(got.caps.memory_bytes, 0);
}

/* check_payload: a grant carries these bytes there and back. */
static void check_payload(const char *bytes, size_t len)
{
    AUTO(grant) struct grant g = full_grant();
    AUTO(grant) struct grant got = {0};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    free(g.payload);
    g.payload = str_dupn(bytes, len);
    g.payload_len = len;
    grant_encode(&g, &b);
    autojson struct json *root = parse(buf_str(&b));
    bool some = false;
    struct err e = {0};
    CHECK_OK(grant_decode(root, &some, &got, &e), &e);
    CHECK_INT(got.payload_len, len);
    CHECK(memcmp(got.payload, bytes, len) == 0);
}

TEST(a_grant_carries_any_bytes_as_payload)
{
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    check_payload(all, sizeof(all));
    check_payload("\xff", 1);
    check_payload("\0", 1);
    check_payload("\xc3\xa4", 2);
    check_payload("{\"base64\":\"eA==\"}", 17);
}

TEST(a_payload_that_is_no_base64_is_refused)
{
    AUTO(grant) struct grant g = full_grant();
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    g.payload[0] = '\xff';
    grant_encode(&g, &b);
    char *at = strstr(buf_str(&b), "base64\":\"");
    CHECK(at);
    at[strlen("base64\":\"")] = '!';
    autojson struct json *root = parse(buf_str(&b));
    struct grant got;
    bool some = false;
    struct err e = {0};
    CHECK_INT(grant_decode(root, &some, &got, &e), ERR_INVALID);
    CHECK_HAS(e.msg, "payload");
}

TEST(no_grant_is_null)
{
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    grant_encode(NULL, &b);
    CHECK_STR(buf_str(&b), "{\"grant\":null}");
    autojson struct json *root = parse(buf_str(&b));
    struct grant got;
    bool some = true;
    struct err e = {0};
    CHECK_OK(grant_decode(root, &some, &got, &e), &e);
    CHECK(!some);
}

TEST(answer_of_a_newer_server_is_understood)
{
    AUTO(grant) struct grant g = full_grant();
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    grant_encode(&g, &b);
    autofree char *newer =
        str_fmt("{\"grant\":{\"novelty\":true,%s", buf_str(&b) + strlen("{\"grant\":{"));
    autojson struct json *root = parse(newer);
    AUTO(grant) struct grant got = {0};
    bool some = false;
    struct err e = {0};
    CHECK_OK(grant_decode(root, &some, &got, &e), &e);
    CHECK(some);
}

TEST(broken_grant_is_refused)
{
    static const char *const bad[] = {"[]", "{\"grant\":[]}", "{\"grant\":{}}",
                                      "{\"grant\":{\"task\":\"" TASK_A "\"}}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        autojson struct json *root = parse(bad[i]);
        struct grant got;
        bool some = false;
        struct err e = {0};
        CHECK(grant_decode(root, &some, &got, &e) < 0);
        CHECK(e.msg[0] != '\0');
    }
}

/* ---- renew ---- */

TEST(renewal_survives_the_round_trip)
{
    struct held held[] = {{{TASK_A, 1}, ORDER_NONE}, {{TASK_B, 3}, ORDER_CANCEL}};
    struct renew r = {.runner = "r", .wait_s = 10, .held = held, .n_held = 2};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    renew_encode(&r, &b);
    autojson struct json *root = parse(buf_str(&b));
    AUTO(renew) struct renew got = {0};
    struct err e = {0};
    CHECK_OK(renew_decode(root, &got, &e), &e);
    CHECK_STR(got.runner, "r");
    CHECK_INT(got.wait_s, 10);
    CHECK_INT(got.n_held, 2);
    CHECK_STR(got.held[0].ref.task, TASK_A);
    CHECK_INT(got.held[0].known, ORDER_NONE);
    CHECK_STR(got.held[1].ref.task, TASK_B);
    CHECK_INT(got.held[1].ref.attempt, 3);
    CHECK_INT(got.held[1].known, ORDER_CANCEL);
}

TEST(renewal_may_hold_nothing)
{
    struct renew r = {.runner = "r"};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    renew_encode(&r, &b);
    autojson struct json *root = parse(buf_str(&b));
    AUTO(renew) struct renew got = {0};
    struct err e = {0};
    CHECK_OK(renew_decode(root, &got, &e), &e);
    CHECK_INT(got.n_held, 0);
}

TEST(bad_renewal_is_refused)
{
#define RENEW(held) "{\"runner\":\"r\",\"wait_s\":0,\"held\":" held "}"
    REFUSED(renew_decode, renew, "{\"runner\":\"r\",\"wait_s\":0}", "held");
    REFUSED(renew_decode, renew, RENEW("{}"), "held");
    REFUSED(renew_decode, renew, RENEW("[1]"), "attempt 0");
    REFUSED(renew_decode, renew, RENEW("[{\"task\":\"x\",\"attempt\":1}]"), "task");
    REFUSED(renew_decode, renew, RENEW("[{\"task\":\"" TASK_A "\",\"attempt\":0}]"), "attempt");
    REFUSED(renew_decode, renew,
            RENEW("[{\"task\":\"" TASK_A "\",\"attempt\":1,\"known\":\"fly\"}]"), "fly");
    REFUSED(renew_decode, renew, RENEW("[{\"task\":\"" TASK_A "\",\"attempt\":1,\"x\":1}]"), "x");
}

TEST(orders_survive_the_round_trip)
{
    struct held orders[] = {{{TASK_A, 1}, ORDER_LOST}, {{TASK_B, 2}, ORDER_CANCEL}};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    orders_encode(orders, 2, &b);
    CHECK_HAS(buf_str(&b),
              "{\"orders\":[{\"task\":\"" TASK_A "\",\"attempt\":1,\"order\":\"lost\"}");
    autojson struct json *root = parse(buf_str(&b));
    autofree struct held *got = NULL;
    size_t n = 0;
    struct err e = {0};
    CHECK_OK(orders_decode(root, &got, &n, &e), &e);
    CHECK_INT(n, 2);
    CHECK_INT(got[0].known, ORDER_LOST);
    CHECK_INT(got[1].known, ORDER_CANCEL);
    CHECK_INT(got[1].ref.attempt, 2);
}

TEST(answer_without_orders_is_an_error)
{
    autojson struct json *root = parse("{}");
    struct held *got = NULL;
    size_t n = 0;
    struct err e = {0};
    CHECK_INT(orders_decode(root, &got, &n, &e), ERR_PROTOCOL);
}

/* ---- started, finish ---- */

TEST(started_survives_the_round_trip)
{
    struct started s = {.runner = "r",
                        .ref = {TASK_A, 2},
                        .container = "c0ffee",
                        .image = "wrought/sh",
                        .image_id = "sha256:abc"};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    started_encode(&s, &b);
    autojson struct json *root = parse(buf_str(&b));
    struct started got;
    struct err e = {0};
    CHECK_OK(started_decode(root, &got, &e), &e);
    CHECK_STR(got.ref.task, TASK_A);
    CHECK_INT(got.ref.attempt, 2);
    CHECK_STR(got.container, "c0ffee");
    CHECK_STR(got.image, "wrought/sh");
    CHECK_STR(got.image_id, "sha256:abc");
}

TEST(started_without_attempt_is_refused)
{
    REFUSED(started_decode, started, "{\"runner\":\"r\",\"task\":\"" TASK_A "\"}", "attempt");
    REFUSED(started_decode, started, "{\"runner\":\"r\",\"attempt\":1}", "task");
}

TEST(finish_survives_the_round_trip)
{
    struct finish f = {.runner = "r",
                       .ref = {TASK_A, 2},
                       .class = CLASS_TASK,
                       .exit_code = 3,
                       .signal = 9,
                       .reason = "out of memory",
                       .start_us = 1594649404259123,
                       .end_us = 1594649408000456,
                       .log_bytes = 10,
                       .stdout_bytes = 4,
                       .log_sha256 = SHA,
                       .log_complete = true,
                       .facts_text = "{\"memory_peak_bytes\":5}"};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    finish_encode(&f, &b);
    autojson struct json *root = parse(buf_str(&b));
    struct finish got;
    struct err e = {0};
    CHECK_OK(finish_decode(root, &got, &e), &e);
    CHECK_STR(got.runner, "r");
    CHECK_STR(got.ref.task, TASK_A);
    CHECK_INT(got.ref.attempt, 2);
    CHECK_INT(got.class, CLASS_TASK);
    CHECK_INT(got.exit_code, 3);
    CHECK_INT(got.signal, 9);
    CHECK_STR(got.reason, "out of memory");
    CHECK_INT(got.start_us, f.start_us);
    CHECK_INT(got.end_us, f.end_us);
    CHECK_INT(got.log_bytes, 10);
    CHECK_INT(got.stdout_bytes, 4);
    CHECK_STR(got.log_sha256, SHA);
    CHECK(got.log_complete);
    CHECK_INT(json_get_int(got.facts, "memory_peak_bytes", 0), 5);
}

TEST(finish_tells_exit_code_0_from_none)
{
    struct finish f = {.runner = "r", .ref = {TASK_A, 1}, .class = CLASS_OK, .exit_code = 0};
    for (int64_t code = -1; code <= 0; code++) {
        AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
        f.exit_code = code;
        finish_encode(&f, &b);
        autojson struct json *root = parse(buf_str(&b));
        struct finish got;
        struct err e = {0};
        CHECK_OK(finish_decode(root, &got, &e), &e);
        CHECK_INT(got.exit_code, code);
        CHECK_STR(got.log_sha256, "");
        CHECK(got.facts == NULL);
    }
}

TEST(bad_finish_is_refused)
{
#define FINISH(class, more)                                                                        \
    "{\"runner\":\"r\",\"task\":\"" TASK_A                                                         \
    "\",\"attempt\":1,\"class\":\"" class "\",\"log_bytes\":0,\"stdout_bytes\":0,\"log_"           \
                                          "complete\":true" more "}"
    REFUSED(finish_decode, finish, FINISH("none", ""), "class");
    REFUSED(finish_decode, finish, FINISH("lost", ""), "class");
    REFUSED(finish_decode, finish, FINISH("great", ""), "great");
    REFUSED(finish_decode, finish, FINISH("ok", ",\"exit_code\":256"), "exit_code");
    REFUSED(finish_decode, finish, FINISH("ok", ",\"log_sha256\":\"abc\""), "log_sha256");
    REFUSED(finish_decode, finish, FINISH("ok", ",\"facts\":[]"), "facts");
    REFUSED(finish_decode, finish, FINISH("ok", ",\"mood\":1"), "mood");
}

TEST(every_class_name_parses_back)
{
    for (int c = CLASS_NONE; c <= CLASS_LOST; c++) {
        enum attempt_class got;
        CHECK(attempt_class_parse(attempt_class_name((enum attempt_class)c), &got));
        CHECK_INT(got, c);
    }
    enum attempt_class got;
    CHECK(!attempt_class_parse("", &got));
}

TAP_MAIN
