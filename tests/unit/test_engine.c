/* runner/engine against a scripted engine: versions, errors, answers that are cut, wrong or absent,
 * and what goes over the wire. */
#include "runner/engine/engine.h"

#include "lib/clock.h"
#include "lib/httpc.h"
#include "tests/fake/bench.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

#define V41     FAKE_VERSION("1.41", "1.12")
#define PRESENT .body = "{}"

/* ---- address ---- */

TEST(an_address_is_a_unix_url_or_a_path)
{
    static const char *const good[] = {"unix:///run/x.sock", "/run/x.sock"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct err e = {0};
        struct engine *g = NULL;
        CHECK_OK(engine_new(good[i], &g, &e), &e);
        CHECK_STR(engine_socket(g), "/run/x.sock");
        engine_free(g);
    }
    engine_free(NULL);
}

TEST(any_other_address_is_a_usage_error_that_names_it)
{
    char too_long[150] = "unix://";
    memset(too_long + 7, '/', 120);
    const char *const bad[] = {"", "tcp://127.0.0.1:2375", "unix://x.sock", "x.sock", too_long};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};
        struct engine *g = NULL;
        CHECK_INT(engine_new(bad[i], &g, &e), ERR_USAGE);
        CHECK_HAS(e.msg, bad[i]);
        CHECK(g == NULL);
    }
}

TEST(no_engine_is_unreachable)
{
    struct err e = {0};
    struct engine *g = NULL;
    struct engine_version v;
    httpc_global_init();
    CHECK_OK(engine_new("/nowhere/docker.sock", &g, &e), &e);
    CHECK_INT(engine_ping(g, &v, &e), ERR_UNREACHABLE);
    CHECK_HAS(e.msg, "/nowhere/docker.sock");
    engine_free(g);
}

/* ---- version ---- */

TEST(the_version_is_asked_once_and_then_spoken)
{
    OPEN(b, V41, {.expect = "GET /v1.41/volumes/a ", PRESENT},
         {.expect = "GET /v1.41/volumes/b ", PRESENT});
    bool there = false;
    CHECK_OK(engine_volume_exists(b.g, "a", &there, &b.e), &b.e);
    CHECK_OK(engine_volume_exists(b.g, "b", &there, &b.e), &b.e);
    CHECK(there);
    bench_close(&b);
}

TEST(a_ping_says_who_answers)
{
    OPEN(b, V41);
    struct engine_version v;
    CHECK_OK(engine_ping(b.g, &v, &b.e), &b.e);
    CHECK_STR(v.version, "20.10.24");
    CHECK_INT(v.api, 41);
    CHECK_STR(v.platform, "Docker Engine");
    bench_close(&b);
}

TEST(podman_is_told_by_its_component)
{
    OPEN(b, {.body = "{\"Platform\":{\"Name\":\"linux/amd64/debian-12\"},\"Components\":[{\"Name\":"
                     "\"Podman Engine\",\"Version\":\"4.3.1\"}],\"Version\":\"4.3.1\","
                     "\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.24\"}"});
    struct engine_version v;
    CHECK_OK(engine_ping(b.g, &v, &b.e), &b.e);
    CHECK_STR(v.platform, "Podman Engine");
    CHECK_STR(v.version, "4.3.1");
    bench_close(&b);
}

TEST(a_newer_engine_is_spoken_to_in_our_newest_version)
{
    OPEN(b, FAKE_VERSION("1.99", "1.44"), {.expect = "GET /v1.47/volumes/a ", PRESENT});
    bool there = false;
    CHECK_OK(engine_volume_exists(b.g, "a", &there, &b.e), &b.e);
    bench_close(&b);
}

TEST(an_engine_that_accepts_only_newer_versions_is_named_with_both)
{
    OPEN(b, FAKE_VERSION("1.60", "1.48"));
    struct engine_version v;
    CHECK_INT(engine_ping(b.g, &v, &b.e), ERR_UNAVAILABLE);
    CHECK_HAS(b.e.msg, "1.48 to 1.60");
    CHECK_HAS(b.e.msg, "1.40 to 1.47");
    bench_close(&b);
}

TEST(an_engine_that_is_too_old_is_named_with_both)
{
    OPEN(b, FAKE_VERSION("1.39", "1.12"));
    struct engine_version v;
    CHECK_INT(engine_ping(b.g, &v, &b.e), ERR_UNAVAILABLE);
    CHECK_HAS(b.e.msg, "1.12 to 1.39");
    CHECK_HAS(b.e.msg, "1.40 to 1.47");
    bench_close(&b);
}

