/* Packages of .worker files started as a runner starts them, and built as a build task does. What
 * the interpreters are asked to do is tried with those that every test machine has: sh, node,
 * python3, perl. */
#include "cli/dotworker_script.h"

#include "tests/unit/dotworkers.h"

#include "lib/banned.h"

/* check_worker: a worker with the given text and one exec runs and prints `want`. */
static void check_worker(const char *worker, const char *exec, const char *source,
                         const char *payload, const char *want)
{
    put_file("w.worker", worker, 0644);
    put_file(exec, source, 0644);
    unpack_worker("w.worker", "out");
    check_run("out", payload, want);
}

TEST(sh_gets_its_folder_and_arguments)
{
    check_worker("exec 'src/a.sh'\nfile 'w.worker', 'data'", "src/a.sh",
                 "echo \"$#\" \"$1\" \"$6\"; ls; ls data", "{}",
                 "8 -d 0123\n__runner__.sh\na.sh\ndata\nw.worker\n");
}

TEST(a_binary_is_made_executable_and_its_exit_code_is_the_workers)
{
    int code = 0;
    put_file("w.worker", "runtime 'binary'\nexec 'tool'", 0644);
    put_file("tool", "#!/bin/sh\necho tool; exit 42\n", 0644);
    unpack_worker("w.worker", "out");
    char *text = run_package("out", "__runner__.sh", "{}", &code);
    CHECK_STR(text, "tool\n");
    CHECK_INT(code, 42);
    free(text);
}

TEST(names_with_signs_in_them_are_only_names)
{
    check_worker("runtime 'binary'\nexec \"it's $(x) \\\"y\\\" -e\"", "it's $(x) \"y\" -e",
                 "#!/bin/sh\necho fine\n", "{}", "fine\n");
}

TEST(an_exec_that_looks_like_an_option_is_none)
{
    check_worker("runtime 'sh'\nexec '-c'", "-c", "echo started\n", "{}", "started\n");
}

TEST(set_env_expands_variables_and_nothing_else)
{
    check_worker("exec 'a.sh'\n"
                 "set_env 'PLAIN', 'a b'\n"
                 "set_env 'SIGNS', \"`id` $(id) $1 $$ \\\" ' \\\\ \\n!\"\n"
                 "set_env 'MORE', '${PLAIN}:$PLAIN'\n"
                 "set_env 'KEPT', '\\$PLAIN'\n"
                 "set_env 'PATH', './tools:$PATH'\n",
                 "a.sh", "echo \"$PLAIN|$SIGNS|$MORE|$KEPT\"; echo \"$PATH\" | cut -d: -f1,2", "{}",
                 "a b|`id` $(id) $1 $$ \" ' \\ \n!|a b:a b|$PLAIN\n./tools:.\n");
}

TEST(node_has_params_and_task_id)
{
    check_worker("runtime 'node'\nexec 'a.js'", "a.js",
                 "var h = require('node_helper');\n"
                 "console.log(h.params.name, h.config, h.task_id);\n",
                 "{\"name\":\"x\"}", "x null 0123\n");
}

TEST(node_gets_a_payload_that_is_no_json_as_text)
{
    check_worker("exec 'a.js'", "a.js", "console.log(require('node_helper').params)", "<xml/>",
                 "<xml/>\n");
}

TEST(python_finds_what_pip_left)
{
    put_file("lib.py", "def hello(): return 'from pips'\n", 0644);
    check_worker("runtime 'python'\nexec 'a.py'\nfile 'lib.py', '__pips__'", "a.py",
                 "import lib, sys\nprint(lib.hello(), sys.argv[1])\n", "{}", "from pips -d\n");
}

TEST(perl_is_started_by_its_name)
{
    check_worker("exec 'a.pl'", "a.pl", "print \"perl $ARGV[5]\\n\"", "{}", "perl 0123\n");
}

static char *script_of(const char *text, void (*script)(const struct dotworker *, struct buf *))
{
    struct dotworker w = {0};
    struct err e;
    struct buf out = BUF_INIT(1 << 20);
    CHECK_OK(dotworker_parse("w.worker", text, strlen(text), &w, &e), &e);
    script(&w, &out);
    dotworker_release(&w);
    return buf_take(&out);
}

