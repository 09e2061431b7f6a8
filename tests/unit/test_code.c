/* api/code.c: the upload request in all the forms clients send, the code and revision objects. */
#include "api/code.h"

#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static struct json *parse(const char *text)
{
    struct json *root = NULL;
    struct err e = {0};
    CHECK_OK(json_parse(text, strlen(text), BOUND_JSON_DEPTH, &root, &e), &e);
    return root;
}

/* upload: decodes a request that must be good; what it borrows lives until the next call. */
static struct code_upload upload(const char *text)
{
    static struct json *root;
    json_free(root);
    root = parse(text);
    struct code_upload u;
    struct err e = {0};
    CHECK_OK(code_upload_decode(root, &u, &e), &e);
    return u;
}

static void upload_refused(const char *text, int code, const char *message)
{
    autojson struct json *root = parse(text);
    struct code_upload u;
    struct err e = {0};
    CHECK_INT(code_upload_decode(root, &u, &e), code);
    CHECK_HAS(e.msg, message);
}

/* ---- the upload request ---- */

TEST(name_alone_leaves_everything_unset)
{
    struct code_upload u = upload("{\"name\":\"w\"}");
    CHECK_STR(u.name, "w");
    CHECK_STR(u.image, "");
    CHECK_STR(u.command, "");
    CHECK_STR(u.runtime, "");
    CHECK_STR(u.file_name, "");
    CHECK_STR(u.stack, "");
    CHECK_STR(u.config, "");
    CHECK(u.env_vars == NULL);
    CHECK(u.max_concurrency == CODE_UNSET && u.retries == CODE_UNSET);
    CHECK(u.retries_delay_s == CODE_UNSET && u.default_priority == CODE_UNSET);
    CHECK(u.timeout_s == CODE_UNSET);
}

TEST(go_cli_register_is_taken_as_it_is)
{
    struct code_upload u =
        upload("{\"name\":\"acme/x\",\"runtime\":\"\",\"file_name\":\"\",\"stack\":\"\","
               "\"image\":\"acme/x:2\",\"command\":\"run me\",\"env_vars\":null,"
               "\"default_priority\":-1000}");
    CHECK_STR(u.image, "acme/x:2");
    CHECK_STR(u.command, "run me");
    CHECK(u.env_vars == NULL);
    CHECK(u.default_priority == CODE_UNSET);
}

TEST(go_library_sends_zeros_and_a_float)
{
    struct code_upload u = upload("{\"name\":\"w\",\"runtime\":\"sh\",\"file_name\":\"w.sh\","
                                  "\"config\":\"\",\"max_concurrency\":0,\"retries\":0,"
                                  "\"retries_delay\":0.0}");
    CHECK_INT(u.max_concurrency, 0);
    CHECK_INT(u.retries, 0);
    CHECK_INT(u.retries_delay_s, 0);
}

TEST(php_extras_are_ignored)
{
    struct code_upload u =
        upload("{\"code_name\":\"w\",\"name\":\"w\",\"standalone\":true,\"runtime\":\"php\","
               "\"file_name\":\"runner.php\",\"version\":null,\"timestamp\":1,\"oauth\":\"secret\","
               "\"class_name\":\"w\",\"options\":[],\"access_key\":\"w\",\"max_concurrency\":3}");
    CHECK_STR(u.runtime, "php");
    CHECK_INT(u.max_concurrency, 3);
}

TEST(priorities_out_of_range_are_unset)
{
    CHECK_INT(upload("{\"name\":\"w\",\"default_priority\":2}").default_priority, 2);
    CHECK(upload("{\"name\":\"w\",\"default_priority\":3}").default_priority == CODE_UNSET);
    CHECK(upload("{\"name\":\"w\",\"default_priority\":-1}").default_priority == CODE_UNSET);
}

TEST(config_may_be_text_or_an_object)
{
    CHECK_STR(upload("{\"name\":\"w\",\"config\":\"a: 1\"}").config, "a: 1");
    CHECK_STR(upload("{\"name\":\"w\",\"config\":null}").config, "");
    AUTO(code_upload) struct code_upload u = upload("{\"name\":\"w\",\"config\":{\"a\":[1, 2]}}");
    CHECK_STR(u.config, "{\"a\":[1,2]}");
    upload_refused("{\"name\":\"w\",\"config\":7}", ERR_INVALID, "config");
}

TEST(config_has_a_limit)
{
    autofree char *longer = malloc(BOUND_CONFIG_BYTES + 2);
    memset(longer, 'c', BOUND_CONFIG_BYTES + 1);
    longer[BOUND_CONFIG_BYTES + 1] = '\0';
    autofree char *text = str_fmt("{\"name\":\"w\",\"config\":\"%s\"}", longer);
    upload_refused(text, ERR_TOO_BIG, "config");
    autofree char *object = str_fmt("{\"name\":\"w\",\"config\":{\"k\":\"%s\"}}", longer);
    upload_refused(object, ERR_TOO_BIG, "65536");
}

