/* Packages of .worker files: which files, under which names, and the same bytes each time. */
#include "cli/dotworker_tree.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <utime.h>

#include "cli/dotworker_path.h"
#include "lib/httpc.h"
#include "tests/unit/dotworkers.h"

#include "lib/banned.h"

TEST(files_lie_at_destination_and_base_name)
{
    put_file("w/a.worker",
             "exec 'src/run.sh'\nfile 'data/x.txt'\nfile '../up.txt', 'conf'\n"
             "file 'data/x.txt', './deep//er/'\n",
             0644);
    put_file("w/src/run.sh", "", 0755);
    put_file("w/data/x.txt", "", 0644);
    put_file("up.txt", "", 0644);
    check_names("w/a.worker", "__runner__.sh* conf/up.txt deep/er/x.txt run.sh* x.txt ");
}

TEST(dirs_keep_their_last_name_and_lose_hidden_files)
{
    put_file("models/user.rb", "", 0644);
    put_file("models/sub/item.rb", "", 0644);
    put_file("models/.git/config", "", 0644);
    put_file("models/.env", "", 0600);
    put_file("w/a.worker", "exec 'a.sh'\ndir '../models'\ndir '../models/', 'app'\ndir '.', 'all'",
             0644);
    put_file("w/a.sh", "", 0644);
    check_names("w/a.worker", "__runner__.sh* a.sh all/a.sh all/a.worker app/models/sub/item.rb "
                              "app/models/user.rb models/sub/item.rb models/user.rb ");
}

TEST(a_file_that_is_named_twice_is_packed_once)
{
    put_file("a.worker", "exec 'lib/a.sh'\nfile 'lib/a.sh'\ndir 'lib'\nfile 'lib/a.sh', 'lib'",
             0644);
    put_file("lib/a.sh", "", 0644);
    check_names("a.worker", "__runner__.sh* a.sh lib/a.sh ");
}

TEST(links_are_followed_and_loops_are_found)
{
    put_file("d/real.txt", "", 0644);
    put_file("other/x.txt", "", 0644);
    CHECK(symlink("real.txt", "d/link.txt") == 0);
    CHECK(symlink("../other", "d/other") == 0);
    put_file("a.sh", "", 0644);
    put_file("a.worker", "exec 'a.sh'\ndir 'd'", 0644);
    check_names("a.worker", "__runner__.sh* a.sh d/link.txt d/other/x.txt d/real.txt ");
    CHECK(symlink(".", "other/back") == 0);
    check_tree_fails("a.worker", "a.worker:2:1: the link d/other/back leads back to a folder "
                                 "that it is in");
    CHECK(unlink("other/back") == 0);
    CHECK(symlink("nowhere", "other/gone") == 0);
    check_tree_fails("a.worker",
                     "a.worker:2:1: cannot look at d/other/gone: No such file or directory");
}

TEST(what_is_missing_or_of_another_kind_is_named_with_its_line)
{
    put_file("a.sh", "", 0644);
    put_file("d/x", "", 0644);
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"file 'none.txt'", "w.worker:3:3: there is no file none.txt"},
        {"file 'a.sh/x'", "w.worker:3:3: there is no file a.sh/x"},
        {"dir 'none'", "w.worker:3:3: there is no folder none"},
        {"zip 'none.zip'", "w.worker:3:3: there is no file none.zip"},
        {"deb './none.deb'", "w.worker:3:3: there is no file ./none.deb"},
        {"file 'd'", "w.worker:3:3: d is a folder: use dir"},
        {"dir 'a.sh'", "w.worker:3:3: a.sh is no folder: use file"},
        {"file 'd/x', '../out'", "w.worker:3:3: \"../out/x\" leads out of the package"},
        {"dir '..'", "w.worker:3:3: \"..\" has no name in the package: name the folders in it"},
        {"dir 'http://h/d'", "w.worker:3:3: a folder cannot be fetched: use zip"},
        {"zip 'd/x'", "w.worker:3:3: d/x: not a zip archive: no end of a central directory"},
        {"file 'd/x', '__runner__.sh'",
         "w.worker:3:3: __runner__.sh would be both a file and a folder"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "exec 'a.sh'\n\n  %s\n", rows[i].line);
        put_file("w.worker", text, 0644);
        check_tree_fails("w.worker", rows[i].message);
    }
}

