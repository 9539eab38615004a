/*
 * What a broker demands of a batch before it appends it (Kafka's LogValidator and ProduceRequest).
 *
 * Order: limits and header, CRC, header rules, then one walk over the records, then the two header
 * fields that the broker may correct. Nothing is changed in the batch unless everything is fine.
 * Invariant: after RW_OK the batch iterates without error, its offsets are contiguous (when it
 * comes from a client), and its max_timestamp is true, so that the time index built from it is. Not
 * here: leader epochs, sequences and transactions (log/producers.c); converting compression.
 */
#include "batch/batch.h"

#include "batch/record.h"

struct walk {
    const struct rw_validate_rules *rules;
    const struct rw_batch *batch;
    int64_t ts_min, ts_max; /* the window of allowed timestamps */
    struct rw_validate_result *result;
};

static int refuse(struct rw_validate_result *result, int code, int32_t record, const char *why)
{
    result->bad_record = record;
    result->why = why;
    return code;
}

static int check_header(const struct rw_validate_rules *rules, const struct rw_batch *b, size_t n,
                        struct rw_validate_result *result)
{
    if (rw_batch_size(b) > n)
        return refuse(result, RW_E_CORRUPT, -1, "the batch is longer than the bytes sent");
    if (rw_batch_size(b) < n)
        return refuse(result, RW_E_RECORD, -1, "more than one batch for a partition");
    if (!rules->allow_zstd && rw_batch_codec(b) == RW_CODEC_ZSTD)
        return refuse(result, RW_E_UNSUPPORTED, -1, "zstd needs Produce version 7 or later");
    if (!rules->from_client)
        return b->records_count > (int64_t)b->last_offset_delta + 1
                   ? refuse(result, RW_E_RECORD, -1, "more records than offsets")
                   : RW_OK;
    if (rw_batch_is_control(b))
        return refuse(result, RW_E_RECORD, -1, "clients may not write control records");
    if (b->base_offset != 0)
        return refuse(result, RW_E_RECORD, -1, "the base offset of a produced batch is not 0");
    if (b->records_count == 0)
        return refuse(result, RW_E_RECORD, -1, "the batch has no records");
    if (b->records_count != (int64_t)b->last_offset_delta + 1)
        return refuse(result, RW_E_RECORD, -1, "record count and last offset delta differ");
    if (b->attributes & RW_ATTR_DELETE_HORIZON)
        return refuse(result, RW_E_RECORD, -1, "only the broker sets a delete horizon");
    if (b->attributes & RW_ATTR_LOG_APPEND_TIME)
        return refuse(result, RW_E_TIMESTAMP, -1, "only the broker sets the LogAppendTime bit");
    if (b->producer_id < RW_NO_PRODUCER_ID)
        return refuse(result, RW_E_RECORD, -1, "negative producer id");
    if (b->producer_id != RW_NO_PRODUCER_ID && (b->base_sequence < 0 || b->producer_epoch < 0))
        return refuse(result, RW_E_RECORD, -1, "a producer id needs a sequence and an epoch");
    if (b->producer_id == RW_NO_PRODUCER_ID && (b->attributes & RW_ATTR_TRANSACTIONAL))
        return refuse(result, RW_E_RECORD, -1, "a transaction needs a producer id");
    return RW_OK;
}

/* a - b and a + b, stopping at the ends of the range instead of wrapping. */
static int64_t sub_sat(int64_t a, int64_t b)
{
    int64_t v;
    return __builtin_sub_overflow(a, b, &v) ? (b < 0 ? INT64_MAX : INT64_MIN) : v;
}

static int64_t add_sat(int64_t a, int64_t b)
{
    int64_t v;
    return __builtin_add_overflow(a, b, &v) ? (b < 0 ? INT64_MIN : INT64_MAX) : v;
}

static int bad_time(struct walk *w, int64_t ts, int32_t i)
{
    if (ts == RW_NO_TIMESTAMP)
        return RW_OK;
    if (ts < 0)
        return refuse(w->result, RW_E_TIMESTAMP, i, "negative timestamp");
    if (ts < w->ts_min)
        return refuse(w->result, RW_E_TIMESTAMP, i, "timestamp too far in the past");
    if (ts > w->ts_max)
        return refuse(w->result, RW_E_TIMESTAMP, i, "timestamp too far in the future");
    return RW_OK;
}

/* Called for what the walk did not like, to find the words. */
static int bad_record(struct walk *w, struct rw_record_parts v, int32_t i)
{
    if (!rw_headers_ok(v.headers, v.headers_count))
        return refuse(w->result, RW_E_CORRUPT, i, "a record's headers contradict its length");
    if (w->rules->from_client && v.offset_delta != i)
        return refuse(w->result, RW_E_RECORD, i, "record offsets are not contiguous");
    return refuse(w->result, RW_E_CORRUPT, i, "record offsets do not ascend");
}

