/* cli/flags.c and the table of verbs, cli/commands.c. */
#include "cli/flags.h"

#include <stdlib.h>
#include <string.h>
#include <wordexp.h>

#include "cli/command.h"
#include "cli/help.h"
#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

struct opts {
    const char *text;
    struct words env;
    int64_t number, time_ms;
    bool on, json;
};

static const struct flag own[] = {
    FLAG_STR('p', "payload", struct opts, text, "TEXT", "the payload"),
    FLAG_LIST('e', "env", struct opts, env, "NAME=VALUE", "a variable"),
    FLAG_INT('n', "number", struct opts, number, 1, 9, "N", "a number"),
    FLAG_TIME(0, "time", struct opts, time_ms, 60000, "a duration"),
    FLAG_BOOL('w', "wait", struct opts, on, "wait"),
};
static const struct flag shared[] = {
    FLAG_BOOL(0, "json", struct opts, json, "JSON"),
    FLAG_STR('e', "env", struct opts, text, "NAME", "hidden by the other"),
};
static const struct flag_table tables[2] = {{own, ARRAY_LEN(own)}, {shared, ARRAY_LEN(shared)}};

#define MAX_WORDS 8
struct run {
    int rc;
    struct opts o;
    struct parsed p;
    struct err e;
};
static void run_release(struct run *r)
{
    flags_release(tables, &r->o, &r->p);
}

static void parse(struct run *r, bool words_end, const char *const words[MAX_WORDS])
{
    char *argv[MAX_WORDS + 1] = {NULL};
    for (int i = 0; i < MAX_WORDS && words[i]; i++)
        argv[i] = (char *)(uintptr_t)words[i];
    r->rc = flags_parse(tables, argv, words_end, &r->o, &r->p, &r->e);
}
#define PARSE(name, ...)                                                                           \
    AUTO(run) struct run name = {0};                                                               \
    parse(&name, false, (const char *const[MAX_WORDS]){__VA_ARGS__})

#define CHECK_REFUSED(r, part)                                                                     \
    do {                                                                                           \
        CHECK_INT((r).rc, ERR_USAGE);                                                              \
        CHECK_HAS((r).e.msg, part);                                                                \
    } while (0)

TEST(words_and_flags_may_mix)
{
    PARSE(r, "first", "--payload", "x", "second", "--wait", "third");
    CHECK_OK(r.rc, &r.e);
    CHECK_INT(r.p.words.n, 3);
    CHECK_STR(r.p.words.v[0], "first");
    CHECK_STR(r.p.words.v[2], "third");
    CHECK_STR(r.o.text, "x");
    CHECK(r.o.on);
}

TEST(letters_stand_for_names)
{
    PARSE(r, "-p", "x", "-n", "3", "-w");
    CHECK_OK(r.rc, &r.e);
    CHECK_STR(r.o.text, "x");
    CHECK_INT(r.o.number, 3);
    CHECK(r.o.on);
}

TEST(glued_values_keep_everything)
{
    PARSE(r, "--payload=--a=b", "--env=K=V=W");
    CHECK_OK(r.rc, &r.e);
    CHECK_STR(r.o.text, "--a=b");
    CHECK_STR(r.o.env.v[0], "K=V=W");
}

TEST(lists_collect_in_order)
{
    PARSE(r, "-e", "A=1", "--env", "B=2");
    CHECK_OK(r.rc, &r.e);
    CHECK_INT(r.o.env.n, 2);
    CHECK_STR(r.o.env.v[0], "A=1");
    CHECK_STR(r.o.env.v[1], "B=2");
    CHECK(r.o.text == NULL); /* the shared flag of that name is hidden */
}

TEST(a_dash_alone_and_empty_values_are_values)
{
    PARSE(r, "-p", "-", "-");
    CHECK_OK(r.rc, &r.e);
    CHECK_STR(r.o.text, "-");
    CHECK_STR(r.p.words.v[0], "-");
    PARSE(empty, "--payload", "");
    CHECK_OK(empty.rc, &empty.e);
    CHECK_STR(empty.o.text, "");
}

TEST(two_dashes_end_the_flags)
{
    PARSE(r, "--", "--payload", "-w");
    CHECK_OK(r.rc, &r.e);
    CHECK_INT(r.p.words.n, 2);
    CHECK_STR(r.p.words.v[0], "--payload");
    CHECK(!r.o.on);
}

TEST(one_dash_will_do_for_a_name)
{
    PARSE(r, "-payload", "x", "-number=3", "-wait", "word");
    CHECK_OK(r.rc, &r.e);
    CHECK_STR(r.o.text, "x");
    CHECK_INT(r.o.number, 3);
    CHECK(r.o.on);
    CHECK_STR(r.p.words.v[0], "word");
    PARSE(help, "-help");
    CHECK_STR(help.e.msg, "help");
}

TEST(a_command_may_end_the_flags)
{
    AUTO(run) struct run r = {0};
    parse(&r, true,
          (const char *const[MAX_WORDS]){"-payload", "x", "image", "sh", "-wait", "--number"});
    CHECK_OK(r.rc, &r.e);
    CHECK_STR(r.o.text, "x");
    CHECK_INT(r.p.words.n, 4);
    CHECK_STR(r.p.words.v[3], "--number");
    CHECK(!r.o.on);
}