TEST(a_version_that_is_none_is_a_protocol_error)
{
    static const char *const bodies[] = {"",
                                         "[]",
                                         "{}",
                                         "{\"Version\":\"1\",\"ApiVersion\":\"2.1\"}",
                                         "{\"Version\":\"1\",\"ApiVersion\":\"1.x\"}",
                                         "{\"Version\":\"1\",\"ApiVersion\":41}"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        OPEN(b, {.body = bodies[i]});
        struct engine_version v;
        CHECK_INT(engine_ping(b.g, &v, &b.e), ERR_PROTOCOL);
        bench_close(&b);
    }
}

TEST(a_socket_of_something_else_never_reads_as_gone)
{
    OPEN(b, {.status = 404, .body = "{\"message\":\"page not found\"}"});
    CHECK_INT(engine_remove(b.g, "abc", &b.e), ERR_PROTOCOL);
    bench_close(&b);
}

TEST(after_a_reconnect_the_version_is_asked_again)
{
    OPEN(b, V41, {.expect = "GET /v1.41/volumes/a ", PRESENT, .then = FAKE_CLOSE},
         {.expect = "GET /v1.41/volumes/b ", PRESENT}, FAKE_VERSION("1.44", "1.24"),
         {.expect = "GET /v1.44/volumes/c ", PRESENT},
         {.expect = "GET /v1.44/volumes/d ", PRESENT});
    bool there = false;
    for (const char *name = "a\0b\0c\0d\0"; *name; name += 2)
        CHECK_OK(engine_volume_exists(b.g, name, &there, &b.e), &b.e);
    bench_close(&b);
}

TEST(a_request_in_a_version_that_the_new_engine_refuses_is_repeated_in_its_own)
{
    OPEN(b, V41, {.expect = "GET /v1.41/volumes/a ", PRESENT, .then = FAKE_CLOSE},
         {.expect = "DELETE /v1.41/containers/x?force=1&v=1 ",
          .status = 400,
          .type = "text/plain; charset=utf-8",
          .body = "client version 1.41 is too old. Minimum supported API version is 1.44\n"},
         FAKE_VERSION("1.46", "1.44"),
         {.expect = "DELETE /v1.46/containers/x?force=1&v=1 ", .status = 200});
    bool there = false;
    CHECK_OK(engine_volume_exists(b.g, "a", &there, &b.e), &b.e);
    CHECK_OK(engine_remove(b.g, "x", &b.e), &b.e);
    bench_close(&b);
}

TEST(a_refused_request_is_not_repeated_in_the_same_version)
{
    OPEN(b, V41, {PRESENT, .then = FAKE_CLOSE},
         {.status = 400, .body = "{\"message\":\"bad signal\"}"}, V41);
    bool there = false;
    CHECK_OK(engine_volume_exists(b.g, "a", &there, &b.e), &b.e);
    CHECK_INT(engine_kill(b.g, "x", 99, &b.e), ERR_INVALID);
    CHECK_HAS(b.e.msg, "bad signal");
    bench_close(&b);
}

TEST(after_a_lost_answer_the_version_is_asked_again)
{
    OPEN(b, V41, {.then = FAKE_RESTART}, {.then = FAKE_RESTART}, FAKE_VERSION("1.40", "1.12"),
         {.expect = "GET /v1.40/volumes/a ", PRESENT});
    bool there = false;
    /* libcurl repeats it once by itself, on a new connection. */
    CHECK_INT(engine_volume_exists(b.g, "a", &there, &b.e), ERR_UNREACHABLE);
    CHECK_OK(engine_volume_exists(b.g, "a", &there, &b.e), &b.e);
    bench_close(&b);
}

/* ---- errors ---- */

TEST(errors_are_told_apart_by_status)
{
    static const struct {
        unsigned status;
        int code;
    } rows[] = {{400, ERR_INVALID},     {401, ERR_INVALID},     {403, ERR_INVALID},
                {404, ERR_NOT_FOUND},   {406, ERR_INVALID},     {409, ERR_CONFLICT},
                {500, ERR_UNAVAILABLE}, {503, ERR_UNAVAILABLE}, {302, ERR_PROTOCOL}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        OPEN(b, V41, {.status = rows[i].status, .body = "{\"message\":\"its words\"}"});
        CHECK_INT(engine_start(b.g, "x", &b.e), rows[i].code);
        CHECK_HAS(b.e.msg, "its words");
        bench_close(&b);
    }
}

