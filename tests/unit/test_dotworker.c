/* The keywords of .worker files. */
#include "cli/dotworker.h"

#include <fcntl.h>

#include "lib/fs.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

static struct dotworker parsed(const char *text)
{
    struct dotworker w = {0};
    struct err e;
    CHECK_OK(dotworker_parse("dir/w.worker", text, strlen(text), &w, &e), &e);
    return w;
}

static void check_fails(const char *source, const char *message)
{
    struct dotworker w = {0};
    struct err e = {0};
    int rc = dotworker_parse("w.worker", source, strlen(source), &w, &e);
    if (rc != ERR_INVALID || strcmp(e.msg, message) != 0)
        TAP_FAIL("%s\n# gives %d \"%s\"", source, rc, e.msg);
}

static void check_item(const struct dw_item *item, enum dw_item_kind kind, const char *what,
                       const char *more)
{
    CHECK_INT(item->kind, kind);
    CHECK_STR(item->what, what);
    if (more)
        CHECK_STR(item->more, more);
    else
        CHECK(!item->more);
}

/* One item of `kind` beside the exec that every worker has. */
static void check_line(const char *line, enum dw_item_kind kind, const char *what, const char *more)
{
    char text[256];
    snprintf(text, sizeof(text), "exec 'w'\n%s\n", line);
    struct dotworker w = parsed(text);
    CHECK_INT(w.n, 2);
    check_item(&w.items[1], kind, what, more);
    CHECK_INT(w.items[1].at.line, 2);
    CHECK_STR(buf_str(&w.warnings), "");
    dotworker_release(&w);
}

TEST(every_keyword_and_alias_makes_its_item)
{
    check_line("file 'a/b.txt'", DW_FILE, "a/b.txt", NULL);
    check_line("merge_file 'a', 'dest'", DW_FILE, "a", "dest");
    check_line("dir '../models'", DW_DIR, "../models", NULL);
    check_line("merge_dir \"lib\", 'x'", DW_DIR, "lib", "x");
    check_line("zip 'a.zip'", DW_ZIP, "a.zip", NULL);
    check_line("merge_zip 'a.zip', 'x'", DW_ZIP, "a.zip", "x");
    check_line("deb 'a.deb'", DW_DEB, "a.deb", NULL);
    check_line("merge_deb 'curl'", DW_DEB, "curl", NULL);
    check_line("set_env 'KEY', ''", DW_ENV, "KEY", "");
    check_line("set_env :KEY, 12", DW_ENV, "KEY", "12");
    check_line("build 'make all'", DW_BUILD, "make all", NULL);
    check_line("remote_build_command 'make'", DW_BUILD, "make", NULL);
    check_line("gem 'pg'", DW_GEM, "pg", NULL);
    check_line("merge_gem 'pg', '>= 0'", DW_GEM, "pg", ">= 0");
    check_line("gemfile 'Gemfile'", DW_GEMFILE, "Gemfile", NULL);
    check_line("gemfile 'Gemfile', 'common', :worker", DW_GEMFILE, "Gemfile", "common worker");
    check_line("merge_gemfile 'Gemfile', ['a', 'b']", DW_GEMFILE, "Gemfile", "a b");
    check_line("jar 'a.jar'", DW_JAR, "a.jar", NULL);
    check_line("merge_jar 'a.jar'", DW_JAR, "a.jar", NULL);
    check_line("pip 'requests'", DW_PIP, "requests", NULL);
    check_line("merge_pip 'requests', '2.0'", DW_PIP, "requests", "2.0");
    check_line("requirements 'r.txt'", DW_REQUIREMENTS, "r.txt", NULL);
}

TEST(exec_has_four_names_and_three_ways_to_name_a_class)
{
    static const char *const forms[] = {"exec 'w.rb', 'A::B'", "worker 'w.rb', ['A::B']",
                                        "merge_exec 'w.rb', :class => 'A::B'",
                                        "merge_worker('w.rb', {'class' => 'A::B'})"};
    for (size_t i = 0; i < 4; i++) {
        struct dotworker w = parsed(forms[i]);
        CHECK_INT(w.exec, 0);
        check_item(&w.items[0], DW_EXEC, "w.rb", "A::B");
        dotworker_release(&w);
    }
    check_fails("exec 'w.rb', 'A; exit'", "w.worker:1:14: this is not the name of a class");
}

TEST(a_later_exec_is_ignored_with_a_warning)
{
    struct dotworker w = parsed("exec 'one.rb'\nexec 'two.rb'\n");
    CHECK_INT(w.n, 1);
    CHECK_STR(w.items[w.exec].what, "one.rb");
    CHECK_STR(buf_str(&w.warnings), "dir/w.worker:2:1: this exec is ignored: a worker has one, "
                                    "and it was named before\n");
    dotworker_release(&w);
    check_fails("runtime 'ruby'", "w.worker: no exec says what the worker runs");
}

