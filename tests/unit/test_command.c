/* What a task executes: splitting, images, argv of the four package kinds. */
#include "runner/command.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static char *argv_text(const struct words *w)
{
    AUTO(buf) struct buf out = BUF_INIT(65536);
    for (size_t i = 0; i < w->n; i++)
        buf_addf(&out, "%s[%s]", i ? " " : "", w->v[i]);
    return buf_take(&out);
}

static void check_split(const char *text, const char *want)
{
    AUTO(words) struct words w = {0};
    struct err e = {0};
    CHECK_OK(words_split(text, &w, &e), &e);
    autofree char *got = argv_text(&w);
    CHECK_STR(got, want);
}

/* A grant with nothing set; strings are borrowed literals, so it is never released. */
static struct grant grant(void)
{
    struct grant g = {.ref = {.task = "0123456789abcdef01234567", .attempt = 1}};
    g.image = g.command = g.runtime = g.stack = g.file_name = g.config = (char *)"";
    return g;
}

static struct grant package(void)
{
    struct grant g = grant();
    memset(g.package_sha256, 'a', 64);
    return g;
}

#define ARGS                                                                                       \
    "[-d] [/task/] [-e] [production] [-id] [0123456789abcdef01234567] [-payload] "                 \
    "[/task/task_payload.json]"

static void check_argv(const struct grant *g, const struct engine_image *image, const char *want)
{
    AUTO(words) struct words w = {0};
    struct err e = {0};
    CHECK_OK(command_argv(g, image, &w, &e), &e);
    autofree char *got = argv_text(&w);
    CHECK_STR(got, want);
}

static void check_image(const struct grant *g, const char *want, bool want_stack)
{
    AUTO(buf) struct buf ref = BUF_INIT(1000);
    bool is_stack = !want_stack;
    struct err e = {0};
    CHECK_OK(command_image(g, &ref, &is_stack, &e), &e);
    CHECK_STR(buf_str(&ref), want);
    CHECK_INT(is_stack, want_stack);
}

TEST(splits_at_blanks)
{
    check_split("  ruby \t hello.rb\n-v ", "[ruby] [hello.rb] [-v]");
    check_split("", "");
}

TEST(quotes_hold_words_together)
{
    check_split("sh -c 'echo \"a b\"; exit 3'", "[sh] [-c] [echo \"a b\"; exit 3]");
    check_split("a\"b c\"'d e'f", "[ab cd ef]");
    check_split("'' \"\"", "[] []");
}

TEST(backslashes_as_in_a_shell)
{
    check_split("a\\ b \"c\\\"d\\n\" 'e\\f' \\\\", "[a b] [c\"d\\n] [e\\f] [\\]");
    check_split("end\\", "[end\\]");
}

TEST(nothing_is_expanded)
{
    check_split("echo $HOME *.c `id` && x | y", "[echo] [$HOME] [*.c] [`id`] [&&] [x] [|] [y]");
}

TEST(an_open_quote_is_an_error)
{
    AUTO(words) struct words w = {0};
    struct err e = {0};
    CHECK_INT(words_split("sh -c 'oops", &w, &e), ERR_INVALID);
    CHECK_HAS(e.msg, "open quote");
    CHECK_INT(words_split("say \"hi", &w, &e), ERR_INVALID);
    CHECK_INT(w.n, 0);
}

TEST(kind_a_runs_the_runtime_on_the_file)
{
    struct grant g = package();
    g.runtime = (char *)"ruby";
    g.file_name = (char *)"runner.rb";
    check_argv(&g, &(struct engine_image){0}, "[ruby] [runner.rb] " ARGS);
    check_image(&g, "wrought/classic", true);
    g.runtime = (char *)"sh"; /* whose script calls any other */
    check_image(&g, "wrought/classic", true);
    g.stack = (char *)"python-3.12";
    check_image(&g, "wrought/python-3.12", true);
}