TEST(env_vars_are_strings)
{
    struct code_upload u = upload("{\"name\":\"w\",\"env_vars\":{\"A\":\"1\",\"B\":\"\"}}");
    CHECK_STR(json_get_str(u.env_vars, "A", "?"), "1");
    upload_refused("{\"name\":\"w\",\"env_vars\":{\"A\":1}}", ERR_INVALID, "env_vars.A");
    upload_refused("{\"name\":\"w\",\"env_vars\":{\"A=B\":\"1\"}}", ERR_INVALID, "A=B");
    upload_refused("{\"name\":\"w\",\"env_vars\":{\"\":\"1\"}}", ERR_INVALID, "env_vars");
    upload_refused("{\"name\":\"w\",\"env_vars\":[\"A=1\"]}", ERR_INVALID, "env_vars");
}

TEST(env_vars_have_a_limit)
{
    autofree char *longer = malloc(BOUND_ENV_BYTES + 1);
    memset(longer, 'v', BOUND_ENV_BYTES);
    longer[BOUND_ENV_BYTES] = '\0';
    autofree char *text = str_fmt("{\"name\":\"w\",\"env_vars\":{\"A\":\"%s\"}}", longer);
    upload_refused(text, ERR_TOO_BIG, "env_vars");
}

TEST(bad_values_name_the_field_and_the_limit)
{
    upload_refused("{\"name\":\"w\",\"retries\":11}", ERR_INVALID, "retries");
    upload_refused("{\"name\":\"w\",\"retries\":11}", ERR_INVALID, "10");
    upload_refused("{\"name\":\"w\",\"retries\":-1}", ERR_INVALID, "retries");
    upload_refused("{\"name\":\"w\",\"max_concurrency\":-2}", ERR_INVALID, "max_concurrency");
    upload_refused("{\"name\":\"w\",\"timeout\":86401}", ERR_INVALID, "86400");
    upload_refused("{\"name\":\"w\",\"image\":5}", ERR_INVALID, "image");
}

TEST(name_is_required_and_clean)
{
    upload_refused("{}", ERR_MISSING, "name");
    upload_refused("{\"name\":\"\"}", ERR_MISSING, "name");
    upload_refused("{\"name\":\"a\\u0007b\"}", ERR_INVALID, "control");
    CHECK_STR(upload("{\"name\":\"hello::builder\"}").name, "hello::builder");
}

TEST(upload_survives_the_round_trip)
{
    autojson struct json *env = parse("{\"A\":\"1\"}");
    struct code_upload u = {.name = "w",
                            .image = "i",
                            .command = "c d",
                            .runtime = "python",
                            .file_name = "main.py",
                            .stack = "python-3.11",
                            .config = "{\"x\":1}",
                            .env_vars = env,
                            .max_concurrency = 3,
                            .retries = 0,
                            .retries_delay_s = 5,
                            .default_priority = 1,
                            .timeout_s = CODE_UNSET};
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct jsonw w = JSONW(&b);
    code_upload_encode(&u, &w);
    struct code_upload got = upload(buf_str(&b));
    CHECK_STR(got.name, "w");
    CHECK_STR(got.image, "i");
    CHECK_STR(got.command, "c d");
    CHECK_STR(got.runtime, "python");
    CHECK_STR(got.file_name, "main.py");
    CHECK_STR(got.stack, "python-3.11");
    CHECK_STR(got.config, "{\"x\":1}");
    CHECK_STR(json_get_str(got.env_vars, "A", "?"), "1");
    CHECK_INT(got.max_concurrency, 3);
    CHECK_INT(got.retries, 0);
    CHECK_INT(got.retries_delay_s, 5);
    CHECK_INT(got.default_priority, 1);
    CHECK(got.timeout_s == CODE_UNSET);
}

TEST(unset_options_are_not_sent)
{
    struct code_upload u = upload("{\"name\":\"w\"}");
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct jsonw w = JSONW(&b);
    code_upload_encode(&u, &w);
    CHECK_STR(buf_str(&b), "{\"name\":\"w\"}");
}

/* ---- the objects ---- */

static struct code full_code(void)
{
    return (struct code){.id = "5f0c6a1e9b2d4c0007a1b2c3",
                         .project_id = "5f0c6a1e9b2d4c0007a1b2c0",
                         .latest_history_id = "5f0c7b3f9b2d4c0007a1b9aa",
                         .name = str_dup("thumb"),
                         .rev = 4,
                         .created_us = 1593590400000000,
                         .updated_us = 1594649342120000,
                         .latest_change_us = 1594649342120000,
                         .image = str_dup("acme/thumb:2"),
                         .command = str_dup("go"),
                         .runtime = str_dup("sh"),
                         .stack = str_dup("sh"),
                         .file_name = str_dup("x.sh"),
                         .config = str_dup("{}"),
                         .checksum = str_dup("d41d8cd98f00b204e9800998ecf8427e"),
                         .env_vars = str_dup("{\"A\":\"1\"}"),
                         .max_concurrency = 5,
                         .retries = 2,
                         .retries_delay_s = 30,
                         .default_priority = 1,
                         .package_bytes = 77};
}

