/*
 * Fetch: ranges of log files, whole batches, sent by sendfile. Long poll: when less than min_bytes is
 * there, the request waits on its partitions until they have min_bytes, or one of them an error, or
 * max_wait_ms is over. While it waits, each partition that has more is looked at alone, and what is found is
 * added up; all are read again when it is enough.
 *
 * Sessions (KIP-227) are not kept: the answer's session id is 0, which is legal and makes clients send
 * full requests; a request that refers to a session is told that there is none.
 *
 * A partition gives the batch that contains the offset, whole; the first partition with data gives at
 * least one batch whatever the limits (KIP-74).
 */
#include <stdatomic.h>
#include <string.h>
#include "base/same.h"
#include "broker/api/api.h"
#include "broker/fan.h"
#include "broker/metrics.h"

struct fetch_item {
    struct rw_fan_item base;
    struct fetch_item *next; /* in the order of the request */
    struct rw_fan_leg *leg;
    struct rw_waiter waiter;
    struct rw_fetch_response_partition *out;
    int64_t offset;
    int32_t max_bytes, last_epoch;
    /* Found by the owner: */
    struct rw_log_range range; /* file NULL: nothing */
    int64_t high_watermark, last_stable, log_start;
    int64_t readable; /* -1: not looked at yet */
    int code;         /* of reading */
    bool more;        /* there is more to read than the limits let through */
    size_t found;     /* bytes, when it was looked at last: while the request waits */
    size_t warm;      /* so many bytes from there on are in the page cache */
    bool diverges;
    int32_t diverging_epoch;
    int64_t diverging_end;
};

struct fetch {
    struct rw_fan fan;
    bool committed;                  /* read_committed */
    bool wait;                       /* this round waits for news */
    struct fetch_item *first, **end; /* in the order of the request, which the limits go by */
    int32_t max_bytes, min_bytes;
    int64_t deadline_us;
    /* In all partitions. Owners add to it; the one who makes it enough ends the wait. */
    _Atomic int64_t found;
    int16_t version;
    int32_t *same;   /* by topic of the request: rw_find_same(); NULL: there is one only */
    uint64_t **seen; /* by topic of the request, the first of its name */
};

static struct fetch *fetch_of(struct rw_fan_leg *leg)
{
    return RW_CONTAINER(leg->fan, struct fetch, fan);
}

/* ---- on the owner's shard ---- */

static void note_positions(struct fetch_item *item, const struct rw_partition *p, bool committed)
{
    item->high_watermark = p->part.high_watermark;
    item->last_stable = rw_part_last_stable(&p->part);
    item->log_start = p->part.start;
    item->readable = rw_part_readable(&p->part, committed);
}

/* KIP-595 style: the client's last epoch ended elsewhere in our log. True: there is nothing to read. */
static bool check_divergence(struct fetch_item *item, const struct rw_partition *p)
{
    if (item->last_epoch < 0)
        return false;
    rw_partition_epoch_end(p, item->last_epoch, &item->diverging_epoch, &item->diverging_end);
    if (item->diverging_epoch < 0) { /* never heard of it: nothing to compare with */
        item->base.error = RW_KERR_OFFSET_OUT_OF_RANGE;
        return true;
    }
    item->diverges = item->diverging_end < item->offset || item->diverging_epoch < item->last_epoch;
    return item->diverges;
}

/* A limit that is smaller than the batch gives the beginning of it: of no use to anybody. */
static int drop_partial(struct rw_log_range *range, size_t max)
{
    uint8_t head[RW_BATCH_PREFIX_SIZE];
    size_t got = 0;
    if (range->n < max || !range->file)
        return RW_OK; /* whole batches end below the limit */
    int rc = rw_file_read_at(range->file, range->at, head, sizeof(head), &got);
    bool whole = rc == RW_OK && got == sizeof(head) && range->n >= sizeof(head) &&
                 (size_t)rw_load_be32(head + 8) + sizeof(head) <= range->n;
    if (whole)
        return RW_OK;
    rw_log_range_release(range);
    *range = (struct rw_log_range){0};
    return rc;
}

