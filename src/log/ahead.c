/*
 * An append moves the end of the file, and often takes new blocks: each fdatasync then waits for a
 * commit of the file system's journal as well. Where the blocks were written before and the file is
 * long enough already, it writes the data and nothing else, in two thirds of the time or less. So a
 * log that is synced after every few bytes gets zeros ahead of its end, with the append that reaches
 * the end of the last ones, in the same write; the next sync makes them durable once for all that follow.
 *
 * Invariants: in [size, file_end) of a segment lie zeros and nothing else. Only the last segment of a
 * log has any: they are cut off before the next one gets its name, and the cut is durable before
 * anything behind it is. Zeros are no batch (a batch says its size), so the end can be told from data
 * without any mark. At most as many as the segment has data, and 16 KiB.
 *
 * It does not decide when to sync, nor what to make of zeros at an end: recover.c does.
 */
#include "log/ahead.h"

#include "base/assert.h"

#define AHEAD_MIN   (UINT64_C(16) << 10)
#define SMALL_SYNC  (UINT64_C(16) << 10) /* above it zeros cost more than the commits they save */
#define SMALL_SYNCS 4                    /* so many in a row, and there will be more of them */
#define UNSYNCED    (16 * SMALL_SYNC)    /* more than that waits: nobody syncs any longer */

static const uint8_t zeros_page[16 << 10];

bool rw_ahead_is_due(const struct rw_log *log, const struct rw_segment *s, size_t n)
{
    return log->config.zeros_ahead_bytes > 0 && s->size + n > s->file_end && n <= SMALL_SYNC &&
           atomic_load_explicit(&log->small_syncs, memory_order_relaxed) >= SMALL_SYNCS;
}

size_t rw_ahead_bytes(const struct rw_log *log, const struct rw_segment *s, size_t n)
{
    uint64_t most = (uint64_t)log->config.zeros_ahead_bytes, end = s->size + n;
    if (!rw_ahead_is_due(log, s, n) || s->size - s->synced > UNSYNCED)
        return 0;
    uint64_t ahead = s->size > AHEAD_MIN ? s->size : AHEAD_MIN;
    if (most > sizeof(zeros_page) * RW_AHEAD_PIECES)
        most = sizeof(zeros_page) * RW_AHEAD_PIECES;
    if (ahead > most)
        ahead = most;
    uint64_t limit = (uint64_t)log->config.segment_bytes;
    if (end + ahead > limit)
        ahead = end < limit ? limit - end : 0;
    return (size_t)ahead;
}

int rw_ahead_write(struct rw_segment *s, struct rw_iov *iov, size_t n_iov, uint64_t n, size_t zeros)
{
    RW_ASSERT(zeros <= sizeof(zeros_page) * RW_AHEAD_PIECES);
    for (size_t left = zeros; left; n_iov++) {
        size_t piece = left < sizeof(zeros_page) ? left : sizeof(zeros_page);
        iov[n_iov] = (struct rw_iov){zeros_page, piece};
        left -= piece;
    }
    int rc = s->file->ops->write_at(s->file, s->size, iov, n_iov);
    if (!rc && s->size + n + zeros > s->file_end)
        s->file_end = s->size + n + zeros;
    return rc;
}

void rw_ahead_note_sync(struct rw_log *log, uint64_t bytes)
{
    unsigned before = atomic_load_explicit(&log->small_syncs, memory_order_relaxed);
    if (bytes > SMALL_SYNC || before < SMALL_SYNCS)
        atomic_store_explicit(&log->small_syncs, bytes > SMALL_SYNC ? 0 : before + 1,
                              memory_order_relaxed);
}

int rw_ahead_cut(struct rw_segment *s)
{
    if ((s->file_end <= s->size && s->reserved <= s->size) || s->keep_tail)
        return RW_OK;
    int rc = s->file->ops->truncate(s->file, s->size);
    /* What is only reserved costs space, not data. */
    if (rc)
        return s->file_end > s->size ? rc : RW_OK;
    s->cut |= s->file_end > s->size;
    s->reserved = s->file_end = s->size;
    return RW_OK;
}
