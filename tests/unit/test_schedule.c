/* api/schedule.c: what clients may say, laid over defaults or over what is stored, and the object.
 */
#include "api/schedule.h"

#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static const struct schedule_limits limits = {.task = {.max_payload_bytes = 100,
                                                       .max_timeout_s = 86400,
                                                       .max_delay_s = 604800,
                                                       .default_timeout_s = 3600},
                                              .min_interval_s = 60};
static struct err e;

static struct json *parse(const char *text)
{
    struct json *root = NULL;
    CHECK_OK(json_parse(text, strlen(text), BOUND_JSON_DEPTH, &root, &e), &e);
    return root;
}

/* say: lays `text` over `s`. */
static int say(struct schedule_spec *s, const char *text, bool *ret_timed)
{
    autojson struct json *root = parse(text);
    return schedule_spec_decode(root, &limits, s, ret_timed, &e);
}

static struct schedule_spec spec(const char *text)
{
    struct schedule_spec s;
    bool timed;
    schedule_spec_init(&s, &limits);
    CHECK_OK(say(&s, text, &timed), &e);
    return s;
}

static void refused(const char *text, int code, const char *message)
{
    AUTO(schedule_spec) struct schedule_spec s;
    bool timed;
    err_clear(&e);
    schedule_spec_init(&s, &limits);
    CHECK_INT(say(&s, text, &timed), code);
    CHECK_HAS(e.msg, message);
}

TEST(the_least_request)
{
    AUTO(schedule_spec) struct schedule_spec s = spec("{\"code_name\":\"c\"}");
    CHECK_STR(s.code_name, "c");
    CHECK_STR(s.payload, "");
    CHECK_STR(s.zone, "UTC");
    CHECK_STR(s.cron, "");
    CHECK_INT(s.priority, -1);
    CHECK_INT(s.timeout_s, 3600);
    CHECK_INT(s.every_s, 0);
    CHECK_INT(s.overlap, OVERLAP_ALLOW);
    CHECK_INT(s.catch_up, CATCH_UP_LATEST);
    CHECK_INT(s.catch_up_max, 100);
}

TEST(what_old_clients_send)
{
    AUTO(schedule_spec)
    struct schedule_spec s = spec(
        "{\"code_name\":\"c\",\"name\":\"c\",\"payload\":\"{}\",\"label\":null,\"cluster\":null,"
        "\"priority\":-3,\"timeout\":0,\"delay\":0.0,\"run_every\":60.5,\"run_times\":0,"
        "\"max_concurrency\":1,\"sync\":false,\"start_at\":\"2030-01-01T00:00:00+02:00\","
        "\"end_at\":\"\"}");
    CHECK_INT(s.priority, -1);
    CHECK_INT(s.timeout_s, 86400);
    CHECK_INT(s.every_s, 60);
    CHECK_INT(s.start_us, 1893448800000000);
    CHECK_INT(s.end_us, 0);
    CHECK_STR(s.payload, "{}");
    CHECK_INT(s.payload_len, 2);
}

TEST(a_change_keeps_what_it_does_not_name)
{
    AUTO(schedule_spec)
    struct schedule_spec s =
        spec("{\"code_name\":\"c\",\"payload\":\"p\",\"run_every\":60,\"overlap\":\"skip\","
             "\"start_at\":\"2030-01-01T00:00:00Z\"}");
    bool timed;
    CHECK_OK(say(&s, "{\"label\":\"l\",\"payload\":null}", &timed), &e);
    CHECK(!timed);
    CHECK_STR(s.label, "l");
    CHECK_STR(s.payload, "p");
    CHECK_INT(s.every_s, 60);
    CHECK_INT(s.overlap, OVERLAP_SKIP);
    CHECK_OK(say(&s, "{\"cron\":\"@daily\"}", &timed), &e);
    CHECK(timed);
    CHECK_INT(s.every_s, 0);
    CHECK_OK(say(&s, "{\"run_every\":90}", &timed), &e);
    CHECK_STR(s.cron, "");
    CHECK_OK(say(&s, "{\"delay\":5}", &timed), &e);
    CHECK_INT(s.start_us, 0); /* it counts from now */
}