TEST(a_plain_text_error_is_shown_on_one_line)
{
    OPEN(b, V41, {.status = 500, .type = "text/plain", .body = "first\nsecond\r\n"});
    CHECK_INT(engine_start(b.g, "x", &b.e), ERR_UNAVAILABLE);
    CHECK_STR(b.e.msg, "engine answered 500: first second");
    bench_close(&b);
}

TEST(an_error_text_of_any_length_is_cut)
{
    autofree char *body = calloc(1, 100001);
    memset(body, 'x', 100000);
    OPEN(b, V41, {.status = 404, .type = "text/plain", .body = body});
    CHECK_INT(engine_start(b.g, "x", &b.e), ERR_NOT_FOUND);
    CHECK_HAS(b.e.msg, "xxxx");
    bench_close(&b);
}

TEST(an_answer_cut_in_the_middle_is_a_protocol_error)
{
    OPEN(b, V41,
         {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Id\":", .then = FAKE_CLOSE});
    struct engine_state s;
    CHECK_INT(engine_inspect(b.g, "x", &s, &b.e), ERR_PROTOCOL);
    bench_close(&b);
}

TEST(an_answer_that_is_no_json_is_a_protocol_error)
{
    OPEN(b, V41, {.body = "{\"Id\":"});
    struct engine_state s;
    CHECK_INT(engine_inspect(b.g, "x", &s, &b.e), ERR_PROTOCOL);
    bench_close(&b);
}

TEST(an_answer_over_the_ceiling_is_too_big)
{
    static char body[(4 << 20) + 2];
    memset(body, ' ', sizeof(body) - 1);
    OPEN(b, V41, {.body = body});
    struct engine_state s;
    CHECK_INT(engine_inspect(b.g, "x", &s, &b.e), ERR_TOO_BIG);
    bench_close(&b);
}

TEST(an_engine_that_hangs_times_out)
{
    OPEN(b, {.expect = "GET /version ", .then = FAKE_HANG});
    struct engine_version v;
    int64_t start = clock_mono_ms();
    CHECK_INT(engine_ping(b.g, &v, &b.e), ERR_TIMEOUT);
    CHECK(clock_mono_ms() - start < 8000);
    bench_close(&b);
}

TEST(an_answer_in_single_bytes_is_put_together)
{
    OPEN(b, {.body = "{\"Version\":\"1\",\"ApiVersion\":\"1.41\"}", .then = FAKE_DRIBBLE});
    struct engine_version v;
    CHECK_OK(engine_ping(b.g, &v, &b.e), &b.e);
    CHECK_INT(v.api, 41);
    bench_close(&b);
}

/* ---- host ---- */

TEST(info_tells_what_the_host_can_enforce)
{
    OPEN(b, V41,
         {.expect = "GET /v1.41/info ",
          .body = "{\"NCPU\":2,\"MemTotal\":8000,\"MemoryLimit\":true,\"SwapLimit\":false,"
                  "\"CpuCfsQuota\":true,\"PidsLimit\":true,\"CgroupVersion\":\"2\","
                  "\"SecurityOptions\":[\"name=apparmor\",\"name=seccomp,profile=default\"]}"});
    struct engine_host h;
    CHECK_OK(engine_info(b.g, &h, &b.e), &b.e);
    CHECK_INT(h.cpus, 2);
    CHECK_INT(h.memory_bytes, 8000);
    CHECK(h.memory_limit && !h.swap_limit && h.cpu_quota && h.pids_limit && h.seccomp);
    CHECK_INT(h.cgroup_version, 2);
    bench_close(&b);
}

TEST(what_info_leaves_out_is_not_promised)
{
    OPEN(b, V41,
         {.body = "{\"NCPU\":2,\"MemTotal\":8000,\"SecurityOptions\":[\"name=seccompx\",7]}"});
    struct engine_host h;
    CHECK_OK(engine_info(b.g, &h, &b.e), &b.e);
    CHECK(!h.memory_limit && !h.swap_limit && !h.cpu_quota && !h.pids_limit && !h.seccomp);
    CHECK_INT(h.cgroup_version, 1);
    bench_close(&b);
}

/* ---- images ---- */

