/* Projects: what a token may see of them. */
#include <stdlib.h>

#include "server/handlers.h"

#include "lib/banned.h"

static void encode(const struct store_project *p, struct jsonw *w)
{
    jw_obj(w, NULL);
    jw_str(w, "id", p->id);
    jw_str(w, "name", p->name);
    jw_time(w, "created_at", p->created_us);
    jw_time(w, "updated_at", p->updated_us);
    jw_obj_end(w);
}

int h_project_list(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct store *s;
    struct store_page page;
    struct store_project *projects;
    size_t n;
    if (req_page(rq, &page, e) || req_store(rq, &s, e))
        return e->code;
    int rc = store_project_list(s, rq->who.token.project, page, &projects, &n, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    jw_obj(&w, NULL);
    jw_arr(&w, "projects");
    for (size_t i = 0; i < n; i++)
        encode(&projects[i], &w);
    jw_arr_end(&w);
    jw_obj_end(&w);
    free(projects);
    return 0;
}

int h_project_get(struct req *rq, struct resp *rs, struct err *e)
{
    (void)rs;
    struct store *s;
    struct store_project p;
    if (req_store(rq, &s, e))
        return e->code;
    int rc = store_project_find(s, rq->project_id, &p, e);
    req_store_done(rq, s);
    if (rc)
        return rc;
    struct jsonw w = JSONW(&rq->out);
    encode(&p, &w);
    return 0;
}
