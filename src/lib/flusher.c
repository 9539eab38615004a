/* The only thread of the library, and only for ROLLWAY_DURABLE_INTERVAL: flushes every interval. */
#include "lib/lib.h"

static void *run(void *arg)
{
    struct rollway_log *log = arg;
    struct rw_sync *sync = log->env->sync;
    rollway_lock_append(log);
    while (!log->closing) {
        (void)sync->wait(sync, log->wake, log->append, log->options.flush_interval_ms * 1000);
        if (log->closing)
            break;
        /* A failure takes the log offline, which the next append reports; a full disk leaves the
         * records in memory for the next round. */
        int rc = rollway_write_buffer(log);
        rollway_unlock_append(log);
        if (!rc)
            (void)rollway_fail_code(log, rw_log_flush(log->log, NULL), "flushing");
        rollway_lock_append(log);
    }
    rollway_unlock_append(log);
    return NULL;
}

int rollway_flusher_start(struct rollway_log *log)
{
    if (pthread_create(&log->flusher, NULL, run, log) != 0)
        return rollway_fail(log, RW_E_LIMIT, "cannot start the flush thread");
    log->flusher_runs = true;
    return RW_OK;
}

void rollway_flusher_stop(struct rollway_log *log)
{
    if (!log->flusher_runs)
        return;
    rollway_lock_append(log);
    log->closing = true;
    log->env->sync->broadcast(log->env->sync, log->wake);
    rollway_unlock_append(log);
    pthread_join(log->flusher, NULL);
    log->flusher_runs = false;
}
