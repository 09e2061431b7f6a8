/* lib/roff.c: what of a text would mean something to roff. */
#include "lib/roff.h"

#include "tests/unit/tap.h"

#include "lib/banned.h"

TEST(text_stands_as_it_is)
{
    AUTO(buf) struct buf out = BUF_INIT(4096);
    roff_text(&out, ".dot 'quote\n'begins\nback\\slash --flag");
    CHECK_STR(buf_str(&out), ".PP\n\\&.dot 'quote\n\\&'begins\nback\\eslash \\-\\-flag\n");
}

TEST(paragraph_behind_a_heading_is_not_marked)
{
    AUTO(buf) struct buf out = BUF_INIT(4096);
    roff_section(&out, "OPTIONS");
    roff_text(&out, "first");
    roff_text(&out, "second\n");
    CHECK_STR(buf_str(&out), ".SH \"OPTIONS\"\nfirst\n.PP\nsecond\n");
}

TEST(items_are_terms_and_texts)
{
    AUTO(buf) struct buf out = BUF_INIT(4096);
    roff_item(&out, "-n N", "how many");
    CHECK_STR(buf_str(&out), ".TP\n\\fB\\-n N\\fR\nhow many\n");
}

TEST(page_opens_with_its_name)
{
    AUTO(buf) struct buf out = BUF_INIT(4096);
    roff_open(&out, "wrought-server", 8, "serves", "wrought-server [OPTIONS]");
    CHECK_HAS(buf_str(&out), ".TH \"wrought-server\" 8 ");
    CHECK_HAS(buf_str(&out), ".SH \"NAME\"\nwrought\\-server \\- serves\n");
}

TAP_MAIN
