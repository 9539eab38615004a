/*
 * Reading: from an offset to a range of a file. The index leads near the place, a few headers lead
 * to it; where the range ends comes from the index as well, so that a large read does not walk over
 * everything it returns. Nothing is copied and no record is looked at.
 *
 * The index is a hint and is never believed: what it points at must be a batch that lies before the
 * wanted offset, or the segment is scanned from its start. Damage between the hint and the offset is
 * stepped over when an intact batch with the offset lies behind it.
 */
#include "log/state.h"

#include "base/assert.h"

#define LOOK  4352 /* bytes per look: one index interval and a header */
#define SHORT (64u << 10)

/* Greatest index entry with field <= value: from the tail under the mutex, else from the view. */
static bool hint(struct rw_log *log, struct rw_segment *s, struct rw_index_field field,
                 int64_t value, struct rw_offset_entry *ret_entry)
{
    uint8_t bytes[RW_OFFSET_ENTRY_SIZE];
    struct rw_index_view view;
    rw_log_lock(log);
    bool found = rw_index_tail_find(&s->offsets, field, value, bytes);
    if (!found)
        rw_index_view(&s->offsets, &view);
    rw_log_unlock(log);
    if (!found)
        found = rw_index_view_find(&view, field, value, bytes);
    if (found)
        *ret_entry = rw_offset_entry_decode(bytes);
    return found;
}

void rw_log_scan(const struct rw_log *log, const struct rw_segment *s, uint64_t at, uint64_t size,
                 int64_t below, void *room, size_t chunk, struct rw_scan *ret_scan)
{
    rw_scan_init(ret_scan, s->file, at, size, room, chunk);
    rw_scan_expect(ret_scan, s->base, below, atomic_load(&log->contiguous));
}

static int step(struct rw_scan *scan)
{
    int rc = rw_scan_next(scan);
    return rc == RW_E_SHORT ? RW_E_CORRUPT : rc;
}

/* The next intact batch. */
static int resync(struct rw_scan *scan)
{
    int rc = rw_scan_resync(scan);
    return rc == 1 ? rw_scan_next(scan) : rc;
}

/* The next batch, over damage. RW_E_CORRUPT when `offset` may have been in what is destroyed. */
static int step_over(struct rw_scan *scan, int64_t offset)
{
    int rc = step(scan);
    if (rc != RW_E_CORRUPT)
        return rc;
    rc = resync(scan);
    return rc == 0 || (rc == 1 && scan->batch.base_offset > offset) ? RW_E_CORRUPT : rc;
}

/* The walk stands at a batch that says it goes on to `offset` or beyond. When its last offset is damaged,
 * the next batch contradicts: 1, and the walk goes on there. 0: nothing contradicts, it stays. */
static int look_behind(struct rw_scan *scan, int64_t offset)
{
    const uint64_t at = scan->at;
    const struct rw_batch batch = scan->batch;
    int rc = step(scan);
    if (rc == 1 && scan->batch.base_offset <= offset)
        return 1;
    scan->at = at;
    scan->batch = batch;
    return rc == 1 || rc == RW_E_CORRUPT ? 0 : rc;
}

/* Walks to the first batch that ends at or after offset. `hint`: the scan starts where an index entry
 * points, which is worth nothing unless the batch of the entry lies there; NULL: at the start. */
static int walk(struct rw_scan *scan, const struct rw_segment *s, int64_t offset,
                const struct rw_offset_entry *hint)
{
    int rc = hint ? step(scan) : step_over(scan, offset);
    if (hint && rc == 1 && rw_batch_last_offset(&scan->batch) != s->base + hint->relative)
        rc = RW_E_CORRUPT;
    while (rc == 1) {
        if (rw_batch_last_offset(&scan->batch) < offset)
            rc = step_over(scan, offset);
        else if (!scan->contiguous || scan->batch.base_offset >= offset)
            break;
        else if ((rc = look_behind(scan, offset)) == 0)
            return 1;
    }
    /* Without gaps it must be in there: the last offset of the batch before was damaged. */
    return rc == 1 && scan->contiguous && scan->batch.base_offset > offset ? RW_E_CORRUPT : rc;
}

