/* What engines take for an image reference, and what not. */
#include "runner/engine/image.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

#define HEX "0123456789abcdef0123456789abcdef"

TEST(names_tags_and_digests_are_references)
{
    static const char *const good[] = {
        "busybox",
        "busybox:latest",
        "library/python:3.11-slim",
        "wrought/python-3.11",
        "docker.io/library/busybox",
        "localhost/wrought/sh:latest",
        "localhost:5000/a/b__c:V1.0",
        "Registry.example.com:443/team/a.b-c---d",
        "[::1]:5000/x",
        "busybox@sha256:" HEX HEX,
        "busybox:1@sha256:" HEX HEX,
        "sha256:" HEX HEX,
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!engine_is_reference(good[i]))
            TAP_FAIL("%s is refused", good[i]);
}

TEST(everything_else_is_none)
{
    static const char *const bad[] = {
        "",
        "Not A Reference!",
        "Busybox",
        "a//b",
        "/a",
        "a/",
        "a:",
        "a:.x",
        "a:-x",
        "a:b:c",
        "a..b",
        "a___b",
        "-a",
        "a-",
        "a._b",
        "a@",
        "a@b",
        "a@b:1",
        ":latest",
        "a\nb",
        "a:t\n",
        "é",
        ("@sha256:" HEX),
        "a.b/",
        "-.x/a",
        "a/B",
        "a b/c:latest",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (engine_is_reference(bad[i]))
            TAP_FAIL("\"%s\" is taken", bad[i]);
}

TEST(lengths_have_a_limit)
{
    char ref[400];
    memset(ref, 'a', sizeof(ref));
    ref[255] = '\0';
    CHECK(engine_is_reference(ref));
    ref[255] = 'a';
    ref[256] = '\0';
    CHECK(!engine_is_reference(ref));
    ref[1] = ':';
    ref[130] = '\0'; /* a tag of 128 */
    CHECK(engine_is_reference(ref));
    ref[130] = 'a';
    ref[131] = '\0';
    CHECK(!engine_is_reference(ref));
}

TAP_MAIN
