/* Request targets and form bodies. */
#include "server/target.h"

#include "lib/str.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static struct target got;
static struct err e;
static char text[4096];

static int parse(const char *target)
{
    str_copy(text, sizeof(text), target);
    return target_parse(text, &got, &e);
}

/* joined: the segments with "/" before each. */
static const char *joined(void)
{
    static char out[4096];
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < got.n; i++)
        at += (size_t)snprintf(out + at, sizeof(out) - at, "/%s", got.segment[i]);
    return out;
}

TEST(splits_a_path)
{
    CHECK_OK(parse("/2/projects/x/tasks"), &e);
    CHECK_INT(got.n, 4);
    CHECK_STR(joined(), "/2/projects/x/tasks");
    CHECK_INT(got.args.n, 0);
}

TEST(takes_a_bare_question_mark)
{
    CHECK_OK(parse("/2/projects?"), &e);
    CHECK_STR(joined(), "/2/projects");
    CHECK_INT(got.args.n, 0);
}

TEST(takes_the_absolute_form)
{
    CHECK_OK(parse("http://host:8080/2/x/log?a=1"), &e);
    CHECK_STR(joined(), "/2/x/log");
    CHECK_STR(args_get(&got.args, "a"), "1");
    CHECK_OK(parse("HTTPS://host/2"), &e);
    CHECK_STR(joined(), "/2");
    CHECK_OK(parse("http://host?x=1"), &e);
    CHECK_INT(got.n, 0);
    CHECK_STR(args_get(&got.args, "x"), "1");
}

TEST(skips_empty_segments)
{
    CHECK_OK(parse("//2//projects/"), &e);
    CHECK_STR(joined(), "/2/projects");
}

TEST(decodes_segments_after_splitting)
{
    CHECK_OK(parse("/a%2Fb/c+d%20e"), &e);
    CHECK_INT(got.n, 2);
    CHECK_STR(got.segment[0], "a/b");
    CHECK_STR(got.segment[1], "c+d e");
}

TEST(refuses_an_encoded_nul_anywhere)
{
    CHECK_INT(parse("/a%00b"), ERR_INVALID);
    CHECK_INT(parse("/a?x%00=1"), ERR_INVALID);
    CHECK_INT(parse("/a?x=1%00"), ERR_INVALID);
}

TEST(refuses_what_is_no_path)
{
    CHECK_INT(parse("*"), ERR_INVALID);
    CHECK_INT(parse("2/projects"), ERR_INVALID);
    CHECK_INT(parse(""), ERR_INVALID);
}

TEST(refuses_too_many_segments)
{
    CHECK_OK(parse("/1/2/3/4/5/6/7/8/9/10/11/12"), &e);
    CHECK_INT(parse("/1/2/3/4/5/6/7/8/9/10/11/12/13"), ERR_INVALID);
}

TEST(reads_arguments_as_forms_encode_them)
{
    CHECK_OK(parse("/x?a=1+2&b=%41%2b&c&d=&=e&&f=g=h"), &e);
    CHECK_STR(args_get(&got.args, "a"), "1 2");
    CHECK_STR(args_get(&got.args, "b"), "A+");
    CHECK_STR(args_get(&got.args, "c"), "");
    CHECK_STR(args_get(&got.args, "d"), "");
    CHECK_STR(args_get(&got.args, ""), "e");
    CHECK_STR(args_get(&got.args, "f"), "g=h");
    CHECK(args_get(&got.args, "g") == NULL);
}

TEST(takes_the_broken_flags_of_old_go_clients)
{
    CHECK_OK(parse("/x?complete=%21d%28bool%3Dtrue%29"), &e);
    CHECK_STR(args_get(&got.args, "complete"), "!d(bool=true)");
}

TEST(leaves_a_lone_percent_sign_alone)
{
    CHECK_OK(parse("/x?a=100%&b=%zz&c=%4"), &e);
    CHECK_STR(args_get(&got.args, "a"), "100%");
    CHECK_STR(args_get(&got.args, "b"), "%zz");
    CHECK_STR(args_get(&got.args, "c"), "%4");
}

TEST(gives_the_first_of_equal_names)
{
    CHECK_OK(parse("/x?a=1&a=2"), &e);
    CHECK_STR(args_get(&got.args, "a"), "1");
}

TEST(refuses_too_many_arguments)
{
    size_t at = (size_t)snprintf(text, sizeof(text), "/x?");
    for (int i = 0; i <= ARGS_MAX; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "a%d=1&", i);
    CHECK_INT(target_parse(text, &got, &e), ERR_INVALID);
    CHECK_HAS(e.msg, "arguments");
}

TAP_MAIN
