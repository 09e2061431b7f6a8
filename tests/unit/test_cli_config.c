/* cli/config.c: who wins, what files may hold, what is refused. */
#include "cli/config.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/str.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

/* Nothing of the developer's own settings counts; "home" is below the test's folder. */
static void fresh(void)
{
    clearenv();
    autofree char *cwd = realpath(".", NULL);
    autofree char *home = str_fmt("%s/home", cwd);
    struct err e = {0};
    CHECK_OK(fs_mkdirs(home, 0755, &e), &e);
    setenv("HOME", home, 1);
}

static void write_file(const char *path, const char *text)
{
    struct err e = {0};
    CHECK_OK(fs_write_durable(path, text, strlen(text), 0600, &e), &e);
}

static struct config load(const struct common *flags)
{
    struct config c = {0};
    struct err e = {0};
    CHECK_OK(config_load(flags, &c, &e), &e);
    return c;
}

static void refused(const struct common *flags, int code, const char *message)
{
    struct config c;
    struct err e = {0};
    CHECK_INT(config_load(flags, &c, &e), code);
    CHECK_HAS(e.msg, message);
}

TEST(without_any_source_the_server_is_here)
{
    fresh();
    AUTO(config) struct config c = load(&(struct common){0});
    AUTO(buf) struct buf base = BUF_INIT(256);
    config_base(&c, &base);
    CHECK_STR(buf_str(&base), "http://127.0.0.1:8080");
    CHECK(c.set[CONFIG_TOKEN].value == NULL);
}

TEST(precedence_from_flag_to_home)
{
    /* Each round takes the strongest source away; the next one must then be heard. */
    static const struct {
        const char *token, *source;
    } want[] = {{"flag", "--token"},      {"given", "given.json"},
                {"local", "./iron.json"}, {"worker", "IRON_WORKER_TOKEN"},
                {"iron", "IRON_TOKEN"},   {"home", "/.iron.json"}};
    fresh();
    write_file("given.json", "{\"token\":\"given\"}");
    write_file("iron.json", "{\"token\":\"local\"}");
    write_file("home/.iron.json", "{\"token\":\"home\"}");
    setenv("IRON_WORKER_TOKEN", "worker", 1);
    setenv("IRON_TOKEN", "iron", 1);
    struct common flags = {.token = "flag", .config = "given.json"};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        AUTO(config) struct config c = load(&flags);
        CHECK_STR(c.set[CONFIG_TOKEN].value, want[i].token);
        CHECK_HAS(c.set[CONFIG_TOKEN].source, want[i].source);
        switch (i) {
        case 0:
            flags.token = NULL;
            break;
        case 1:
            flags.config = NULL;
            break;
        case 2:
            CHECK(unlink("iron.json") == 0);
            break;
        case 3:
            unsetenv("IRON_WORKER_TOKEN");
            break;
        default:
            unsetenv("IRON_TOKEN");
        }
    }
}

TEST(sources_complete_each_other)
{
    fresh();
    write_file("iron.json", "{\"host\":\"h\",\"port\":9}");
    setenv("IRON_TOKEN", "t", 1);
    AUTO(config) struct config c = load(&(struct common){.project_id = "p"});
    CHECK_STR(c.set[CONFIG_HOST].value, "h");
    CHECK_STR(c.set[CONFIG_PORT].value, "9");
    CHECK_STR(c.set[CONFIG_TOKEN].value, "t");
    CHECK_STR(c.set[CONFIG_PROJECT_ID].value, "p");
}

TEST(the_servers_own_iron_json_is_understood)
{
    fresh();
    write_file("iron.json", "{\"token\":\"t\",\"project_id\":\"5f0c6a1e9b2d4c0007a1b2c0\","
                            "\"host\":\"127.0.0.1\",\"scheme\":\"http\",\"protocol\":\"http\","
                            "\"port\":8123,\"api_version\":\"2\"}");
    AUTO(config) struct config c = load(&(struct common){0});
    AUTO(buf) struct buf base = BUF_INIT(256);
    config_base(&c, &base);
    CHECK_STR(buf_str(&base), "http://127.0.0.1:8123");
    CHECK_STR(c.set[CONFIG_PROJECT_ID].value, "5f0c6a1e9b2d4c0007a1b2c0");
}

TEST(port_may_be_text_and_version_a_number)
{
    fresh();
    write_file("iron.json", "{\"port\":\"81\",\"api_version\":2}");
    AUTO(config) struct config c = load(&(struct common){0});
    CHECK_STR(c.set[CONFIG_PORT].value, "81");
}

TEST(protocol_is_another_word_for_scheme)
{
    fresh();
    write_file("iron.json", "{\"protocol\":\"https\",\"host\":\"h\"}");
    AUTO(config) struct config c = load(&(struct common){0});
    AUTO(buf) struct buf base = BUF_INIT(256);
    config_base(&c, &base);
    CHECK_STR(buf_str(&base), "https://h:443");
}

