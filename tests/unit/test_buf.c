/* lib/buf: growth, the ceiling, and that a failure sticks. */
#include "lib/buf.h"

#include "tests/unit/tap.h"
#include "lib/banned.h"

TEST(an_untouched_buffer_is_an_empty_string)
{
    AUTO(buf) struct buf b = BUF_INIT(10);
    struct err e;
    CHECK_STR(buf_str(&b), "");
    CHECK_OK(buf_check(&b, "it", &e), &e);
    CHECK_INT(b.len, 0);
}

TEST(appends_of_every_kind_join_up)
{
    AUTO(buf) struct buf b = BUF_INIT(100);
    buf_add(&b, "ab\0c", 4);
    buf_add(&b, NULL, 0);
    buf_adds(&b, "de");
    buf_addc(&b, 'f');
    buf_addf(&b, "%d-%s", 12, "x");
    CHECK_INT(b.len, 11);
    CHECK(memcmp(b.data, "ab\0cdef12-x", 12) == 0);
}

TEST(the_content_ends_in_a_nul_at_every_size)
{
    AUTO(buf) struct buf b = BUF_INIT(5000);
    for (size_t i = 1; i <= 5000; i++) {
        buf_addc(&b, 'x');
        CHECK_INT(b.len, i);
        CHECK_INT(strlen(buf_str(&b)), i);
    }
    CHECK(!b.failed);
    CHECK(b.cap <= 5001);
}

TEST(the_ceiling_itself_fits_and_one_more_does_not)
{
    AUTO(buf) struct buf b = BUF_INIT(4);
    struct err e;
    buf_adds(&b, "1234");
    CHECK_OK(buf_check(&b, "it", &e), &e);
    buf_addc(&b, '5');
    CHECK_INT(buf_check(&b, "the reply", &e), ERR_TOO_BIG);
    CHECK_STR(e.msg, "the reply is over its limit of 4 bytes");
    CHECK_STR(buf_str(&b), "1234");
}

TEST(a_failure_sticks_even_for_what_would_fit)
{
    AUTO(buf) struct buf b = BUF_INIT(4);
    buf_adds(&b, "12345");
    buf_addc(&b, 'x');
    buf_addf(&b, "y");
    CHECK(buf_reserve(&b, 1) == NULL);
    CHECK(b.failed);
    CHECK_STR(buf_str(&b), "");
}

TEST(a_formatted_text_over_the_ceiling_adds_nothing)
{
    AUTO(buf) struct buf b = BUF_INIT(70);
    buf_adds(&b, "head ");
    buf_addf(&b, "%0100d", 1);
    CHECK(b.failed);
    CHECK_INT(b.len, 5);
    CHECK_STR(buf_str(&b), "head ");
}

TEST(a_formatted_text_fills_the_ceiling_exactly)
{
    AUTO(buf) struct buf b = BUF_INIT(100);
    buf_addf(&b, "%099d", 1);
    buf_addf(&b, "%c", 'z');
    buf_addf(&b, "%s", "");
    CHECK(!b.failed);
    CHECK_INT(b.len, 100);
    CHECK(b.data[99] == 'z' && b.data[100] == '\0');
}

TEST(a_ceiling_of_zero_takes_nothing)
{
    AUTO(buf) struct buf b = {0};
    buf_add(&b, "", 0);
    buf_addf(&b, "%s", "");
    CHECK(!b.failed);
    buf_addc(&b, 'x');
    CHECK(b.failed);
    CHECK_STR(buf_str(&b), "");
}

TEST(an_unlimited_buffer_does_not_overflow_its_arithmetic)
{
    AUTO(buf) struct buf b = BUF_INIT(SIZE_MAX);
    for (int i = 0; i < 1000; i++)
        buf_adds(&b, "0123456789");
    CHECK_INT(b.len, 10000);
    CHECK(b.cap > b.len && !b.failed);
}

TEST(reserve_and_commit_write_in_place)
{
    AUTO(buf) struct buf b = BUF_INIT(300);
    buf_adds(&b, "<");
    char *at = buf_reserve(&b, 200);
    CHECK(at != NULL);
    memset(at, 'm', 200);
    buf_commit(&b, 3);
    CHECK_STR(buf_str(&b), "<mmm");
    CHECK(buf_reserve(&b, 297) == NULL);
    CHECK(b.failed);
}

TEST(consume_drops_from_the_front)
{
    AUTO(buf) struct buf b = BUF_INIT(10);
    buf_consume(&b, 0);
    buf_adds(&b, "hello");
    buf_consume(&b, 2);
    CHECK_STR(buf_str(&b), "llo");
    buf_consume(&b, 3);
    CHECK_STR(buf_str(&b), "");
    buf_adds(&b, "0123456789");
    CHECK(!b.failed);
}

TEST(clear_forgets_content_and_failure_and_keeps_memory)
{
    AUTO(buf) struct buf b = BUF_INIT(4);
    buf_adds(&b, "1234");
    buf_addc(&b, '5');
    char *data = b.data;
    buf_clear(&b);
    CHECK(!b.failed && b.len == 0 && b.data == data);
    CHECK_STR(buf_str(&b), "");
    buf_adds(&b, "ok");
    CHECK_STR(buf_str(&b), "ok");
}

TEST(release_leaves_a_usable_buffer_with_its_ceiling)
{
    AUTO(buf) struct buf b = BUF_INIT(4);
    buf_adds(&b, "12345");
    buf_release(&b);
    CHECK(!b.data && !b.failed && b.max == 4);
    buf_adds(&b, "1234");
    CHECK_STR(buf_str(&b), "1234");
}

TEST(take_hands_the_content_over)
{
    AUTO(buf) struct buf b = BUF_INIT(10);
    buf_adds(&b, "mine");
    autofree char *s = buf_take(&b);
    CHECK_STR(s, "mine");
    CHECK(!b.data && b.len == 0 && b.max == 10);
    autofree char *none = buf_take(&b);
    CHECK_STR(none, "");
}

TAP_MAIN