static int walk_records(struct walk *w, const uint8_t *at, const uint8_t *end)
{
    const struct rw_batch *b = w->batch;
    const bool contiguous = w->rules->from_client;
    const bool needs_key = w->rules->compacted && !rw_batch_is_control(b);
    const bool own_time = !(b->attributes & RW_ATTR_LOG_APPEND_TIME);
    const bool check_time = own_time && !w->rules->log_append_time;
    int64_t max = RW_NO_TIMESTAMP, max_delta = 0;
    int32_t last = -1;
    for (int32_t i = 0; i < b->records_count; i++) {
        struct rw_record_parts v;
        if (!rw_take_record(&at, end, &v))
            return refuse(w->result, RW_E_CORRUPT, i, "a record contradicts its length");
        if ((contiguous ? v.offset_delta != i : v.offset_delta <= last) ||
            v.offset_delta > b->last_offset_delta ||
            (v.headers_count && !rw_headers_ok(v.headers, v.headers_count)))
            return bad_record(w, v, i);
        last = v.offset_delta;
        if (needs_key && !v.key.p)
            return refuse(w->result, RW_E_RECORD, i, "a compacted topic needs keys");
        int64_t ts = (int64_t)((uint64_t)b->base_timestamp + (uint64_t)v.timestamp_delta);
        if (check_time && (ts < w->ts_min || ts > w->ts_max)) {
            int code = bad_time(w, ts, i);
            if (code)
                return code;
        }
        if (ts > max) {
            max = ts;
            max_delta = v.offset_delta;
        }
    }
    if (at != end)
        return refuse(w->result, RW_E_CORRUPT, -1, "bytes after the last record");
    w->result->max_timestamp = own_time ? max : b->max_timestamp;
    w->result->max_timestamp_offset_delta = own_time ? max_delta : b->last_offset_delta;
    return RW_OK;
}

/* The two things a broker corrects; each costs a second CRC. */
void rw_batch_correct(uint8_t *p, size_t n, const struct rw_validate_rules *rules,
                      struct rw_validate_result *result)
{
    struct rw_batch *b = &result->batch;
    if (rules->log_append_time) {
        rw_batch_set_log_append_time(p, n, rules->now_ms);
        result->max_timestamp = rules->now_ms;
        /* All records have the same time; Kafka names the last one. */
        result->max_timestamp_offset_delta = b->last_offset_delta;
    } else if (result->max_timestamp != b->max_timestamp) {
        rw_batch_set_max_timestamp(p, n, result->max_timestamp);
    } else {
        return;
    }
    int code = rw_batch_decode(p, n, b);
    (void)code; /* it was decoded from the same bytes before */
}

int rw_batch_inspect(const uint8_t *p, size_t n, const struct rw_validate_rules *rules,
                     struct rw_records *scratch, struct rw_validate_result *ret_result)
{
    struct rw_validate_result *r = ret_result;
    *r = (struct rw_validate_result){.max_timestamp = RW_NO_TIMESTAMP, .bad_record = -1};
    if (n > rules->batch_bytes_max)
        return refuse(r, RW_E_TOO_BIG, -1, "the batch is larger than max.message.bytes");
    int code = rw_batch_decode(p, n, &r->batch);
    if (code == RW_E_SHORT)
        return refuse(r, RW_E_CORRUPT, -1, "the batch is shorter than its header");
    if (code)
        return refuse(r, code, -1,
                      code == RW_E_UNSUPPORTED ? "unknown compression or a message format before 2"
                                               : "the batch header is damaged");
    code = check_header(rules, &r->batch, n, r);
    if (code)
        return code;
    if (rw_batch_crc(p, n) != r->batch.crc)
        return refuse(r, RW_E_CORRUPT, -1, "the checksum does not match");
    code = rw_records_unpack(scratch, &r->batch, p);
    if (code)
        return refuse(r, code, -1,
                      code == RW_E_TOO_BIG ? "the batch decompresses to more than the limit"
                                           : "the records can not be decompressed");
    struct walk w = {
        .rules = rules,
        .batch = &r->batch,
        .ts_min = sub_sat(rules->now_ms, rules->timestamp_before_max_ms),
        .ts_max = add_sat(rules->now_ms, rules->timestamp_after_max_ms),
        .result = r,
    };
    /* Below 0 there is only "no timestamp", which bad_time() lets pass. */
    if (w.ts_min < 0)
        w.ts_min = 0;
    return walk_records(&w, scratch->at, scratch->end);
}

int rw_batch_validate(uint8_t *p, size_t n, const struct rw_validate_rules *rules,
                      struct rw_records *scratch, struct rw_validate_result *ret_result)
{
    int code = rw_batch_inspect(p, n, rules, scratch, ret_result);
    if (code == RW_OK)
        rw_batch_correct(p, n, rules, ret_result);
    return code;
}