/* One such walk: from where the hint points, or from the start. */
static int walk_from(struct rw_log *log, struct rw_segment *s, uint64_t size, int64_t below,
                     int64_t offset, const struct rw_offset_entry *hint,
                     struct rw_locate *ret_locate)
{
    uint8_t room[LOOK];
    struct rw_scan scan;
    rw_log_scan(log, s, hint ? (uint64_t)hint->position : 0, size, below, room, sizeof(room),
                &scan);
    int rc = walk(&scan, s, offset, hint);
    ret_locate->at = rc == 1 ? scan.at : size;
    ret_locate->batch = scan.batch;
    rw_scan_deinit(&scan);
    return rc < 0 ? rc : RW_OK;
}

int rw_log_locate(struct rw_log *log, struct rw_segment *s, uint64_t size, int64_t below,
                  int64_t offset, struct rw_locate *ret_locate)
{
    struct rw_offset_entry e;
    if (offset > s->base && hint(log, s, RW_OFFSET_FIELD, offset - s->base, &e) && e.position > 0 &&
        (uint64_t)e.position < size) {
        int rc = walk_from(log, s, size, below, offset, &e, ret_locate);
        if (rc != RW_E_CORRUPT)
            return rc;
    }
    return walk_from(log, s, size, below, offset, NULL, ret_locate);
}

int64_t rw_log_segment_end(const struct rw_log *log, size_t i)
{
    return i + 1 < log->segments_n ? log->segments[i + 1]->base : atomic_load(&log->end);
}

/* How far the range may go behind its first batch: whole batches up to limit that end below `below`.
 * *ret_more: the limit ended it, not `below` or the segment. */
static int extend(struct rw_log *log, struct rw_segment *s, const struct rw_locate *first,
                  uint64_t limit, uint64_t size, int64_t below, bool bounded, uint64_t *ret_end,
                  bool *ret_more)
{
    const uint64_t from = first->at + rw_batch_size(&first->batch);
    *ret_more = false;
    if (limit >= size && !bounded) {
        *ret_end = size;
        return RW_OK;
    }
    struct rw_offset_entry e;
    uint64_t at = from, by_below = UINT64_MAX;
    if (bounded) {
        by_below = from;
        if (hint(log, s, RW_OFFSET_FIELD, below - 1 - s->base, &e) && (uint64_t)e.position > from)
            by_below = (uint64_t)e.position;
    }
    if (limit < size) {
        if (hint(log, s, RW_POSITION_FIELD, (int64_t)limit, &e) && (uint64_t)e.position > at)
            at = (uint64_t)e.position;
    } else {
        at = by_below;
    }
    if (by_below < at)
        at = by_below;
    uint8_t room[LOOK];
    struct rw_scan scan;
    rw_scan_init(&scan, s->file, at, size, room, sizeof(room));
    scan.batch_bytes = rw_batch_size(&first->batch); /* the others are probably like it */
    int rc;
    while ((rc = rw_scan_next(&scan)) == 1 && scan.next <= limit &&
           rw_batch_last_offset(&scan.batch) < below)
        at = scan.next;
    *ret_more = rc == 1 && rw_batch_last_offset(&scan.batch) < below;
    rw_scan_deinit(&scan);
    *ret_end = at;
    /* What is damaged further on is found when it is asked for. */
    return rc == 1 || rc == RW_E_CORRUPT || rc == RW_E_SHORT ? RW_OK : rc;
}

static int range_of(struct rw_log *log, struct rw_segment *s, uint64_t size, int64_t next,
                    int64_t offset, int64_t below, bool bounded, size_t max_bytes, bool min_one,
                    struct rw_log_range *ret_range)
{
    struct rw_locate found;
    int rc = rw_log_locate(log, s, size, next, offset, &found);
    if (rc || found.at == size)
        return rc;
    size_t first = rw_batch_size(&found.batch);
    if (bounded && rw_batch_last_offset(&found.batch) >= below)
        return RW_OK;
    uint64_t limit = max_bytes > size - found.at ? size : found.at + max_bytes, end;
    bool more;
    if (first > max_bytes) {
        end = min_one ? found.at + first : found.at + max_bytes;
        more = !min_one || rw_batch_last_offset(&found.batch) + 1 < (bounded ? below : next);
    } else {
        rc = extend(log, s, &found, limit, size, below, bounded, &end, &more);
        if (rc)
            return rc;
    }
    ret_range->file = s->file;
    ret_range->at = found.at;
    ret_range->n = (size_t)(end - found.at);
    ret_range->first_offset = found.batch.base_offset;
    ret_range->more = more;
    return RW_OK;
}