/* What can be said without the log's files. True: there is something to read. */
static bool prepare(struct rw_shard *owner, struct fetch *fetch, struct fetch_item *item)
{
    item->high_watermark = item->last_stable = item->log_start = -1;
    item->diverges = item->more = false;
    item->warm = 0;
    item->code = RW_OK;
    if (!rw_fan_resolve(owner, &item->base))
        return false;
    struct rw_partition *p = item->base.partition;
    note_positions(item, p, fetch->committed);
    if (p->config.compression == RW_COMPRESSION_ZSTD && fetch->version < 10) {
        item->base.error = RW_KERR_UNSUPPORTED_COMPRESSION_TYPE;
        return false;
    }
    /* First of all: an offset beyond the end may be one that was cut off, which the epoch tells. */
    if (check_divergence(item, p))
        return false;
    if (item->offset < p->part.start || item->offset > p->part.end) {
        item->base.error = RW_KERR_OFFSET_OUT_OF_RANGE;
        return false;
    }
    return item->offset < item->readable;
}

static size_t most_of(const struct fetch_item *item, size_t budget)
{
    size_t max = item->max_bytes > 0 ? (size_t)item->max_bytes : 0;
    return max < budget ? max : budget;
}

/* On the owner's shard, or in a job when that may wait for the disk. */
static void read_items(struct rw_fan_leg *leg)
{
    size_t budget = (size_t)fetch_of(leg)->max_bytes;
    bool first = true;
    for (struct rw_fan_item *i = leg->first; i; i = i->next) {
        struct fetch_item *item = RW_CONTAINER(i, struct fetch_item, base);
        size_t max = most_of(item, budget);
        if (!i->reads)
            continue;
        item->more = max == 0 && !first;
        if (item->more)
            continue;
        item->code =
            rw_log_read(i->partition->log, item->offset, item->readable, max, first, &item->range);
        item->more = item->code == RW_OK && item->range.more;
        if (item->code == RW_OK && !first)
            item->code = drop_partial(&item->range, max);
        if (item->code)
            item->range = (struct rw_log_range){0};
        budget -= item->range.n < budget ? item->range.n : budget;
        first &= item->range.n == 0;
    }
}

static void failed(struct rw_shard *owner, struct fetch_item *item)
{
    int rc = item->code;
    item->base.error = rc == RW_E_CORRUPT ? (int16_t)RW_KERR_CORRUPT_MESSAGE
                       : rc == RW_E_RANGE ? (int16_t)RW_KERR_OFFSET_OUT_OF_RANGE
                                          : (int16_t)RW_KERR_KAFKA_STORAGE_ERROR;
    if (rc == RW_E_RANGE)
        return; /* trimmed meanwhile */
    rw_diag(owner->env->diag, RW_ERROR, "fetch", "cannot read",
            rw_kv_int("partition", item->base.index), rw_kv_int("offset", item->offset),
            rw_kv_code("error", rc));
}

static void read_end(struct rw_shard *owner, struct rw_fan_leg *leg)
{
    for (struct rw_fan_item *i = leg->first; i; i = i->next) {
        struct fetch_item *item = RW_CONTAINER(i, struct fetch_item, base);
        i->reads = false;
        if (item->code)
            failed(owner, item);
        else if (item->range.n && i->partition && i->partition->metrics)
            i->partition->metrics->fetch_bytes += item->range.n;
    }
    rw_fan_leg_done(owner, leg);
}

