/* Multipart bodies as clients send them, in every split. */
#include "server/multipart.h"

#include "lib/buf.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

/* What a sink saw, as text: "[name|filename]bytes" for each part. */
static int note_begin(void *arg, const struct multipart_part *part, struct err *e)
{
    (void)e;
    buf_addf(arg, "[%s|%s]", part->name, part->filename);
    return 0;
}

static int note_data(void *arg, const char *bytes, size_t len, struct err *e)
{
    (void)e;
    buf_add(arg, bytes, len);
    return 0;
}

/* parse: the body in pieces of `piece` bytes. 0 or the error's code; the parts in `seen`. */
static int parse(const char *boundary, const char *body, size_t len, size_t piece, struct buf *seen,
                 struct err *e)
{
    struct multipart m;
    const struct multipart_sink sink = {note_begin, note_data, seen};
    multipart_init(&m, boundary, &sink);
    int rc = 0;
    for (size_t at = 0; at < len && rc == 0; at += piece)
        rc = multipart_feed(&m, body + at, len - at < piece ? len - at : piece, e);
    if (rc == 0)
        rc = multipart_end(&m, e);
    multipart_release(&m);
    return rc;
}

/* check_all_splits: in pieces of every size, and cut in two at every place. */
static void check_all_splits(const char *boundary, const char *body, size_t len, const char *want,
                             size_t want_len)
{
    struct err e;
    for (size_t piece = 1; piece <= len; piece++) {
        AUTO(buf) struct buf seen = BUF_INIT(1 << 20);
        CHECK_OK(parse(boundary, body, len, piece, &seen, &e), &e);
        CHECK_INT(seen.len, want_len);
        CHECK(memcmp(seen.data, want, want_len) == 0);
    }
    for (size_t cut = 1; cut < len; cut++) {
        AUTO(buf) struct buf seen = BUF_INIT(1 << 20);
        struct multipart m;
        const struct multipart_sink sink = {note_begin, note_data, &seen};
        multipart_init(&m, boundary, &sink);
        CHECK_OK(multipart_feed(&m, body, cut, &e), &e);
        CHECK_OK(multipart_feed(&m, body + cut, len - cut, &e), &e);
        CHECK_OK(multipart_end(&m, &e), &e);
        CHECK_INT(seen.len, want_len);
        CHECK(memcmp(seen.data, want, want_len) == 0);
        multipart_release(&m);
    }
}

#define SPLITS(boundary, body, want)                                                               \
    check_all_splits(boundary, body, sizeof(body) - 1, want, sizeof(want) - 1)

static int code_of(const char *boundary, const char *body, struct err *e)
{
    AUTO(buf) struct buf seen = BUF_INIT(1 << 20);
    return parse(boundary, body, strlen(body), strlen(body), &seen, e);
}

#define FIELD(name) "Content-Disposition: form-data; name=\"" name "\""

TEST(reads_data_then_file_as_curl_sends_it)
{
    SPLITS("XX",
           "--XX\r\n" FIELD(
               "data") "\r\n\r\n{\"name\":\"n\"}\r\n"
                       "--XX\r\n" FIELD(
                           "file") "; filename=\"a.zip\"\r\n"
                                   "Content-Type: "
                                   "application/zip\r\n\r\nPK\0\r\n-\r\n--X\r\n\r\n--XX--\r\n",
           "[data|]{\"name\":\"n\"}[file|a.zip]PK\0\r\n-\r\n--X\r\n");
}

TEST(takes_parts_in_any_order)
{
    SPLITS("b",
           "--b\r\n" FIELD("file") "; filename=\"z\"\r\n\r\nzip\r\n--b\r\n" FIELD(
               "data") "\r\n\r\n{}\r\n--b--\r\n",
           "[file|z]zip[data|]{}");
}

TEST(takes_line_feeds_alone)
{
    SPLITS("b", "--b\n" FIELD("data") "\n\n{}\n--b\n" FIELD("file") "\n\nx\ny\n--b--\n",
           "[data|]{}[file|]x\ny");
}

TEST(takes_a_last_boundary_without_a_line_end)
{
    SPLITS("b", "--b\r\n" FIELD("data") "\r\n\r\n{}\r\n--b--", "[data|]{}");
}

TEST(skips_what_stands_before_and_behind)
{
    SPLITS("b", "pre --b\r\n--\r\n--b\r\n" FIELD("d") "\r\n\r\n1\r\n--b--\r\nepilogue\r\n--b\r\n",
           "[d|]1");
}

TEST(takes_empty_parts)
{
    SPLITS("b", "--b\r\n" FIELD("data") "\r\n\r\n\r\n--b\r\n" FIELD("file") "\r\n\r\n\r\n--b--\r\n",
           "[data|][file|]");
}

TEST(keeps_a_carriage_return_that_belongs_to_the_data)
{
    SPLITS("b", "--b\r\n" FIELD("d") "\r\n\r\n\r\r\r\n--b--", "[d|]\r\r");
}

TEST(takes_blanks_after_a_boundary)
{
    SPLITS("b", "--b \t\r\n" FIELD("d") "\r\n\r\n1\r\n--b--", "[d|]1");
}

