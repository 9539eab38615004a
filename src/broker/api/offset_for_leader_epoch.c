/*
 * OffsetForLeaderEpoch (KIP-101, KIP-279, KIP-320): the largest epoch not above the one asked for, and
 * where it ended. The answer names the epoch that was found, so that the asker can go on from there.
 */
#include "broker/api/api.h"
#include "broker/fan.h"

struct epoch_item {
    struct rw_fan_item base;
    struct rw_offset_for_leader_epoch_response_partition *out;
    int32_t asked, found;
    int64_t end;
};

static void work(struct rw_fan *fan, struct rw_fan_item *i)
{
    (void)fan;
    struct epoch_item *item = RW_CONTAINER(i, struct epoch_item, base);
    rw_partition_epoch_end(i->partition, item->asked, &item->found, &item->end);
}

static void answer(struct rw_fan *fan, struct rw_fan_item *i)
{
    (void)fan;
    const struct epoch_item *item = RW_CONTAINER(i, struct epoch_item, base);
    item->out->error_code = i->error;
    item->out->leader_epoch = item->found;
    item->out->end_offset = item->end;
}

static bool add_topic(struct rw_request *req, struct rw_fan *fan,
                      const struct rw_offset_for_leader_epoch_request_topic *in,
                      struct rw_offset_for_leader_epoch_response_topic *out)
{
    const struct rw_meta_topic *topic = rw_meta_topic(rw_api_meta(req), in->topic);
    rw_offset_for_leader_epoch_response_topic_init(out);
    out->topic = in->topic;
    out->partitions =
        rw_arena_array(&req->arena, (size_t)in->n_partitions + 1, sizeof(*out->partitions));
    if (!out->partitions)
        return false;
    for (int32_t i = 0; i < in->n_partitions; i++) {
        struct rw_offset_for_leader_epoch_response_partition *p =
            &out->partitions[out->n_partitions++];
        rw_offset_for_leader_epoch_response_partition_init(p);
        p->partition = in->partitions[i].partition;
        p->error_code = RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
        if (!topic)
            continue;
        struct epoch_item *item = rw_fan_new_item(fan, sizeof(*item), topic->id, p->partition,
                                                  in->partitions[i].current_leader_epoch);
        if (!item)
            return false;
        item->asked = in->partitions[i].leader_epoch;
        item->found = -1;
        item->end = -1;
        item->out = p;
    }
    return true;
}

void rw_handle_offset_for_leader_epoch(struct rw_request *req)
{
    const struct rw_offset_for_leader_epoch_request *in = req->in;
    struct rw_offset_for_leader_epoch_response *out = req->out;
    struct rw_fan *fan = rw_arena_zalloc(&req->arena, sizeof(*fan));
    out->topics = rw_arena_array(&req->arena, (size_t)in->n_topics + 1, sizeof(*out->topics));
    bool fine = fan && out->topics && rw_fan_init(fan, req) == RW_OK;
    for (int32_t i = 0; fine && i < in->n_topics; i++)
        fine = add_topic(req, fan, &in->topics[i], &out->topics[out->n_topics++]);
    if (!fine) {
        rw_api_no_memory(req);
        return;
    }
    rw_fan_each(fan, work, NULL, answer);
}
