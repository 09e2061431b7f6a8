/* Prints the route table, "METHOD PATTERN" a line, for tests/api/openapi.t. */
#include <stdio.h>

#include "server/routes.h"

#include "lib/banned.h"

int main(void)
{
    for (size_t i = 0; i < n_routes; i++)
        printf("%s %s\n", routes[i].method, routes[i].pattern);
    return 0;
}
