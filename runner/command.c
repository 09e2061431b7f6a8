/* Kinds of packages, and the words of a command. Runtimes: api/stack.h. */
#include "runner/command.h"

#include <stdlib.h>
#include <string.h>

#include "api/stack.h"
#include "lib/bounds.h"
#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

/* ---- words ---- */

void words_release(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->v[i]);
    free(w->v);
    *w = (struct words){0};
}

void words_add(struct words *w, const char *word)
{
    char **v = realloc(w->v, (w->n + 2) * sizeof *v);
    if (!v)
        abort();
    w->v = v;
    w->v[w->n++] = str_dup(word);
    w->v[w->n] = NULL;
}

const char *const *words_list(const struct words *w)
{
    static const char *const none[] = {NULL};
    return w->v ? (const char *const *)w->v : none;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One quoted part or one plain character at *p; advances *p. False for an open quote. */
static bool word_piece(const char **p, struct buf *word)
{
    char c = *(*p)++;
    if (c == '\'' || c == '"') {
        char quote = c;
        while ((c = **p) && c != quote) {
            (*p)++;
            if (quote == '"' && c == '\\' && **p && strchr("\"\\$`", **p))
                c = *(*p)++;
            buf_addc(word, c);
        }
        if (!c)
            return false;
        (*p)++;
        return true;
    }
    if (c == '\\' && **p)
        c = *(*p)++;
    buf_addc(word, c);
    return true;
}

int words_split(const char *text, struct words *ret, struct err *e)
{
    AUTO(words) struct words list = {0};
    AUTO(buf) struct buf word = BUF_INIT(BOUND_COMMAND_BYTES);
    const char *p = text;

    for (;;) {
        while (is_blank(*p))
            p++;
        if (!*p)
            break;
        buf_clear(&word);
        while (*p && !is_blank(*p))
            if (!word_piece(&p, &word))
                return err_set(e, ERR_INVALID, "command has an open quote: %.100s", text);
        if (buf_check(&word, "word of the command", e))
            return e->code;
        words_add(&list, buf_str(&word));
    }
    words_release(ret);
    *ret = list;
    list = (struct words){0};
    return 0;
}

/* ---- image ---- */

static bool given(const char *s)
{
    return s && *s;
}

static bool has_package(const struct grant *g)
{
    return g->package_sha256[0] != '\0';
}

static bool is_image_alone(const struct grant *g)
{
    return given(g->image) && !has_package(g);
}

int command_image(const struct grant *g, struct buf *ret, bool *ret_is_stack, struct err *e)
{
    if (given(g->image)) {
        buf_adds(ret, g->image);
        *ret_is_stack = false;
        return 0;
    }
    const char *stack = g->stack;
    if (!given(stack)) {
        const struct runtime *rt;
        if (!given(g->runtime) && !given(g->file_name))
            return err_set(e, ERR_INVALID, "the code names no image, stack or runtime");
        if (runtime_choose(g->runtime, g->file_name, false, &rt, e))
            return e->code;
        stack = rt->stack;
    }
    buf_addf(ret, STACK_TAG "%s", stack);
    *ret_is_stack = true;
    return 0;
}

/* ---- argv ---- */

static void add_args(struct words *argv, const struct grant *g)
{
    static const char *const fixed[] = {"-d", COMMAND_DIR, "-e", "production", "-id"};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        words_add(argv, fixed[i]);
    words_add(argv, g->ref.task);
    words_add(argv, "-payload");
    words_add(argv, COMMAND_PAYLOAD_FILE);
    if (given(g->config)) { /* node_helper.js parses it unasked: never name one that is not there */
        words_add(argv, "-config");
        words_add(argv, COMMAND_CONFIG_FILE);
    }
    if (given(g->schedule_id)) {
        words_add(argv, "-schedule_id");
        words_add(argv, g->schedule_id);
    }
}

static int add_runtime(struct words *argv, const struct grant *g, struct err *e)
{
    const struct runtime *rt;
    if (runtime_choose(g->runtime, g->file_name, given(g->image) || given(g->stack), &rt, e))
        return e->code;
    for (size_t i = 0; rt->argv[i]; i++)
        words_add(argv, rt->argv[i]);
    words_add(argv, g->file_name);
    return 0;
}

/* The image's Entrypoint and Cmd, which a container with our own PID 1 no longer has. A command
 * takes the place of Cmd, as `docker run IMAGE COMMAND` does. */
static int add_image_command(struct words *argv, const struct grant *g,
                             const struct engine_image *image, struct err *e)
{
    AUTO(words) struct words own = {0};
    if (given(g->command) && words_split(g->command, &own, e))
        return e->code;
    for (char **w = image->entrypoint; w && *w; w++)
        words_add(argv, *w);
    for (char **w = given(g->command) ? own.v : image->cmd; w && *w; w++)
        words_add(argv, *w);
    if (argv->n == 0)
        return err_set(e, ERR_INVALID, "image %.100s has no command of its own and the code none",
                       g->image);
    return 0;
}

int command_argv(const struct grant *g, const struct engine_image *image, struct words *ret,
                 struct err *e)
{
    AUTO(words) struct words argv = {0};
    bool script = given(g->file_name) && !given(g->command);
    int rc;
    if (script && has_package(g))
        rc = add_runtime(&argv, g, e);
    else if (given(g->image))
        rc = add_image_command(&argv, g, image, e);
    else if (given(g->command))
        rc = words_split(g->command, &argv, e);
    else
        rc = err_set(e, ERR_INVALID,
                     "the code says neither a command nor a package with a file_name");
    if (rc)
        return rc;
    if (argv.n == 0)
        return err_set(e, ERR_INVALID, "the command is empty");
    if (!is_image_alone(g))
        add_args(&argv, g);
    words_release(ret);
    *ret = argv;
    argv = (struct words){0};
    return 0;
}

const char *command_dir(const struct grant *g, const struct engine_image *image)
{
    if (is_image_alone(g) && given(image->working_dir))
        return image->working_dir;
    return "/task";
}
