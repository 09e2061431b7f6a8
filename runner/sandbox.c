/* The life of a net sandbox: made, entered and left by one task after the other, given up. */
#include "runner/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/archive.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/fs.h"
#include "lib/log.h"
#include "lib/str.h"
#include "runner/channel.h"
#include "runner/job.h"

#include "lib/banned.h"

#define POLICIES     2
#define NAME_BYTES   64
#define MODE_BYTES   (ENGINE_ID_TEXT + 16)
#define IMAGE_REPO   "wrought/sandbox"
#define IMAGE_DIGITS 12
#define INIT_BYTES   (32u << 20)
#define MEMORY_BYTES (32LL << 20) /* runc needs most of it, for a moment */
#define PIDS         8
#define GREETING_MS  30000
#define GONE_MS      2000 /* for the last task's container; it ends some 30 ms after its END */
#define GONE_LOOK_MS 10

struct sandbox {
    char name[NAME_BYTES]; /* "" = there is none */
    char mode[MODE_BYTES];
    int64_t born_ms;
    int64_t tasks;
    char last[JOB_CONTAINER_BYTES]; /* container of the last task */
};

struct sandbox_seat {
    struct sandboxes *all;
    struct janitor *janitor;
    int slot;
    struct sandbox kept[POLICIES];
    struct sandbox alone;
    struct sandbox *entered; /* NULL = none */
};

struct sandbox_seat *sandbox_seat_new(struct sandboxes *sbs, struct janitor *jn, int slot)
{
    struct sandbox_seat *seat = calloc(1, sizeof *seat);
    if (!seat)
        abort();
    seat->all = sbs;
    seat->janitor = jn;
    seat->slot = slot;
    return seat;
}

static void give_up(struct sandbox_seat *seat, struct sandbox *b)
{
    if (!b->name[0])
        return;
    janitor_remove(seat->janitor, b->name);
    sandboxes_drop(seat->all, b->name);
    *b = (struct sandbox){0};
}

void sandbox_seat_free(struct sandbox_seat *seat)
{
    for (size_t i = 0; i < POLICIES; i++)
        give_up(seat, &seat->kept[i]);
    give_up(seat, &seat->alone);
    free(seat);
}

/* ---- making one ---- */

/* The image that sandboxes run in: our init and nothing else, named after its hash. */
static int ensure_image(struct node *n, struct engine *g, char ref[NAME_BYTES], struct err *e)
{
    AUTO(engine_image) struct engine_image image = {0};
    AUTO(buf) struct buf binary = BUF_INIT(INIT_BYTES), tar = BUF_INIT(INIT_BYTES + 65536);
    char tag[IMAGE_DIGITS + 1];
    str_copy(tag, sizeof tag, n->init_sha256);
    snprintf(ref, NAME_BYTES, "%s:%s", IMAGE_REPO, tag);
    int rc = engine_image_inspect(g, ref, &image, e);
    if (rc != ERR_NOT_FOUND)
        return rc;
    err_clear(e);
    if (fs_read(n->set.init, &binary, e) ||
        tar_one("init", 0555, 0, 0, binary.data, binary.len, &tar, e) ||
        engine_image_import(g, IMAGE_REPO, tag, &tar, e))
        return err_wrap(e, "image");
    return engine_image_inspect(g, ref, &image, e); /* errors come inside a good answer */
}

static int create(const struct sandbox_seat *seat, struct engine *g, enum net_policy policy,
                  const char *image, struct sandbox *b, struct err *e)
{
    struct node *n = sandboxes_node(seat->all);
    AUTO(words) struct words argv = {0};
    words_add(&argv, "/init");
    words_add(&argv, "sandbox");
    const struct words *rules = sandboxes_rules(seat->all);
    for (size_t i = 0; i < rules->n; i++)
        words_add(&argv, rules->v[i]);
    static const char *const caps[] = {"NET_ADMIN", NULL};
    /* A closed connection leaves nothing behind: neither its port nor its addresses in /proc. */
    static const struct engine_label sysctls[] = {{"net.ipv4.tcp_max_tw_buckets", "0"}};
    const struct engine_label labels[] = {{LABEL_RUNNER, n->id}, {LABEL_KIND, "net"}};
    const struct engine_spec spec = {
        .name = b->name,
        .image = image,
        .entrypoint = words_list(&argv),
        .user = "0:0", /* capabilities are root's alone; init gives them up */
        .labels = labels,
        .n_labels = ARRAY_LEN(labels),
        .network_mode = net_policy_name(policy),
        .sysctls = sysctls,
        .n_sysctls = ARRAY_LEN(sysctls),
        .open_stdin = true,
        .read_only_root = true,
        .memory_bytes = MEMORY_BYTES,
        .pids = PIDS,
        .drop_caps = true,
        .cap_add = caps,
    };
    char id[ENGINE_ID_TEXT];
    AUTO(buf) struct buf warnings = BUF_INIT(4096);
    if (engine_create(g, &spec, id, &warnings, e))
        return e->code;
    snprintf(b->mode, sizeof b->mode, "container:%s", id);
    return 0;
}

