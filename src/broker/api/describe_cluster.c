/* DescribeCluster (KIP-700): cluster id, controller, brokers. Every broker is a controller here. */
#include "broker/api/api.h"

#define CLUSTER_OPERATIONS 0x1f80
enum { ENDPOINT_BROKERS = 1, ENDPOINT_CONTROLLERS = 2 };

void rw_handle_describe_cluster(struct rw_request *req)
{
    const struct rw_describe_cluster_request *in = req->in;
    struct rw_describe_cluster_response *out = req->out;
    const struct rw_meta *meta = rw_api_meta(req);
    out->cluster_id = rw_str(rw_api_node(req)->identity.cluster_id);
    out->endpoint_type = in->endpoint_type;
    if (in->endpoint_type != ENDPOINT_BROKERS) {
        bool known = in->endpoint_type == ENDPOINT_CONTROLLERS;
        out->error_code =
            known ? RW_KERR_MISMATCHED_ENDPOINT_TYPE : RW_KERR_UNSUPPORTED_ENDPOINT_TYPE;
        out->error_message = RW_STR_LIT("this is a broker's listener");
        rw_request_done(req);
        return;
    }
    out->controller_id = rw_api_config(req)->node_id;
    if (in->include_cluster_authorized_operations)
        out->cluster_authorized_operations = CLUSTER_OPERATIONS;
    out->brokers = rw_arena_array(&req->arena, meta->n_brokers + 1, sizeof(*out->brokers));
    if (!out->brokers) {
        rw_api_no_memory(req);
        return;
    }
    bool fine = true;
    for (size_t i = 0; i < meta->n_brokers; i++) {
        struct rw_describe_cluster_response_broker *b = &out->brokers[out->n_brokers++];
        rw_describe_cluster_response_broker_init(b);
        b->broker_id = meta->brokers[i].id;
        fine &= rw_api_advertised(req, b->broker_id, &b->host, &b->port);
        b->rack = rw_str(meta->brokers[i].rack);
    }
    if (fine)
        rw_request_done(req);
    else
        rw_api_no_memory(req);
}
