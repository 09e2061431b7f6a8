/* Schedules: requests, the object, firings. Neighbours: api/wire.h, api/task.c (whose rules for
 * payload, priority and timeout hold here too). */
#include "api/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "api/wire.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"
#include "lib/cron.h"
#include "lib/str.h"
#include "lib/zone.h"

#include "lib/banned.h"

#define CATCH_UP_MAX_DEFAULT 100

/* ---- words ---- */

struct words {
    const char *key; /* the member */
    const char *word[5];
};

static const struct words statuses = {"status", {"scheduled", "complete", "cancelled", "error"}};
static const struct words overlaps = {"overlap", {"allow", "skip", "queue-one", "replace"}};
static const struct words catch_ups = {"catch_up", {"none", "latest", "all"}};
static const struct words outcomes = {"outcome",
                                      {"fired", "waiting", "skipped", "missed", "failed"}};

/* word_parse: `said` NULL or "" leaves *io as it is. */
static int word_parse(const struct words *words, const char *said, int *io, struct err *e)
{
    if (!said || !said[0])
        return 0;
    AUTO(buf) struct buf list = BUF_INIT(sizeof(e->msg));
    for (size_t i = 0; i < ARRAY_LEN(words->word) && words->word[i]; i++) {
        if (strcmp(words->word[i], said) == 0) {
            *io = (int)i;
            return 0;
        }
        buf_addf(&list, "%s%s", i ? ", " : "", words->word[i]);
    }
    return err_set(e, ERR_INVALID, "%s is \"%.32s\"; it may be one of %s", words->key, said,
                   buf_str(&list));
}

/* ---- what a client says ---- */

/* A request while it is decoded: the policies are still words. */
struct said {
    struct schedule_spec spec;
    const char *overlap, *catch_up;
};

#define SAID(member) offsetof(struct said, member)

_Static_assert(offsetof(struct schedule_spec, payload_len) ==
                   offsetof(struct schedule_spec, payload) + sizeof(char *),
               "WIRE_BYTES: the length follows the pointer");

void schedule_spec_release(struct schedule_spec *s)
{
    char **owned[] = {&s->code_name, &s->payload, &s->cluster, &s->label, &s->cron, &s->zone};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++)
        free(TAKE(*owned[i]));
}

void schedule_spec_init(struct schedule_spec *s, const struct schedule_limits *lim)
{
    const struct task_limits *t = &lim->task;
    *s = (struct schedule_spec){.code_name = str_dup(""),
                                .payload = str_dup(""),
                                .cluster = str_dup(""),
                                .label = str_dup(""),
                                .cron = str_dup(""),
                                .zone = str_dup("UTC"),
                                .priority = -1,
                                .timeout_s = t->default_timeout_s < t->max_timeout_s
                                                 ? t->default_timeout_s
                                                 : t->max_timeout_s,
                                .overlap = OVERLAP_ALLOW,
                                .catch_up = CATCH_UP_LATEST,
                                .catch_up_max = CATCH_UP_MAX_DEFAULT};
}

static bool says(const struct json *v, const char *key)
{
    return json_kind(json_member(v, key)) != JSON_NULL;
}

