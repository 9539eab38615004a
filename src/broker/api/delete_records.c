/*
 * DeleteRecords (KIP-107): moves the log start offset; -1 stands for the high watermark. Nothing above
 * the high watermark can be deleted, and topics that are only compacted refuse (P36). The answer waits until
 * the new log starts are on disk.
 */
#include "broker/api/api.h"
#include "broker/fan.h"

struct delete_item {
    struct rw_fan_item base;
    struct rw_delete_records_response_partition *out;
    int64_t offset, low_watermark;
};

struct deletion {
    struct rw_fan fan;
    struct rw_checkpoint_wait wait;
};

static int16_t trim(struct rw_partition *p, int64_t offset)
{
    if (!p->config.log.cleanup_delete)
        return RW_KERR_POLICY_VIOLATION;
    if (offset == -1)
        offset = p->part.high_watermark;
    if (offset < 0 || offset > p->part.high_watermark)
        return RW_KERR_OFFSET_OUT_OF_RANGE;
    if (offset <= p->part.start)
        return RW_KERR_NONE;
    int rc = rw_partition_trim(p, offset);
    return rc ? rw_kerr_from_code(rc) : (int16_t)RW_KERR_NONE;
}

static void work(struct rw_fan *fan, struct rw_fan_item *i)
{
    (void)fan;
    struct delete_item *item = RW_CONTAINER(i, struct delete_item, base);
    i->error = trim(i->partition, item->offset);
    if (i->error == 0)
        item->low_watermark = i->partition->part.start;
}

static void answer(struct rw_fan *fan, struct rw_fan_item *i)
{
    (void)fan;
    const struct delete_item *item = RW_CONTAINER(i, struct delete_item, base);
    item->out->error_code = i->error;
    item->out->low_watermark = item->low_watermark;
}

static void written(struct rw_checkpoint_wait *w)
{
    struct deletion *d = RW_CONTAINER(w, struct deletion, wait);
    struct rw_delete_records_response *out = d->fan.req->out;
    for (int32_t i = 0; w->code && i < out->n_topics; i++)
        for (int32_t k = 0; k < out->topics[i].n_partitions; k++) {
            struct rw_delete_records_response_partition *p = &out->topics[i].partitions[k];
            if (p->error_code)
                continue;
            p->error_code = RW_KERR_KAFKA_STORAGE_ERROR; /* deleted, but perhaps not for ever */
            p->low_watermark = -1;
        }
    rw_request_done(d->fan.req);
}

static void finish(struct rw_fan *fan)
{
    struct deletion *d = RW_CONTAINER(fan, struct deletion, fan);
    d->wait.done = written;
    rw_checkpoint_starts(fan->req->shard, &d->wait);
}

static bool add_topic(struct rw_request *req, struct rw_fan *fan,
                      const struct rw_delete_records_request_topic *in,
                      struct rw_delete_records_response_topic *out)
{
    const struct rw_meta_topic *topic = rw_meta_topic(rw_api_meta(req), in->name);
    rw_delete_records_response_topic_init(out);
    out->name = in->name;
    out->partitions =
        rw_arena_array(&req->arena, (size_t)in->n_partitions + 1, sizeof(*out->partitions));
    if (!out->partitions)
        return false;
    for (int32_t i = 0; i < in->n_partitions; i++) {
        struct rw_delete_records_response_partition *p = &out->partitions[out->n_partitions++];
        rw_delete_records_response_partition_init(p);
        p->partition_index = in->partitions[i].partition_index;
        p->error_code = RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
        p->low_watermark = -1;
        if (!topic)
            continue;
        struct delete_item *item =
            rw_fan_new_item(fan, sizeof(*item), topic->id, p->partition_index, -1);
        if (!item)
            return false;
        item->offset = in->partitions[i].offset;
        item->low_watermark = -1;
        item->out = p;
    }
    return true;
}

void rw_handle_delete_records(struct rw_request *req)
{
    const struct rw_delete_records_request *in = req->in;
    struct rw_delete_records_response *out = req->out;
    struct deletion *d = rw_arena_zalloc(&req->arena, sizeof(*d));
    out->topics = rw_arena_array(&req->arena, (size_t)in->n_topics + 1, sizeof(*out->topics));
    bool fine = d && out->topics && rw_fan_init(&d->fan, req) == RW_OK;
    for (int32_t i = 0; fine && i < in->n_topics; i++)
        fine = add_topic(req, &d->fan, &in->topics[i], &out->topics[out->n_topics++]);
    if (!fine) {
        rw_api_no_memory(req);
        return;
    }
    d->fan.finish = finish;
    rw_fan_each(&d->fan, work, NULL, answer);
}
