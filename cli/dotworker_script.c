/* Scripts are templates with @NAMES@ in them; whatever a .worker file put in is quoted for the
 * language it lands in. */
#include "cli/dotworker_script.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dotworker_path.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define PART_BYTES (4 * BOUND_DOTWORKER_BYTES) /* quoting makes four bytes of one at most */

/* ---- quoting ---- */

/* add_word: as one word for the shell, in quotes where it needs them. */
static void add_word(struct buf *out, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+:@%-";
    if (text[0] != '\0' && text[strspn(text, plain)] == '\0') {
        buf_adds(out, text);
        return;
    }
    buf_addc(out, '\'');
    for (const char *c = text; *c; c++) {
        if (*c == '\'')
            buf_adds(out, "'\\''");
        else
            buf_addc(out, *c);
    }
    buf_addc(out, '\'');
}

/* add_literal: in the single quotes of Ruby and PHP. */
static void add_literal(struct buf *out, const char *text)
{
    buf_addc(out, '\'');
    for (const char *c = text; *c; c++) {
        if (*c == '\'' || *c == '\\')
            buf_addc(out, '\\');
        buf_addc(out, *c);
    }
    buf_addc(out, '\'');
}

/* names_variable: NAME or {NAME} stands behind a $. */
static bool names_variable(const char *text)
{
    bool braces = *text == '{';
    const char *name = text + braces;
    size_t len = 0;
    while (isalnum((unsigned char)name[len]) || name[len] == '_')
        len++;
    return len > 0 && !isdigit((unsigned char)*name) && (!braces || name[len] == '}');
}

/* add_value: in the shell's double quotes, where a $NAME stands for its value, as it did with
 * IronWorker (set_env 'PATH', './tools:$PATH'), and \$NAME for itself. Nothing else in it is the
 * shell's: no command, no end of the quotes. */
static void add_value(struct buf *out, const char *text)
{
    buf_addc(out, '"');
    for (const char *c = text; *c; c++) {
        if (c[0] == '\\' && c[1] == '$') {
            buf_adds(out, "\\$");
            c++;
            continue;
        }
        if (strchr("\"`\\", *c) || (*c == '$' && !names_variable(c + 1)))
            buf_addc(out, '\\');
        buf_addc(out, *c);
    }
    buf_addc(out, '"');
}

/* ---- templates ---- */

struct fill {
    const char *mark; /* "@EXEC@" */
    const char *text;
};

static void add_filled(struct buf *out, const char *template, const struct fill *fills, size_t n)
{
    while (*template) {
        const struct fill *found = NULL;
        for (size_t i = 0; *template == '@' && !found && i < n; i++)
            found = str_starts(template, fills[i].mark) ? &fills[i] : NULL;
        if (found)
            buf_adds(out, found->text);
        else
            buf_addc(out, *template);
        template += found ? strlen(found->mark) : 1;
    }
}

static void add_exports(const struct dotworker *w, struct buf *out)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->items[i].kind != DW_ENV)
            continue;
        buf_addf(out, "export %s=", w->items[i].what);
        add_value(out, w->items[i].more);
        buf_addc(out, '\n');
    }
}

/* add_script: the shell script of a package that does `work` in the end. */
static void add_script(const struct dotworker *w, const char *work, struct buf *out)
{
    AUTO(buf) struct buf exports = BUF_INIT(PART_BYTES);
    add_exports(w, &exports);
    const struct fill fills[] = {{"@EXPORTS@\n", buf_str(&exports)}, {"@START@\n", work}};
    add_filled(out, dw_template_worker, fills, ARRAY_LEN(fills));
}

/* ---- the runner ---- */

/* add_classpath: the jars in the order of the file, and the exec. */
static void add_classpath(const struct dotworker *w, struct buf *out)
{
    AUTO(buf) struct buf path = BUF_INIT(PART_BYTES);
    for (size_t i = 0; i < w->n; i++) {
        if (w->items[i].kind != DW_JAR && w->items[i].kind != DW_EXEC)
            continue;
        autofree char *base = dw_base_name(w->items[i].what);
        buf_addf(&path, "%s%s", path.len > 0 ? ":" : "", base);
    }
    add_word(out, buf_str(&path));
}

static void add_main(const struct dotworker *w, const char *exec, struct buf *out)
{
    const char *class = w->items[w->exec].more;
    if (!class)
        buf_adds(out, "-jar ");
    add_word(out, class ? class : exec);
}

void dw_runner_script(const struct dotworker *w, struct buf *out)
{
    autofree char *base = dw_base_name(w->items[w->exec].what);
    autofree char *exec = str_fmt("%s%s", base[0] == '-' ? "./" : "", base); /* it is no option */
    AUTO(buf) struct buf word = BUF_INIT(PART_BYTES);
    AUTO(buf) struct buf classpath = BUF_INIT(PART_BYTES);
    AUTO(buf) struct buf main = BUF_INIT(PART_BYTES);
    AUTO(buf) struct buf start = BUF_INIT(4 * PART_BYTES);
    add_word(&word, exec);
    add_classpath(w, &classpath);
    add_main(w, exec, &main);
    const struct fill fills[] = {{"@EXEC@", buf_str(&word)},
                                 {"@CLASSPATH@", buf_str(&classpath)},
                                 {"@MAIN@", buf_str(&main)}};
    add_filled(&start, w->runtime->start, fills, ARRAY_LEN(fills));
    add_script(w, buf_str(&start), out);
}

