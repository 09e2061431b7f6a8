/* The engine client on the real engine that DOCKER_HOST names: that the engine takes what we send
 * as we mean it, and answers as the scripted ones of the unit tests do. Run by engine-client.t. */
#include "runner/engine/engine.h"

#include <fcntl.h>
#include <poll.h>

#include "lib/bounds.h"
#include "lib/clock.h"
#include "lib/httpc.h"
#include "lib/str.h"
#include "runner/engine/attach.h"
#include "runner/engine/client.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

#define IMAGE     "wrought-test/busybox:latest"
#define TEST_MARK "wrought.test"
#define WAIT_MS   30000

/* ---- a container of a test, and what it says ---- */

struct box {
    struct engine *g;
    struct err e;
    char id[ENGINE_ID_TEXT];
    struct attach *a;
    struct buf out, err_out;
};

static struct engine *connect_engine(void)
{
    struct engine *g = NULL;
    struct err e = {0};
    const char *host = getenv("DOCKER_HOST");
    if (!host)
        TAP_FAIL("DOCKER_HOST names no engine");
    httpc_global_init();
    CHECK_OK(engine_new(host, &g, &e), &e);
    return g;
}

static struct engine_spec spec_of(const char *const *argv)
{
    static const struct engine_label labels[] = {{TEST_MARK, "1"}};
    static char name[64];
    static int count;
    snprintf(name, sizeof(name), "wrought-test-%d-%d", (int)getpid(), count++);
    return (struct engine_spec){.name = name,
                                .image = IMAGE,
                                .entrypoint = argv,
                                .user = "10001:10001",
                                .labels = labels,
                                .n_labels = 1,
                                .network_mode = "none",
                                .open_stdin = true};
}

static struct box box_create(const struct engine_spec *spec)
{
    struct box b = {.g = connect_engine(), .out = BUF_INIT(64 << 20), .err_out = BUF_INIT(4096)};
    AUTO(buf) struct buf warnings = BUF_INIT(4096);
    CHECK_OK(engine_create(b.g, spec, b.id, &warnings, &b.e), &b.e);
    return b;
}

static void box_start(struct box *b)
{
    CHECK_OK(attach_open(b->g, b->id, &b->a, &b->e), &b->e);
    CHECK_OK(engine_start(b->g, b->id, &b->e), &b->e);
}

/* box_hear: until `len` bytes of output are there, or the end with len SIZE_MAX. */
static void box_hear(struct box *b, size_t len)
{
    int64_t deadline = clock_mono_ms() + WAIT_MS;
    while (b->out.len < len) {
        bool pending = false;
        int rc = attach_recv(b->a, &b->out, &b->err_out, &b->e);
        if (rc == ERR_EMPTY && len == SIZE_MAX)
            return;
        CHECK_OK(rc, &b->e);
        CHECK_OK(attach_flush(b->a, &pending, &b->e), &b->e);
        struct pollfd p = {attach_fd(b->a), (short)(POLLIN | (pending ? POLLOUT : 0)), 0};
        CHECK(clock_mono_ms() < deadline);
        CHECK(poll(&p, 1, 1000) >= 0);
    }
}

static void box_remove(struct box *b)
{
    attach_close(b->a);
    CHECK_OK(engine_remove(b->g, b->id, &b->e), &b->e);
    engine_free(b->g);
    buf_release(&b->out);
    buf_release(&b->err_out);
}

/* box_state: inspected until it is not running. */
static struct engine_state box_ended(struct box *b)
{
    struct engine_state s = {.running = true};
    int64_t deadline = clock_mono_ms() + WAIT_MS;
    while (s.running) {
        CHECK(clock_mono_ms() < deadline);
        CHECK_OK(engine_inspect(b->g, b->id, &s, &b->e), &b->e);
    }
    return s;
}

/* sh: what a shell script prints in a container made of `spec`. */
static char *sh(struct engine_spec spec, const char *script)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    spec.entrypoint = argv;
    struct box b = box_create(&spec);
    box_start(&b);
    box_hear(&b, SIZE_MAX);
    struct engine_state s = box_ended(&b);
    char *out = buf_take(&b.out);
    if (s.exit_code != 0)
        TAP_FAIL("exit %d: %s%s", s.exit_code, out, buf_str(&b.err_out));
    box_remove(&b);
    return out;
}

static const char *const idle[] = {"/bin/cat", NULL};
static const char *const hello[] = {"/bin/echo", "hello", NULL};

/* ---- engine ---- */

