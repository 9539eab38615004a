/*
 * Truncating inside of a batch. rw_log_truncate() takes such a batch away as a whole, as Kafka does; here
 * the records below the cut are kept, in a batch of their own that takes its place.
 *
 * That batch is written aside first, durably: between the cut and the append there is a moment in which
 * the records lie nowhere else, and a crash or a full disk in it must not lose what was durable. The file
 *
 *   .rollway-kept   one batch
 *
 * exists from before the cut until the batch is durable in its place. The next open for writing finishes
 * what was begun: when the log ends where the batch begins, it is appended. When the log ends elsewhere,
 * the cut had not been made, or all was done, and the file is worth nothing.
 */
#include "log/state.h"

#include "base/mem.h"
#include "log/checkpoint.h"

#define KEPT_NAME ".rollway-kept"

/* The batch `p` up to `offset` as a batch of the same producer, transaction, codec and epoch. */
static int keep(const uint8_t *p, size_t n, int64_t offset, struct rw_builder *b)
{
    struct rw_records records = {0};
    struct rw_record r;
    const struct rw_batch *batch = &records.batch;
    int rc = rw_batch_check(p, n, &records.batch);
    if (!rc && batch->base_offset >= offset)
        return RW_OK;
    if (!rc)
        rc = rw_records_open(&records, p, rw_batch_size(batch));
    if (!rc) {
        rw_builder_reset(b, batch->base_offset);
        b->leader_epoch = batch->leader_epoch;
        b->producer_id = batch->producer_id;
        b->producer_epoch = batch->producer_epoch;
        b->base_sequence = batch->base_sequence;
        b->codec = rw_batch_codec(batch);
        b->attributes = batch->attributes & (uint16_t)~RW_ATTR_CODEC_MASK;
        if (b->attributes & RW_ATTR_DELETE_HORIZON)
            b->base_timestamp = batch->base_timestamp;
    }
    while (!rc && (rc = rw_records_next(&records, &r)) == 1)
        rc = r.offset < offset ? rw_builder_copy(b, &r) : RW_OK;
    rw_records_deinit(&records);
    return rc;
}

/* What the batch with `offset` has below it; empty when the cut falls between batches. A damaged batch
 * goes as a whole: that may be why one cuts there. */
static int survivors(struct rw_log *log, int64_t offset, struct rw_builder *b)
{
    struct rw_log_range range;
    size_t got = 0;
    int rc = rw_log_read(log, offset, INT64_MAX, 0, true, &range);
    if (rc || !range.n)
        return rc == RW_E_CORRUPT ? RW_OK : rc;
    uint8_t *p = rw_alloc(range.n);
    rc = p ? rw_file_read_at(range.file, range.at, p, range.n, &got) : RW_E_NOMEM;
    if (!rc)
        rc = keep(p, got, offset, b);
    if (rc == RW_E_CORRUPT || rc == RW_E_SHORT || rc == RW_E_UNSUPPORTED || rc == RW_E_TOO_BIG) {
        b->count = 0;
        rc = RW_OK;
    }
    /* The log ends at the cut, also when compaction has removed the records just below it. */
    if (b->count)
        b->last_offset = offset - 1;
    rw_free(p);
    rw_log_range_release(&range);
    return rc;
}

static int put_back(struct rw_log *log, uint8_t *p, size_t n)
{
    const struct rw_append_args args = {.now_ms = rw_wall_ms(log->env->clock)};
    struct rw_append_info info;
    int rc = rw_log_append(log, p, n, &args, &info);
    return rc ? rc : rw_log_flush(log, NULL);
}

static int forget(struct rw_log *log, const char *path)
{
    int rc = rw_file_remove(log->env, path);
    return rc ? rc : log->env->vfs->ops->sync_dir(log->env->vfs, log->dir);
}

/* Everything from the moment the kept records are safe. A failure takes the log offline: whatever were
 * appended now would come in their place. */
static int replace(struct rw_log *log, const char *path, struct rw_builder *kept)
{
    int64_t start = atomic_load(&log->start);
    int rc = rw_log_truncate(log, kept->base_offset);
    if (!rc)
        rc = put_back(log, kept->finished->p, kept->finished->n);
    /* It may lie inside of the batch. */
    rw_log_lock(log);
    if (!rc && start > atomic_load(&log->start))
        atomic_store(&log->start, start);
    rw_log_unlock(log);
    if (!rc)
        rc = forget(log, path);
    return rc ? rw_log_fail(log, rc, "truncating inside of a batch", kept->base_offset) : RW_OK;
}

int rw_log_truncate_records(struct rw_log *log, int64_t offset)
{
    struct rw_builder b;
    struct rw_slice kept;
    struct rw_path path;
    if (atomic_load(&log->state))
        return RW_E_OFFLINE;
    if (log->read_only)
        return RW_E_PERM;
    rw_builder_init(&b);
    int rc = survivors(log, offset, &b);
    if (!rc && !b.count) {
        rc = rw_log_truncate(log, offset);
    } else if (!rc) {
        rc = rw_builder_finish(&b, &kept);
        if (!rc)
            rc = rw_path_join(&path, log->dir, KEPT_NAME, NULL);
        if (!rc)
            rc = rw_file_replace(log->env, path.s, kept.p, kept.n, true);
        if (!rc)
            rc = replace(log, path.s, &b);
    }
    rw_builder_deinit(&b);
    return rc;
}

int rw_log_finish_cut(struct rw_log *log)
{
    struct rw_path path;
    struct rw_file *f;
    struct rw_batch batch;
    uint64_t size = 0;
    size_t got = 0;
    int rc = rw_path_join(&path, log->dir, KEPT_NAME, NULL);
    if (!rc)
        rc = rw_vfs_open(log->env->vfs, path.s, RW_OPEN_READ, &f);
    if (rc)
        return rc == RW_E_NOT_FOUND ? RW_OK : rc;
    rc = f->ops->size(f, &size);
    uint8_t *p = rw_alloc((size_t)size + 1);
    if (!rc)
        rc = p ? rw_file_read_at(f, 0, p, (size_t)size, &got) : RW_E_NOMEM;
    rw_file_close(f);
    bool whole = !rc && rw_batch_check(p, got, &batch) == RW_OK && rw_batch_size(&batch) == got;
    if (!rc)
        rw_diag(log->env->diag, RW_WARN, "log", "finishing a truncation that was interrupted",
                rw_kv_str("dir", log->dir), rw_kv_bool("whole", whole),
                rw_kv_int("end", atomic_load(&log->end)));
    if (whole && batch.base_offset == atomic_load(&log->end))
        rc = put_back(log, p, got);
    rw_free(p);
    return rc ? rc : forget(log, path.s);
}
