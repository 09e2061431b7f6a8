/* api/task.c: states, the queue request with every oddity old clients send, the task object. */
#include "api/task.h"

#include <stdbool.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static const struct task_limits limits = {.max_payload_bytes = 100,
                                          .max_timeout_s = 86400,
                                          .max_delay_s = 604800,
                                          .default_timeout_s = 3600};

static struct json *parse(const char *text)
{
    struct json *root = NULL;
    struct err e = {0};
    CHECK_OK(json_parse(text, strlen(text), BOUND_JSON_DEPTH, &root, &e), &e);
    return root;
}

/* queue: decodes a request that must be good; what it borrows lives until the next call. */
static struct task_new queue(const char *text)
{
    static struct json *root;
    json_free(root);
    root = parse(text);
    struct task_new t;
    struct err e = {0};
    CHECK_OK(task_new_decode(root, &limits, &t, &e), &e);
    return t;
}

static void queue_refused(const char *text, int code, const char *message)
{
    autojson struct json *root = parse(text);
    struct task_new t;
    struct err e = {0};
    CHECK_INT(task_new_decode(root, &limits, &t, &e), code);
    CHECK_HAS(e.msg, message);
}

/* ---- states ---- */

TEST(moves_are_those_of_the_lifecycle_page)
{
    /* api/lifecycle.md, row by row: from, then queued preparing running complete error cancelled
     * timeout */
    static const char *const want[TASK_STATES] = {
        [TASK_QUEUED] = ".x..xx.",   [TASK_PREPARING] = "x.x.xxx", [TASK_RUNNING] = "x..xxxx",
        [TASK_COMPLETE] = ".......", [TASK_ERROR] = ".......",     [TASK_CANCELLED] = ".......",
        [TASK_TIMEOUT] = ".......",
    };
    for (int from = 0; from < TASK_STATES; from++)
        for (int to = 0; to < TASK_STATES; to++)
            CHECK_INT(task_move_legal((enum task_state)from, (enum task_state)to),
                      want[from][to] == 'x');
}

TEST(ended_states_are_those_without_moves)
{
    CHECK(!task_state_ended(TASK_QUEUED) && !task_state_ended(TASK_PREPARING) &&
          !task_state_ended(TASK_RUNNING));
    CHECK(task_state_ended(TASK_COMPLETE) && task_state_ended(TASK_ERROR) &&
          task_state_ended(TASK_CANCELLED) && task_state_ended(TASK_TIMEOUT));
}

TEST(preparing_is_queued_to_old_clients)
{
    CHECK_STR(task_state_name(TASK_PREPARING), "queued");
    CHECK_STR(task_state_own_name(TASK_PREPARING), "preparing");
}

TEST(every_own_name_parses_back)
{
    for (int s = 0; s < TASK_STATES; s++) {
        enum task_state got;
        CHECK(task_state_parse(task_state_own_name((enum task_state)s), &got));
        CHECK_INT(got, s);
    }
}

TEST(killed_means_cancelled)
{
    enum task_state got;
    CHECK(task_state_parse("killed", &got));
    CHECK_INT(got, TASK_CANCELLED);
}

TEST(unknown_state_word_does_not_parse)
{
    enum task_state got;
    CHECK(!task_state_parse("", &got));
    CHECK(!task_state_parse("Queued", &got));
}

/* ---- the queue request ---- */

TEST(smallest_request_gets_the_defaults)
{
    struct task_new t = queue("{\"code_name\":\"w\"}");
    CHECK_STR(t.code_name, "w");
    CHECK_STR(t.payload, "");
    CHECK_INT(t.payload_len, 0);
    CHECK_INT(t.priority, -1);
    CHECK_INT(t.timeout_s, 3600);
    CHECK_INT(t.delay_s, 0);
    CHECK_STR(t.cluster, "");
    CHECK_STR(t.label, "");
}

TEST(nulls_are_the_same_as_absent)
{
    struct task_new t =
        queue("{\"code_name\":\"w\",\"payload\":null,\"priority\":null,\"timeout\":null,"
              "\"delay\":null,\"cluster\":null,\"label\":null}");
    CHECK_STR(t.payload, "");
    CHECK_INT(t.priority, -1);
    CHECK_INT(t.timeout_s, 3600);
    CHECK_INT(t.delay_s, 0);
    CHECK_STR(t.cluster, "");
    CHECK_STR(t.label, "");
}

