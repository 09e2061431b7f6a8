/* What a store has to do, whatever it is made of: a second implementation has to pass this. What
 * only concerns SQLite (schema steps, the file's mode) is at the end. */
#include "server/store_admin.h"
#include "server/store_write.h"
#include "server/store_schedule.h"
#include "server/store_build.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "lib/crypto.h"
#include "lib/fs.h"
#include "lib/str.h"
#include "tests/unit/tap.h"
#include "lib/banned.h"

#define T0 1700000000000000LL /* a time of day, us */

static struct err e;

/* A store with a project, a code with one revision, and a cluster. */
struct world {
    struct store *s;
    struct store_readers *readers;
    struct store *r;
    int64_t project, cluster;
    struct code_rules code;
};

static int64_t add_revision(struct world *w, int64_t code, int64_t rev, const char *sha256)
{
    struct code_upload up = {.name = "c",
                             .image = "img",
                             .command = "run me",
                             .runtime = "sh",
                             .file_name = "",
                             .stack = "",
                             .config = "{}"};
    struct store_package p = {.sha256 = sha256, .md5 = sha256 ? "md5" : NULL, .bytes = 7};
    int64_t n = 0;
    CHECK_OK(store_revision_add(w->s, code, rev, &up, &p, T0, &n, &e), &e);
    return n;
}

static struct code_rules add_code(struct world *w, char *name, const char *sha256)
{
    struct code_rules c = {.project = w->project, .name = name, .max_concurrency = 3, .retries = 2};
    CHECK_OK(store_code_add(w->s, &c, T0, &c.n, &e), &e);
    c.rev = 1;
    c.revision = add_revision(w, c.n, 1, sha256);
    CHECK_OK(store_code_update(w->s, &c, true, T0, &e), &e);
    return c;
}

static struct world world_new(void)
{
    struct world w = {0};
    CHECK_OK(store_open(".", &w.s, &e), &e);
    CHECK_OK(store_readers_open(".", &w.readers, &e), &e);
    CHECK_OK(store_reader_get(w.readers, &w.r, &e), &e);
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_project_add(w.s, "default", T0, &w.project, &e), &e);
    CHECK_OK(store_cluster_add(w.s, "default", &w.cluster, &e), &e);
    w.code = add_code(&w, "hello", "aabb");
    CHECK_OK(store_commit(w.s, &e), &e);
    return w;
}

static void world_end(struct world *w)
{
    store_reader_put(w->readers, w->r);
    store_readers_close(w->readers);
    store_close(w->s);
}

static struct task_insert a_task(const struct world *w)
{
    return (struct task_insert){.project = w->project,
                                .code = w->code.n,
                                .revision = w->code.revision,
                                .cluster = w->cluster,
                                .created_us = T0,
                                .ready_us = T0,
                                .timeout_s = 60,
                                .label = "",
                                .payload = "{}",
                                .payload_len = 2};
}

static int64_t add_task(struct world *w, const struct task_insert *t)
{
    int64_t n = 0;
    CHECK_OK(store_begin(w->s, &e), &e);
    CHECK_OK(store_task_add(w->s, t, &n, &e), &e);
    CHECK_OK(store_commit(w->s, &e), &e);
    return n;
}

static const char *task_id(const struct world *w, int64_t n)
{
    static char id[ID_TEXT];
    return id_encode(store_ids(w->s), ID_TASK, n, T0, id);
}

static const char *project_id(const struct world *w, int64_t n)
{
    static char id[ID_TEXT];
    return id_encode(store_ids(w->s), ID_PROJECT, n, T0, id);
}

static const char *code_id(const struct world *w)
{
    static char id[ID_TEXT];
    return id_encode(store_ids(w->s), ID_CODE, w->code.n, T0, id);
}

static const struct lease_poll a_poll = {
    .runner = "r1", .cluster = "default", .slot = 2, .poll = "0123456789abcdef"};

static int64_t claim(struct world *w, int64_t task)
{
    int64_t no = 0;
    CHECK_OK(store_begin(w->s, &e), &e);
    CHECK_OK(store_task_claim(w->s, task, &a_poll, T0 + 1, &no, &e), &e);
    CHECK_OK(store_commit(w->s, &e), &e);
    return no;
}

/* ---- opening ---- */

TEST(what_was_committed_is_there_after_reopening)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t n = add_task(&w, &t);
    char *id = str_dup(task_id(&w, n));
    world_end(&w);
    struct store *s;
    CHECK_OK(store_open(".", &s, &e), &e);
    struct task_row row;
    CHECK_OK(store_task_resolve(s, w.project, id, &row, &e), &e); /* so the id key is the same */
    CHECK_INT(row.n, n);
    store_close(s);
    free(id);
}

TEST(a_directory_that_is_not_there_is_named)
{
    struct store *s;
    CHECK_INT(store_open("nowhere", &s, &e), ERR_IO);
    CHECK_HAS(e.msg, "nowhere");
}

