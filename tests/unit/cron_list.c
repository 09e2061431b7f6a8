/* cron_list ZONE FROM_S TO_S LINE: prints every firing in (FROM_S, TO_S] as UTC seconds, one a
 * line. tests/unit/cron_ten_years.py compares it with an implementation in another language. */
#include <stdio.h>

#include "lib/cron.h"
#include "lib/str.h"
#include "lib/banned.h"

static int list(char **argv, struct err *e)
{
    autozone struct zone *z = NULL;
    struct cron c;
    int64_t at, to;
    int r;
    if ((r = zone_open(argv[1], &z, e)) != 0 || (r = cron_parse(argv[4], &c, e)) != 0 ||
        (r = str_int(argv[2], "FROM_S", INT64_MIN, INT64_MAX, &at, e)) != 0 ||
        (r = str_int(argv[3], "TO_S", INT64_MIN, INT64_MAX, &to, e)) != 0)
        return r;
    while ((r = cron_next(&c, z, at, &at, e)) == 0 && at <= to)
        printf("%lld\n", (long long)at);
    return r == ERR_EMPTY ? 0 : r;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    if (argc != 5)
        return 64;
    if (list(argv, &e) != 0) {
        fprintf(stderr, "cron_list: %s\n", e.msg);
        return 1;
    }
    return 0;
}