TEST(an_image_is_described_by_its_config)
{
    OPEN(b, V41,
         {.expect = "GET /v1.41/images/reg.x%3A5000/a/b%3A1/json ",
          .body =
              "{\"Id\":\"sha256:ab\",\"Size\":77,\"Config\":{\"User\":\"u\",\"WorkingDir\":\"/w\","
              "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"a\",\"b\"],\"Env\":[\"K=V\"],"
              "\"Labels\":{\"wrought.taskdir\":\"1\"}}}"});
    struct engine_image i;
    CHECK_OK(engine_image_inspect(b.g, "reg.x:5000/a/b:1", &i, &b.e), &b.e);
    CHECK_STR(i.id, "sha256:ab");
    CHECK_STR(i.user, "u");
    CHECK_STR(i.working_dir, "/w");
    CHECK_STR(i.entrypoint[0], "/e");
    CHECK(i.entrypoint[1] == NULL);
    CHECK_STR(i.cmd[1], "b");
    CHECK_STR(i.env[0], "K=V");
    CHECK(i.task_dir);
    CHECK_INT(i.size_bytes, 77);
    engine_image_release(&i);
    bench_close(&b);
}

TEST(newer_engines_leave_out_what_an_image_does_not_set)
{
    static const char *const bodies[] = {
        "{\"Id\":\"sha256:ab\"}", "{\"Id\":\"sha256:ab\",\"Config\":null}",
        "{\"Id\":\"sha256:ab\",\"Config\":{\"Cmd\":null,\"Labels\":null,\"Env\":null}}"};
    for (size_t k = 0; k < ARRAY_LEN(bodies); k++) {
        OPEN(b, V41, {.body = bodies[k]});
        struct engine_image i;
        CHECK_OK(engine_image_inspect(b.g, "a", &i, &b.e), &b.e);
        CHECK_STR(i.user, "");
        CHECK(i.cmd[0] == NULL && i.entrypoint[0] == NULL && i.env[0] == NULL);
        CHECK(!i.task_dir);
        engine_image_release(&i);
        bench_close(&b);
    }
}

TEST(a_pull_without_a_tag_asks_for_latest_only)
{
    OPEN(b, V41, {.expect = "POST /v1.41/images/create?fromImage=host%3A1%2Fa&tag=latest "},
         {.expect = "POST /v1.41/images/create?fromImage=a%3A2 "},
         {.expect = "POST /v1.41/images/create?fromImage=a%40sha256%3Aff "});
    CHECK_OK(engine_image_pull(b.g, "host:1/a", NULL, 5000, NULL, NULL, &b.e), &b.e);
    CHECK_OK(engine_image_pull(b.g, "a:2", NULL, 5000, NULL, NULL, &b.e), &b.e);
    CHECK_OK(engine_image_pull(b.g, "a@sha256:ff", NULL, 5000, NULL, NULL, &b.e), &b.e);
    bench_close(&b);
}

TEST(a_pull_sends_the_registry_credentials)
{
    OPEN(b, V41, {.body = "{\"status\":\"ok\"}\n"});
    CHECK_OK(engine_image_pull(b.g, "a", "c2VjcmV0", 5000, NULL, NULL, &b.e), &b.e);
    bench_join(&b);
    CHECK_HAS(b.fake.requests[1], "X-Registry-Auth: c2VjcmV0\r\n");
    bench_release(&b);
}

TEST(an_error_inside_a_pull_is_unavailable_with_its_words)
{
    static const char *const bodies[] = {
        "{\"status\":\"x\"}\n{\"errorDetail\":{\"message\":\"no such host\"},\"error\":\"e\"}\r\n",
        "not json\n{\"error\":\"no such host\"}", /* an older shape, and no newline at the end */
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        OPEN(b, V41, {.body = bodies[i]});
        CHECK_INT(engine_image_pull(b.g, "a:1", NULL, 5000, NULL, NULL, &b.e), ERR_UNAVAILABLE);
        CHECK_STR(b.e.msg, "pull a:1: no such host");
        bench_close(&b);
    }
}

TEST(a_pull_in_single_bytes_is_read_line_by_line)
{
    OPEN(b, V41,
         {.raw =
              "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"x\"}\n{\"error\":\"e1\"}\n{\"error\":\"e2\"}\n",
          .then = FAKE_DRIBBLE});
    CHECK_INT(engine_image_pull(b.g, "a:1", NULL, 5000, NULL, NULL, &b.e), ERR_UNAVAILABLE);
    CHECK_STR(b.e.msg, "pull a:1: e1");
    bench_close(&b);
}