static void read_leg(struct rw_shard *owner, struct rw_fan_leg *leg)
{
    struct fetch *fetch = fetch_of(leg);
    size_t budget = (size_t)fetch->max_bytes;
    bool warm = true;
    if (leg->state) { /* it waited */
        leg->state = NULL;
        rw_metric_add(owner->metrics, RW_METRIC_WAITS, -1);
    }
    for (struct rw_fan_item *i = leg->first; i; i = i->next) {
        struct fetch_item *item = RW_CONTAINER(i, struct fetch_item, base);
        if (!rw_list_empty(&item->waiter.link))
            rw_list_remove(&item->waiter.link);
        i->reads = prepare(owner, fetch, item);
        if (i->reads)
            rw_metric_add(owner->metrics, RW_METRIC_FETCH_READS, 1);
        if (!i->reads || !warm)
            continue;
        size_t max = most_of(item, budget);
        warm = rw_log_is_warm(i->partition->log, item->offset, max);
        item->warm = warm ? max : 0;
        /* As if it took all that it may: what others give is seldom looked at twice. */
        budget -= max;
    }
    if (!warm) {
        rw_fan_leg_read(owner, leg, read_items, read_end);
        return;
    }
    read_items(leg);
    read_end(owner, leg);
}

/* One of the partitions has more: with it there is not enough yet, and nothing else to tell. */
static bool waits_on(struct rw_shard *owner, struct fetch *fetch, struct fetch_item *item)
{
    struct rw_log_range range;
    if (fetch->min_bytes <= 1)
        return false; /* all is enough: it is read only once */
    if (!prepare(owner, fetch, item))
        return item->base.error == 0 && !item->diverges;
    struct rw_log *log = item->base.partition->log;
    size_t max = most_of(item, (size_t)fetch->max_bytes);
    if (!rw_log_is_warm(log, item->offset, max) ||
        rw_log_read(log, item->offset, item->readable, max, true, &range))
        return false; /* a job's work, or a failure that reading all of them will report */
    rw_metric_add(owner->metrics, RW_METRIC_FETCH_READS, 1);
    int64_t grown = (int64_t)range.n - (int64_t)item->found;
    bool more = range.more;
    item->found = range.n;
    rw_log_range_release(&range);
    return atomic_fetch_add(&fetch->found, grown) + grown < fetch->min_bytes && !more;
}

static void woken(struct rw_waiter *w)
{
    struct fetch_item *item = RW_CONTAINER(w, struct fetch_item, waiter);
    struct rw_fan_leg *leg = item->leg;
    struct rw_shard *owner = leg->fan->req->shard->broker->shards[leg->shard];
    if (waits_on(owner, fetch_of(leg), item))
        rw_partition_wait_readable(item->base.partition, w);
    else
        read_leg(owner, leg);
}

/* True when the partition has something that the last round did not have. */
static bool has_news(struct rw_shard *owner, const struct fetch *fetch, struct fetch_item *item)
{
    if (!rw_fan_resolve(owner, &item->base))
        return true;
    const struct rw_partition *p = item->base.partition;
    return rw_part_readable(&p->part, fetch->committed) != item->readable ||
           p->part.start != item->log_start;
}

static void run(struct rw_shard *owner, struct rw_fan_leg *leg)
{
    struct fetch *fetch = fetch_of(leg);
    bool news = !fetch->wait;
    for (struct rw_fan_item *i = leg->first; i; i = i->next) {
        struct fetch_item *item = RW_CONTAINER(i, struct fetch_item, base);
        rw_list_init(&item->waiter.link);
        item->leg = leg;
        item->waiter.wake = woken;
        news |= fetch->wait && has_news(owner, fetch, item);
    }
    if (news) {
        read_leg(owner, leg);
        return;
    }
    rw_metric_add(owner->metrics, RW_METRIC_WAITS, 1);
    leg->state = fetch;
    for (struct rw_fan_item *i = leg->first; i; i = i->next) {
        struct fetch_item *item = RW_CONTAINER(i, struct fetch_item, base);
        rw_partition_wait_readable(item->base.partition, &item->waiter);
    }
}

static void halt(struct rw_shard *owner, struct rw_fan_leg *leg)
{
    read_leg(owner, leg);
}

