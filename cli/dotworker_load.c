/* Finding and reading .worker files. Neighbour: dotworker.c. */
#include "cli/dotworker.h"

#include <string.h>
#include <sys/stat.h>

#include "cli/dotworker_fetch.h"
#include "cli/dotworker_path.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

char *dotworker_find(const char *word)
{
    static const char *const endings[] = {".worker", ".workerfile"};
    autofree char *base = dw_base_name(word);
    bool named = strcmp(base, "Workerfile") == 0;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        named = named || str_ends(base, endings[i]);
    if (named)
        return str_dup(word);
    for (size_t i = 0; i < ARRAY_LEN(endings) && !dw_is_url(word); i++) {
        autofree char *path = str_fmt("%s%s", word, endings[i]);
        if (is_file(path))
            return TAKE(path);
    }
    return NULL;
}

int dotworker_load(const char *path, struct dotworker *ret, struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(BOUND_DOTWORKER_BYTES);
    bool is_url = dw_is_url(path);
    int rc = is_url ? dw_fetch_text(path, &text, e) : fs_read(path, &text, e);
    if (rc < 0)
        return rc;
    autofree char *from = is_url ? dw_raw_url(path) : str_dup(path);
    return dotworker_parse(from, buf_str(&text), text.len, ret, e);
}
