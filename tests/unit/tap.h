/* TAP for unit tests: each `static void test_x(void)` runs in a process of its own with a temporary
 * directory as its working directory and a deadline; a failed check ends that test alone, and says
 * where on stderr, which prove shows.
 *
 *     TEST(adds_numbers) { CHECK(1 + 1 == 2); CHECK_INT(add(1, 2), 3); CHECK_STR(name(), "x"); }
 *     TAP_MAIN
 */
#pragma once

#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAP_DEADLINE_S 120

struct tap_test {
    const char *name;
    void (*fn)(void);
    struct tap_test *next;
};
static struct tap_test *tap_first, **tap_last = &tap_first;

#define TEST(id)                                                                                   \
    static void tap_fn_##id(void);                                                                 \
    __attribute__((constructor)) static void tap_add_##id(void)                                    \
    {                                                                                              \
        static struct tap_test t = {#id, tap_fn_##id, NULL};                                       \
        *tap_last = &t;                                                                            \
        tap_last = &t.next;                                                                        \
    }                                                                                              \
    static void tap_fn_##id(void)

#define TAP_FAIL(...)                                                                              \
    do {                                                                                           \
        fprintf(stderr, "# %s:%d: ", __FILE__, __LINE__);                                          \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fprintf(stderr, "\n");                                                                     \
        exit(1);                                                                                   \
    } while (0)

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            TAP_FAIL("failed: %s", #cond);                                                         \
    } while (0)

#define CHECK_INT(got, want)                                                                       \
    do {                                                                                           \
        long long tap_g = (long long)(got), tap_w = (long long)(want);                             \
        if (tap_g != tap_w)                                                                        \
            TAP_FAIL("%s is %lld, want %lld", #got, tap_g, tap_w);                                 \
    } while (0)

#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        const char *tap_g = (got), *tap_w = (want);                                                \
        if (!tap_g || strcmp(tap_g, tap_w) != 0)                                                   \
            TAP_FAIL("%s is \"%s\", want \"%s\"", #got, tap_g ? tap_g : "(null)", tap_w);          \
    } while (0)

/* CHECK_OK(call, &e): the call returned 0; else its message is shown. */
#define CHECK_OK(call, e)                                                                          \
    do {                                                                                           \
        if ((call) != 0)                                                                           \
            TAP_FAIL("%s: %s", #call, (e)->msg);                                                   \
    } while (0)

/* CHECK_HAS(text, part): `part` stands in `text`. */
#define CHECK_HAS(text, part)                                                                      \
    do {                                                                                           \
        const char *tap_t = (text), *tap_p = (part);                                               \
        if (!tap_t || !strstr(tap_t, tap_p))                                                       \
            TAP_FAIL("\"%s\" does not contain \"%s\"", tap_t ? tap_t : "(null)", tap_p);           \
    } while (0)

static int tap_rm(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static int tap_run_one(const struct tap_test *t)
{
    char dir[] = "/tmp/wrought-test-XXXXXX";
    if (!mkdtemp(dir))
        return 1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(dir) != 0)
            _exit(1);
        alarm(TAP_DEADLINE_S);
        t->fn();
        fflush(stdout);
        exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    nftw(dir, tap_rm, 16, FTW_DEPTH | FTW_PHYS);
    if (WIFSIGNALED(status))
        fprintf(stderr, "# %s: ended by signal %d\n", t->name, WTERMSIG(status));
    return status != 0;
}

static inline int tap_main(int argc, char **argv)
{
    int n = 0, bad = 0;
    for (struct tap_test *t = tap_first; t; t = t->next) {
        if (argc > 1 && strcmp(argv[1], t->name) != 0)
            continue;
        int failed = tap_run_one(t);
        bad += failed;
        printf("%sok %d - %s\n", failed ? "not " : "", ++n, t->name);
    }
    printf("1..%d\n", n);
    return bad || n == 0;
}

#define TAP_MAIN                                                                                   \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return tap_main(argc, argv);                                                               \
    }