/* ---- on the request's shard ---- */

static void for_each(struct rw_fan *fan, void (*each)(struct fetch *f, struct fetch_item *item))
{
    struct fetch *f = RW_CONTAINER(fan, struct fetch, fan);
    for (int s = 0; s < fan->req->shard->broker->n_shards; s++)
        for (struct rw_fan_item *i = fan->legs[s].first; i; i = i->next)
            each(f, RW_CONTAINER(i, struct fetch_item, base));
}

static void drop_range(struct fetch *f, struct fetch_item *item)
{
    (void)f;
    if (item->range.file)
        rw_log_range_release(&item->range);
    item->range = (struct rw_log_range){0};
}

struct tally {
    int64_t bytes;
    bool answer_now; /* an error, a divergence, or no room for more than there is */
};

static struct tally tally(struct rw_fan *fan)
{
    struct tally t = {0, false};
    for (int s = 0; s < fan->req->shard->broker->n_shards; s++)
        for (struct rw_fan_item *i = fan->legs[s].first; i; i = i->next) {
            const struct fetch_item *item = RW_CONTAINER(i, struct fetch_item, base);
            t.bytes += (int64_t)item->range.n;
            /* min_bytes is not reached when whole batches only nearly fill the limits, and at the end of
             * a segment: waiting would not bring more. */
            t.answer_now |= item->base.error != 0 || item->diverges || item->more;
        }
    return t;
}

static void fill(struct fetch *f, struct fetch_item *item)
{
    struct rw_request *req = f->fan.req;
    struct rw_fetch_response_partition *out = item->out;
    out->partition_index = item->base.index;
    out->error_code = item->base.error;
    out->high_watermark = item->high_watermark;
    out->last_stable_offset = item->last_stable;
    out->log_start_offset = item->log_start;
    rw_metric_error(req->shard->metrics, RW_API_FETCH, item->base.error);
    if (item->diverges) {
        out->diverging_epoch.epoch = item->diverging_epoch;
        out->diverging_epoch.end_offset = item->diverging_end;
    }
    if (f->committed)
        out->n_aborted_transactions = 0; /* there are no transactions: none is aborted */
    if (!item->range.file || item->range.n == 0) {
        drop_range(f, item);
        return;
    }
    size_t n = item->range.n;
    void *ext = rw_request_add_range(req, &item->range, n <= item->warm);
    item->range = (struct rw_log_range){0};
    if (ext)
        out->records = (struct rw_wire_records){.n = n, .ext = ext};
    else
        out->error_code = RW_KERR_KAFKA_STORAGE_ERROR; /* retriable */
}

/* Several shards together may have read more than max_bytes: who was asked for first goes first, or
 * one shard's partitions would starve the others'. */
static void trim(struct fetch *f)
{
    int64_t left = f->max_bytes;
    bool any = false;
    for (struct fetch_item *item = f->first; item; item = item->next) {
        if (item->range.n == 0)
            continue;
        if (any && (int64_t)item->range.n > left)
            drop_range(f, item);
        else
            left -= (int64_t)item->range.n;
        any = true;
    }
}

static void note_found(struct fetch *f, struct fetch_item *item)
{
    item->found = item->range.n;
    drop_range(f, item);
}

/* While it waits, often for long, only the names of the topics are needed of the frame: a consumer that
 * has nothing to read holds no chunk. Without memory for them the frame stays. */
static void drop_frame(struct rw_request *req)
{
    struct rw_fetch_response *out = req->out;
    if (!req->in)
        return; /* it has waited before */
    for (int32_t i = 0; i < out->n_responses; i++) {
        struct rw_str *name = &out->responses[i].topic;
        char *copy = name->n > 0 ? rw_arena_alloc(&req->arena, (size_t)name->n) : NULL;
        if (name->n <= 0)
            continue;
        if (!copy)
            return;
        memcpy(copy, name->p, (size_t)name->n);
        name->p = copy;
    }
    rw_request_drop_frame(req);
}

