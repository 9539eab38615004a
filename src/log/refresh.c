/*
 * A read-only log beside a writer in another process: takes in what the writer did since. New batches
 * count once they are whole (the writer may be in the middle of one), new segments once they are
 * there. Nothing is shared with the writer but the files, and he may be in the middle of anything: what
 * does not fit together yet is left for the next look.
 *
 * Invariant: start <= end at every moment, for who reads the start first.
 */
#include "log/state.h"

#include <string.h>

#include "base/mem.h"

struct newer {
    int64_t after, best;
    int64_t lowest;
};

static int see_name(void *arg, const char *name)
{
    struct newer *n = arg;
    int64_t base;
    const char *suffix;
    if (!rw_name_parse(name, &base, &suffix) || strcmp(suffix, RW_SUFFIX_LOG) != 0)
        return RW_OK;
    if (base > n->after && base < n->best)
        n->best = base;
    if (base < n->lowest)
        n->lowest = base;
    return RW_OK;
}

/* Did the writer remove the segment by a truncation, and perhaps make another one of that name? */
static int is_gone(struct rw_log *log, const struct rw_segment *s, bool *ret_gone)
{
    uint64_t id = s->file_id;
    int rc = rw_segment_file_id(log->env, log->dir, s->base, &id);
    *ret_gone = rc == RW_E_NOT_FOUND || id != s->file_id;
    return rc == RW_E_NOT_FOUND ? RW_OK : rc;
}

/* [L] The end is never below the start, also while the writer makes a batch smaller that has both in it. */
static void set_bounds(struct rw_log *log, int64_t start)
{
    if (start < log->segments[0]->base)
        start = log->segments[0]->base;
    int64_t end = log->last_end > start ? log->last_end : start;
    if (end < atomic_load(&log->start))
        atomic_store(&log->start, start);
    atomic_store(&log->end, end);
    atomic_store(&log->durable, end);
    atomic_store(&log->start, start);
}

/* How many segments are left of those that were seen: the writer may have removed some at the end. */
static int count_left(struct rw_log *log, size_t *ret_left)
{
    bool gone = true;
    size_t left = log->segments_n;
    int rc = RW_OK;
    while (left && !(rc = is_gone(log, log->segments[left - 1], &gone)) && gone)
        left--;
    *ret_left = left;
    return rc;
}

/* Nothing is left: another segment begins the log now. NULL: not yet. */
static int open_first(struct rw_log *log, struct rw_segment **ret_segment)
{
    struct newer n = {-1, INT64_MAX, INT64_MAX};
    *ret_segment = NULL;
    int rc = log->env->vfs->ops->list(log->env->vfs, log->dir, see_name, &n);
    if (rc || n.best == INT64_MAX)
        return rc;
    rc = rw_segment_open(log->env, log->dir, n.best, &log->config, true, ret_segment);
    if (rc)
        return rc == RW_E_NOT_FOUND ? RW_OK : rc;
    (*ret_segment)->size = 0;
    return RW_OK;
}

/* Did the writer cut off what was seen here? The file may be longer again by now, with other batches
 * or with zeros that were written ahead. */
static int was_cut(struct rw_log *log, struct rw_segment *s, uint64_t file_size, bool *ret_cut)
{
    uint8_t p[RW_BATCH_HEADER_SIZE];
    struct rw_batch batch;
    size_t n = 0;
    *ret_cut = file_size < s->size;
    if (*ret_cut || !s->size || !log->last_known)
        return RW_OK;
    int rc = rw_file_read_at(s->file, log->last_at, p, sizeof(p), &n);
    if (!rc)
        *ret_cut = rw_batch_decode(p, n, &batch) != RW_OK || batch.crc != log->last_crc ||
                   rw_batch_last_offset(&batch) + 1 != log->last_end;
    return rc;
}

/* 1 when there is a header behind the end. Most of the time there is none, and then no more than that
 * is read of the zeros that are there. */
static int is_news(struct rw_segment *s, uint64_t file_size)
{
    uint8_t room[RW_BATCH_HEADER_SIZE];
    struct rw_scan scan;
    rw_scan_init(&scan, s->file, s->size, file_size, room, sizeof(room));
    int rc = rw_scan_next(&scan);
    rw_scan_deinit(&scan);
    return rc == RW_E_CORRUPT || rc == RW_E_SHORT ? 0 : rc;
}

/* What is whole of a segment. */
struct seen {
    uint64_t size;
    int64_t end;
    int64_t max_timestamp, max_timestamp_offset; /* of what is new; -1: none */
    uint64_t last_at;
    uint32_t last_crc;
    bool any;
};

/* From byte `from` on, where offset `end` comes next. */
static int look(struct rw_log *log, struct rw_segment *s, uint64_t from, int64_t end,
                struct seen *ret_seen)
{
    struct seen seen = {.size = from, .end = end, .max_timestamp = -1, .max_timestamp_offset = -1};
    struct rw_scan scan;
    uint64_t file_size;
    int rc = s->file->ops->size(s->file, &file_size);
    if (rc)
        return rc;
    rw_log_scan(log, s, from, file_size, INT64_MAX, NULL, 256u << 10, &scan);
    while ((rc = rw_scan_next(&scan)) == 1) {
        const uint8_t *body;
        rc = rw_scan_check(&scan, &body);
        if (rc || scan.batch.base_offset < seen.end)
            break;
        seen.end = rw_batch_last_offset(&scan.batch) + 1;
        seen.size = scan.next;
        seen.last_at = scan.at;
        seen.last_crc = scan.batch.crc;
        seen.any = true;
        if (scan.batch.max_timestamp > seen.max_timestamp) {
            seen.max_timestamp = scan.batch.max_timestamp;
            seen.max_timestamp_offset = seen.end - 1;
        }
    }
    rw_scan_deinit(&scan);
    *ret_seen = seen;
    return rc == RW_E_NOMEM || rc == RW_E_IO ? rc : RW_OK;
}

