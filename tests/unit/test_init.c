/* wrought-init as a runner sees it: the built program over a pair of pipes. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "tests/unit/tap.h"
#include "tests/unit/box.h"
#include "lib/banned.h"

/* Bytes of every value, the same at every call. */
static void fill_noise(char *p, size_t len)
{
    uint64_t x = 88172645463325252ull;
    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        p[i] = (char)x;
    }
}

static char *noise(size_t len)
{
    char *p = malloc(len);
    CHECK(p != NULL);
    fill_noise(p, len);
    return p;
}

static void write_text(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(fchmod(fd, mode) == 0);
    close(fd);
}

static void check_setup_failed(const struct buf *doc, const char *where)
{
    AUTO(box) struct box b;
    box_doc(&b, doc);
    CHECK_INT(b.end.kind, END_SETUP_FAILED);
    CHECK_HAS(b.end.where, where);
    CHECK_INT(b.started, 0);
}

/* ---- one task ---- */

TEST(says_hello_runs_a_command_and_exits_on_bye)
{
    AUTO(box) struct box b;
    box_script(&b, "echo hello");
    CHECK(b.hello);
    CHECK_INT(b.started, 1);
    CHECK_STR(buf_str(&b.log[0]), "hello\n");
    CHECK_INT(b.log[1].len, 0);
    CHECK_INT(b.end.kind, END_EXITED);
    CHECK_INT(b.end.code, 0);
    CHECK_INT(b.end.stdout_bytes, 6);
}

TEST(exit_codes_come_through)
{
    static const int codes[] = {1, 42, 126, 127, 255};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        char script[32];
        AUTO(box) struct box b;
        snprintf(script, sizeof(script), "exit %d", codes[i]);
        box_script(&b, script);
        CHECK_INT(b.end.kind, END_EXITED);
        CHECK_INT(b.end.code, codes[i]);
    }
}

TEST(a_command_that_dies_of_a_signal_is_told_apart)
{
    AUTO(box) struct box b;
    box_script(&b, "kill -9 $$");
    CHECK_INT(b.end.kind, END_SIGNALED);
    CHECK_INT(b.end.signal, SIGKILL);
}

TEST(both_streams_are_byte_exact)
{
    const size_t len = 1u << 20;
    char *data = noise(len);
    AUTO(buf) struct buf doc = doc_script("cat data; cat data >&2 & cat data; wait");
    doc_file(&doc, "data", "0600", data, len);
    AUTO(box) struct box b;
    box_doc(&b, &doc);
    CHECK_INT(b.log[0].len, 2 * len);
    CHECK_INT(b.log[1].len, len);
    CHECK(memcmp(b.log[0].data, data, len) == 0);
    CHECK(memcmp(b.log[0].data + len, data, len) == 0);
    CHECK(memcmp(b.log[1].data, data, len) == 0);
    CHECK_INT(b.end.stdout_bytes, 2 * len);
    free(data);
}

TEST(a_hundred_megabytes_pass)
{
    AUTO(buf) struct buf doc = doc_script("head -c 104857600 /dev/zero");
    AUTO(box) struct box b;
    box_start(&b);
    b.keep = false;
    box_task(&b, &doc);
    box_finish(&b);
    CHECK_INT(b.end.log_bytes, 104857600);
}

TEST(streams_that_alternate_keep_every_byte_in_its_stream)
{
    AUTO(box) struct box b;
    box_script(&b, "i=0; while [ $i -lt 2000 ]; do echo o; echo e >&2; i=$((i+1)); done");
    CHECK_INT(b.log[0].len, 4000);
    CHECK_INT(b.log[1].len, 4000);
    CHECK(memchr(b.log[0].data, 'e', 4000) == NULL);
    CHECK(memchr(b.log[1].data, 'o', 4000) == NULL);
}

TEST(output_without_a_final_newline_is_sent_at_once)
{
    AUTO(buf) struct buf doc = doc_script("printf partial; read x < fifo");
    CHECK(mkfifo("fifo", 0600) == 0);
    AUTO(box) struct box b;
    box_start(&b);
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.next == 7);
    CHECK_STR(buf_str(&b.log[0]), "partial");
    write_text("fifo", "\n", 0600);
    box_finish(&b);
}

