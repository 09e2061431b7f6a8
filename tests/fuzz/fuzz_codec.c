/* Fuzzes the codecs of api/: the first byte chooses one, the rest is its JSON. What a codec takes
 * it must write, take again, and write the same. */
#include <stdlib.h>
#include <string.h>

#include "api/code.h"
#include "api/runner.h"
#include "api/schedule.h"
#include "api/task.h"
#include "lib/bounds.h"
#include "lib/cleanup.h"

#include "lib/banned.h"

#define OUT_BYTES (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool so)
{
    if (!so)
        abort();
}

/* Each: decodes `v` and writes it to `out`; false when it does not decode. */

static bool task_again(const struct json *v, struct buf *out)
{
    AUTO(task) struct task t = {0};
    struct err e = {0};
    struct jsonw w = JSONW(out);
    if (task_decode(v, &t, &e) < 0)
        return false;
    task_encode(&t, &w, NULL);
    return true;
}

static bool queue_again(const struct json *v, struct buf *out)
{
    static const struct task_limits limits = {BOUND_PAYLOAD_BYTES, BOUND_TIMEOUT_S, BOUND_DELAY_S,
                                              BOUND_TIMEOUT_DEFAULT_S};
    struct task_new t;
    struct err e = {0};
    struct jsonw w = JSONW(out);
    if (task_new_decode(v, &limits, &t, &e) < 0)
        return false;
    need(t.timeout_s > 0 && t.timeout_s <= BOUND_TIMEOUT_S && t.priority >= -1 && t.priority <= 2);
    task_new_encode(&t, &w, NULL);
    return true;
}

/* A request has no encoder: what it asks for must be writable as a schedule, and that be one. */
static bool schedule_asked(const struct json *v, struct buf *out)
{
    (void)out;
    static const struct schedule_limits limits = {
        {BOUND_PAYLOAD_BYTES, BOUND_TIMEOUT_S, BOUND_DELAY_S, BOUND_TIMEOUT_DEFAULT_S}, 60};
    AUTO(schedule) struct schedule s = {0};
    struct err e = {0};
    AUTO(buf) struct buf text = BUF_INIT(OUT_BYTES);
    AUTO(schedule) struct schedule back = {0};
    struct jsonw w = JSONW(&text);
    autojson struct json *shown = NULL;
    bool timed;
    schedule_spec_init(&s.spec, &limits);
    memset(s.id, '0', ID_HEX);
    if (schedule_spec_decode(v, &limits, &s.spec, &timed, &e) < 0)
        return false;
    need(!s.spec.every_s || (!s.spec.cron[0] && s.spec.every_s >= 60));
    schedule_encode(&s, &w, NULL);
    need(json_parse(text.data, text.len, BOUND_JSON_DEPTH, &shown, &e) == 0);
    need(schedule_decode(shown, &back, &e) == 0);
    need(strcmp(back.spec.cron ? back.spec.cron : "", s.spec.cron) == 0);
    return false; /* nothing to take again */
}

static bool schedule_again(const struct json *v, struct buf *out)
{
    AUTO(schedule) struct schedule s = {0};
    struct err e = {0};
    struct jsonw w = JSONW(out);
    if (schedule_decode(v, &s, &e) < 0)
        return false;
    schedule_encode(&s, &w, NULL);
    return true;
}

static bool upload_again(const struct json *v, struct buf *out)
{
    AUTO(code_upload) struct code_upload u = {0};
    struct err e = {0};
    struct jsonw w = JSONW(out);
    if (code_upload_decode(v, &u, &e) < 0)
        return false;
    code_upload_encode(&u, &w);
    return true;
}

static bool code_again(const struct json *v, struct buf *out)
{
    AUTO(code) struct code c = {0};
    struct err e = {0};
    struct jsonw w = JSONW(out);
    if (code_decode(v, &c, &e) < 0)
        return false;
    code_encode(&c, &w, NULL);
    return true;
}

static bool revision_again(const struct json *v, struct buf *out)
{
    AUTO(revision) struct revision r = {0};
    struct err e = {0};
    struct jsonw w = JSONW(out);
    if (revision_decode(v, &r, &e) < 0)
        return false;
    revision_encode(&r, &w, NULL);
    return true;
}

static bool hello_again(const struct json *v, struct buf *out)
{
    struct runner_hello h;
    struct err e = {0};
    if (runner_hello_decode(v, &h, &e) < 0)
        return false;
    size_t n = json_length(h.stacks);
    autofree const char **names = calloc(n + 1, sizeof(*names));
    need(names != NULL);
    for (size_t i = 0; i < n; i++)
        names[i] = json_string(json_at(h.stacks, i), NULL);
    runner_hello_encode(&h, names, n, out);
    return true;
}

static bool poll_again(const struct json *v, struct buf *out)
{
    struct lease_poll p;
    struct err e = {0};
    if (lease_poll_decode(v, &p, &e) < 0)
        return false;
    lease_poll_encode(&p, out);
    return true;
}

static bool grant_again(const struct json *v, struct buf *out)
{
    AUTO(grant) struct grant g = {0};
    bool some = false;
    struct err e = {0};
    if (grant_decode(v, &some, &g, &e) < 0)
        return false;
    grant_encode(some ? &g : NULL, out);
    return true;
}

static bool renew_again(const struct json *v, struct buf *out)
{
    AUTO(renew) struct renew r = {0};
    struct err e = {0};
    if (renew_decode(v, &r, &e) < 0)
        return false;
    renew_encode(&r, out);
    return true;
}

static bool orders_again(const struct json *v, struct buf *out)
{
    autofree struct held *held = NULL;
    size_t n = 0;
    struct err e = {0};
    if (orders_decode(v, &held, &n, &e) < 0)
        return false;
    orders_encode(held, n, out);
    return true;
}

static bool started_again(const struct json *v, struct buf *out)
{
    struct started s;
    struct err e = {0};
    if (started_decode(v, &s, &e) < 0)
        return false;
    started_encode(&s, out);
    return true;
}

static bool finish_again(const struct json *v, struct buf *out)
{
    struct finish f;
    struct err e = {0};
    AUTO(buf) struct buf facts = BUF_INIT(OUT_BYTES);
    if (finish_decode(v, &f, &e) < 0)
        return false;
    if (f.facts) {
        json_text(f.facts, &facts);
        f.facts_text = buf_str(&facts);
    }
    finish_encode(&f, out);
    return true;
}

static bool (*const codecs[])(const struct json *, struct buf *) = {
    task_again,    queue_again,  upload_again,   code_again,    revision_again,
    hello_again,   poll_again,   grant_again,    renew_again,   orders_again,
    started_again, finish_again, schedule_asked, schedule_again};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    autojson struct json *v = NULL, *again = NULL;
    if (size == 0 || json_parse((const char *)data + 1, size - 1, BOUND_JSON_DEPTH, &v, &e) < 0)
        return 0;
    bool (*codec)(const struct json *, struct buf *) = codecs[data[0] % ARRAY_LEN(codecs)];
    AUTO(buf) struct buf once = BUF_INIT(OUT_BYTES), twice = BUF_INIT(OUT_BYTES);
    if (!codec(v, &once))
        return 0;
    need(json_parse(once.data, once.len, BOUND_JSON_DEPTH + 1, &again, &e) == 0);
    need(codec(again, &twice));
    need(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    return 0;
}
