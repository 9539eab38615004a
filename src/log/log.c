/*
 * Opening, closing and the positions of a log. The file holds what concerns the handle as a whole;
 * appending, reading, rolling, recovery and so on have files of their own.
 *
 * Invariants: there is always at least one segment and the last one is active; start <= end;
 * durable <= end; after `state` left RW_OK nothing is written any more.
 */
#include "log/state.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "log/checkpoint.h"

void rw_log_config_init(struct rw_log_config *c)
{
    const int64_t day = 24 * 3600 * INT64_C(1000);
    *c = (struct rw_log_config){
        .segment_bytes = INT64_C(1) << 30,
        .segment_ms = 7 * day,
        .index_bytes_max = INT64_C(10) << 20,
        .index_interval_bytes = 4096,
        .retention_ms = 7 * day,
        .retention_bytes = -1,
        .flush_messages = INT64_MAX,
        .flush_ms = INT64_MAX,
        .file_delete_delay_ms = 60000,
        .batch_bytes_max = 1048588,
        .producer_expiry_ms = day,
        .timestamp_before_max_ms = INT64_MAX,
        .timestamp_after_max_ms = 3600 * INT64_C(1000),
        .cleanup_delete = true,
        .zeros_ahead_bytes = 256 << 10,
    };
}

int rw_log_fail(struct rw_log *log, int code, const char *what, int64_t offset)
{
    int expected = RW_OK;
    if (atomic_compare_exchange_strong(&log->state, &expected, code))
        rw_diag(log->env->diag, RW_ERROR, "log", "the log goes offline", rw_kv_str("dir", log->dir),
                rw_kv_str("while", what), rw_kv_int("offset", offset), rw_kv_code("error", code));
    /* RW_E_FULL is a promise that nothing was done and the log stays online: to be tried again. */
    return code == RW_E_FULL ? RW_E_IO : code;
}

void rw_log_take_token(struct rw_log *log)
{
    /* Without a limit: who has the token is in a sync and will come back. */
    while (log->flushing)
        (void)log->env->sync->wait(log->env->sync, log->flushed, log->mutex, -1);
    log->flushing = true;
}

void rw_log_give_token(struct rw_log *log)
{
    log->flushing = false;
    log->env->sync->broadcast(log->env->sync, log->flushed);
}