TEST(the_engine_says_who_it_is_and_what_it_has)
{
    struct engine *g = connect_engine();
    struct err e = {0};
    struct engine_version v;
    struct engine_host h;
    CHECK_OK(engine_ping(g, &v, &e), &e);
    CHECK(v.version[0] && v.platform[0]);
    CHECK(v.api >= ENGINE_API_MIN && v.api <= ENGINE_API_MAX);
    CHECK_OK(engine_info(g, &h, &e), &e);
    CHECK(h.cpus > 0 && h.memory_bytes > 0);
    CHECK(h.memory_limit && h.cpu_quota && h.pids_limit && h.seccomp);
    engine_free(g);
}

/* The fake engines of the unit tests stand for these two answers. */
TEST(a_version_that_the_engine_refuses_is_noticed_and_corrected)
{
    static const int wrong[] = {99, 5};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct engine *g = connect_engine();
        struct err e = {0};
        struct engine_host h;
        g->api = wrong[i];
        CHECK_OK(engine_info(g, &h, &e), &e);
        CHECK(g->api >= ENGINE_API_MIN && g->api <= ENGINE_API_MAX);
        engine_free(g);
    }
}

/* ---- images ---- */

TEST(an_image_is_described)
{
    struct engine *g = connect_engine();
    struct err e = {0};
    struct engine_image i;
    CHECK_OK(engine_image_inspect(g, IMAGE, &i, &e), &e);
    CHECK(str_starts(i.id, "sha256:"));
    CHECK_STR(i.cmd[0], "sh");
    CHECK_STR(i.env[0], "PATH=/bin");
    CHECK(i.entrypoint[0] == NULL && !i.task_dir && i.size_bytes > 0);
    engine_image_release(&i);
    CHECK_INT(engine_image_inspect(g, "wrought-test/absent:1", &i, &e), ERR_NOT_FOUND);
    engine_free(g);
}

TEST(a_registry_that_cannot_be_reached_is_unavailable)
{
    struct engine *g = connect_engine();
    struct err e = {0};
    CHECK_INT(engine_image_pull(g, "127.0.0.1:1/absent", NULL, 60000, NULL, NULL, &e),
              ERR_UNAVAILABLE);
    CHECK_HAS(e.msg, "pull 127.0.0.1:1/absent: ");
    engine_free(g);
}

TEST(a_local_stack_is_listed)
{
    struct engine *g = connect_engine();
    struct err e = {0};
    char **names = NULL;
    bool found = false;
    CHECK_OK(engine_stacks(g, &names, &e), &e);
    for (char **n = names; *n; n++)
        found = found || strcmp(*n, "engine-client-test") == 0;
    CHECK(found);
    engine_strings_free(names);
    engine_free(g);
}

/* ---- a container's life ---- */

TEST(from_create_to_remove)
{
    struct engine_spec spec = spec_of(idle);
    struct box b = box_create(&spec);
    struct engine_state s;
    CHECK_OK(engine_inspect(b.g, b.id, &s, &b.e), &b.e);
    CHECK_STR(s.status, "created");
    CHECK_STR(s.id, b.id);
    CHECK_INT(engine_kill(b.g, b.id, SIGKILL, &b.e), ERR_CONFLICT);
    box_start(&b);
    CHECK_OK(engine_start(b.g, b.id, &b.e), &b.e); /* again: it is so already */
    CHECK_OK(engine_inspect(b.g, b.id, &s, &b.e), &b.e);
    CHECK(s.running);
    CHECK_OK(engine_kill(b.g, b.id, SIGKILL, &b.e), &b.e);
    box_hear(&b, SIZE_MAX);
    s = box_ended(&b);
    CHECK_STR(s.status, "exited");
    CHECK_INT(s.exit_code, 137);
    CHECK(!s.oom_killed);
    CHECK_OK(engine_remove(b.g, b.id, &b.e), &b.e);
    CHECK_INT(engine_inspect(b.g, b.id, &s, &b.e), ERR_NOT_FOUND);
    CHECK_INT(engine_kill(b.g, b.id, SIGKILL, &b.e), ERR_NOT_FOUND);
    CHECK_INT(attach_open(b.g, b.id, &b.a, &b.e), ERR_NOT_FOUND);
    CHECK_HAS(b.e.msg, b.id);
    box_remove(&b); /* gone already is success */
}

TEST(a_running_container_is_removed_by_force)
{
    struct engine_spec spec = spec_of(idle);
    struct box b = box_create(&spec);
    box_start(&b);
    box_remove(&b);
}

