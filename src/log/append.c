/*
 * Appending: check, number, write, publish. Everything that can fail happens before the write or is
 * the write itself; after it nothing is left but stores in memory. A write that failed half-way is
 * cut off again, so that a batch is in the log as a whole or not at all.
 */
#include "log/state.h"

#include "base/assert.h"
#include "log/ahead.h"

/* Space is reserved in growing steps: small partitions stay small, large ones rarely ask. */
#define RESERVE_STEP_MIN (UINT64_C(1) << 20)
#define RESERVE_STEP_MAX (UINT64_C(32) << 20)

struct summary {
    int64_t first_offset, last_offset;
    int64_t max_timestamp;
    size_t batches;
};

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

static int validate(struct rw_log *log, uint8_t *bytes, size_t n, const struct rw_append_args *args,
                    struct rw_append_info *info)
{
    struct rw_validate_rules rules;
    struct rw_validate_result result = {.bad_record = -1};
    int rc;
    rw_log_rules(&log->config, args, &rules);
    if (args->check && same_rules(&args->check->rules, &rules)) {
        result = args->check->result;
        rc = args->check->code;
        if (rc == RW_OK)
            rw_batch_correct(bytes, n, &rules, &result);
    } else {
        rc = rw_batch_validate(bytes, n, &rules, &log->scratch, &result);
    }
    if (rc) {
        info->bad_record = result.bad_record;
        info->why = result.why;
    }
    return rc;
}

/* As a leader: one batch, checked as the topic demands, numbered and stamped. */
static int admit_leader(struct rw_log *log, uint8_t *bytes, size_t n,
                        const struct rw_append_args *args, struct rw_append_info *info,
                        struct rw_batch *ret_batch)
{
    int rc = args->trusted ? RW_OK : validate(log, bytes, n, args, info);
    if (rc)
        return rc;
    rc = rw_batch_decode(bytes, n, ret_batch);
    if (rc || rw_batch_size(ret_batch) != n)
        return refuse(info, rc ? rc : RW_E_CORRUPT, "the bytes are not exactly one batch");
    if (n > (uint64_t)log->config.batch_bytes_max || n > RW_SCAN_BATCH_MAX)
        return refuse(info, RW_E_TOO_BIG, "the batch is larger than max.message.bytes");
    int64_t steps = rw_batch_last_offset(ret_batch) - ret_batch->base_offset;
    if (atomic_load(&log->end) >= INT64_MAX - steps)
        return refuse(info, RW_E_RANGE, "the log has come to the last offset that there is");
    return RW_OK;
}

