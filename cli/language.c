/* The table of script languages. The stacks are those of stacks/; a runtime without one runs where
 * the server puts old packages that name none. */
#include "cli/language.h"

#include <stdbool.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

static const struct row {
    const char *extension;   /* NULL: by its #! line alone */
    const char *interpreter; /* also followed by a version: python3.11 */
    struct language language;
} rows[] = {
    {".sh", "sh", {"sh", NULL, "sh"}},       {NULL, "dash", {"sh", NULL, "sh"}},
    {".bash", "bash", {NULL, "bash", "sh"}}, {".py", "python", {"python", NULL, "python-3.11"}},
    {".rb", "ruby", {"ruby", NULL, NULL}},   {".php", "php", {"php", NULL, NULL}},
    {".js", "node", {"node", NULL, NULL}},   {".pl", "perl", {"perl", NULL, NULL}},
};

/* next_word: the word at *at within the first line; moves *at behind it. */
static size_t next_word(const char **at, const char *end, const char **ret_word)
{
    while (*at < end && (**at == ' ' || **at == '\t'))
        (*at)++;
    *ret_word = *at;
    while (*at < end && **at != ' ' && **at != '\t' && **at != '\r')
        (*at)++;
    return (size_t)(*at - *ret_word);
}

static size_t base_name(const char **word, size_t len)
{
    for (size_t i = len; i > 0; i--) {
        if ((*word)[i - 1] == '/') {
            *word += i;
            return len - i;
        }
    }
    return len;
}

/* interpreter_of: "python3" of "#!/usr/bin/env -S python3 -u" and of "#!/usr/bin/python3". */
static size_t interpreter_of(const char *head, size_t len, const char **ret)
{
    if (len < 2 || memcmp(head, "#!", 2) != 0)
        return 0;
    const char *newline = memchr(head, '\n', len);
    const char *end = newline ? newline : head + len;
    const char *at = head + 2;
    size_t n = next_word(&at, end, ret);
    n = base_name(ret, n);
    bool is_env = n == 3 && memcmp(*ret, "env", 3) == 0;
    while (is_env && (n = next_word(&at, end, ret)) > 0 && (*ret)[0] == '-')
        continue;
    return is_env ? base_name(ret, n) : n;
}

static bool is_interpreter(const char *known, const char *word, size_t len)
{
    size_t n = strlen(known);
    if (len < n || memcmp(word, known, n) != 0)
        return false;
    return strspn(word + n, "0123456789.") >= len - n;
}

const struct language *language_of(const char *name, const char *head, size_t len)
{
    const char *word = "";
    size_t n = interpreter_of(head, len, &word);
    for (size_t i = 0; n > 0 && i < ARRAY_LEN(rows); i++)
        if (is_interpreter(rows[i].interpreter, word, n))
            return &rows[i].language;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].extension && str_ends(name, rows[i].extension))
            return &rows[i].language;
    return NULL;
}