static void check_starts(const char *text, const char *line)
{
    char *script = script_of(text, dw_runner_script);
    CHECK_HAS(script, line);
    free(script);
}

TEST(each_runtime_is_started_as_documented)
{
    check_starts("exec 'x/a.rb'", "\nexec ruby __runner__.rb \"$@\"\n");
    check_starts("exec 'a.php'", "\nexport TERM=dumb\nexec php __runner__.php \"$@\"\n");
    check_starts("exec 'a.js'", "\nexec node a.js \"$@\"\n");
    check_starts("exec 'a.pl'", "\nexec perl a.pl \"$@\"\n");
    check_starts("exec 'a.exe'", "\nexec mono a.exe \"$@\"\n");
    check_starts("exec 'a.go'", "\nexec go run a.go \"$@\"\n");
    check_starts("jar 'l/b.jar'\nexec 'a.jar'", "\nexec java -cp b.jar:a.jar -jar a.jar \"$@\"\n");
    check_starts("exec 'a.jar', 'org.x.Main'", "\nexec java -cp a.jar org.x.Main \"$@\"\n");
    check_starts("runtime 'binary'\nexec 'a b'", "\nchmod +x 'a b'\nexec ./'a b' \"$@\"\n");
}

TEST(the_ruby_and_php_helpers_quote_their_exec)
{
    char *ruby = script_of("exec \"it's.rb\", 'A::B'", dw_helper_script);
    CHECK_HAS(ruby, "file = File.join(root, 'it\\'s.rb')\n");
    CHECK_HAS(ruby, "class_name = 'A::B'\n");
    free(ruby);
    ruby = script_of("exec 'a.rb'", dw_helper_script);
    CHECK_HAS(ruby, "class_name = nil\n");
    free(ruby);
    char *php = script_of("exec \"a\\\\'b.php\"", dw_helper_script);
    CHECK_HAS(php, "require dirname(__FILE__) . '/' . 'a\\\\\\'b.php';\n");
    free(php);
}

/* ---- builds ---- */

/* put_tool: a program that says how it was called, in the folder that PATH begins with. */
static void put_tool(const char *name, const char *script)
{
    char path[64];
    snprintf(path, sizeof(path), "tools/%s", name);
    put_file(path, script, 0755);
}

static char *build(const char *worker, const char *exec, int *ret_code)
{
    put_file("w.worker", worker, 0644);
    put_file(exec, "", 0644);
    unpack_worker("w.worker", "out");
    char *here = realpath("tools", NULL);
    char *path = str_fmt("%s:/usr/bin:/bin", here ? here : "/nonexistent");
    CHECK(setenv("PATH", path, 1) == 0);
    char *text = run_package("out", "__build__.sh", "{}", ret_code);
    free(path);
    free(here);
    return text;
}

TEST(a_build_leaves_what_its_commands_make_and_nothing_of_its_own)
{
    int code = -1;
    char *text = build("exec 'a.sh'\nset_env 'WHO', 'me'\nbuild 'mkdir vendor && echo $WHO > "
                       "vendor/x'\nbuild \"cat vendor/x; ls \\\"$HOME\\\"\"",
                       "a.sh", &code);
    CHECK_STR(text, "-----> Running mkdir vendor && echo $WHO > vendor/x\n"
                    "-----> Running cat vendor/x; ls \"$HOME\"\nme\n-----> Built\n");
    CHECK_INT(code, 0);
    free(text);
    char *argv[] = {(char *)"ls", (char *)"-R", (char *)"out", NULL};
    text = output_of(argv, &code);
    CHECK_STR(text, "out:\n__runner__.sh\na.sh\nvendor\n\nout/vendor:\nx\n");
    free(text);
}

TEST(a_failed_step_ends_the_build_with_its_exit_code)
{
    int code = -1;
    char *text =
        build("exec 'a.sh'\nbuild 'echo no >&2; exit 7'\nbuild 'echo late'", "a.sh", &code);
    CHECK_STR(text, "-----> Running echo no >&2; exit 7\nno\n");
    CHECK_INT(code, 7);
    free(text);
}