TEST(a_progress_line_over_its_ceiling_is_dropped_and_the_next_is_read)
{
    static char body[200000];
    memset(body, 'x', 100000);
    memcpy(body + 100000, "\n{\"error\":\"seen\"}\n", 19);
    OPEN(b, V41, {.body = body});
    CHECK_INT(engine_image_pull(b.g, "a:1", NULL, 5000, NULL, NULL, &b.e), ERR_UNAVAILABLE);
    CHECK_HAS(b.e.msg, "seen");
    bench_close(&b);
}

static int give_up(void *arg)
{
    *(int *)arg += 1;
    return 1;
}

TEST(a_pull_is_given_up_when_its_caller_says_so)
{
    OPEN(b, V41, {.then = FAKE_HANG});
    int asked = 0;
    CHECK_INT(engine_image_pull(b.g, "a:1", NULL, 60000, give_up, &asked, &b.e), ERR_CANCELLED);
    CHECK_INT(asked, 1);
    bench_close(&b);
}

TEST(a_pull_ends_at_its_timeout)
{
    OPEN(b, V41, {.then = FAKE_HANG});
    CHECK_INT(engine_image_pull(b.g, "a:1", NULL, 100, NULL, NULL, &b.e), ERR_TIMEOUT);
    bench_close(&b);
}

TEST(stacks_are_our_latest_tags_sorted)
{
    OPEN(b, V41,
         {.expect = "GET /v1.41/images/json ",
          .body =
              "[{\"RepoTags\":[\"wrought/ruby-3:latest\",\"wrought/x:1\"]},{\"RepoTags\":null},"
              "{\"RepoTags\":[\"localhost/wrought/node-18:latest\",\"other/wrought/y:latest\"]},"
              "{\"RepoTags\":[\"wrought/:latest\",\"<none>:<none>\"]}]"});
    char **names = NULL;
    CHECK_OK(engine_stacks(b.g, &names, &b.e), &b.e);
    CHECK_STR(names[0], "node-18");
    CHECK_STR(names[1], "ruby-3");
    CHECK(names[2] == NULL);
    engine_strings_free(names);
    bench_close(&b);
}

/* ---- containers ---- */

#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *const argv_init[] = {"/wrought/init", "--x", NULL};

TEST(a_task_container_is_asked_for_in_exactly_these_words)
{
    static const char *const env[] = {"A=b", NULL};
    static const struct engine_label labels[] = {{"wrought.attempt", "1"}, {"q", "\"\\"}};
    static const struct engine_mount mounts[] = {{NULL, "/task", false}, {"code1", "/code", true}};
    const struct engine_spec spec = {
        .name = "wr task",
        .image = "sha256:ab",
        .entrypoint = argv_init,
        .env = env,
        .user = "10001:10001",
        .working_dir = "/task",
        .labels = labels,
        .n_labels = ARRAY_LEN(labels),
        .mounts = mounts,
        .n_mounts = ARRAY_LEN(mounts),
        .network_mode = "container:sb",
        .open_stdin = true,
        .read_only_root = true,
        .tmpfs_tmp = true,
        .tmpfs_bytes = 1048576,
        .memory_bytes = 512ll << 20,
        .cpu_millis = 1500,
        .pids = 256,
        .drop_caps = true,
    };
    OPEN(b, V41,
         {.expect = "POST /v1.41/containers/create?name=wr%20task ",
          .status = 201,
          .body = "{\"Id\":\"" ID64 "\",\"Warnings\":[\"one\",\"two\"]}"});
    AUTO(buf) struct buf warnings = BUF_INIT(1000);
    char id[ENGINE_ID_TEXT];
    CHECK_OK(engine_create(b.g, &spec, id, &warnings, &b.e), &b.e);
    CHECK_STR(id, ID64);
    CHECK_STR(buf_str(&warnings), "one; two");
    bench_join(&b);
    CHECK_HAS(b.fake.requests[1], "Content-Type: application/json\r\n");
    CHECK_STR(
        fake_body(&b.fake, 1),
        "{\"Image\":\"sha256:ab\",\"Entrypoint\":[\"/wrought/init\",\"--x\"],\"Cmd\":[],"
        "\"Env\":[\"A=b\"],\"User\":\"10001:10001\",\"WorkingDir\":\"/task\","
        "\"Labels\":{\"wrought.attempt\":\"1\",\"q\":\"\\\"\\\\\"},\"Tty\":false,"
        "\"OpenStdin\":true,\"StdinOnce\":false,\"AttachStdin\":true,\"AttachStdout\":true,"
        "\"AttachStderr\":true,\"Healthcheck\":{\"Test\":[\"NONE\"]},"
        "\"HostConfig\":{\"NetworkMode\":\"container:sb\",\"IpcMode\":\"private\","
        "\"Init\":false,\"AutoRemove\":false,\"RestartPolicy\":{\"Name\":\"no\"},"
        "\"LogConfig\":{\"Type\":\"none\"},\"Memory\":536870912,\"MemorySwap\":536870912,"
        "\"NanoCpus\":1500000000,\"PidsLimit\":256,"
        "\"CapDrop\":[\"ALL\"],\"SecurityOpt\":[\"no-new-privileges\"],"
        "\"ReadonlyRootfs\":true,"
        "\"Tmpfs\":{\"/tmp\":\"rw,exec,nosuid,nodev,size=1048576,mode=1777\"},"
        "\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/task\",\"ReadOnly\":false},"
        "{\"Type\":\"volume\",\"Source\":\"code1\",\"Target\":\"/code\",\"ReadOnly\":true}]}}");
    bench_release(&b);
}