TEST(a_name_in_use_is_a_conflict_and_a_missing_image_not_found)
{
    struct engine_spec spec = spec_of(idle);
    struct box b = box_create(&spec);
    AUTO(buf) struct buf warnings = BUF_INIT(4096);
    char id[ENGINE_ID_TEXT];
    CHECK_INT(engine_create(b.g, &spec, id, &warnings, &b.e), ERR_CONFLICT);
    spec = spec_of(idle);
    spec.image = "wrought-test/absent:1";
    CHECK_INT(engine_create(b.g, &spec, id, &warnings, &b.e), ERR_NOT_FOUND);
    box_remove(&b);
}

TEST(a_command_that_does_not_exist_is_told_by_the_exit_code)
{
    static const char *const absent[] = {"/bin/absent", NULL};
    struct engine_spec spec = spec_of(absent);
    struct box b = box_create(&spec);
    struct engine_state s;
    CHECK_INT(engine_start(b.g, b.id, &b.e), ERR_INVALID);
    CHECK_OK(engine_inspect(b.g, b.id, &s, &b.e), &b.e);
    CHECK_INT(s.exit_code, 127);
    CHECK(s.error[0]);
    box_remove(&b);
}

TEST(lists_find_containers_by_label)
{
    static const struct engine_label labels[] = {{TEST_MARK, "1"},
                                                 {"wrought.test.list", "a=b \"c\""}};
    struct engine_spec spec = spec_of(idle);
    spec.labels = labels;
    spec.n_labels = ARRAY_LEN(labels);
    struct box b = box_create(&spec);
    struct engine_entry *list = NULL;
    size_t n = 0;
    CHECK_OK(engine_list(b.g, "wrought.test.list", "a=b \"c\"", &list, &n, &b.e), &b.e);
    CHECK_INT(n, 1);
    CHECK_STR(list[0].id, b.id);
    CHECK_STR(list[0].name, spec.name);
    CHECK_STR(list[0].state, "created");
    CHECK_STR(engine_entry_label(&list[0], "wrought.test.list"), "a=b \"c\"");
    CHECK(list[0].created_s > 1600000000);
    engine_list_free(list, n);
    CHECK_OK(engine_list(b.g, "wrought.test.list", "other", &list, &n, &b.e), &b.e);
    CHECK_INT(n, 0);
    engine_list_free(list, n);
    box_remove(&b);
}

/* ---- limits and privileges, seen from inside ---- */

TEST(what_the_spec_asks_for_applies)
{
    static const char *const env[] = {"GREETING=hello world", NULL};
    struct engine_spec spec = spec_of(NULL);
    spec.env = env;
    spec.working_dir = "/bin";
    spec.read_only_root = spec.tmpfs_tmp = spec.drop_caps = true;
    spec.tmpfs_bytes = 1 << 20;
    autofree char *out =
        sh(spec, "id -u; id -g; pwd; echo $GREETING $PATH;"
                 "sed -n 's/^CapBnd:.//p; s/^NoNewPrivs:.//p; s/^Seccomp:.//p'"
                 " /proc/self/status;"
                 "touch /x 2>/dev/null || echo read-only;"
                 "printf '#!/bin/sh\\necho runs\\n' >/tmp/x && chmod +x /tmp/x && /tmp/x;"
                 "stat -c %a /tmp; df -k /tmp | awk 'END { print $2 }';"
                 "ip -o link | wc -l");
    CHECK_STR(out, "10001\n10001\n/bin\nhello world /bin\n0000000000000000\n1\n2\nread-only\n"
                   "runs\n1777\n1024\n1\n");
}

TEST(limits_are_recorded_and_no_swap_is_left)
{
    struct engine_spec spec = spec_of(idle);
    spec.memory_bytes = 64 << 20;
    spec.cpu_millis = 500;
    spec.pids = 17;
    struct box b = box_create(&spec);
    struct engine_state s;
    CHECK_OK(engine_inspect(b.g, b.id, &s, &b.e), &b.e);
    CHECK_INT(s.memory_bytes, 64 << 20);
    CHECK_INT(s.memory_swap_bytes, 64 << 20);
    CHECK_INT(s.nano_cpus, 500000000);
    CHECK_INT(s.pids, 17);
    box_remove(&b);
}

TEST(a_task_over_its_memory_is_killed)
{
    struct engine_spec spec = spec_of(NULL);
    static const char *const eater[] = {"/bin/sh", "-c", "x=x; while :; do x=$x$x; done", NULL};
    spec.entrypoint = eater;
    spec.memory_bytes = 16 << 20;
    struct box b = box_create(&spec);
    box_start(&b);
    box_hear(&b, SIZE_MAX);
    struct engine_state s = box_ended(&b);
    CHECK(s.oom_killed);
    CHECK_INT(s.exit_code, 137);
    box_remove(&b);
}