TEST(empty_strings_are_the_same_as_absent)
{
    struct task_new t =
        queue("{\"code_name\":\"w\",\"payload\":\"\",\"cluster\":\"\",\"label\":\"\"}");
    CHECK_INT(t.payload_len, 0);
    CHECK_STR(t.cluster, "");
    CHECK_STR(t.label, "");
}

TEST(seconds_may_be_fractions)
{
    struct task_new t = queue("{\"code_name\":\"w\",\"timeout\":60.0,\"delay\":1.9}");
    CHECK_INT(t.timeout_s, 60);
    CHECK_INT(t.delay_s, 1);
}

TEST(timeout_0_is_the_maximum)
{
    CHECK_INT(queue("{\"code_name\":\"w\",\"timeout\":0}").timeout_s, 86400);
    CHECK_INT(queue("{\"code_name\":\"w\",\"timeout\":0.4}").timeout_s, 86400);
}

TEST(default_timeout_never_passes_the_maximum)
{
    struct task_limits tight = limits;
    tight.max_timeout_s = 60;
    autojson struct json *root = parse("{\"code_name\":\"w\"}");
    struct task_new t;
    struct err e = {0};
    CHECK_OK(task_new_decode(root, &tight, &t, &e), &e);
    CHECK_INT(t.timeout_s, 60);
}

TEST(priorities_out_of_range_are_unset)
{
    CHECK_INT(queue("{\"code_name\":\"w\",\"priority\":-3}").priority, -1);
    CHECK_INT(queue("{\"code_name\":\"w\",\"priority\":-2}").priority, -1);
    CHECK_INT(queue("{\"code_name\":\"w\",\"priority\":3}").priority, -1);
    CHECK_INT(queue("{\"code_name\":\"w\",\"priority\":0}").priority, 0);
    CHECK_INT(queue("{\"code_name\":\"w\",\"priority\":2}").priority, 2);
}

TEST(unknown_keys_are_ignored)
{
    struct task_new t = queue("{\"code_name\":\"w\",\"name\":\"w\",\"sync\":false,\"oauth\":\"x\","
                              "\"encryptionKey\":\"k\",\"later\":{\"a\":[1]}}");
    CHECK_STR(t.code_name, "w");
}

TEST(names_may_hold_what_iron_names_hold)
{
    CHECK_STR(queue("{\"code_name\":\"USER/hello::builder v1.2\"}").code_name,
              "USER/hello::builder v1.2");
}

TEST(missing_code_name_is_named)
{
    queue_refused("{\"payload\":\"\"}", ERR_MISSING, "code_name");
    queue_refused("{\"code_name\":\"\"}", ERR_MISSING, "code_name");
    queue_refused("{\"code_name\":null}", ERR_MISSING, "code_name");
}

TEST(control_characters_in_names_are_refused)
{
    queue_refused("{\"code_name\":\"a\\nb\"}", ERR_INVALID, "code_name");
    queue_refused("{\"code_name\":\"a\\u001b[2J\"}", ERR_INVALID, "code_name");
    queue_refused("{\"code_name\":\"a\\u009b\"}", ERR_INVALID, "code_name");
    queue_refused("{\"code_name\":\"w\",\"cluster\":\"a\\tb\"}", ERR_INVALID, "cluster");
}

TEST(nul_in_a_request_never_reaches_the_decoder)
{
    static const char text[] = "{\"code_name\":\"a\\u0000b\"}";
    struct json *root = NULL;
    struct err e = {0};
    CHECK_INT(json_parse(text, sizeof(text) - 1, BOUND_JSON_DEPTH, &root, &e), ERR_INVALID);
}

TEST(payload_must_be_a_string)
{
    static const char *const bad[] = {"{\"a\":1}", "[]", "1", "1.5", "true"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        autofree char *text = str_fmt("{\"code_name\":\"w\",\"payload\":%s}", bad[i]);
        queue_refused(text, ERR_INVALID, "payload");
        queue_refused(text, ERR_INVALID, "must be a string");
    }
}