TEST(a_file_in_place_of_the_directory_is_named)
{
    close(open("plain", O_CREAT | O_WRONLY, 0600));
    struct store *s;
    CHECK_INT(store_open("plain", &s, &e), ERR_INVALID);
    CHECK_HAS(e.msg, "plain is not a directory");
}

TEST(a_file_that_is_no_database_is_refused)
{
    CHECK_OK(
        fs_write_durable("wrought.db", "this is a letter, not a database at all", 39, 0600, &e),
        &e);
    struct store *s;
    CHECK_INT(store_open(".", &s, &e), ERR_IO);
    CHECK_HAS(e.msg, "damaged");
}

/* ---- transactions ---- */

TEST(readers_see_commits_and_nothing_else)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t n = 0;
    struct task got;
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_task_add(w.s, &t, &n, &e), &e);
    CHECK_INT(store_task_find(w.r, w.project, task_id(&w, n), &got, &e), ERR_NOT_FOUND);
    CHECK_OK(store_commit(w.s, &e), &e);
    CHECK_OK(store_task_find(w.r, w.project, task_id(&w, n), &got, &e), &e);
    task_release(&got);
    world_end(&w);
}

TEST(a_rollback_leaves_nothing)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t n = 0;
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_task_add(w.s, &t, &n, &e), &e);
    store_rollback(w.s);
    struct task_row row;
    CHECK_INT(store_task_row(w.s, n, &row, &e), ERR_NOT_FOUND);
    world_end(&w);
}

TEST(an_item_is_undone_alone)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t kept = 0, undone = 0;
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_item_begin(w.s, &e), &e);
    CHECK_OK(store_task_add(w.s, &t, &kept, &e), &e);
    CHECK_OK(store_item_end(w.s, true, &e), &e);
    CHECK_OK(store_item_begin(w.s, &e), &e);
    CHECK_OK(store_task_add(w.s, &t, &undone, &e), &e);
    CHECK_OK(store_item_end(w.s, false, &e), &e);
    CHECK_OK(store_commit(w.s, &e), &e);
    struct task_row row;
    CHECK_OK(store_task_row(w.s, kept, &row, &e), &e);
    CHECK_INT(store_task_row(w.s, undone, &row, &e), ERR_NOT_FOUND);
    world_end(&w);
}

TEST(a_failed_item_that_wrote_without_savepoint_is_noticed)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t n = 0;
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_item_end(w.s, false, &e), &e); /* nothing written: fine */
    CHECK_OK(store_task_add(w.s, &t, &n, &e), &e);
    CHECK_INT(store_item_end(w.s, false, &e), ERR_INTERNAL);
    store_rollback(w.s);
    world_end(&w);
}

/* ---- tokens, projects ---- */

TEST(a_token_is_found_by_its_hash)
{
    struct world w = world_new();
    uint8_t hash[32] = {1, 2, 3}, other[32] = {9};
    int64_t n = 0;
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_token_add(w.s, hash, SCOPE_PROJECT, w.project, "ci", T0, &n, &e), &e);
    CHECK_OK(store_commit(w.s, &e), &e);
    struct store_token t;
    CHECK_OK(store_token_find(w.r, hash, &t, &e), &e);
    CHECK_INT(t.scope, SCOPE_PROJECT);
    CHECK_INT(t.project, w.project);
    CHECK_INT(store_token_find(w.r, other, &t, &e), ERR_NOT_FOUND);
    world_end(&w);
}

TEST(a_project_is_found_by_its_id_alone)
{
    struct world w = world_new();
    struct store_project p;
    CHECK_OK(store_project_find(w.r, project_id(&w, w.project), &p, &e), &e);
    CHECK_STR(p.name, "default");
    CHECK_INT(store_project_find(w.r, project_id(&w, w.project + 1), &p, &e), ERR_NOT_FOUND);
    CHECK_INT(store_project_find(w.r, code_id(&w), &p, &e), ERR_NOT_FOUND);
    CHECK_INT(store_project_find(w.r, "default", &p, &e), ERR_NOT_FOUND);
    world_end(&w);
}

TEST(projects_are_listed_alone_or_all_in_pages)
{
    struct world w = world_new();
    int64_t second;
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_project_add(w.s, "second", T0, &second, &e), &e);
    CHECK_OK(store_commit(w.s, &e), &e);
    struct store_project *list;
    size_t n;
    CHECK_OK(store_project_list(w.r, 0, (struct store_page){0, 30}, &list, &n, &e), &e);
    CHECK_INT(n, 2);
    CHECK_STR(list[0].id, project_id(&w, w.project));
    free(list);
    CHECK_OK(store_project_list(w.r, 0, (struct store_page){1, 1}, &list, &n, &e), &e);
    CHECK_INT(n, 1);
    CHECK_STR(list[0].name, "second");
    free(list);
    CHECK_OK(store_project_list(w.r, second, (struct store_page){0, 30}, &list, &n, &e), &e);
    CHECK_INT(n, 1);
    CHECK_INT(list[0].n, second);
    free(list);
    world_end(&w);
}

/* ---- codes ---- */

