/* The rule is Docker's: the first part of a reference is a host if it has a dot or a colon or is
 * "localhost". */
#include "server/registry.h"

#include <ctype.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/str.h"

#include "lib/banned.h"

#define DOCKER_HUB "docker.io"

/* settle: lower case, and one name for Docker's own. */
static bool settle(const char *host, size_t len, char out[REGISTRY_BYTES])
{
    static const char *const hub[] = {"index.docker.io", "registry-1.docker.io",
                                      "registry.hub.docker.com", "hub.docker.com"};
    if (len >= REGISTRY_BYTES)
        return false;
    for (size_t i = 0; i < len; i++)
        out[i] = (char)tolower((unsigned char)host[i]);
    out[len] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(hub); i++)
        if (strcmp(out, hub[i]) == 0)
            str_copy(out, REGISTRY_BYTES, DOCKER_HUB);
    return true;
}

bool registry_of_image(const char *image, char out[REGISTRY_BYTES])
{
    size_t len = strcspn(image, "/");
    bool is_host = image[len] == '/' && (memchr(image, '.', len) || memchr(image, ':', len) ||
                                         (len == 9 && memcmp(image, "localhost", 9) == 0));
    return is_host ? settle(image, len, out) : settle(DOCKER_HUB, strlen(DOCKER_HUB), out);
}

bool registry_of_address(const char *address, char out[REGISTRY_BYTES])
{
    const char *scheme = strstr(address, "://");
    const char *host = scheme ? scheme + 3 : address;
    size_t len = strcspn(host, "/");
    if (len == 0 && !scheme && !*host)
        return settle(DOCKER_HUB, strlen(DOCKER_HUB), out);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)host[i]) && !strchr(".-:[]", host[i]))
            return false;
    return len > 0 && settle(host, len, out);
}