TEST(payload_at_the_limit_passes_and_one_byte_more_does_not)
{
    char at[101] = "", over[102] = "";
    memset(at, 'x', 100);
    memset(over, 'x', 101);
    autofree char *good = str_fmt("{\"code_name\":\"w\",\"payload\":\"%s\"}", at);
    autofree char *bad = str_fmt("{\"code_name\":\"w\",\"payload\":\"%s\"}", over);
    CHECK_INT(queue(good).payload_len, 100);
    queue_refused(bad, ERR_TOO_BIG, "payload");
    queue_refused(bad, ERR_TOO_BIG, "100");
}

TEST(payload_bytes_count_after_unescaping)
{
    struct task_new t = queue("{\"code_name\":\"w\",\"payload\":\"\\u00e9\\n\\\"\"}");
    CHECK_STR(t.payload, "\xC3\xA9\n\"");
    CHECK_INT(t.payload_len, 4);
}

TEST(numbers_over_a_limit_name_field_and_limit)
{
    queue_refused("{\"code_name\":\"w\",\"timeout\":86401}", ERR_INVALID, "timeout");
    queue_refused("{\"code_name\":\"w\",\"timeout\":86401}", ERR_INVALID, "86400");
    queue_refused("{\"code_name\":\"w\",\"timeout\":-1}", ERR_INVALID, "timeout");
    queue_refused("{\"code_name\":\"w\",\"delay\":604801}", ERR_INVALID, "604800");
    queue_refused("{\"code_name\":\"w\",\"delay\":-1}", ERR_INVALID, "delay");
    queue_refused("{\"code_name\":\"w\",\"timeout\":1e300}", ERR_INVALID, "timeout");
}

TEST(wrong_types_name_the_field)
{
    queue_refused("{\"code_name\":7}", ERR_INVALID, "code_name");
    queue_refused("{\"code_name\":\"w\",\"timeout\":\"60\"}", ERR_INVALID, "timeout");
    queue_refused("{\"code_name\":\"w\",\"priority\":{}}", ERR_INVALID, "priority");
    queue_refused("{\"code_name\":\"w\",\"label\":1}", ERR_INVALID, "label");
    queue_refused("[]", ERR_INVALID, "object");
    queue_refused("\"w\"", ERR_INVALID, "object");
}

TEST(names_and_labels_have_a_limit)
{
    char longer[BOUND_NAME_BYTES + 2] = "";
    memset(longer, 'n', BOUND_NAME_BYTES + 1);
    autofree char *name = str_fmt("{\"code_name\":\"%s\"}", longer);
    autofree char *label = str_fmt("{\"code_name\":\"w\",\"label\":\"%s\"}", longer);
    queue_refused(name, ERR_TOO_BIG, "code_name");
    queue_refused(label, ERR_TOO_BIG, "label");
}

TEST(queue_request_survives_the_round_trip)
{
    struct task_new t = {.code_name = "w/x",
                         .payload = "{\"n\":1}\n",
                         .payload_len = 8,
                         .priority = 2,
                         .timeout_s = 7,
                         .delay_s = 9,
                         .cluster = "mem1",
                         .label = "l\xC3\xA9"};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct jsonw w = JSONW(&b);
    task_new_encode(&t, &w, NULL);
    struct task_new got = queue(buf_str(&b));
    CHECK_STR(got.code_name, t.code_name);
    CHECK_STR(got.payload, t.payload);
    CHECK_INT(got.payload_len, t.payload_len);
    CHECK_INT(got.priority, 2);
    CHECK_INT(got.timeout_s, 7);
    CHECK_INT(got.delay_s, 9);
    CHECK_STR(got.cluster, "mem1");
    CHECK_STR(got.label, t.label);
}

TEST(what_the_caller_left_open_is_not_sent)
{
    struct task_new t = {.code_name = "w", .priority = -1, .timeout_s = -1};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct jsonw w = JSONW(&b);
    task_new_encode(&t, &w, NULL);
    CHECK_STR(buf_str(&b), "{\"code_name\":\"w\",\"payload\":\"\"}");
}

/* ---- the task object ---- */