TEST(standard_input_is_empty)
{
    AUTO(box) struct box b;
    box_script(&b, "cat; echo $?; readlink /proc/self/fd/0");
    CHECK_STR(buf_str(&b.log[0]), "0\n/dev/null\n");
}

TEST(the_command_inherits_no_descriptor)
{
    AUTO(buf) struct buf doc = doc_here();
    doc_text(&doc, DOC_ARG, "ls");
    doc_text(&doc, DOC_ARG, "/proc/self/fd");
    AUTO(box) struct box b;
    box_doc(&b, &doc);
    CHECK_STR(buf_str(&b.log[0]), "0\n1\n2\n3\n"); /* 3 is the directory that ls reads */
}

/* ---- the document ---- */

TEST(arguments_are_exact)
{
    AUTO(buf) struct buf doc = doc_script("printf '[%s]' \"$@\"");
    static const char *const args[] = {"zero", "", "two words", "new\nline", "\xff\x01", "$HOME"};
    for (size_t i = 0; i < ARRAY_LEN(args); i++)
        doc_text(&doc, DOC_ARG, args[i]);
    AUTO(box) struct box b;
    box_doc(&b, &doc);
    CHECK_STR(buf_str(&b.log[0]), "[][two words][new\nline][\xff\x01][$HOME]");
}

TEST(the_environment_is_exactly_the_documents)
{
    AUTO(buf) struct buf doc = doc_here();
    doc_text(&doc, DOC_ARG, "env");
    doc_text(&doc, DOC_ENV, "A=one two");
    doc_text(&doc, DOC_ENV, "EMPTY=");
    AUTO(box) struct box b;
    box_doc(&b, &doc);
    CHECK_STR(buf_str(&b.log[0]), "PATH=/usr/bin:/bin\nA=one two\nEMPTY=\n");
}

TEST(files_are_written_with_their_modes_and_replace_what_is_there)
{
    static const char bytes[] = "a\0b\xff";
    write_text("old", "read-only", 0400);
    CHECK(symlink("/etc/hostname", "link") == 0);
    AUTO(buf) struct buf doc = doc_script("stat -c %a:%s new old link; cat new");
    doc_file(&doc, "new", "0640", bytes, sizeof(bytes));
    doc_file(&doc, "old", "0755", "x", 1);
    doc_file(&doc, "link", "0444", "12", 2);
    AUTO(box) struct box b;
    box_doc(&b, &doc);
    CHECK_INT(b.log[0].len, strlen("640:5\n755:1\n444:2\n") + sizeof(bytes));
    CHECK(memcmp(b.log[0].data, "640:5\n755:1\n444:2\na\0b\xff\0", b.log[0].len) == 0);
}

TEST(the_code_is_copied_with_its_modes)
{
    CHECK(mkdir("code", 0755) == 0 && mkdir("code/sub", 0755) == 0 && mkdir("work", 0755) == 0);
    char *data = noise(300000);
    data[299999] = '\0';
    write_text("code/run.sh", "echo ran", 0755);
    write_text("code/sub/data", data, 0444);
    CHECK(chmod("code/sub", 0555) == 0);
    AUTO(buf)
    struct buf doc = doc_script("cd ../work && sh run.sh && stat -c %a run.sh sub "
                                "sub/data && cmp sub/data ../code/sub/data && echo same");
    char path[4096];
    CHECK(getcwd(path, sizeof(path) - 16) != NULL);
    size_t len = strlen(path);
    snprintf(path + len, 16, "/code");
    doc_text(&doc, DOC_COPY, path);
    snprintf(path + len, 16, "/work");
    doc_text(&doc, DOC_DIR, path);
    AUTO(box) struct box b;
    box_doc(&b, &doc);
    CHECK_STR(buf_str(&b.log[0]), "ran\n755\n555\n444\nsame\n");
    free(data);
}

TEST(a_copy_with_something_else_than_files_is_refused)
{
    CHECK(mkdir("code", 0755) == 0 && mkdir("code/deep", 0755) == 0);
    CHECK(symlink("/etc/passwd", "code/deep/link") == 0);
    AUTO(buf) struct buf doc = doc_script("true");
    doc_text(&doc, DOC_COPY, "code");
    check_setup_failed(&doc, "deep: link: neither file nor directory");
}