TEST(a_code_shows_its_current_revision)
{
    struct world w = world_new();
    CHECK_OK(store_begin(w.s, &e), &e);
    w.code.rev = 2;
    w.code.revision = add_revision(&w, w.code.n, 2, NULL);
    CHECK_OK(store_code_update(w.s, &w.code, true, T0 + 5, &e), &e);
    CHECK_OK(store_commit(w.s, &e), &e);
    struct code c;
    CHECK_OK(store_code_by_name(w.r, w.project, "hello", &c, &e), &e);
    CHECK_STR(c.id, code_id(&w));
    CHECK_INT(c.rev, 2);
    CHECK_INT(c.latest_change_us, T0 + 5);
    CHECK_INT(c.max_concurrency, 3);
    CHECK_STR(c.command, "run me");
    code_release(&c);
    struct revision *list;
    size_t n;
    struct store_page page = {.per_page = 10};
    CHECK_OK(store_revision_list(w.r, w.project, code_id(&w), page, &list, &n, &e), &e);
    CHECK_INT(n, 2);
    CHECK_INT(list[0].rev, 2);
    CHECK_INT(list[1].rev, 1);
    for (size_t i = 0; i < n; i++)
        revision_release(&list[i]);
    free(list);
    world_end(&w);
}

TEST(options_change_without_a_new_revision)
{
    struct world w = world_new();
    CHECK_OK(store_begin(w.s, &e), &e);
    w.code.max_concurrency = 9;
    CHECK_OK(store_code_update(w.s, &w.code, false, T0 + 5, &e), &e);
    CHECK_OK(store_commit(w.s, &e), &e);
    struct code c;
    CHECK_OK(store_code_find(w.r, w.project, code_id(&w), &c, &e), &e);
    CHECK_INT(c.max_concurrency, 9);
    CHECK_INT(c.latest_change_us, T0);
    CHECK_INT(c.updated_us, T0 + 5);
    code_release(&c);
    world_end(&w);
}

TEST(a_deleted_code_frees_its_name)
{
    struct world w = world_new();
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_code_delete(w.s, w.code.n, T0, &e), &e);
    CHECK_INT(store_code_delete(w.s, w.code.n, T0, &e), ERR_CONFLICT);
    struct code_rules again = add_code(&w, "hello", NULL);
    CHECK_OK(store_commit(w.s, &e), &e);
    struct code c;
    CHECK_INT(store_code_find(w.r, w.project, code_id(&w), &c, &e), ERR_NOT_FOUND);
    CHECK_OK(store_code_by_name(w.r, w.project, "hello", &c, &e), &e);
    CHECK(strcmp(c.id, code_id(&w)) != 0);
    CHECK(again.n != w.code.n);
    code_release(&c);
    world_end(&w);
}

TEST(codes_of_other_projects_are_not_found)
{
    struct world w = world_new();
    struct code c;
    CHECK_INT(store_code_find(w.r, w.project + 1, code_id(&w), &c, &e), ERR_NOT_FOUND);
    CHECK_INT(store_code_by_name(w.r, w.project + 1, "hello", &c, &e), ERR_NOT_FOUND);
    world_end(&w);
}

TEST(code_lists_have_pages)
{
    struct world w = world_new();
    CHECK_OK(store_begin(w.s, &e), &e);
    add_code(&w, "a", NULL);
    add_code(&w, "z", NULL);
    CHECK_OK(store_commit(w.s, &e), &e);
    struct code *list;
    size_t n;
    struct store_page page = {.page = 1, .per_page = 2};
    CHECK_OK(store_code_list(w.r, w.project, page, &list, &n, &e), &e);
    CHECK_INT(n, 1);
    CHECK_STR(list[0].name, "z");
    code_release(&list[0]);
    free(list);
    world_end(&w);
}

TEST(a_package_belongs_to_a_revision)
{
    struct world w = world_new();
    char sha[65], name[64];
    int64_t rev;
    bool known;
    CHECK_OK(store_package_of(w.r, w.project, code_id(&w), 0, sha, name, sizeof(name), &rev, &e),
             &e);
    CHECK_STR(sha, "aabb");
    CHECK_STR(name, "hello");
    CHECK_INT(rev, 1);
    CHECK_INT(store_package_of(w.r, w.project, code_id(&w), 2, sha, name, sizeof(name), &rev, &e),
              ERR_NOT_FOUND);
    CHECK_OK(store_package_known(w.r, "aabb", &known, &e), &e);
    CHECK(known);
    CHECK_OK(store_package_known(w.r, "ccdd", &known, &e), &e);
    CHECK(!known);
    world_end(&w);
}

/* ---- tasks ---- */

