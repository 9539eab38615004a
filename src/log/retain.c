/*
 * Retention: which segments go, and how they go. Files are renamed to .deleted first and unlinked
 * later; a reader that holds the segment keeps its open files. Deletion is always from the oldest
 * on, so that offsets stay contiguous.
 *
 * Order: what lies below the log start, then size, then time (Kafka's deleteOldSegments).
 *
 * An index is a hint, and to delete on a hint is to lose data: a segment goes for its time when its batches
 * said so, in this process or when they were looked at for this (rw_log_check_times).
 */
#include "log/state.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "log/checkpoint.h"

static int reserve_deleted(struct rw_log *log, size_t n)
{
    rw_log_lock(log);
    int rc = RW_OK;
    if (log->deleted_n + n > log->deleted_cap) {
        size_t cap = log->deleted_n + n + 8;
        struct rw_segment **p = rw_realloc_array(log->deleted, cap, sizeof(struct rw_segment *));
        if (p) {
            log->deleted = p;
            log->deleted_cap = cap;
        } else {
            rc = RW_E_NOMEM;
        }
    }
    rw_log_unlock(log);
    return rc;
}

/* Takes one segment out of the list; its reference moves to the list of deleted ones. */
static void move_to_deleted(struct rw_log *log, size_t i, int64_t delete_at)
{
    rw_log_lock(log);
    struct rw_segment *s = log->segments[i];
    memmove(log->segments + i, log->segments + i + 1,
            (log->segments_n - i - 1) * sizeof(*log->segments));
    log->segments_n--;
    log->bytes -= s->size;
    s->delete_at = delete_at;
    log->deleted[log->deleted_n++] = s;
    log->dir_changes++;
    rw_log_unlock(log);
}

int rw_log_delete_segments(struct rw_log *log, size_t from, size_t to, bool backwards)
{
    int rc = reserve_deleted(log, to - from);
    int64_t delete_at = rw_wall_ms(log->env->clock) + log->config.file_delete_delay_ms;
    if (!rc)
        rc = rw_log_sync_directory(log);
    for (size_t n = to - from; n > 0 && !rc; n--) {
        size_t i = backwards ? from + n - 1 : from;
        int64_t base = log->segments[i]->base;
        rc = rw_segment_rename_deleted(log->env, log->dir, base);
        if (rc)
            return rw_log_fail(log, rc, "deleting a segment", base);
        move_to_deleted(log, i, delete_at);
        /* One by one: were a crash to bring some of them back but not all, there would be a gap, and
         * what lies behind it would look like what a torn write left, or like data. */
        rc = rw_log_sync_directory(log);
        if (rc && backwards) /* half a truncation */
            return rw_log_fail(log, rc, "deleting a segment", base);
    }
    return rc;
}

void rw_log_unlink_deleted(struct rw_log *log, int64_t now_ms)
{
    for (;;) {
        struct rw_segment *s = NULL;
        rw_log_lock(log);
        for (size_t i = 0; i < log->deleted_n && !s; i++) {
            if (log->deleted[i]->delete_at > now_ms)
                continue;
            s = log->deleted[i];
            log->deleted[i] = log->deleted[--log->deleted_n];
        }
        rw_log_unlock(log);
        if (!s)
            return;
        int rc = rw_segment_unlink_deleted(log->env, log->dir, s->base);
        if (rc)
            /* The next open tries again. */
            rw_diag(log->env->diag, RW_WARN, "log", "cannot remove a deleted segment",
                    rw_kv_str("dir", log->dir), rw_kv_int("segment", s->base),
                    rw_kv_code("error", rc));
        rw_segment_unref(s);
    }
}

/* Deletes the first n segments. The log always keeps one: the active segment goes only after a new
 * one was started. */
static int delete_first(struct rw_log *log, size_t n)
{
    if (!n)
        return RW_OK;
    int rc = RW_OK;
    if (n == log->segments_n)
        rc = rw_log_roll_at(log, atomic_load(&log->end));
    if (rc)
        return rc;
    RW_ASSERT(n < log->segments_n);
    /* What stays must stay: were the name of the new segment lost and those of the old ones gone, the log
     * would start again at an offset that was given before. */
    rc = rw_log_sync_directory(log);
    if (rc)
        return rc;
    /* The start moves first: no reader may be sent to a segment that is about to go. */
    rw_log_lock(log);
    int64_t start = log->segments[n]->base;
    if (start > atomic_load(&log->start))
        atomic_store(&log->start, start);
    if (start > atomic_load(&log->durable))
        atomic_store(&log->durable, start);
    rw_epochs_truncate_start(&log->epochs, atomic_load(&log->start));
    rw_log_unlock(log);
    rc = rw_log_delete_segments(log, 0, n, false);
    return rc ? rc : rw_log_drop_snapshots(log, start, INT64_MAX);
}

/* How many of the first segments lie wholly below the log start. Never the active one. */
static size_t below_start(const struct rw_log *log)
{
    size_t n = 0;
    while (n + 1 < log->segments_n && log->segments[n + 1]->base <= atomic_load(&log->start))
        n++;
    return n;
}

static bool may_delete(const struct rw_log *log, size_t i, int64_t below)
{
    bool last = i + 1 == log->segments_n;
    int64_t upper = last ? atomic_load(&log->end) : log->segments[i + 1]->base;
    return upper <= below && !(last && log->segments[i]->size == 0);
}