TEST(the_marker_must_hold_its_text)
{
    static const struct {
        const char *record;
        size_t len;
        bool good;
    } cases[] = {
        {"mark\0abc", 8, true},  {"mark\0ab", 7, false}, {"mark\0abcd", 9, false},
        {"mark\0abd", 8, false}, {"mark\0", 5, false},   {"nomark\0abc", 10, false},
    };
    write_text("mark", "abc", 0644);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf) struct buf doc = doc_script("true");
        AUTO(box) struct box b;
        doc_put(&doc, DOC_MARKER, cases[i].record, cases[i].len);
        box_doc(&b, &doc);
        CHECK_INT(b.end.kind, cases[i].good ? END_EXITED : END_SETUP_FAILED);
        if (!cases[i].good)
            CHECK_HAS(b.end.where, "mark");
    }
}

TEST(resource_limits_apply)
{
    AUTO(buf) struct buf doc = doc_script("ulimit -Sn; ulimit -Hn; ulimit -c");
    doc_put(&doc, DOC_RLIMIT,
            "nofile\0"
            "100\0"
            "200",
            14);
    doc_put(&doc, DOC_RLIMIT,
            "core\0"
            "0\0"
            "0",
            8);
    AUTO(box) struct box b;
    box_doc(&b, &doc);
    CHECK_STR(buf_str(&b.log[0]), "100\n200\n0\n");
}

