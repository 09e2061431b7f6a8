/* Runtimes and stacks: what old clients say, and that stacks/ has what the tables promise. */
#include "api/stack.h"

#include "lib/bounds.h"
#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/json.h"
#include "lib/str.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

/* Tests have working directories of their own; stacks/ is where the program was started. */
static char root[4096];
__attribute__((constructor)) static void remember_root(void)
{
    if (!getcwd(root, sizeof(root)))
        abort();
}

static const struct runtime *choose(const char *runtime, const char *file_name)
{
    const struct runtime *rt = NULL;
    struct err e = {0};
    CHECK_OK(runtime_choose(runtime, file_name, false, &rt, &e), &e);
    return rt;
}

static char *argv_text(const struct runtime *rt)
{
    AUTO(buf) struct buf out = BUF_INIT(1000);
    for (size_t i = 0; rt->argv[i]; i++)
        buf_addf(&out, "%s%s", i ? " " : "", rt->argv[i]);
    return buf_take(&out);
}

static struct json *stack_json(const char *stack)
{
    autofree char *path = str_fmt("%s/stacks/%s/stack.json", root, stack);
    AUTO(buf) struct buf text = BUF_INIT(65536);
    struct json *v = NULL;
    struct err e = {0};
    CHECK_OK(fs_read(path, &text, &e), &e);
    CHECK_OK(json_parse(buf_str(&text), text.len, BOUND_JSON_DEPTH, &v, &e), &e);
    return v;
}

/* ---- runtimes ---- */

TEST(the_words_of_old_clients_have_an_interpreter)
{
    static const struct {
        const char *runtime, *argv;
    } rows[] = {
        {"sh", "sh"},
        {"bash", "bash"},
        {"python", "python3 -u"},
        {"ruby", "ruby"},
        {"node", "node"},
        {"javascript", "node"},
        {"php", "php"},
        {"perl", "perl"},
        {"no_type_found", "sh"},
        {"python3", "python3 -u"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct runtime *rt = choose(rows[i].runtime, "any.file");
        autofree char *argv = argv_text(rt);
        CHECK_STR(argv, rows[i].argv);
        CHECK_STR(rt->stack, STACK_CLASSIC);
    }
}

TEST(the_suffix_says_what_no_runtime_says)
{
    CHECK_STR(choose("", "job.py")->name, "python");
    CHECK_STR(choose(NULL, "sub.dir/job.rb")->name, "ruby");
    CHECK_STR(choose("", "__runner__.sh")->name, "sh");
    CHECK_STR(choose("", "job.bash")->name, "bash");
    CHECK_STR(choose("", "job.js")->name, "node");
    CHECK_STR(choose("", "runner.php")->name, "php");
    CHECK_STR(choose("", "job.pl")->name, "perl");
}

TEST(a_file_of_no_known_kind_is_executed_itself)
{
    CHECK_STR(choose("", "prog")->name, "binary");
    CHECK_STR(choose("", "prog.v2")->name, "binary");
    CHECK_STR(choose("", "py")->name, "binary");
}

TEST(a_named_runtime_beats_the_suffix)
{
    CHECK_STR(choose("ruby", "job.py")->name, "ruby");
}

TEST(a_binary_needs_no_mode_and_is_not_sought_in_path)
{
    static const char *const files[] = {"true", "bin/prog"};
    struct err e = {0};
    CHECK_OK(fs_mkdirs("bin", 0755, &e), &e);
    const struct runtime *rt = choose("binary", "prog");
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        static const char script[] = "#!/bin/sh\nprintf '%s' \"$0 $1\" >out\n";
        CHECK_OK(fs_write_durable(files[i], script, sizeof(script) - 1, 0644, &e), &e);
        pid_t pid = fork();
        if (pid == 0) {
            execlp(rt->argv[0], rt->argv[0], rt->argv[1], rt->argv[2], files[i], "a b", NULL);
            _exit(127);
        }
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK_INT(status, 0);
        AUTO(buf) struct buf out = BUF_INIT(1000);
        CHECK_OK(fs_read("out", &out, &e), &e);
        autofree char *want = str_fmt("./%s a b", files[i]);
        CHECK_STR(buf_str(&out), want);
    }
}