TEST(one_name_cannot_be_two_files)
{
    put_file("a.sh", "", 0644);
    put_file("b/a.sh", "", 0644);
    put_file("b/__runner__.sh", "", 0644);
    put_file("w.worker", "exec 'a.sh'\nfile 'b/a.sh'", 0644);
    check_tree_fails("w.worker", "w.worker:2:1: a.sh would be both a.sh (line 1) and b/a.sh");
    put_file("w.worker", "exec 'a.sh'\nfile 'b/__runner__.sh'", 0644);
    check_tree_fails("w.worker",
                     "w.worker:2:1: __runner__.sh is the name of a file that wrought makes");
    put_file("w.worker", "exec 'a.sh'\nbuild 'true'\nfile 'b/a.sh', '__build__'", 0644);
    check_tree_fails("w.worker", "w.worker:3:1: __build__ is kept for the build");
    put_file("w.worker", "exec 'a.sh'\nfile 'b/a.sh', 'a.sh'", 0644);
    check_tree_fails("w.worker", "w.worker:2:1: a.sh would be both a file and a folder");
}

TEST(an_empty_folder_gets_a_warning)
{
    AUTO(buf) struct buf warnings = BUF_INIT(4096);
    struct dw_tree t = {0};
    struct err e;
    put_file("a.sh", "", 0644);
    CHECK(mkdir("empty", 0755) == 0);
    put_file("w.worker", "exec 'a.sh'\ndir 'empty'", 0644);
    CHECK_OK(try_tree("w.worker", &t, &warnings, &e), &e);
    CHECK_STR(buf_str(&warnings), "w.worker:2:1: empty holds no files\n");
    dw_tree_release(&t);
}

TEST(a_zip_is_merged_below_its_destination)
{
    char sha256[SHA256_TEXT];
    put_file("in/a.sh", "echo hi", 0755);
    put_file("in/.hidden", "", 0644);
    put_file("in.worker", "exec 'in/a.sh'\nfile 'in/.hidden', 'd'", 0644);
    make_zip("in.worker", "in.zip", sha256);
    put_file("b.sh", "", 0644);
    put_file("w.worker", "exec 'b.sh'\nzip 'in.zip', 'vendor'", 0644);
    check_names("w.worker", "__runner__.sh* b.sh vendor/__runner__.sh* vendor/a.sh* "
                            "vendor/d/.hidden ");
}

TEST(runtimes_bring_their_helpers_and_the_users_module_wins)
{
    put_file("a.rb", "", 0644);
    put_file("a.php", "", 0644);
    put_file("a.js", "", 0644);
    put_file("mine/node_helper.js", "mine", 0644);
    put_file("w.worker", "exec 'a.rb'", 0644);
    check_names("w.worker", "__runner__.rb __runner__.sh* a.rb ");
    put_file("w.worker", "exec 'a.php'", 0644);
    check_names("w.worker", "__runner__.php __runner__.sh* a.php ");
    put_file("w.worker", "exec 'a.js'", 0644);
    check_names("w.worker", "__runner__.sh* a.js node_modules/node_helper.js ");
    put_file("w.worker", "exec 'a.js'\nfile 'mine/node_helper.js', 'node_modules'", 0644);
    struct dw_tree t = {0};
    struct err e;
    CHECK_OK(try_tree("w.worker", &t, NULL, &e), &e);
    CHECK_INT(t.n, 3);
    CHECK_STR(t.files[2].source, "mine/node_helper.js");
    dw_tree_release(&t);
}

