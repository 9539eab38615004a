/* Opening and closing a log of the library: options, lock, recovery, clean mark. */
#include "lib/lib.h"

#include <string.h>

#include "base/mem.h"
#include "log/path.h"
#include "log/scan.h"
#include "os/os.h"

static int64_t or_default(int64_t v, int64_t fallback)
{
    return v ? v : fallback;
}

/* Fills in the defaults and checks the rest. An older caller's struct is shorter: what it lacks is 0. */
static int take_options(struct rollway_log *log, const struct rollway_log_options *given)
{
    struct rollway_log_options o = {0};
    if (given) {
        if (given->size < offsetof(struct rollway_log_options, read_only) + sizeof(int))
            return rollway_fail(log, RW_E_INVAL, "options.size is not set");
        memcpy(&o, given, given->size < sizeof(o) ? given->size : sizeof(o));
    }
    o.size = sizeof(o);
    o.flush_records = or_default(o.flush_records, 1000);
    o.flush_interval_ms = or_default(o.flush_interval_ms, 1000);
    o.retention_bytes = or_default(o.retention_bytes, -1);
    o.retention_ms = or_default(o.retention_ms, -1);
    struct rw_log_config *c = &log->config;
    rw_log_config_init(c);
    c->segment_bytes = or_default(o.segment_bytes, c->segment_bytes);
    c->segment_ms = or_default(o.segment_ms, c->segment_ms);
    c->index_interval_bytes = or_default(o.index_interval_bytes, c->index_interval_bytes);
    c->index_bytes_max = or_default(o.index_bytes, c->index_bytes_max);
    c->batch_bytes_max = or_default(o.batch_bytes_max, c->batch_bytes_max);
    c->retention_bytes = o.retention_bytes;
    c->retention_ms = o.retention_ms;
    c->timestamp_after_max_ms = INT64_MAX;
    /* New pages whose place on the disk is known cost the kernel an eighth less. */
    c->preallocate = true;
    if (o.durability < ROLLWAY_DURABLE_EACH || o.durability > ROLLWAY_DURABLE_OS)
        return rollway_fail(log, RW_E_INVAL, "options.durability %d is unknown", o.durability);
    if (o.compression < ROLLWAY_COMPRESSION_NONE || o.compression > ROLLWAY_COMPRESSION_ZSTD)
        return rollway_fail(log, RW_E_INVAL, "options.compression %d is unknown", o.compression);
    if (c->segment_bytes < 1024 || c->segment_bytes > INT32_MAX)
        return rollway_fail(log, RW_E_INVAL, "options.segment_bytes must be 1024 to 2147483647");
    if (o.flush_records < 0 || o.flush_interval_ms < 0 || o.flush_interval_ms > INT64_MAX / 1000 ||
        c->segment_ms < 0 || c->index_interval_bytes < 0 || c->index_bytes_max < 64 ||
        c->batch_bytes_max < 64 || c->batch_bytes_max > RW_SCAN_BATCH_MAX || o.buffer_bytes < 0 ||
        o.buffer_bytes > c->batch_bytes_max)
        return rollway_fail(log, RW_E_INVAL, "an option is out of range");
    if (o.buffer_bytes && o.durability == ROLLWAY_DURABLE_EACH)
        return rollway_fail(log, RW_E_INVAL,
                            "options.buffer_bytes contradicts durability EACH: a record in memory "
                            "is not durable");
    log->options = o;
    return RW_OK;
}

static int ensure_dir(struct rollway_log *log)
{
    struct rw_vfs *vfs = log->env->vfs;
    struct rw_stat st;
    int rc = vfs->ops->stat(vfs, log->dir, &st);
    if (rc == RW_OK)
        return st.is_dir ? RW_OK : rollway_fail(log, RW_E_INVAL, "%s is not a directory", log->dir);
    if (rc == RW_E_NOT_FOUND && !log->options.read_only && !log->options.must_exist) {
        struct rw_path parent;
        rc = vfs->ops->mkdir(vfs, log->dir);
        if (!rc)
            rc = rw_path_parent(&parent, log->dir);
        /* The directory must not vanish with the records in it. */
        if (!rc)
            rc = vfs->ops->sync_dir(vfs, parent.s);
    }
    return rollway_fail_code(log, rc, log->dir);
}

static void handle_free(struct rollway_log *log)
{
    struct rw_sync *sync = log->env->sync;
    rw_builder_deinit(&log->builder);
    rw_free(log->headers);
    if (log->wake)
        sync->cond_free(sync, log->wake);
    if (log->grown)
        sync->cond_free(sync, log->grown);
    if (log->append)
        sync->mutex_free(sync, log->append);
    rollway_unlock(log, false);
    rw_free(log->home);
    rw_free(log->dir);
    rw_free(log);
}

