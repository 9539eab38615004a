/*
 * Reading by time: which offset is the first at or after a timestamp, and which record is the
 * youngest. The time index leads to a batch, the records of that batch give the exact answer.
 */
#include "log/state.h"

#include "base/mem.h"

#define CHUNK (64u << 10)

/* Position to scan from for the first timestamp >= ts: where every earlier record is older. */
static uint64_t start_position(struct rw_log *log, struct rw_segment *s, uint64_t size, int64_t end,
                               int64_t ts)
{
    uint8_t bytes[RW_TIME_ENTRY_SIZE];
    struct rw_index_view view;
    rw_log_lock(log);
    bool found = rw_index_tail_find(&s->times, RW_TIME_FIELD, ts, bytes);
    if (!found)
        rw_index_view(&s->times, &view);
    rw_log_unlock(log);
    if (!found && !rw_index_view_find(&view, RW_TIME_FIELD, ts, bytes))
        return 0;
    struct rw_locate at;
    struct rw_time_entry e = rw_time_entry_decode(bytes);
    /* A wrong hint costs time only: the entry says the largest timestamp of its batch. */
    return rw_log_locate(log, s, size, end, s->base + e.relative, &at) == RW_OK && at.at < size &&
                   at.batch.max_timestamp == e.timestamp
               ? at.at
               : 0;
}

/* The first record of the current batch that wants() accepts. 1: found. */
static int find_record(struct rw_scan *scan, struct rw_records *records, int64_t ts, int64_t from,
                       struct rw_log_position *ret_position)
{
    const uint8_t *body;
    int rc = rw_scan_check(scan, &body);
    if (!rc)
        rc = rw_records_open(records, body, rw_batch_size(&scan->batch));
    if (rc)
        return rc;
    struct rw_record record;
    while ((rc = rw_records_next(records, &record)) == 1)
        if (record.timestamp >= ts && record.offset >= from) {
            *ret_position =
                (struct rw_log_position){record.offset, record.timestamp, scan->batch.leader_epoch};
            return 1;
        }
    return rc;
}

/* 1: found. 0: not in this segment. */
static int find_in_segment(struct rw_log *log, struct rw_segment *s, uint64_t size, int64_t end,
                           int64_t ts, int64_t below, struct rw_log_position *ret_position)
{
    struct rw_scan scan;
    struct rw_records records = {0};
    int64_t from = atomic_load(&log->start);
    rw_log_scan(log, s, start_position(log, s, size, end, ts), size, end, NULL, CHUNK, &scan);
    int rc = 1, found = 0;
    while (rc == 1 && !found) {
        rc = rw_scan_next(&scan);
        if (rc == RW_E_CORRUPT || rc == RW_E_SHORT) {
            rc = rw_scan_resync(&scan);
            continue;
        }
        if (rc != 1 || rw_batch_last_offset(&scan.batch) >= below)
            break;
        if (scan.batch.max_timestamp < ts || rw_batch_last_offset(&scan.batch) < from)
            continue;
        found = find_record(&scan, &records, ts, from, ret_position);
        /* A damaged batch can not be the answer; the reader will hear of it when it gets there. */
        if (found == RW_E_CORRUPT)
            found = 0;
    }
    rw_records_deinit(&records);
    rw_scan_deinit(&scan);
    return found ? found : (rc < 0 ? rc : 0);
}

int rw_log_find_time(struct rw_log *log, int64_t ts, int64_t below,
                     struct rw_log_position *ret_position)
{
    struct rw_segment *s = NULL;
    int64_t next = 0;
    bool last = true;
    int rc = 0;
    do {
        uint64_t size;
        struct rw_segment *held =
            rw_log_hold(log, atomic_load(&log->start), s, &size, &next, &last);
        rw_segment_unref(s);
        s = held;
        if (!s)
            break;
        rw_log_lock(log);
        bool may = s->max_timestamp >= ts;
        rw_log_unlock(log);
        if (may && size)
            rc = find_in_segment(log, s, size, next, ts, below, ret_position);
    } while (!rc && !last && next < below);
    rw_segment_unref(s);
    if (rc == 0)
        *ret_position = (struct rw_log_position){-1, -1, -1};
    return rc < 0 ? rc : RW_OK;
}

int rw_log_max_time(struct rw_log *log, struct rw_log_position *ret_position)
{
    rw_log_lock(log);
    struct rw_segment *best = NULL;
    int64_t end = 0;
    for (size_t i = 0; i < log->segments_n; i++)
        if (!best || log->segments[i]->max_timestamp > best->max_timestamp) {
            best = log->segments[i];
            end = rw_log_segment_end(log, i);
        }
    int64_t ts = best ? best->max_timestamp : -1, offset = best ? best->max_timestamp_offset : -1;
    uint64_t size = best ? best->size : 0;
    if (best)
        rw_segment_ref(best);
    rw_log_unlock(log);
    int rc = 0;
    if (ts >= 0 && offset >= atomic_load(&log->start)) {
        struct rw_locate at;
        rc = rw_log_locate(log, best, size, end, offset, &at);
        if (!rc && at.at < size) {
            struct rw_scan scan;
            struct rw_records records = {0};
            rw_log_scan(log, best, at.at, size, end, NULL, rw_batch_size(&at.batch), &scan);
            rc = rw_scan_next(&scan);
            if (rc == 1)
                rc = find_record(&scan, &records, ts, atomic_load(&log->start), ret_position);
            rw_records_deinit(&records);
            rw_scan_deinit(&scan);
        }
    }
    rw_segment_unref(best);
    if (rc == 0)
        *ret_position = (struct rw_log_position){-1, -1, -1};
    return rc < 0 ? rc : RW_OK;
}