TEST(a_capability_can_be_given_back)
{
    static const char *const net_admin[] = {"NET_ADMIN", NULL};
    struct engine_spec spec = spec_of(NULL);
    spec.user = "0:0";
    spec.drop_caps = true;
    spec.cap_add = net_admin;
    autofree char *out = sh(spec, "sed -n 's/^CapEff:.//p' /proc/self/status");
    CHECK_STR(out, "0000000000001000\n");
}

TEST(a_container_may_join_the_network_of_another)
{
    struct engine_spec sandbox = spec_of(idle);
    struct box b = box_create(&sandbox);
    box_start(&b);
    autofree char *mode = str_fmt("container:%s", b.id);
    struct engine_spec spec = spec_of(NULL);
    spec.network_mode = mode;
    autofree char *out = sh(spec, "hostname");
    CHECK(strncmp(out, b.id, 12) == 0); /* the sandbox's name: its hostname file is shared */
    box_remove(&b);
}

/* ---- attach ---- */

TEST(output_and_errors_come_apart)
{
    static const char *const both[] = {"/bin/sh", "-c", "echo out; echo oops >&2", NULL};
    struct engine_spec spec = spec_of(both);
    struct box b = box_create(&spec);
    box_start(&b);
    box_hear(&b, SIZE_MAX);
    CHECK_STR(buf_str(&b.out), "out\n");
    CHECK_STR(buf_str(&b.err_out), "oops\n");
    box_remove(&b);
}

TEST(bytes_of_every_kind_go_in_and_come_out_unchanged)
{
    enum { BYTES = 3 << 20 };
    struct engine_spec spec = spec_of(idle);
    struct box b = box_create(&spec);
    autofree uint8_t *bytes = malloc(BYTES);
    uint64_t x = 88172645463325252u;
    CHECK(bytes != NULL);
    for (size_t i = 0; i < BYTES; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        bytes[i] = (uint8_t)x;
    }
    box_start(&b);
    CHECK_OK(attach_send(b.a, bytes, BYTES, &b.e), &b.e);
    box_hear(&b, BYTES);
    CHECK_INT(b.out.len, BYTES);
    CHECK(memcmp(b.out.data, bytes, BYTES) == 0);
    box_remove(&b);
}

TEST(a_second_attach_goes_on_where_the_first_was_closed)
{
    struct engine_spec spec = spec_of(idle);
    struct box b = box_create(&spec);
    box_start(&b);
    CHECK_OK(attach_send(b.a, "one\n", 4, &b.e), &b.e);
    box_hear(&b, 4);
    attach_close(b.a);
    CHECK_OK(attach_open(b.g, b.id, &b.a, &b.e), &b.e);
    CHECK_OK(attach_send(b.a, "two\n", 4, &b.e), &b.e);
    box_hear(&b, 8);
    CHECK_STR(buf_str(&b.out), "one\ntwo\n");
    box_remove(&b);
}

TEST(an_attach_before_a_start_that_fails_ends)
{
    static const char *const absent[] = {"/bin/absent", NULL};
    struct engine_spec spec = spec_of(absent);
    struct box b = box_create(&spec);
    CHECK_OK(attach_open(b.g, b.id, &b.a, &b.e), &b.e);
    CHECK_INT(engine_start(b.g, b.id, &b.e), ERR_INVALID);
    box_hear(&b, SIZE_MAX);
    CHECK_INT(b.out.len, 0);
    box_remove(&b);
}

/* ---- volumes and archives ---- */

/* tar_of: a ustar archive with one file of `len` times 'x', and its end. */
static char *tar_of(const char *name, size_t len, size_t *ret_len)
{
    size_t blocks = (len + 511) / 512;
    char *tar = calloc(blocks + 3, 512);
    CHECK(tar != NULL);
    snprintf(tar, 100, "%s", name);
    snprintf(tar + 100, 8, "%07o", 0640);
    snprintf(tar + 108, 8, "%07o", 10001);
    snprintf(tar + 116, 8, "%07o", 10001);
    snprintf(tar + 124, 12, "%011zo", len);
    snprintf(tar + 136, 12, "%011o", 0);
    memset(tar + 148, ' ', 8);
    tar[156] = '0';
    memcpy(tar + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)tar[i];
    snprintf(tar + 148, 8, "%06o", sum);
    memset(tar + 512, 'x', len);
    *ret_len = (blocks + 3) * 512;
    return tar;
}