TEST(a_task_comes_back_as_it_was_queued)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    t.priority = 2;
    t.delay_s = 5;
    t.label = "blue";
    t.payload = "a\0b";
    t.payload_len = 3;
    struct task got;
    CHECK_OK(store_task_find(w.r, w.project, task_id(&w, add_task(&w, &t)), &got, &e), &e);
    CHECK_STR(got.project_id, project_id(&w, w.project));
    CHECK_STR(got.code_id, code_id(&w));
    CHECK_STR(got.code_name, "hello");
    CHECK_INT(got.code_rev, 1);
    CHECK_INT(got.state, TASK_QUEUED);
    CHECK_INT(got.priority, 2);
    CHECK_INT(got.delay_s, 5);
    CHECK_INT(got.timeout_s, 60);
    CHECK_STR(got.cluster, "default");
    CHECK_STR(got.label, "blue");
    CHECK(!got.msg && !got.error_class && !got.image);
    CHECK_INT(got.exit_code, -1);
    CHECK_INT(got.payload_len, 3);
    CHECK(memcmp(got.payload, "a\0b", 3) == 0);
    task_release(&got);
    world_end(&w);
}

TEST(a_large_payload_comes_back_whole)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    size_t len = 300000;
    char *big = malloc(len);
    random_bytes(big, len);
    t.payload = big;
    t.payload_len = len;
    struct task got;
    CHECK_OK(store_task_find(w.r, w.project, task_id(&w, add_task(&w, &t)), &got, &e), &e);
    CHECK_INT(got.payload_len, len);
    CHECK(memcmp(got.payload, big, len) == 0);
    task_release(&got);
    free(big);
    world_end(&w);
}

TEST(an_id_of_another_second_project_or_kind_finds_nothing)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t n = add_task(&w, &t);
    struct task got;
    CHECK_INT(store_task_find(w.r, w.project + 1, task_id(&w, n), &got, &e), ERR_NOT_FOUND);
    char id[ID_TEXT];
    id_encode(store_ids(w.s), ID_TASK, n, T0 + 1000000, id);
    CHECK_INT(store_task_find(w.r, w.project, id, &got, &e), ERR_NOT_FOUND);
    id_encode(store_ids(w.s), ID_CODE, n, T0, id);
    CHECK_INT(store_task_find(w.r, w.project, id, &got, &e), ERR_NOT_FOUND);
    CHECK_INT(store_task_find(w.r, w.project, "xyz", &got, &e), ERR_NOT_FOUND);
    world_end(&w);
}

static size_t list_n(struct world *w, const struct store_task_filter *f, struct store_page page,
                     char first_id[ID_TEXT])
{
    struct task *list;
    size_t n;
    CHECK_OK(store_task_list(w->r, w->project, f, page, &list, &n, &e), &e);
    if (n > 0 && first_id)
        memcpy(first_id, list[0].id, ID_TEXT);
    for (size_t i = 0; i < n; i++)
        task_release(&list[i]);
    free(list);
    return n;
}

TEST(task_lists_are_newest_first_and_have_pages)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t last = 0;
    for (int i = 0; i < 5; i++)
        last = add_task(&w, &t);
    char id[ID_TEXT];
    struct store_task_filter all = {0};
    CHECK_INT(list_n(&w, &all, (struct store_page){0, 2}, id), 2);
    CHECK_STR(id, task_id(&w, last));
    CHECK_INT(list_n(&w, &all, (struct store_page){2, 2}, id), 1);
    CHECK_STR(id, task_id(&w, last - 4));
    CHECK_INT(list_n(&w, &all, (struct store_page){3, 2}, NULL), 0);
    world_end(&w);
}

TEST(task_lists_filter_by_everything)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    add_task(&w, &t);
    t.label = "x";
    int64_t labelled = add_task(&w, &t);
    t.created_us = T0 + 10000000;
    add_task(&w, &t);
    claim(&w, labelled);
    struct store_page page = {0, 10};
    CHECK_INT(list_n(&w, &(struct store_task_filter){.label = "x"}, page, NULL), 2);
    CHECK_INT(list_n(&w, &(struct store_task_filter){.label = "y"}, page, NULL), 0);
    CHECK_INT(list_n(&w, &(struct store_task_filter){.code_name = "hello"}, page, NULL), 3);
    CHECK_INT(list_n(&w, &(struct store_task_filter){.code_name = "other"}, page, NULL), 0);
    CHECK_INT(list_n(&w, &(struct store_task_filter){.cluster = "default"}, page, NULL), 3);
    CHECK_INT(list_n(&w, &(struct store_task_filter){.cluster = "gpu"}, page, NULL), 0);
    CHECK_INT(list_n(&w, &(struct store_task_filter){.from_us = T0 + 1}, page, NULL), 1);
    CHECK_INT(list_n(&w, &(struct store_task_filter){.to_us = T0 + 1}, page, NULL), 2);
    CHECK_INT(list_n(&w, &(struct store_task_filter){.states = 1u << TASK_PREPARING}, page, NULL),
              1);
    CHECK_INT(list_n(&w, &(struct store_task_filter){.states = 1u << TASK_QUEUED}, page, NULL), 2);
    world_end(&w);
}

