/* Positions, search by time, shrinking and verification. */
#include "lib/lib.h"

#include "base/mem.h"

int64_t rollway_log_start_offset(const struct rollway_log *log)
{
    return log ? rw_log_start(log->log) : rollway_fail_null(NULL);
}

int64_t rollway_log_end_offset(const struct rollway_log *log)
{
    if (!log)
        return rollway_fail_null(NULL);
    if (!log->options.buffer_bytes)
        return rw_log_end(log->log);
    /* Locking changes nothing that a caller of a const function could see. */
    struct rw_sync *sync = log->env->sync;
    sync->lock(sync, log->append);
    int64_t end = rollway_end(log);
    sync->unlock(sync, log->append);
    return end;
}

int64_t rollway_log_durable_offset(const struct rollway_log *log)
{
    return log ? rw_log_durable(log->log) : rollway_fail_null(NULL);
}

uint64_t rollway_log_cut_bytes(const struct rollway_log *log)
{
    return log ? rw_log_cut_bytes(log->log) : 0;
}

uint64_t rollway_log_size(const struct rollway_log *log)
{
    return log ? rw_log_bytes(log->log) : 0;
}

/* Was the log truncated since rollway_cuts() said `cuts`? Then what was found may be neither damaged nor
 * there. */
static int cut_since(struct rollway_log *log, unsigned cuts, bool *ret_cut)
{
    int rc = log->options.read_only ? rollway_catch_up(log) : RW_OK;
    *ret_cut = rollway_cuts(log) != cuts;
    return rc;
}

int rollway_log_find_time(struct rollway_log *log, int64_t timestamp_ms, int64_t *ret_offset)
{
    if (!log || !ret_offset)
        return rollway_fail_null(log);
    struct rw_log_position at;
    int rc = rollway_catch_up(log);
    for (bool again = true; !rc && again;) {
        unsigned cuts = rollway_cuts(log);
        int found = rw_log_find_time(log->log, timestamp_ms, INT64_MAX, &at);
        rc = cut_since(log, cuts, &again);
        if (!rc && !again)
            rc = found;
    }
    if (rc)
        return rollway_fail_code(log, rc, "searching by time");
    if (at.offset < 0)
        return rollway_fail(log, RW_E_NOT_FOUND, "no record at or after timestamp %lld",
                            (long long)timestamp_ms);
    *ret_offset = at.offset;
    return RW_OK;
}

/* The first offset of the batch that contains `offset`; offset when there is none, or it is damaged. */
static int64_t batch_start(struct rollway_log *log, int64_t offset)
{
    struct rw_log_range range;
    int64_t first = offset;
    if (rw_log_read(log->log, offset, INT64_MAX, 0, true, &range) == RW_OK && range.n) {
        if (range.first_offset < offset)
            first = range.first_offset;
        rw_log_range_release(&range);
    }
    return first;
}

static int cut(struct rollway_log *log, int64_t offset)
{
    /* A recovery point above the cut would vouch for what is appended below it. First, because a cut
     * can not be taken back when this fails. */
    int rc = rollway_save_state(log, batch_start(log, offset));
    if (rc)
        return rc;
    atomic_fetch_add(&log->cuts, 1);
    rc = rw_log_truncate_records(log->log, offset);
    atomic_fetch_add(&log->cuts, 1);
    return rc;
}

unsigned rollway_cuts(struct rollway_log *log)
{
    unsigned cuts;
    while ((cuts = atomic_load(&log->cuts)) & 1) {
        rollway_lock_append(log);
        rollway_unlock_append(log);
    }
    return cuts;
}

static int writable(struct rollway_log *log)
{
    if (!log)
        return rollway_fail_null(NULL);
    return log->options.read_only ? rollway_fail(log, RW_E_PERM, "the log was opened read-only")
                                  : RW_OK;
}