TEST(the_suffix_says_the_runtime_that_is_not_given)
{
    struct grant g = package();
    g.stack = (char *)"any";
    g.file_name = (char *)"job.py";
    check_argv(&g, &(struct engine_image){0}, "[python3] [-u] [job.py] " ARGS);
    g.file_name = (char *)"sub/prog";
    check_argv(&g, &(struct engine_image){0},
               "[sh] [-c] [chmod +x \"./$0\" && exec \"./$0\" \"$@\"] [sub/prog] " ARGS);
}

TEST(unknown_types_of_php_run_in_sh)
{
    struct grant g = package();
    g.runtime = (char *)"no_type_found";
    g.file_name = (char *)"__runner__.sh";
    check_argv(&g, &(struct engine_image){0}, "[sh] [__runner__.sh] " ARGS);
    check_image(&g, "wrought/classic", true);
}

TEST(config_and_schedule_are_named_when_there_are_any)
{
    struct grant g = package();
    g.runtime = (char *)"sh";
    g.file_name = (char *)"x";
    g.config = (char *)"{}";
    memcpy(g.schedule_id, "aaaaaaaaaaaaaaaaaaaaaaaa", ID_TEXT);
    check_argv(&g, &(struct engine_image){0},
               "[sh] [x] " ARGS " [-config] [/task/task_config.json] [-schedule_id] "
               "[aaaaaaaaaaaaaaaaaaaaaaaa]");
}

TEST(kind_b_runs_the_command_with_args)
{
    struct grant g = package();
    g.stack = (char *)"sh";
    g.command = (char *)"./run 'a b'";
    check_argv(&g, &(struct engine_image){0}, "[./run] [a b] " ARGS);
}

static char *image_entrypoint[] = {(char *)"/entry", NULL};
static char *image_cmd[] = {(char *)"serve", (char *)"-v", NULL};
static const struct engine_image acme = {
    .entrypoint = image_entrypoint, .cmd = image_cmd, .working_dir = (char *)"/app"};

TEST(kind_c_runs_in_the_image_with_args)
{
    struct grant g = package();
    g.image = (char *)"acme/thumb:2";
    check_argv(&g, &acme, "[/entry] [serve] [-v] " ARGS);
    g.command = (char *)"node x.js";
    check_argv(&g, &acme, "[/entry] [node] [x.js] " ARGS);
    CHECK_STR(command_dir(&g, &acme), "/task");
    check_image(&g, "acme/thumb:2", false);
}

TEST(kind_d_runs_the_image_without_args)
{
    struct grant g = grant();
    g.image = (char *)"acme/thumb:2";
    check_argv(&g, &acme, "[/entry] [serve] [-v]");
    g.command = (char *)"resize 10";
    check_argv(&g, &acme, "[/entry] [resize] [10]");
    CHECK_STR(command_dir(&g, &acme), "/app");
    CHECK_STR(command_dir(&g, &(struct engine_image){0}), "/task");
}

static void check_bad(const struct grant *g, const char *want)
{
    AUTO(words) struct words w = {0};
    AUTO(buf) struct buf ref = BUF_INIT(1000);
    struct err e = {0};
    bool is_stack;
    int rc = command_image(g, &ref, &is_stack, &e);
    if (rc == 0)
        rc = command_argv(g, &(struct engine_image){0}, &w, &e);
    CHECK_INT(rc, ERR_INVALID);
    CHECK_HAS(e.msg, want);
}

TEST(what_cannot_run_is_said)
{
    struct grant g = grant();
    check_bad(&g, "names no image, stack or runtime");
    g.runtime = (char *)"cobol";
    check_bad(&g, "there is no cobol; there are sh, bash");
    g.runtime = (char *)"java";
    check_bad(&g, "no stack has java");
    g = package();
    g.stack = (char *)"sh";
    check_bad(&g, "neither a command");
    g.command = (char *)"   ";
    check_bad(&g, "the command is empty");
    g = grant();
    g.image = (char *)"empty";
    check_bad(&g, "has no command of its own");
}

TAP_MAIN