/* [L] It is what the active segment is now. */
static void take(struct rw_log *log, const struct seen *seen)
{
    struct rw_segment *s = rw_log_active(log);
    log->bytes = log->bytes - s->size + seen->size;
    s->size = seen->size;
    if (seen->max_timestamp > s->max_timestamp) {
        s->max_timestamp = seen->max_timestamp;
        s->max_timestamp_offset = seen->max_timestamp_offset;
    }
    log->last_end = seen->end;
    if (seen->any)
        rw_log_remember_last(log, seen->last_at, seen->last_crc);
}

/* The writer took something back: the first `left` segments are still there, and the last of them is looked
 * at anew. All of it is replaced in one step, so that no other thread sees half of it. */
static int go_back(struct rw_log *log, size_t left)
{
    struct rw_segment *fresh = NULL;
    struct seen seen;
    int rc = left ? RW_OK : open_first(log, &fresh);
    if (rc || (!left && !fresh))
        return rc; /* he is in the middle of it */
    struct rw_segment *s = left ? log->segments[left - 1] : fresh;
    rc = look(log, s, 0, s->base, &seen);
    if (rc) {
        rw_segment_unref(fresh);
        return rc;
    }
    rw_log_lock(log);
    for (size_t i = left; i < log->segments_n; i++) {
        log->bytes -= log->segments[i]->size;
        rw_segment_unref(log->segments[i]);
    }
    log->segments_n = left;
    if (fresh)
        rw_log_push_segment(log, fresh);
    s->sealed = false;
    s->max_timestamp = s->max_timestamp_offset = -1;
    log->last_known = false;
    take(log, &seen);
    set_bounds(log, fresh ? fresh->base : atomic_load(&log->start));
    atomic_fetch_add(&log->rewinds, 1);
    rw_log_unlock(log);
    return RW_OK;
}

/* Follows the end of the active segment. */
static int follow_active(struct rw_log *log)
{
    struct rw_segment *s = rw_log_active(log);
    struct seen seen;
    uint64_t file_size;
    bool cut = false;
    int rc = s->file->ops->size(s->file, &file_size);
    if (!rc)
        rc = was_cut(log, s, file_size, &cut);
    if (!rc && cut)
        return go_back(log, log->segments_n);
    if (rc || (rc = is_news(s, file_size)) != 1)
        return rc;
    rc = look(log, s, s->size, log->last_end, &seen);
    if (rc)
        return rc;
    rw_log_lock(log);
    take(log, &seen);
    set_bounds(log, atomic_load(&log->start));
    rw_log_unlock(log);
    return RW_OK;
}

unsigned rw_log_rewinds(const struct rw_log *log)
{
    return atomic_load(&log->rewinds);
}

/* Takes in the segment after the active one; 1 when there was one, or may be. */
static int next_segment(struct rw_log *log, struct newer *n)
{
    struct rw_vfs *vfs = log->env->vfs;
    struct rw_segment *s;
    *n = (struct newer){rw_log_active(log)->base, INT64_MAX, INT64_MAX};
    int rc = vfs->ops->list(vfs, log->dir, see_name, n);
    if (rc || n->best == INT64_MAX)
        return rc;
    rc = rw_log_reserve_segment(log);
    if (!rc)
        rc = rw_segment_open(log->env, log->dir, n->best, &log->config, true, &s);
    if (rc)
        return rc == RW_E_NOT_FOUND ? 0 : rc;
    s->size = 0; /* follow_active() finds out what is whole */
    /* The writer is done with the segment before: its last batches may have come since we looked. Or he
     * took some of it back, and the name that was found is an old one. */
    unsigned rewinds = rw_log_rewinds(log);
    rc = follow_active(log);
    if (rc || rewinds != rw_log_rewinds(log)) {
        rw_segment_unref(s);
        return rc ? rc : 1;
    }
    rw_log_lock(log);
    rw_log_active(log)->sealed = true;
    rw_log_push_segment(log, s);
    log->last_end = s->base;
    log->last_known = false;
    set_bounds(log, atomic_load(&log->start));
    rw_log_unlock(log);
    return 1;
}

/* Drops segments whose files the writer has removed. */
static void drop_gone(struct rw_log *log, int64_t lowest)
{
    rw_log_lock(log);
    size_t n = 0;
    while (n + 1 < log->segments_n && log->segments[n]->base < lowest) {
        log->bytes -= log->segments[n]->size;
        rw_segment_unref(log->segments[n]);
        n++;
    }
    if (n) {
        memmove(log->segments, log->segments + n, (log->segments_n - n) * sizeof(*log->segments));
        log->segments_n -= n;
        set_bounds(log, atomic_load(&log->start));
    }
    rw_log_unlock(log);
}

int rw_log_refresh(struct rw_log *log, int64_t start)
{
    struct newer n;
    size_t left;
    if (!log->read_only)
        return RW_E_INVAL;
    int rc = count_left(log, &left);
    if (!rc)
        rc = left < log->segments_n ? go_back(log, left) : follow_active(log);
    while (!rc && (rc = next_segment(log, &n)) == 1)
        rc = follow_active(log);
    if (rc)
        return rc;
    if (n.lowest != INT64_MAX)
        drop_gone(log, n.lowest);
    rw_log_lock(log);
    if (start <= log->last_end)
        set_bounds(log, start);
    rw_log_unlock(log);
    return RW_OK;
}
