/* Names in a .worker file: paths, URLs, and where they come to lie in a package. Any thread. What
 * is returned is the caller's to free. */
#pragma once

#include <stdbool.h>

bool dw_is_url(const char *path); /* http:// or https:// */

/* dw_base_name: the last part of a path or of a URL's path, slashes at the end left out; "" when
 * there is none. */
char *dw_base_name(const char *path);

/* dw_locate: `path` as seen from `dir` ("" or with a slash at its end; may be a URL's). */
char *dw_locate(const char *dir, const char *path);

/* dw_inside: folder and name joined as a path in the package: without "." and doubled slashes, a
 * leading slash dropped. NULL when a ".." leads out of it. */
char *dw_inside(const char *folder, const char *name);

/* dw_raw_url: a page of github.com that shows a file, as the address of the file itself; others as
 * they are. */
char *dw_raw_url(const char *url);