static const char *encode(const struct code *c, struct buf *b)
{
    struct jsonw w = JSONW(b);
    code_encode(c, &w, NULL);
    return buf_str(b);
}

TEST(code_survives_the_round_trip)
{
    AUTO(buf) struct buf first = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(buf) struct buf second = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(code) struct code c = full_code();
    AUTO(code) struct code got = {0};
    struct err e = {0};
    autojson struct json *root = parse(encode(&c, &first));
    CHECK_OK(code_decode(root, &got, &e), &e);
    CHECK_STR(got.name, "thumb");
    CHECK_STR(got.env_vars, "{\"A\":\"1\"}");
    CHECK_INT(got.max_concurrency, 5);
    CHECK_INT(got.package_bytes, 77);
    CHECK(!got.paused);
    CHECK_STR(encode(&got, &second), buf_str(&first)); /* every other member */
}

TEST(rev_is_an_integer_and_ids_have_24_digits)
{
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(code) struct code c = full_code();
    autojson struct json *root = parse(encode(&c, &b));
    CHECK(json_kind(json_member(root, "rev")) == JSON_INT);
    CHECK_INT(strlen(json_get_str(root, "id", "")), 24);
    CHECK_INT(strlen(json_get_str(root, "latest_history_id", "")), 24);
    CHECK_STR(json_get_str(root, "latest_change", ""), "2020-07-13T14:09:02.120Z");
    CHECK_INT(json_get_int(root, "priority", -1), 1);
}

TEST(paused_code_shows_concurrency_minus_1)
{
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(code) struct code c = full_code();
    c.paused = true;
    autojson struct json *root = parse(encode(&c, &b));
    CHECK_INT(json_get_int(root, "max_concurrency", 0), -1);
    AUTO(code) struct code got = {0};
    struct err e = {0};
    CHECK_OK(code_decode(root, &got, &e), &e);
    CHECK(got.paused);
    CHECK(got.max_concurrency == CODE_UNSET);
}

TEST(code_without_package_says_little)
{
    AUTO(buf) struct buf b = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct code c = {.id = "5f0c6a1e9b2d4c0007a1b2c3", .name = (char[]){"x"}};
    encode(&c, &b);
    static const char *const keys[] = {"image",    "command",         "runtime",
                                       "stack",    "file_name",       "config",
                                       "env_vars", "latest_checksum", "code_size"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        CHECK(strstr(buf_str(&b), keys[i]) == NULL);
}

TEST(broken_code_is_refused)
{
    static const char *const bad[] = {
        "[]", "{\"id\":\"5f0c6a1e9b2d4c0007a1b2c3\"}", "{\"id\":\"5f\",\"name\":\"x\"}",
        "{\"id\":\"5f0c6a1e9b2d4c0007a1b2c3\",\"name\":\"x\",\"rev\":\"1\"}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        autojson struct json *root = parse(bad[i]);
        struct code got;
        struct err e = {0};
        CHECK(code_decode(root, &got, &e) < 0);
        CHECK(e.msg[0] != '\0');
    }
}

TEST(revision_survives_the_round_trip)
{
    AUTO(revision)
    struct revision r = {.id = "5f0c7b3f9b2d4c0007a1b9aa",
                         .code_id = "5f0c6a1e9b2d4c0007a1b2c3",
                         .project_id = "5f0c6a1e9b2d4c0007a1b2c0",
                         .name = str_dup("thumb"),
                         .rev = 3,
                         .created_us = 1593590400000000,
                         .image = str_dup("i"),
                         .command = str_dup("c"),
                         .runtime = str_dup("r"),
                         .stack = str_dup("s"),
                         .file_name = str_dup("f"),
                         .checksum = str_dup("sum"),
                         .package_bytes = 9};
    AUTO(buf) struct buf first = BUF_INIT(BOUND_JSON_BODY_BYTES);
    AUTO(buf) struct buf second = BUF_INIT(BOUND_JSON_BODY_BYTES);
    struct jsonw w = JSONW(&first);
    revision_encode(&r, &w, NULL);
    autojson struct json *root = parse(buf_str(&first));
    CHECK_STR(json_get_str(root, "updated_at", ""), "2020-07-01T08:00:00Z");
    AUTO(revision) struct revision got = {0};
    struct err e = {0};
    CHECK_OK(revision_decode(root, &got, &e), &e);
    CHECK_INT(got.rev, 3);
    w = JSONW(&second);
    revision_encode(&got, &w, NULL);
    CHECK_STR(buf_str(&second), buf_str(&first));
}

TAP_MAIN