struct rw_segment *rw_log_hold(struct rw_log *log, int64_t offset, const struct rw_segment *after,
                               uint64_t *ret_size, int64_t *ret_next, bool *ret_last)
{
    rw_log_lock(log);
    size_t i = rw_log_segment_at(log, offset);
    while (after && i < log->segments_n && log->segments[i]->base <= after->base)
        i++;
    struct rw_segment *s = i < log->segments_n ? log->segments[i] : NULL;
    if (s) {
        rw_segment_ref(s);
        *ret_size = s->size;
        *ret_last = i + 1 == log->segments_n;
        *ret_next = rw_log_segment_end(log, i);
    }
    rw_log_unlock(log);
    return s;
}

int rw_log_read(struct rw_log *log, int64_t offset, int64_t below, size_t max_bytes, bool min_one,
                struct rw_log_range *ret_range)
{
    struct rw_log_range range = {.first_offset = -1};
    if (offset < atomic_load(&log->start) || offset > atomic_load(&log->end))
        return RW_E_RANGE;
    int rc = RW_OK;
    struct rw_segment *s = NULL;
    while (!rc && !range.n && offset < below) {
        uint64_t size;
        int64_t next;
        bool last;
        /* After the first round: that segment ended in a gap, the next one has what follows. */
        struct rw_segment *held = rw_log_hold(log, offset, s, &size, &next, &last);
        rw_segment_unref(s);
        s = held;
        if (!s)
            break;
        bool bounded = below < next;
        if (size)
            rc = range_of(log, s, size, next, offset, below, bounded, max_bytes, min_one, &range);
        if (bounded || last)
            break;
        range.more |= range.n > 0 && below > next;
        /* Compaction leaves gaps, but not in a log that has the mark. */
        if (!rc && !range.n && offset < next && atomic_load(&log->contiguous))
            rc = RW_E_CORRUPT;
    }
    if (rc || !range.n)
        rw_segment_unref(s);
    else
        range.hold = s;
    if (!rc)
        *ret_range = range;
    return rc;
}

/* Where reading at offset begins to look into the segment's file. False: the index that says so may have to
 * be fetched from the disk, or there is none to speak of. */
static bool warm_hint(struct rw_log *log, struct rw_segment *s, uint64_t size, int64_t offset,
                      uint64_t *ret_at)
{
    uint8_t bytes[RW_OFFSET_ENTRY_SIZE];
    struct rw_index_view view;
    rw_log_lock(log);
    bool empty = rw_index_count(&s->offsets) == 0;
    bool found = rw_index_tail_find(&s->offsets, RW_OFFSET_FIELD, offset - s->base, bytes);
    if (!found)
        rw_index_view(&s->offsets, &view);
    rw_log_unlock(log);
    if (empty && size > SHORT)
        return false;
    if (!found && view.file && view.n) {
        if (!view.file->ops->is_cached(view.file, 0, (uint64_t)view.n * view.entry_size))
            return false;
        found = rw_index_view_find(&view, RW_OFFSET_FIELD, offset - s->base, bytes);
    }
    *ret_at = found ? (uint64_t)rw_offset_entry_decode(bytes).position : 0;
    return *ret_at < size;
}

bool rw_log_is_warm(struct rw_log *log, int64_t offset, size_t max_bytes)
{
    uint64_t size, at, n = (uint64_t)max_bytes + LOOK;
    int64_t next;
    bool last;
    struct rw_segment *s = rw_log_hold(log, offset, NULL, &size, &next, &last);
    if (!s)
        return false;
    bool warm = warm_hint(log, s, size, offset, &at) &&
                s->file->ops->is_cached(s->file, at, n < size - at ? n : size - at);
    rw_segment_unref(s);
    return warm;
}

