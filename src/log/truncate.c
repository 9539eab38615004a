/*
 * Removing the end of a log, or all of it. Segments above the cut are removed from the newest to the
 * oldest, then the one with the cut is shortened: a crash in between leaves a longer prefix, never a
 * hole. The flush token is held, so that no sync runs on a file that is being cut.
 *
 * The shortened segment becomes a new object with new index files: readers that still hold the old
 * one keep valid maps.
 */
#include "log/state.h"

#include "log/checkpoint.h"

/* Copies the index entries of batches before `size` into the fresh index of `to`. */
static int copy_entries(struct rw_log *log, struct rw_segment *from, struct rw_segment *to,
                        uint64_t size)
{
    struct rw_scan scan;
    int rc;
    rw_log_scan(log, to, 0, size, INT64_MAX, NULL, 64u << 10, &scan);
    /* From the batches, not from the old index: timestamps have to be found anyway, and a wrong index
     * would live on. The loop ends at the cut, or at damage that readers will report. */
    while ((rc = rw_scan_next(&scan)) == 1) {
        if (rw_segment_tails_full(to))
            rw_log_spill(log, to, false);
        rw_segment_note(to, &scan.batch, scan.at, log->config.index_interval_bytes);
    }
    rw_scan_deinit(&scan);
    to->created_ms = from->created_ms;
    to->jitter_ms = from->jitter_ms;
    return rc == RW_E_CORRUPT || rc == RW_E_SHORT ? RW_OK : rc;
}

static int shorten(struct rw_log *log, size_t i, uint64_t size)
{
    struct rw_segment *old = log->segments[i], *fresh;
    int rc = rw_segment_open(log->env, log->dir, old->base, &log->config, false, &fresh);
    if (rc)
        return rc;
    rc = fresh->file->ops->truncate(fresh->file, size);
    if (!rc)
        rc = fresh->file->ops->sync_full(fresh->file);
    if (rc) {
        rw_segment_unref(fresh);
        return rw_log_fail(log, rc, "cutting a segment", old->base);
    }
    fresh->size = fresh->reserved = fresh->file_end = size;
    /* Not more than before, although the file was synced just now: the segments that a flush looks at
     * are those from the first unsynced one on, and an earlier one may be unsynced still. */
    fresh->synced = old->synced < size ? old->synced : size;
    rw_segment_new_indexes(fresh, log->dir, &log->config);
    rc = copy_entries(log, old, fresh, size);
    if (rc) { /* half an index would be taken for whole later */
        rw_segment_unref(fresh);
        return rw_log_fail(log, rc, "reading a segment that was cut", old->base);
    }
    rw_log_lock(log);
    log->bytes = log->bytes - old->size + size;
    log->segments[i] = fresh;
    log->dir_changes++;
    rw_log_unlock(log);
    rw_segment_unref(old);
    return RW_OK;
}

/* Positions, epochs and producers after the files were cut. Without the producers the log can not go on: a
 * retry of what was cut off would be taken for a duplicate of what is there. Without the epochs' file it
 * can (rw_log_write_epochs). */
static int settle(struct rw_log *log, int64_t offset)
{
    rw_log_lock(log);
    atomic_store(&log->end, offset);
    if (atomic_load(&log->start) > offset)
        atomic_store(&log->start, offset);
    if (atomic_load(&log->durable) > offset)
        atomic_store(&log->durable, offset);
    rw_epochs_truncate_end(&log->epochs, offset);
    rw_log_unlock(log);
    int rc = rw_log_drop_snapshots(log, 0, offset + 1);
    if (!rc)
        rc = rw_log_load_producers(log, INT64_MAX);
    if (rc)
        return rw_log_fail(log, rc, "reading what is left of a log that was cut", offset);
    rc = rw_log_write_epochs(log);
    if (rc)
        rw_diag(log->env->diag, RW_WARN, "log", "no epoch checkpoint after a truncation",
                rw_kv_str("dir", log->dir), rw_kv_int("offset", offset), rw_kv_code("error", rc));
    return RW_OK;
}

/* Deletes every segment and starts at offset. The caller holds the token. */
static int restart_at(struct rw_log *log, int64_t offset)
{
    struct rw_segment *fresh;
    int rc = rw_log_reserve_segment(log);
    if (!rc)
        rc = rw_log_delete_segments(log, 0, log->segments_n, true);
    if (!rc) {
        rc = rw_segment_create(log->env, log->dir, offset, &log->config, &fresh);
        if (!rc && (rc = log->env->vfs->ops->sync_dir(log->env->vfs, log->dir)) != RW_OK)
            rw_segment_unref(fresh);
        /* Without a segment the log can not go on: its files are gone already. */
        if (rc)
            return rw_log_fail(log, rc, "starting a new first segment", offset);
        rw_log_lock(log);
        rw_log_push_segment(log, fresh);
        log->dir_changes++;
        atomic_store(&log->start, offset);
        atomic_store(&log->durable, offset);
        rw_epochs_clear(&log->epochs);
        rw_log_unlock(log);
    }
    if (!rc)
        rc = settle(log, offset);
    return rc;
}

static int cut(struct rw_log *log, int64_t offset)
{
    if (offset < log->segments[0]->base)
        return restart_at(log, offset);
    size_t i = rw_log_segment_at(log, offset);
    struct rw_segment *s = log->segments[i];
    struct rw_locate at;
    int rc = rw_log_locate(log, s, s->size, rw_log_segment_end(log, i), offset, &at);
    /* Inside of a batch: the batch goes as a whole, and the log goes on behind the gap. */
    if (!rc && at.at < s->size && at.batch.base_offset < offset)
        rc = rw_log_unmark_contiguous(log);
    if (rc)
        return rc;
    const size_t before = log->segments_n;
    if (i + 1 < before)
        rc = rw_log_delete_segments(log, i + 1, log->segments_n, true);
    /* The names must be gone before the cut: else a crash could bring a later segment back behind it. */
    if (!rc)
        rc = log->env->vfs->ops->sync_dir(log->env->vfs, log->dir);
    if (!rc && at.at < s->size)
        rc = shorten(log, i, at.at);
    rw_log_lock(log);
    rw_log_active(log)->sealed = false;
    rw_log_unlock(log);
    /* Half of it is done: what were appended now would come behind a gap. */
    if (rc && log->segments_n < before)
        return rw_log_fail(log, rc, "truncating", offset);
    return rc ? rc : settle(log, offset);
}

static int with_token(struct rw_log *log, int64_t offset, int (*act)(struct rw_log *, int64_t))
{
    if (atomic_load(&log->state))
        return RW_E_OFFLINE;
    if (log->read_only)
        return RW_E_PERM;
    if (offset < 0)
        return RW_E_INVAL;
    rw_log_lock(log);
    rw_log_take_token(log);
    rw_log_unlock(log);
    int rc = act(log, offset);
    rw_log_lock(log);
    rw_log_give_token(log);
    rw_log_unlock(log);
    return rc;
}

static int cut_epochs(struct rw_log *log, int64_t offset)
{
    rw_log_lock(log);
    rw_epochs_truncate_end(&log->epochs, offset);
    rw_log_unlock(log);
    return rw_log_write_epochs(log);
}

int rw_log_truncate(struct rw_log *log, int64_t offset)
{
    /* At or above the end only the epoch cache can hold something to remove. */
    return with_token(log, offset, offset >= atomic_load(&log->end) ? cut_epochs : cut);
}

int rw_log_reset(struct rw_log *log, int64_t offset)
{
    return with_token(log, offset, restart_at);
}
