/* The route table and its matching. Every row is a handler in a server/h_*.c. */
#include "server/routes.h"

#include <stdio.h>
#include <string.h>

#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "server/app.h"
#include "server/handlers.h"

#include "lib/banned.h"

#define SMALL_JSON  (64u << 10)
#define RUNNER_JSON (1u << 20) /* renewals list every attempt; endings carry facts */

#define P "/2/projects/{project}"

const struct route routes[] = {
    {"GET", "/health", h_health, OPEN, BODY_NONE, 0, NULL, "api/http.md#for-operators"},
    {"GET", "/version", h_version, OPEN, BODY_NONE, 0, NULL, "api/http.md#for-operators"},
    {"GET", "/metrics", h_metrics, OPEN, BODY_NONE, 0, NULL, "api/http.md#for-operators"},
    {"GET", "/openapi.yaml", h_openapi, OPEN, BODY_NONE, 0, NULL, "api/http.md#for-operators"},

    {"GET", "/2/projects", h_project_list, CLIENT, BODY_NONE, 0, NULL, "api/http.md#projects"},
    {"GET", P, h_project_get, PROJECT, BODY_NONE, 0, NULL, "api/http.md#projects"},
    {"POST", "/2/projects", h_project_post, ADMIN, BODY_BUF, SMALL_JSON, NULL,
     "api/http.md#projects"},
    {"DELETE", P, h_project_delete, ADMIN, BODY_NONE, 0, NULL, "api/http.md#projects"},
    {"GET", "/2/tokens", h_token_list, ADMIN, BODY_NONE, 0, NULL, "api/http.md#tokens"},
    {"POST", "/2/tokens", h_token_post, ADMIN, BODY_BUF, SMALL_JSON, NULL, "api/http.md#tokens"},
    {"DELETE", "/2/tokens/{id}", h_token_delete, ADMIN, BODY_NONE, 0, NULL, "api/http.md#tokens"},
    {"GET", P "/credentials", h_credential_list, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#credentials"},
    {"POST", P "/credentials", h_credential_post, PROJECT, BODY_BUF, SMALL_JSON, NULL,
     "api/http.md#credentials"},
    {"DELETE", P "/credentials/{registry}", h_credential_delete, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#credentials"},
    {"GET", "/2/stacks", h_stack_list, CLIENT, BODY_NONE, 0, NULL, "api/http.md#stacks"},

    {"GET", P "/codes", h_code_list, PROJECT, BODY_NONE, 0, NULL, "api/http.md#codes"},
    {"POST", P "/codes", h_code_post, PROJECT, BODY_STREAM, BODY_MAX_UPLOAD, &upload_sink,
     "api/http.md#upload"},
    {"GET", P "/codes/{id}", h_code_get, PROJECT, BODY_NONE, 0, NULL, "api/http.md#codes"},
    {"DELETE", P "/codes/{id}", h_code_delete, PROJECT, BODY_NONE, 0, NULL, "api/http.md#codes"},
    {"GET", P "/codes/{id}/download", h_code_download, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#codes"},
    {"GET", P "/codes/{id}/revisions", h_code_revisions, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#codes"},

    {"GET", P "/codes/{id}/stats", h_code_stats, PROJECT, BODY_NONE, 0, NULL, "api/http.md#codes"},
    {"POST", P "/codes/{id}/pause_task_queue", h_code_pause, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#pause"},
    {"POST", P "/codes/{id}/resume_task_queue", h_code_resume, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#pause"},
    {"POST", P "/codes/{id}/cancel_all", h_code_cancel_all, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#codes"},

    {"POST", P "/tasks", h_task_post, PROJECT, BODY_BUF, BODY_MAX_JSON, NULL, "api/http.md#queue"},
    {"GET", P "/tasks", h_task_list, PROJECT, BODY_NONE, 0, NULL, "api/http.md#tasks"},
    {"GET", P "/tasks/{id}", h_task_get, PROJECT, BODY_NONE, 0, NULL, "api/http.md#tasks"},
    {"POST", P "/tasks/{id}/cancel", h_task_cancel, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#tasks"},
    {"POST", P "/tasks/webhook", h_task_webhook, PROJECT, BODY_BUF, BODY_MAX_PAYLOAD, NULL,
     "api/http.md#webhooks"},
    {"POST", P "/tasks/{id}/progress", h_task_progress, PROJECT, BODY_BUF, BODY_MAX_JSON, NULL,
     "api/http.md#progress"},
    {"POST", P "/tasks/{id}/retry", h_task_retry, PROJECT, BODY_BUF, SMALL_JSON, NULL,
     "api/http.md#retry"},
    {"GET", P "/tasks/{id}/why", h_task_why, PROJECT, BODY_NONE, 0, NULL, "api/http.md#tasks"},
    {"POST", P "/schedules", h_schedule_post, PROJECT, BODY_BUF, BODY_MAX_JSON, NULL,
     "api/http.md#schedules"},
    {"GET", P "/schedules", h_schedule_list, PROJECT, BODY_NONE, 0, NULL, "api/http.md#schedules"},
    {"GET", P "/schedules/{id}", h_schedule_get, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#schedules"},
    {"PUT", P "/schedules/{id}", h_schedule_put, PROJECT, BODY_BUF, BODY_MAX_JSON, NULL,
     "api/http.md#schedules"},
    {"POST", P "/schedules/{id}/cancel", h_schedule_cancel, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#schedules"},
    {"POST", P "/schedules/{id}/pause", h_schedule_pause, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#schedules"},
    {"POST", P "/schedules/{id}/resume", h_schedule_resume, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#schedules"},
    {"POST", P "/schedules/{id}/trigger", h_schedule_trigger, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#schedules"},
    {"GET", P "/schedules/{id}/firings", h_schedule_firings, PROJECT, BODY_NONE, 0, NULL,
     "api/http.md#schedules"},

    {"GET", P "/tasks/{id}/log", h_task_log, PROJECT, BODY_NONE, 0, NULL, "api/http.md#logs"},
    {"GET", P "/tasks/{id}/outlog", h_task_outlog, PROJECT, BODY_NONE, 0, NULL, "api/http.md#logs"},

    {"POST", "/runner/1/register", h_runner_register, RUNNER, BODY_BUF, SMALL_JSON, NULL,
     "api/lease.md"},
    {"POST", "/runner/1/lease", h_runner_lease, RUNNER, BODY_BUF, SMALL_JSON, NULL, "api/lease.md"},
    {"POST", "/runner/1/renew", h_runner_renew, RUNNER, BODY_BUF, RUNNER_JSON, NULL,
     "api/lease.md"},
    {"POST", "/runner/1/started", h_runner_started, RUNNER, BODY_BUF, SMALL_JSON, NULL,
     "api/lease.md"},
    {"POST", "/runner/1/log", h_runner_log, RUNNER, BODY_BUF, BOUND_LOG_APPEND_BYTES, NULL,
     "api/lease.md"},
    {"POST", "/runner/1/finish", h_runner_finish, RUNNER, BODY_BUF, RUNNER_JSON, NULL,
     "api/lease.md"},
    {"PUT", "/runner/1/package", h_runner_result, RUNNER, BODY_STREAM, BODY_MAX_UPLOAD,
     &result_sink, "api/lease.md"},
    {"GET", "/runner/1/package/{sha256}", h_runner_package, RUNNER, BODY_NONE, 0, NULL,
     "api/lease.md"},
};
const size_t n_routes = ARRAY_LEN(routes);

#undef P

/* match: the path against one pattern, part by part. */
static bool match(const char *pattern, const struct target *t, struct route_match *m)
{
    m->project_id = m->name = NULL;
    for (size_t i = 0; i < t->n; i++) {
        if (*pattern != '/')
            return false;
        size_t len = strcspn(++pattern, "/");
        const char *part = t->segment[i];
        if (*pattern == '{')
            *(strncmp(pattern, "{project}", len) == 0 ? &m->project_id : &m->name) = part;
        else if (strlen(part) != len || memcmp(part, pattern, len) != 0)
            return false;
        pattern += len;
    }
    return *pattern == '\0';
}

int routes_find(const char *method, const struct target *t, struct route_match *ret, struct err *e)
{
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    bool there = false;
    for (size_t i = 0; i < n_routes; i++) {
        struct route_match m;
        if (!match(routes[i].pattern, t, &m))
            continue;
        there = true;
        if (strcmp(routes[i].method, method) == 0) {
            m.route = &routes[i];
            *ret = m;
            return 0;
        }
    }
    if (there)
        return err_set(e, ERR_METHOD, "Method not allowed");
    return err_set(e, ERR_NOT_FOUND, "Not found");
}

void routes_allow(const struct target *t, char *out, size_t out_bytes)
{
    size_t at = 0;
    for (size_t i = 0; i < n_routes && at < out_bytes; i++) {
        struct route_match m;
        if (!match(routes[i].pattern, t, &m))
            continue;
        const char *extra = strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "";
        at += (size_t)snprintf(out + at, out_bytes - at, "%s%s%s", at ? ", " : "", routes[i].method,
                               extra);
    }
}

int64_t route_max_body(const struct route *r, const struct app *app)
{
    switch (r->max_body) {
    case BODY_MAX_JSON:
        return app->max_json_bytes;
    case BODY_MAX_UPLOAD:
        return app->max_upload_bytes;
    case BODY_MAX_PAYLOAD:
        return app->limits.max_payload_bytes;
    default:
        return r->max_body;
    }
}
