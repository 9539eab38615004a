/*
 * AlterConfigs and IncrementalAlterConfigs. meta/decide.h judges them on shard 0; here they only travel
 * there and back.
 */
#include "broker/api/api.h"

static int decide_alter(struct rw_change *c, const struct rw_meta *meta,
                        const struct rw_meta_policy *policy)
{
    struct rw_request *req = rw_api_change_request(c);
    return rw_decide_alter_configs(meta, policy, req->in, req->out, &c->list);
}

/* Nothing could be stored: each resource says so that has no error of its own. */
static void fail(int16_t *error, struct rw_str *message, struct rw_api_failure f)
{
    if (*error)
        return;
    *error = f.error;
    *message = f.why;
}

static bool fail_alter(struct rw_request *req, struct rw_api_failure f)
{
    struct rw_alter_configs_response *out = req->out;
    if (!out->responses && rw_alter_configs_begin(req->in, &req->arena, out))
        return false;
    for (int32_t i = 0; i < out->n_responses; i++)
        fail(&out->responses[i].error_code, &out->responses[i].error_message, f);
    return true;
}

static void altered(struct rw_request *req, int code)
{
    rw_api_end(req, code, fail_alter);
}

void rw_handle_alter_configs(struct rw_request *req)
{
    rw_api_submit(req, decide_alter, altered);
}

static int decide_incremental(struct rw_change *c, const struct rw_meta *meta,
                              const struct rw_meta_policy *policy)
{
    struct rw_request *req = rw_api_change_request(c);
    return rw_decide_incremental_alter_configs(meta, policy, req->in, req->out, &c->list);
}

static bool fail_incremental(struct rw_request *req, struct rw_api_failure f)
{
    struct rw_incremental_alter_configs_response *out = req->out;
    if (!out->responses && rw_incremental_alter_configs_begin(req->in, &req->arena, out))
        return false;
    for (int32_t i = 0; i < out->n_responses; i++)
        fail(&out->responses[i].error_code, &out->responses[i].error_message, f);
    return true;
}

static void altered_incrementally(struct rw_request *req, int code)
{
    rw_api_end(req, code, fail_incremental);
}

void rw_handle_incremental_alter_configs(struct rw_request *req)
{
    rw_api_submit(req, decide_incremental, altered_incrementally);
}
