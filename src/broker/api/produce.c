/*
 * Produce: one batch per partition. Appends happen on the shards that own the partitions; acks=1 and
 * acks=all are answered when the records are acknowledged by the topic's durability policy, acks=0 is
 * not answered at all (and an error closes the connection, as in Kafka).
 *
 * A request that is out of time before its records are durable is answered REQUEST_TIMED_OUT: the
 * records may still become durable.
 *
 * While a log is being opened its producers wait. To refuse one batch and, the log being open by then,
 * to take up the next of the same connection would be a gap in the producer's sequence: clients answer
 * it with a new producer epoch, and send what was appended before the restart a second time.
 */
#include "broker/api/api.h"
#include "broker/fan.h"
#include "broker/metrics.h"
#include "broker/rebuild.h"

#define TIMEOUT_MIN_MS 500

struct produce_item {
    struct rw_fan_item base;
    struct rw_fan_leg *leg;
    /* The batch, with what was checked on the request's shard. The frame is ours until the answer has left:
     * offset and epoch are patched in place. */
    struct rw_partition_append in;
    struct rw_waiter waiter;    /* until the log is open; then until it is acknowledged */
    struct rw_rebuild *rebuild; /* compression.type; NULL: the batch stays as it is */
    struct rw_produce_response_partition *out;
    int64_t base_offset, append_time, log_start;
    int32_t bad_record;
    const char *why; /* static words */
};

struct produce {
    struct rw_fan fan;
    int *pending; /* per shard: items that are not acknowledged yet; the owner's */
    bool allow_zstd;
    int16_t acks;
    /* compression.type */
    struct rw_rebuild *rebuilds, **rebuilds_end;
    struct rw_rebuilder *tool;
    struct rw_rebuild_turn turn;
    struct rw_job job;
};

static struct produce *produce_of(struct rw_fan_leg *leg)
{
    return RW_CONTAINER(leg->fan, struct produce, fan);
}

static int16_t error_of(int code)
{
    switch (code) {
    case RW_E_TOO_BIG:
        return RW_KERR_MESSAGE_TOO_LARGE;
    case RW_E_UNSUPPORTED:
        return RW_KERR_UNSUPPORTED_COMPRESSION_TYPE;
    case RW_E_SEQUENCE:
        return RW_KERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    case RW_E_FENCED:
        return RW_KERR_INVALID_PRODUCER_EPOCH;
    case RW_E_SHORT:
        return RW_KERR_CORRUPT_MESSAGE;
    case RW_E_NOMEM: /* must be retriable; there is no better word */
        return RW_KERR_KAFKA_STORAGE_ERROR;
    default:
        return rw_kerr_from_code(code);
    }
}

/* ---- on the owner's shard ---- */

static void settle(struct rw_fan_leg *leg)
{
    struct produce *p = produce_of(leg);
    if (--p->pending[leg->shard] == 0)
        rw_fan_leg_done(leg->fan->req->shard->broker->shards[leg->shard], leg);
}

static void acknowledged(struct rw_waiter *w)
{
    struct produce_item *item = RW_CONTAINER(w, struct produce_item, waiter);
    const struct rw_partition *p = item->base.partition;
    if (!rw_partition_is_acked(p, w->offset))
        item->base.error = rw_partition_error(p);
    settle(item->leg);
}

static void count(struct rw_partition *p, const struct rw_append_info *info, size_t bytes)
{
    uint64_t records = (uint64_t)(info->last_offset - info->first_offset + 1);
    if (info->duplicate)
        return;
    rw_metric_add(p->shard->metrics, RW_METRIC_RECORDS_IN, (int64_t)records);
    if (p->metrics) {
        p->metrics->produce_bytes += bytes;
        p->metrics->records += records;
    }
}

static void written(struct rw_partition_append *a)
{
    struct produce_item *item = RW_CONTAINER(a, struct produce_item, in);
    struct rw_partition *p = item->base.partition;
    const struct rw_append_info *info = &a->append.info;
    bool refused = a->append.code && a->append.code != RW_E_OFFLINE;
    /* What was written well is lost to its producer all the same, if the log failed right behind it. */
    item->base.error = refused ? error_of(a->append.code) : rw_partition_error(p);
    if (item->base.error) {
        item->bad_record = info->bad_record;
        item->why = info->why;
        settle(item->leg);
        return;
    }
    count(p, info, a->append.n);
    item->base_offset = info->first_offset;
    item->append_time = info->log_append_time;
    if (produce_of(item->leg)->acks == 0 || rw_partition_is_acked(p, info->last_offset + 1)) {
        settle(item->leg);
        return;
    }
    item->waiter.offset = info->last_offset + 1;
    item->waiter.wake = acknowledged;
    rw_partition_wait_acked(p, &item->waiter);
}

