/*
 * Appending through the library. One mutex orders the appenders; durability is waited for outside of
 * it, so that whoever comes meanwhile is covered by the next fdatasync together with all others.
 *
 * With options.buffer_bytes, records gather in one open batch in memory. They have their offsets
 * already; they are written when the batch is full, by a flush, by the flusher, by close, and when a
 * cursor of this handle reaches them.
 */
#include "lib/lib.h"

#include <limits.h>
#include <string.h>

#include "base/mem.h"

static void tell_waiters(struct rollway_log *log)
{
    if (atomic_load(&log->waiters))
        log->env->sync->broadcast(log->env->sync, log->grown);
}

/* Hands one finished batch to the engine. `append` is held. */
static int append_bytes(struct rollway_log *log, uint8_t *p, size_t n,
                        const struct rw_append_args *args, struct rw_append_info *ret_info)
{
    int rc = rw_log_append(log->log, p, n, args, ret_info);
    if (rc)
        return ret_info->why
                   ? rollway_fail(log, rc, "append: %s: %s", rw_code_text(rc), ret_info->why)
                   : rollway_fail_code(log, rc, "append");
    if (ret_info->rolled)
        /* Saves work after a crash, nothing else: failing costs a longer scan. */
        (void)rollway_fail_code(log, rollway_save_state(log, INT64_MAX),
                                "saving the recovery point");
    tell_waiters(log);
    return RW_OK;
}

/* Without compression when that makes it larger: what fits must not stop fitting. */
static int finish(struct rollway_log *log, struct rw_slice *ret_batch)
{
    struct rw_builder *b = &log->builder;
    enum rw_codec codec = b->codec;
    int rc = rw_builder_finish(b, ret_batch);
    if (!rc && codec != RW_CODEC_NONE && ret_batch->n > rw_builder_size(b)) {
        b->codec = RW_CODEC_NONE;
        rc = rw_builder_finish(b, ret_batch);
        b->codec = codec;
    }
    return rollway_fail_code(log, rc, "append");
}

/* The batch in the builder. `append` is held. */
static int append_built(struct rollway_log *log, struct rw_append_info *ret_info)
{
    struct rw_slice batch;
    const struct rw_append_args args = {
        .leader_epoch = (int32_t)log->epoch, .as_leader = true, .built = &log->builder.header};
    int rc = finish(log, &batch);
    return rc ? rc : append_bytes(log, log->builder.finished->p, batch.n, &args, ret_info);
}

int rollway_write_buffer(struct rollway_log *log)
{
    if (!log->buffering)
        return RW_OK;
    struct rw_append_info info;
    rw_plain_end(&log->open, &log->builder);
    int rc = append_built(log, &info);
    /* On a full disk the records stay in memory and are tried again with the next flush. */
    if (rc)
        return rc;
    log->buffering = false;
    rw_builder_reset(&log->builder, rw_log_end(log->log));
    return RW_OK;
}

int rollway_catch_up(struct rollway_log *log)
{
    if (!log->options.read_only && !log->options.buffer_bytes)
        return RW_OK;
    rollway_lock_append(log);
    int rc = log->options.read_only ? rollway_fail_code(log, rollway_refresh(log), "refresh")
                                    : rollway_write_buffer(log);
    rollway_unlock_append(log);
    return rc;
}

static int take_headers(struct rollway_log *log, const struct rollway_record *r)
{
    if (r->headers_count > log->headers_cap) {
        struct rw_record_header *p = rw_realloc_array(log->headers, r->headers_count, sizeof(*p));
        if (!p)
            return RW_E_NOMEM;
        log->headers = p;
        log->headers_cap = r->headers_count;
    }
    for (size_t i = 0; i < r->headers_count; i++) {
        const struct rollway_header *h = &r->headers[i];
        if (!h->key || h->key_size > INT32_MAX || (!h->value && h->value_size))
            return RW_E_INVAL;
        log->headers[i] = (struct rw_record_header){{h->key, (int32_t)h->key_size},
                                                    rw_slice(h->value, h->value_size)};
    }
    return RW_OK;
}

static bool timestamp_is_valid(int64_t t)
{
    return t >= 0 || t == ROLLWAY_TIME_NONE || t == ROLLWAY_TIME_1970;
}