TEST(iron_worker_section_overrides_the_top)
{
    fresh();
    write_file("iron.json", "{\"token\":\"top\",\"host\":\"h\",\"iron_worker\":{\"token\":\"sub\"},"
                            "\"iron_mq\":{\"token\":\"mq\"}}");
    AUTO(config) struct config c = load(&(struct common){0});
    CHECK_STR(c.set[CONFIG_TOKEN].value, "sub");
    CHECK_STR(c.set[CONFIG_HOST].value, "h");
}

TEST(environment_section_wraps_everything)
{
    fresh();
    write_file("iron.json", "{\"token\":\"outside\",\"test\":{\"token\":\"inside\","
                            "\"iron_worker\":{\"host\":\"deep\"}}}");
    AUTO(config) struct config c = load(&(struct common){.env = "test"});
    CHECK_STR(c.set[CONFIG_TOKEN].value, "inside");
    CHECK_STR(c.set[CONFIG_HOST].value, "deep");
}

TEST(environment_section_by_variable)
{
    fresh();
    write_file("iron.json", "{\"a\":{\"token\":\"A\"},\"b\":{\"token\":\"B\"}}");
    setenv("IRON_ENV", "a", 1);
    AUTO(config) struct config first = load(&(struct common){0});
    CHECK_STR(first.set[CONFIG_TOKEN].value, "A");
    setenv("IRON_WORKER_ENV", "b", 1);
    AUTO(config) struct config second = load(&(struct common){0});
    CHECK_STR(second.set[CONFIG_TOKEN].value, "B");
    AUTO(config) struct config third = load(&(struct common){.env = "a"});
    CHECK_STR(third.set[CONFIG_TOKEN].value, "A");
}

TEST(missing_environment_section_is_named)
{
    fresh();
    write_file("iron.json", "{\"token\":\"t\"}");
    refused(&(struct common){.env = "staging"}, ERR_USAGE, "staging");
}

TEST(token_file_is_a_flag)
{
    fresh();
    write_file("t", "secret\n");
    setenv("IRON_TOKEN", "weaker", 1);
    AUTO(config) struct config c = load(&(struct common){.token_file = "t"});
    CHECK_STR(c.set[CONFIG_TOKEN].value, "secret");
}

TEST(empty_values_are_not_set)
{
    fresh();
    write_file("iron.json", "{\"token\":\"\",\"host\":null}");
    setenv("IRON_TOKEN", "t", 1);
    AUTO(config) struct config c = load(&(struct common){0});
    CHECK_STR(c.set[CONFIG_TOKEN].value, "t");
    CHECK_STR(c.set[CONFIG_HOST].value, "127.0.0.1");
}

TEST(broken_files_are_named)
{
    fresh();
    write_file("iron.json", "{\"token\":");
    refused(&(struct common){0}, ERR_USAGE, "./iron.json");
    write_file("iron.json", "[]");
    refused(&(struct common){0}, ERR_USAGE, "./iron.json");
    write_file("iron.json", "{\"token\":{}}");
    refused(&(struct common){0}, ERR_USAGE, "token");
}

TEST(given_file_must_exist)
{
    fresh();
    refused(&(struct common){.config = "nowhere.json"}, ERR_NOT_FOUND, "nowhere.json");
}

TEST(bad_values_say_where_they_come_from)
{
    fresh();
    setenv("IRON_PORT", "http", 1);
    refused(&(struct common){0}, ERR_USAGE, "IRON_PORT");
    setenv("IRON_PORT", "0", 1);
    refused(&(struct common){0}, ERR_USAGE, "port");
    unsetenv("IRON_PORT");
    refused(&(struct common){.scheme = "ftp"}, ERR_USAGE, "--scheme");
    write_file("iron.json", "{\"api_version\":1}");
    refused(&(struct common){0}, ERR_USAGE, "api_version");
}

TEST(missing_token_and_project_say_where_to_put_them)
{
    fresh();
    AUTO(config) struct config c = load(&(struct common){0});
    const char *value = NULL;
    struct err e = {0};
    CHECK_INT(config_need(&c, CONFIG_TOKEN, &value, &e), ERR_UNAUTHORIZED);
    CHECK_HAS(e.msg, "IRON_TOKEN");
    CHECK_INT(config_need(&c, CONFIG_PROJECT_ID, &value, &e), ERR_USAGE);
    CHECK_HAS(e.msg, "--project-id");
}

TEST(ipv6_host_is_bracketed)
{
    fresh();
    AUTO(config) struct config c = load(&(struct common){.host = "::1", .port = 9});
    AUTO(buf) struct buf base = BUF_INIT(256);
    config_base(&c, &base);
    CHECK_STR(buf_str(&base), "http://[::1]:9");
}

TAP_MAIN