/* Finds offset in bytes of a segment: from its start, or (hint) from where the index pointed. False when
 * anything is odd: the long way decides. */
static bool find_in(const uint8_t *p, size_t n, const struct rw_segment *s,
                    const struct rw_offset_entry *hint, int64_t offset, bool contiguous,
                    size_t *ret_at)
{
    struct rw_batch b;
    int64_t min = s->base;
    for (size_t at = 0; at < n; at += rw_batch_size(&b)) {
        if (rw_batch_decode(p + at, n - at, &b) || b.base_offset < min || b.base_offset > offset)
            return false;
        if (at == 0 && hint ? rw_batch_last_offset(&b) != s->base + hint->relative
                            : contiguous && b.base_offset != min)
            return false;
        if (rw_batch_last_offset(&b) >= offset) {
            *ret_at = at;
            return rw_batch_size(&b) <= n - at;
        }
        min = rw_batch_last_offset(&b) + 1;
    }
    return false;
}

int rw_log_peek(struct rw_log *log, int64_t offset, uint8_t *room, size_t room_n, size_t *ret_at,
                size_t *ret_n)
{
    *ret_at = *ret_n = 0;
    if (offset < atomic_load(&log->start) || offset > atomic_load(&log->end))
        return RW_E_RANGE;
    uint64_t size;
    int64_t next;
    bool last;
    struct rw_segment *s = rw_log_hold(log, offset, NULL, &size, &next, &last);
    if (!s)
        return RW_OK;
    struct rw_offset_entry e;
    bool hinted =
        offset > s->base && hint(log, s, RW_OFFSET_FIELD, offset - s->base, &e) && e.position > 0;
    uint64_t from = hinted ? (uint64_t)e.position : 0;
    int rc = RW_OK;
    if (from < size && offset < next) {
        size_t n = 0, at = 0;
        rc = rw_file_read_at(s->file, from, room, room_n < size - from ? room_n : size - from, &n);
        if (rc == RW_OK &&
            find_in(room, n, s, hinted ? &e : NULL, offset, atomic_load(&log->contiguous), &at)) {
            *ret_at = at;
            *ret_n = n;
        }
    }
    rw_segment_unref(s);
    return rc;
}

/* Within one segment: the base of the first intact batch that starts after offset; -1: none. */
static int intact_after(struct rw_log *log, struct rw_segment *s, uint64_t size, int64_t below,
                        int64_t offset, int64_t *ret_offset)
{
    struct rw_scan scan;
    rw_log_scan(log, s, 0, size, below, NULL, 256u << 10, &scan);
    int64_t found = -1;
    int rc = 1;
    while (rc == 1 && found < 0) {
        const uint8_t *body;
        rc = step(&scan);
        if (rc == RW_E_CORRUPT)
            rc = resync(&scan);
        if (rc != 1)
            break;
        if (scan.batch.base_offset <= offset)
            continue;
        int bad = rw_scan_check(&scan, &body);
        if (bad == RW_OK)
            found = scan.batch.base_offset;
        else if (bad != RW_E_CORRUPT)
            rc = bad;
    }
    rw_scan_deinit(&scan);
    *ret_offset = found;
    return rc < 0 ? rc : RW_OK;
}

int rw_log_skip_damage(struct rw_log *log, int64_t offset, int64_t *ret_offset)
{
    uint64_t size;
    int64_t next, found = -1;
    bool last;
    struct rw_segment *s = rw_log_hold(log, offset, NULL, &size, &next, &last);
    if (!s)
        return RW_E_RANGE;
    int rc = intact_after(log, s, size, next, offset, &found);
    rw_segment_unref(s);
    if (!rc)
        *ret_offset = found >= 0 ? found : next;
    return rc;
}

void rw_log_range_release(struct rw_log_range *range)
{
    rw_segment_unref(range->hold);
    *range = (struct rw_log_range){.first_offset = -1};
}