TEST(what_only_the_build_needs_lies_apart)
{
    put_file("a.py", "", 0644);
    put_file("r.txt", "", 0644);
    put_file("x.deb", "", 0644);
    put_file("w.worker", "exec 'a.py'\nrequirements 'r.txt'\ndeb 'x.deb'\ndeb 'curl'\npip 'y'",
             0644);
    check_names("w.worker",
                "__build__.sh* __build__/2/r.txt __build__/3/x.deb __runner__.sh* a.py ");
    put_file("a.rb", "", 0644);
    put_file("Gemfile", "", 0644);
    put_file("Gemfile.lock", "", 0644);
    put_file("w.worker", "exec 'a.rb'\ngemfile 'Gemfile'", 0644);
    check_names("w.worker", "__build__.sh* __build__/2/Gemfile __build__/2/Gemfile.lock "
                            "__runner__.rb __runner__.sh* a.rb ");
}

/* ---- the same bytes ---- */

static void put_project(const char *root, const char *const *names, size_t n, mode_t mode)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/w.worker", root);
    put_file(path, "exec 'run.sh'\ndir 'd'\nset_env 'A', 'b'", mode);
    snprintf(path, sizeof(path), "%s/run.sh", root);
    put_file(path, "echo hello", mode | 0111);
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/d/%s", root, names[i]);
        put_file(path, names[i], mode);
    }
}

TEST(the_same_input_gives_the_same_bytes)
{
    static const char *const names[] = {"b", "a", "sub/z", "sub/y", "ü", "a-1"};
    static const char *const reversed[] = {"a-1", "ü", "sub/y", "sub/z", "a", "b"};
    char first[SHA256_TEXT], second[SHA256_TEXT];
    const struct utimbuf old = {1000000000, 1000000000};
    put_project("one", names, 6, 0644);
    put_project("two", reversed, 6, 0640); /* as under another umask */
    CHECK(utime("one/d/a", &old) == 0);
    make_zip("one/w.worker", "one.zip", first);
    make_zip("two/w.worker", "two.zip", second);
    CHECK_STR(first, second);
    CHECK(chdir("two") == 0); /* another working folder, an absolute and a relative path */
    make_zip("w.worker", "../three.zip", second);
    CHECK_STR(first, second);
    char *path = realpath("../one/w.worker", NULL);
    make_zip(path, "../four.zip", second);
    CHECK_STR(first, second);
    free(path);
    put_file("../one/d/a", "changed", 0644);
    make_zip("../one/w.worker", "../five.zip", second);
    CHECK(strcmp(first, second) != 0);
}

TEST(nothing_temporary_is_left)
{
    CHECK(mkdir("tmp", 0700) == 0);
    char *here = realpath("tmp", NULL);
    CHECK(setenv("TMPDIR", here, 1) == 0);
    put_file("a.sh", "", 0644);
    put_file("w.worker", "exec 'a.sh'", 0644);
    check_names("w.worker", "__runner__.sh* a.sh ");
    put_file("w.worker", "exec 'a.sh'\nfile 'none'", 0644);
    check_tree_fails("w.worker", "w.worker:2:1: there is no file none");
    CHECK(rmdir("tmp") == 0);
    free(here);
}

/* ---- paths and URLs ---- */

static void check_taken(char *got, const char *want)
{
    CHECK_STR(got, want);
    free(got);
}

TEST(github_pages_are_read_raw)
{
    check_taken(dw_raw_url("https://github.com/u/r/blob/master/a/b.rb"),
                "https://raw.githubusercontent.com/u/r/master/a/b.rb");
    check_taken(dw_raw_url("http://github.com/u/r/raw/v1/b.rb"),
                "https://raw.githubusercontent.com/u/r/v1/b.rb");
    check_taken(dw_raw_url("https://github.com/u/r"), "https://github.com/u/r");
    check_taken(dw_raw_url("https://github.com/u/r/archive/v1.zip"),
                "https://github.com/u/r/archive/v1.zip");
    check_taken(dw_raw_url("https://example.com/u/r/blob/b"), "https://example.com/u/r/blob/b");
}

TEST(base_names_of_paths_and_urls)
{
    check_taken(dw_base_name("a/b.rb"), "b.rb");
    check_taken(dw_base_name("../models/"), "models");
    check_taken(dw_base_name("http://h/a/b.rb?x=1#y"), "b.rb");
    check_taken(dw_base_name("http://h:1/"), "");
    check_taken(dw_base_name("http://host"), "");
    check_taken(dw_base_name("/"), "");
}

