/*
 * Appending: who may come in, and with which numbers. What is admitted gathers and is written together
 * (gather.c). Whatever the next one could not be judged by while its predecessors are not in the log yet -
 * a roll, a producer whose batches do not simply follow each other - has them written first.
 */
#include "log/gather.h"

static int refuse(struct rw_append_info *info, int code, const char *why)
{
    info->bad_record = -1;
    info->why = why;
    return code;
}

void rw_log_rules(const struct rw_log_config *c, const struct rw_append_args *args,
                  struct rw_validate_rules *ret_rules)
{
    *ret_rules = (struct rw_validate_rules){
        .compacted = c->cleanup_compact,
        .log_append_time = c->log_append_time,
        .now_ms = args->now_ms,
        .timestamp_before_max_ms = c->timestamp_before_max_ms,
        .timestamp_after_max_ms = c->timestamp_after_max_ms,
        .batch_bytes_max = (size_t)c->batch_bytes_max,
        .allow_zstd = args->allow_zstd,
        .from_client = !args->internal,
    };
}

static bool same_rules(const struct rw_validate_rules *a, const struct rw_validate_rules *b)
{
    return a->compacted == b->compacted && a->log_append_time == b->log_append_time &&
           a->timestamp_before_max_ms == b->timestamp_before_max_ms &&
           a->timestamp_after_max_ms == b->timestamp_after_max_ms &&
           a->batch_bytes_max == b->batch_bytes_max && a->allow_zstd == b->allow_zstd &&
           a->from_client == b->from_client;
}

static int validate(struct rw_log *log, struct rw_append *a)
{
    struct rw_validate_rules rules;
    struct rw_validate_result result = {.bad_record = -1};
    const struct rw_append_check *check = a->args.check;
    int rc;
    rw_log_rules(&log->config, &a->args, &rules);
    if (check && same_rules(&check->rules, &rules)) {
        result = check->result;
        rc = check->code;
        if (rc == RW_OK)
            rw_batch_correct(a->bytes, a->n, &rules, &result);
    } else {
        rc = rw_batch_validate(a->bytes, a->n, &rules, &log->scratch, &result);
    }
    if (rc) {
        a->info.bad_record = result.bad_record;
        a->info.why = result.why;
    }
    return rc;
}

/* As a leader: one batch, checked as the topic demands. */
static int admit_batch(struct rw_log *log, struct rw_append *a, struct rw_batch *ret_batch)
{
    int rc = RW_OK;
    if (a->args.built) {
        *ret_batch = *a->args.built;
    } else {
        rc = validate(log, a);
        if (rc)
            return rc;
        rc = rw_batch_decode(a->bytes, a->n, ret_batch);
    }
    if (rc || rw_batch_size(ret_batch) != a->n)
        return refuse(&a->info, rc ? rc : RW_E_CORRUPT, "the bytes are not exactly one batch");
    if (a->n > (uint64_t)log->config.batch_bytes_max || a->n > RW_SCAN_BATCH_MAX)
        return refuse(&a->info, RW_E_TOO_BIG, "the batch is larger than max.message.bytes");
    return RW_OK;
}

/* Its producer's last batch is gathered and this is plainly the next one. */
static bool continues(const struct rw_batch *last, const struct rw_batch *batch)
{
    return last && last->producer_epoch == batch->producer_epoch &&
           rw_sequence_add(rw_sequence_add(last->base_sequence, last->last_offset_delta), 1) ==
               batch->base_sequence;
}

/* Is it a retry of something that is in the log already, or does it contradict what is there? */
static int admit_producer(const struct rw_gather *g, const struct rw_batch *batch,
                          struct rw_append_info *info)
{
    struct rw_log *log = g->log;
    if (batch->producer_id < 0)
        return RW_OK;
    if (!rw_batch_is_control(batch) &&
        !continues(rw_gather_producer(g, batch->producer_id), batch)) {
        struct rw_producer_verdict verdict;
        int rc = rw_producers_check(&log->producers, batch, &verdict);
        if (rc)
            return refuse(info, rc, verdict.why);
        if (verdict.duplicate) {
            info->duplicate = true;
            info->first_offset = verdict.first_offset;
            info->last_offset = verdict.last_offset;
            info->log_append_time = log->config.log_append_time ? verdict.timestamp : -1;
            return RW_OK;
        }
    }
    return rw_producers_reserve(&log->producers, batch->producer_id);
}

/* Can the batch be judged and written together with what is gathered? */
static bool joins(const struct rw_gather *g, const struct rw_append *a,
                  const struct rw_batch *batch)
{
    if (g->batches != g->n) /* a replica's */
        return false;
    if (g->n == RW_GATHER_MAX || g->bytes + a->n > RW_GATHER_BYTES || rw_batch_is_control(batch))
        return false;
    const struct rw_batch *last =
        batch->producer_id < 0 ? NULL : rw_gather_producer(g, batch->producer_id);
    if (last && !continues(last, batch))
        return false;
    return rw_log_has_room(g->log, g->bytes + a->n) &&
           !rw_log_should_roll(g->log, g->n, g->bytes + a->n, a->args.now_ms, batch->max_timestamp,
                               rw_gather_end(g) + batch->last_offset_delta);
}