TEST(a_name_that_two_codes_had_lists_the_tasks_of_both)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    add_task(&w, &t);
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_code_delete(w.s, w.code.n, T0, &e), &e);
    w.code = add_code(&w, "hello", NULL);
    CHECK_OK(store_commit(w.s, &e), &e);
    t = a_task(&w);
    int64_t newer = add_task(&w, &t);
    char id[ID_TEXT];
    struct store_page page = {0, 10};
    CHECK_INT(list_n(&w, &(struct store_task_filter){.code_name = "hello"}, page, id), 2);
    CHECK_STR(id, task_id(&w, newer));
    world_end(&w);
}

TEST(a_list_that_reads_too_much_is_refused)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t n;
    CHECK_OK(store_begin(w.s, &e), &e);
    for (int i = 0; i < 400000; i++)
        CHECK_OK(store_task_add(w.s, &t, &n, &e), &e);
    CHECK_OK(store_commit(w.s, &e), &e);
    struct task *list;
    size_t got;
    struct store_task_filter f = {.label = "none has it"};
    struct store_page page = {0, 10};
    CHECK_INT(store_task_list(w.r, w.project, &f, page, &list, &got, &e), ERR_UNAVAILABLE);
    CHECK_HAS(e.msg, "too many rows");
    f.label = NULL; /* and the reader is as good as before */
    CHECK_INT(list_n(&w, &f, page, NULL), 10);
    world_end(&w);
}

/* ---- lanes ---- */

TEST(lanes_are_found_by_walking)
{
    struct world w = world_new();
    struct store_lane lane = {-1, -1, -1};
    CHECK_INT(store_lane_next(w.s, &lane, &e), ERR_EMPTY);
    CHECK_OK(store_begin(w.s, &e), &e);
    struct code_rules second = add_code(&w, "second", NULL);
    CHECK_OK(store_commit(w.s, &e), &e);
    struct task_insert t = a_task(&w);
    for (int i = 0; i < 3; i++)
        add_task(&w, &t);
    t.priority = 2;
    add_task(&w, &t);
    t.code = second.n;
    add_task(&w, &t);
    CHECK_OK(store_lane_next(w.s, &lane, &e), &e);
    CHECK(lane.cluster == w.cluster && lane.code == w.code.n && lane.priority == 0);
    CHECK_OK(store_lane_next(w.s, &lane, &e), &e);
    CHECK(lane.cluster == w.cluster && lane.code == w.code.n && lane.priority == 2);
    CHECK_OK(store_lane_next(w.s, &lane, &e), &e);
    CHECK(lane.cluster == w.cluster && lane.code == second.n && lane.priority == 2);
    CHECK_INT(store_lane_next(w.s, &lane, &e), ERR_EMPTY);
    world_end(&w);
}

TEST(a_lane_gives_what_is_ready_first)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    t.ready_us = T0 + 50;
    int64_t late = add_task(&w, &t);
    t.ready_us = T0 + 10;
    int64_t soon = add_task(&w, &t), same = add_task(&w, &t);
    struct store_lane lane = {w.cluster, w.code.n, 0};
    int64_t n, ready_us, ahead;
    CHECK_OK(store_lane_first(w.s, &lane, &n, &ready_us, &e), &e);
    CHECK_INT(n, soon);
    CHECK_INT(ready_us, T0 + 10);
    struct task_row row;
    CHECK_OK(store_task_row(w.s, late, &row, &e), &e);
    CHECK_OK(store_lane_ahead(w.s, &row, 100, &ahead, &e), &e);
    CHECK_INT(ahead, 2);
    CHECK_OK(store_lane_ahead(w.s, &row, 1, &ahead, &e), &e);
    CHECK_INT(ahead, 1);
    CHECK_OK(store_task_row(w.s, same, &row, &e), &e);
    CHECK_OK(store_lane_ahead(w.s, &row, 100, &ahead, &e), &e);
    CHECK_INT(ahead, 1);
    lane.priority = 1;
    CHECK_INT(store_lane_first(w.s, &lane, &n, &ready_us, &e), ERR_EMPTY);
    world_end(&w);
}

static void count(int64_t task, void *arg)
{
    (void)task;
    ++*(int *)arg;
}

TEST(a_lane_is_cancelled_in_slices)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t first = add_task(&w, &t);
    add_task(&w, &t);
    int64_t claimed = add_task(&w, &t);
    claim(&w, claimed);
    struct store_lane lane = {w.cluster, w.code.n, 0};
    int seen = 0;
    int64_t n;
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_lane_cancel(w.s, &lane, INT64_MAX, 1, "gone", T0 + 9, count, &seen, &n, &e), &e);
    CHECK_INT(n, 1);
    CHECK_OK(store_lane_cancel(w.s, &lane, INT64_MAX, 5, "gone", T0 + 9, count, &seen, &n, &e), &e);
    CHECK_INT(n, 1);
    CHECK_INT(seen, 2);
    CHECK_OK(store_commit(w.s, &e), &e);
    struct task got;
    CHECK_OK(store_task_find(w.r, w.project, task_id(&w, first), &got, &e), &e);
    CHECK_INT(got.state, TASK_CANCELLED);
    CHECK_STR(got.msg, "gone");
    CHECK_INT(got.end_us, T0 + 9);
    task_release(&got);
    struct task_row row;
    CHECK_OK(store_task_row(w.s, claimed, &row, &e), &e);
    CHECK_INT(row.state, TASK_PREPARING);
    world_end(&w);
}

