/*
 * Rolling: when a new segment starts, sealing the old one, preallocation's end, and the producer
 * snapshot that belongs to the start of every segment.
 */
#include "log/state.h"

#include "base/assert.h"
#include "log/ahead.h"
#include "log/checkpoint.h"

/* How long the segment has been collecting. Message timestamps count where there are any, so that
 * replicas roll at the same place and old data that is copied in does not roll at every append. */
static int64_t waited_ms(const struct rw_segment *s, int64_t now_ms, int64_t max_timestamp)
{
    if (s->first_timestamp >= 0 && max_timestamp >= 0)
        return max_timestamp - s->first_timestamp;
    return (now_ms ? now_ms : rw_wall_ms(s->env->clock)) - s->created_ms;
}

bool rw_log_should_roll(const struct rw_log *log, size_t before, uint64_t n, int64_t now_ms,
                        int64_t max_timestamp, int64_t last_offset)
{
    const struct rw_segment *s = rw_log_active(log);
    if (last_offset - s->base > INT32_MAX)
        return true;
    if (s->size == 0)
        return before > 0; /* what the segment's age is measured from comes alone */
    const struct rw_log_config *c = &log->config;
    return s->size + n > (uint64_t)c->segment_bytes ||
           waited_ms(s, now_ms, max_timestamp) > c->segment_ms - s->jitter_ms ||
           rw_index_count(&s->offsets) + before >= s->offsets.max ||
           /* One entry is kept back for the closing one. */
           rw_index_count(&s->times) + before + 1 >= s->times.max;
}

bool rw_log_has_room(const struct rw_log *log, uint64_t n)
{
    return n <= INT32_MAX - rw_log_active(log)->size;
}

/* Everything is in the files, the closing time entry too. */
bool rw_log_is_indexed(const struct rw_segment *s)
{
    return s->offsets.file && s->times.file && !s->offsets.tail_n && !s->times.tail_n &&
           s->noted_timestamp >= s->max_timestamp;
}

/* An index file without its end (the disk was full) would be taken for whole at the next open: without
 * its name it is built anew then. This process goes on with what it has. */
static int disown_indexes(struct rw_log *log, const struct rw_segment *s)
{
    struct rw_path path;
    int rc = rw_path_of(&path, log->dir, s->base, RW_SUFFIX_TIMEINDEX, NULL);
    if (!rc)
        rc = rw_file_remove(log->env, path.s);
    rw_diag(log->env->diag, RW_WARN, "log", "an index could not be written to its end",
            rw_kv_str("dir", log->dir), rw_kv_int("segment", s->base), rw_kv_code("removed", rc));
    rw_log_lock(log);
    log->dir_changes++;
    rw_log_unlock(log);
    return rc;
}

void rw_log_spill(struct rw_log *log, struct rw_segment *s, bool all)
{
    if (s->offsets.tail_n == RW_INDEX_TAIL || all) {
        uint32_t n = rw_index_spill(&s->offsets);
        rw_log_lock(log);
        rw_index_spilled(&s->offsets, n);
        rw_log_unlock(log);
    }
    if (s->times.tail_n == RW_INDEX_TAIL || all) {
        uint32_t n = rw_index_spill(&s->times);
        if (!n && s->times.tail_n)
            s->noted_timestamp = -1; /* those entries are lost, the closing one has to come again */
        rw_log_lock(log);
        rw_index_spilled(&s->times, n);
        rw_log_unlock(log);
    }
}

int rw_log_close_indexes(struct rw_log *log, struct rw_segment *s)
{
    rw_log_spill(log, s, false);
    rw_log_lock(log);
    rw_segment_note_end(s);
    rw_log_unlock(log);
    rw_log_spill(log, s, true);
    return rw_log_is_indexed(s) ? RW_OK : disown_indexes(log, s);
}

int rw_log_seal(struct rw_log *log, struct rw_segment *s)
{
    int rc = rw_log_close_indexes(log, s);
    if (rc)
        return rw_log_fail(log, rc, "removing an index that is not whole", s->base);
    rc = rw_ahead_cut(s);
    return rc ? rw_log_fail(log, rc, "cutting off zeros", s->base) : RW_OK;
}

int rw_log_sync_sealed(struct rw_log *log, struct rw_segment *s)
{
    int rc = s->cut ? s->file->ops->sync_data(s->file) : RW_OK;
    if (!rc)
        rc = rw_segment_sync_indexes(s);
    return rc ? rw_log_fail(log, rc, "syncing a sealed segment", s->base) : RW_OK;
}

