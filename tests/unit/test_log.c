/* lib/log: one escaped line, cut at 2 KiB. */
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/str.h"
#include "tests/unit/tap.h"
#include "lib/banned.h"

/* Each test has its own process: stderr may be bent to a file for good. */
static void capture(void)
{
    autoclose int fd = open("err", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    CHECK(fd >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
}

static const char *captured(void)
{
    static char text[16384];
    autoclose int fd = open("err", O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    CHECK(n >= 0);
    text[n] = '\0';
    return text;
}

TEST(a_line_has_time_level_and_message)
{
    capture();
    int64_t before = clock_now_us() / 1000 * 1000;
    log_info("lease granted task=%s runner=%d", "t1", 4);
    const char *line = captured();
    CHECK(str_ends(line, " info lease granted task=t1 runner=4\n"));
    autofree char *when = str_dupn(line, strcspn(line, " "));
    struct err e;
    int64_t us;
    CHECK_OK(clock_parse(when, &us, &e), &e);
    CHECK(us >= before && us <= clock_now_us());
}

TEST(lines_below_the_level_are_dropped)
{
    capture();
    log_debug("first");
    log_set_level(LOG_WARN);
    log_info("second");
    log_warn("third");
    log_error("fourth");
    log_set_level(LOG_DEBUG);
    log_debug("fifth");
    const char *text = captured();
    CHECK(!strstr(text, "first") && !strstr(text, "second"));
    CHECK_HAS(text, " warn third\n");
    CHECK_HAS(text, " error fourth\n");
    CHECK_HAS(text, " debug fifth\n");
}

TEST(control_characters_cannot_forge_a_line)
{
    capture();
    log_info("name=%s", "a\nb\tc\rd\x1b[31m\x7f\x01");
    CHECK(str_ends(captured(), " name=a\\nb\\tc\\x0dd\\x1b[31m\\x7f\\x01\n"));
}

TEST(a_long_line_is_cut_at_two_kib)
{
    capture();
    char text[5000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
    CHECK_INT(strlen(captured()), 2048);
    CHECK(str_ends(captured(), "xxx\n"));
}

TEST(a_cut_leaves_characters_and_escapes_whole)
{
    static const char *const fillers[] = {"\xe2\x82\xac", "\xf0\x9f\x98\x80", "\n", "\x01"};
    for (size_t f = 0; f < ARRAY_LEN(fillers); f++) {
        const char *tail = f == 2 ? "\\n\n" : f == 3 ? "\\x01\n" : NULL;
        for (int pad = 0; pad < 4; pad++) {
            char text[5000] = "abcd";
            text[pad] = '\0';
            for (size_t at = strlen(text); at + 8 < sizeof(text); at = strlen(text))
                str_copy(text + at, sizeof(text) - at, fillers[f]);
            capture();
            log_info("%s", text);
            const char *line = captured();
            CHECK(strlen(line) <= 2048 && strlen(line) > 2040);
            CHECK(str_is_utf8(line, strlen(line)));
            CHECK(!tail || str_ends(line, tail));
        }
    }
}

TEST(errno_survives_a_line)
{
    close(STDERR_FILENO);
    errno = EAGAIN;
    log_error("to nowhere");
    CHECK_INT(errno, EAGAIN);
}

TEST(levels_are_read_by_name)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    struct err e;
    enum log_level level;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CHECK_OK(log_level_parse(names[i], &level, &e), &e);
        CHECK_INT(level, i);
    }
    CHECK_INT(log_level_parse("INFO", &level, &e), ERR_INVALID);
    CHECK_STR(e.msg, "log level must be debug, info, warn or error, not \"INFO\"");
    CHECK_INT(log_level_parse("", &level, &e), ERR_INVALID);
    CHECK_INT(level, LOG_ERROR);
}

TAP_MAIN