static struct task full_task(void)
{
    return (struct task){
        .id = "5f0c7d009b2d4c0007a1c001",
        .project_id = "5f0c6a1e9b2d4c0007a1b2c0",
        .code_id = "5f0c6a1e9b2d4c0007a1b2c3",
        .code_history_id = "5f0c7b3f9b2d4c0007a1b9aa",
        .schedule_id = "5f0c7b3f9b2d4c0007a1b9ab",
        .original_task_id = "5f0c7b3f9b2d4c0007a1b9ac",
        .retry_task_id = "5f0c7b3f9b2d4c0007a1b9ad",
        .code_name = str_dup("thumb"),
        .code_rev = 4,
        .state = TASK_ERROR,
        .created_us = 1594649400000000,
        .updated_us = 1594649408000000,
        .start_us = 1594649404259000,
        .end_us = 1594649408000000,
        .timeout_s = 3600,
        .delay_s = 30,
        .priority = 1,
        .payload = str_dup("{\"n\":1}"),
        .payload_len = 7,
        .cluster = str_dup("default"),
        .label = str_dup("nightly"),
        .msg = str_dup("boom\n"),
        .error_class = str_dup("Process Exit 1"),
        .percent = 50,
        .retry = 1,
        .log_bytes = 43,
        .attempt = 2,
        .exit_code = 1,
        .stopping = true,
        .image = str_dup("wrought/sh"),
        .reason = str_dup("no runner"),
    };
}

static const char *encode(const struct task *t, struct buf *b)
{
    struct jsonw w = JSONW(b);
    task_encode(t, &w, NULL);
    struct err e = {0};
    CHECK_OK(buf_check(b, "task", &e), &e);
    return buf_str(b);
}

TEST(task_survives_the_round_trip)
{
    AUTO(buf) struct buf first = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(buf) struct buf second = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(task) struct task t = full_task();
    AUTO(task) struct task got = {0};
    struct err e = {0};
    autojson struct json *root = parse(encode(&t, &first));
    CHECK_OK(task_decode(root, &got, &e), &e);
    CHECK_STR(got.id, t.id);
    CHECK_STR(got.payload, t.payload);
    CHECK_INT(got.payload_len, 7);
    CHECK_INT(got.start_us, t.start_us);
    CHECK_INT(got.state, TASK_ERROR);
    CHECK_STR(encode(&got, &second), buf_str(&first)); /* every other member */
}

TEST(every_member_of_the_contract_is_there)
{
    static const char *const keys[] = {"id",
                                       "project_id",
                                       "code_id",
                                       "code_history_id",
                                       "code_name",
                                       "code_rev",
                                       "status",
                                       "created_at",
                                       "updated_at",
                                       "start_time",
                                       "end_time",
                                       "timeout",
                                       "priority",
                                       "delay",
                                       "payload",
                                       "cluster",
                                       "label",
                                       "msg",
                                       "percent",
                                       "duration",
                                       "run_times",
                                       "log_size",
                                       "schedule_id",
                                       "retry",
                                       "retry_task_id",
                                       "original_task_id",
                                       "error_class",
                                       "attempt",
                                       "exit_code",
                                       "phase",
                                       "stopping",
                                       "image",
                                       "reason"};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(task) struct task t = full_task();
    autojson struct json *root = parse(encode(&t, &b));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (!json_member(root, keys[i]))
            TAP_FAIL("%s is missing", keys[i]);
    CHECK_INT(json_get_int(root, "duration", -1), 3741);
    CHECK_INT(json_get_int(root, "run_times", -1), 1);
}

TEST(ids_are_24_digits)
{
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(task) struct task t = full_task();
    autojson struct json *root = parse(encode(&t, &b));
    CHECK_INT(strlen(json_get_str(root, "id", "")), 24);
    CHECK_INT(strlen(json_get_str(root, "project_id", "")), 24);
}

TEST(times_have_z_and_no_or_three_digits)
{
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(task) struct task t = full_task();
    autojson struct json *root = parse(encode(&t, &b));
    CHECK_STR(json_get_str(root, "created_at", ""), "2020-07-13T14:10:00Z");
    CHECK_STR(json_get_str(root, "start_time", ""), "2020-07-13T14:10:04.259Z");
}