int rw_log_write_snapshot(struct rw_log *log, int64_t offset, bool durable)
{
    if (log->snapshot_at == offset)
        return RW_OK;
    struct rw_path path;
    int rc = rw_path_of(&path, log->dir, offset, RW_SUFFIX_SNAPSHOT, NULL);
    if (rc)
        return rc;
    rw_buf_clear(&log->text);
    rw_snapshot_encode(&log->producers, &log->text);
    if (log->text.failed)
        return RW_E_NOMEM;
    rc = rw_file_replace(log->env, path.s, log->text.p, log->text.n, durable);
    if (!rc)
        log->snapshot_at = offset;
    return rc;
}

/* [L] Takes the text of the cache to be written. False: it is in the file, or somebody is writing it. */
static bool take_epochs(struct rw_log *log, struct rw_buf *text)
{
    if (!log->epochs.dirty || log->epochs_busy)
        return false;
    rw_epochs_format(&log->epochs, text);
    log->epochs_busy = true;
    log->epochs_writing = log->epochs.unsaved;
    log->epochs.unsaved = INT64_MAX;
    log->epochs.dirty = false;
    return true;
}

int rw_log_write_epochs(struct rw_log *log)
{
    struct rw_path path;
    struct rw_buf text;
    rw_buf_init(&text);
    rw_log_lock(log);
    bool mine = take_epochs(log, &text);
    rw_log_unlock(log);
    if (!mine)
        return RW_OK;
    int rc = rw_path_join(&path, log->dir, RW_EPOCHS_NAME, NULL);
    if (!rc)
        rc = text.failed ? RW_E_NOMEM : rw_file_replace(log->env, path.s, text.p, text.n, true);
    rw_log_lock(log);
    if (rc) {
        log->epochs.dirty = true;
        if (log->epochs_writing < log->epochs.unsaved)
            log->epochs.unsaved = log->epochs_writing;
    }
    log->epochs_writing = INT64_MAX;
    log->epochs_busy = false;
    rw_log_unlock(log);
    rw_buf_deinit(&text);
    return rc;
}

static bool is_flushed(struct rw_log *log, const struct rw_segment *s)
{
    rw_log_lock(log);
    bool flushed = s->synced == s->size;
    rw_log_unlock(log);
    return flushed;
}

int rw_log_roll_at(struct rw_log *log, int64_t base)
{
    RW_ASSERT(base >= atomic_load(&log->end));
    struct rw_segment *old = rw_log_active(log), *fresh;
    if (base == old->base)
        return RW_OK;
    int rc = rw_log_seal(log, old);
    if (rc)
        return rc;
    /* The indexes and the end must be on disk before the name of the next segment can be: a recovery
     * point at `base` makes the next open take them on trust. With unsynced data it lies lower, and the
     * next flush syncs them together with the data; but a segment that was scanned after a crash counts
     * as unsynced although the recovery point may lie at its end. */
    bool done = is_flushed(log, old) || atomic_load(&log->durable) >= base;
    rc = done ? rw_log_sync_directory(log) : RW_OK;
    if (rc)
        return rc;
    if (done && (rc = rw_log_sync_sealed(log, old)) != RW_OK)
        return rc;
    rc = rw_log_reserve_segment(log);
    if (!rc)
        rc = rw_segment_create(log->env, log->dir, base, &log->config, &fresh);
    if (rc)
        return rc == RW_E_IO ? rw_log_fail(log, rc, "creating a segment", base) : rc;
    rw_log_lock(log);
    old->sealed = true;
    log->dir_changes++;
    rw_log_push_segment(log, fresh);
    rw_log_unlock(log);
    /* A flush that ran meanwhile took it for the active segment. */
    if (!done && is_flushed(log, old) && (rc = rw_log_sync_sealed(log, old)) != RW_OK)
        return rc;
    /* Both can be had again by reading the log: a full disk must not stop the roll that retention
     * needs to free space. */
    rc = rw_log_write_snapshot(log, base, false);
    if (!rc)
        rc = rw_log_write_epochs(log);
    if (rc)
        rw_diag(log->env->diag, RW_WARN, "log", "no producer snapshot or epoch checkpoint at roll",
                rw_kv_str("dir", log->dir), rw_kv_int("offset", base), rw_kv_code("error", rc));
    return RW_OK;
}

int rw_log_roll(struct rw_log *log)
{
    if (atomic_load(&log->state))
        return RW_E_OFFLINE;
    if (log->read_only)
        return RW_E_PERM;
    if (rw_log_active(log)->size == 0)
        return RW_OK;
    return rw_log_roll_at(log, atomic_load(&log->end));
}
