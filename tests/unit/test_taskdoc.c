/* The task document and the environment in it. */
#include "runner/taskdoc.h"

#include "api/frame.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static struct grant grant(void)
{
    struct grant g = {.ref = {.task = "0123456789abcdef01234567", .attempt = 1}};
    g.image = g.command = g.runtime = g.stack = g.file_name = g.config = g.env_vars = (char *)"";
    g.payload = (char *)"pay\0load";
    g.payload_len = 8;
    return g;
}

static const char *env_get(const struct words *env, const char *key)
{
    size_t len = strlen(key);
    const char *found = NULL;
    for (size_t i = 0; i < env->n; i++) {
        if (strncmp(env->v[i], key, len) == 0 && env->v[i][len] == '=') {
            CHECK(!found); /* no key twice */
            found = env->v[i] + len + 1;
        }
    }
    return found;
}

TEST(the_documented_variables_are_there)
{
    AUTO(words) struct words env = {0};
    struct err e = {0};
    struct grant g = grant();
    CHECK_OK(taskdoc_env(&g, NULL, &env, &e), &e);
    CHECK_STR(env_get(&env, "TASK_ID"), "0123456789abcdef01234567");
    CHECK_STR(env_get(&env, "TASK_DIR"), "/task/");
    CHECK_STR(env_get(&env, "PAYLOAD_FILE"), "/task/task_payload.json");
    CHECK_STR(env_get(&env, "HOME"), "/task");
    CHECK(!env_get(&env, "CONFIG_FILE"));
    CHECK_HAS(env_get(&env, "PATH"), "/usr/bin");
    g.config = (char *)"{}";
    CHECK_OK(taskdoc_env(&g, NULL, &env, &e), &e);
    CHECK_STR(env_get(&env, "CONFIG_FILE"), "/task/task_config.json");
}

TEST(the_codes_variables_beat_the_images_but_not_ours)
{
    AUTO(words) struct words env = {0};
    struct err e = {0};
    struct grant g = grant();
    char *image[] = {(char *)"PATH=/opt/bin", (char *)"A=image", (char *)"B=image", NULL};
    g.env_vars = (char *)"{\"A\":\"code=1\",\"TASK_ID\":\"forged\",\"HOME\":\"/h\"}";
    CHECK_OK(taskdoc_env(&g, image, &env, &e), &e);
    CHECK_STR(env_get(&env, "PATH"), "/opt/bin");
    CHECK_STR(env_get(&env, "A"), "code=1");
    CHECK_STR(env_get(&env, "B"), "image");
    CHECK_STR(env_get(&env, "HOME"), "/h");
    CHECK_STR(env_get(&env, "TASK_ID"), "0123456789abcdef01234567");
}

TEST(env_vars_that_are_no_texts_are_refused)
{
    AUTO(words) struct words env = {0};
    struct err e = {0};
    struct grant g = grant();
    g.env_vars = (char *)"{\"A\":1}";
    CHECK_INT(taskdoc_env(&g, NULL, &env, &e), ERR_INVALID);
    CHECK_HAS(e.msg, "A");
    g.env_vars = (char *)"[]";
    CHECK_INT(taskdoc_env(&g, NULL, &env, &e), ERR_INVALID);
    g.env_vars = (char *)"{\"A=B\":\"x\"}";
    CHECK_INT(taskdoc_env(&g, NULL, &env, &e), ERR_INVALID);
}

/* All records of a document as "tag:bytes|", with NULs as dots. */
static char *doc_text(const struct buf *doc)
{
    AUTO(buf) struct buf out = BUF_INIT(65536);
    size_t pos = 0, len;
    enum doc_tag tag;
    const uint8_t *bytes;
    struct err e = {0};
    while (doc_next((const uint8_t *)doc->data, doc->len, &pos, &tag, &bytes, &len, &e) == 1) {
        buf_addf(&out, "%c:", tag);
        for (size_t i = 0; i < len; i++)
            buf_addc(&out, bytes[i] ? (char)bytes[i] : '.');
        buf_addc(&out, '|');
    }
    return buf_take(&out);
}

static char *build(const struct grant *g)
{
    AUTO(words) struct words argv = {0}, env = {0};
    AUTO(buf) struct buf doc = BUF_INIT(TASKDOC_BYTES), seccomp = BUF_INIT(100);
    const struct task_caps caps = {.files = 100, .disk_bytes = 5000};
    struct err e = {0};
    words_add(&argv, "cmd");
    words_add(&argv, "");
    words_add(&env, "A=b");
    buf_adds(&seccomp, "BPF");
    const struct buf payload = {.data = g->payload, .len = g->payload_len};
    const struct taskdoc td = {g, &payload, &argv, &env, "/task", &caps, &seccomp};
    CHECK_OK(taskdoc_build(&td, &doc, &e), &e);
    return doc_text(&doc);
}

TEST(an_image_alone_copies_no_code)
{
    struct grant g = grant();
    autofree char *text = build(&g);
    CHECK_STR(text, "a:cmd|a:|e:A=b|d:/task|f:/task/task_payload.json.0644.pay.load|"
                    "r:nofile.100.100|r:core.0.0|q:5000|s:BPF|");
}

TEST(a_package_is_checked_and_copied)
{
    struct grant g = grant();
    memset(g.package_sha256, 'a', 64);
    g.config = (char *)"{\"k\":1}";
    autofree char *text = build(&g);
    CHECK_HAS(text, "|m:/code/complete.aaaaaaaa");
    CHECK_HAS(text, "|c:/code/files|");
    CHECK_HAS(text, "|f:/task/task_config.json.0644.{\"k\":1}|");
}

TAP_MAIN