static void done(struct rw_fan *fan)
{
    struct fetch *f = RW_CONTAINER(fan, struct fetch, fan);
    struct rw_shard *s = fan->req->shard;
    struct tally t = tally(fan);
    int64_t left_us = f->deadline_us - rw_shard_now_us(s);
    if (t.bytes < f->min_bytes && !t.answer_now && !fan->given_up && left_us > 0) {
        for_each(fan, note_found);
        atomic_store(&f->found, t.bytes);
        f->wait = fan->first_ends = true;
        drop_frame(fan->req);
        rw_fan_again(fan, left_us);
        return;
    }
    trim(f);
    for_each(fan, fill);
    rw_request_done(fan->req);
}

static bool add_partition(struct rw_request *req, struct fetch *f,
                          const struct rw_fetch_request_partition *in,
                          const struct rw_meta_topic *topic, int16_t missing,
                          struct rw_fetch_response_partition *out)
{
    rw_fetch_response_partition_init(out);
    out->partition_index = in->partition;
    out->records = (struct rw_wire_records){.p = (const uint8_t *)"", .n = 0}; /* not null (P34) */
    out->n_aborted_transactions = -1;
    if (!topic) {
        out->error_code = missing;
        out->high_watermark = -1;
        rw_metric_error(req->shard->metrics, RW_API_FETCH, missing);
        return true;
    }
    struct fetch_item *item = rw_arena_zalloc(&req->arena, sizeof(*item));
    if (!item)
        return false;
    item->base = (struct rw_fan_item){
        .topic_id = topic->id, .index = in->partition, .leader_epoch = in->current_leader_epoch};
    item->offset = in->fetch_offset;
    item->max_bytes = in->partition_max_bytes;
    item->last_epoch = in->last_fetched_epoch;
    item->readable = -1;
    item->out = out;
    rw_fan_add(&f->fan, &item->base);
    *f->end = item;
    f->end = &item->next;
    return true;
}

/* A partition is read once, however often it is named: each time would be read anew with every batch
 * that comes. As in Kafka there is one row for it. `seen` has a bit for each partition of the topic. */
static bool is_first(uint64_t *seen, const struct rw_meta_topic *topic, int32_t partition)
{
    if (!topic || partition < 0 || partition >= topic->n_partitions)
        return true; /* an error for each */
    uint64_t bit = UINT64_C(1) << (partition % 64);
    bool first = !(seen[partition / 64] & bit);
    seen[partition / 64] |= bit;
    return first;
}

/* What was seen of this topic: a topic may be named twice too, and shares it then. */
static uint64_t *seen_of(struct rw_request *req, const struct fetch *f, int32_t i,
                         const struct rw_meta_topic *topic)
{
    int32_t first = f->same && f->same[i] >= 0 && f->same[i] < i ? f->same[i] : i;
    if (!f->seen[first])
        f->seen[first] = rw_arena_zalloc(
            &req->arena, topic ? ((size_t)topic->n_partitions / 64 + 1) * sizeof(uint64_t) : 8);
    return f->seen[first];
}

static bool find_same_topics(struct rw_request *req, struct fetch *f)
{
    const struct rw_fetch_request *in = req->in;
    bool by_id = req->header.api_version >= 13;
    struct rw_str *keys = NULL;
    f->seen = rw_arena_array(&req->arena, (size_t)in->n_topics + 1, sizeof(*f->seen));
    if (f->seen && in->n_topics < 2)
        return true;
    keys = rw_arena_array(&req->arena, (size_t)in->n_topics + 1, sizeof(*keys));
    for (int32_t i = 0; keys && i < in->n_topics; i++)
        keys[i] = by_id ? (struct rw_str){(const char *)in->topics[i].topic_id.b,
                                          sizeof(in->topics[i].topic_id.b)}
                        : in->topics[i].topic;
    return f->seen && keys && rw_find_same(keys, in->n_topics, &req->arena, &f->same) == RW_OK;
}

