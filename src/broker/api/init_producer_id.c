/*
 * InitProducerId for idempotent producers: a fresh producer id with epoch 0, whatever the client had
 * before (as Kafka does without a transactional id). Ids come from blocks of 1,000 that are durable in
 * the metadata log before the first of them is handed out, so that no id is ever given twice (P38).
 *
 * Transactions are not served: a transactional id is refused.
 */
#include "broker/api/api.h"

enum { BLOCK = 1000 };

struct block {
    struct rw_change change;
    struct rw_request *req;
    int64_t first;
};

static void hand_out(struct rw_request *req)
{
    struct rw_init_producer_id_response *out = req->out;
    out->producer_id = req->shard->view->next_producer_id++;
    out->producer_epoch = 0;
    rw_request_done(req);
}

static bool have_one(const struct rw_request *req)
{
    const struct rw_view *v = req->shard->view;
    return v->next_producer_id < v->producer_ids_end;
}

static int decide(struct rw_change *c, const struct rw_meta *meta,
                  const struct rw_meta_policy *policy)
{
    struct block *b = RW_CONTAINER(c, struct block, change);
    (void)policy;
    return rw_decide_producer_ids(meta, rw_api_config(b->req)->node_id, BLOCK, &b->first, &c->list);
}

static void decided(struct rw_change *c)
{
    struct block *b = RW_CONTAINER(c, struct block, change);
    struct rw_init_producer_id_response *out = b->req->out;
    struct rw_view *v = b->req->shard->view;
    if (c->code) {
        out->error_code = RW_KERR_COORDINATOR_NOT_AVAILABLE; /* retriable */
        rw_request_done(b->req);
        return;
    }
    if (!have_one(b->req)) { /* another request may have brought a block meanwhile */
        v->next_producer_id = b->first;
        v->producer_ids_end = b->first + BLOCK;
    }
    hand_out(b->req);
}

void rw_handle_init_producer_id(struct rw_request *req)
{
    const struct rw_init_producer_id_request *in = req->in;
    struct rw_init_producer_id_response *out = req->out;
    out->producer_epoch = -1;
    if (in->transactional_id.n >= 0) {
        out->error_code = RW_KERR_INVALID_REQUEST;
        rw_request_done(req);
        return;
    }
    if ((in->producer_id >= 0) != (in->producer_epoch >= 0)) {
        out->error_code = RW_KERR_INVALID_REQUEST;
        rw_request_done(req);
        return;
    }
    if (have_one(req)) {
        hand_out(req);
        return;
    }
    struct block *b = rw_arena_zalloc(&req->arena, sizeof(*b));
    if (!b) {
        rw_api_no_memory(req);
        return;
    }
    b->req = req;
    b->change.list.arena = &req->arena;
    b->change.decide = decide;
    b->change.done = decided;
    rw_metadata_submit(req->shard, &b->change);
}
