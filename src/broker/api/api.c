/* What handlers share; see api.h. */
#include "broker/api/api.h"

static void change_done(struct rw_change *c)
{
    struct rw_api_change *a = RW_CONTAINER(c, struct rw_api_change, change);
    a->then(a->req, c->code);
}

void rw_api_submit(struct rw_request *req,
                   int (*decide)(struct rw_change *c, const struct rw_meta *meta,
                                 const struct rw_meta_policy *policy),
                   void (*then)(struct rw_request *req, int code))
{
    struct rw_api_change *a = rw_arena_zalloc(&req->arena, sizeof(*a));
    if (!a) {
        rw_api_no_memory(req);
        return;
    }
    a->req = req;
    a->then = then;
    a->change.list.arena = &req->arena;
    a->change.decide = decide;
    a->change.done = change_done;
    rw_metadata_submit(req->shard, &a->change);
}

struct rw_api_address rw_api_advertised(const struct rw_request *req, int32_t broker_id)
{
    const struct rw_broker_config *b = rw_api_config(req);
    if (broker_id == b->node_id) {
        const struct rw_endpoint *e = &b->advertised[rw_conn_listener(req->conn)];
        /* A listener on every address without advertised.listeners: this machine, as far as we know. */
        bool any = !e->host[0] || strcmp(e->host, "0.0.0.0") == 0 || strcmp(e->host, "::") == 0;
        return (struct rw_api_address){any ? RW_STR_LIT("localhost") : rw_str(e->host), e->port};
    }
    const struct rw_meta_broker *other = rw_meta_broker(rw_api_meta(req), broker_id);
    return (struct rw_api_address){rw_str(other && other->host ? other->host : ""),
                                   other ? other->port : -1};
}
