/*
 * The handlers that change topics: CreateTopics, DeleteTopics, CreatePartitions, AlterConfigs,
 * IncrementalAlterConfigs. meta/decide.h judges them on shard 0; here they only travel there and back.
 */
#include "broker/api/api.h"

/* The answer as a whole when nothing could be decided or stored: no answer is honest but "try again",
 * and these APIs have no error for the whole. */
static void finish(struct rw_request *req, int code)
{
    if (code)
        rw_api_no_memory(req);
    else
        rw_request_done(req);
}

static int decide_create(struct rw_change *c, const struct rw_meta *meta,
                         const struct rw_meta_policy *policy)
{
    struct rw_request *req = rw_api_change_request(c);
    return rw_decide_create_topics(meta, policy, req->in, req->out, &c->list);
}

/* From version 5 on the answer shows the new topic's settings. */
static bool add_configs(struct rw_request *req, struct rw_create_topics_response_topic *out)
{
    size_t n_keys;
    const struct rw_config_key *keys = rw_config_table(&n_keys);
    const struct rw_meta_topic *t = rw_meta_topic_by_id(rw_api_meta(req), out->topic_id);
    out->configs = rw_arena_array(&req->arena, n_keys, sizeof(*out->configs));
    if (!out->configs)
        return false;
    for (size_t i = 0; t && i < n_keys; i++) {
        if (keys[i].scope != RW_SCOPE_TOPIC)
            continue;
        struct rw_create_topics_response_config *c = &out->configs[out->n_configs++];
        enum rw_config_source source;
        rw_create_topics_response_config_init(c);
        c->name = rw_str(keys[i].name);
        if (!rw_api_topic_value(req, &req->arena, &keys[i], t, &c->value, &source))
            return false;
        c->config_source = (int8_t)source;
    }
    return true;
}

static void created(struct rw_request *req, int code)
{
    struct rw_create_topics_response *out = req->out;
    for (int32_t i = 0; code == RW_OK && i < out->n_topics; i++) {
        out->topics[i].n_configs = 0;
        if (out->topics[i].error_code == 0 && req->header.api_version >= 5 &&
            !add_configs(req, &out->topics[i]))
            code = RW_E_NOMEM;
    }
    finish(req, code);
}

void rw_handle_create_topics(struct rw_request *req)
{
    rw_api_submit(req, decide_create, created);
}

static int decide_delete(struct rw_change *c, const struct rw_meta *meta,
                         const struct rw_meta_policy *policy)
{
    struct rw_request *req = rw_api_change_request(c);
    return rw_decide_delete_topics(meta, policy, req->in, req->out, &c->list);
}

void rw_handle_delete_topics(struct rw_request *req)
{
    rw_api_submit(req, decide_delete, finish);
}

static int decide_grow(struct rw_change *c, const struct rw_meta *meta,
                       const struct rw_meta_policy *policy)
{
    struct rw_request *req = rw_api_change_request(c);
    return rw_decide_create_partitions(meta, policy, req->in, req->out, &c->list);
}

void rw_handle_create_partitions(struct rw_request *req)
{
    rw_api_submit(req, decide_grow, finish);
}

static int decide_alter(struct rw_change *c, const struct rw_meta *meta,
                        const struct rw_meta_policy *policy)
{
    struct rw_request *req = rw_api_change_request(c);
    return rw_decide_alter_configs(meta, policy, req->in, req->out, &c->list);
}

void rw_handle_alter_configs(struct rw_request *req)
{
    rw_api_submit(req, decide_alter, finish);
}

static int decide_incremental(struct rw_change *c, const struct rw_meta *meta,
                              const struct rw_meta_policy *policy)
{
    struct rw_request *req = rw_api_change_request(c);
    return rw_decide_incremental_alter_configs(meta, policy, req->in, req->out, &c->list);
}

void rw_handle_incremental_alter_configs(struct rw_request *req)
{
    rw_api_submit(req, decide_incremental, finish);
}