TEST(leading_flags_are_counted_with_their_values)
{
    const char *const words[] = {"-json", "--env", "NAME", "-e=x", "verb", "--json", NULL};
    CHECK_INT(flags_span(&tables[1], (char **)(uintptr_t)words), 3);
    CHECK_INT(flags_span(&tables[1], (char **)(uintptr_t)(words + 4)), 0);
    CHECK_INT(flags_span(&tables[1], (char **)(uintptr_t)(words + 6)), 0);
}

TEST(negated_and_spelt_out_switches)
{
    PARSE(r, "--wait", "--no-wait");
    CHECK_OK(r.rc, &r.e);
    CHECK(!r.o.on);
    PARSE(s, "--wait=true");
    CHECK_OK(s.rc, &s.e);
    CHECK(s.o.on);
}

TEST(durations_have_units)
{
    PARSE(r, "--time", "1m");
    CHECK_OK(r.rc, &r.e);
    CHECK_INT(r.o.time_ms, 60000);
}

TEST(environment_does_not_count)
{
    setenv("WROUGHT_PAYLOAD", "x", 1);
    PARSE(r, NULL);
    CHECK_OK(r.rc, &r.e);
    CHECK(r.o.text == NULL);
}

TEST(bad_flags_are_named)
{
    PARSE(unknown, "--bogus=secret");
    CHECK_REFUSED(unknown, "--bogus");
    CHECK(strstr(unknown.e.msg, "secret") == NULL);
    PARSE(letter, "-x");
    CHECK_REFUSED(letter, "-x");
    PARSE(cluster, "-wp");
    CHECK_REFUSED(cluster, "-wp");
    PARSE(single, "-bogus", "x");
    CHECK_REFUSED(single, "-bogus");
}

TEST(missing_values_are_named)
{
    PARSE(end, "--payload");
    CHECK_REFUSED(end, "--payload");
    PARSE(next, "-p", "--wait");
    CHECK_REFUSED(next, "--payload");
    PARSE(list, "-e");
    CHECK_REFUSED(list, "--env");
}

TEST(bad_values_are_named)
{
    PARSE(range, "-n", "10");
    CHECK_REFUSED(range, "--number");
    PARSE(word, "--number", "x");
    CHECK_REFUSED(word, "--number");
    PARSE(time, "--time", "61s");
    CHECK_REFUSED(time, "--time");
}

TEST(help_is_asked_for_by_flag_or_letter)
{
    PARSE(flag, "--help");
    CHECK_INT(flag.rc, ERR_EMPTY);
    CHECK_STR(flag.e.msg, "help");
    PARSE(letter, "-h");
    CHECK_INT(letter.rc, ERR_EMPTY);
}

TEST(help_lists_flags_once)
{
    AUTO(buf) struct buf out = BUF_INIT(4096);
    flags_help(&tables[0], NULL, &out);
    CHECK_HAS(buf_str(&out), "  -p, --payload TEXT    the payload\n");
    CHECK_HAS(buf_str(&out), "  -e, --env NAME=VALUE  a variable (may be repeated)\n");
    CHECK_HAS(buf_str(&out), "      --time TIME       a duration\n");
    buf_clear(&out);
    flags_help(&tables[1], &tables[0], &out);
    CHECK(strstr(buf_str(&out), "--env") == NULL);
}

/* ---- the verbs ---- */

TEST(every_verb_has_help)
{
    AUTO(buf) struct buf all = BUF_INIT(HELP_BYTES);
    commands_help("wrought", &all);
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        AUTO(buf) struct buf out = BUF_INIT(HELP_BYTES);
        command_help("wrought", c, &out);
        CHECK_HAS(buf_str(&out), c->summary);
        CHECK_HAS(buf_str(&out), "Example:\n  wrought ");
        CHECK_HAS(buf_str(&all), c->summary);
    }
}

/* Each title once. */
TEST(verbs_of_a_group_stand_together)
{
    bool seen[COMMAND_GROUPS] = {false};
    for (size_t i = 0; commands[i]; i++) {
        enum command_group group = commands[i]->group;
        if (i == 0 || group != commands[i - 1]->group)
            CHECK(!seen[group]);
        seen[group] = true;
    }
}

/* What --help shows must be understood: split as the shell does, then parsed. */
TEST(every_example_is_understood)
{
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        const struct flag_table both[2] = {c->flags, c->local ? (struct flag_table){NULL, 0}
                                                              : command_connection_flags};
        struct err e = {0};
        struct parsed parsed = {0};
        wordexp_t line;
        size_t used;
        CHECK_INT(wordexp(c->example, &line, WRDE_NOCMD | WRDE_UNDEF), 0);
        CHECK(command_find((const char *const *)line.we_wordv, &used) == c);
        autofree void *args = calloc(1, c->args_bytes);
        CHECK_OK(flags_parse(both, line.we_wordv + used, c->words_end_flags, args, &parsed, &e),
                 &e);
        CHECK(parsed.words.n >= c->min_words && parsed.words.n <= c->max_words);
        flags_release(both, args, &parsed);
        wordfree(&line);
    }
}

