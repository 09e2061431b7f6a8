/* Which image a task gets: a stack under its own name, today's for one of IronWorker's, an image.
 */
#include "runner/resolve.h"

#include "lib/cleanup.h"
#include "tests/fake/bench.h"

#include "lib/banned.h"

#define V41    FAKE_VERSION("1.41", "1.12")
#define ABSENT .status = 404, .body = "{\"message\":\"no such image\"}"
#define THERE  .body = "{\"Id\":\"sha256:ab\"}"

static struct node node; /* one that is not stopping */

/* A grant with nothing set; strings are borrowed literals, so it is never released. */
static struct grant grant_of(const char *image, const char *stack)
{
    struct grant g = {.ref = {.task = "0123456789abcdef01234567", .attempt = 1}};
    g.command = g.runtime = g.file_name = g.config = (char *)"";
    g.image = (char *)image;
    g.stack = (char *)stack;
    return g;
}

static void resolves_to(struct bench *b, const char *image, const char *stack, const char *want)
{
    struct grant g = grant_of(image, stack);
    AUTO(engine_image) struct engine_image found = {0};
    autofree char *ref = NULL;
    node_init(&node);
    CHECK_OK(image_resolve(b->g, &node, &g, &found, &ref, &b->e), &b->e);
    node_release(&node);
    CHECK_STR(ref, want);
    CHECK_STR(found.id, "sha256:ab");
    bench_close(b);
}

static void refuses(struct bench *b, const char *image, const char *stack, int code,
                    const char *message)
{
    struct grant g = grant_of(image, stack);
    struct engine_image found = {0};
    char *ref = NULL;
    node_init(&node);
    CHECK_INT(image_resolve(b->g, &node, &g, &found, &ref, &b->e), code);
    node_release(&node);
    CHECK_HAS(b->e.msg, message);
    CHECK(ref == NULL);
    bench_close(b);
}

TEST(a_stack_is_the_local_image_of_its_name)
{
    OPEN(b, V41, {.expect = "GET /v1.41/images/wrought/sh/json ", THERE});
    resolves_to(&b, "", "sh", "wrought/sh");
}

TEST(an_absent_stack_is_never_pulled)
{
    OPEN(b, V41, {.expect = "GET /v1.41/images/wrought/sh/json ", ABSENT});
    refuses(&b, "", "sh", ERR_UNAVAILABLE, "no stack image wrought/sh");
}

TEST(an_old_stack_gives_way_to_the_one_of_today)
{
    OPEN(b, V41, {.expect = "GET /v1.41/images/wrought/ruby-2.1/json ", ABSENT},
         {.expect = "GET /v1.41/images/wrought/ruby-3.1/json ", THERE});
    resolves_to(&b, "", "ruby-2.1", "wrought/ruby-3.1");
}

TEST(an_old_stack_that_somebody_made_is_taken)
{
    OPEN(b, V41, {.expect = "GET /v1.41/images/wrought/ruby-2.1/json ", THERE});
    resolves_to(&b, "", "ruby-2.1", "wrought/ruby-2.1");
}

TEST(an_old_stack_without_the_one_of_today_is_for_another_node)
{
    OPEN(b, V41, {.expect = "GET /v1.41/images/wrought/ruby-2.1/json ", ABSENT},
         {.expect = "GET /v1.41/images/wrought/ruby-3.1/json ", ABSENT});
    refuses(&b, "", "ruby-2.1", ERR_UNAVAILABLE, "no stack image wrought/ruby-3.1");
}

TEST(an_image_that_is_there_is_not_pulled)
{
    OPEN(b, V41, {.expect = "GET /v1.41/images/acme/x%3A2/json ", THERE});
    resolves_to(&b, "acme/x:2", "", "acme/x:2");
}

TEST(an_absent_image_is_pulled)
{
    OPEN(b, V41, {.expect = "GET /v1.41/images/acme/x%3A2/json ", ABSENT},
         {.expect = "POST /v1.41/images/create?fromImage=acme%2Fx%3A2 "},
         {.expect = "GET /v1.41/images/acme/x%3A2/json ", THERE});
    resolves_to(&b, "acme/x:2", "", "acme/x:2");
}

TEST(a_pull_is_made_with_the_credentials_of_the_grant)
{
    OPEN(b, V41, {ABSENT}, {.expect = "POST /v1.41/images/create?"}, {THERE});
    struct grant g = grant_of("acme/x:2", "");
    g.registry_auth = (char *)"c2VjcmV0";
    AUTO(engine_image) struct engine_image found = {0};
    autofree char *ref = NULL;
    node_init(&node);
    CHECK_OK(image_resolve(b.g, &node, &g, &found, &ref, &b.e), &b.e);
    node_release(&node);
    CHECK_HAS(b.fake.requests[2], "X-Registry-Auth: c2VjcmV0\r\n");
    bench_close(&b);
}

TEST(an_image_that_does_not_exist_is_the_users_mistake)
{
    OPEN(b, V41, {ABSENT}, {.expect = "POST /v1.41/images/create?", ABSENT});
    refuses(&b, "acme/x:2", "", ERR_INVALID, "image acme/x:2 does not exist");
}

TAP_MAIN
