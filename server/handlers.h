/* Every handler, for the route table. What a handler is: server/req.h; what each route says:
 * api/http.md and api/lease.md. */
#pragma once

#include "api/runner.h"
#include "server/req.h"

struct body_sink;

/* h_ops.c */
int h_health(struct req *rq, struct resp *rs, struct err *e);
int h_version(struct req *rq, struct resp *rs, struct err *e);
int h_metrics(struct req *rq, struct resp *rs, struct err *e);
int h_openapi(struct req *rq, struct resp *rs, struct err *e);
int h_stack_list(struct req *rq, struct resp *rs, struct err *e);

/* h_projects.c */
int h_project_list(struct req *rq, struct resp *rs, struct err *e);
int h_project_get(struct req *rq, struct resp *rs, struct err *e);

/* h_admin.c */
int h_project_post(struct req *rq, struct resp *rs, struct err *e);
int h_project_delete(struct req *rq, struct resp *rs, struct err *e);
int h_token_list(struct req *rq, struct resp *rs, struct err *e);
int h_token_post(struct req *rq, struct resp *rs, struct err *e);
int h_token_delete(struct req *rq, struct resp *rs, struct err *e);

/* h_credentials.c */
int h_credential_list(struct req *rq, struct resp *rs, struct err *e);
int h_credential_post(struct req *rq, struct resp *rs, struct err *e);
int h_credential_delete(struct req *rq, struct resp *rs, struct err *e);

/* h_codes.c */
int h_code_list(struct req *rq, struct resp *rs, struct err *e);
int h_code_get(struct req *rq, struct resp *rs, struct err *e);
int h_code_delete(struct req *rq, struct resp *rs, struct err *e);
int h_code_download(struct req *rq, struct resp *rs, struct err *e);
int h_code_revisions(struct req *rq, struct resp *rs, struct err *e);

/* h_code_queue.c */
int h_code_pause(struct req *rq, struct resp *rs, struct err *e);
int h_code_resume(struct req *rq, struct resp *rs, struct err *e);
int h_code_cancel_all(struct req *rq, struct resp *rs, struct err *e);
int h_code_stats(struct req *rq, struct resp *rs, struct err *e);

/* h_upload.c */
int h_code_post(struct req *rq, struct resp *rs, struct err *e);

/* form.c */
extern const struct body_sink upload_sink;

/* h_tasks.c */
int h_task_post(struct req *rq, struct resp *rs, struct err *e);
int h_task_list(struct req *rq, struct resp *rs, struct err *e);
int h_task_get(struct req *rq, struct resp *rs, struct err *e);
int h_task_cancel(struct req *rq, struct resp *rs, struct err *e);
int h_task_why(struct req *rq, struct resp *rs, struct err *e);
int h_task_progress(struct req *rq, struct resp *rs, struct err *e);
int h_task_retry(struct req *rq, struct resp *rs, struct err *e);

/* h_webhook.c */
int h_task_webhook(struct req *rq, struct resp *rs, struct err *e);

/* h_schedules.c */
int h_schedule_post(struct req *rq, struct resp *rs, struct err *e);
int h_schedule_list(struct req *rq, struct resp *rs, struct err *e);
int h_schedule_get(struct req *rq, struct resp *rs, struct err *e);
int h_schedule_put(struct req *rq, struct resp *rs, struct err *e);
int h_schedule_cancel(struct req *rq, struct resp *rs, struct err *e);
int h_schedule_pause(struct req *rq, struct resp *rs, struct err *e);
int h_schedule_resume(struct req *rq, struct resp *rs, struct err *e);
int h_schedule_trigger(struct req *rq, struct resp *rs, struct err *e);
int h_schedule_firings(struct req *rq, struct resp *rs, struct err *e);

/* h_logs.c */
int h_task_log(struct req *rq, struct resp *rs, struct err *e);
int h_task_outlog(struct req *rq, struct resp *rs, struct err *e);

/* h_runner.c */
int h_runner_register(struct req *rq, struct resp *rs, struct err *e);
int h_runner_lease(struct req *rq, struct resp *rs, struct err *e);
int h_runner_renew(struct req *rq, struct resp *rs, struct err *e);
int h_runner_started(struct req *rq, struct resp *rs, struct err *e);
int h_runner_log(struct req *rq, struct resp *rs, struct err *e);
int h_runner_finish(struct req *rq, struct resp *rs, struct err *e);
int h_runner_package(struct req *rq, struct resp *rs, struct err *e);
/* Query arguments of its routes: ERR_MISSING names the one that is not there. */
NODISCARD int runner_required_arg(const struct req *rq, const char *name, const char **ret,
                                  struct err *e);
NODISCARD int runner_attempt_args(const struct req *rq, const char **ret_runner,
                                  struct attempt_ref *ret, struct err *e);

/* h_build.c */
int h_runner_result(struct req *rq, struct resp *rs, struct err *e);
extern const struct body_sink result_sink;