TEST(bad_values_are_named)
{
    refused("{}", ERR_MISSING, "code_name");
    refused("{\"code_name\":\"c\",\"run_every\":59}", ERR_INVALID, "run_every is 59; it may be 60");
    refused("{\"code_name\":\"c\",\"run_every\":0}", ERR_INVALID, "run_every");
    refused("{\"code_name\":\"c\",\"run_every\":\"60\"}", ERR_INVALID, "run_every");
    refused("{\"code_name\":\"c\",\"start_at\":\"x\"}", ERR_INVALID, "start_at");
    refused("{\"code_name\":\"c\",\"start_at\":\"2030-01-02T00:00:00Z\","
            "\"end_at\":\"2030-01-01T00:00:00Z\"}",
            ERR_INVALID, "end_at is before start_at");
    refused("{\"code_name\":\"c\",\"cron\":\"61 * * * *\"}", ERR_INVALID, "cron: ");
    refused("{\"code_name\":\"c\",\"zone\":\"Nowhere\"}", ERR_INVALID, "zone: ");
    refused("{\"code_name\":\"c\",\"cron\":\"@daily\",\"run_every\":60}", ERR_INVALID,
            "give one of them");
    refused("{\"code_name\":\"c\",\"overlap\":\"x\"}", ERR_INVALID,
            "allow, skip, queue-one, replace");
    refused("{\"code_name\":\"c\",\"catch_up\":\"x\"}", ERR_INVALID, "none, latest, all");
    refused("{\"code_name\":\"c\",\"catch_up_max\":0}", ERR_INVALID, "catch_up_max");
    refused("{\"code_name\":\"c\",\"jitter\":86401}", ERR_INVALID, "jitter");
    refused("{\"code_name\":\"c\",\"paused\":1}", ERR_INVALID, "paused");
    refused("{\"code_name\":\"c\",\"label\":\"a\\nb\"}", ERR_INVALID, "label");
}

TEST(the_object_comes_back)
{
    AUTO(schedule)
    struct schedule s = {
        .spec = spec("{\"code_name\":\"c\",\"payload\":\"p\",\"cron\":\"@daily\",\"zone\":"
                     "\"Europe/Berlin\",\"overlap\":\"queue-one\",\"catch_up\":\"all\"}"),
        .status = SCHEDULE_COMPLETE,
        .created_us = 1700000000000000,
        .run_count = 3};
    memcpy(s.id, "0123456789abcdef01234567", ID_TEXT);
    AUTO(buf) struct buf text = BUF_INIT(10000);
    struct jsonw w = JSONW(&text);
    schedule_encode(&s, &w, NULL);
    CHECK_HAS(buf_str(&text), "\"status\":\"complete\"");
    CHECK_HAS(buf_str(&text), "\"next_start\":\"0001-01-01T00:00:00Z\"");
    CHECK_HAS(buf_str(&text), "\"priority\":0,");
    CHECK_HAS(buf_str(&text), "\"cluster\":\"default\"");
    autojson struct json *root = parse(buf_str(&text));
    AUTO(schedule) struct schedule back = {0};
    CHECK_OK(schedule_decode(root, &back, &e), &e);
    CHECK_STR(back.id, s.id);
    CHECK_STR(back.spec.payload, "p");
    CHECK_STR(back.spec.cron, "@daily");
    CHECK_INT(back.status, SCHEDULE_COMPLETE);
    CHECK_INT(back.spec.overlap, OVERLAP_QUEUE_ONE);
    CHECK_INT(back.spec.catch_up, CATCH_UP_ALL);
    CHECK_INT(back.run_count, 3);
}

TAP_MAIN