/* Any record, with all that can be wrong with it. Kept out of the way of the usual ones. */
static __attribute__((noinline)) int add_any_record(struct rollway_log *log,
                                                    const struct rollway_record *r, int64_t now_ms)
{
    if ((!r->key && r->key_size) || (!r->value && r->value_size) ||
        (!r->headers && r->headers_count))
        return rollway_fail(log, RW_E_INVAL, "a record with a size but without bytes");
    if (!timestamp_is_valid(r->timestamp_ms))
        return rollway_fail(log, RW_E_INVAL, "a timestamp before 1970");
    if ((r->key_size | r->value_size) > INT32_MAX)
        return rollway_fail(log, RW_E_TOO_BIG, "a record larger than 2 GiB");
    int rc = r->headers_count ? take_headers(log, r) : RW_OK;
    if (rc)
        return rollway_fail(log, rc, "a header without a key, or too many");
    const struct rw_record record = {.offset = log->builder.last_offset + 1,
                                     .timestamp = r->timestamp_ms == ROLLWAY_TIME_1970 ? 0
                                                  : r->timestamp_ms ? r->timestamp_ms
                                                                    : now_ms,
                                     .key = rw_slice(r->key, r->key_size),
                                     .value = rw_slice(r->value, r->value_size)};
    rc = rw_builder_add(&log->builder, &record, log->headers, r->headers_count);
    return rc ? rollway_fail_code(log, rc, "append") : RW_OK;
}

static inline bool is_usual(const struct rollway_record *r)
{
    return !r->headers_count && (r->key || !r->key_size) && (r->value || !r->value_size);
}

static inline int64_t time_of(const struct rollway_record *r, int64_t now_ms)
{
    return r->timestamp_ms ? r->timestamp_ms : now_ms;
}

/* As many usual records as come first, while the batch is below `most` bytes and its memory suffices. Returns
 * how many; add_any_record() has to look at the next one. Calls nothing: all stays in registers. */
static size_t add_usual(struct rw_builder *b, const struct rollway_record *records, size_t count,
                        size_t most, int64_t now_ms)
{
    struct rw_plain w = rw_plain_begin(b, time_of(records, now_ms), most);
    size_t i = 0;
    for (; i < count; i++) {
        const struct rollway_record *r = &records[i];
        int64_t timestamp = time_of(r, now_ms);
        if (timestamp <= 0 || !is_usual(r) ||
            !rw_plain_add(&w, timestamp, rw_slice(r->key, r->key_size),
                          rw_slice(r->value, r->value_size)))
            break;
    }
    rw_plain_end(&w, b);
    return i;
}

/* The next records of the builder's batch, which may have `most` bytes then. Nearly all are usual. */
static int add_records(struct rollway_log *log, const struct rollway_record *records, size_t count,
                       size_t most)
{
    int64_t now_ms = 0; /* the clock is asked when a record wants it, once */
    for (size_t i = 0; i < count;) {
        i += add_usual(&log->builder, records + i, count - i, most, now_ms);
        if (i == count)
            break;
        if (!records[i].timestamp_ms && !now_ms) {
            now_ms = rw_wall_ms(log->env->clock);
            if (now_ms > 0)
                continue;
        }
        int rc = add_any_record(log, &records[i++], now_ms);
        if (rc)
            return rc;
        if (rw_builder_size(&log->builder) > most)
            return rollway_fail(log, RW_E_TOO_BIG, "the records do not fit into one batch of %zu",
                                most);
    }
    return RW_OK;
}

/* All records as one batch of their own. `append` is held. */
static int append_records(struct rollway_log *log, const struct rollway_record *records,
                          size_t count, int64_t *ret_first)
{
    /* Compressed, they may have any size that can be read again. */
    size_t most = log->options.compression ? RW_BATCH_HEADER_SIZE + (size_t)RW_DECOMPRESSED_MAX
                                           : (size_t)log->config.batch_bytes_max;
    struct rw_append_info info;
    rw_builder_reset(&log->builder, rw_log_end(log->log));
    int rc = add_records(log, records, count, most);
    if (!rc)
        rc = append_built(log, &info);
    if (!rc)
        *ret_first = info.first_offset;
    return rc;
}