/* A web server for as many requests as there are answers. */
struct web {
    int listener, port;
    pthread_t thread;
    const char *const *answers;
    size_t n;
    char requests[4096];
};

static void *web_main(void *arg)
{
    struct web *w = arg;
    for (size_t i = 0; i < w->n; i++) {
        char head[1024];
        size_t len = 0;
        int fd = accept(w->listener, NULL, NULL);
        CHECK(fd >= 0);
        while (len < sizeof(head) - 1 && !(len >= 4 && !memcmp(head + len - 4, "\r\n\r\n", 4)))
            CHECK(read(fd, head + len++, 1) == 1);
        head[strcspn(head, "\r")] = '\0';
        size_t used = strlen(w->requests);
        snprintf(w->requests + used, sizeof(w->requests) - used, "%s\n", head);
        CHECK(write(fd, w->answers[i], strlen(w->answers[i])) == (ssize_t)strlen(w->answers[i]));
        close(fd);
    }
    return NULL;
}

static void web_start(struct web *w, const char *const *answers, size_t n)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    *w = (struct web){.answers = answers, .n = n};
    w->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(w->listener, (struct sockaddr *)&at, len) == 0);
    CHECK(listen(w->listener, 8) == 0);
    CHECK(getsockname(w->listener, (struct sockaddr *)&at, &len) == 0);
    w->port = ntohs(at.sin_port);
    CHECK(pthread_create(&w->thread, NULL, web_main, w) == 0);
    httpc_global_init();
}

static void web_join(struct web *w, const char *requests)
{
    CHECK(pthread_join(w->thread, NULL) == 0);
    CHECK_STR(w->requests, requests);
    close(w->listener);
}

#define OK_TEXT(text) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" text

TEST(files_are_fetched_from_the_web)
{
    static const char *const answers[] = {OK_TEXT("echo fetched"), OK_TEXT("data")};
    struct web web;
    char text[256];
    web_start(&web, answers, 2);
    snprintf(text, sizeof(text),
             "exec 'http://127.0.0.1:%d/w/run.sh?v=2'\nfile 'http://127.0.0.1:%d/x.txt', 'd'",
             web.port, web.port);
    put_file("w.worker", text, 0644);
    unpack_worker("w.worker", "out");
    web_join(&web, "GET /w/run.sh?v=2 HTTP/1.1\nGET /x.txt HTTP/1.1\n");
    check_run("out", "{}", "fetched\n");
    CHECK(access("out/d/x.txt", R_OK) == 0);
}

TEST(a_worker_file_on_the_web_has_its_files_beside_it)
{
    static const char *const answers[] = {OK_TEXT("exec 'run.sh'\nname 'far'"),
                                          OK_TEXT("echo far")};
    struct web web;
    char url[128];
    web_start(&web, answers, 2);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/dir/w.worker", web.port);
    unpack_worker(url, "out");
    web_join(&web, "GET /dir/w.worker HTTP/1.1\nGET /dir/run.sh HTTP/1.1\n");
    check_run("out", "{}", "far\n");
}

static void check_fetch_fails(const char *answer, int code, const char *end)
{
    struct web web;
    struct dw_tree t = {0};
    struct err e = {0};
    char text[128], message[256];
    web_start(&web, &answer, 1);
    snprintf(text, sizeof(text), "exec 'a.sh'\nfile 'http://127.0.0.1:%d/x'", web.port);
    put_file("a.sh", "", 0644);
    put_file("w.worker", text, 0644);
    CHECK_INT(try_tree("w.worker", &t, NULL, &e), code);
    web_join(&web, "GET /x HTTP/1.1\n");
    snprintf(message, sizeof(message), "w.worker:2:1: cannot fetch http://127.0.0.1:%d/x: %s",
             web.port, end);
    CHECK_STR(e.msg, message);
}

TEST(what_cannot_be_fetched_is_said_with_its_line)
{
    check_fetch_fails("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", ERR_NOT_FOUND,
                      "the server answers 404");
    check_fetch_fails("HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n",
                      ERR_INVALID,
                      "the server answers 302 and points elsewhere: give the address of the file "
                      "itself");
}

TAP_MAIN
