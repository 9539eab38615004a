/*
 * What handlers share: the image and the configuration at hand, strings that live long enough, and the
 * declaration of each handler. See broker/request.h for what a handler may do with its request.
 */
#pragma once

#include "broker/conn.h"
#include "broker/node.h"
#include "broker/request.h"
#include "wire/error.h"
#include "wire/messages.h"

rw_handler rw_handle_produce, rw_handle_fetch, rw_handle_list_offsets, rw_handle_metadata,
    rw_handle_api_versions, rw_handle_create_topics, rw_handle_delete_topics,
    rw_handle_delete_records, rw_handle_init_producer_id, rw_handle_offset_for_leader_epoch,
    rw_handle_describe_configs, rw_handle_alter_configs, rw_handle_create_partitions,
    rw_handle_incremental_alter_configs, rw_handle_describe_cluster;

static inline const struct rw_meta *rw_api_meta(const struct rw_request *req)
{
    return &req->shard->view->meta;
}

static inline const struct rw_broker_config *rw_api_config(const struct rw_request *req)
{
    return rw_config_broker(req->shard->config);
}

static inline struct rw_node *rw_api_node(const struct rw_request *req)
{
    return req->shard->broker->node;
}

/* Memory ran out while the answer was made: there is none; the client reconnects and asks again. */
void rw_api_no_memory(struct rw_request *req);

/* What clients are told when the metadata could not be changed: a Kafka error and words. */
struct rw_api_failure {
    int16_t error;
    struct rw_str why;
    bool is_done; /* it was changed all the same */
};
struct rw_api_failure rw_api_failure(int code);
/*
 * The answer to a change, when nothing is to be added to it. `fail` puts what went wrong into it; false for
 * want of memory.
 */
void rw_api_end(struct rw_request *req, int code,
                bool (*fail)(struct rw_request *req, struct rw_api_failure f));

/* A request that changes metadata; see broker/metadata.h. */
struct rw_api_change {
    struct rw_change change;
    struct rw_request *req;
    void (*then)(struct rw_request *req, int code); /* on the request's shard */
};

/* Parks the request; then() is told how it went, for want of memory too. decide gets the change; its request is RW_CONTAINER(change, ...)->req. */
void rw_api_submit(struct rw_request *req,
                   int (*decide)(struct rw_change *c, const struct rw_meta *meta,
                                 const struct rw_meta_policy *policy),
                   void (*then)(struct rw_request *req, int code));
static inline struct rw_request *rw_api_change_request(struct rw_change *c)
{
    return RW_CONTAINER(c, struct rw_api_change, change)->req;
}

/* How clients reach a broker; this one through the listener that the request came in by. False: no
 * memory. */
bool rw_api_advertised(struct rw_request *req, int32_t broker_id, struct rw_str *ret_host,
                       int32_t *ret_port);

/* One more row of DescribeConfigs or CreateTopics for a topic's or broker's key; api/describe_configs.c.
 * False: no memory. */
bool rw_api_topic_value(const struct rw_request *req, struct rw_arena *arena,
                        const struct rw_config_key *key, const struct rw_meta_topic *t,
                        struct rw_str *ret_value, enum rw_config_source *ret_source);