static void refused(const char *runtime, const char *file_name, bool placed, const char *message)
{
    const struct runtime *rt = NULL;
    struct err e = {0};
    CHECK_INT(runtime_choose(runtime, file_name, placed, &rt, &e), ERR_INVALID);
    CHECK(rt == NULL);
    CHECK_STR(e.msg, message);
}

#define ALL                                                                                        \
    "there are sh, bash, python, python3, ruby, node, javascript, php, perl, no_type_found, "      \
    "binary"

TEST(an_unknown_runtime_is_refused_with_the_list)
{
    refused("cobol", "x.cob", false, "runtime: there is no cobol; " ALL);
    refused("cobol", "x.cob", true, "runtime: there is no cobol; " ALL);
    refused("Ruby", "x.rb", false, "runtime: there is no Ruby; " ALL);
}

TEST(a_runtime_that_no_stack_has_is_refused_with_the_list)
{
    refused("java", "x.jar", false, "runtime: no stack has java, name an image; " ALL);
    refused("mono", "x.exe", false, "runtime: no stack has mono, name an image; " ALL);
    refused("go", "x.go", false, "runtime: no stack has go, name an image; " ALL);
    refused("", "x.jar", false, "runtime: no stack has java, name an image; " ALL);
}

TEST(a_runtime_that_no_stack_has_runs_where_the_package_says)
{
    const struct runtime *rt = NULL;
    struct err e = {0};
    CHECK_OK(runtime_choose("java", "x.jar", true, &rt, &e), &e);
    autofree char *argv = argv_text(rt);
    CHECK_STR(argv, "java -jar");
}

/* ---- stacks ---- */

TEST(the_old_names_of_stacks_mean_those_of_today)
{
    CHECK_STR(stack_today("ruby-1.9"), "ruby-3.1");
    CHECK_STR(stack_today("ruby-2.1"), "ruby-3.1");
    CHECK_STR(stack_today("python-2.7"), "python-3.11");
    CHECK_STR(stack_today("python-3.2"), "python-3.11");
    CHECK_STR(stack_today("php-5.4"), "php-8.2");
    CHECK_STR(stack_today("node-0.10"), "node-18");
}

TEST(stacks_without_an_heir_have_none)
{
    static const char *const gone[] = {"ffmpeg-2.3", "java-1.7",    "mono-3.0", "scala-2.9",
                                       "ruby-9.9",   "python-3.11", ""};
    for (size_t i = 0; i < ARRAY_LEN(gone); i++)
        CHECK(stack_today(gone[i]) == NULL);
}

TEST(every_heir_is_a_stack_of_ours)
{
    static const char *const old[] = {"ruby-2.1", "python-2.7", "php-5.4", "node-0.10"};
    for (size_t i = 0; i < ARRAY_LEN(old); i++) {
        autojson struct json *v = stack_json(stack_today(old[i]));
        CHECK_STR(json_get_str(v, "name", ""), stack_today(old[i]));
    }
}

/* A runtime of a stack.json: its interpreter is that of the table. */
static int check_runtime(const char *name, const struct json *argv, void *arg)
{
    size_t *seen = arg;
    const struct runtime *rt = choose(name, "any.file");
    size_t n = 0;
    for (; rt->argv[n]; n++)
        CHECK_STR(json_string(json_at(argv, n), NULL), rt->argv[n]);
    CHECK_INT(json_length(argv), n);
    (*seen)++;
    return 0;
}

TEST(what_stacks_say_of_their_runtimes_is_what_the_table_says)
{
    static const struct {
        const char *name;
        size_t runtimes; /* classic: all of the list but binary */
    } stacks[] = {{STACK_CLASSIC, 10}, {"sh", 3},      {"python-3.11", 2},
                  {"node-18", 2},      {"php-8.2", 1}, {"ruby-3.1", 1}};
    for (size_t i = 0; i < ARRAY_LEN(stacks); i++) {
        autojson struct json *v = stack_json(stacks[i].name);
        size_t seen = 0;
        CHECK_INT(json_each(json_member(v, "runtimes"), check_runtime, &seen), 0);
        CHECK_INT(seen, stacks[i].runtimes);
    }
}

TAP_MAIN
