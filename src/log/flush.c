/*
 * Group commit. Whoever finds the flush token free syncs for everybody: segment after segment in
 * order, so that `durable` never jumps over a file that is not on disk. The others wait; when they
 * wake, their records are covered or one of them takes the token. Appenders never wait for it: the
 * mutex is not held across a sync.
 *
 * A failed sync is final. The kernel may have dropped the pages and marked them clean; a second
 * fdatasync would report a success that is none.
 */
#include "log/ahead.h"

#define SHORTAGE_WAIT_US (100 * 1000)
#define SHORTAGE_WAITS   100

/* The first segment with something unsynced; they form a suffix of the list. [L] */
static struct rw_segment *first_unsynced(const struct rw_log *log, int64_t *ret_covers)
{
    size_t i = log->segments_n;
    while (i > 0 && log->segments[i - 1]->synced < log->segments[i - 1]->size)
        i--;
    /* An empty active segment has nothing to sync, but may hide an unsynced one before it. */
    if (i == log->segments_n && i > 1 && log->segments[i - 1]->size == 0) {
        i--;
        while (i > 0 && log->segments[i - 1]->synced < log->segments[i - 1]->size)
            i--;
    }
    if (i == log->segments_n || log->segments[i]->synced == log->segments[i]->size)
        return NULL;
    *ret_covers = i + 1 < log->segments_n ? log->segments[i + 1]->base : atomic_load(&log->end);
    return log->segments[i];
}

static int sync_segment(struct rw_segment *s, bool sealed)
{
    int rc = s->file->ops->sync_data(s->file);
    return rc || !sealed ? rc : rw_segment_sync_indexes(s);
}

/* A directory is opened to be synced: without a descriptor for it nothing has been tried yet. */
static bool is_shortage(int code)
{
    return code == RW_E_LIMIT || code == RW_E_NOMEM;
}

int rw_log_sync_directory(struct rw_log *log)
{
    rw_log_lock(log);
    uint64_t changes = log->dir_changes;
    bool dirty = log->dir_synced != changes;
    rw_log_unlock(log);
    if (!dirty)
        return RW_OK;
    int rc = log->env->vfs->ops->sync_dir(log->env->vfs, log->dir);
    if (rc)
        return is_shortage(rc)
                   ? rc
                   : rw_log_fail(log, rc, "syncing the directory", atomic_load(&log->durable));
    rw_log_lock(log);
    if (changes > log->dir_synced)
        log->dir_synced = changes;
    rw_log_unlock(log);
    return RW_OK;
}

/* First, and after it is settled what this round covers: a durable record's epoch must be known after
 * a crash. A failure is no reason to stop: the recovery point stays behind, and the epochs are found
 * again by reading the log from there. */
static void write_epochs(struct rw_log *log)
{
    int rc = rw_log_write_epochs(log);
    if (rc)
        rw_diag(log->env->diag, RW_WARN, "log", "cannot write the epoch checkpoint",
                rw_kv_str("dir", log->dir), rw_kv_code("error", rc));
}

static int flush_to(struct rw_log *log, int64_t target)
{
    int rc = RW_OK;
    for (;;) {
        rw_log_lock(log);
        int64_t covers = 0;
        struct rw_segment *s = first_unsynced(log, &covers);
        if (!s) {
            atomic_store(&log->durable, atomic_load(&log->end));
            rw_log_unlock(log);
            return RW_OK;
        }
        rw_segment_ref(s);
        uint64_t size = s->size;
        bool sealed = s->sealed;
        rw_log_unlock(log);
        write_epochs(log);
        rc = rw_log_sync_directory(log);
        if (!rc && (rc = sync_segment(s, sealed)) != RW_OK)
            rc = rw_log_fail(log, rc, "syncing a segment", s->base);
        rw_log_lock(log);
        bool again = s->sealed && !sealed; /* meanwhile: its indexes are still to be synced */
        if (!rc) {
            rw_ahead_note_sync(log, size - s->synced);
            s->synced = again ? size - 1 : size;
            if (covers > atomic_load(&log->durable))
                atomic_store(&log->durable, covers);
        }
        bool enough = atomic_load(&log->durable) >= target && !again;
        rw_log_unlock(log);
        rw_segment_unref(s);
        if (rc || enough)
            return rc;
    }
}

static int flush_with_token(struct rw_log *log, int64_t target)
{
    write_epochs(log);
    int rc = rw_log_sync_directory(log);
    return rc ? rc : flush_to(log, target);
}

int rw_log_flush_all(struct rw_log *log)
{
    return flush_with_token(log, atomic_load(&log->end));
}

/* A shortage is waited for `waits` times. */
static int flush(struct rw_log *log, int waits, int64_t *ret_durable)
{
    int64_t target = atomic_load(&log->end);
    int rc = RW_OK;
    rw_log_lock(log);
    while (!rc && !log->read_only) {
        /* A truncation may have taken away what was to be flushed. */
        if (target > atomic_load(&log->end))
            target = atomic_load(&log->end);
        if (atomic_load(&log->durable) >= target)
            break;
        if (atomic_load(&log->state)) {
            rc = RW_E_OFFLINE;
        } else if (log->flushing) {
            (void)log->env->sync->wait(log->env->sync, log->flushed, log->mutex, -1);
        } else {
            log->flushing = true;
            rw_log_unlock(log);
            rc = flush_with_token(log, target);
            rw_log_lock(log);
            rw_log_give_token(log);
            if (is_shortage(rc) && waits-- > 0) {
                (void)log->env->sync->wait(log->env->sync, log->flushed, log->mutex,
                                           SHORTAGE_WAIT_US);
                rc = RW_OK;
            }
        }
    }
    rw_log_unlock(log);
    if (!rc && atomic_load(&log->state))
        rc = RW_E_OFFLINE;
    if (!rc && ret_durable)
        *ret_durable = atomic_load(&log->durable);
    return rc;
}

int rw_log_flush(struct rw_log *log, int64_t *ret_durable)
{
    return flush(log, SHORTAGE_WAITS, ret_durable);
}

int rw_log_flush_now(struct rw_log *log, int64_t *ret_durable)
{
    return flush(log, 0, ret_durable);
}