/* ---- attempts ---- */

TEST(a_task_is_claimed_once)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t n = add_task(&w, &t), no;
    CHECK_INT(claim(&w, n), 1);
    CHECK_INT(store_task_claim(w.s, n, &a_poll, T0, &no, &e), ERR_CONFLICT);
    struct attempt_row a;
    CHECK_OK(store_attempt_find(w.s, n, 1, &a, &e), &e);
    CHECK_STR(a.runner, "r1");
    CHECK_STR(a.poll, "0123456789abcdef");
    CHECK_INT(a.slot, 2);
    CHECK_INT(a.class, CLASS_NONE);
    CHECK(!a.reason);
    attempt_row_release(&a);
    world_end(&w);
}

TEST(a_grant_has_all_that_a_runner_needs)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t n = add_task(&w, &t);
    claim(&w, n);
    struct grant g;
    CHECK_OK(store_grant_load(w.s, n, 1, &g, &e), &e);
    CHECK_STR(g.ref.task, task_id(&w, n));
    CHECK_INT(g.ref.attempt, 1);
    CHECK_STR(g.code_id, code_id(&w));
    CHECK_STR(g.code_name, "hello");
    CHECK_STR(g.image, "img");
    CHECK_STR(g.command, "run me");
    CHECK_STR(g.config, "{}");
    CHECK_STR(g.env_vars, "");
    CHECK_STR(g.package_sha256, "aabb");
    CHECK_INT(g.package_bytes, 7);
    CHECK_INT(g.timeout_s, 60);
    CHECK_INT(g.payload_len, 2);
    CHECK_STR(g.payload, "{}");
    grant_release(&g);
    world_end(&w);
}

TEST(an_update_compares_state_and_attempt)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t n = add_task(&w, &t);
    claim(&w, n);
    struct task_row was, now;
    CHECK_OK(store_task_row(w.s, n, &was, &e), &e);
    now = was;
    now.state = TASK_RUNNING;
    now.start_us = T0 + 3;
    CHECK_OK(store_task_update(w.s, &was, &now, NULL, T0 + 3, &e), &e);
    CHECK_INT(store_task_update(w.s, &was, &now, NULL, T0 + 3, &e), ERR_CONFLICT);
    was = now;
    was.attempt = 7;
    now.state = TASK_COMPLETE;
    CHECK_INT(store_task_update(w.s, &was, &now, NULL, T0 + 3, &e), ERR_CONFLICT);
    world_end(&w);
}

static int count_attempt(const struct attempt_row *a, void *arg, struct err *err)
{
    (void)err;
    *(int64_t *)arg = *(int64_t *)arg * 100 + a->task;
    return 0;
}

TEST(an_attempt_lives_until_it_is_ended_once)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t n = add_task(&w, &t), task = 0, live = 0;
    claim(&w, n);
    struct finish f = {.runner = "r1",
                       .class = CLASS_TASK,
                       .exit_code = 3,
                       .reason = "boom",
                       .log_bytes = 11,
                       .log_sha256 = "cafe",
                       .log_complete = true};
    memcpy(f.ref.task, task_id(&w, n), ID_TEXT);
    f.ref.attempt = 1;
    CHECK_OK(store_attempt_live(w.r, &f.ref, "r1", &task, &e), &e);
    CHECK_INT(task, n);
    CHECK_INT(store_attempt_live(w.r, &f.ref, "r2", &task, &e), ERR_CONFLICT);
    CHECK_OK(store_attempt_each(w.s, count_attempt, &live, &e), &e);
    CHECK_INT(live, n);
    CHECK_OK(store_attempt_end(w.s, n, &f, T0 + 8, &e), &e);
    CHECK_INT(store_attempt_end(w.s, n, &f, T0 + 8, &e), ERR_CONFLICT);
    CHECK_INT(store_attempt_live(w.r, &f.ref, "r1", &task, &e), ERR_CONFLICT);
    live = 0;
    CHECK_OK(store_attempt_each(w.s, count_attempt, &live, &e), &e);
    CHECK_INT(live, 0);
    struct attempt_row a;
    CHECK_OK(store_attempt_find(w.s, n, 1, &a, &e), &e);
    CHECK_STR(a.reason, "boom");
    CHECK_INT(a.exit_code, 3);
    CHECK_STR(a.log_sha256, "cafe");
    attempt_row_release(&a);
    world_end(&w);
}