/* A letter that two flags of one verb claim would silently mean the first. */
TEST(no_verb_has_a_letter_or_name_twice)
{
    for (size_t v = 0; commands[v]; v++) {
        const struct flag_table *t = &commands[v]->flags;
        for (size_t i = 0; i < t->n; i++)
            for (size_t j = i + 1; j < t->n; j++) {
                CHECK(strcmp(t->flags[i].opt.name, t->flags[j].opt.name) != 0);
                CHECK(t->flags[i].letter == 0 || t->flags[i].letter != t->flags[j].letter);
            }
    }
}

TEST(mistyped_verbs_find_the_nearest)
{
    CHECK_STR(command_nearest("quue"), "queue");
    CHECK_STR(command_nearest("task"), "tasks");
    CHECK_STR(command_nearest("cancle"), "cancel");
    CHECK(command_nearest("frobnicate") == NULL);
    CHECK(command_nearest("an-endless-verb-that-nobody-ever-meant") == NULL);
}

/* exit_of: the exit code of a command line; what it says on stderr goes to the file "err". */
static int exit_of(const char *const words[MAX_WORDS])
{
    char *argv[MAX_WORDS + 2] = {(char *)(uintptr_t) "wrought"};
    for (int i = 0; i < MAX_WORDS && words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    clearenv();
    CHECK(freopen("err", "w", stderr) != NULL);
    int code = command_main(argv);
    fflush(stderr);
    return code;
}
#define EXIT_OF(...) exit_of((const char *const[MAX_WORDS]){__VA_ARGS__})

static const char *said(void)
{
    static char text[4096];
    autofclose FILE *f = fopen("err", "r");
    CHECK(f != NULL);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    return text;
}

TEST(wrong_usage_exits_with_64)
{
    CHECK_INT(EXIT_OF(NULL), 64);
    CHECK_HAS(said(), "Usage:");
    CHECK_INT(EXIT_OF("quue"), 64);
    CHECK_STR(said(), "wrought: there is no verb \"quue\"; did you mean \"queue\"?\n");
    CHECK_INT(EXIT_OF("queue"), 64);
    CHECK_HAS(said(), "NAME");
    CHECK_INT(EXIT_OF("queue", "a", "b"), 64);
    CHECK_HAS(said(), "\"b\"");
    CHECK_INT(EXIT_OF("queue", ""), 64);
    CHECK_INT(EXIT_OF("queue", "a", "--payload", "x", "--payload-file", "y"), 64);
    CHECK_HAS(said(), "exclude");
    CHECK_INT(EXIT_OF("queue", "a", "--wait", "--json"), 64);
    CHECK_INT(EXIT_OF("queue", "a", "--priority", "3"), 64);
    CHECK_INT(EXIT_OF("tasks", "--status", "resting", "--token", "t", "--project-id", "p"), 64);
    CHECK_HAS(said(), "resting");
    CHECK_INT(EXIT_OF("help", "nothing"), 64);
    CHECK_INT(EXIT_OF("schedule", "a", "--start-at", "tomorrow"), 64);
    CHECK_HAS(said(), "--start-at");
    CHECK_INT(EXIT_OF("schedule", "a", "--overlap", "perhaps"), 64);
    CHECK_HAS(said(), "allow|skip|queue-one|replace");
    CHECK_INT(EXIT_OF("update", "schedule", "5f0c7d009b2d4c0007a1c0aa"), 64);
    CHECK_HAS(said(), "what changes?");
    CHECK_INT(EXIT_OF("update", "schedule", "5f0c7d009b2d4c0007a1c0aa", "-s", "{}", "--label", "x"),
              64);
}

TEST(bad_input_exits_with_65)
{
    CHECK_INT(EXIT_OF("status", "5F0C"), 65);
    CHECK_HAS(said(), "5F0C");
    autofclose FILE *f = fopen("latin1", "w");
    CHECK(f && fputs("caf\xE9", f) >= 0 && fflush(f) == 0);
    CHECK_INT(EXIT_OF("queue", "a", "-f", "latin1"), 65);
    CHECK_HAS(said(), "UTF-8");
    autofclose FILE *nul = fopen("nul", "w");
    CHECK(nul && fwrite("a\0b", 1, 3, nul) == 3 && fflush(nul) == 0);
    CHECK_INT(EXIT_OF("queue", "a", "-f", "nul"), 65);
    CHECK_HAS(said(), "NUL");
}

TEST(missing_files_exit_with_66)
{
    CHECK_INT(EXIT_OF("queue", "a", "--payload-file", "nowhere"), 66);
    CHECK_HAS(said(), "nowhere");
    CHECK_INT(EXIT_OF("upload", "nowhere"), 66);
    CHECK_HAS(said(), "nowhere");
}

TEST(no_token_exits_with_77)
{
    CHECK_INT(EXIT_OF("tasks"), 77);
    CHECK_HAS(said(), "IRON_TOKEN");
}

TAP_MAIN
