/*
 * Writing what was admitted: space, the write itself, and what follows from it in memory. Everything that
 * can fail happens before the write or is the write; after it nothing is left but stores. A write that
 * failed half-way is cut off again, so that all of it is in the log or nothing.
 *
 * Invariant: what is gathered goes into the active segment as it is now, behind its end, in this order.
 * Nothing of it can be seen by anybody before it is written.
 */
#include "log/gather.h"

#include "base/assert.h"

/* Space is reserved in growing steps: small partitions stay small, large ones rarely ask. */
#define RESERVE_STEP_MIN (UINT64_C(1) << 20)
#define RESERVE_STEP_MAX (UINT64_C(32) << 20)

const struct rw_batch *rw_gather_producer(const struct rw_gather *g, int64_t producer_id)
{
    for (size_t i = g->n; i-- > 0;)
        if (g->items[i].last.producer_id == producer_id)
            return &g->items[i].last;
    return NULL;
}

void rw_gather_add(struct rw_gather *g, const struct rw_gathered *item)
{
    RW_ASSERT(g->n < RW_GATHER_MAX);
    g->items[g->n] = *item;
    g->iov[g->n] = (struct rw_iov){item->append->bytes, item->append->n};
    g->bytes += item->append->n;
    g->batches += item->batches;
    g->n++;
}

static void reserve_space(struct rw_log *log, struct rw_segment *s, size_t n)
{
    if (!log->config.preallocate || log->reserve_refused || s->size + n <= s->reserved)
        return;
    uint64_t step = s->size < RESERVE_STEP_MIN   ? RESERVE_STEP_MIN
                    : s->size > RESERVE_STEP_MAX ? RESERVE_STEP_MAX
                                                 : s->size;
    uint64_t to = s->size + n + step;
    if (to > (uint64_t)log->config.segment_bytes)
        to = (uint64_t)log->config.segment_bytes;
    if (to < s->size + n)
        to = s->size + n;
    int rc = s->file->ops->reserve(s->file, to);
    if (rc == RW_OK)
        s->reserved = to;
    else if (rc == RW_E_UNSUPPORTED)
        log->reserve_refused = true;
    /* RW_E_FULL and the like: the write itself will say whether there is room. */
}

int rw_log_reserve(struct rw_log *log, uint64_t n)
{
    struct rw_segment *s = rw_log_active(log);
    if (s->size + n <= s->reserved)
        return RW_OK;
    int rc = s->file->ops->reserve(s->file, s->size + n);
    if (rc == RW_OK)
        s->reserved = s->size + n;
    return rc;
}

/*
 * Takes away what a failed write left behind the end, durably: the append is refused, and neither may a
 * crash bring it back in place of what comes next, nor may a recovery point pass a segment of which a
 * crash restores a longer one. The token, because of two syncs of one file that fails only one hears of it.
 */
static int cut_off(struct rw_log *log, struct rw_segment *s)
{
    uint64_t size = 0;
    int rc = s->file->ops->size(s->file, &size);
    if (!rc && size <= s->size)
        return RW_OK; /* nothing arrived */
    rw_log_lock(log);
    rw_log_take_token(log);
    rw_log_unlock(log);
    rc = s->file->ops->truncate(s->file, s->size);
    s->reserved = s->file_end = s->size;
    if (!rc)
        rc = s->file->ops->sync_full(s->file);
    if (rc)
        rw_log_fail(log, rc, "cutting off a torn append", atomic_load(&log->end));
    rw_log_lock(log);
    rw_log_give_token(log);
    rw_log_unlock(log);
    return rc;
}

static int write_all(struct rw_gather *g, struct rw_segment *s, size_t zeros)
{
    struct rw_log *log = g->log;
    if (rw_fault_fires(log->env->fault, "log.append.before_write"))
        return rw_log_fail(log, RW_E_IO, "appending", atomic_load(&log->end));
    reserve_space(log, s, g->bytes);
    int rc = rw_ahead_write(s, g->iov, g->n, g->bytes, zeros);
    /* There may be room for what counts. */
    if (rc == RW_E_FULL && zeros && cut_off(log, s) == RW_OK)
        rc = rw_ahead_write(s, g->iov, g->n, g->bytes, 0);
    if (rc == RW_OK)
        return RW_OK;
    if (rc != RW_E_FULL)
        rw_log_fail(log, RW_E_IO, "appending", atomic_load(&log->end));
    if (cut_off(log, s) != RW_OK)
        return RW_E_IO;
    return rc == RW_E_FULL ? RW_E_FULL : RW_E_IO;
}

