/* What handlers share; see api.h. */
#include "broker/api/api.h"

static void change_done(struct rw_change *c)
{
    struct rw_api_change *a = RW_CONTAINER(c, struct rw_api_change, change);
    a->then(a->req, c->code);
}

void rw_api_no_memory(struct rw_request *req)
{
    rw_diag(req->shard->env->diag, RW_WARN, "api", "closed: out of memory for an answer",
            rw_kv_str("peer", rw_conn_peer(req->conn)->text), rw_kv_str("api", req->api->name));
    req->close_after = true;
    rw_request_done(req);
}

struct rw_api_failure rw_api_failure(int code)
{
    const char *why = "The metadata log has failed: nothing changes until the broker is restarted, "
                      "see its log";
    if (code == RW_E_AGAIN)
        why =
            "Done, but the broker has no open files, memory or disk space left to open all of the "
            "new logs: they are opened when there is some, see its log";
    if (code == RW_E_FULL)
        why = "No space left on the disk with the data: nothing was changed, try again when there "
              "is some";
    return (struct rw_api_failure){rw_kerr_from_code(code == RW_E_AGAIN ? RW_E_LIMIT : code),
                                   rw_str(why), code == RW_E_AGAIN};
}

void rw_api_end(struct rw_request *req, int code,
                bool (*fail)(struct rw_request *req, struct rw_api_failure f))
{
    if (code == RW_E_NOMEM || (code && !fail(req, rw_api_failure(code))))
        rw_api_no_memory(req);
    else
        rw_request_done(req);
}

void rw_api_submit(struct rw_request *req,
                   int (*decide)(struct rw_change *c, const struct rw_meta *meta,
                                 const struct rw_meta_policy *policy),
                   void (*then)(struct rw_request *req, int code))
{
    struct rw_api_change *a = rw_arena_zalloc(&req->arena, sizeof(*a));
    if (!a) {
        then(req, RW_E_NOMEM);
        return;
    }
    a->req = req;
    a->then = then;
    a->change.list.arena = &req->arena;
    a->change.decide = decide;
    a->change.done = change_done;
    rw_request_parks(req);
    rw_metadata_submit(req->shard, &a->change);
}

bool rw_api_advertised(struct rw_request *req, int32_t broker_id, struct rw_str *ret_host,
                       int32_t *ret_port)
{
    const struct rw_broker_config *b = rw_api_config(req);
    if (broker_id == b->node_id) {
        struct rw_address at;
        rw_addresses_of(rw_api_node(req)->addresses, rw_conn_listener(req->conn), req->conn->sock,
                        &at);
        *ret_host = rw_arena_str(&req->arena, at.host);
        *ret_port = at.port;
        return ret_host->n >= 0;
    }
    const struct rw_meta_broker *other = rw_meta_broker(rw_api_meta(req), broker_id);
    *ret_host = rw_str(other && other->host ? other->host : "");
    *ret_port = other ? other->port : -1;
    return true;
}