TEST(a_volume_is_filled_through_a_created_container_and_read_in_another)
{
    static const struct engine_label labels[] = {{TEST_MARK, "volume"}};
    static const struct engine_mount rw[] = {{"wrought-test-vol", "/code", false}};
    static const struct engine_mount ro[] = {{"wrought-test-vol", "/code", true}};
    struct engine_spec spec = spec_of(idle);
    struct engine *g = connect_engine();
    struct err e = {0};
    bool there = true;
    CHECK_OK(engine_volume_exists(g, rw[0].volume, &there, &e), &e);
    CHECK(!there);
    CHECK_OK(engine_volume_create(g, rw[0].volume, labels, 1, &e), &e);
    CHECK_OK(engine_volume_exists(g, rw[0].volume, &there, &e), &e);
    CHECK(there);

    spec.mounts = rw;
    spec.n_mounts = 1;
    struct box b = box_create(&spec);
    size_t len = 0;
    autofree char *tar = tar_of("file", 1000000, &len);
    CHECK_OK(engine_put_tar(b.g, b.id, "/code", -1, tar, len, &b.e), &b.e);
    CHECK_INT(engine_volume_remove(b.g, rw[0].volume, &b.e), ERR_CONFLICT);
    box_remove(&b);

    spec = spec_of(NULL);
    spec.mounts = ro;
    spec.n_mounts = 1;
    autofree char *out =
        sh(spec, "stat -c '%s %a %u' /code/file; touch /code/y 2>/dev/null || echo ro");
    CHECK_STR(out, "1000000 640 10001\nro\n");

    struct engine_entry *list = NULL;
    size_t n = 0;
    CHECK_OK(engine_volume_list(g, TEST_MARK, "volume", &list, &n, &e), &e);
    CHECK_INT(n, 1);
    CHECK_STR(list[0].name, rw[0].volume);
    CHECK_STR(engine_entry_label(&list[0], TEST_MARK), "volume");
    CHECK(list[0].created_s > 1600000000);
    engine_list_free(list, n);
    CHECK_OK(engine_volume_remove(g, rw[0].volume, &e), &e);
    CHECK_OK(engine_volume_remove(g, rw[0].volume, &e), &e);
    CHECK_OK(engine_volume_list(g, TEST_MARK, "volume", &list, &n, &e), &e);
    CHECK_INT(n, 0);
    engine_list_free(list, n);
    engine_free(g);
}

TEST(a_tar_file_is_put_as_well)
{
    static const struct engine_mount task[] = {{NULL, "/task", false}};
    struct engine_spec spec = spec_of((const char *const[]){"/bin/wc", "-c", "/task/file", NULL});
    spec.mounts = task;
    spec.n_mounts = 1;
    struct box b = box_create(&spec);
    size_t len = 0;
    autofree char *tar = tar_of("file", 5 << 20, &len);
    autoclose int fd = open("tar", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(write(fd, tar, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
    CHECK_OK(engine_put_tar(b.g, b.id, "/task", fd, NULL, len, &b.e), &b.e);
    box_start(&b);
    box_hear(&b, SIZE_MAX);
    CHECK_STR(buf_str(&b.out), "5242880 /task/file\n");
    box_remove(&b);
}

/* The engine says so before it has read the tar: a client that only writes sees a broken pipe. */
TEST(an_archive_into_a_read_only_root_is_refused_in_the_engines_words)
{
    struct engine_spec spec = spec_of(idle);
    spec.read_only_root = true;
    struct box b = box_create(&spec);
    size_t len = 0;
    autofree char *tar = tar_of("file", 20 << 20, &len);
    CHECK_INT(engine_put_tar(b.g, b.id, "/", -1, tar, len, &b.e), ERR_UNAVAILABLE);
    CHECK_HAS(b.e.msg, "read-only");
    CHECK_INT(engine_put_tar(b.g, b.id, "/absent", -1, tar, len, &b.e), ERR_NOT_FOUND);
    box_remove(&b);
}

static size_t volumes_of(struct engine *g)
{
    AUTO(buf) struct buf path = BUF_INIT(100);
    autojson struct json *root = NULL;
    struct err e = {0};
    buf_adds(&path, "/volumes");
    CHECK_OK(engine_list_call(g, &path, &root, &e), &e);
    return json_length(json_member(root, "Volumes"));
}

TEST(an_anonymous_volume_goes_with_its_container)
{
    static const struct engine_mount task[] = {{NULL, "/task", false}};
    struct engine_spec spec = spec_of(hello);
    spec.mounts = task;
    spec.n_mounts = 1;
    struct engine *g = connect_engine();
    size_t before = volumes_of(g);
    struct box b = box_create(&spec);
    CHECK_INT(volumes_of(g), before + 1);
    box_remove(&b);
    CHECK_INT(volumes_of(g), before);
    engine_free(g);
}

TAP_MAIN