TEST(the_seccomp_filter_applies_and_is_reported)
{
    struct sock_filter no_mkdir[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    AUTO(buf) struct buf doc = doc_script("mkdir x 2>&1");
    doc_put(&doc, DOC_SECCOMP, no_mkdir, sizeof(no_mkdir));
    AUTO(box) struct box b;
    box_doc(&b, &doc);
    CHECK_HAS(buf_str(&b.log[0]), "cross-device");
    CHECK_INT(b.end.seccomp_mode, 2);
    CHECK_INT(b.end.no_new_privs, 1);
}

TEST(a_filter_that_the_kernel_refuses_is_a_failed_setup)
{
    struct sock_filter no_return[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
    AUTO(buf) struct buf doc = doc_script("true");
    doc_put(&doc, DOC_SECCOMP, no_return, sizeof(no_return));
    check_setup_failed(&doc, "seccomp filter");
}

TEST(documents_that_make_no_sense_are_failed_setups)
{
    static const struct {
        int tag;
        const char *bytes;
        size_t len;
        const char *where;
    } cases[] = {
        {'?', "", 0, "bad tag"},
        {DOC_ARG, "a\0b", 3, "bad argument"},
        {DOC_ENV, "novalue", 7, "bad environment"},
        {DOC_DIR, "relative", 8, "bad working directory"},
        {DOC_DIR, "/no/such/dir", 12, "/no/such/dir"},
        {DOC_COPY, "/no/such/code", 13, "/no/such/code"},
        {DOC_FILE,
         "path\0"
         "0999\0",
         10, "bad file"},
        {DOC_FILE,
         "no/dir\0"
         "0600\0",
         12, "no/dir"},
        {DOC_RLIMIT,
         "nofile\0"
         "1\0"
         "x",
         10, "bad rlimit"},
        {DOC_RLIMIT,
         "stack\0"
         "1\0"
         "1",
         9, "bad rlimit"},
        {DOC_RLIMIT,
         "nofile\0"
         "2\0"
         "1",
         10, "resource limits"},
        {DOC_SECCOMP, "1234567", 7, "bad seccomp filter"},
        {DOC_DISK, "1G", 2, "bad disk limit"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf) struct buf doc = doc_script("true");
        doc_put(&doc, (enum doc_tag)cases[i].tag, cases[i].bytes, cases[i].len);
        check_setup_failed(&doc, cases[i].where);
    }
    AUTO(buf) struct buf empty = BUF_INIT(10);
    check_setup_failed(&empty, "no command");
}

TEST(a_document_shorter_than_its_end_says_does_not_run)
{
    AUTO(buf) struct buf doc = doc_script("true");
    AUTO(box) struct box b;
    uint8_t len[4];
    box_start(&b);
    box_send(&b, FRAME_TASK_PART, doc.data, doc.len);
    frame_u32(len, (uint32_t)doc.len + 1);
    box_send(&b, FRAME_TASK_END, len, sizeof(len));
    box_finish(&b);
    CHECK_INT(b.end.kind, END_SETUP_FAILED);
    CHECK_HAS(b.end.where, "not whole");
}

/* ---- exec ---- */

static void check_exec_failed(const char *command, int os_errno)
{
    AUTO(buf) struct buf doc = doc_here();
    doc_text(&doc, DOC_ARG, command);
    AUTO(box) struct box b;
    box_doc(&b, &doc);
    CHECK_INT(b.end.kind, END_EXEC_FAILED);
    CHECK_INT(b.end.os_errno, os_errno);
    CHECK_STR(b.end.where, command);
    CHECK_INT(b.started, 0);
}

TEST(a_command_that_cannot_be_executed_is_named_with_its_errno)
{
    write_text("plain", "echo", 0644);
    write_text("lost", "#!/no/such/interpreter\n", 0755);
    check_exec_failed("no-such-command", ENOENT);
    check_exec_failed("./no-such-file", ENOENT);
    check_exec_failed("./plain", EACCES);
    check_exec_failed("./lost", ENOENT);
}

TEST(a_script_without_an_interpreter_line_runs_in_the_shell)
{
    write_text("script", "echo from $0", 0755);
    AUTO(buf) struct buf doc = doc_here();
    doc_text(&doc, DOC_ARG, "./script");
    AUTO(box) struct box b;
    box_doc(&b, &doc);
    CHECK_STR(buf_str(&b.log[0]), "from ./script\n");
}

TEST(the_path_of_the_document_is_searched)
{
    CHECK(mkdir("bin", 0755) == 0);
    write_text("bin/mine", "#!/bin/sh\necho found", 0755);
    AUTO(buf) struct buf doc = BUF_INIT(10000);
    char here[4096], path[4200];
    CHECK(getcwd(here, sizeof(here)) != NULL);
    snprintf(path, sizeof(path), "PATH=%s/bin", here);
    doc_text(&doc, DOC_DIR, here);
    doc_text(&doc, DOC_ENV, path);
    doc_text(&doc, DOC_ARG, "mine");
    AUTO(box) struct box b;
    box_doc(&b, &doc);
    CHECK_STR(buf_str(&b.log[0]), "found\n");
}

/* ---- processes ---- */

TEST(a_signal_frame_reaches_every_process)
{
    AUTO(buf)
    struct buf doc = doc_script("trap 'echo parent' USR1; "
                                "setsid sh -c 'trap \"echo child; exit\" USR1; echo up; "
                                "while :; do read x < fifo; done' & "
                                "wait; wait; exit 7");
    CHECK(mkfifo("fifo", 0600) == 0);
    AUTO(box) struct box b;
    box_start(&b);
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.next == 3);
    box_send_signal(&b, SIGUSR1);
    box_finish(&b);
    CHECK_HAS(buf_str(&b.log[0]), "parent\n");
    CHECK_HAS(buf_str(&b.log[0]), "child\n");
    CHECK_INT(b.end.code, 7);
}

TEST(a_signal_to_init_itself_is_passed_on)
{
    AUTO(buf) struct buf doc = doc_script("echo up; read x < fifo");
    CHECK(mkfifo("fifo", 0600) == 0);
    AUTO(box) struct box b;
    box_start(&b);
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.next == 3);
    CHECK(kill(b.pid, SIGTERM) == 0);
    box_finish(&b);
    CHECK_INT(b.end.kind, END_SIGNALED);
    CHECK_INT(b.end.signal, SIGTERM);
}

TEST(nonsense_signals_are_ignored)
{
    AUTO(buf) struct buf doc = doc_script("echo up; read x < fifo; echo done");
    CHECK(mkfifo("fifo", 0600) == 0);
    AUTO(box) struct box b;
    box_start(&b);
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.next == 3);
    box_send_signal(&b, 0);
    box_send_signal(&b, 200);
    box_send(&b, FRAME_SIGNAL, "\x09\x09", 2);
    write_text("fifo", "\n", 0600);
    box_finish(&b);
    CHECK_STR(buf_str(&b.log[0]), "up\ndone\n");
}