/* Control batches of transactions say in their only record which transaction ended and how. */
static void note_marker(struct rw_log *log, const struct rw_batch *batch, const uint8_t *bytes,
                        int64_t now_ms)
{
    struct rw_record record;
    int16_t type = -1;
    int32_t coordinator_epoch = -1;
    if (rw_records_open(&log->scratch, bytes, rw_batch_size(batch)) == RW_OK &&
        rw_records_next(&log->scratch, &record) == 1 &&
        rw_control_type(&record, &type, &coordinator_epoch) == RW_OK &&
        (type == RW_CONTROL_ABORT || type == RW_CONTROL_COMMIT))
        rw_producers_end_txn(&log->producers, batch, coordinator_epoch, now_ms);
}

void rw_log_note_producer(struct rw_log *log, const struct rw_batch *batch, const uint8_t *bytes,
                          int64_t now_ms)
{
    if (batch->producer_id < 0)
        return;
    if (rw_batch_is_control(batch))
        note_marker(log, batch, bytes, now_ms);
    else
        rw_producers_add(&log->producers, batch, now_ms);
}

/* Notes one batch of those that lie behind the end of the active segment, `at` bytes behind it. Returns with
 * the mutex held. */
static void note(struct rw_log *log, const struct rw_batch *batch, const uint8_t *bytes, size_t at,
                 int64_t now_ms)
{
    struct rw_segment *s = rw_log_active(log);
    if (rw_segment_tails_full(s))
        rw_log_spill(log, s, false);
    rw_log_note_producer(log, batch, bytes, now_ms);
    rw_log_lock(log);
    rw_segment_note(s, batch, s->size + at, log->config.index_interval_bytes);
    rw_epochs_assign(&log->epochs, batch->leader_epoch, batch->base_offset);
}

/* Makes the append that lies behind the end of the active segment part of the log. Can not fail. */
static void publish(struct rw_log *log, const struct rw_gathered *item)
{
    const struct rw_append *a = item->append;
    size_t at = 0, last_at = a->n - rw_batch_size(&item->last);
    for (struct rw_batch batch; at < last_at; at += rw_batch_size(&batch)) {
        int rc = rw_batch_decode(a->bytes + at, a->n - at, &batch);
        RW_ASSERT(rc == RW_OK);
        note(log, &batch, a->bytes + at, at, a->args.now_ms);
        rw_log_unlock(log);
    }
    note(log, &item->last, a->bytes + last_at, last_at, a->args.now_ms);
    rw_log_active(log)->size += a->n;
    log->bytes += a->n;
    atomic_store(&log->end, rw_batch_last_offset(&item->last) + 1);
    rw_log_unlock(log);
}

static int store(struct rw_gather *g)
{
    struct rw_log *log = g->log;
    struct rw_segment *s = rw_log_active(log);
    size_t zeros = 0;
    /* Mostly there is room and nothing due; that can be seen without the mutex, because only the writer
     * takes room away. */
    if (rw_epochs_room(&log->epochs) < g->batches || rw_ahead_is_due(log, s, g->bytes)) {
        rw_log_lock(log);
        int rc = rw_epochs_reserve(&log->epochs, g->batches);
        zeros = rw_ahead_bytes(log, s, g->bytes);
        rw_log_unlock(log);
        if (rc)
            return rc;
    }
    return write_all(g, s, zeros);
}

void rw_gather_write(struct rw_gather *g)
{
    int rc = g->n ? store(g) : RW_OK;
    for (size_t i = 0; i < g->n; i++) {
        struct rw_append *a = g->items[i].append;
        a->code = rc;
        if (rc)
            continue;
        publish(g->log, &g->items[i]);
        a->info.first_offset = g->items[i].first_offset;
        a->info.last_offset = rw_batch_last_offset(&g->items[i].last);
    }
    rw_gather_init(g, g->log);
    g->failed = rc;
}
