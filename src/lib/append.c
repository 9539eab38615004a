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
static int append_bytes(struct rollway_log *log, uint8_t *p, size_t n, bool trusted,
                        struct rw_append_info *ret_info)
{
    const struct rw_append_args args = {.leader_epoch = (int32_t)log->epoch,
                                        .as_leader = true,
                                        .allow_zstd = true,
                                        .trusted = trusted,
                                        .now_ms = rw_wall_ms(log->env->clock)};
    int rc = rw_log_append(log->log, p, n, &args, ret_info);
    if (rc)
        return ret_info->why
                   ? rollway_fail(log, rc, "append: %s: %s", rw_code_text(rc), ret_info->why)
                   : rollway_fail_code(log, rc, "append");
    if (ret_info->rolled)
        /* Saves work after a crash, nothing else: failing costs a longer scan. */
        (void)rollway_fail_code(log, rollway_save_state(log, INT64_MAX, false),
                                "saving the recovery point");
    tell_waiters(log);
    return RW_OK;
}

int rollway_write_buffer(struct rollway_log *log)
{
    if (!log->buffering)
        return RW_OK;
    struct rw_slice batch;
    struct rw_append_info info;
    int rc = rollway_fail_code(log, rw_builder_finish(&log->builder, &batch), "append");
    if (!rc)
        rc = append_bytes(log, log->builder.finished->p, batch.n, true, &info);
    /* On a full disk the records stay in memory and are tried again with the next flush. */
    if (rc)
        return rc;
    log->buffering = false;
    rw_builder_reset(&log->builder, rw_log_end(log->log));
    return RW_OK;
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

static int add_record(struct rollway_log *log, const struct rollway_record *r, int64_t offset,
                      int64_t now_ms)
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
    const struct rw_record record = {.offset = offset,
                                     .timestamp = r->timestamp_ms == ROLLWAY_TIME_1970 ? 0
                                                  : r->timestamp_ms ? r->timestamp_ms
                                                                    : now_ms,
                                     .key = rw_slice(r->key, r->key_size),
                                     .value = rw_slice(r->value, r->value_size)};
    rc = rw_builder_add(&log->builder, &record, log->headers, r->headers_count);
    return rc ? rollway_fail_code(log, rc, "append") : RW_OK;
}

/* All records as one batch of their own. `append` is held. */
static int append_records(struct rollway_log *log, const struct rollway_record *records,
                          size_t count, int64_t *ret_first)
{
    int64_t base = rw_log_end(log->log), now_ms = 0;
    int rc = RW_OK;
    rw_builder_reset(&log->builder, base);
    for (size_t i = 0; i < count && !rc; i++) {
        if (!records[i].timestamp_ms && !now_ms)
            now_ms = rw_wall_ms(log->env->clock);
        rc = add_record(log, &records[i], base + (int64_t)i, now_ms);
        if (!rc && log->options.compression == ROLLWAY_COMPRESSION_NONE &&
            rw_builder_size(&log->builder) > (size_t)log->config.batch_bytes_max)
            rc = rollway_fail(log, RW_E_TOO_BIG, "the records do not fit into one batch of %lld",
                              (long long)log->config.batch_bytes_max);
    }
    struct rw_slice batch;
    struct rw_append_info info;
    if (!rc)
        rc = rollway_fail_code(log, rw_builder_finish(&log->builder, &batch), "append");
    if (!rc)
        rc = append_bytes(log, log->builder.finished->p, batch.n, true, &info);
    rw_builder_reset(&log->builder, 0);
    if (!rc)
        *ret_first = info.first_offset;
    return rc;
}

/* One record into the open batch in memory. `append` is held. */
static int buffer_record(struct rollway_log *log, const struct rollway_record *r,
                         int64_t *ret_first)
{
    int rc = RW_OK;
    if (log->buffering && rw_builder_size(&log->builder) + r->key_size + r->value_size + 64 >
                              (size_t)log->options.buffer_bytes)
        rc = rollway_write_buffer(log);
    if (rc)
        return rc;
    if (!log->buffering)
        rw_builder_reset(&log->builder, rw_log_end(log->log));
    int64_t offset = rw_log_end(log->log) + log->builder.count;
    rc = add_record(log, r, offset, r->timestamp_ms ? 0 : rw_wall_ms(log->env->clock));
    if (rc)
        return rc;
    log->buffering = true;
    *ret_first = offset;
    return RW_OK;
}

/* After the append: what the policy asks for. */
static int settle(struct rollway_log *log, size_t count)
{
    if (log->options.durability == ROLLWAY_DURABLE_EACH)
        return rollway_fail_code(log, rw_log_flush(log->log, NULL), "making a record durable");
    if (log->options.durability != ROLLWAY_DURABLE_COUNT)
        return RW_OK;
    rollway_lock_append(log);
    log->unflushed += (int64_t)count;
    bool due = log->unflushed >= log->options.flush_records;
    if (due)
        log->unflushed = 0;
    rollway_unlock_append(log);
    return due ? rollway_log_flush(log) : RW_OK;
}

int rollway_log_append(struct rollway_log *log, const struct rollway_record *records, size_t count,
                       int64_t *ret_offset)
{
    if (!records || !count || count > INT32_MAX)
        return rollway_fail(log, RW_E_INVAL, "no records");
    if (log->options.read_only)
        return rollway_fail(log, RW_E_PERM, "the log was opened read-only");
    int64_t first = -1;
    rollway_lock_append(log);
    int rc;
    bool buffer = count == 1 && log->options.buffer_bytes &&
                  records->key_size < (size_t)log->options.buffer_bytes &&
                  records->value_size < (size_t)log->options.buffer_bytes;
    if (buffer) {
        rc = buffer_record(log, records, &first);
    } else {
        rc = rollway_write_buffer(log);
        if (!rc)
            rc = append_records(log, records, count, &first);
    }
    rollway_unlock_append(log);
    if (!rc)
        rc = settle(log, count);
    if (!rc && ret_offset)
        *ret_offset = first;
    return rc;
}

int rollway_log_append_batch(struct rollway_log *log, void *batch, size_t size, int64_t *ret_offset)
{
    if (!batch)
        return rollway_fail(log, RW_E_INVAL, "no batch");
    if (log->options.read_only)
        return rollway_fail(log, RW_E_PERM, "the log was opened read-only");
    struct rw_append_info info = {0};
    rollway_lock_append(log);
    int rc = rollway_write_buffer(log);
    if (!rc)
        rc = append_bytes(log, batch, size, false, &info);
    rollway_unlock_append(log);
    if (!rc)
        rc = settle(log, (size_t)(info.last_offset - info.first_offset + 1));
    if (!rc && ret_offset)
        *ret_offset = info.first_offset;
    return rc;
}

int rollway_log_flush(struct rollway_log *log)
{
    if (log->options.read_only)
        return rollway_fail(log, RW_E_PERM, "the log was opened read-only");
    rollway_lock_append(log);
    int rc = rollway_write_buffer(log);
    log->unflushed = 0;
    rollway_unlock_append(log);
    return rc ? rc : rollway_fail_code(log, rw_log_flush(log->log, NULL), "flush");
}