TEST(stragglers_get_a_chance_and_their_last_words_are_kept)
{
    AUTO(box) struct box b;
    CHECK(mkfifo("fifo", 0600) == 0);
    box_script(&b, "setsid sh -c 'trap \"echo bye; exit\" TERM; echo up > fifo; "
                   "while :; do read x < fifo; done' & read x < fifo; exit 3");
    CHECK_STR(buf_str(&b.log[0]), "bye\n");
    CHECK_INT(b.end.code, 3);
}

TEST(stragglers_that_ignore_sigterm_are_killed_though_they_hold_the_pipe)
{
    AUTO(box) struct box b;
    CHECK(mkfifo("fifo", 0600) == 0);
    box_script(&b, "setsid sh -c 'trap \"\" TERM; echo up > fifo; "
                   "while :; do read x < fifo; done' & read x < fifo; exit 4");
    CHECK_INT(b.end.kind, END_EXITED);
    CHECK_INT(b.end.code, 4);
}

TEST(a_command_that_closes_its_streams_goes_on)
{
    AUTO(box) struct box b;
    box_script(&b, "echo first; exec >&- 2>&-; exit 5");
    CHECK_STR(buf_str(&b.log[0]), "first\n");
    CHECK_INT(b.end.code, 5);
}

TEST(orphans_are_reaped_while_the_command_runs)
{
    AUTO(box) struct box b;
    box_script(&b, "o=$(sh -c 'sh -c \"exit 0\" > /dev/null & echo $!'); "
                   "while [ -d /proc/$o ]; do :; done; echo gone");
    CHECK_STR(buf_str(&b.log[0]), "gone\n");
}

/* ---- back-pressure ---- */

TEST(without_acknowledgements_the_task_is_held_after_a_mebibyte)
{
    const size_t len = 3u << 20;
    char *data = noise(len);
    AUTO(buf) struct buf doc = doc_script("cat data");
    doc_file(&doc, "data", "0600", data, len);
    AUTO(box) struct box b;
    box_start(&b);
    b.acks = false;
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.next == BOUND_INIT_UNACKED_BYTES);
    /* The answer to RESUME comes after whatever init read before it: still no more than that. */
    box_takeover(&b, 0);
    CHECK_INT(b.phase, INIT_RUNNING);
    BOX_UNTIL(&b, b.next == BOUND_INIT_UNACKED_BYTES);
    box_takeover(&b, 1000);
    CHECK_INT(b.resumed_at, 1000);
    BOX_UNTIL(&b, b.next == BOUND_INIT_UNACKED_BYTES + 1000);
    b.acks = true;
    box_send_u64(&b, FRAME_ACK, b.next);
    box_finish(&b);
    CHECK_INT(b.log[0].len, len);
    CHECK(memcmp(b.log[0].data, data, len) == 0);
    free(data);
}

TEST(what_is_left_in_the_pipes_is_drained_though_the_ring_is_full)
{
    /* The command is over while its last bytes are still in the pipe behind a full ring. */
    AUTO(buf) struct buf doc = doc_script("head -c 1100000 /dev/zero; exit 6");
    AUTO(box) struct box b;
    box_start(&b);
    b.acks = false;
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.next == BOUND_INIT_UNACKED_BYTES);
    CHECK(!b.ended);
    b.acks = true;
    box_send_u64(&b, FRAME_ACK, b.next);
    box_finish(&b);
    CHECK_INT(b.end.log_bytes, 1100000);
    CHECK_INT(b.end.code, 6);
}

TEST(acknowledgements_of_what_was_never_sent_are_ignored)
{
    const size_t len = 2u << 20;
    AUTO(buf) struct buf doc = doc_script("head -c 2097152 /dev/zero");
    AUTO(box) struct box b;
    box_start(&b);
    b.acks = false;
    box_send_u64(&b, FRAME_ACK, 5);
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.next == BOUND_INIT_UNACKED_BYTES);
    box_send_u64(&b, FRAME_ACK, UINT64_MAX);
    box_send_u64(&b, FRAME_ACK, b.next + 1);
    box_send(&b, FRAME_ACK, "short", 5);
    box_takeover(&b, UINT64_MAX); /* nor is an offset in RESUME believed */
    CHECK_INT(b.resumed_at, 0);
    b.acks = true;
    box_finish(&b);
    CHECK_INT(b.end.log_bytes, len);
}