/* take_word: 1 when the sandbox is ready, 0 when it said something else. */
static int take_word(const struct frame *f, struct err *e)
{
    struct init_end end;
    if (f->type == FRAME_HELLO)
        return 1;
    if (f->type != FRAME_END)
        return 0;
    if (init_end_decode(f->body, f->len, &end, e))
        return e->code;
    return err_set(e, ERR_UNAVAILABLE, "%s", end.where);
}

static int await_ready(struct channel *ch, struct err *e)
{
    int64_t deadline_ms = clock_mono_ms() + GREETING_MS;
    struct frame f;
    for (;;) {
        int64_t left_ms = deadline_ms - clock_mono_ms();
        if (left_ms <= 0)
            return err_set(e, ERR_TIMEOUT, "does not say that it is ready");
        struct err ended = {0};
        int rc = channel_wait(ch, -1, left_ms, false, &ended);
        while (channel_next(ch, &f)) {
            int said = take_word(&f, e);
            if (said != 0)
                return said < 0 ? said : 0;
        }
        if (rc) {
            *e = ended;
            return rc;
        }
    }
}

static int start(struct engine *g, const char *name, struct err *e)
{
    struct channel ch;
    channel_init(&ch);
    int rc = channel_open(&ch, g, name, e);
    if (rc == 0)
        rc = engine_start(g, name, e);
    if (rc == 0)
        rc = await_ready(&ch, e);
    channel_release(&ch);
    return rc;
}

static int make(struct sandbox_seat *seat, struct engine *g, enum net_policy policy,
                struct sandbox *b, struct err *e)
{
    struct node *n = sandboxes_node(seat->all);
    char image[NAME_BYTES], nonce[9];
    int rc = ensure_image(n, g, image, e);
    if (rc == 0) {
        random_hex(nonce, 4);
        snprintf(b->name, sizeof b->name, "wrought-net-%.8s-%d-%s", n->id, seat->slot, nonce);
        sandboxes_add(seat->all, b->name); /* first: the janitor removes what nobody knows */
        rc = create(seat, g, policy, image, b, e);
    }
    if (rc == 0)
        rc = start(g, b->name, e);
    if (rc == 0) {
        b->born_ms = clock_mono_ms();
        log_debug("net sandbox %s made policy=%s", b->name, net_policy_name(policy));
        return 0;
    }
    if (e->code == ERR_INVALID || e->code == ERR_NOT_FOUND || e->code == ERR_CONFLICT)
        e->code = ERR_UNAVAILABLE; /* never what the task asked for */
    give_up(seat, b);
    return err_wrap(e, "net sandbox");
}

/* ---- entering and leaving ---- */

static bool runs(struct engine *g, const char *container, struct err *e)
{
    struct engine_state state;
    return engine_inspect(g, container, &state, e) == 0 && state.running;
}

/* The container of the last task is not running any more. What the engine cannot tell counts as
 * running. */
static bool is_empty(const struct sandbox_seat *seat, struct engine *g, const struct sandbox *b)
{
    int64_t deadline_ms = clock_mono_ms() + GONE_MS;
    while (b->last[0]) {
        struct err e = {0};
        if (!runs(g, b->last, &e))
            return e.code == 0 || e.code == ERR_NOT_FOUND;
        if (clock_mono_ms() >= deadline_ms)
            return false;
        node_pause(sandboxes_node(seat->all), GONE_LOOK_MS);
    }
    return true;
}

static bool is_usable(const struct sandbox_seat *seat, struct engine *g, const struct sandbox *b)
{
    const struct settings *set = &sandboxes_node(seat->all)->set;
    struct err e = {0};
    return b->name[0] && b->tasks < set->sandbox_tasks &&
           clock_mono_ms() - b->born_ms < set->sandbox_age_ms && is_empty(seat, g, b) &&
           runs(g, b->name, &e);
}

int sandbox_enter(struct sandbox_seat *seat, struct engine *g, enum net_policy policy, bool alone,
                  const char **ret_name, const char **ret_mode, struct err *e)
{
    struct sandbox *b = alone ? &seat->alone : &seat->kept[policy];
    if (!is_usable(seat, g, b)) {
        give_up(seat, b);
        if (make(seat, g, policy, b, e))
            return e->code;
    }
    b->tasks++;
    seat->entered = b;
    *ret_name = b->name;
    *ret_mode = b->mode;
    return 0;
}

void sandbox_leave(struct sandbox_seat *seat, const char *container)
{
    struct sandbox *b = seat->entered;
    seat->entered = NULL;
    if (!b)
        return;
    str_copy(b->last, sizeof b->last, container);
    if (b == &seat->alone)
        give_up(seat, b);
}
