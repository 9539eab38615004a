/*
 * The step function of one replica. With one replica the in-sync set is the replica itself, so the high
 * watermark is bounded by this log alone; followers add one more bound here (FETCHED events), nothing
 * else changes. Does not append, sync or answer anybody: it only says when.
 */
#include "part/part.h"

#include "base/assert.h"

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void rw_part_init(struct rw_part *p)
{
    *p = (struct rw_part){.role = RW_PART_CLOSED, .leader_epoch = -1, .first_unstable = INT64_MAX};
}

int64_t rw_part_acked(const struct rw_part *p)
{
    return p->durable_policy ? p->durable : p->end;
}

int64_t rw_part_last_stable(const struct rw_part *p)
{
    return min64(p->high_watermark, p->first_unstable);
}

int64_t rw_part_readable(const struct rw_part *p, bool read_committed)
{
    return read_committed ? rw_part_last_stable(p) : p->high_watermark;
}

enum rw_part_epoch rw_part_check_epoch(const struct rw_part *p, int32_t current_leader_epoch)
{
    if (current_leader_epoch < 0 || current_leader_epoch == p->leader_epoch)
        return RW_EPOCH_FINE;
    return current_leader_epoch < p->leader_epoch ? RW_EPOCH_FENCED : RW_EPOCH_UNKNOWN;
}

static void open_replica(struct rw_part *p, const struct rw_part_event *e)
{
    RW_ASSERT(p->role == RW_PART_CLOSED);
    p->role = RW_PART_LEADER;
    p->start = e->start;
    p->end = e->end;
    p->durable = e->durable;
    p->durable_policy = e->durable_policy;
    /* Consumers were promised the checkpointed high watermark, so it holds even when the policy became
     * stricter since; but recovery may have taken records away. */
    p->high_watermark = max64(min64(e->checkpoint, p->end), p->start);
}

static void apply_event(struct rw_part *p, const struct rw_part_event *e)
{
    switch (e->kind) {
    case RW_PART_OPENED:
        open_replica(p, e);
        break;
    case RW_PART_LEAD:
        RW_ASSERT(e->leader_epoch >= p->leader_epoch);
        p->leader_epoch = e->leader_epoch;
        break;
    case RW_PART_APPENDED:
        RW_ASSERT(e->end >= p->end);
        p->end = e->end;
        break;
    case RW_PART_FLUSHED:
        p->durable = max64(p->durable, min64(e->durable, p->end));
        break;
    case RW_PART_TRIMMED:
        p->start = max64(p->start, e->start);
        p->end = max64(p->end, p->start);
        p->durable = max64(p->durable, p->start);
        p->high_watermark = max64(p->high_watermark, p->start);
        break;
    case RW_PART_TRUNCATED:
        p->end = max64(min64(p->end, e->end), p->start);
        p->durable = min64(p->durable, p->end);
        p->high_watermark = min64(p->high_watermark, p->end);
        break;
    case RW_PART_POLICY:
        p->durable_policy = e->durable_policy;
        break;
    case RW_PART_FAILED:
        p->role = RW_PART_OFFLINE;
        break;
    }
}

static void check_invariants(const struct rw_part *p)
{
    RW_ASSERT(p->start <= p->high_watermark && p->high_watermark <= p->end);
    RW_ASSERT(p->durable <= p->end);
    RW_ASSERT(rw_part_last_stable(p) <= p->high_watermark);
}

void rw_part_step(struct rw_part *p, const struct rw_part_event *event, struct rw_part_out *ret_out)
{
    struct rw_part before = *p;
    apply_event(p, event);
    if (p->role == RW_PART_LEADER)
        p->high_watermark = max64(p->high_watermark, rw_part_acked(p));
    check_invariants(p);
    *ret_out = (struct rw_part_out){
        .acked_moved = rw_part_acked(p) != rw_part_acked(&before),
        .readable_moved = p->high_watermark != before.high_watermark ||
                          rw_part_last_stable(p) != rw_part_last_stable(&before),
        .start_moved = p->start != before.start,
        .failed = p->role == RW_PART_OFFLINE && before.role != RW_PART_OFFLINE,
        .flush_wanted = p->role == RW_PART_LEADER && p->durable_policy && p->durable < p->end,
    };
}