/* ---- a new runner ---- */

TEST(resume_while_waiting_says_so_and_no_task_is_taken_any_more)
{
    AUTO(buf) struct buf doc = doc_script("echo must not run");
    AUTO(box) struct box b;
    box_start(&b);
    box_takeover(&b, 0);
    CHECK_INT(b.phase, INIT_WAITING);
    box_task(&b, &doc);
    box_takeover(&b, 0);
    CHECK_INT(b.phase, INIT_WAITING);
    CHECK_INT(b.started, 0);
    box_send(&b, FRAME_BYE, NULL, 0);
    CHECK_INT(box_gone(&b), 0);
}

TEST(a_document_torn_anywhere_leaves_init_waiting)
{
    AUTO(buf) struct buf doc = doc_script("echo must not run");
    AUTO(buf) struct buf part = BUF_INIT(100000);
    /* A payload may hold frames; what is torn must not bring them to life. */
    AUTO(buf) struct buf payload = BUF_INIT(100000);
    uint8_t len[4];
    frame_put(&payload, FRAME_TASK_PART, 0, doc.data, (uint32_t)doc.len);
    frame_u32(len, (uint32_t)doc.len);
    frame_put(&payload, FRAME_TASK_END, 0, len, sizeof(len));
    frame_put(&part, FRAME_TASK_PART, 0, payload.data, (uint32_t)payload.len);
    for (size_t cut = 1; cut < part.len; cut += 7) {
        AUTO(box) struct box b;
        box_start(&b);
        box_write(&b, part.data, cut);
        box_takeover(&b, 0);
        CHECK_INT(b.phase, INIT_WAITING);
        CHECK_INT(b.started, 0);
        box_send(&b, FRAME_BYE, NULL, 0);
        CHECK_INT(box_gone(&b), 0);
    }
}

TEST(take_overs_in_mid_stream_lose_and_double_nothing)
{
    const size_t len = 8u << 20;
    char *data = noise(len);
    AUTO(buf) struct buf doc = doc_script("cat data");
    AUTO(buf) struct buf torn = BUF_INIT(100);
    doc_file(&doc, "data", "0600", data, len);
    frame_put(&torn, FRAME_SIGNAL, 0, "\x09", 1);
    AUTO(box) struct box b;
    box_start(&b);
    box_task(&b, &doc);
    for (size_t i = 0; i < 16; i++) {
        uint64_t goal = (i + 1) * 400000;
        BOX_UNTIL(&b, b.next >= goal);
        uint64_t have = b.next;
        box_write(&b, torn.data, 1 + i); /* the old runner dies in mid-frame */
        box_lose(&b, 1 + i * 3777);      /* and the engine has read on for it */
        box_takeover(&b, have);
        CHECK_INT(b.phase, INIT_RUNNING);
        CHECK_INT(b.resumed_at, have);
    }
    box_finish(&b);
    CHECK_INT(b.log[0].len, len);
    CHECK(memcmp(b.log[0].data, data, len) == 0);
    free(data);
}

TEST(output_that_looks_like_frames_cannot_hide_the_answer)
{
    /* The headers of the longest frame, one after the other: wherever the stream is torn, the
     * parser first sees such a one. */
    AUTO(buf) struct buf data = BUF_INIT(4u << 20);
    uint8_t forged[FRAME_HEADER_BYTES] = {'W', 'R', 'I', '1', FRAME_RESUMED};
    frame_u32(forged + 8, BOUND_FRAME_BYTES);
    while (data.len < 200000)
        buf_add(&data, forged, sizeof(forged));
    AUTO(buf) struct buf doc = doc_script("cat data; read x < fifo");
    CHECK(mkfifo("fifo", 0600) == 0);
    doc_file(&doc, "data", "0600", data.data, data.len);
    AUTO(box) struct box b;
    box_start(&b);
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.started == 1);
    b.acks = false;
    box_lose(&b, 1001); /* from then on the task is silent, with the stream torn */
    box_takeover(&b, b.next);
    BOX_UNTIL(&b, b.next == data.len);
    write_text("fifo", "\n", 0600);
    box_finish(&b);
    CHECK(memcmp(b.log[0].data, data.data, data.len) == 0);
}