TEST(what_a_spec_leaves_out_is_not_asked_for)
{
    static const char *const net_admin[] = {"NET_ADMIN", NULL};
    const struct engine_spec spec = {.name = "sb",
                                     .image = "i",
                                     .entrypoint = argv_init,
                                     .user = "0:0",
                                     .network_mode = "bridge",
                                     .tmpfs_tmp = true,
                                     .cap_add = net_admin};
    OPEN(b, V41, {.status = 201, .body = "{\"Id\":\"ab\",\"Warnings\":null}"});
    AUTO(buf) struct buf warnings = BUF_INIT(1000);
    char id[ENGINE_ID_TEXT];
    CHECK_OK(engine_create(b.g, &spec, id, &warnings, &b.e), &b.e);
    CHECK_STR(buf_str(&warnings), "");
    bench_join(&b);
    CHECK_STR(fake_body(&b.fake, 1),
              "{\"Image\":\"i\",\"Entrypoint\":[\"/wrought/init\",\"--x\"],\"Cmd\":[],\"Env\":[],"
              "\"User\":\"0:0\",\"Labels\":{},\"Tty\":false,\"OpenStdin\":false,"
              "\"StdinOnce\":false,\"AttachStdin\":false,\"AttachStdout\":false,"
              "\"AttachStderr\":false,\"Healthcheck\":{\"Test\":[\"NONE\"]},"
              "\"HostConfig\":{\"NetworkMode\":\"bridge\",\"IpcMode\":\"private\","
              "\"Init\":false,\"AutoRemove\":false,\"RestartPolicy\":{\"Name\":\"no\"},"
              "\"LogConfig\":{\"Type\":\"none\"},\"CapAdd\":[\"NET_ADMIN\"],"
              "\"ReadonlyRootfs\":false,\"Tmpfs\":{\"/tmp\":\"rw,exec,nosuid,nodev,mode=1777\"},"
              "\"Mounts\":[]}}");
    bench_release(&b);
}

TEST(a_create_without_a_usable_id_is_a_protocol_error)
{
    static const char *const bodies[] = {"{}", "{\"Id\":\"\"}", "{\"Id\":7}",
                                         "{\"Id\":\"" ID64 "0\"}", "[]"};
    const struct engine_spec spec = {
        .name = "a", .image = "i", .entrypoint = argv_init, .user = "0", .network_mode = "none"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        OPEN(b, V41, {.status = 201, .body = bodies[i]});
        AUTO(buf) struct buf warnings = BUF_INIT(1000);
        char id[ENGINE_ID_TEXT];
        CHECK_INT(engine_create(b.g, &spec, id, &warnings, &b.e), ERR_PROTOCOL);
        bench_close(&b);
    }
}

TEST(starting_what_runs_already_is_success)
{
    OPEN(b, V41, {.expect = "POST /v1.41/containers/x/start ", .raw = "HTTP/1.1 304 X\r\n\r\n"});
    CHECK_OK(engine_start(b.g, "x", &b.e), &b.e);
    bench_close(&b);
}

TEST(kill_sends_the_signal_and_tells_not_running_from_gone)
{
    OPEN(b, V41, {.expect = "POST /v1.41/containers/x/kill?signal=15 ", .status = 204},
         {.status = 409}, {.status = 404});
    CHECK_OK(engine_kill(b.g, "x", 15, &b.e), &b.e);
    CHECK_INT(engine_kill(b.g, "x", 9, &b.e), ERR_CONFLICT);
    CHECK_INT(engine_kill(b.g, "x", 9, &b.e), ERR_NOT_FOUND);
    bench_close(&b);
}