TEST(reads_quoted_names_with_paths_and_quotes)
{
    SPLITS("b",
           "--b\r\ncontent-disposition:form-data;filename=\"C:\\tmp\\a;b \\\"c\\\".zip\" ; "
           "NAME=file\r\n\r\n1\r\n--b--",
           "[file|C:\\tmp\\a;b \"c\".zip]1");
}

TEST(does_not_take_filename_for_name)
{
    SPLITS("b", "--b\r\nContent-Disposition: form-data; filename=\"name=x\"\r\n\r\n1\r\n--b--",
           "[|name=x]1");
}

TEST(refuses_a_body_without_its_boundary)
{
    struct err e;
    CHECK_INT(code_of("b", "--c\r\n\r\nx\r\n--c--", &e), ERR_INVALID);
    CHECK_HAS(e.msg, "no part with the boundary");
    CHECK_INT(code_of("b", "", &e), ERR_INVALID);
}

TEST(refuses_a_body_that_ends_early)
{
    const char whole[] = "--b\r\n" FIELD("d") "\r\n\r\n12\r\n--b--";
    struct err e;
    for (size_t len = 0; len + 1 < sizeof(whole); len++) {
        AUTO(buf) struct buf seen = BUF_INIT(1 << 20);
        CHECK_INT(parse("b", whole, len, len + 1, &seen, &e), ERR_INVALID);
    }
}

TEST(refuses_bytes_after_a_boundary)
{
    struct err e;
    CHECK_INT(code_of("b", "--bc\r\n\r\nx\r\n--b--", &e), ERR_INVALID);
    CHECK_HAS(e.msg, "bytes after a boundary");
}

TEST(refuses_a_header_without_end)
{
    AUTO(buf) struct buf body = BUF_INIT(1 << 20), seen = BUF_INIT(1 << 20);
    struct err e;
    buf_adds(&body, "--b\r\nX: ");
    while (body.len < MULTIPART_HEADER_MAX + 100)
        buf_addc(&body, 'x');
    CHECK_INT(parse("b", body.data, body.len, 100, &seen, &e), ERR_INVALID);
    CHECK_HAS(e.msg, "header");
}

TEST(refuses_too_many_parts)
{
    AUTO(buf) struct buf body = BUF_INIT(1 << 20), seen = BUF_INIT(1 << 20);
    struct err e;
    for (int i = 0; i <= MULTIPART_PARTS_MAX; i++)
        buf_adds(&body, "--b\r\n" FIELD("d") "\r\n\r\n1\r\n");
    CHECK_INT(parse("b", body.data, body.len, body.len, &seen, &e), ERR_INVALID);
    CHECK_HAS(e.msg, "parts");
}

static int refuse_data(void *arg, const char *bytes, size_t len, struct err *e)
{
    (void)arg, (void)bytes, (void)len;
    return err_set(e, ERR_TOO_BIG, "data: over the limit");
}

TEST(ends_with_the_error_of_its_sink)
{
    struct err e;
    struct multipart m;
    AUTO(buf) struct buf seen = BUF_INIT(100);
    const char body[] = "--b\r\n" FIELD("d") "\r\n\r\n1\r\n--b--";
    const struct multipart_sink sink = {note_begin, refuse_data, &seen};
    multipart_init(&m, "b", &sink);
    CHECK_INT(multipart_feed(&m, body, sizeof(body) - 1, &e), ERR_TOO_BIG);
    CHECK_STR(e.msg, "data: over the limit");
    multipart_release(&m);
}

TEST(hands_long_data_on_without_keeping_it)
{
    enum { BYTES = 3 << 20 };
    AUTO(buf) struct buf body = BUF_INIT(BYTES + 1000), seen = BUF_INIT(BYTES + 1000);
    struct err e;
    buf_adds(&body, "--b\r\n" FIELD("file") "\r\n\r\n");
    size_t start = body.len;
    for (int i = 0; i < BYTES; i++)
        buf_addc(&body, "\r\n--b"[i * 7 % 4]);
    size_t end = body.len;
    buf_adds(&body, "\r\n--b--\r\n");
    CHECK_OK(parse("b", body.data, body.len, 70000, &seen, &e), &e);
    CHECK_INT(seen.len, strlen("[file|]") + BYTES);
    CHECK(memcmp(seen.data + strlen("[file|]"), body.data + start, end - start) == 0);
}

TEST(finds_the_boundary_in_a_content_type)
{
    char b[MULTIPART_BOUNDARY_MAX + 1];
    CHECK(multipart_boundary("multipart/form-data; boundary=123456", b));
    CHECK_STR(b, "123456");
    CHECK(multipart_boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"", b));
    CHECK_STR(b, "a b");
    CHECK(multipart_boundary("multipart/form-data; boundary=----------ThIs_Is_tHe_bouNdaRY_$", b));
    CHECK_STR(b, "----------ThIs_Is_tHe_bouNdaRY_$");
}

TEST(finds_no_boundary_where_there_is_none)
{
    char b[MULTIPART_BOUNDARY_MAX + 1], type[512];
    CHECK(!multipart_boundary("multipart/form-data", b));
    CHECK(!multipart_boundary("multipart/form-data; boundary=", b));
    CHECK(!multipart_boundary("application/json; boundary=x", b));
    snprintf(type, sizeof(type), "multipart/form-data; boundary=%0*d", MULTIPART_BOUNDARY_MAX + 1,
             7);
    CHECK(!multipart_boundary(type, b));
}

TAP_MAIN