TEST(resume_after_the_end_says_the_end_again)
{
    AUTO(buf) struct buf doc = doc_script("echo last; exit 9");
    AUTO(box) struct box b;
    box_start(&b);
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.ended);
    box_takeover(&b, 2);
    CHECK_INT(b.phase, INIT_ENDED);
    BOX_UNTIL(&b, b.ended);
    CHECK_INT(b.started, 1);
    CHECK_STR(b.log[0].data, "last\n");
    CHECK_INT(b.end.code, 9);
    box_finish(&b);
}

TEST(an_offset_that_was_acknowledged_is_answered_with_what_is_left)
{
    AUTO(buf) struct buf doc = doc_script("echo 123456789");
    AUTO(box) struct box b;
    box_start(&b);
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.ended);
    box_takeover(&b, 4);
    CHECK_INT(b.resumed_at, 10);
    box_finish(&b);
}

TEST(a_resume_that_is_sent_twice_is_answered_twice)
{
    AUTO(buf) struct buf doc = doc_script("echo once");
    AUTO(box) struct box b;
    box_start(&b);
    b.acks = false;
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.ended);
    for (int i = 0; i < 3; i++) {
        box_takeover(&b, 0);
        BOX_UNTIL(&b, b.ended);
        CHECK_STR(buf_str(&b.log[0]), "once\n");
    }
    box_finish(&b);
}

/* ---- the channel ---- */

TEST(garbage_between_frames_is_skipped)
{
    AUTO(buf) struct buf doc = doc_script("echo up; read x < fifo; echo done");
    CHECK(mkfifo("fifo", 0600) == 0);
    char *junk = noise(100000);
    AUTO(box) struct box b;
    box_start(&b);
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.next == 3);
    box_write(&b, junk, 100000);
    box_send(&b, (enum frame_type)200, "unknown", 7);
    box_takeover(&b, 3);
    CHECK_INT(b.phase, INIT_RUNNING);
    write_text("fifo", "\n", 0600);
    box_finish(&b);
    CHECK_STR(buf_str(&b.log[0]), "up\ndone\n");
    free(junk);
}

TEST(bye_does_not_end_a_running_task)
{
    AUTO(buf) struct buf doc = doc_script("echo up; read x < fifo; exit 8");
    CHECK(mkfifo("fifo", 0600) == 0);
    AUTO(box) struct box b;
    box_start(&b);
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.next == 3);
    box_send(&b, FRAME_BYE, NULL, 0);
    box_takeover(&b, 3); /* init has seen it by now */
    write_text("fifo", "\n", 0600);
    box_finish(&b);
    CHECK_INT(b.end.code, 8);
}

TEST(a_waiting_init_ends_when_it_is_asked_to)
{
    AUTO(box) struct box b;
    box_start(&b);
    BOX_UNTIL(&b, b.hello);
    CHECK(kill(b.pid, SIGTERM) == 0);
    CHECK_INT(box_gone(&b), 0);
}

TEST(a_closed_channel_does_not_disturb_the_task_and_init_goes_when_all_is_said)
{
    AUTO(buf) struct buf doc = doc_script("echo up; read x < fifo; echo done");
    CHECK(mkfifo("fifo", 0600) == 0);
    AUTO(box) struct box b;
    box_start(&b);
    box_task(&b, &doc);
    BOX_UNTIL(&b, b.next == 3);
    close(TAKE_FD(b.to));
    b.acks = false;
    write_text("fifo", "\n", 0600);
    BOX_UNTIL(&b, b.ended);
    CHECK_STR(buf_str(&b.log[0]), "up\ndone\n");
    CHECK_INT(box_gone(&b), 0);
}

/* ---- facts ---- */

TEST(the_ending_states_what_applied)
{
    AUTO(box) struct box b;
    box_script(&b, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done");
    CHECK_INT(b.end.uid, getuid());
    CHECK_INT(b.end.no_new_privs, 1);
    CHECK(b.end.cap_eff >= 0);
    CHECK_INT(b.end.rootfs_read_only, 0);
    CHECK(b.end.seccomp_mode == 0 || b.end.seccomp_mode == 2);
}

TAP_MAIN