TEST(names_come_from_the_file_unless_given)
{
    struct dotworker w = parsed("exec 'x.rb'");
    CHECK_STR(w.name, "w");
    CHECK_STR(w.dir, "dir/");
    dotworker_release(&w);
    w = parsed("exec 'x.rb'; name 'Other'");
    CHECK_STR(w.name, "Other");
    dotworker_release(&w);
}

TEST(the_runtime_is_said_or_told_by_a_keyword_or_by_the_exec)
{
    static const struct {
        const char *text, *runtime;
    } rows[] = {{"runtime 'php'; exec 'a.rb'", "php"},
                {"runtime :PHP; exec 'a'", "php"},
                {"exec 'a.js'", "node"},
                {"exec 'a.py'", "python"},
                {"exec 'a.jar'", "java"},
                {"exec 'a'", "ruby"},
                {"gem 'x'; exec 'a'", "ruby"},
                {"pip 'x'; exec 'a'", "python"},
                {"exec 'run'; jar 'b.jar'", "java"},
                {"runtime 'binary'; exec 'a.sh'", "binary"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dotworker w = parsed(rows[i].text);
        CHECK_STR(w.runtime->name, rows[i].runtime);
        dotworker_release(&w);
    }
}

TEST(a_version_chooses_the_stack_and_stack_overrules_it)
{
    struct dotworker w = parsed("runtime 'php', '5.4'; exec 'a.php'");
    CHECK_STR(w.stack, "php-5.4");
    dotworker_release(&w);
    w = parsed("runtime 'ruby', 2.1\nexec 'a.rb'\nstack 'ffmpeg-2.3'");
    CHECK_STR(w.stack, "ffmpeg-2.3");
    dotworker_release(&w);
    w = parsed("stack 'ruby-1.9'; runtime 'ruby', '2.1'; exec 'a.rb'");
    CHECK_STR(w.stack, "ruby-1.9");
    dotworker_release(&w);
    w = parsed("exec 'a.rb'");
    CHECK(!w.stack);
    dotworker_release(&w);
}

TEST(only_what_must_be_resolved_needs_a_build)
{
    static const char *const builds[] = {"build 'make'", "gem 'x'", "gemfile 'G'",
                                         "pip 'x'",      "deb 'x'", "requirements 'r'"};
    static const char *const others[] = {
        "remote", "full_remote_build true", "file 'x'", "set_env 'A','b'", "jar 'x'", "zip 'x'"};
    char text[64];
    for (size_t i = 0; i < 6; i++) {
        snprintf(text, sizeof(text), "exec 'a'; %s", builds[i]);
        struct dotworker w = parsed(text);
        CHECK(dotworker_builds(&w));
        dotworker_release(&w);
        snprintf(text, sizeof(text), "exec 'a'; %s", others[i]);
        w = parsed(text);
        CHECK(!dotworker_builds(&w));
        CHECK(w.remote == (i < 2));
        dotworker_release(&w);
    }
    struct dotworker w = parsed("exec 'a'; full_remote_build false");
    CHECK(!w.remote);
    dotworker_release(&w);
}

TEST(mistakes_are_named_with_their_place)
{
    check_fails("runtime 'ruby'\nruntime 'php'\nexec 'a'",
                "w.worker:2:1: the runtime is already ruby; a worker has one, and a second "
                ".worker file makes a second worker");
    check_fails("runtime 'cobol'", "w.worker:1:9: there is no runtime \"cobol\"; there are binary, "
                                   "go, java, mono, node, perl, php, python, ruby, sh");
    check_fails("exec 'a'\npip 'x'\ngem 'y'",
                "w.worker:3:1: \"gem\" is for ruby, and \"pip\" in line 2 for python");
    check_fails("runtime 'node'\nexec 'a'\n  gem 'y'",
                "w.worker:3:3: \"gem\" is for ruby, and the runtime is node");
    check_fails("file", "w.worker:1:1: it is written file 'path' or file 'path', 'folder'");
    check_fails("file 'a', 'b', 'c'",
                "w.worker:1:1: it is written file 'path' or file 'path', 'folder'");
    check_fails("file ['a']", "w.worker:1:6: it is written file 'path' or file 'path', 'folder'");
    check_fails("file ''", "w.worker:1:6: the text is empty");
    check_fails("file \"a\\0\"", "w.worker:1:6: the text holds a NUL byte");
    check_fails("file \"\\xff\"", "w.worker:1:6: the text is not UTF-8");
    check_fails("gem 'x', :require => false",
                "w.worker:1:10: it is written gem 'name' or gem 'name', 'version'; what else a "
                "gem can have, gemfile knows");
    check_fails("set_env 'A B', 'c'", "w.worker:1:9: a variable's name has letters, digits and _ "
                                      "only, and no digit first");
    check_fails("full_remote_build 'yes'", "w.worker:1:19: it is written full_remote_build true");
}

TEST(an_unknown_keyword_is_refused_with_a_suggestion)
{
    check_fails("exec 'a'\nfiel 'b'",
                "w.worker:2:1: there is no keyword \"fiel\"; did you mean \"file\"?");
    check_fails(
        "requirement 'r'",
        "w.worker:1:1: there is no keyword \"requirement\"; did you mean \"requirements\"?");
    check_fails("frobnicate 'r'",
                "w.worker:1:1: there is no keyword \"frobnicate\"; there are runtime, stack, name, "
                "exec, file, dir, zip, deb, set_env, build, remote, gem, gemfile, jar, pip, "
                "requirements");
    check_fails("retries 3", "w.worker:1:1: \"retries\" is no keyword of .worker files: give it as "
                             "upload --retries");
}

/* ---- as they were announced and written ---- */

TEST(the_php_composer_example)
{
    struct dotworker w = parsed("# PHP with Composer\n"
                                "runtime \"php\"\n"
                                "file \"composer.json\"\n"
                                "file \"composer.phar\"\n"
                                "build \"php composer.phar install\"\n"
                                "exec \"worker.php\"\n");
    CHECK_STR(w.runtime->name, "php");
    CHECK_INT(w.n, 4);
    check_item(&w.items[2], DW_BUILD, "php composer.phar install", NULL);
    CHECK(dotworker_builds(&w));
    dotworker_release(&w);
}

TEST(the_stack_example)
{
    struct dotworker w = parsed("runtime \"ruby\"\nstack \"ffmpeg-2.3\"\nexec \"transcode.rb\"\n");
    CHECK_STR(w.stack, "ffmpeg-2.3");
    CHECK(!dotworker_builds(&w));
    dotworker_release(&w);
}

TEST(the_main_worker_example)
{
    struct dotworker w = parsed("runtime 'ruby'\n"
                                "name 'MainWorker'\n"
                                "exec 'main_worker.rb', 'MainWorker'\n\n"
                                "gemfile '../Gemfile', 'common', 'worker' # for the jobs\n"
                                "dir '../models'\n"
                                "dir \"../app/mailers/\", 'app'\n"
                                "file '../config/database.yml', 'config'\n"
                                "full_remote_build true\n");
    CHECK_STR(w.name, "MainWorker");
    CHECK_INT(w.n, 5);
    check_item(&w.items[0], DW_EXEC, "main_worker.rb", "MainWorker");
    check_item(&w.items[2], DW_DIR, "../models", NULL);
    check_item(&w.items[4], DW_FILE, "../config/database.yml", "config");
    CHECK(w.remote);
    dotworker_release(&w);
}

/* ---- finding and loading ---- */

static void write_text(const char *path, const char *text)
{
    struct err e;
    CHECK_OK(fs_write_durable(path, text, strlen(text), 0644, &e), &e);
}

static void check_found(const char *word, const char *want)
{
    char *found = dotworker_find(word);
    if (want)
        CHECK_STR(found, want);
    else
        CHECK(!found);
    free(found);
}

TEST(a_word_finds_its_worker_file)
{
    write_text("hello.worker", "exec 'a.rb'");
    write_text("old.workerfile", "exec 'a.rb'");
    check_found("hello", "hello.worker");
    check_found("./hello", "./hello.worker");
    check_found("old", "old.workerfile");
    check_found("sub/other.worker", "sub/other.worker"); /* said outright: missing is an error */
    check_found("Workerfile", "Workerfile");
    check_found("hello.py", NULL);
    check_found("http://h/x/y.worker", "http://h/x/y.worker");
}

TEST(loading_says_what_is_missing_or_too_big)
{
    struct dotworker w = {0};
    struct err e;
    CHECK_INT(dotworker_load("none.worker", &w, &e), ERR_NOT_FOUND);
    CHECK_HAS(e.msg, "none.worker");
    write_text("w.worker", "exec 'a.rb'");
    CHECK_OK(dotworker_load("w.worker", &w, &e), &e);
    CHECK_STR(w.dir, "");
    dotworker_release(&w);
    CHECK(truncate("w.worker", 1 << 20) == 0);
    CHECK_INT(dotworker_load("w.worker", &w, &e), ERR_TOO_BIG);
}

TAP_MAIN
