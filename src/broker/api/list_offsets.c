/*
 * ListOffsets: the offset for a timestamp, or for one of the special ones (P16): -1 latest (the last
 * stable offset for read_committed, else the high watermark), -2 and -4 earliest, -3 the record with
 * the largest timestamp, -5 latest tiered and -6 earliest to be tiered (nothing is tiered: -1).
 */
#include "broker/api/api.h"
#include "broker/fan.h"
#include "broker/metrics.h"

enum {
    LATEST = -1,
    EARLIEST = -2,
    MAX_TIME = -3,
    EARLIEST_LOCAL = -4,
    LATEST_TIERED = -5,
    EARLIEST_PENDING = -6
};

struct offset_item {
    struct rw_fan_item base;
    struct rw_list_offsets_response_partition *out;
    int64_t timestamp;
    int64_t readable;
    struct rw_log_position found;
};

struct offsets {
    struct rw_fan fan;
    bool committed;
};

/* The epoch of the leader that wrote the record at `offset`; -1 when there is none. */
static int32_t epoch_at(const struct rw_partition *p, int64_t offset)
{
    int32_t epoch = rw_log_latest_epoch(p->log);
    while (epoch > 0) {
        int32_t before;
        int64_t end;
        rw_log_epoch_end(p->log, epoch - 1, &before, &end);
        if (before < 0 || offset >= end)
            break;
        epoch = before;
    }
    return epoch;
}

/* What the positions alone tell; the rest is left to look(). */
static int find(struct offset_item *item, const struct rw_partition *p)
{
    item->found = (struct rw_log_position){-1, -1, -1};
    switch (item->timestamp) {
    case LATEST:
        item->found.offset = item->readable;
        item->found.leader_epoch = p->part.leader_epoch;
        return RW_OK;
    case EARLIEST:
    case EARLIEST_LOCAL:
        item->found.offset = p->part.start;
        item->found.leader_epoch = epoch_at(p, p->part.start);
        return RW_OK;
    case LATEST_TIERED:
    case EARLIEST_PENDING:
        return RW_OK;
    default:
        item->base.reads = item->timestamp >= 0 || item->timestamp == MAX_TIME;
        return item->base.reads ? RW_OK : RW_E_INVAL;
    }
}

static void work(struct rw_fan *fan, struct rw_fan_item *i)
{
    struct offset_item *item = RW_CONTAINER(i, struct offset_item, base);
    item->readable =
        rw_part_readable(&i->partition->part, RW_CONTAINER(fan, struct offsets, fan)->committed);
    if (find(item, i->partition))
        i->error = RW_KERR_INVALID_REQUEST;
}

/* By time: in a job, since it reads batches from anywhere in the log. */
static void look(struct rw_fan *fan, struct rw_fan_item *i)
{
    (void)fan;
    struct offset_item *item = RW_CONTAINER(i, struct offset_item, base);
    struct rw_log *log = i->partition->log;
    int rc = item->timestamp == MAX_TIME
                 ? rw_log_max_time(log, &item->found)
                 : rw_log_find_time(log, item->timestamp, item->readable, &item->found);
    if (rc)
        i->error = rw_kerr_from_code(rc);
}

static void answer(struct rw_fan *fan, struct rw_fan_item *i)
{
    const struct offset_item *item = RW_CONTAINER(i, struct offset_item, base);
    rw_metric_error(fan->req->shard->metrics, RW_API_LIST_OFFSETS, i->error);
    item->out->error_code = i->error;
    if (i->error)
        return;
    item->out->offset = item->found.offset;
    item->out->timestamp = item->found.timestamp;
    item->out->leader_epoch = item->found.leader_epoch;
}

/* Special timestamps came one version at a time. */
static bool is_known_in(int64_t timestamp, int16_t version)
{
    return !((timestamp == MAX_TIME && version < 7) ||
             (timestamp == EARLIEST_LOCAL && version < 8) ||
             (timestamp == LATEST_TIERED && version < 9) ||
             (timestamp == EARLIEST_PENDING && version < 11));
}

static bool add_topic(struct rw_request *req, struct offsets *o,
                      const struct rw_list_offsets_request_topic *in,
                      struct rw_list_offsets_response_topic *out)
{
    const struct rw_meta_topic *topic = rw_meta_topic(rw_api_meta(req), in->name);
    rw_list_offsets_response_topic_init(out);
    out->name = in->name;
    out->partitions =
        rw_arena_array(&req->arena, (size_t)in->n_partitions + 1, sizeof(*out->partitions));
    if (!out->partitions)
        return false;
    for (int32_t i = 0; i < in->n_partitions; i++) {
        struct rw_list_offsets_response_partition *p = &out->partitions[out->n_partitions++];
        const struct rw_list_offsets_request_partition *asked = &in->partitions[i];
        rw_list_offsets_response_partition_init(p);
        p->partition_index = asked->partition_index;
        if (!topic || !is_known_in(asked->timestamp, req->header.api_version)) {
            p->error_code = topic ? (int16_t)RW_KERR_UNSUPPORTED_VERSION
                                  : (int16_t)RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
            rw_metric_error(req->shard->metrics, RW_API_LIST_OFFSETS, p->error_code);
            continue;
        }
        struct offset_item *item = rw_fan_new_item(
            &o->fan, sizeof(*item), topic->id, asked->partition_index, asked->current_leader_epoch);
        if (!item)
            return false;
        item->timestamp = asked->timestamp;
        item->out = p;
    }
    return true;
}

void rw_handle_list_offsets(struct rw_request *req)
{
    const struct rw_list_offsets_request *in = req->in;
    struct rw_list_offsets_response *out = req->out;
    struct offsets *o = rw_arena_zalloc(&req->arena, sizeof(*o));
    out->topics = rw_arena_array(&req->arena, (size_t)in->n_topics + 1, sizeof(*out->topics));
    bool fine = o && out->topics && rw_fan_init(&o->fan, req) == RW_OK;
    for (int32_t i = 0; fine && i < in->n_topics; i++)
        fine = add_topic(req, o, &in->topics[i], &out->topics[out->n_topics++]);
    if (!fine) {
        rw_api_no_memory(req);
        return;
    }
    o->committed = in->isolation_level == 1;
    rw_fan_each(&o->fan, work, look, answer);
}
