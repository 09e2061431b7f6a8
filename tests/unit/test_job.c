/* Jobs on disk: what a restarted runner finds again, and what is refused. */
#include "runner/job.h"

#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/fs.h"
#include "lib/str.h"
#include "runner/adopt.h"
#include "tests/unit/tap.h"

#include "lib/banned.h"

#define TASK "0123456789abcdef01234567"

static struct node *make_node(void)
{
    static struct node n;
    struct err e = {0};
    node_init(&n);
    n.set.state_dir = "state";
    n.set.spool_bytes = 10;
    n.set.log_bytes = 1 << 20;
    str_copy(n.name, sizeof n.name, "host-1");
    CHECK_OK(fs_mkdirs("state/jobs", 0700, &e), &e);
    return &n;
}

static struct job *make_job(struct node *n)
{
    struct grant g = {.ref = {.task = TASK, .attempt = 3}, .timeout_s = 60, .lease_s = 30};
    struct job *j = NULL;
    struct err e = {0};
    str_copy(g.project_id, ID_TEXT, TASK);
    str_copy(g.code_id, ID_TEXT, TASK);
    str_copy(g.revision_id, ID_TEXT, TASK);
    g.code_name = str_dup("worker");
    g.image = str_dup("an/image");
    g.command = str_dup("");
    g.runtime = str_dup("");
    g.stack = str_dup("");
    g.file_name = str_dup("");
    g.config = str_dup("");
    g.env_vars = str_dup("{\"A\":\"b\"}");
    g.payload = str_dup("pay\"load");
    g.payload_len = 8;
    g.registry_auth = str_dup("s3cret");
    CHECK_OK(job_new(n, 7, &g, &j, &e), &e);
    CHECK(!g.payload); /* taken over */
    return j;
}

static struct job *reload(struct node *n)
{
    struct job *j = NULL;
    struct err e = {0};
    CHECK_OK(job_load(n, "state/jobs/" TASK ".3", &j, &e), &e);
    return j;
}

static void spool(struct job *j, const char *text)
{
    struct err e = {0};
    CHECK_OK(job_spool(j, SEG_STDOUT, text, strlen(text), &e), &e);
}

TEST(a_job_is_found_again_with_its_grant_and_slot)
{
    struct node *n = make_node();
    struct job *j = make_job(n);
    CHECK_STR(j->container, "wrought-" TASK "-3");
    spool(j, "hello");
    job_free(j);
    j = reload(n);
    CHECK(j->adopted);
    CHECK_INT(j->slot, 7);
    CHECK_STR(j->container, "wrought-" TASK "-3");
    CHECK_STR(j->grant.image, "an/image");
    CHECK_STR(j->grant.payload, "pay\"load");
    CHECK_INT(j->spooled, 5);
    CHECK(!j->offset_known);
    CHECK(!j->finish && !j->image && j->start_us == 0);
    job_free(j);
}

TEST(credentials_of_a_registry_are_not_written_down)
{
    struct node *n = make_node();
    struct job *j = make_job(n);
    CHECK_STR(j->grant.registry_auth, "s3cret");
    job_free(j);
    AUTO(buf) struct buf text = BUF_INIT(1 << 20);
    struct err e = {0};
    CHECK_OK(fs_read("state/jobs/" TASK ".3/grant.json", &text, &e), &e);
    CHECK_HAS(buf_str(&text), "an/image");
    CHECK(!strstr(buf_str(&text), "s3cret"));
}

TEST(what_the_container_was_made_with_is_found_again)
{
    struct node *n = make_node();
    struct job *j = make_job(n);
    const struct asked asked = {
        .caps = {1 << 20, 500, 20, 30, 1 << 30}, .uid = 10001, .timeout_s = 60};
    job_prepared(j, &asked, "an/image", "sha256:12", "wrought-net-1");
    job_started(j);
    int64_t start_us = j->start_us;
    CHECK(start_us > 0);
    job_free(j);
    j = reload(n);
    CHECK(memcmp(&j->asked, &asked, sizeof asked) == 0);
    CHECK_STR(j->image, "an/image");
    CHECK_STR(j->image_id, "sha256:12");
    CHECK_STR(j->sandbox, "wrought-net-1");
    CHECK_INT(j->start_us, start_us);
    job_free(j);
}

TEST(an_end_is_posted_only_when_it_is_due)
{
    struct node *n = make_node();
    struct job *j = make_job(n);
    struct verdict v;
    struct err e = {0};
    verdict_set(&v, CLASS_TASK, "exit code 3");
    v.exit_code = 3;
    spool(j, "hello");
    const struct job_end end = {.verdict = &v, .log_complete = true};
    CHECK_OK(job_finish(j, &end, &e), &e);
    CHECK(!j->finish_due);
    CHECK_HAS(j->finish, "\"class\":\"task\"");
    CHECK_HAS(j->finish, "\"log_bytes\":5");
    CHECK_HAS(j->finish, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    job_report(j);
    CHECK(j->finish_due);
    autofree char *kept = str_dup(j->finish);
    job_free(j);
    j = reload(n);
    CHECK_STR(j->finish, kept);
    CHECK(!j->finish_due);
    job_free(j);
}

TEST(acknowledgements_stop_over_the_spools_limit)
{
    struct node *n = make_node();
    struct job *j = make_job(n);
    spool(j, "0123456789");
    CHECK(job_may_ack(j));
    spool(j, "x");
    CHECK(!job_may_ack(j));
    job_free(j); /* what it had unshipped counts no more */
    CHECK_INT(atomic_load(&n->unshipped_bytes), 0);
}

TEST(the_strongest_order_stays)
{
    struct node *n = make_node();
    struct job *j = make_job(n);
    CHECK_INT(job_order(j), ORDER_NONE);
    job_give_order(j, ORDER_LOST);
    job_give_order(j, ORDER_CANCEL);
    CHECK_INT(job_order(j), ORDER_LOST);
    job_free(j);
}

TEST(the_first_outcome_stays)
{
    struct node *n = make_node();
    struct job *j = make_job(n);
    job_settle(j, JOB_DELIVERED);
    job_settle(j, JOB_DROPPED);
    CHECK_INT(job_wait_outcome(j), JOB_DELIVERED);
    job_free(j);
}

TEST(adoption_takes_jobs_and_removes_the_rest)
{
    struct node *n = make_node();
    struct jobs *js = jobs_new();
    struct job **list = NULL;
    size_t count = 0;
    struct err e = {0};
    struct stat st;
    job_free(make_job(n));
    CHECK_OK(fs_mkdirs("state/jobs/torn.1", 0700, &e), &e);
    CHECK_OK(fs_write_durable("state/jobs/torn.1/grant.json", "{\"slot", 6, 0600, &e), &e);
    CHECK_OK(adopt_jobs(n, js, &list, &count, &e), &e);
    CHECK_INT(count, 1);
    CHECK(stat("state/jobs/torn.1", &st) != 0);
    CHECK(jobs_has_container(js, "wrought-" TASK "-3"));
    struct held *held = NULL;
    CHECK_INT(jobs_held(js, &held), 1);
    CHECK_STR(held[0].ref.task, TASK);
    CHECK_INT(held[0].ref.attempt, 3);
    free(held);
    jobs_remove(js, list[0]);
    CHECK_INT(jobs_count(js), 0);
    job_discard(list[0]);
    CHECK(stat(list[0]->dir, &st) != 0);
    job_free(list[0]);
    free(list);
    jobs_free(js);
}

TAP_MAIN
