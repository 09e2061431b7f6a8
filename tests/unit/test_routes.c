/* The route table: every row is found by its own path, means one thing, and asks for the token that
 * its part of the API has. */
#include "server/routes.h"

#include "lib/str.h"
#include "server/app.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

#define PROJECT_ID "0123456789abcdef01234567"

static char text[512];
static struct err e;

/* path_of: a path that the pattern stands for. */
static const char *path_of(const char *pattern)
{
    static char out[512];
    size_t at = 0;
    for (const char *p = pattern; *p; p++) {
        if (*p != '{') {
            out[at++] = *p;
            continue;
        }
        size_t len = strcspn(p, "}");
        const char *value = strncmp(p, "{project", len) == 0 ? PROJECT_ID : "some-name";
        at += (size_t)snprintf(out + at, sizeof(out) - at, "%s", value);
        p += len;
    }
    out[at] = '\0';
    return out;
}

static int find(const char *method, const char *path, struct route_match *m)
{
    struct target t;
    str_copy(text, sizeof(text), path);
    CHECK_OK(target_parse(text, &t, &e), &e);
    return routes_find(method, &t, m, &e);
}

TEST(finds_every_row_by_its_own_path)
{
    for (size_t i = 0; i < n_routes; i++) {
        struct route_match m;
        CHECK_OK(find(routes[i].method, path_of(routes[i].pattern), &m), &e);
        CHECK_STR(m.route->pattern, routes[i].pattern);
        CHECK_STR(m.route->method, routes[i].method);
    }
}

TEST(names_the_parameters)
{
    struct route_match m;
    CHECK_OK(find("GET", "/2/projects/" PROJECT_ID "/tasks/77/log", &m), &e);
    CHECK_STR(m.project_id, PROJECT_ID);
    CHECK_STR(m.name, "77");
    CHECK_OK(find("GET", "/version", &m), &e);
    CHECK(m.project_id == NULL && m.name == NULL);
}

TEST(has_whole_rows)
{
    for (size_t i = 0; i < n_routes; i++) {
        const struct route *r = &routes[i];
        CHECK(r->handler != NULL);
        CHECK(r->doc && strchr(r->doc, '.'));
        CHECK((r->body == BODY_STREAM) == (r->sink != NULL));
        CHECK((r->body == BODY_NONE) == (r->max_body == 0));
        CHECK(strcmp(r->method, "HEAD") != 0); /* that is what GET is for */
    }
}

TEST(asks_for_the_token_of_each_part)
{
    for (size_t i = 0; i < n_routes; i++) {
        const struct route *r = &routes[i];
        bool project = strstr(r->pattern, "{project}") != NULL;
        bool runner = str_starts(r->pattern, "/runner/");
        bool client = str_starts(r->pattern, "/2/");
        bool admin = r->scope == ADMIN; /* what only the operator may do, of /2/ alone */
        CHECK(client || !admin);
        CHECK_INT(r->scope == PROJECT, project && !admin);
        CHECK_INT(r->scope == RUNNER, runner);
        CHECK_INT(r->scope == CLIENT, client && !project && !admin);
    }
}

TEST(has_no_two_rows_for_one_request)
{
    for (size_t i = 0; i < n_routes; i++) {
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(routes[i].method, routes[j].method) != 0 ||
                  strcmp(path_of(routes[i].pattern), routes[j].pattern) != 0);
    }
}

TEST(finds_get_for_head)
{
    struct route_match m;
    CHECK_OK(find("HEAD", "/health", &m), &e);
    CHECK_STR(m.route->method, "GET");
}

TEST(tells_a_wrong_verb_from_a_wrong_path)
{
    struct route_match m;
    struct target t;
    char allow[64];
    CHECK_INT(find("PUT", "/2/projects/x/codes", &m), ERR_METHOD);
    CHECK_INT(find("GET", "/2/projects/x/nothing", &m), ERR_NOT_FOUND);
    CHECK_INT(find("GET", "/", &m), ERR_NOT_FOUND);
    CHECK_INT(find("GET", "/2/projects/x/tasks/y/log/z", &m), ERR_NOT_FOUND);
    CHECK_STR(e.msg, "Not found");
    str_copy(text, sizeof(text), "/2/projects/x/codes");
    CHECK_OK(target_parse(text, &t, &e), &e);
    routes_allow(&t, allow, sizeof(allow));
    CHECK_STR(allow, "GET, HEAD, POST");
}

TEST(resolves_ceilings_that_are_settings)
{
    const struct app app = {.max_json_bytes = 11, .max_upload_bytes = 12};
    struct route_match m;
    CHECK_OK(find("POST", "/2/projects/x/tasks", &m), &e);
    CHECK_INT(route_max_body(m.route, &app), 11);
    CHECK_OK(find("POST", "/2/projects/x/codes", &m), &e);
    CHECK_INT(route_max_body(m.route, &app), 12);
    CHECK_OK(find("POST", "/runner/1/log", &m), &e);
    CHECK(route_max_body(m.route, &app) >= 1 << 20);
}

TAP_MAIN