static bool add_topic(struct rw_request *req, struct fetch *f, int32_t at,
                      struct rw_fetch_response_topic *out)
{
    const struct rw_fetch_request *request = req->in;
    const struct rw_fetch_request_topic *in = &request->topics[at];
    bool by_id = req->header.api_version >= 13;
    const struct rw_meta_topic *topic = by_id ? rw_meta_topic_by_id(rw_api_meta(req), in->topic_id)
                                              : rw_meta_topic(rw_api_meta(req), in->topic);
    int16_t missing = by_id ? RW_KERR_UNKNOWN_TOPIC_ID : RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
    rw_fetch_response_topic_init(out);
    out->topic = in->topic;
    out->topic_id = in->topic_id;
    out->partitions =
        rw_arena_array(&req->arena, (size_t)in->n_partitions + 1, sizeof(*out->partitions));
    uint64_t *seen = seen_of(req, f, at, topic);
    if (!out->partitions || !seen)
        return false;
    for (int32_t i = 0; i < in->n_partitions; i++)
        if (is_first(seen, topic, in->partitions[i].partition) &&
            !add_partition(req, f, &in->partitions[i], topic, missing,
                           &out->partitions[out->n_partitions++]))
            return false;
    return true;
}

static bool any_error(const struct rw_fetch_response *out)
{
    for (int32_t i = 0; i < out->n_responses; i++)
        for (int32_t k = 0; k < out->responses[i].n_partitions; k++)
            if (out->responses[i].partitions[k].error_code)
                return true;
    return false;
}

/* The answer with what there is instead of the rest of the wait. */
static void hurry(struct rw_request *req)
{
    struct rw_fan *fan = req->state;
    fan->given_up = true;
    rw_fan_stop(fan);
}

void rw_handle_fetch(struct rw_request *req)
{
    const struct rw_fetch_request *in = req->in;
    struct rw_fetch_response *out = req->out;
    /* Epoch 0 asks for a session, -1 for none: full requests both. Others belong to a session. */
    if (req->header.api_version >= 7 && in->session_epoch > 0) {
        out->error_code = RW_KERR_FETCH_SESSION_ID_NOT_FOUND;
        rw_request_done(req);
        return;
    }
    struct fetch *f = rw_arena_zalloc(&req->arena, sizeof(*f));
    out->responses = rw_arena_array(&req->arena, (size_t)in->n_topics + 1, sizeof(*out->responses));
    bool fine = f && out->responses && rw_fan_init(&f->fan, req) == RW_OK;
    if (fine) {
        f->end = &f->first;
        fine = find_same_topics(req, f);
    }
    for (int32_t i = 0; fine && i < in->n_topics; i++)
        fine = add_topic(req, f, i, &out->responses[out->n_responses++]);
    if (!fine) {
        rw_api_no_memory(req);
        return;
    }
    int64_t limit = rw_api_config(req)->fetch_bytes_max;
    f->committed = in->isolation_level == 1;
    f->max_bytes = in->max_bytes < 0 ? 0 : in->max_bytes < limit ? in->max_bytes : (int32_t)limit;
    f->min_bytes = in->min_bytes < f->max_bytes ? in->min_bytes : f->max_bytes;
    f->version = req->header.api_version;
    /* A peer that says nothing for connections.max.idle.ms is gone; not while it waits for us. */
    int64_t wait_us =
        in->max_wait_ms > 0 && f->first && !any_error(out) ? in->max_wait_ms * 1000ll : 0;
    if (wait_us > req->shard->conns->limits->idle_us)
        wait_us = req->shard->conns->limits->idle_us;
    f->deadline_us = rw_shard_now_us(req->shard) + wait_us;
    f->fan.run = run;
    f->fan.halt = halt;
    f->fan.done = done;
    req->hurry = hurry;
    rw_fan_start(&f->fan, -1);
}