static size_t above_size(const struct rw_log *log, int64_t below)
{
    if (log->config.retention_bytes < 0 || log->bytes <= (uint64_t)log->config.retention_bytes)
        return 0;
    uint64_t excess = log->bytes - (uint64_t)log->config.retention_bytes;
    size_t n = 0;
    while (n < log->segments_n && may_delete(log, n, below) && log->segments[n]->size <= excess) {
        excess -= log->segments[n]->size;
        n++;
    }
    return n;
}

static bool is_too_old(const struct rw_log *log, int64_t newest, int64_t now_ms)
{
    return log->config.retention_ms >= 0 && newest < now_ms &&
           now_ms - newest > log->config.retention_ms;
}

/* Largest timestamp; for segments without any, when the file was last written. */
static int64_t newest_of(struct rw_log *log, const struct rw_segment *s)
{
    struct rw_path path;
    struct rw_stat st;
    rw_log_lock(log);
    int64_t newest = s->max_timestamp;
    bool certain = !s->times_trusted;
    rw_log_unlock(log);
    if (!certain)
        return INT64_MAX;
    if (newest >= 0)
        return newest;
    if (rw_path_of(&path, log->dir, s->base, RW_SUFFIX_LOG, NULL) == RW_OK &&
        log->env->vfs->ops->stat(log->env->vfs, path.s, &st) == RW_OK)
        return st.mtime_ms;
    return INT64_MAX;
}

static size_t too_old(struct rw_log *log, int64_t now_ms, int64_t below)
{
    size_t n = 0;
    while (n < log->segments_n && may_delete(log, n, below) &&
           is_too_old(log, newest_of(log, log->segments[n]), now_ms))
        n++;
    return n;
}

/* The first segment that would be deleted on its index's word; the caller unrefs it. NULL: none. */
static struct rw_segment *hold_uncertain(struct rw_log *log, int64_t now_ms, uint64_t *ret_size,
                                         int64_t *ret_end)
{
    struct rw_segment *found = NULL;
    rw_log_lock(log);
    for (size_t i = 0; i < log->segments_n && !found; i++) {
        struct rw_segment *s = log->segments[i];
        if (!is_too_old(log, s->max_timestamp, now_ms))
            break;
        if (!s->times_trusted)
            continue;
        rw_segment_ref(s);
        *ret_size = s->size;
        *ret_end = rw_log_segment_end(log, i);
        found = s;
    }
    rw_log_unlock(log);
    return found;
}

static int see_times(struct rw_log *log, struct rw_segment *s, uint64_t size, int64_t end)
{
    struct rw_scan scan;
    int64_t newest = -1, at = -1;
    int rc;
    rw_log_scan(log, s, 0, size, end, NULL, 64u << 10, &scan);
    while ((rc = rw_scan_next(&scan)) != 0) {
        if (rc == RW_E_CORRUPT || rc == RW_E_SHORT)
            rc = rw_scan_resync(&scan);
        else if (rc == 1 && scan.batch.max_timestamp > newest) {
            newest = scan.batch.max_timestamp;
            at = rw_batch_last_offset(&scan.batch);
        }
        if (rc != 1)
            break;
    }
    rw_scan_deinit(&scan);
    if (rc < 0)
        return rc;
    rw_log_lock(log);
    if (newest > s->max_timestamp) {
        s->max_timestamp = newest;
        s->max_timestamp_offset = at;
    }
    s->times_trusted = false;
    rw_log_unlock(log);
    return RW_OK;
}

void rw_log_check_times(struct rw_log *log, int64_t now_ms)
{
    struct rw_segment *s;
    uint64_t size;
    int64_t end;
    int rc = RW_OK;
    while (!rc && (s = hold_uncertain(log, now_ms, &size, &end))) {
        rc = see_times(log, s, size, end);
        if (rc)
            rw_diag(log->env->diag, RW_WARN, "log", "cannot tell how old a segment is: it is kept",
                    rw_kv_str("dir", log->dir), rw_kv_int("segment", s->base),
                    rw_kv_code("error", rc));
        rw_segment_unref(s);
    }
}

int rw_log_retain(struct rw_log *log, int64_t now_ms, int64_t below, int *ret_deleted)
{
    if (atomic_load(&log->state))
        return RW_E_OFFLINE;
    if (log->read_only)
        return RW_E_PERM;
    rw_producers_expire(&log->producers, now_ms, log->config.producer_expiry_ms);
    size_t total = 0, n = below_start(log);
    int rc = delete_first(log, n);
    total += n;
    if (!rc && log->config.cleanup_delete) {
        n = above_size(log, below);
        rc = delete_first(log, n);
        total += n;
    }
    if (!rc && log->config.cleanup_delete) {
        n = too_old(log, now_ms, below);
        rc = delete_first(log, n);
        total += n;
    }
    if (!rc && ret_deleted)
        *ret_deleted = (int)total;
    return rc;
}

int rw_log_trim(struct rw_log *log, int64_t offset)
{
    if (atomic_load(&log->state))
        return RW_E_OFFLINE;
    if (log->read_only)
        return RW_E_PERM;
    if (offset > atomic_load(&log->end))
        return RW_E_RANGE;
    if (offset <= atomic_load(&log->start))
        return RW_OK;
    rw_log_lock(log);
    atomic_store(&log->start, offset);
    rw_epochs_truncate_start(&log->epochs, offset);
    rw_log_unlock(log);
    return delete_first(log, below_start(log));
}
