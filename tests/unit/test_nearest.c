/* Words that were nearly typed right. */
#include "cli/nearest.h"

#include "tests/unit/tap.h"

#include "lib/banned.h"

static const char *word_at(size_t i)
{
    static const char *const words[] = {"file", "gem", "gemfile", "zip", NULL};
    return words[i];
}

TEST(the_nearest_word_within_two_mistakes_is_found)
{
    CHECK_STR(nearest("fiel", word_at), "file");
    CHECK_STR(nearest("gems", word_at), "gem");
    CHECK_STR(nearest("gemfil", word_at), "gemfile");
    CHECK_STR(nearest("fle", word_at), "file");
}

TEST(what_is_far_away_is_nothing)
{
    CHECK(!nearest("upload", word_at));
    CHECK(!nearest("abc", word_at));
    CHECK(!nearest("", word_at));
    CHECK(!nearest("a word that is longer than any that there is", word_at));
}

TAP_MAIN