TEST(removing_what_is_gone_is_success_and_a_removal_under_way_a_conflict)
{
    OPEN(b, V41, {.expect = "DELETE /v1.41/containers/x?force=1&v=1 ", .status = 204},
         {.status = 404}, {.status = 409});
    CHECK_OK(engine_remove(b.g, "x", &b.e), &b.e);
    CHECK_OK(engine_remove(b.g, "x", &b.e), &b.e);
    CHECK_INT(engine_remove(b.g, "x", &b.e), ERR_CONFLICT);
    bench_close(&b);
}

TEST(an_id_cannot_leave_its_place_in_the_path)
{
    OPEN(b, V41, {.expect = "POST /v1.41/containers/a%2Fb%3Fc/start ", .status = 404});
    CHECK_INT(engine_start(b.g, "a/b?c", &b.e), ERR_NOT_FOUND);
    bench_close(&b);
}

TEST(inspect_tells_how_it_ended_and_which_limits_it_had)
{
    OPEN(b, V41,
         {.expect = "GET /v1.41/containers/x/json ",
          .body = "{\"Id\":\"" ID64 "\",\"State\":{\"Status\":\"exited\",\"Running\":false,"
                  "\"OOMKilled\":true,\"ExitCode\":137,\"Error\":\"why\"},\"HostConfig\":"
                  "{\"Memory\":1,\"MemorySwap\":2,\"NanoCpus\":3,\"PidsLimit\":4}}"});
    struct engine_state s;
    CHECK_OK(engine_inspect(b.g, "x", &s, &b.e), &b.e);
    CHECK_STR(s.id, ID64);
    CHECK_STR(s.status, "exited");
    CHECK_INT(s.exit_code, 137);
    CHECK(s.oom_killed && !s.running);
    CHECK_STR(s.error, "why");
    CHECK(s.memory_bytes == 1 && s.memory_swap_bytes == 2 && s.nano_cpus == 3 && s.pids == 4);
    bench_close(&b);
}

TEST(an_unknown_ending_never_reads_as_exit_0)
{
    static const char *const bodies[] = {
        "{\"Id\":\"a\",\"HostConfig\":{}}",
        "{\"Id\":\"a\",\"HostConfig\":{},\"State\":{\"Status\":\"exited\",\"Running\":false}}",
        "{\"Id\":\"a\",\"HostConfig\":{},\"State\":{\"Status\":\"exited\",\"ExitCode\":0}}",
        "{\"Id\":\"a\",\"HostConfig\":{},\"State\":{\"Running\":false,\"ExitCode\":0}}",
        "{\"HostConfig\":{},\"State\":{\"Status\":\"exited\",\"Running\":false,\"ExitCode\":0}}"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        OPEN(b, V41, {.body = bodies[i]});
        struct engine_state s;
        CHECK_INT(engine_inspect(b.g, "x", &s, &b.e), ERR_PROTOCOL);
        bench_close(&b);
    }
}

TEST(a_list_finds_by_label_and_reads_names_states_and_labels)
{
    OPEN(b, V41,
         {.expect = "GET /v1.41/containers/json?all=1&filters="
                    "%7B%22label%22%3A%5B%22wrought.runner%3Dr1%22%5D%7D ",
          .body = "[{\"Id\":\"a\",\"Names\":[\"/n\"],\"State\":\"running\",\"Created\":17,"
                  "\"Labels\":{\"wrought.runner\":\"r1\",\"wrought\":\"x=y\"}},"
                  "{\"Id\":\"b\",\"Names\":null,\"State\":\"removing\",\"Labels\":null}]"});
    struct engine_entry *list = NULL;
    size_t n = 0;
    CHECK_OK(engine_list(b.g, "wrought.runner", "r1", &list, &n, &b.e), &b.e);
    CHECK_INT(n, 2);
    CHECK_STR(list[0].name, "n");
    CHECK_STR(list[0].state, "running");
    CHECK_INT(list[0].created_s, 17);
    CHECK_STR(engine_entry_label(&list[0], "wrought.runner"), "r1");
    CHECK_STR(engine_entry_label(&list[0], "wrought"), "x=y");
    CHECK(engine_entry_label(&list[0], "wrought.run") == NULL);
    CHECK_STR(list[1].name, "");
    CHECK(engine_entry_label(&list[1], "wrought") == NULL);
    engine_list_free(list, n);
    bench_close(&b);
}