TEST(a_log_reference_follows_the_last_attempt)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    int64_t n = add_task(&w, &t);
    struct store_log_ref ref;
    CHECK_OK(store_log_find(w.r, w.project, task_id(&w, n), &ref, &e), &e);
    CHECK_INT(ref.attempt, 0);
    CHECK(!ref.incomplete);
    claim(&w, n);
    CHECK_OK(store_log_find(w.r, w.project, task_id(&w, n), &ref, &e), &e);
    CHECK_INT(ref.task, n);
    CHECK_INT(ref.attempt, 1);
    CHECK_INT(ref.state, TASK_PREPARING);
    CHECK(!ref.incomplete);
    struct finish f = {.class = CLASS_LOST, .exit_code = -1, .ref.attempt = 1};
    CHECK_OK(store_attempt_end(w.s, n, &f, T0 + 8, &e), &e);
    CHECK_OK(store_log_find(w.r, w.project, task_id(&w, n), &ref, &e), &e);
    CHECK(ref.incomplete);
    world_end(&w);
}

TEST(a_copy_is_a_new_task_with_the_same_payload)
{
    struct world w = world_new();
    struct task_insert t = a_task(&w);
    char big[5000];
    memset(big, 'x', sizeof(big));
    t.payload = big;
    t.payload_len = sizeof(big);
    t.label = "blue";
    int64_t n = add_task(&w, &t), copy = 0;
    struct task_row as = {.ready_us = T0 + 5, .created_us = T0, .retry = 1};
    memcpy(as.original_id, task_id(&w, n), ID_TEXT);
    CHECK_OK(store_task_copy(w.s, n, &as, w.code.revision, 30, &copy, &e), &e);
    struct task got;
    CHECK_OK(store_task_find(w.r, w.project, task_id(&w, copy), &got, &e), &e);
    CHECK_INT(got.payload_len, sizeof(big));
    CHECK_INT(got.retry, 1);
    CHECK_INT(got.delay_s, 30);
    CHECK_STR(got.label, "blue");
    CHECK_STR(got.original_task_id, task_id(&w, n));
    task_release(&got);
    world_end(&w);
}

/* ---- runners ---- */

TEST(a_runner_is_listed_as_it_last_said)
{
    struct world w = world_new();
    struct json *stacks = NULL;
    CHECK_OK(json_parse("[\"python-3.11\"]", 15, 3, &stacks, &e), &e);
    struct runner_hello h = {.runner = "r1",
                             .cluster = "default",
                             .version = "0.1",
                             .slots = 2,
                             .stacks = stacks,
                             .engine_version = "20.10",
                             .problem = ""};
    CHECK_OK(store_runner_put(w.s, &h, T0, &e), &e);
    h.problem = "engine down";
    CHECK_OK(store_runner_put(w.s, &h, T0 + 1, &e), &e);
    struct store_runner *list;
    size_t n;
    CHECK_OK(store_runner_list(w.r, &list, &n, &e), &e);
    CHECK_INT(n, 1);
    CHECK_STR(list[0].name, "r1");
    CHECK_STR(list[0].problem, "engine down");
    CHECK_STR(list[0].stacks, "[\"python-3.11\"]");
    CHECK_INT(list[0].seen_us, T0 + 1);
    store_runner_release(&list[0]);
    free(list);
    json_free(stacks);
    world_end(&w);
}

TEST(a_probe_writes)
{
    struct world w = world_new();
    CHECK_OK(store_probe(w.s, &e), &e);
    CHECK_OK(store_probe(w.s, &e), &e);
    world_end(&w);
}

/* ---- this implementation ---- */

TEST(the_database_is_for_its_owner_alone)
{
    struct world w = world_new();
    static const char *const files[] = {"wrought.db", "wrought.db-wal", "wrought.db-shm"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct stat st;
        CHECK_INT(stat(files[i], &st), 0);
        CHECK_INT(st.st_mode & 0777, 0600);
    }
    world_end(&w);
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    char *msg = NULL;
    CHECK_INT(sqlite3_open("wrought.db", &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK)
        TAP_FAIL("%s", msg);
    sqlite3_close(db);
}

static bool once_there(struct world *w, const char *key)
{
    AUTO(once_row) struct once_row row = {0};
    int rc = store_once_find(w->s, w->project, key, 0, &row, &e);
    CHECK(rc == 0 || rc == ERR_NOT_FOUND);
    return rc == 0;
}

TEST(keys_are_replaced_and_pruned_from_the_oldest)
{
    struct world w = world_new();
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_once_put(w.s, w.project, "a", "h", "1", T0, &e), &e);
    CHECK_OK(store_once_put(w.s, w.project, "b", "h", "2", T0 + 1, &e), &e);
    CHECK_OK(store_once_put(w.s, w.project, "a", "g", "3", T0 + 2, &e), &e);
    AUTO(once_row) struct once_row row = {0};
    CHECK_OK(store_once_find(w.s, w.project, "a", T0 + 2, &row, &e), &e);
    CHECK_STR(row.hash, "g");
    CHECK_STR(row.ids, "3");
    CHECK_OK(store_once_prune(w.s, T0 + 2, &e), &e);
    CHECK(once_there(&w, "a"));
    CHECK(!once_there(&w, "b"));
    CHECK_OK(store_once_prune(w.s, T0 + 3, &e), &e);
    CHECK(!once_there(&w, "a"));
    CHECK_OK(store_commit(w.s, &e), &e);
    world_end(&w);
}