size_t rw_log_segment_at(const struct rw_log *log, int64_t offset)
{
    size_t lo = 0, hi = log->segments_n;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (log->segments[mid]->base <= offset)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static int grow(struct rw_segment ***list, size_t n, size_t *cap)
{
    struct rw_segment **p = rw_array_grow(*list, n, cap, sizeof(struct rw_segment *));
    if (!p)
        return RW_E_NOMEM;
    *list = p;
    return RW_OK;
}

int rw_log_reserve_segment(struct rw_log *log)
{
    rw_log_lock(log);
    int rc = grow(&log->segments, log->segments_n, &log->segments_cap);
    rw_log_unlock(log);
    return rc;
}

void rw_log_push_segment(struct rw_log *log, struct rw_segment *segment)
{
    RW_ASSERT(log->segments_n < log->segments_cap);
    RW_ASSERT(!log->segments_n || rw_log_active(log)->base < segment->base);
    log->segments[log->segments_n++] = segment;
    log->bytes += segment->size;
}

static void log_free(struct rw_log *log)
{
    for (size_t i = 0; i < log->segments_n; i++)
        rw_segment_unref(log->segments[i]);
    for (size_t i = 0; i < log->deleted_n; i++)
        rw_segment_unref(log->deleted[i]);
    rw_free(log->segments);
    rw_free(log->deleted);
    rw_epochs_deinit(&log->epochs);
    rw_producers_deinit(&log->producers);
    rw_records_deinit(&log->scratch);
    rw_buf_deinit(&log->text);
    if (log->flushed)
        log->env->sync->cond_free(log->env->sync, log->flushed);
    if (log->mutex)
        log->env->sync->mutex_free(log->env->sync, log->mutex);
    rw_free(log->dir);
    rw_free(log->topic_name);
    rw_free(log);
}

static int log_new(const struct rw_env *env, const char *dir, const struct rw_log_config *config,
                   const struct rw_log_open_args *args, struct rw_log **ret_log)
{
    struct rw_log *log = rw_zalloc(sizeof(*log));
    if (!log)
        return RW_E_NOMEM;
    log->env = env;
    log->config = *config;
    log->read_only = args->read_only;
    log->no_cut = args->no_cut;
    log->snapshot_at = -1;
    log->epochs_writing = INT64_MAX;
    rw_epochs_init(&log->epochs);
    rw_producers_init(&log->producers);
    rw_buf_init(&log->text);
    log->dir = rw_strdup(dir);
    log->topic_name = rw_strdup(args->topic_name ? args->topic_name : "");
    int rc = log->dir && log->topic_name ? RW_OK : RW_E_NOMEM;
    if (!rc)
        rc = env->sync->mutex_new(env->sync, &log->mutex);
    if (!rc)
        rc = env->sync->cond_new(env->sync, &log->flushed);
    if (rc) {
        log_free(log);
        return rc;
    }
    *ret_log = log;
    return RW_OK;
}

/* The directory, and its entry in the parent made durable: a log must not vanish with its records. */
static int ensure_dir(struct rw_log *log)
{
    const struct rw_vfs_ops *ops = log->env->vfs->ops;
    struct rw_stat st;
    int rc = ops->stat(log->env->vfs, log->dir, &st);
    if (rc == RW_OK)
        return st.is_dir ? RW_OK : RW_E_INVAL;
    if (rc != RW_E_NOT_FOUND || log->read_only)
        return rc;
    rc = ops->mkdir(log->env->vfs, log->dir);
    struct rw_path parent;
    if (!rc)
        rc = rw_path_parent(&parent, log->dir);
    return rc ? rc : ops->sync_dir(log->env->vfs, parent.s);
}

static int load_topic_id(struct rw_log *log, struct rw_uuid want)
{
    int rc = rw_partition_meta_load(log->env, log->dir, &log->topic_id);
    bool readable = rc != RW_E_CORRUPT && rc != RW_E_UNSUPPORTED;
    if (!readable || rc == RW_E_NOT_FOUND)
        rc = RW_OK;
    if (rc || log->read_only || rw_uuid_is_zero(want))
        return rc;
    if (rw_uuid_is_zero(log->topic_id)) {
        /* Must be on disk before the first record: a directory without an id could be taken for
         * another topic of the same name. */
        rc = rw_partition_meta_write(log->env, log->dir, want);
        if (!rc)
            log->topic_id = want;
        return rc;
    }
    return rw_uuid_eq(log->topic_id, want) ? RW_OK : RW_E_INVAL;
}

static int open_once(const struct rw_env *env, const char *dir, const struct rw_log_config *config,
                     const struct rw_log_open_args *args, struct rw_log **ret_log)
{
    struct rw_log *log;
    int rc = log_new(env, dir, config, args, &log);
    if (rc)
        return rc;
    rc = ensure_dir(log);
    if (!rc)
        rc = load_topic_id(log, args->topic_id);
    if (!rc)
        rc = rw_log_load(log, args);
    if (rc) {
        log_free(log);
        return rc;
    }
    *ret_log = log;
    return RW_OK;
}

#define OPEN_TRIES 100

int rw_log_open(const struct rw_env *env, const char *dir, const struct rw_log_config *config,
                const struct rw_log_open_args *args, struct rw_log **ret_log)
{
    if (config->segment_bytes < RW_BATCH_HEADER_SIZE || config->segment_bytes > INT32_MAX ||
        config->index_bytes_max < RW_TIME_ENTRY_SIZE || config->index_interval_bytes < 0)
        return RW_E_INVAL;
    int rc = open_once(env, dir, config, args, ret_log);
    /* Beside a writer a segment may be gone between the look at the directory and its opening. */
    for (int i = 0; i < OPEN_TRIES && args->read_only && rc == RW_E_NOT_FOUND; i++)
        rc = open_once(env, dir, config, args, ret_log);
    return rc;
}

/* Everything that makes the next open skip the scan. */
static int close_cleanly(struct rw_log *log)
{
    struct rw_segment *active = rw_log_active(log);
    if (log->config.keep_reserved)
        active->reserved =
            active->size; /* nothing to cut off: it lies behind the end of the file */
    int rc = rw_log_seal(log, active);
    if (!rc)
        rc = rw_log_flush_all(log);
    if (!rc)
        rc = rw_log_write_epochs(log); /* where the flush could not, it went on without */
    if (!rc)
        rc = rw_log_write_snapshot(log, atomic_load(&log->end), true);
    /* Indexes can be rebuilt, but a clean log is opened without looking at every entry. */
    return rc ? rc : rw_log_sync_sealed(log, active);
}

int rw_log_close(struct rw_log *log, bool clean)
{
    if (!log)
        return RW_OK;
    int rc = atomic_load(&log->state) ? RW_E_OFFLINE : RW_OK;
    rw_log_lock(log);
    rw_log_take_token(log);
    rw_log_unlock(log);
    if (clean && !rc && !log->read_only)
        rc = close_cleanly(log);
    rw_log_lock(log);
    rw_log_give_token(log);
    rw_log_unlock(log);
    if (clean && !log->read_only)
        rw_log_unlink_deleted(log, INT64_MAX);
    log_free(log);
    return rc;
}

int rw_log_destroy(struct rw_log *log)
{
    const struct rw_env *env = log->env;
    struct rw_path dir;
    int n = snprintf(dir.s, sizeof(dir.s), "%s", log->dir);
    (void)rw_log_close(log, false); /* nothing of it is to be kept */
    return n > 0 && (size_t)n < sizeof(dir.s) ? rw_log_remove(env, dir.s) : (int)RW_E_TOO_BIG;
}

int64_t rw_log_start(const struct rw_log *log)
{
    return atomic_load(&log->start);
}

int64_t rw_log_end(const struct rw_log *log)
{
    return atomic_load(&log->end);
}

bool rw_log_is_contiguous(const struct rw_log *log)
{
    return atomic_load(&log->contiguous);
}

int64_t rw_log_durable(const struct rw_log *log)
{
    return atomic_load(&log->durable);
}

/* Taking the mutex changes nothing that a caller of a const function could see. */
static struct rw_log *unconst(const struct rw_log *log)
{
    union {
        const struct rw_log *in;
        struct rw_log *out;
    } u = {.in = log};
    return u.out;
}

int64_t rw_log_recovery_point(const struct rw_log *log)
{
    struct rw_log *l = unconst(log);
    rw_log_lock(l);
    int64_t point = atomic_load(&l->durable);
    if (l->epochs.unsaved < point)
        point = l->epochs.unsaved;
    if (l->epochs_writing < point)
        point = l->epochs_writing;
    rw_log_unlock(l);
    return point;
}

uint64_t rw_log_bytes(const struct rw_log *log)
{
    struct rw_log *l = unconst(log);
    rw_log_lock(l);
    uint64_t bytes = l->bytes;
    rw_log_unlock(l);
    return bytes;
}

uint64_t rw_log_cut_bytes(const struct rw_log *log)
{
    return log->cut_bytes;
}

size_t rw_log_segments(const struct rw_log *log)
{
    struct rw_log *l = unconst(log);
    rw_log_lock(l);
    size_t n = l->segments_n;
    rw_log_unlock(l);
    return n;
}

int32_t rw_log_latest_epoch(const struct rw_log *log)
{
    struct rw_log *l = unconst(log);
    rw_log_lock(l);
    int32_t epoch = rw_epochs_latest(&l->epochs);
    rw_log_unlock(l);
    return epoch;
}

void rw_log_epoch_end(struct rw_log *log, int32_t epoch, int32_t *ret_epoch, int64_t *ret_end)
{
    rw_log_lock(log);
    rw_epochs_end_of(&log->epochs, epoch, atomic_load(&log->end), ret_epoch, ret_end);
    rw_log_unlock(log);
}

int64_t rw_log_first_txn(const struct rw_log *log)
{
    return rw_producers_first_txn(&log->producers);
}

struct rw_uuid rw_log_topic_id(const struct rw_log *log)
{
    return log->topic_id;
}

const char *rw_log_dir(const struct rw_log *log)
{
    return log->dir;
}

int rw_log_state(const struct rw_log *log)
{
    return atomic_load(&log->state);
}

void rw_log_configure(struct rw_log *log, const struct rw_log_config *config)
{
    rw_log_lock(log);
    log->config = *config;
    rw_log_unlock(log);
}