static void stamp(struct rw_append *a, const struct rw_batch *batch)
{
    rw_batch_set_base_offset(a->bytes, batch->base_offset);
    rw_batch_set_leader_epoch(a->bytes, batch->leader_epoch);
    if (batch->attributes & RW_ATTR_LOG_APPEND_TIME)
        a->info.log_append_time = batch->max_timestamp;
}

/* The first of those that are written together: a new segment when it needs one. */
static int make_place(struct rw_gather *g, struct rw_append *a, const struct rw_gathered *item)
{
    struct rw_log *log = g->log;
    int64_t last = rw_batch_last_offset(&item->last);
    if (rw_log_should_roll(log, 0, a->n, a->args.now_ms, item->max_timestamp, last)) {
        g->failed = rw_log_roll_at(log, item->first_offset);
        if (g->failed)
            return g->failed;
        a->info.rolled = true;
    }
    if (!rw_log_has_room(log, a->n) || last - rw_log_active(log)->base > INT32_MAX)
        return refuse(&a->info, RW_E_TOO_BIG, "the append does not fit into a segment");
    return RW_OK;
}

/* As a leader: numbers the batch and gathers it. */
static int gather_batch(struct rw_gather *g, struct rw_append *a)
{
    struct rw_log *log = g->log;
    struct rw_batch batch;
    int rc = admit_batch(log, a, &batch);
    if (rc)
        return rc;
    if (g->n && !joins(g, a, &batch))
        rw_gather_write(g);
    if (g->failed)
        return g->failed;
    int64_t offset = rw_gather_end(g);
    if (offset >= INT64_MAX - batch.last_offset_delta)
        return refuse(&a->info, RW_E_RANGE, "the log has come to the last offset that there is");
    rc = admit_producer(g, &batch, &a->info);
    if (rc || a->info.duplicate)
        return rc;
    batch.base_offset = offset;
    batch.leader_epoch = a->args.leader_epoch;
    const struct rw_gathered item = {a, offset, batch.max_timestamp, 1, batch};
    rc = g->n ? RW_OK : make_place(g, a, &item);
    if (rc)
        return rc;
    stamp(a, &batch);
    rw_gather_add(g, &item);
    return RW_OK;
}

/* As a replica: whole intact batches with ascending offsets that continue ours. Makes the room that
 * publishing needs. */
static int gather_replicated(struct rw_gather *g, struct rw_append *a)
{
    struct rw_log *log = g->log;
    struct rw_gathered item = {.append = a, .max_timestamp = -1};
    rw_gather_write(g);
    if (g->failed)
        return g->failed;
    int64_t next = atomic_load(&log->end);
    for (size_t at = 0; at < a->n;) {
        struct rw_batch batch;
        int rc = rw_batch_check(a->bytes + at, a->n - at, &batch);
        if (rc)
            return refuse(&a->info, rc == RW_E_SHORT ? RW_E_CORRUPT : rc,
                          "not a whole intact batch");
        if (batch.base_offset < next)
            return refuse(&a->info, RW_E_INVAL, "the offsets do not continue the log");
        if (batch.base_offset > next && (rc = rw_log_unmark_contiguous(log)) != RW_OK)
            return rc;
        if (batch.producer_id >= 0 &&
            (rc = rw_producers_reserve(&log->producers, batch.producer_id)) != RW_OK)
            return rc;
        if (!item.batches)
            item.first_offset = batch.base_offset;
        next = rw_batch_last_offset(&batch) + 1;
        if (batch.max_timestamp > item.max_timestamp)
            item.max_timestamp = batch.max_timestamp;
        item.batches++;
        item.last = batch;
        at += rw_batch_size(&batch);
    }
    int rc = make_place(g, a, &item);
    if (!rc)
        rw_gather_add(g, &item);
    return rc;
}

static int gather(struct rw_gather *g, struct rw_append *a)
{
    a->info = (struct rw_append_info){-1, -1, -1, false, false, -1, NULL};
    if (g->failed)
        return g->failed;
    if (atomic_load(&g->log->state))
        return RW_E_OFFLINE;
    if (g->log->read_only)
        return RW_E_PERM;
    if (!a->n)
        return refuse(&a->info, RW_E_INVAL, "no batch");
    return a->args.as_leader ? gather_batch(g, a) : gather_replicated(g, a);
}

void rw_log_append_all(struct rw_log *log, struct rw_append *const *appends, size_t n)
{
    struct rw_gather g;
    rw_gather_init(&g, log);
    for (size_t i = 0; i < n; i++)
        appends[i]->code = gather(&g, appends[i]);
    rw_gather_write(&g);
}

int rw_log_append(struct rw_log *log, uint8_t *bytes, size_t n, const struct rw_append_args *args,
                  struct rw_append_info *ret_info)
{
    struct rw_append a = {.bytes = bytes, .n = n, .args = *args}, *one = &a;
    rw_log_append_all(log, &one, 1);
    *ret_info = a.info;
    return a.code;
}