TEST(credentials_are_one_for_each_registry)
{
    struct world w = world_new();
    struct store_credential c = {.registry = "quay.io", .sealed = (char *)"a\0b", .sealed_len = 3};
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_credential_put(w.s, w.project, &c, &e), &e);
    c.updated_us = T0;
    CHECK_OK(store_credential_put(w.s, w.project, &c, &e), &e);
    CHECK_OK(store_commit(w.s, &e), &e);
    struct store_credential *list, found = {0};
    size_t n;
    CHECK_OK(store_credential_list(w.r, w.project, (struct store_page){0, 10}, &list, &n, &e), &e);
    CHECK_INT(n, 1);
    CHECK_INT(list[0].updated_us, T0);
    store_credential_release(&list[0]);
    free(list);
    CHECK_OK(store_credential_find(w.r, w.project, "quay.io", &found, &e), &e);
    CHECK(found.sealed_len == 3 && memcmp(found.sealed, "a\0b", 3) == 0);
    store_credential_release(&found);
    CHECK_INT(store_credential_find(w.r, w.project + 1, "quay.io", &found, &e), ERR_NOT_FOUND);
    CHECK_OK(store_begin(w.s, &e), &e);
    CHECK_OK(store_credential_delete(w.s, w.project, "quay.io", &e), &e);
    CHECK_INT(store_credential_delete(w.s, w.project, "quay.io", &e), ERR_NOT_FOUND);
    CHECK_OK(store_commit(w.s, &e), &e);
    world_end(&w);
}

TEST(a_newer_schema_is_refused)
{
    run_sql("PRAGMA user_version = 1000");
    struct store *s;
    CHECK_INT(store_open(".", &s, &e), ERR_CONFLICT);
    CHECK_HAS(e.msg, "newer wrought-server");
}

static char fixture[4096];

__attribute__((constructor)) static void find_fixture(void)
{
    char *at = realpath("tests/fixtures/store-v1.sql", NULL);
    str_copy(fixture, sizeof(fixture), at ? at : "");
    free(at);
}

/* check_schedules: what later steps brought is there: a schedule, and that its firing is one. */
static void check_schedules(struct store *s, int64_t project)
{
    struct schedule_row r = {.project = project, .due_us = T0, .wake_us = T0};
    const struct firing_row f = {.schedule = 1, .due_us = T0, .fired_us = T0};
    int64_t n, wake_us;
    schedule_spec_init(&r.s.spec, &(struct schedule_limits){0});
    CHECK_OK(store_begin(s, &e), &e);
    CHECK_OK(store_schedule_add(s, &r, &e), &e);
    CHECK_OK(store_schedule_move(s, &r, &e), &e);
    CHECK_OK(store_schedule_first(s, &n, &wake_us, &e), &e);
    CHECK_INT(n, r.n);
    CHECK_INT(wake_us, T0);
    CHECK_OK(store_firing_add(s, &f, &e), &e);
    CHECK(store_firing_add(s, &f, &e) < 0); /* never two for one due time */
    CHECK_OK(store_commit(s, &e), &e);
    schedule_row_release(&r);
}

TEST(a_file_of_schema_1_is_brought_up_to_date)
{
    AUTO(buf) struct buf sql = BUF_INIT(1 << 20);
    CHECK_OK(fs_read(fixture, &sql, &e), &e);
    run_sql(buf_str(&sql));
    struct store *s;
    CHECK_OK(store_open(".", &s, &e), &e);
    struct store_project p;
    struct task t;
    /* ids made with the key in the fixture */
    CHECK_OK(store_project_find(s, "6553f100edc2eca58577878f", &p, &e), &e);
    CHECK_OK(store_task_find(s, p.n, "6553f1000262a3f1266f0334", &t, &e), &e);
    CHECK_STR(t.code_name, "hello");
    CHECK_INT(t.state, TASK_ERROR);
    CHECK_INT(t.exit_code, 3);
    CHECK_STR(t.error_class, "Process Exit 3");
    CHECK_STR(t.msg, "boom");
    CHECK_STR(t.payload, "{\"n\":1}");
    task_release(&t);
    CHECK_OK(store_begin(s, &e), &e);
    CHECK_OK(store_once_put(s, p.n, "k", "h", "", T0, &e), &e); /* step 2 */
    struct store_credential c = {.registry = "r", .sealed = (char *)"s", .sealed_len = 1};
    CHECK_OK(store_credential_put(s, p.n, &c, &e), &e); /* step 3 */
    struct store_token_row *tokens;
    size_t n;
    CHECK_OK(store_token_list(s, (struct store_page){0, 10}, &tokens, &n, &e), &e); /* step 4 */
    CHECK_INT(n, 1);
    CHECK_STR(tokens[0].project_id, p.id);
    CHECK_STR(tokens[0].name, "");
    free(tokens);
    CHECK_OK(store_commit(s, &e), &e);
    check_schedules(s, p.n);
    struct build_row b;
    CHECK_INT(store_build_find(s, 1, &b, &e), ERR_NOT_FOUND); /* step 6 */
    store_close(s);
}

TAP_MAIN