static int handle_new(const char *dir, struct rollway_log **ret_log)
{
    const struct rw_env *env = rw_os_env();
    struct rollway_log *log = rw_zalloc(sizeof(*log));
    if (!log)
        return RW_E_NOMEM;
    log->env = env;
    log->saved_point = log->saved_start = -1;
    rw_builder_init(&log->builder);
    log->dir = rw_strdup(dir);
    int rc = log->dir ? RW_OK : RW_E_NOMEM;
    if (!rc)
        rc = env->sync->mutex_new(env->sync, &log->append);
    if (!rc)
        rc = env->sync->cond_new(env->sync, &log->grown);
    if (!rc)
        rc = env->sync->cond_new(env->sync, &log->wake);
    if (rc) {
        handle_free(log);
        return rc;
    }
    *ret_log = log;
    return RW_OK;
}

static int open_log(struct rollway_log *log)
{
    struct rw_log_open_args args = {.read_only = log->options.read_only != 0,
                                    .no_cut = log->options.no_cut != 0};
    int rc = ensure_dir(log);
    if (!rc)
        rc = rollway_find_place(log);
    if (!rc && !args.read_only)
        rc = rollway_lock(log);
    if (!rc)
        rc = rollway_load_state(log, &args);
    if (rc)
        return rc;
    rc = rw_log_open(log->env, log->dir, &log->config, &args, &log->log);
    rc = rc == RW_E_CORRUPT && args.no_cut
             ? rollway_fail(
                   log, rc,
                   "%s: something is damaged or was left unfinished by a crash, and to go on "
                   "it would have to be cut off, with all that lies behind it",
                   log->dir)
         : rc == RW_E_UNSUPPORTED
             ? rollway_fail(
                   log, rc,
                   "%s: it has messages of the formats before record batch v2 (Kafka before "
                   "0.11), which are not read; they are left as they are",
                   log->dir)
             : rollway_fail_code(log, rc, log->dir);
    if (rc || args.read_only)
        return rc;
    /* A recovery point above the end would vouch for other records, when the log has grown past it. */
    if (args.recovery_point > rw_log_end(log->log))
        rc = rollway_save_state(log, INT64_MAX);
    if (rc)
        return rollway_fail_code(log, rc, "writing the recovery point");
    log->epoch = rw_log_latest_epoch(log->log);
    if (log->epoch < 0)
        log->epoch = 0;
    log->builder.codec = (enum rw_codec)log->options.compression;
    rw_builder_reset(&log->builder, 0);
    /* What survived a crash in the page cache only becomes durable now, as was promised. */
    if (log->options.durability == ROLLWAY_DURABLE_EACH)
        rc = rollway_fail_code(log, rw_log_flush(log->log, NULL), "making the log durable");
    if (!rc && log->options.durability == ROLLWAY_DURABLE_INTERVAL)
        rc = rollway_flusher_start(log);
    return rc;
}

int rollway_log_open(const char *dir, const struct rollway_log_options *options,
                     struct rollway_log **ret_log)
{
    struct rollway_log *log;
    if (!dir || !*dir || !ret_log)
        return rollway_fail(NULL, RW_E_INVAL, "no directory given");
    int rc = handle_new(dir, &log);
    if (rc)
        return rollway_fail(NULL, rc, "out of memory");
    rc = take_options(log, options);
    if (!rc)
        rc = open_log(log);
    if (rc) {
        /* The handle goes: leave the words for rollway_log_error(NULL). */
        char text[400];
        size_t n = strlen(rollway_log_error(log));
        n = n < sizeof(text) ? n : sizeof(text) - 1;
        memcpy(text, rollway_log_error(log), n);
        text[n] = 0;
        (void)rw_log_close(log->log, false);
        handle_free(log);
        return rollway_fail(NULL, rc, "%s", text);
    }
    *ret_log = log;
    return RW_OK;
}

int rollway_log_close(struct rollway_log *log)
{
    if (!log)
        return RW_OK;
    rollway_flusher_stop(log);
    bool writer = !log->options.read_only;
    int rc = RW_OK;
    if (writer) {
        rollway_lock_append(log);
        rc = rollway_write_buffer(log);
        rollway_unlock_append(log);
    }
    int64_t end = rw_log_end(log->log);
    if (!rc && writer)
        rc = rw_log_flush(log->log, NULL);
    if (!rc && writer)
        rc = rollway_save_state(log, INT64_MAX);
    int closed = rw_log_close(log->log, writer && !rc);
    if (!rc)
        rc = closed;
    if (!rc && writer)
        rc = rollway_save_mark(log, end);
    rollway_unlock(log, !rc && writer);
    if (rc)
        rc = rollway_fail_code(NULL, rc, log->dir);
    handle_free(log);
    return rc;
}
