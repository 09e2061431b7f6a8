/* A confined process: what it cannot do any more, what it still can, and that no thread is left
 * out. */
#include "lib/confine.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "tests/unit/tap.h"

#include "lib/banned.h"

static void confined(void)
{
    struct err e = {0};
    CHECK(!confine_is_on());
    CHECK_OK(confine(&e), &e);
    CHECK(confine_is_on());
}

TEST(no_program_can_be_executed)
{
    char *argv[] = {"/bin/true", NULL};
    confined();
    CHECK(execv(argv[0], argv) == -1);
    CHECK_INT(errno, EPERM);
}

TEST(neither_mounts_nor_namespaces_nor_programs_in_the_kernel)
{
    confined();
    CHECK(mount("none", ".", "tmpfs", 0, NULL) == -1 && errno == EPERM);
    CHECK(unshare(CLONE_NEWUSER) == -1 && errno == EPERM);
    CHECK(syscall(SYS_bpf, 0, NULL, 0) == -1 && errno == EPERM);
    CHECK(syscall(SYS_init_module, NULL, 0, "") == -1 && errno == EPERM);
    CHECK(setuid(getuid()) == -1 && errno == EPERM);
}

static pthread_barrier_t gate;

static void *look(void *arg)
{
    pthread_barrier_wait(&gate); /* it runs */
    pthread_barrier_wait(&gate); /* the process is confined */
    *(bool *)arg = confine_is_on();
    return NULL;
}

TEST(threads_that_run_already_are_confined_too)
{
    pthread_t thread;
    bool on = false;
    pthread_barrier_init(&gate, NULL, 2);
    CHECK(pthread_create(&thread, NULL, look, &on) == 0);
    pthread_barrier_wait(&gate);
    confined();
    pthread_barrier_wait(&gate);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(on);
}

static void *nothing(void *arg)
{
    return arg;
}

TEST(threads_files_and_sockets_still_work)
{
    pthread_t thread;
    confined();
    CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
    FILE *f = fopen("file", "w");
    CHECK(f && fclose(f) == 0 && rename("file", "other") == 0 && unlink("other") == 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && close(fd) == 0);
}

TAP_MAIN