/* Nobody could end such a transaction: its records would stay undecided, and its producer be remembered,
 * for ever. A batch that is too short for its header is refused by the log. */
static bool is_transactional(const struct rw_append *a)
{
    return a->n >= RW_BATCH_HEADER_SIZE &&
           (rw_load_be16(a->bytes + RW_BATCH_CRC_FROM) & RW_ATTR_TRANSACTIONAL);
}

static void opened(struct rw_waiter *w);

/* True when the item is finished; false: it waits. */
static bool append(struct rw_shard *owner, struct produce *produce, struct produce_item *item)
{
    item->base_offset = item->log_start = item->append_time = -1;
    item->bad_record = -1;
    struct rw_partition *p = rw_partition_find(owner, item->base.topic_id, item->base.index);
    if (p && p->state == RW_PARTITION_OPENING) {
        item->base.partition = p;
        item->waiter.wake = opened;
        rw_partition_wait_open(p, &item->waiter);
        return false;
    }
    if (!rw_fan_resolve(owner, &item->base))
        return true;
    p = item->base.partition;
    item->log_start = p->part.start;
    if (produce->acks == -1 && p->config.min_insync_replicas > 1) {
        item->base.error = RW_KERR_NOT_ENOUGH_REPLICAS;
        return true;
    }
    if (item->in.append.n == 0) {
        item->base.error = RW_KERR_INVALID_RECORD;
        item->why = "a produce request must have a record batch for each partition";
        return true;
    }
    if (is_transactional(&item->in.append)) {
        item->base.error = error_of(RW_E_RECORD);
        item->why = "the batch belongs to a transaction, and none was begun";
        return true;
    }
    if (item->rebuild && item->rebuild->code) {
        item->base.error = error_of(item->rebuild->code);
        return true;
    }
    item->in.done = written;
    rw_partition_append(p, &item->in);
    return false;
}

static void opened(struct rw_waiter *w)
{
    struct produce_item *item = RW_CONTAINER(w, struct produce_item, waiter);
    if (append(item->base.partition->shard, produce_of(item->leg), item))
        settle(item->leg);
}

static void run(struct rw_shard *owner, struct rw_fan_leg *leg)
{
    struct produce *produce = produce_of(leg);
    produce->pending[leg->shard] = 1; /* ours, until every item is in */
    for (struct rw_fan_item *i = leg->first; i; i = i->next) {
        struct produce_item *item = RW_CONTAINER(i, struct produce_item, base);
        rw_list_init(&item->waiter.link);
        rw_list_init(&item->in.link);
        item->leg = leg;
        if (!append(owner, produce, item))
            produce->pending[leg->shard]++;
    }
    settle(leg);
}

static void halt(struct rw_shard *owner, struct rw_fan_leg *leg)
{
    (void)owner;
    for (struct rw_fan_item *i = leg->first; i; i = i->next) {
        struct produce_item *item = RW_CONTAINER(i, struct produce_item, base);
        if (rw_list_empty(&item->waiter.link) && rw_list_empty(&item->in.link))
            continue;
        rw_list_remove(&item->waiter.link);
        rw_list_remove(&item->in.link);
        item->base.error = RW_KERR_REQUEST_TIMED_OUT;
    }
    rw_fan_leg_done(owner, leg);
}

/* ---- on the request's shard ---- */

static void explain(struct rw_request *req, struct produce_item *item)
{
    struct rw_produce_response_partition *out = item->out;
    if (item->why)
        out->error_message = rw_str(item->why);
    if (item->bad_record < 0)
        return;
    out->record_errors = rw_arena_array(&req->arena, 1, sizeof(*out->record_errors));
    if (!out->record_errors)
        return; /* the error code is there all the same */
    rw_produce_response_record_error_init(&out->record_errors[0]);
    out->record_errors[0].batch_index = item->bad_record;
    out->record_errors[0].batch_index_error_message = rw_str(item->why);
    out->n_record_errors = 1;
}