/* More than a record takes beside its bytes. */
enum { RECORD_OVERHEAD = 64, HEADER_OVERHEAD = 10 };

/* The most that the record takes in a batch; SIZE_MAX when it is no valid record. */
static size_t most_of(const struct rollway_record *r)
{
    if ((r->key_size | r->value_size) > INT32_MAX || (!r->headers && r->headers_count))
        return SIZE_MAX;
    size_t n = RECORD_OVERHEAD + r->key_size + r->value_size;
    for (size_t i = 0; i < r->headers_count; i++) {
        const struct rollway_header *h = &r->headers[i];
        if ((h->key_size | h->value_size) > INT32_MAX)
            return SIZE_MAX;
        n += HEADER_OVERHEAD + h->key_size + h->value_size;
    }
    return n;
}

/* `append` is held. With COUNT: is it time to make the records durable? */
static bool count_up(struct rollway_log *log, size_t count)
{
    if (log->options.durability != ROLLWAY_DURABLE_COUNT)
        return false;
    log->unflushed += (int64_t)count;
    if (log->unflushed < log->options.flush_records)
        return false;
    log->unflushed = 0;
    return true;
}

/* What taking back the records after it needs. A copy of the whole builder costs more than the record. */
struct mark {
    size_t n;
    int32_t count;
    int64_t last_offset, base_timestamp, max_timestamp;
};

static struct mark mark_of(const struct rw_builder *b)
{
    return (struct mark){b->records.n, b->count, b->last_offset, b->base_timestamp,
                         b->max_timestamp};
}

static void go_back(struct rw_builder *b, const struct mark *to)
{
    b->records.n = to->n;
    b->count = to->count;
    b->last_offset = to->last_offset;
    b->base_timestamp = to->base_timestamp;
    b->max_timestamp = to->max_timestamp;
}

/* From here on gather() adds to the open batch; with COUNT it finds no room, and any record may be due. */
static void go_on(struct rollway_log *log)
{
    const struct rw_builder *b = &log->builder;
    bool counts = log->options.durability == ROLLWAY_DURABLE_COUNT;
    log->open =
        rw_plain_begin(b, b->base_timestamp, counts ? 0 : (size_t)log->options.buffer_bytes);
}

/*
 * One record of at most `most` bytes into the open batch in memory. Whatever is in it fits into a batch,
 * compressed or not. `append` is held. When the record makes the batch due, it is written here: if that
 * fails, the record is taken out again, because who is told FULL will append it again.
 */
static int buffer_record(struct rollway_log *log, const struct rollway_record *r, size_t most,
                         int64_t *ret_first, bool *ret_due)
{
    struct rw_builder *b = &log->builder;
    if (log->buffering)
        rw_plain_end(&log->open, b);
    if (log->buffering && rw_builder_size(b) + most > (size_t)log->options.buffer_bytes) {
        int rc = rollway_write_buffer(log);
        if (rc)
            return rc;
    }
    if (!log->buffering)
        rw_builder_reset(b, rw_log_end(log->log));
    const struct mark before = mark_of(b);
    int rc = add_records(log, r, 1, (size_t)log->options.buffer_bytes);
    if (rc) {
        go_on(log); /* the builder may have got other memory */
        return rc;
    }
    log->buffering = true;
    go_on(log);
    *ret_due = count_up(log, 1);
    rc = *ret_due ? rollway_write_buffer(log) : RW_OK;
    if (rc) {
        go_back(b, &before);
        log->buffering = b->count > 0;
        go_on(log);
        log->unflushed = log->options.flush_records - 1; /* due again with the next record */
        return rc;
    }
    tell_waiters(log);
    *ret_first = before.last_offset + 1;
    return RW_OK;
}

/*
 * The short way of buffer_record(), in half the instructions: a record of the usual kind that fits
 * into the open batch and makes nothing due. False: not such a one, and nothing was changed. `append` is
 * held.
 */
