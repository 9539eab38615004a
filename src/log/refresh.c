/*
 * A read-only log beside a writer in another process: takes in what the writer did since. New batches
 * count once they are whole (the writer may be in the middle of one), new segments once they are
 * there. Nothing is shared with the writer but the files.
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

/* Forgets segments from the newest one on that the writer has removed. *ret_any: there were some, and
 * the one that is active now has to be looked at from its start. */
static int forget_gone(struct rw_log *log, bool *ret_any)
{
    bool gone = true;
    int rc = RW_OK;
    *ret_any = false;
    while (!(rc = is_gone(log, rw_log_active(log), &gone)) && gone && log->segments_n > 1) {
        rw_log_lock(log);
        struct rw_segment *s = log->segments[--log->segments_n];
        log->bytes -= s->size;
        atomic_store(&log->end, s->base);
        atomic_store(&log->durable, s->base);
        rw_log_active(log)->sealed = false;
        rw_log_unlock(log);
        rw_segment_unref(s);
        *ret_any = true;
    }
    return rc;
}

/* The only segment was replaced: by another of its name, or (the log was emptied) of another one. */
static int replace_only(struct rw_log *log)
{
    struct newer n = {-1, INT64_MAX, INT64_MAX};
    struct rw_segment *fresh, *old = log->segments[0];
    int rc = log->env->vfs->ops->list(log->env->vfs, log->dir, see_name, &n);
    if (rc || n.best == INT64_MAX)
        return rc; /* the writer is in the middle of it */
    rc = rw_segment_open(log->env, log->dir, n.best, &log->config, true, &fresh);
    if (rc)
        return rc == RW_E_NOT_FOUND ? RW_OK : rc;
    fresh->size = 0;
    rw_log_lock(log);
    log->bytes -= old->size;
    log->segments[0] = fresh;
    if (atomic_load(&log->start) > fresh->base || fresh->base > old->base)
        atomic_store(&log->start, fresh->base);
    atomic_store(&log->end, fresh->base);
    atomic_store(&log->durable, fresh->base);
    rw_log_unlock(log);
    rw_segment_unref(old);
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
                   rw_batch_last_offset(&batch) + 1 != atomic_load(&log->end);
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

/* Follows the end of the active segment, forwards or, after a truncation (`cut`: it is known that there
 * was one), backwards. */
static int follow_active(struct rw_log *log, bool cut)
{
    struct rw_segment *s = rw_log_active(log);
    uint64_t file_size;
    int rc = s->file->ops->size(s->file, &file_size);
    if (!rc && !cut)
        rc = was_cut(log, s, file_size, &cut);
    if (rc)
        return rc;
    if (!cut && (rc = is_news(s, file_size)) != 1)
        return rc;
    int64_t end = cut ? s->base : atomic_load(&log->end), max_ts = -1, max_at = -1;
    uint64_t good = cut ? 0 : s->size;
    struct rw_scan scan;
    rw_log_scan(log, s, good, file_size, INT64_MAX, NULL, 256u << 10, &scan);
    while ((rc = rw_scan_next(&scan)) == 1) {
        const uint8_t *body;
        rc = rw_scan_check(&scan, &body);
        if (rc || scan.batch.base_offset < end)
            break;
        end = rw_batch_last_offset(&scan.batch) + 1;
        good = scan.next;
        rw_log_remember_last(log, scan.at, scan.batch.crc);
        if (scan.batch.max_timestamp > max_ts) {
            max_ts = scan.batch.max_timestamp;
            max_at = end - 1;
        }
    }
    rw_scan_deinit(&scan);
    if (rc == RW_E_NOMEM || rc == RW_E_IO)
        return rc;
    rw_log_lock(log);
    log->bytes = log->bytes - s->size + good;
    s->size = good;
    if (cut || max_ts > s->max_timestamp) {
        s->max_timestamp = max_ts;
        s->max_timestamp_offset = max_at;
    }
    atomic_store(&log->end, end);
    atomic_store(&log->durable, end);
    rw_log_unlock(log);
    return RW_OK;
}

/* Takes in the segment after the active one; 1 when there was one. */
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
    /* The writer is done with the segment before: its last batches may have come since we looked. */
    rc = follow_active(log, false);
    if (rc) {
        rw_segment_unref(s);
        return rc;
    }
    rw_log_lock(log);
    rw_log_active(log)->sealed = true;
    rw_log_push_segment(log, s);
    atomic_store(&log->end, s->base);
    log->last_known = false;
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
        if (log->segments[0]->base > atomic_load(&log->start))
            atomic_store(&log->start, log->segments[0]->base);
    }
    rw_log_unlock(log);
}

int rw_log_refresh(struct rw_log *log)
{
    if (!log->read_only)
        return RW_E_INVAL;
    struct newer n;
    bool cut, gone = false;
    int rc = forget_gone(log, &cut);
    if (!rc && log->segments_n == 1)
        rc = is_gone(log, log->segments[0], &gone);
    if (!rc && gone)
        rc = replace_only(log);
    if (!rc)
        rc = follow_active(log, cut || gone);
    while (!rc && (rc = next_segment(log, &n)) == 1)
        rc = follow_active(log, false);
    if (!rc && n.lowest != INT64_MAX)
        drop_gone(log, n.lowest);
    return rc;
}