static bool fill(struct rw_request *req, struct produce_item *item)
{
    struct rw_produce_response_partition *out = item->out;
    out->index = item->base.index;
    out->error_code = item->base.error;
    out->base_offset = item->base.error ? -1 : item->base_offset;
    out->log_append_time_ms = item->base.error ? -1 : item->append_time;
    out->log_start_offset = item->log_start;
    rw_metric_error(req->shard->metrics, RW_API_PRODUCE, item->base.error);
    if (item->base.error)
        explain(req, item);
    return item->base.error == 0;
}

static void done(struct rw_fan *fan)
{
    struct produce *produce = RW_CONTAINER(fan, struct produce, fan);
    struct rw_request *req = fan->req;
    bool fine = true;
    for (int s = 0; s < req->shard->broker->n_shards; s++)
        for (struct rw_fan_item *i = fan->legs[s].first; i; i = i->next)
            fine &= fill(req, RW_CONTAINER(i, struct produce_item, base));
    if (produce->acks == 0) {
        req->no_response = true;
        req->close_after |= !fine;
    }
    struct rw_produce_response *out = req->out;
    out->throttle_time_ms = req->throttle_ms = rw_partitions_throttle_ms(req->shard);
    if (produce->rebuilds)
        rw_rebuild_answered(rw_partitions_rebuilders(req->shard), req->shard->memory);
    rw_request_done(req);
}

/* The topic a request means, and the error when there is none. */
static const struct rw_meta_topic *find_topic(const struct rw_request *req,
                                              const struct rw_produce_request_topic *t,
                                              int16_t *ret_error)
{
    bool by_id = req->header.api_version >= 13;
    const struct rw_meta_topic *found = by_id ? rw_meta_topic_by_id(rw_api_meta(req), t->topic_id)
                                              : rw_meta_topic(rw_api_meta(req), t->name);
    *ret_error = by_id ? RW_KERR_UNKNOWN_TOPIC_ID : RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
    return found;
}

static int16_t request_error(const struct rw_produce_request *in)
{
    if (in->acks < -1 || in->acks > 1)
        return RW_KERR_INVALID_REQUIRED_ACKS;
    if (in->transactional_id.n >= 0)
        return RW_KERR_INVALID_TXN_STATE; /* no transaction was ever begun here */
    return RW_KERR_NONE;
}

/* On the request's shard: what can be done before the partition is asked. False: no memory. */
static bool check(struct rw_request *req, struct produce *produce,
                  const struct rw_meta_topic *topic, struct produce_item *item)
{
    struct rw_append *a = &item->in.append;
    struct rw_slice bytes = rw_slice(a->bytes, a->n);
    struct rw_recode recode;
    a->args.check =
        rw_partition_precheck(req->shard, topic, bytes, a->args.allow_zstd, &req->arena, &recode);
    if (!recode.needed)
        return true;
    item->rebuild = rw_arena_alloc(&req->arena, sizeof(*item->rebuild));
    if (!item->rebuild)
        return false;
    *item->rebuild = (struct rw_rebuild){
        .bytes = bytes, .check = a->args.check, .codec = recode.codec, .level = recode.level};
    *produce->rebuilds_end = item->rebuild;
    produce->rebuilds_end = &item->rebuild->next;
    return true;
}

static bool add_topic(struct rw_request *req, struct produce *produce,
                      const struct rw_produce_request_topic *t,
                      struct rw_produce_response_topic *out)
{
    int16_t missing, wrong = request_error(req->in);
    const struct rw_meta_topic *found = find_topic(req, t, &missing);
    rw_produce_response_topic_init(out);
    out->name = t->name;
    out->topic_id = t->topic_id;
    out->partition_responses = rw_arena_array(&req->arena, (size_t)t->n_partition_data + 1,
                                              sizeof(*out->partition_responses));
    if (!out->partition_responses)
        return false;
    for (int32_t i = 0; i < t->n_partition_data; i++) {
        struct rw_produce_response_partition *r =
            &out->partition_responses[out->n_partition_responses++];
        const struct rw_produce_request_partition *p = &t->partition_data[i];
        rw_produce_response_partition_init(r);
        r->index = p->index;
        if (wrong || !found) {
            r->error_code = wrong ? wrong : missing;
            r->base_offset = -1;
            rw_metric_error(req->shard->metrics, RW_API_PRODUCE, r->error_code);
            continue;
        }
        struct produce_item *item = rw_arena_zalloc(&req->arena, sizeof(*item));
        if (!item)
            return false;
        item->base =
            (struct rw_fan_item){.topic_id = found->id, .index = p->index, .leader_epoch = -1};
        item->in.append.bytes = (uint8_t *)(uintptr_t)p->records.p;
        item->in.append.n = p->records.n;
        item->out = r;
        item->in.append.args.allow_zstd = produce->allow_zstd;
        if (p->records.n && !check(req, produce, found, item))
            return false;
        rw_fan_add(&produce->fan, &item->base);
    }
    return true;
}