int rollway_log_truncate(struct rollway_log *log, int64_t offset)
{
    int rc = writable(log);
    if (rc)
        return rc;
    rollway_lock_append(log);
    rc = rollway_write_buffer(log);
    if (!rc && (offset < rw_log_start(log->log) || offset > rw_log_end(log->log)))
        rc = rollway_fail(log, RW_E_RANGE, "offset %lld is outside of [%lld, %lld]",
                          (long long)offset, (long long)rw_log_start(log->log),
                          (long long)rw_log_end(log->log));
    else if (!rc && offset < rw_log_end(log->log))
        rc = rollway_fail_code(log, cut(log, offset), "truncate");
    if (!rc)
        rc = rollway_fail_code(log, rw_log_flush(log->log, NULL), "truncate");
    if (!rc)
        rc = rollway_fail_code(log, rollway_save_state(log, INT64_MAX), "truncate");
    if (!rc)
        rw_log_unlink_deleted(log->log, INT64_MAX);
    rollway_unlock_append(log);
    return rc;
}

int rollway_log_trim(struct rollway_log *log, int64_t offset)
{
    int rc = writable(log);
    if (rc)
        return rc;
    rollway_lock_append(log);
    rc = rollway_write_buffer(log);
    if (!rc)
        rc = rollway_fail_code(log, rw_log_trim(log->log, offset), "trim");
    if (!rc)
        rc = rollway_save_state(log, INT64_MAX);
    /* At once, not after a delay: readers hold what they need, and who trims because the disk is full
     * needs the space for the checkpoint. */
    rw_log_unlink_deleted(log->log, INT64_MAX);
    if (rc == RW_E_FULL)
        rc = rollway_save_state(log, INT64_MAX);
    rc = rollway_fail_code(log, rc, "trim");
    rollway_unlock_append(log);
    return rc;
}

int rollway_log_retain(struct rollway_log *log, int *ret_segments)
{
    int deleted = 0, rc = writable(log);
    if (rc)
        return rc;
    rw_log_check_times(log->log, rw_wall_ms(log->env->clock));
    rollway_lock_append(log);
    rc = rollway_write_buffer(log);
    if (!rc)
        rc = rollway_fail_code(
            log,
            rw_log_retain(log->log, rw_wall_ms(log->env->clock), rw_log_end(log->log), &deleted),
            "retention");
    if (!rc && deleted)
        rc = rollway_fail_code(log, rollway_save_state(log, INT64_MAX), "retention");
    /* Readers hold what they need; nothing is gained by waiting. */
    rw_log_unlink_deleted(log->log, INT64_MAX);
    rollway_unlock_append(log);
    if (!rc && ret_segments)
        *ret_segments = deleted;
    return rc;
}

static void first_report(void *arg, const char *file, uint64_t at, int code, const char *why)
{
    struct rollway_log *log = arg;
    (void)code;
    if (!*rollway_log_error(log))
        (void)rollway_fail(log, RW_E_CORRUPT, "%s, position %llu: %s", file, (unsigned long long)at,
                           why);
}

int rollway_log_verify(struct rollway_log *log, struct rollway_verify_result *ret_result)
{
    if (!log || !ret_result)
        return rollway_fail_null(log);
    struct rw_log_verify v;
    int rc = rollway_catch_up(log), doubts = 0;
    for (bool again = true; !rc && again;) {
        unsigned cuts = rollway_cuts(log);
        v = (struct rw_log_verify){.report = first_report, .arg = log};
        (void)rollway_fail(log, RW_OK, "%s", "");
        rc = rw_log_verify(log->log, &v);
        again = false;
        if (!rc && v.bad_batches)
            rc = cut_since(log, cuts, &again);
        if (!rc && v.bad_batches && !again && log->options.read_only &&
            doubts++ < ROLLWAY_DOUBTS_MAX) {
            rollway_pause(log);
            again = true;
        }
    }
    if (rc)
        return rollway_fail_code(log, rc, "verify");
    *ret_result = (struct rollway_verify_result){
        v.batches,          v.records,           v.bytes,   v.bad_batches,
        v.first_bad_offset, v.bad_index_entries, v.checksum};
    return RW_OK;
}