void dw_helper_script(const struct dotworker *w, struct buf *out)
{
    const char *class_name = w->items[w->exec].more;
    autofree char *exec = dw_base_name(w->items[w->exec].what);
    AUTO(buf) struct buf file = BUF_INIT(PART_BYTES), class = BUF_INIT(PART_BYTES);
    add_literal(&file, exec);
    if (class_name)
        add_literal(&class, class_name);
    else
        buf_adds(&class, "nil");
    const struct fill fills[] = {{"@EXEC@", buf_str(&file)}, {"@CLASS@", buf_str(&class)}};
    add_filled(out, w->runtime->helper, fills, ARRAY_LEN(fills));
}

/* ---- the build ---- */

char *dw_build_input(const struct dotworker *w, size_t i)
{
    autofree char *base = dw_base_name(w->items[i].what);
    return str_fmt(DW_BUILD_FOLDER "/%zu/%s", i + 1, base);
}

static void add_say(struct buf *out, const char *what, const char *name)
{
    autofree char *text = str_fmt("%s %s", what, name);
    buf_adds(out, "say ");
    add_word(out, text);
    buf_addc(out, '\n');
}

static void add_deb(const struct dotworker *w, size_t i, struct buf *out)
{
    const struct dw_item *item = &w->items[i];
    add_say(out, "Unpacking package", item->what);
    if (dw_deb_is_file(item)) {
        autofree char *input = dw_build_input(w, i);
        buf_adds(out, "dpkg -x ");
        add_word(out, input);
        buf_adds(out, " __debs__\n");
    } else {
        buf_adds(out, "deb ");
        add_word(out, item->what);
        buf_addc(out, '\n');
    }
}

static void add_gem(const struct dotworker *w, size_t i, struct buf *out)
{
    const struct dw_item *item = &w->items[i];
    add_say(out, "Installing gem", item->what);
    buf_adds(out, "gem install --no-document --install-dir \"$GEM_HOME\" --version ");
    add_word(out, item->more ? item->more : ">= 0");
    buf_addc(out, ' ');
    add_word(out, item->what);
    buf_addc(out, '\n');
}

static void add_gemfile(const struct dotworker *w, size_t i, struct buf *out)
{
    const struct dw_item *item = &w->items[i];
    autofree char *input = dw_build_input(w, i);
    add_say(out, "Installing gems of", item->what);
    buf_adds(out, "gemfile ");
    add_word(out, input);
    const char *group = item->more ? item->more : "default";
    while (*group) {
        size_t len = strcspn(group, " ");
        autofree char *name = str_dupn(group, len);
        buf_addc(out, ' ');
        add_word(out, name);
        group += len + (group[len] == ' ');
    }
    buf_addc(out, '\n');
}

/* add_pip: a version without an operator is an exact one. */
static void add_pip(const struct dotworker *w, size_t i, struct buf *out)
{
    const struct dw_item *item = &w->items[i];
    const char *version = item->more ? item->more : "";
    const char *operator= version[0] != '\0' && !strchr("<>=!~", version[0]) ? "==" : "";
    autofree char *wanted = str_fmt("%s%s%s", item->what, operator, version);
    add_say(out, "Installing", wanted);
    buf_adds(out, "pip_install ");
    add_word(out, wanted);
    buf_addc(out, '\n');
}

static void add_requirements(const struct dotworker *w, size_t i, struct buf *out)
{
    autofree char *input = dw_build_input(w, i);
    add_say(out, "Installing what is in", w->items[i].what);
    buf_adds(out, "pip_install -r ");
    add_word(out, input);
    buf_addc(out, '\n');
}

static void add_build(const struct dotworker *w, size_t i, struct buf *out)
{
    add_say(out, "Running", w->items[i].what);
    buf_adds(out, "sh -c ");
    add_word(out, w->items[i].what);
    buf_addc(out, '\n');
}

/* In this order: what is installed serves the commands. */
static const struct {
    enum dw_item_kind kind;
    void (*add)(const struct dotworker *w, size_t i, struct buf *out);
} steps[] = {{DW_DEB, add_deb},
             {DW_GEM, add_gem},
             {DW_GEMFILE, add_gemfile},
             {DW_PIP, add_pip},
             {DW_REQUIREMENTS, add_requirements},
             {DW_BUILD, add_build}};

void dw_build_script(const struct dotworker *w, struct buf *out)
{
    AUTO(buf) struct buf list = BUF_INIT(16 * PART_BYTES), work = BUF_INIT(32 * PART_BYTES);
    for (size_t s = 0; s < ARRAY_LEN(steps); s++)
        for (size_t i = 0; i < w->n; i++)
            if (w->items[i].kind == steps[s].kind)
                steps[s].add(w, i, &list);
    const struct fill fills[] = {{"@STEPS@\n", buf_str(&list)}};
    add_filled(&work, dw_template_build, fills, ARRAY_LEN(fills));
    add_script(w, buf_str(&work), out);
}