/* A task just queued, as the server knows it. */
static struct task new_task(void)
{
    return (struct task){.id = "5f0c7d009b2d4c0007a1c001",
                         .project_id = "5f0c6a1e9b2d4c0007a1b2c0",
                         .code_id = "5f0c6a1e9b2d4c0007a1b2c3",
                         .code_history_id = "5f0c7b3f9b2d4c0007a1b9aa",
                         .created_us = 1594649400000000,
                         .updated_us = 1594649400000000,
                         .code_rev = 1,
                         .timeout_s = 3600,
                         .exit_code = -1};
}

TEST(unset_times_are_year_1)
{
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct task t = new_task();
    autojson struct json *root = parse(encode(&t, &b));
    CHECK_STR(json_get_str(root, "start_time", ""), "0001-01-01T00:00:00Z");
    CHECK_STR(json_get_str(root, "end_time", ""), "0001-01-01T00:00:00Z");
    CHECK_INT(json_get_int(root, "duration", -1), 0);
}

TEST(code_rev_is_a_string_and_timeout_an_integer)
{
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct task t = new_task();
    autojson struct json *root = parse(encode(&t, &b));
    CHECK_STR(json_get_str(root, "code_rev", ""), "1");
    CHECK(json_kind(json_member(root, "timeout")) == JSON_INT);
}

TEST(a_task_has_no_member_of_a_schedule)
{
    static const char *const keys[] = {"start_at",      "end_at",    "next_start",
                                       "last_run_time", "run_count", "run_every"};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(task) struct task t = full_task();
    encode(&t, &b);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        CHECK(strstr(buf_str(&b), keys[i]) == NULL);
}

TEST(what_is_not_so_is_absent)
{
    static const char *const keys[] = {
        "msg",       "error_class", "schedule_id", "retry_task_id", "original_task_id",
        "exit_code", "stopping",    "image",       "reason"};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct task t = new_task();
    t.msg = (char[]){""};
    encode(&t, &b);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        autofree char *key = str_fmt("\"%s\"", keys[i]);
        if (strstr(buf_str(&b), key))
            TAP_FAIL("%s is there", keys[i]);
    }
}

TEST(exit_code_0_is_told)
{
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct task t = new_task();
    t.exit_code = 0;
    CHECK_HAS(encode(&t, &b), "\"exit_code\":0");
}

TEST(preparing_is_told_by_phase_alone)
{
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct task t = new_task();
    t.state = TASK_PREPARING;
    autojson struct json *root = parse(encode(&t, &b));
    CHECK_STR(json_get_str(root, "status", ""), "queued");
    CHECK_STR(json_get_str(root, "phase", ""), "preparing");
    AUTO(task) struct task got = {0};
    struct err e = {0};
    CHECK_OK(task_decode(root, &got, &e), &e);
    CHECK_INT(got.state, TASK_PREPARING);
}

TEST(task_of_another_server_decodes)
{
    autojson struct json *root =
        parse("{\"id\":\"5f0c7d009b2d4c0007a1c001\",\"status\":\"complete\",\"label\":null}");
    AUTO(task) struct task got = {0};
    struct err e = {0};
    CHECK_OK(task_decode(root, &got, &e), &e);
    CHECK_INT(got.state, TASK_COMPLETE);
    CHECK_INT(got.exit_code, -1);
    CHECK(got.label == NULL);
}

TEST(broken_task_object_is_refused)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"id\":\"5f0c\",\"status\":\"complete\"}",
        "{\"id\":\"5F0C7D009B2D4C0007A1C001\",\"status\":\"complete\"}",
        "{\"id\":\"5f0c7d009b2d4c0007a1c001\"}",
        "{\"id\":\"5f0c7d009b2d4c0007a1c001\",\"status\":\"resting\"}",
        "{\"id\":\"5f0c7d009b2d4c0007a1c001\",\"status\":\"queued\",\"created_at\":\"today\"}",
        "{\"id\":\"5f0c7d009b2d4c0007a1c001\",\"status\":\"queued\",\"code_rev\":\"four\"}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        autojson struct json *root = parse(bad[i]);
        struct task got;
        struct err e = {0};
        CHECK(task_decode(root, &got, &e) < 0);
        CHECK(e.msg[0] != '\0');
    }
}

TAP_MAIN
