/*
 * The handlers that change topics: CreateTopics, DeleteTopics, CreatePartitions. meta/decide.h judges
 * them on shard 0; here they only travel there and back.
 */
#include "broker/api/api.h"

/* The disk is nearly full: what adds to it is refused like records are. */
static bool no_room(const struct rw_request *req, bool validate_only)
{
    return !validate_only && rw_partitions_disk_full(req->shard);
}

/* Nothing could be stored, or new logs could not be opened. These APIs have no error for the whole: each item gets it that has no other.
 * Items that were decided are in the answer already, all of them or none. False: no memory. */
static bool fail_create(struct rw_request *req, struct rw_api_failure f)
{
    const struct rw_create_topics_request *in = req->in;
    struct rw_create_topics_response *out = req->out;
    if (out->n_topics != in->n_topics) {
        out->topics = rw_arena_array(&req->arena, (size_t)in->n_topics, sizeof(*out->topics));
        if (!out->topics)
            return false;
        for (out->n_topics = 0; out->n_topics < in->n_topics; out->n_topics++) {
            rw_create_topics_response_topic_init(&out->topics[out->n_topics]);
            out->topics[out->n_topics].name = in->topics[out->n_topics].name;
        }
    }
    for (int32_t i = 0; i < out->n_topics; i++) {
        if (!f.is_done)
            out->topics[i].topic_id = (struct rw_uuid){0}; /* was never given */
        if (out->topics[i].error_code)
            continue;
        out->topics[i].error_code = f.error;
        out->topics[i].error_message = f.why;
    }
    return true;
}

static bool fail_delete(struct rw_request *req, struct rw_api_failure f)
{
    const struct rw_delete_topics_request *in = req->in;
    struct rw_delete_topics_response *out = req->out;
    int32_t n_names = in->n_topic_names > 0 ? in->n_topic_names : 0;
    int32_t n = n_names + (in->n_topics > 0 ? in->n_topics : 0);
    if (out->n_responses != n) {
        out->responses = rw_arena_array(&req->arena, (size_t)n, sizeof(*out->responses));
        if (!out->responses)
            return false;
        for (out->n_responses = 0; out->n_responses < n; out->n_responses++) {
            int32_t i = out->n_responses;
            rw_delete_topics_response_topic_init(&out->responses[i]);
            out->responses[i].name =
                i < n_names ? in->topic_names[i] : in->topics[i - n_names].name;
            if (i >= n_names)
                out->responses[i].topic_id = in->topics[i - n_names].topic_id;
        }
    }
    for (int32_t i = 0; i < n; i++) {
        if (out->responses[i].error_code)
            continue;
        out->responses[i].error_code = f.error;
        out->responses[i].error_message = f.why;
    }
    return true;
}

static bool fail_grow(struct rw_request *req, struct rw_api_failure f)
{
    const struct rw_create_partitions_request *in = req->in;
    struct rw_create_partitions_response *out = req->out;
    if (out->n_results != in->n_topics) {
        out->results = rw_arena_array(&req->arena, (size_t)in->n_topics, sizeof(*out->results));
        if (!out->results)
            return false;
        for (out->n_results = 0; out->n_results < in->n_topics; out->n_results++) {
            rw_create_partitions_response_topic_init(&out->results[out->n_results]);
            out->results[out->n_results].name = in->topics[out->n_results].name;
        }
    }
    for (int32_t i = 0; i < out->n_results; i++) {
        if (out->results[i].error_code)
            continue;
        out->results[i].error_code = f.error;
        out->results[i].error_message = f.why;
    }
    return true;
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
    bool room = true;
    bool is_done = code == RW_OK || code == RW_E_AGAIN;
    for (int32_t i = 0; is_done && i < out->n_topics; i++) {
        out->topics[i].n_configs = 0;
        if (room && out->topics[i].error_code == 0 && req->header.api_version >= 5)
            room = add_configs(req, &out->topics[i]);
        /* Thousands of topics: not knowing all their settings is better than not knowing whether they
         * were made. */
        if (!room)
            out->topics[i].n_configs = -1;
    }
    rw_api_end(req, code, fail_create);
}

void rw_handle_create_topics(struct rw_request *req)
{
    const struct rw_create_topics_request *in = req->in;
    if (no_room(req, in->validate_only))
        created(req, RW_E_FULL);
    else
        rw_api_submit(req, decide_create, created);
}

static int decide_delete(struct rw_change *c, const struct rw_meta *meta,
                         const struct rw_meta_policy *policy)
{
    struct rw_request *req = rw_api_change_request(c);
    return rw_decide_delete_topics(meta, policy, req->in, req->out, &c->list);
}

static void deleted(struct rw_request *req, int code)
{
    rw_api_end(req, code, fail_delete);
}

void rw_handle_delete_topics(struct rw_request *req)
{
    rw_api_submit(req, decide_delete, deleted);
}

static int decide_grow(struct rw_change *c, const struct rw_meta *meta,
                       const struct rw_meta_policy *policy)
{
    struct rw_request *req = rw_api_change_request(c);
    return rw_decide_create_partitions(meta, policy, req->in, req->out, &c->list);
}

static void grown(struct rw_request *req, int code)
{
    rw_api_end(req, code, fail_grow);
}

void rw_handle_create_partitions(struct rw_request *req)
{
    const struct rw_create_partitions_request *in = req->in;
    if (no_room(req, in->validate_only))
        grown(req, RW_E_FULL);
    else
        rw_api_submit(req, decide_grow, grown);
}