static bool any_error(const struct rw_produce_response *out)
{
    for (int32_t i = 0; i < out->n_responses; i++)
        for (int32_t k = 0; k < out->responses[i].n_partition_responses; k++)
            if (out->responses[i].partition_responses[k].error_code)
                return true;
    return false;
}

/* The way to the partition's shard and a sync take their time: a request that gives them none would be
 * told that it failed when it did not. */
static void start(struct produce *produce)
{
    const struct rw_produce_request *in = produce->fan.req->in;
    int64_t timeout_ms = in->timeout_ms > TIMEOUT_MIN_MS ? in->timeout_ms : TIMEOUT_MIN_MS;
    rw_fan_start(&produce->fan, timeout_ms * 1000);
}

static void rebuild_work(struct rw_job *job)
{
    struct produce *produce = RW_CONTAINER(job, struct produce, job);
    rw_rebuild_all(produce->tool, produce->rebuilds, &produce->fan.req->arena);
}

static void rebuild_done(struct rw_job *job)
{
    struct produce *produce = RW_CONTAINER(job, struct produce, job);
    struct rw_request *req = produce->fan.req;
    struct rw_rebuilders *r = rw_partitions_rebuilders(req->shard);
    rw_rebuilder_give(r, produce->tool);
    rw_request_parks(req);
    rw_rebuild_worked(r, req->shard->memory);
    for (int s = 0; s < req->shard->broker->n_shards; s++)
        for (struct rw_fan_item *i = produce->fan.legs[s].first; i; i = i->next) {
            struct produce_item *item = RW_CONTAINER(i, struct produce_item, base);
            if (!item->rebuild || item->rebuild->code)
                continue;
            struct rw_append *a = &item->in.append;
            a->bytes = (uint8_t *)(uintptr_t)item->rebuild->bytes.p;
            a->n = item->rebuild->bytes.n;
            a->args.check = item->rebuild->check;
            a->args.allow_zstd = true; /* the topic's codec, not the client's */
        }
    if (req->conn->sock) /* else it is dead, and its requests only come to their end */
        rw_conn_mute(req->conn, RW_MUTE_ORDER, false);
    start(produce);
}

static void rebuild_begin(struct rw_rebuild_turn *t)
{
    struct produce *produce = RW_CONTAINER(t, struct produce, turn);
    struct rw_shard *s = produce->fan.req->shard;
    produce->tool = rw_rebuilder_take(rw_partitions_rebuilders(s));
    produce->job = (struct rw_job){.work = rebuild_work, .done = rebuild_done};
    rw_shard_submit(s, RW_JOB_COMPUTE, &produce->job);
}

void rw_handle_produce(struct rw_request *req)
{
    const struct rw_produce_request *in = req->in;
    struct rw_produce_response *out = req->out;
    struct produce *produce = rw_arena_zalloc(&req->arena, sizeof(*produce));
    out->responses =
        rw_arena_array(&req->arena, (size_t)in->n_topic_data + 1, sizeof(*out->responses));
    int n_shards = req->shard->broker->n_shards;
    bool fine = produce && out->responses && rw_fan_init(&produce->fan, req) == RW_OK;
    if (fine) {
        produce->pending = rw_arena_array(&req->arena, (size_t)n_shards, sizeof(int));
        produce->allow_zstd = req->header.api_version >= 7;
        produce->rebuilds_end = &produce->rebuilds;
        fine = produce->pending != NULL;
    }
    for (int32_t i = 0; fine && i < in->n_topic_data; i++)
        fine = add_topic(req, produce, &in->topic_data[i], &out->responses[out->n_responses++]);
    if (!fine) {
        rw_api_no_memory(req);
        return;
    }
    produce->acks = in->acks;
    produce->fan.run = run;
    produce->fan.halt = halt;
    produce->fan.done = done;
    if (in->acks == 0 && any_error(out))
        req->close_after = true;
    if (!produce->rebuilds) {
        start(produce);
        return;
    }
    /* What this connection sends next must not be appended before. */
    rw_conn_mute(req->conn, RW_MUTE_ORDER, true);
    produce->turn.begin = rebuild_begin;
    rw_rebuild_queue(rw_partitions_rebuilders(req->shard), req->shard->memory, &produce->turn);
}
