/* Paths and URLs as text; no file is looked at. */
#include "cli/dotworker_path.h"

#include <string.h>

#include "lib/bounds.h"
#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define RAW "https://raw.githubusercontent.com/"

bool dw_is_url(const char *path)
{
    return str_starts(path, "http://") || str_starts(path, "https://");
}

char *dw_base_name(const char *path)
{
    size_t len = strlen(path);
    if (dw_is_url(path)) {
        path = strstr(path, "://") + 3;
        path += strcspn(path, "/"); /* the host is no name */
        len = strcspn(path, "?#");
    }
    while (len > 0 && path[len - 1] == '/')
        len--;
    size_t start = len;
    while (start > 0 && path[start - 1] != '/')
        start--;
    return str_dupn(path + start, len - start);
}

char *dw_locate(const char *dir, const char *path)
{
    bool complete = dw_is_url(path) || (path[0] == '/' && !dw_is_url(dir));
    return complete ? str_dup(path) : str_fmt("%s%s", dir, path);
}

char *dw_inside(const char *folder, const char *name)
{
    autofree char *joined = str_fmt("%s/%s", folder, name);
    AUTO(buf) struct buf out = BUF_INIT(strlen(joined) + 1);
    for (const char *part = joined; *part;) {
        size_t len = strcspn(part, "/");
        if (len == 2 && memcmp(part, "..", 2) == 0)
            return NULL;
        if (len > 0 && !(len == 1 && *part == '.')) {
            if (out.len > 0)
                buf_addc(&out, '/');
            buf_add(&out, part, len);
        }
        part += len + (part[len] == '/');
    }
    return buf_take(&out);
}

char *dw_raw_url(const char *url)
{
    static const char *const hosts[] = {"https://github.com/", "http://github.com/"};
    static const char *const views[] = {"/blob/", "/raw/"};
    const char *rest = NULL;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        if (str_starts(url, hosts[i]))
            rest = url + strlen(hosts[i]);
    const char *owner_end = rest ? strchr(rest, '/') : NULL;
    const char *repo_end = owner_end ? strchr(owner_end + 1, '/') : NULL;
    for (size_t i = 0; repo_end && i < ARRAY_LEN(views); i++)
        if (str_starts(repo_end, views[i]))
            return str_fmt(RAW "%.*s/%s", (int)(repo_end - rest), rest,
                           repo_end + strlen(views[i]));
    return str_dup(url);
}
