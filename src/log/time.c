/*
 * Reading by time: which offset is the first at or after a timestamp, and which record is the
 * youngest. The time index leads to a batch, the records of that batch give the exact answer.
 */
#include "log/state.h"

#include "base/mem.h"

#define CHUNK (64u << 10)

/* Position to scan from for the first timestamp >= ts: where every earlier record is older. Of the entries
 * that are older themselves: one with ts itself, when it is damaged, may name a later batch that has it too. */
static uint64_t start_position(struct rw_log *log, struct rw_segment *s, uint64_t size, int64_t end,
                               int64_t ts)
{
    uint8_t bytes[RW_TIME_ENTRY_SIZE];
    struct rw_index_view view;
    if (ts <= 0)
        return 0;
    rw_log_lock(log);
    bool found = rw_index_tail_find(&s->times, RW_TIME_FIELD, ts - 1, bytes);
    if (!found)
        rw_index_view(&s->times, &view);
    rw_log_unlock(log);
    if (!found && !rw_index_view_find(&view, RW_TIME_FIELD, ts - 1, bytes))
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

/* A segment that is held, and the largest timestamp in it (-1: none), which the batch with `offset` has. */
struct newest {
    struct rw_segment *s; /* NULL: none */
    uint64_t size;
    int64_t end;
    int64_t timestamp, offset;
};

/* Of the segments that begin at or above `base` the first one with the largest timestamp. */
static struct newest hold_newest(struct rw_log *log, int64_t base)
{
    struct newest best = {.timestamp = -1, .offset = -1};
    rw_log_lock(log);
    for (size_t i = 0; i < log->segments_n; i++) {
        struct rw_segment *s = log->segments[i];
        if (s->base >= base && s->max_timestamp > best.timestamp)
            best = (struct newest){s, s->size, rw_log_segment_end(log, i), s->max_timestamp,
                                   s->max_timestamp_offset};
    }
    if (best.s)
        rw_segment_ref(best.s);
    rw_log_unlock(log);
    return best;
}

/* The largest timestamp of the current batch's records from offset `from` on; -1: none, or damaged. */
static int newest_record(struct rw_scan *scan, int64_t from, int64_t *ret_timestamp)
{
    struct rw_records records = {0};
    struct rw_record record;
    const uint8_t *body;
    int64_t newest = -1;
    int rc = rw_scan_check(scan, &body);
    if (!rc)
        rc = rw_records_open(&records, body, rw_batch_size(&scan->batch));
    if (!rc)
        while ((rc = rw_records_next(&records, &record)) == 1)
            if (record.offset >= from && record.timestamp > newest)
                newest = record.timestamp;
    rw_records_deinit(&records);
    if (rc == RW_E_NOMEM || rc == RW_E_IO)
        return rc;
    *ret_timestamp = newest;
    return RW_OK;
}

/* What a trim left of the segment with `start`; always from the batches, the index tells of the whole. */
static int see_rest(struct rw_log *log, int64_t start, struct newest *rest)
{
    struct rw_scan scan;
    struct rw_locate from;
    if (rw_log_locate(log, rest->s, rest->size, rest->end, start, &from))
        from.at = 0;
    rw_log_scan(log, rest->s, from.at, rest->size, rest->end, NULL, CHUNK, &scan);
    int rc;
    while ((rc = rw_scan_next(&scan)) != 0) {
        if (rc == RW_E_CORRUPT || rc == RW_E_SHORT) {
            rc = rw_scan_resync(&scan);
            if (rc == 1)
                continue;
        }
        if (rc != 1)
            break;
        const struct rw_batch *b = &scan.batch;
        int64_t newest = b->max_timestamp;
        if (newest <= rest->timestamp || rw_batch_last_offset(b) < start)
            continue;
        if (b->base_offset < start && (rc = newest_record(&scan, start, &newest)) != RW_OK)
            break;
        if (newest > rest->timestamp) {
            rest->timestamp = newest;
            rest->offset = rw_batch_last_offset(b);
        }
    }
    rw_scan_deinit(&scan);
    return rc;
}

/* 1: the record. 0: it was trimmed. */
static int find_newest(struct rw_log *log, const struct newest *n, int64_t start,
                       struct rw_log_position *ret_position)
{
    struct rw_locate at;
    if (n->timestamp < 0 || n->offset < start)
        return 0;
    int rc = rw_log_locate(log, n->s, n->size, n->end, n->offset, &at);
    if (rc || at.at == n->size)
        return rc;
    struct rw_scan scan;
    struct rw_records records = {0};
    rw_log_scan(log, n->s, at.at, n->size, n->end, NULL, rw_batch_size(&at.batch), &scan);
    rc = rw_scan_next(&scan);
    if (rc == 1)
        rc = find_record(&scan, &records, n->timestamp, start, ret_position);
    rw_records_deinit(&records);
    rw_scan_deinit(&scan);
    return rc;
}

/* The same when the start lies inside of a segment. */
static int find_newest_left(struct rw_log *log, int64_t start, struct rw_log_position *ret_position)
{
    struct newest rest = {.timestamp = -1, .offset = -1};
    bool last;
    rest.s = rw_log_hold(log, start, NULL, &rest.size, &rest.end, &last);
    if (!rest.s)
        return 0;
    struct newest behind = hold_newest(log, rest.s->base + 1);
    int rc = see_rest(log, start, &rest);
    if (!rc)
        rc = find_newest(log, rest.timestamp >= behind.timestamp ? &rest : &behind, start,
                         ret_position);
    rw_segment_unref(rest.s);
    rw_segment_unref(behind.s);
    return rc;
}

int rw_log_max_time(struct rw_log *log, struct rw_log_position *ret_position)
{
    const int64_t start = atomic_load(&log->start);
    struct newest n = hold_newest(log, 0);
    int rc = find_newest(log, &n, start, ret_position);
    if (rc == 0 && n.s && n.s->base < start)
        rc = find_newest_left(log, start, ret_position);
    rw_segment_unref(n.s);
    if (rc == 0)
        *ret_position = (struct rw_log_position){-1, -1, -1};
    return rc < 0 ? rc : RW_OK;
}