static inline bool gather(struct rollway_log *log, const struct rollway_record *r)
{
    if (!log->buffering || !is_usual(r))
        return false;
    int64_t timestamp = r->timestamp_ms ? r->timestamp_ms : rw_wall_ms(log->env->clock);
    struct rw_plain w = log->open;
    if (timestamp < 0 || !rw_plain_add(&w, timestamp, rw_slice(r->key, r->key_size),
                                       rw_slice(r->value, r->value_size)))
        return false;
    /* The next record's lines: the lock that is taken in between waits for them. */
    __builtin_prefetch(w.p + 128, 1);
    __builtin_prefetch(w.p + 192, 1);
    log->open = w;
    tell_waiters(log);
    return true;
}

/* After the append, and without the mutex: what the policy asks for. */
static int settle(struct rollway_log *log, bool due)
{
    if (!due && log->options.durability != ROLLWAY_DURABLE_EACH)
        return RW_OK;
    return rollway_fail_code(log, rw_log_flush(log->log, NULL), "making a record durable");
}

static __attribute__((noinline)) int append_any(struct rollway_log *log,
                                                const struct rollway_record *records, size_t count,
                                                int64_t *ret_offset)
{
    if (!log)
        return rollway_fail_null(NULL);
    if (!records || !count || count > INT32_MAX)
        return rollway_fail(log, RW_E_INVAL, "no records");
    if (log->options.read_only)
        return rollway_fail(log, RW_E_PERM, "the log was opened read-only");
    int64_t first = -1;
    bool due = false;
    /* One that does not fit into the buffer is refused, if it must be, before it is promised. */
    size_t most = log->options.buffer_bytes && count == 1 ? most_of(records) : SIZE_MAX;
    rollway_lock_append(log);
    int rc;
    if (most < SIZE_MAX && RW_BATCH_HEADER_SIZE + most <= (size_t)log->options.buffer_bytes) {
        rc = buffer_record(log, records, most, &first, &due);
    } else {
        rc = rollway_write_buffer(log);
        if (!rc)
            rc = append_records(log, records, count, &first);
        due = !rc && count_up(log, count);
    }
    rollway_unlock_append(log);
    if (!rc)
        rc = settle(log, due);
    if (!rc && ret_offset)
        *ret_offset = first;
    return rc;
}

int rollway_log_append(struct rollway_log *log, const struct rollway_record *records, size_t count,
                       int64_t *ret_offset)
{
    /* The options never change; a log that was opened read-only gathers nothing. */
    if (!log || !records || count != 1 || !log->options.buffer_bytes)
        return append_any(log, records, count, ret_offset);
    rollway_lock_append(log);
    bool done = gather(log, records);
    int64_t offset = log->builder.base_offset + (int64_t)log->open.offset_delta - 1;
    rollway_unlock_append(log);
    if (!done)
        return append_any(log, records, count, ret_offset);
    if (ret_offset)
        *ret_offset = offset;
    return RW_OK;
}

int rollway_log_append_batch(struct rollway_log *log, void *batch, size_t size, int64_t *ret_offset)
{
    if (!log)
        return rollway_fail_null(NULL);
    if (!batch)
        return rollway_fail(log, RW_E_INVAL, "no batch");
    if (log->options.read_only)
        return rollway_fail(log, RW_E_PERM, "the log was opened read-only");
    const struct rw_append_args args = {.leader_epoch = (int32_t)log->epoch,
                                        .as_leader = true,
                                        .allow_zstd = true,
                                        .now_ms = rw_wall_ms(log->env->clock)};
    struct rw_append_info info = {0};
    rollway_lock_append(log);
    int rc = rollway_write_buffer(log);
    if (!rc)
        rc = append_bytes(log, batch, size, &args, &info);
    bool due = !rc && count_up(log, (size_t)(info.last_offset - info.first_offset + 1));
    rollway_unlock_append(log);
    if (!rc)
        rc = settle(log, due);
    if (!rc && ret_offset)
        *ret_offset = info.first_offset;
    return rc;
}

int rollway_log_flush(struct rollway_log *log)
{
    if (!log)
        return rollway_fail_null(NULL);
    if (log->options.read_only)
        return rollway_fail(log, RW_E_PERM, "the log was opened read-only");
    rollway_lock_append(log);
    int rc = rollway_write_buffer(log);
    log->unflushed = 0;
    rollway_unlock_append(log);
    return rc ? rc : rollway_fail_code(log, rw_log_flush(log->log, NULL), "flush");
}
