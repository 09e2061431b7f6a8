/* The verbs against a server that each test scripts: every request in order, one a connection. */
#include "cli/command.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "lib/httpc.h"
#include "lib/str.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

#define PROJECT "5f0c6a1e9b2d4c0007a1b2c0"
#define TASK    "5f0c7d009b2d4c0007a1c001"
#define CODE    "5f0c6a1e9b2d4c0007a1b2c3"

/* ---- the scripted server ---- */

#define MAX_STEPS  16
#define SEEN_BYTES (1 << 20)
#define CUT        "\1cut"  /* at the end of a reply: the connection ends in mid-answer */
#define CTRL_C     "\1intr" /* … the client is interrupted, and the connection stays */

struct step {
    /* How it begins, behind the project's path: "GET /tasks/…"; "GET //…" is no project's. */
    const char *request;
    const char *reply; /* JSON, text of a log, or "503" and the like */
};

static struct {
    int listener, port;
    pthread_t thread;
    const struct step *steps;
    size_t n_steps, done;
    char mismatch[512];
    struct buf seen[MAX_STEPS];
} server;

/* read_request: headers and body of the one request of a connection. */
static void read_request(int fd, struct buf *seen)
{
    for (;;) {
        char *room = buf_reserve(seen, 65536);
        ssize_t n = read(fd, room, 65536);
        CHECK(n > 0);
        buf_commit(seen, (size_t)n);
        const char *end = strstr(buf_str(seen), "\r\n\r\n");
        const char *length = strstr(buf_str(seen), "Content-Length: ");
        size_t body = length ? strtoull(length + 16, NULL, 10) : 0;
        if (end && seen->len >= (size_t)(end + 4 - buf_str(seen)) + body)
            return;
    }
}

static void say(int fd, const char *text, size_t len)
{
    (void)!send(fd, text, len, MSG_NOSIGNAL); /* a client may have heard enough */
}

static void say_headers(int fd, const char *status, const char *length)
{
    autofree char *text = str_fmt("HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                                  "Connection: close\r\n%s\r\n",
                                  status, length);
    say(fd, text, strlen(text));
}

static void say_chunk(int fd, const char *text, size_t len)
{
    autofree char *chunk = str_fmt("%zx\r\n%.*s\r\n", len, (int)len, text);
    if (len > 0)
        say(fd, chunk, strlen(chunk));
}

static void wait_for_close(int fd)
{
    char byte;
    while (read(fd, &byte, 1) > 0)
        continue;
}

static void answer(int fd, const char *reply)
{
    const char *mark = strchr(reply, '\1');
    if (strlen(reply) >= 3 && strspn(reply, "0123456789") == 3) { /* "404 {…}" */
        autofree char *status = str_fmt("%.3s Whatever", reply);
        say_headers(fd, status, "");
        say(fd, reply + 3, strlen(reply + 3));
        return;
    }
    say_headers(fd, "200 OK", "Transfer-Encoding: chunked\r\n");
    say_chunk(fd, reply, mark ? (size_t)(mark - reply) : strlen(reply));
    if (!mark) {
        say(fd, "0\r\n\r\n", 5);
    } else if (strcmp(mark, CTRL_C) == 0) {
        kill(getpid(), SIGINT);
        wait_for_close(fd);
    }
}

static void *serve(void *arg)
{
    (void)arg;
    for (; server.done < server.n_steps; server.done++) {
        const struct step *step = &server.steps[server.done];
        struct buf *seen = &server.seen[server.done];
        autoclose int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        *seen = BUF_INIT(SEEN_BYTES);
        read_request(fd, seen);
        const char *path = strchr(step->request, ' ') + 1;
        const char *prefix = str_starts(path, "//") ? "" : "/2/projects/" PROJECT;
        autofree char *want = str_fmt("%.*s%s%s", (int)(path - step->request), step->request,
                                      prefix, prefix[0] ? path : path + 1);
        if (!str_starts(buf_str(seen), want)) {
            snprintf(server.mismatch, sizeof(server.mismatch), "step %zu: want %s, got %.200s",
                     server.done, want, buf_str(seen));
            return NULL;
        }
        answer(fd, step->reply);
    }
    return NULL;
}

static void listen_here(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(server.listener, (struct sockaddr *)&at, len) == 0);
    CHECK(listen(server.listener, MAX_STEPS) == 0);
    CHECK(getsockname(server.listener, (struct sockaddr *)&at, &len) == 0);
    server.port = ntohs(at.sin_port);
}

/* ---- running a command line ---- */

#define MAX_WORDS 16
static const char *stdout_path = "out";
static char said_out[1 << 16], said_err[1 << 16];

static void read_back(const char *path, char *to, size_t bytes)
{
    autofclose FILE *f = fopen(path, "r");
    CHECK(f != NULL);
    to[fread(to, 1, bytes - 1, f)] = '\0';
}

/* command: its exit code; what it wrote is in said_out and said_err. stdout and stderr are the test
 * report's again after it. */
