/* Which registry an image is of, and which one an address means. */
#include "server/registry.h"

#include "tests/unit/tap.h"
#include "lib/banned.h"

static void of_image(const char *image, const char *want)
{
    char out[REGISTRY_BYTES];
    CHECK(registry_of_image(image, out));
    CHECK_STR(out, want);
}

TEST(an_image_without_a_host_is_of_docker_hub)
{
    of_image("busybox", "docker.io");
    of_image("busybox:1.36", "docker.io");
    of_image("acme/thumb:2", "docker.io");
    of_image("docker.io/acme/thumb", "docker.io");
    of_image("index.docker.io/acme/thumb", "docker.io");
    of_image("", "docker.io");
}

TEST(an_image_with_a_host_is_of_that)
{
    of_image("quay.io/acme/thumb:2", "quay.io");
    of_image("Registry.Example.com:5000/a/b@sha256:00", "registry.example.com:5000");
    of_image("localhost/x", "localhost");
    of_image("box:5000/x", "box:5000");
}

static void of_address(const char *address, const char *want)
{
    char out[REGISTRY_BYTES];
    CHECK(registry_of_address(address, out));
    CHECK_STR(out, want);
}

TEST(an_address_is_a_host_or_a_url)
{
    of_address("", "docker.io");
    of_address("https://index.docker.io/v1/", "docker.io");
    of_address("quay.io", "quay.io");
    of_address("http://Registry.example.com:5000/v2/", "registry.example.com:5000");
    of_address("[::1]:5000", "[::1]:5000");
}

TEST(what_is_no_address_is_refused)
{
    char out[REGISTRY_BYTES], longer[REGISTRY_BYTES + 8];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    const char *bad[] = {"https://", "user@host", "a b", "h\nost", longer};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CHECK(!registry_of_address(bad[i], out));
    longer[sizeof(longer) - 3] = '.';
    longer[sizeof(longer) - 2] = '/';
    CHECK(!registry_of_image(longer, out));
}

TAP_MAIN