TEST(a_list_by_key_alone_takes_any_value)
{
    OPEN(b, V41,
         {.expect = "GET /v1.41/containers/json?all=1&filters=%7B%22label%22%3A%5B%22k%22%5D%7D ",
          .body = "[]"});
    struct engine_entry *list = NULL;
    size_t n = 1;
    CHECK_OK(engine_list(b.g, "k", NULL, &list, &n, &b.e), &b.e);
    CHECK_INT(n, 0);
    engine_list_free(list, n);
    bench_close(&b);
}

TEST(a_list_that_is_none_never_reads_as_empty)
{
    static const char *const bodies[] = {"{}", "null", "[{\"Id\":\"\"}]", "[7]"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        OPEN(b, V41, {.body = bodies[i]});
        struct engine_entry *list = NULL;
        size_t n = 0;
        CHECK_INT(engine_list(b.g, "k", NULL, &list, &n, &b.e), ERR_PROTOCOL);
        CHECK(list == NULL);
        bench_close(&b);
    }
}

/* ---- volumes ---- */

TEST(a_volume_is_created_with_its_labels)
{
    static const struct engine_label labels[] = {{"k", "v"}};
    OPEN(b, V41,
         {.expect = "POST /v1.41/volumes/create ", .status = 201, .body = "{\"Name\":\"n\"}"});
    CHECK_OK(engine_volume_create(b.g, "n", labels, 1, &b.e), &b.e);
    bench_join(&b);
    CHECK_STR(fake_body(&b.fake, 1), "{\"Name\":\"n\",\"Labels\":{\"k\":\"v\"}}");
    bench_release(&b);
}

TEST(a_missing_volume_is_told_from_an_engine_that_cannot_say)
{
    OPEN(b, V41, {.expect = "GET /v1.41/volumes/n ", .status = 404}, {.status = 500});
    bool there = true;
    CHECK_OK(engine_volume_exists(b.g, "n", &there, &b.e), &b.e);
    CHECK(!there);
    CHECK_INT(engine_volume_exists(b.g, "n", &there, &b.e), ERR_UNAVAILABLE);
    bench_close(&b);
}

TEST(removing_a_gone_volume_is_success_and_a_used_one_a_conflict)
{
    OPEN(b, V41, {.expect = "DELETE /v1.41/volumes/n ", .status = 404}, {.status = 409});
    CHECK_OK(engine_volume_remove(b.g, "n", &b.e), &b.e);
    CHECK_INT(engine_volume_remove(b.g, "n", &b.e), ERR_CONFLICT);
    bench_close(&b);
}

TEST(volumes_are_listed_with_name_labels_and_age)
{
    OPEN(b, V41,
         {.expect = "GET /v1.41/volumes?filters=%7B%22label%22%3A%5B%22k%22%5D%7D ",
          .body = "{\"Volumes\":[{\"Name\":\"n\",\"Labels\":{\"k\":\"v\"},"
                  "\"CreatedAt\":\"1970-01-01T01:00:09+01:00\"},{\"Name\":\"m\"}]}"});
    struct engine_entry *list = NULL;
    size_t n = 0;
    CHECK_OK(engine_volume_list(b.g, "k", NULL, &list, &n, &b.e), &b.e);
    CHECK_INT(n, 2);
    CHECK_STR(list[0].name, "n");
    CHECK_STR(engine_entry_label(&list[0], "k"), "v");
    CHECK_INT(list[0].created_s, 9);
    CHECK_INT(list[1].created_s, 0);
    engine_list_free(list, n);
    bench_close(&b);
}

TEST(no_volumes_are_null_and_anything_else_is_a_protocol_error)
{
    OPEN(b, V41, {.body = "{\"Volumes\":null,\"Warnings\":null}"}, {.body = "{\"Volumes\":7}"},
         {.body = "[]"});
    struct engine_entry *list = NULL;
    size_t n = 1;
    CHECK_OK(engine_volume_list(b.g, "k", NULL, &list, &n, &b.e), &b.e);
    CHECK_INT(n, 0);
    CHECK_INT(engine_volume_list(b.g, "k", NULL, &list, &n, &b.e), ERR_PROTOCOL);
    CHECK_INT(engine_volume_list(b.g, "k", NULL, &list, &n, &b.e), ERR_PROTOCOL);
    bench_close(&b);
}

TAP_MAIN