static int command(const char *const words[MAX_WORDS])
{
    char *argv[MAX_WORDS + 2] = {(char *)(uintptr_t) "/usr/bin/wrought"};
    for (int i = 0; i < MAX_WORDS && words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    autoclose int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    fflush(stdout);
    CHECK(freopen(stdout_path, "w", stdout) && freopen("err", "w", stderr));
    int code = command_main(argv);
    fflush(stdout);
    fflush(stderr);
    clearerr(stdout);
    CHECK(dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0);
    read_back(stdout_path, said_out, sizeof(said_out));
    read_back("err", said_err, sizeof(said_err));
    return code;
}

static void set_environment(void)
{
    autofree char *port = str_fmt("%d", server.port);
    clearenv();
    setenv("IRON_TOKEN", "sesame", 1);
    setenv("IRON_PROJECT_ID", PROJECT, 1);
    setenv("IRON_PORT", port, 1);
}

/* play: the command line against the script, all of which must have been asked for. */
static int play(const struct step *steps, size_t n, const char *const words[MAX_WORDS])
{
    sigset_t intr;
    sigemptyset(&intr);
    sigaddset(&intr, SIGINT);
    CHECK(pthread_sigmask(SIG_BLOCK, &intr, NULL) == 0); /* the server's thread never gets it */
    httpc_global_init();
    server.steps = steps;
    server.n_steps = n;
    listen_here();
    set_environment();
    CHECK(pthread_create(&server.thread, NULL, serve, NULL) == 0);
    int code = command(words);
    shutdown(server.listener, SHUT_RDWR); /* wakes an accept that nobody will come to */
    CHECK(pthread_join(server.thread, NULL) == 0);
    if (server.mismatch[0])
        TAP_FAIL("%s", server.mismatch);
    if (server.done != n)
        TAP_FAIL("only %zu of %zu requests came; stderr: %s", server.done, n, said_err);
    return code;
}
#define WORDS(...)       ((const char *const[MAX_WORDS]){__VA_ARGS__})
#define PLAY(steps, ...) play(steps, ARRAY_LEN(steps), WORDS(__VA_ARGS__))

static void forget_requests(void)
{
    for (size_t i = 0; i < MAX_STEPS; i++)
        buf_release(&server.seen[i]);
    close(server.listener);
}

#define IS_PROJECT                                                                                 \
    {                                                                                              \
        "GET  HTTP", "{\"id\":\"" PROJECT "\",\"name\":\"default\"}"                               \
    }
#define IS_TASK(phase, attempt, more)                                                              \
    {                                                                                              \
        "GET /tasks/" TASK " HTTP",                                                                \
            "{\"id\":\"" TASK "\",\"status\":\"" phase "\",\"attempt\":" #attempt more "}"         \
    }
#define IS_WAIT(text)                                                                              \
    {                                                                                              \
        "GET /tasks/" TASK "/log?follow=1&offset=0 HTTP", text                                     \
    }
#define IS_LOG(attempt, offset, text)                                                              \
    {                                                                                              \
        "GET /tasks/" TASK "/log?follow=1&offset=" #offset "&attempt=" #attempt " HTTP", text      \
    }
#define IS_QUEUED                                                                                  \
    {                                                                                              \
        "POST /tasks HTTP", "{\"msg\":\"Queued up\",\"tasks\":[{\"id\":\"" TASK "\"}]}"            \
    }

/* ---- queue ---- */

TEST(queue_says_what_iron_worker_said)
{
    static const struct step steps[] = {IS_PROJECT, IS_QUEUED};
    CHECK_INT(PLAY(steps, "queue", "hello", "-p", "{\"n\":1}", "--timeout", "2m", "--label", "l"),
              0);
    CHECK_STR(said_out, "------> Creating client\n"
                        "        Project 'default' with id='" PROJECT "'\n"
                        "------> Queueing task\n"
                        "        Code package 'hello' queued with id='" TASK "'\n"
                        "        Follow its log with 'wrought log -f " TASK "'\n");
    CHECK_STR(said_err, "");
    const char *request = buf_str(&server.seen[1]);
    CHECK_HAS(request, "Authorization: OAuth sesame\r\n");
    CHECK_HAS(request, "Content-Type: application/json\r\n");
    CHECK_HAS(request, "{\"tasks\":[{\"code_name\":\"hello\",\"payload\":\"{\\\"n\\\":1}\","
                       "\"timeout\":120,\"label\":\"l\"}]}");
    forget_requests();
}

TEST(queue_in_json_prints_the_answer_alone)
{
    static const struct step steps[] = {IS_QUEUED};
    CHECK_INT(PLAY(steps, "queue", "hello", "--json"), 0);
    CHECK_STR(said_out, "{\"msg\":\"Queued up\",\"tasks\":[{\"id\":\"" TASK "\"}]}\n");
    forget_requests();
}

TEST(connection_flags_may_stand_before_the_verb)
{
    static const struct step steps[] = {IS_QUEUED};
    CHECK_INT(PLAY(steps, "-token", "other", "--json", "queue", "hello"), 0);
    CHECK_HAS(buf_str(&server.seen[0]), "Authorization: OAuth other\r\n");
    CHECK_INT(command(WORDS("--json", NULL)), 64);
    CHECK_HAS(said_err, "which verb?");
    forget_requests();
}

TEST(queue_of_an_unknown_code_exits_with_66)
{
    static const struct step steps[] = {IS_PROJECT,
                                        {"POST /tasks", "404{\"msg\":\"no code \\\"x\\\"\"}"}};
    CHECK_INT(PLAY(steps, "queue", "x"), 66);
    CHECK_STR(said_err, "wrought: no code \"x\"\n");
    forget_requests();
}

/* key_of: the Idempotency-Key of a request. */
static char *key_of(size_t step)
{
    const char *header = strstr(buf_str(&server.seen[step]), "Idempotency-Key: ");
    CHECK(header != NULL);
    return str_dupn(header, strcspn(header, "\r"));
}

TEST(queue_is_sent_again_under_its_key)
{
    static const struct step steps[] = {
        IS_PROJECT, {"POST /tasks", "503{\"msg\":\"starting\"}"}, {"POST /tasks", CUT}, IS_QUEUED};
    CHECK_INT(PLAY(steps, "queue", "x"), 0);
    autofree char *first = key_of(1), *second = key_of(2), *third = key_of(3);
    CHECK_INT(strlen(first), strlen("Idempotency-Key: ") + 32);
    CHECK_STR(first, second);
    CHECK_STR(first, third);
    forget_requests();
}

TEST(queue_that_is_refused_is_not_sent_again)
{
    static const struct step steps[] = {IS_PROJECT, {"POST /tasks", "400{\"msg\":\"no\"}"}};
    CHECK_INT(PLAY(steps, "queue", "x"), 65);
    forget_requests();
}

TEST(retry_has_no_key_and_is_sent_once)
{
    static const struct step steps[] = {
        IS_PROJECT, {"POST /tasks/" TASK "/retry", "503{\"msg\":\"disk full\"}"}};
    CHECK_INT(PLAY(steps, "retry", TASK), 75);
    CHECK_STR(said_err, "wrought: disk full\n");
    forget_requests();
}

TEST(wait_prints_the_log_and_nothing_else)
{
    static const struct step steps[] = {IS_PROJECT,
                                        IS_QUEUED,
                                        IS_TASK("queued", 0, ""),
                                        IS_WAIT("line"),
                                        IS_TASK("running", 1, ""),
                                        IS_LOG(1, 0, "line\n\033[1mno newline"),
                                        IS_TASK("error", 1, ",\"exit_code\":3")};
    CHECK_INT(PLAY(steps, "queue", "hello", "--wait"), 3);
    CHECK_STR(said_out, "line\n\033[1mno newline");
    CHECK_HAS(said_err, "queued with id='" TASK "'");
    CHECK_HAS(said_err, "exit code 3");
    forget_requests();
}

/* ended: the exit code of --wait for a task that printed nothing. */
static int ended(const char *task)
{
    const struct step steps[] = {IS_PROJECT,
                                 IS_QUEUED,
                                 IS_TASK("running", 1, ""),
                                 IS_LOG(1, 0, ""),
                                 {"GET /tasks/" TASK, task}};
    int code = PLAY(steps, "queue", "hello", "-w");
    forget_requests();
    return code;
}
#define ENDED(status, more)                                                                        \
    ended("{\"id\":\"" TASK "\",\"attempt\":1,\"status\":\"" status "\"" more "}")

TEST(wait_exits_with_0_after_success)
{
    CHECK_INT(ENDED("complete", ",\"exit_code\":0"), 0);
}

TEST(wait_exits_with_124_after_a_timeout)
{
    CHECK_INT(ENDED("timeout", ""), 124);
}

TEST(wait_exits_with_130_when_cancelled)
{
    CHECK_INT(ENDED("cancelled", ""), 130);
}

TEST(wait_exits_with_125_when_it_could_not_run)
{
    CHECK_INT(ENDED("error", ",\"reason\":\"no such image\""), 125);
    CHECK_HAS(said_err, "no such image");
}

/* ---- retry, webhook ---- */

#define RETRIED "5f0c7d0c9b2d4c0007a1c0ff"

TEST(retry_tells_the_new_id)
{
    static const struct step steps[] = {IS_PROJECT,
                                        {"POST /tasks/" TASK "/retry",
                                         "{\"msg\":\"Queued up\",\"tasks\":[{\"id\":\"" RETRIED
                                         "\"}]}"}};
    CHECK_INT(PLAY(steps, "retry", TASK, "--delay", "1500ms"), 0);
    CHECK_HAS(said_out, "------> Retrying task with id='" TASK "'\n"
                        "        Task retried with id='" RETRIED "'\n");
    CHECK_HAS(buf_str(&server.seen[1]), "\r\n\r\n{\"delay\":2}");
    forget_requests();
}

TEST(webhook_is_an_address_with_token)
{
    static const struct step steps[] = {IS_PROJECT};
    CHECK_INT(PLAY(steps, "webhook", "hello"), 0);
    autofree char *want =
        str_fmt("------> Generating code package webhook\n"
                "        You can invoke your worker by POSTing to the following URL\n"
                "        http://127.0.0.1:%d/2/projects/" PROJECT
                "/tasks/webhook?code_name=hello&oauth=sesame\n",
                server.port);
    CHECK_HAS(said_out, want);
    forget_requests();
}

/* ---- schedules ---- */

#define SCHEDULE "5f0c7d009b2d4c0007a1c0aa"

TEST(schedule_sends_what_the_announcement_said)
{
    static const struct step steps[] = {IS_PROJECT,
                                        {"POST /schedules HTTP",
                                         "{\"msg\":\"Scheduled\",\"schedules\":[{\"id\":\"" SCHEDULE
                                         "\"}]}"}};
    CHECK_INT(PLAY(steps, "schedule", "import_worker", "--label", "Critical Task", "--start-at",
                   "2015-01-01T00:00:00-00:00", "--run-every", "3600"),
              0);
    CHECK_HAS(said_out, "------> Scheduling task\n"
                        "        Code package 'import_worker' scheduled with id='" SCHEDULE "'\n");
    CHECK_HAS(buf_str(&server.seen[1]),
              "{\"schedules\":[{\"code_name\":\"import_worker\",\"label\":\"Critical Task\","
              "\"run_every\":3600,\"start_at\":\"2015-01-01T00:00:00-00:00\"}]}");
    forget_requests();
}

TEST(update_sends_only_what_changes)
{
    static const struct step steps[] = {IS_PROJECT,
                                        {"PUT /schedules/" SCHEDULE, "{\"msg\":\"Updated\"}"}};
    CHECK_INT(PLAY(steps, "update", "schedule", SCHEDULE, "--label", "", "--zone", "UTC"), 0);
    CHECK_HAS(said_out, "------> Updating scheduled task with id=" SCHEDULE "\n"
                        "        Scheduled task updated successfully\n");
    CHECK_HAS(buf_str(&server.seen[1]), "\r\n\r\n{\"label\":\"\",\"zone\":\"UTC\"}");
    forget_requests();
}

TEST(update_takes_json_as_it_is)
{
    static const struct step steps[] = {IS_PROJECT,
                                        {"PUT /schedules/" SCHEDULE, "{\"msg\":\"Huh\"}"}};
    CHECK_INT(PLAY(steps, "update", "schedule", SCHEDULE, "-s", "{\"x\": 1}"), 0);
    CHECK_HAS(said_out, "        Something went wrong\n");
    CHECK_HAS(buf_str(&server.seen[1]), "\r\n\r\n{\"x\": 1}");
    forget_requests();
}

TEST(schedules_are_a_table)
{
    static const struct step steps[] = {
        {"GET /schedules?page=0&per_page=30&code_name=a%20b",
         "{\"schedules\":[{\"id\":\"" SCHEDULE "\",\"code_name\":\"a b\",\"status\":\"scheduled\","
         "\"run_every\":3600,\"next_start\":\"0001-01-01T00:00:00Z\",\"run_count\":2}]}"}};
    CHECK_INT(PLAY(steps, "schedules", "--code", "a b"), 0);
    CHECK_HAS(said_out, SCHEDULE "  a b   scheduled  1h     -     2     \n");
    forget_requests();
}

TEST(schedules_are_told_by_their_verb)
{
    static const struct step steps[] = {
        {"POST /schedules/" SCHEDULE "/trigger", "{\"msg\":\"Triggered\"}"}};
    CHECK_INT(PLAY(steps, "schedules", "trigger", SCHEDULE), 0);
    CHECK_STR(said_out, "        Schedule with id='" SCHEDULE "': Triggered\n");
    forget_requests();
}

/* ---- the Go client's spelling ---- */

TEST(worker_queue_prints_what_iron_printed)
{
    static const struct step steps[] = {IS_PROJECT,
                                        {"POST /tasks HTTP",
                                         "{\"msg\":\"Queued up\",\"tasks\":[{\"id\":\"" TASK
                                         "\"},{\"id\":\"" RETRIED "\"}]}"}};
    CHECK_INT(
        PLAY(steps, "-project-id", PROJECT, "worker", "queue", "-payload", "x", "-n", "2", "hello"),
        0);
    CHECK_STR(said_out, "----->  Configuring client\n"
                        "        Project 'default' with id='" PROJECT "'\n"
                        "----->  Queueing task 'hello'\n"
                        "        Queued task with id='" TASK "'\n"
                        "        Queued task with id='" RETRIED "'\n");
    CHECK_HAS(buf_str(&server.seen[1]), "{\"tasks\":[{\"code_name\":\"hello\",\"payload\":\"x\"},"
                                        "{\"code_name\":\"hello\",\"payload\":\"x\"}]}");
    forget_requests();
}

TEST(worker_queue_waits_and_exits_as_the_task_did)
{
    static const struct step steps[] = {IS_PROJECT, IS_QUEUED, IS_TASK("running", 1, ""),
                                        IS_LOG(1, 0, "line\n"),
                                        IS_TASK("error", 1, ",\"exit_code\":3,\"msg\":\"boom\"")};
    CHECK_INT(PLAY(steps, "worker", "queue", "-wait", "hello"), 3);
    CHECK_HAS(said_out, "----->  Printing Log:\nline\n----->  Done\n");
    CHECK_HAS(said_err, "error running task: boom\n");
    forget_requests();
}

TEST(worker_schedule_always_has_a_payload)
{
    static const struct step steps[] = {IS_PROJECT,
                                        {"POST /schedules HTTP",
                                         "{\"msg\":\"Scheduled\",\"schedules\":[{\"id\":\"" SCHEDULE
                                         "\"}]}"}};
    CHECK_INT(
        PLAY(steps, "worker", "schedule", "-run-every", "60", "-max-concurrency", "2", "hello"), 0);
    CHECK_HAS(said_out, "----->  Scheduling task 'hello'\n"
                        "        Scheduled task with id='" SCHEDULE "'\n");
    CHECK_HAS(buf_str(&server.seen[1]), "\"payload\":\"{}\"");
    CHECK_HAS(buf_str(&server.seen[1]), "\"max_concurrency\":2");
    forget_requests();
}

TEST(worker_status_is_a_word)
{
    static const struct step steps[] = {IS_PROJECT, IS_TASK("complete", 1, "")};
    CHECK_INT(PLAY(steps, "worker", "status", TASK), 0);
    CHECK_HAS(said_out, "----->  Getting status of task with id='" TASK "'\n        complete\n");
    forget_requests();
}

#define IS_UPLOADED                                                                                \
    {                                                                                              \
        "POST /codes HTTP", "{\"msg\":\"Upload successful.\",\"id\":\"" CODE "\"}"                 \
    }

TEST(worker_upload_takes_a_command_with_dashes)
{
    static const struct step steps[] = {IS_PROJECT, IS_UPLOADED};
    CHECK_INT(PLAY(steps, "worker", "upload", "-name", "hi", "-e", "A=b", "-config", "{}",
                   "acme/ruby:2", "ruby", "-w", "hi.rb"),
              0);
    CHECK_HAS(said_out, "----->  Uploading worker 'hi'\n"
                        "        Uploaded code package with id='" CODE "'\n");
    const char *request = buf_str(&server.seen[1]);
    CHECK_HAS(request, "\"name\":\"hi\"");
    CHECK_HAS(request, "\"image\":\"acme/ruby:2\"");
    CHECK_HAS(request, "\"command\":\"ruby -w hi.rb\"");
    CHECK_HAS(request, "\"config\":\"{}\"");
    CHECK_HAS(request, "\"env_vars\":{\"A\":\"b\"}");
    forget_requests();
}

TEST(register_names_the_code_like_its_image)
{
    static const struct step steps[] = {IS_PROJECT, IS_UPLOADED};
    CHECK_INT(PLAY(steps, "register", "registry:5000/acme/thumb:2"), 0);
    CHECK_HAS(said_out, "----->  Registering worker 'registry:5000/acme/thumb'\n"
                        "        Registered code package with id='" CODE "'\n");
    CHECK_HAS(buf_str(&server.seen[1]), "\"name\":\"registry:5000/acme/thumb\"");
    forget_requests();
}

TEST(docker_login_sends_what_docker_keeps)
{
    static const struct step steps[] = {IS_PROJECT,
                                        {"POST /credentials", "{\"msg\":\"Credentials stored\"}"}};
    CHECK_INT(PLAY(steps, "docker", "login", "-u", "ann", "-p", "s3cret", "-e", "a@b", "-url",
                   "https://r/"),
              0);
    CHECK_HAS(said_out, "----->  Storing docker repo credentials\n"
                        "        Added docker repo credentials: Credentials stored\n");
    const char *inner = "{\"username\":\"ann\",\"password\":\"s3cret\",\"email\":\"a@b\","
                        "\"serveraddress\":\"https://r/\"}";
    autofree char *auth = str_base64(inner, strlen(inner));
    CHECK_HAS(buf_str(&server.seen[1]), auth);
    CHECK_INT(command(WORDS("docker", "login", "-u", "ann", NULL)), 64);
    forget_requests();
}

/* ---- codes ---- */

#define IS_CODES                                                                                   \
    {                                                                                              \
        "GET /codes?page=0&per_page=100",                                                          \
            "{\"codes\":[{\"id\":\"" PROJECT "\",\"name\":\"other\"},{\"id\":\"" CODE              \
            "\",\"name\":\"hello\",\"rev\":3}]}"                                                   \
    }

TEST(pause_says_what_scripts_compare)
{
    static const struct step steps[] = {
        IS_PROJECT, IS_CODES, {"POST /codes/" CODE "/pause_task_queue", "{\"msg\":\"Paused\"}"}};
    CHECK_INT(PLAY(steps, "pause", "hello"), 0);
    CHECK_HAS(said_out, "        Task queue and schedules for hello paused successfully\n");
    forget_requests();
}

TEST(resume_of_a_code_that_runs_is_no_error)
{
    static const struct step steps[] = {
        IS_PROJECT,
        IS_CODES,
        {"POST /codes/" CODE "/resume_task_queue", "{\"msg\":\"Already resumed\"}"}};
    CHECK_INT(PLAY(steps, "resume", "hello"), 0);
    CHECK_HAS(said_out, "        Task queue and schedules for hello are already resumed\n");
    forget_requests();
}

TEST(code_is_found_on_a_later_page)
{
    AUTO(buf) struct buf page = BUF_INIT(1 << 16);
    buf_adds(&page, "{\"codes\":[");
    for (int i = 0; i < 100; i++)
        buf_addf(&page, "%s{\"id\":\"%024d\",\"name\":\"n%d\"}", i ? "," : "", i, i);
    buf_adds(&page, "]}");
    const struct step steps[] = {{"GET /codes?page=0&per_page=100", buf_str(&page)},
                                 {"GET /codes?page=1&per_page=100",
                                  "{\"codes\":[{\"id\":\"" CODE "\",\"name\":\"hello\"}]}"},
                                 {"DELETE /codes/" CODE " HTTP", "{\"msg\":\"Deleted\"}"}};
    CHECK_INT(PLAY(steps, "delete", "hello", "--json"), 0);
    CHECK_STR(said_out, "{\"msg\":\"Deleted\"}\n");
    forget_requests();
}

TEST(unknown_code_exits_with_66)
{
    static const struct step steps[] = {IS_CODES};
    CHECK_INT(PLAY(steps, "revisions", "nobody"), 66);
    CHECK_STR(said_err, "wrought: there is no code \"nobody\"\n");
    forget_requests();
}

TEST(download_that_is_cut_leaves_no_file)
{
    static const struct step steps[] = {IS_CODES,
                                        {"GET /codes/" CODE "/download?revision=3 HTTP", "PK" CUT}};
    CHECK(PLAY(steps, "download", "hello", "-o", "hello.zip") != 0);
    CHECK(access("hello.zip", F_OK) != 0 && access("hello.zip.part", F_OK) != 0);
    forget_requests();
}

TEST(family_of_verbs_is_listed)
{
    clearenv();
    CHECK_INT(command(WORDS("info", NULL)), 64);
    CHECK_HAS(said_err, "info goes on with one of: code, task");
}

/* ---- following ---- */

TEST(follower_goes_on_at_its_offset)
{
    static const struct step steps[] = {IS_PROJECT,
                                        IS_TASK("running", 1, ""),
                                        IS_LOG(1, 0, "first" CUT),
                                        IS_TASK("running", 1, ""),
                                        IS_LOG(1, 5, " second"),
                                        IS_TASK("complete", 1, "")};
    CHECK_INT(PLAY(steps, "log", "-f", TASK), 0);
    CHECK_STR(said_out, "first second");
    CHECK_HAS(said_err, "trying again");
    CHECK_HAS(said_err, "connected again");
    forget_requests();
}

TEST(follower_waits_while_the_server_restarts)
{
    static const struct step steps[] = {IS_PROJECT,
                                        IS_TASK("running", 1, ""),
                                        IS_LOG(1, 0, "a" CUT),
                                        IS_TASK("running", 1, ""),
                                        IS_LOG(1, 1, "503{\"msg\":\"starting\"}"),
                                        IS_TASK("running", 1, ""),
                                        IS_LOG(1, 1, "b"),
                                        IS_TASK("complete", 1, "")};
    CHECK_INT(PLAY(steps, "log", "--follow", TASK), 0);
    CHECK_STR(said_out, "ab");
    CHECK(strstr(said_err, "starting") == NULL); /* one notice is enough */
    forget_requests();
}

TEST(follower_does_not_trust_an_end_that_the_task_denies)
{
    static const struct step steps[] = {IS_PROJECT,        IS_TASK("running", 1, ""),
                                        IS_LOG(1, 0, "a"), IS_TASK("running", 1, ""),
                                        IS_LOG(1, 1, "b"), IS_TASK("complete", 1, "")};
    CHECK_INT(PLAY(steps, "log", "-f", TASK), 0);
    CHECK_STR(said_out, "ab");
    forget_requests();
}

TEST(follower_starts_over_with_a_new_attempt)
{
    static const struct step steps[] = {IS_PROJECT,
                                        IS_TASK("running", 1, ""),
                                        IS_LOG(1, 0, "lost"),
                                        IS_TASK("running", 2, ""),
                                        IS_LOG(2, 0, "whole"),
                                        IS_TASK("complete", 2, "")};
    CHECK_INT(PLAY(steps, "log", "-w", TASK), 0);
    CHECK_STR(said_out, "lostwhole");
    CHECK_HAS(said_err, "attempt 2 starts over");
    forget_requests();
}

TEST(log_of_an_ended_task_is_not_taken_for_its_last_one)
{
    static const struct step steps[] = {IS_PROJECT,
                                        IS_TASK("running", 1, ""),
                                        IS_LOG(1, 0, ""),
                                        IS_TASK("complete", 2, ""),
                                        IS_LOG(2, 0, "whole"),
                                        IS_TASK("complete", 2, "")};
    CHECK_INT(PLAY(steps, "log", "-f", TASK), 0);
    CHECK_STR(said_out, "whole");
    CHECK(strstr(said_err, "starts over") == NULL); /* nothing was shown of the first */
    forget_requests();
}

TEST(ended_task_is_followed_to_the_end_of_its_log)
{
    static const struct step steps[] = {IS_PROJECT, IS_TASK("error", 1, ""), IS_LOG(1, 0, "all"),
                                        IS_TASK("error", 1, "")};
    CHECK_INT(PLAY(steps, "log", "-f", TASK), 0);
    CHECK_STR(said_out, "all");
    forget_requests();
}

TEST(task_that_never_ran_has_nothing_to_follow)
{
    static const struct step steps[] = {IS_PROJECT, IS_TASK("queued", 0, ""), IS_WAIT(""),
                                        IS_TASK("cancelled", 0, "")};
    CHECK_INT(PLAY(steps, "log", "-f", TASK), 0);
    CHECK_STR(said_out, "");
    forget_requests();
}

TEST(ctrl_c_leaves_the_task_alone)
{
    static const struct step steps[] = {IS_PROJECT, IS_TASK("running", 1, ""),
                                        IS_LOG(1, 0, "tick\n" CTRL_C)};
    CHECK_INT(PLAY(steps, "log", "-f", TASK), 130);
    CHECK_STR(said_out, "tick\n");
    CHECK_HAS(said_err, "Task " TASK " goes on");
    CHECK_HAS(said_err, "wrought cancel " TASK);
    CHECK(strstr(said_err, "wrought: ") == NULL);
    forget_requests();
}

TEST(unknown_task_ends_the_follower)
{
    static const struct step steps[] = {IS_PROJECT,
                                        {"GET /tasks/" TASK, "404{\"msg\":\"Task not found\"}"}};
    CHECK_INT(PLAY(steps, "log", "-f", TASK), 66);
    CHECK_HAS(said_err, "wrought: Task not found\n");
    forget_requests();
}

/* ---- log ---- */

TEST(log_goes_to_stdout_as_it_is)
{
    static const struct step steps[] = {IS_PROJECT, {"GET /tasks/" TASK "/log HTTP", "a\r\nb"}};
    CHECK_INT(PLAY(steps, "log", TASK), 0);
    CHECK_STR(said_out, "a\r\nb");
    CHECK_HAS(said_err, "------> Getting log for task with id='" TASK "'\n");
    forget_requests();
}

TEST(log_of_a_running_task_suggests_to_follow)
{
    static const struct step steps[] = {
        IS_PROJECT,
        {"GET /tasks/" TASK "/log HTTP", "404{\"msg\":\"Log not found\"}"},
        IS_TASK("running", 1, "")};
    CHECK_INT(PLAY(steps, "log", TASK), 66);
    CHECK_HAS(said_err, "is running");
    CHECK_HAS(said_err, "wrought log -f " TASK);
    forget_requests();
}

TEST(log_that_is_cut_short_is_an_error)
{
    static const struct step steps[] = {IS_PROJECT, {"GET /tasks/" TASK "/log HTTP", "half" CUT}};
    CHECK_INT(PLAY(steps, "log", TASK), 125);
    forget_requests();
}

/* ---- upload ---- */

TEST(upload_sends_the_package_and_tells_the_revision)
{
    static const struct step steps[] = {
        IS_PROJECT,
        {"POST /codes HTTP", "{\"msg\":\"Upload successful.\",\"id\":\"" CODE "\"}"},
        {"GET /codes/" CODE " HTTP", "{\"id\":\"" CODE "\",\"name\":\"hi\",\"rev\":7}"}};
    autofclose FILE *f = fopen("hi.sh", "w");
    CHECK(f && fputs("echo hi\n", f) >= 0 && fflush(f) == 0);
    CHECK_INT(PLAY(steps, "upload", "hi.sh", "--retries", "2", "-e", "A=b=c"), 0);
    CHECK_HAS(said_out, "------> Creating code package\n        Code package name is 'hi'\n"
                        "------> Uploading code package 'hi'\n"
                        "        Code package uploaded with id='" CODE "' and revision='7'\n");
    const char *request = buf_str(&server.seen[1]);
    CHECK_HAS(request, "Content-Type: multipart/form-data; boundary=wrought-");
    CHECK_HAS(request, "{\"name\":\"hi\",\"runtime\":\"sh\",\"file_name\":\"hi.sh\","
                       "\"stack\":\"sh\",\"env_vars\":{\"A\":\"b=c\"},\"retries\":2}");
    CHECK_HAS(request, "name=\"file\"; filename=\"hi.zip\"\r\n");
    CHECK(memmem(request, server.seen[1].len, "PK\3\4", 4) != NULL);
    CHECK_STR(said_err, ""); /* no bar where no terminal is */
    forget_requests();
}

TEST(upload_that_is_refused_shows_the_reason)
{
    static const struct step steps[] = {
        IS_PROJECT, {"POST /codes", "400{\"msg\":\"unknown stack \\\"x\\\"\"}"}};
    CHECK_INT(PLAY(steps, "upload", "just-a-name", "--image", "i"), 65);
    CHECK_HAS(said_err, "wrought: unknown stack \"x\"\n");
    forget_requests();
}

/* ---- lists and the rest ---- */

TEST(tasks_are_a_table)
{
    static const struct step steps[] = {
        {"GET /tasks?page=0&per_page=2&code_name=a%20b&running=1 HTTP",
         "{\"tasks\":[{\"id\":\"" TASK "\",\"status\":\"queued\",\"phase\":\"preparing\","
         "\"code_name\":\"a b\",\"label\":\"x\\u001b[2Jy\"}]}"}};
    CHECK_INT(PLAY(steps, "tasks", "-n", "2", "--code", "a b", "--status", "running"), 0);
    CHECK_STR(said_out, "ID                        CODE  STATUS     AGE  DURATION  LABEL\n" TASK
                        "  a b   preparing  -    -         x\\x1b[2Jy\n");
    forget_requests();
}

TEST(lists_in_json_are_the_answer)
{
    static const struct step steps[] = {{"GET /codes?page=1&per_page=30 HTTP", "{\"codes\":[]}\n"}};
    CHECK_INT(PLAY(steps, "codes", "--page", "1", "--json"), 0);
    CHECK_STR(said_out, "{\"codes\":[]}\n");
    forget_requests();
}

TEST(codes_are_a_table)
{
    static const struct step steps[] = {{"GET /codes?page=0&per_page=30 HTTP",
                                         "{\"codes\":[{\"id\":\"" CODE
                                         "\",\"name\":\"hi\",\"rev\":3,\"max_concurrency\":-1,"
                                         "\"stack\":\"sh\"}]}"}};
    CHECK_INT(PLAY(steps, "codes"), 0);
    CHECK_STR(said_out, "ID                        NAME  REVISION  LIMIT   CHANGED  RUNS IN\n" CODE
                        "  hi    3         paused  -        sh\n");
    forget_requests();
}

TEST(status_shows_how_it_ended)
{
    static const struct step steps[] = {
        IS_TASK("error", 2,
                ",\"exit_code\":0,\"image\":\"wrought/sh\",\"reason\":\"r\",\"code_name\":\"hi\"")};
    CHECK_INT(PLAY(steps, "status", TASK), 0);
    CHECK_HAS(said_out, "id               " TASK "\ncode package     hi\n");
    CHECK_HAS(said_out, "status           error\nexit code        0\nreason           r\n");
    CHECK_HAS(said_out, "attempt          2\nimage            wrought/sh\n");
    forget_requests();
}

TEST(why_prints_reason_and_details)
{
    static const struct step steps[] = {
        {"GET /tasks/" TASK "/why HTTP",
         "{\"reason\":\"no runner\",\"details\":[\"one\",\"two\"]}"}};
    CHECK_INT(PLAY(steps, "why", TASK), 0);
    CHECK_STR(said_out, "no runner\n        one\n        two\n");
    forget_requests();
}

TEST(cancel_takes_several)
{
    static const struct step steps[] = {
        {"POST /tasks/" TASK "/cancel HTTP", "{\"msg\":\"Cancelled\"}"},
        {"POST /tasks/" CODE "/cancel HTTP", "{\"msg\":\"Cancelled\"}"}};
    CHECK_INT(PLAY(steps, "cancel", TASK, CODE), 0);
    CHECK_HAS(said_out, "Task with id='" TASK "' cancelled");
    CHECK_HAS(said_out, "Task with id='" CODE "' cancelled");
    forget_requests();
}

/* ---- health ---- */

TEST(health_needs_no_token_and_exits_with_0)
{
    static const struct step steps[] = {{"GET //health HTTP", "{\"msg\":\"ok\",\"healthy\":true}"}};
    CHECK_INT(PLAY(steps, "health"), 0);
    CHECK_HAS(said_out, " is well\n");
    CHECK(strstr(buf_str(&server.seen[0]), "Authorization") == NULL);
    forget_requests();
}

TEST(health_of_a_server_exits_with_75_and_says_why)
{
    static const struct step steps[] = {{"GET //health HTTP", "503{\"msg\":\"disk full\"}"}};
    CHECK_INT(PLAY(steps, "health"), 75);
    CHECK_HAS(said_err, "HTTP 503: disk full\n");
    forget_requests();
}

TEST(health_of_a_runner_names_its_problem)
{
    static const struct step steps[] = {
        {"GET //health HTTP", "503{\"state\":\"problem\",\"problem\":\"engine not answering\"}"}};
    CHECK_INT(PLAY(steps, "health"), 75);
    CHECK_HAS(said_err, "HTTP 503: engine not answering\n");
    forget_requests();
}

TEST(health_asks_the_address_that_is_named)
{
    httpc_global_init();
    listen_here();
    close(server.listener); /* a port that is free */
    autofree char *url = str_fmt("http://127.0.0.1:%d", server.port);
    clearenv();
    CHECK_INT(command(WORDS("health", url)), 69);
    CHECK_HAS(said_err, url);
}

/* ---- trouble ---- */

TEST(busy_server_is_asked_again)
{
    static const struct step steps[] = {{"GET /codes", "503{\"msg\":\"starting\"}"},
                                        {"GET /codes", "{\"codes\":[]}"}};
    CHECK_INT(PLAY(steps, "codes", "--json"), 0);
    forget_requests();
}

TEST(wrong_token_exits_with_77_and_says_whose)
{
    static const struct step steps[] = {{"GET /codes", "401{\"msg\":\"Not authorized\"}"}};
    CHECK_INT(PLAY(steps, "codes"), 77);
    CHECK_STR(said_err, "wrought: Not authorized (token from IRON_TOKEN)\n");
    forget_requests();
}

TEST(answer_that_is_no_json_is_not_swallowed)
{
    static const struct step steps[] = {{"GET /codes", "<html>"}};
    CHECK_INT(PLAY(steps, "codes"), 125);
    CHECK_HAS(said_err, "sent no JSON");
    forget_requests();
}

TEST(error_without_a_message_names_the_status)
{
    static const struct step steps[] = {{"GET /codes", "500<html>"}};
    CHECK_INT(PLAY(steps, "codes"), 125);
    CHECK_HAS(said_err, "HTTP 500");
    forget_requests();
}

TEST(absent_server_exits_with_69_and_is_named)
{
    httpc_global_init();
    listen_here();
    close(server.listener); /* a port that is free */
    set_environment();
    CHECK_INT(command(WORDS("codes")), 69);
    autofree char *where = str_fmt("no server at 127.0.0.1:%d", server.port);
    CHECK_HAS(said_err, where);
    CHECK_HAS(said_err, "port from IRON_PORT");
}

TEST(full_disk_behind_stdout_is_an_error)
{
    static const struct step steps[] = {{"GET /codes", "{\"codes\":[]}"}};
    stdout_path = "/dev/full";
    CHECK_INT(PLAY(steps, "codes"), 75);
    CHECK_HAS(said_err, "No space left");
    forget_requests();
}

TAP_MAIN