TEST(gems_are_installed_one_by_one_and_by_groups_of_a_gemfile)
{
    int code = -1;
    put_tool("gem", "#!/bin/sh\necho \"gem $*\" | sed \"s|$PWD|PWD|\"\n");
    put_tool("ruby", "#!/bin/sh\nshift 4; echo \"not-$1-$2\"\n");
    put_tool("bundle", "#!/bin/sh\necho \"bundle $1 $BUNDLE_WITHOUT $BUNDLE_PATH__SYSTEM "
                       "$(cat \"$BUNDLE_GEMFILE\") ${GEM_HOME#\"$PWD\"}\"\n");
    put_file("Gemfile", "content", 0644);
    char *text = build("exec 'a.rb'\ngemfile 'Gemfile', 'common', 'jobs'\ngem 'pg'\n"
                       "gem 'rest', '~> 1.0'",
                       "a.rb", &code);
    CHECK_STR(text, "-----> Installing gem pg\n"
                    "gem install --no-document --install-dir PWD/__gems__ --version >= 0 pg\n"
                    "-----> Installing gem rest\n"
                    "gem install --no-document --install-dir PWD/__gems__ --version ~> 1.0 rest\n"
                    "-----> Installing gems of Gemfile\n"
                    "bundle install not-common-jobs true content /__gems__\n"
                    "-----> Built\n");
    CHECK_INT(code, 0);
    free(text);
}

TEST(pip_installs_names_versions_and_requirements)
{
    int code = -1;
    put_tool("python", "#!/bin/sh\nshift 6; echo \"$@\"; mkdir -p __pips__/bin; "
                       "echo x > __pips__/bin/tool\n");
    put_file("r.txt", "", 0644);
    char *text =
        build("exec 'a.py'\npip 'a'\npip 'b', '1.2'\npip 'c', '>= 3'\nrequirements 'r.txt'", "a.py",
              &code);
    CHECK_STR(text, "-----> Installing a\n__pips__ a\n"
                    "-----> Installing b==1.2\n__pips__ b==1.2\n"
                    "-----> Installing c>= 3\n__pips__ c>= 3\n"
                    "-----> Installing what is in r.txt\n__pips__ -r __build__/5/r.txt\n"
                    "-----> Built\n");
    CHECK_INT(code, 0);
    CHECK(access("out/__pips__/__bin__/tool", R_OK) == 0);
    CHECK(access("out/__pips__/bin", F_OK) != 0);
    free(text);
}

TEST(debs_are_unpacked_beside_the_worker)
{
    int code = -1;
    put_file("deb/DEBIAN/control",
             "Package: greet\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b>\n"
             "Description: x\n",
             0644);
    put_file("deb/usr/bin/greet", "#!/bin/sh\necho greetings\n", 0755);
    char *pack[] = {(char *)"dpkg-deb", (char *)"--build", (char *)"deb", (char *)"greet.deb",
                    NULL};
    free(output_of(pack, &code));
    CHECK_INT(code, 0);
    char *text = build("exec 'a.sh'\ndeb './greet.deb'", "a.sh", &code);
    CHECK_STR(text, "-----> Unpacking package ./greet.deb\n-----> Built\n");
    CHECK_INT(code, 0);
    free(text);
    put_file("out/a.sh", "greet", 0644);
    check_run("out", "{}", "greetings\n");
}

TEST(debs_by_name_are_fetched_once_listed)
{
    int code = -1;
    put_tool("apt-get", "#!/bin/sh\nfor a; do last=$a; done\necho \"apt $last\"\n"
                        "[ \"$last\" = update ] || echo deb > \"$last.deb\"\n");
    put_tool("dpkg", "#!/bin/sh\necho \"dpkg $1 $2 $3\"\n");
    char *text = build("exec 'a.sh'\ndeb 'one'\ndeb 'two'", "a.sh", &code);
    CHECK_STR(text, "-----> Unpacking package one\napt update\napt one\n"
                    "dpkg -x ./one.deb ../../__debs__\n"
                    "-----> Unpacking package two\napt two\ndpkg -x ./two.deb ../../__debs__\n"
                    "-----> Built\n");
    CHECK_INT(code, 0);
    free(text);
}

TAP_MAIN