/* Is it a retry of something that is in the log already, or does it contradict what is there? */
static int admit_producer(struct rw_log *log, const struct rw_batch *batch,
                          struct rw_append_info *info)
{
    if (batch->producer_id < 0)
        return RW_OK;
    if (!rw_batch_is_control(batch)) {
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

static void stamp(struct rw_log *log, uint8_t *bytes, const struct rw_append_args *args,
                  struct rw_batch *batch)
{
    batch->base_offset = atomic_load(&log->end);
    batch->leader_epoch = args->leader_epoch;
    rw_batch_set_base_offset(bytes, batch->base_offset);
    rw_batch_set_leader_epoch(bytes, batch->leader_epoch);
}

/* As a replica: whole intact batches with ascending offsets that continue ours. Makes the room that
 * publishing needs. */
static int admit_replica(struct rw_log *log, const uint8_t *bytes, size_t n,
                         struct rw_append_info *info, struct summary *ret_sum)
{
    struct summary sum = {.max_timestamp = -1};
    int64_t next = atomic_load(&log->end);
    for (size_t at = 0; at < n;) {
        struct rw_batch batch;
        int rc = rw_batch_check(bytes + at, n - at, &batch);
        if (rc)
            return refuse(info, rc == RW_E_SHORT ? RW_E_CORRUPT : rc, "not a whole intact batch");
        if (batch.base_offset < next)
            return refuse(info, RW_E_INVAL, "the offsets do not continue the log");
        if (batch.base_offset > next && (rc = rw_log_unmark_contiguous(log)) != RW_OK)
            return rc;
        if (batch.producer_id >= 0 &&
            (rc = rw_producers_reserve(&log->producers, batch.producer_id)) != RW_OK)
            return rc;
        if (!sum.batches)
            sum.first_offset = batch.base_offset;
        next = rw_batch_last_offset(&batch) + 1;
        if (batch.max_timestamp > sum.max_timestamp)
            sum.max_timestamp = batch.max_timestamp;
        sum.batches++;
        at += rw_batch_size(&batch);
    }
    sum.last_offset = next - 1;
    *ret_sum = sum;
    return RW_OK;
}

static void reserve_space(struct rw_log *log, struct rw_segment *s, size_t n)
{
    if (!log->config.preallocate || log->reserve_refused || s->size + n <= s->reserved)
        return;
    uint64_t step = s->size < RESERVE_STEP_MIN   ? RESERVE_STEP_MIN
                    : s->size > RESERVE_STEP_MAX ? RESERVE_STEP_MAX
                                                 : s->size;
    uint64_t to = s->size + n + step;
    if (to > (uint64_t)log->config.segment_bytes)
        to = (uint64_t)log->config.segment_bytes;
    if (to < s->size + n)
        to = s->size + n;
    int rc = s->file->ops->reserve(s->file, to);
    if (rc == RW_OK)
        s->reserved = to;
    else if (rc == RW_E_UNSUPPORTED)
        log->reserve_refused = true;
    /* RW_E_FULL and the like: the write itself will say whether there is room. */
}

int rw_log_reserve(struct rw_log *log, uint64_t n)
{
    struct rw_segment *s = rw_log_active(log);
    if (s->size + n <= s->reserved)
        return RW_OK;
    int rc = s->file->ops->reserve(s->file, s->size + n);
    if (rc == RW_OK)
        s->reserved = s->size + n;
    return rc;
}

/*
 * Takes away what a failed write left behind the end, durably: the append is refused, and neither may a
 * crash bring it back in place of what comes next, nor may a recovery point pass a segment of which a
 * crash restores a longer one. The token, because of two syncs of one file that fails only one hears of it.
 */
static int cut_off(struct rw_log *log, struct rw_segment *s)
{
    uint64_t size = 0;
    int rc = s->file->ops->size(s->file, &size);
    if (!rc && size <= s->size)
        return RW_OK; /* nothing arrived */
    rw_log_lock(log);
    rw_log_take_token(log);
    rw_log_unlock(log);
    rc = s->file->ops->truncate(s->file, s->size);
    s->reserved = s->file_end = s->size;
    if (!rc)
        rc = s->file->ops->sync_full(s->file);
    if (rc)
        rw_log_fail(log, rc, "cutting off a torn append", atomic_load(&log->end));
    rw_log_lock(log);
    rw_log_give_token(log);
    rw_log_unlock(log);
    return rc;
}

static int write_batches(struct rw_log *log, struct rw_segment *s, const uint8_t *bytes, size_t n,
                         size_t zeros)
{
    if (rw_fault_fires(log->env->fault, "log.append.before_write"))
        return rw_log_fail(log, RW_E_IO, "appending", atomic_load(&log->end));
    reserve_space(log, s, n);
    int rc = rw_ahead_write(s, bytes, n, zeros);
    /* There may be room for what counts. */
    if (rc == RW_E_FULL && zeros && cut_off(log, s) == RW_OK)
        rc = rw_ahead_write(s, bytes, n, 0);
    if (rc == RW_OK)
        return RW_OK;
    if (rc != RW_E_FULL)
        rw_log_fail(log, RW_E_IO, "appending", atomic_load(&log->end));
    if (cut_off(log, s) != RW_OK)
        return RW_E_IO;
    return rc == RW_E_FULL ? RW_E_FULL : RW_E_IO;
}

/* Control batches of transactions say in their only record which transaction ended and how. */
static void note_marker(struct rw_log *log, const struct rw_batch *batch, const uint8_t *bytes,
                        int64_t now_ms)
{
    struct rw_record record;
    int16_t type = -1;
    int32_t coordinator_epoch = -1;
    if (rw_records_open(&log->scratch, bytes, rw_batch_size(batch)) == RW_OK &&
        rw_records_next(&log->scratch, &record) == 1 &&
        rw_control_type(&record, &type, &coordinator_epoch) == RW_OK &&
        (type == RW_CONTROL_ABORT || type == RW_CONTROL_COMMIT))
        rw_producers_end_txn(&log->producers, batch, coordinator_epoch, now_ms);
}

void rw_log_note_producer(struct rw_log *log, const struct rw_batch *batch, const uint8_t *bytes,
                          int64_t now_ms)
{
    if (batch->producer_id < 0)
        return;
    if (rw_batch_is_control(batch))
        note_marker(log, batch, bytes, now_ms);
    else
        rw_producers_add(&log->producers, batch, now_ms);
}

/* Makes n bytes that lie behind the end of the active segment part of the log. Can not fail. */
static void publish(struct rw_log *log, const uint8_t *bytes, size_t n, int64_t now_ms)
{
    struct rw_segment *s = rw_log_active(log);
    uint64_t at = s->size;
    int64_t end = atomic_load(&log->end);
    for (size_t done = 0; done < n;) {
        struct rw_batch batch;
        int rc = rw_batch_decode(bytes + done, n - done, &batch);
        RW_ASSERT(rc == RW_OK);
        if (rw_segment_tails_full(s))
            rw_log_spill(log, s, false);
        rw_log_note_producer(log, &batch, bytes + done, now_ms);
        rw_log_lock(log);
        rw_segment_note(s, &batch, at + done, log->config.index_interval_bytes);
        rw_epochs_assign(&log->epochs, batch.leader_epoch, batch.base_offset);
        done += rw_batch_size(&batch);
        end = rw_batch_last_offset(&batch) + 1;
        if (done == n) {
            s->size += n;
            log->bytes += n;
            atomic_store(&log->end, end);
        }
        rw_log_unlock(log);
    }
}

static int store(struct rw_log *log, const uint8_t *bytes, size_t n, const struct summary *sum,
                 int64_t now_ms, struct rw_append_info *info)
{
    int rc;
    if (rw_log_should_roll(log, n, now_ms, sum->max_timestamp, sum->last_offset)) {
        rc = rw_log_roll_at(log, sum->first_offset);
        if (rc)
            return rc;
        info->rolled = true;
    }
    /* Positions in the index are 31 bits wide. */
    if (n > INT32_MAX - rw_log_active(log)->size ||
        sum->last_offset - rw_log_active(log)->base > INT32_MAX)
        return refuse(info, RW_E_TOO_BIG, "the append does not fit into a segment");
    rw_log_lock(log);
    rc = rw_epochs_reserve(&log->epochs, sum->batches);
    size_t zeros = rw_ahead_bytes(log, rw_log_active(log), n);
    rw_log_unlock(log);
    if (!rc)
        rc = write_batches(log, rw_log_active(log), bytes, n, zeros);
    if (!rc)
        publish(log, bytes, n, now_ms);
    return rc;
}

int rw_log_append(struct rw_log *log, uint8_t *bytes, size_t n, const struct rw_append_args *args,
                  struct rw_append_info *ret_info)
{
    *ret_info = (struct rw_append_info){-1, -1, -1, false, false, -1, NULL};
    if (atomic_load(&log->state))
        return RW_E_OFFLINE;
    if (log->read_only)
        return RW_E_PERM;
    if (!n)
        return refuse(ret_info, RW_E_INVAL, "no batch");
    struct summary sum = {.batches = 1};
    int rc;
    if (args->as_leader) {
        struct rw_batch batch;
        rc = admit_leader(log, bytes, n, args, ret_info, &batch);
        if (!rc)
            rc = admit_producer(log, &batch, ret_info);
        if (rc || ret_info->duplicate)
            return rc;
        stamp(log, bytes, args, &batch);
        sum.first_offset = batch.base_offset;
        sum.last_offset = rw_batch_last_offset(&batch);
        sum.max_timestamp = batch.max_timestamp;
        if (batch.attributes & RW_ATTR_LOG_APPEND_TIME)
            ret_info->log_append_time = batch.max_timestamp;
    } else {
        rc = admit_replica(log, bytes, n, ret_info, &sum);
    }
    if (!rc)
        rc = store(log, bytes, n, &sum, args->now_ms, ret_info);
    if (!rc) {
        ret_info->first_offset = sum.first_offset;
        ret_info->last_offset = sum.last_offset;
    }
    return rc;
}