static bool says_when(const struct json *v)
{
    static const char *const keys[] = {"start_at", "end_at", "run_every", "run_times",
                                       "delay",    "cron",   "zone",      "jitter"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (says(v, keys[i]))
            return true;
    return false;
}

/* An interval and an expression exclude each other. In one request that is a mistake; over what is
 * stored the new one takes the place of the old. */
static int settle_rhythm(const struct json *v, struct schedule_spec *s, struct err *e)
{
    if (s->every_s == 0 || !s->cron[0])
        return 0;
    if (says(v, "run_every") && says(v, "cron"))
        return err_set(e, ERR_INVALID, "run_every and cron: give one of them");
    if (says(v, "cron"))
        s->every_s = 0;
    else
        s->cron[0] = '\0';
    return 0;
}

static int check_zone_and_cron(const struct schedule_spec *s, struct err *e)
{
    autozone struct zone *zone = NULL;
    struct cron cron;
    if (zone_open(s->zone, &zone, e) < 0)
        return err_wrap(e, "zone");
    if (s->cron[0] && cron_parse(s->cron, &cron, e) < 0)
        return err_wrap(e, "cron");
    return 0;
}

static int check(const struct schedule_spec *s, struct err *e)
{
    if (wire_name_check(s->code_name, "code_name", e) < 0 ||
        (s->cluster[0] && wire_name_check(s->cluster, "cluster", e) < 0) ||
        (s->label[0] && wire_name_check(s->label, "label", e) < 0))
        return e->code;
    if (s->end_us && s->start_us && s->end_us < s->start_us)
        return err_set(e, ERR_INVALID, "end_at is before start_at");
    if (s->every_s && s->jitter_s > s->every_s)
        return err_set(e, ERR_INVALID, "jitter is %lld; with this run_every it may be 0 to %lld",
                       (long long)s->jitter_s, (long long)s->every_s);
    return check_zone_and_cron(s, e);
}

/* decode_members: the texts of `said` stay with the caller's spec whatever happens. */
static int decode_members(const struct json *v, const struct schedule_limits *lim,
                          struct said *said, struct err *e)
{
    const struct wire_field fields[] = {
        {"code_name", WIRE_OWNED, SAID(spec.code_name), 0, 0, 0},
        {"payload", WIRE_BYTES, SAID(spec.payload), 0, 0, lim->task.max_payload_bytes},
        {"cluster", WIRE_OWNED, SAID(spec.cluster), 0, 0, BOUND_NAME_BYTES},
        {"label", WIRE_OWNED, SAID(spec.label), 0, 0, BOUND_NAME_BYTES},
        {"priority", WIRE_INT, SAID(spec.priority), 0, 0, 0},
        {"timeout", WIRE_SECS, SAID(spec.timeout_s), 0, 0, lim->task.max_timeout_s},
        {"task_delay", WIRE_SECS, SAID(spec.task_delay_s), 0, 0, lim->task.max_delay_s},
        {"start_at", WIRE_TIME, SAID(spec.start_us), 0, 0, 0},
        {"end_at", WIRE_TIME, SAID(spec.end_us), 0, 0, 0},
        {"delay", WIRE_SECS, SAID(spec.delay_s), 0, 0, lim->task.max_delay_s},
        {"run_times", WIRE_INT, SAID(spec.run_times), 0, 0, INT32_MAX},
        {"cron", WIRE_OWNED, SAID(spec.cron), 0, 0, CRON_TEXT_BYTES - 1},
        {"zone", WIRE_OWNED, SAID(spec.zone), 0, 0, BOUND_NAME_BYTES},
        {"overlap", WIRE_TEXT, SAID(overlap), 0, 0, 0},
        {"catch_up", WIRE_TEXT, SAID(catch_up), 0, 0, 0},
        {"catch_up_max", WIRE_INT, SAID(spec.catch_up_max), 0, 1, BOUND_CATCH_UP},
        {"jitter", WIRE_SECS, SAID(spec.jitter_s), 0, 0, BOUND_JITTER_S},
        {"paused", WIRE_BOOL, SAID(spec.paused), 0, 0, 0},
    };
    /* of its own, because 0 stands for "no interval" and yet may not be asked for */
    const struct wire_field interval[] = {
        {"run_every", WIRE_SECS, SAID(spec.every_s), 0, lim->min_interval_s, BOUND_INTERVAL_S}};
    int rc = wire_decode(v, fields, ARRAY_LEN(fields), JSON_LENIENT, said, e);
    if (rc == 0 && says(v, "run_every"))
        rc = wire_decode(v, interval, ARRAY_LEN(interval), JSON_LENIENT, said, e);
    return rc;
}

int schedule_spec_decode(const struct json *v, const struct schedule_limits *lim,
                         struct schedule_spec *s, bool *ret_timed, struct err *e)
{
    struct said said = {.spec = *s};
    int overlap = s->overlap, catch_up = s->catch_up;
    int rc = decode_members(v, lim, &said, e);
    *s = said.spec;
    if (rc < 0 || word_parse(&overlaps, said.overlap, &overlap, e) < 0 ||
        word_parse(&catch_ups, said.catch_up, &catch_up, e) < 0)
        return e->code;
    s->overlap = (enum schedule_overlap)overlap;
    s->catch_up = (enum schedule_catch_up)catch_up;
    s->priority = task_priority_or_unset(s->priority);
    if (s->timeout_s == 0)
        s->timeout_s = lim->task.max_timeout_s;
    if (says(v, "delay") && !says(v, "start_at"))
        s->start_us = 0; /* it counts from now */
    if (settle_rhythm(v, s, e) < 0 || check(s, e) < 0)
        return e->code;
    *ret_timed = says_when(v);
    return 0;
}

/* ---- the object ---- */

#define SCHEDULE(key, type, member, flags, max)                                                    \
    {                                                                                              \
        key, type, offsetof(struct schedule, member), flags, 0, max                                \
    }

/* Members of ironworker-api §4 in its order, then ours; status and the policies are words: see
 * schedule_encode. */
static const struct wire_field schedule_fields[] = {
    SCHEDULE("id", WIRE_HEX, id, WIRE_REQUIRED, ID_HEX),
    SCHEDULE("project_id", WIRE_HEX, project_id, 0, ID_HEX),
    SCHEDULE("code_name", WIRE_OWNED, spec.code_name, 0, 0),
    SCHEDULE("payload", WIRE_BYTES, spec.payload, 0, 0),
    SCHEDULE("msg", WIRE_OWNED, msg, WIRE_OMIT, 0),
    SCHEDULE("created_at", WIRE_TIME, created_us, 0, 0),
    SCHEDULE("updated_at", WIRE_TIME, updated_us, 0, 0),
    SCHEDULE("start_at", WIRE_TIME, spec.start_us, 0, 0),
    SCHEDULE("end_at", WIRE_TIME, spec.end_us, 0, 0),
    SCHEDULE("next_start", WIRE_TIME, next_us, 0, 0),
    SCHEDULE("last_run_time", WIRE_TIME, last_us, 0, 0),
    SCHEDULE("run_every", WIRE_SECS, spec.every_s, 0, 0),
    SCHEDULE("run_times", WIRE_INT, spec.run_times, 0, 0),
    SCHEDULE("run_count", WIRE_INT, run_count, 0, 0),
    SCHEDULE("delay", WIRE_SECS, spec.delay_s, 0, 0),
    SCHEDULE("task_delay", WIRE_SECS, spec.task_delay_s, 0, 0),
    SCHEDULE("priority", WIRE_INT, spec.priority, 0, 0),
    SCHEDULE("timeout", WIRE_SECS, spec.timeout_s, 0, 0),
    SCHEDULE("cluster", WIRE_OWNED, spec.cluster, 0, 0),
    SCHEDULE("label", WIRE_OWNED, spec.label, 0, 0),
    SCHEDULE("error_count", WIRE_INT, error_count, 0, 0),
    SCHEDULE("cron", WIRE_OWNED, spec.cron, WIRE_OMIT, 0),
    SCHEDULE("zone", WIRE_OWNED, spec.zone, 0, 0),
    SCHEDULE("catch_up_max", WIRE_INT, spec.catch_up_max, 0, 0),
    SCHEDULE("jitter", WIRE_SECS, spec.jitter_s, 0, 0),
    SCHEDULE("paused", WIRE_BOOL, spec.paused, 0, 0),
};

void schedule_release(struct schedule *s)
{
    schedule_spec_release(&s->spec);
    free(TAKE(s->msg));
}

static char default_cluster[] = "default";

void schedule_encode(const struct schedule *s, struct jsonw *w, const char *key)
{
    struct schedule shown = *s;
    if (shown.spec.priority < 0)
        shown.spec.priority = 0;
    if (!shown.spec.cluster || !shown.spec.cluster[0])
        shown.spec.cluster = default_cluster;
    jw_obj(w, key);
    wire_encode(schedule_fields, ARRAY_LEN(schedule_fields), &shown, w);
    jw_str(w, "status", statuses.word[s->status]);
    jw_str(w, "overlap", overlaps.word[s->spec.overlap]);
    jw_str(w, "catch_up", catch_ups.word[s->spec.catch_up]);
    jw_obj_end(w);
}

int schedule_decode(const struct json *v, struct schedule *ret, struct err *e)
{
    struct schedule s = {0};
    int status = SCHEDULE_SCHEDULED, overlap = OVERLAP_ALLOW, catch_up = CATCH_UP_LATEST;
    int rc = wire_decode(v, schedule_fields, ARRAY_LEN(schedule_fields), JSON_LENIENT, &s, e);
    if (rc < 0 || word_parse(&statuses, json_get_str(v, "status", ""), &status, e) < 0 ||
        word_parse(&overlaps, json_get_str(v, "overlap", ""), &overlap, e) < 0 ||
        word_parse(&catch_ups, json_get_str(v, "catch_up", ""), &catch_up, e) < 0) {
        schedule_release(&s);
        return e->code;
    }
    s.status = (enum schedule_status)status;
    s.spec.overlap = (enum schedule_overlap)overlap;
    s.spec.catch_up = (enum schedule_catch_up)catch_up;
    *ret = s;
    return 0;
}

/* ---- firings ---- */

void firing_release(struct firing *f)
{
    free(TAKE(f->note));
}

void firing_encode(const struct firing *f, struct jsonw *w, const char *key)
{
    jw_obj(w, key);
    jw_time(w, "due_at", f->due_us);
    jw_time(w, "fired_at", f->fired_us);
    jw_str(w, "outcome", outcomes.word[f->outcome]);
    if (f->task_id[0])
        jw_str(w, "task_id", f->task_id);
    if (f->note)
        jw_str(w, "note", f->note);
    jw_obj_end(w);
}
