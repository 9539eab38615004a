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

/* Nothing could be stored: each resource says so that has no error of its own. False: no memory. */
static bool fail_alter(struct rw_request *req, struct rw_api_failure f)
{
    const struct rw_alter_configs_request *in = req->in;
    struct rw_alter_configs_response *out = req->out;
    if (out->n_responses != in->n_resources) {
        out->responses =
            rw_arena_array(&req->arena, (size_t)in->n_resources, sizeof(*out->responses));
        if (!out->responses)
            return false;
        for (out->n_responses = 0; out->n_responses < in->n_resources; out->n_responses++) {
            struct rw_alter_configs_response_resource *r = &out->responses[out->n_responses];
            rw_alter_configs_response_resource_init(r);
            r->resource_type = in->resources[out->n_responses].resource_type;
            r->resource_name = in->resources[out->n_responses].resource_name;
        }
    }
    for (int32_t i = 0; i < out->n_responses; i++) {
        if (out->responses[i].error_code)
            continue;
        out->responses[i].error_code = f.error;
        out->responses[i].error_message = f.why;
    }
    return true;
}

static void altered(struct rw_request *req, int code)
{
    if (code == RW_E_NOMEM || (code && !fail_alter(req, rw_api_failure(code))))
        rw_api_no_memory(req);
    else
        rw_request_done(req);
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
    const struct rw_incremental_alter_configs_request *in = req->in;
    struct rw_incremental_alter_configs_response *out = req->out;
    if (out->n_responses != in->n_resources) {
        out->responses =
            rw_arena_array(&req->arena, (size_t)in->n_resources, sizeof(*out->responses));
        if (!out->responses)
            return false;
        for (out->n_responses = 0; out->n_responses < in->n_resources; out->n_responses++) {
            struct rw_incremental_alter_configs_response_resource *r =
                &out->responses[out->n_responses];
            rw_incremental_alter_configs_response_resource_init(r);
            r->resource_type = in->resources[out->n_responses].resource_type;
            r->resource_name = in->resources[out->n_responses].resource_name;
        }
    }
    for (int32_t i = 0; i < out->n_responses; i++) {
        if (out->responses[i].error_code)
            continue;
        out->responses[i].error_code = f.error;
        out->responses[i].error_message = f.why;
    }
    return true;
}

static void altered_incrementally(struct rw_request *req, int code)
{
    if (code == RW_E_NOMEM || (code && !fail_incremental(req, rw_api_failure(code))))
        rw_api_no_memory(req);
    else
        rw_request_done(req);
}

void rw_handle_incremental_alter_configs(struct rw_request *req)
{
    rw_api_submit(req, decide_incremental, altered_incrementally);
}
