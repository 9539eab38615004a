/*
 * The last batches of producers, from the log itself. A snapshot has room for one batch for each
 * producer (Kafka's format), but a client has up to five on their way: after a clean restart a
 * repetition of an older one would be refused as out of order. So the headers before the snapshot's end
 * are read, backwards in growing steps, until what is missing was found.
 *
 * Only memory: nothing is refused or fails for what can not be read here, and what the snapshot says is
 * never contradicted. A producer that has been silent for longer than a client tries again costs nothing.
 */
#include "log/state.h"

#include <string.h>

#define STEP_FIRST (128u << 10)
#define STEP_GROW  4
#define STEP_LAST  (8u << 20)       /* five of the largest batches of the usual limit, and some */
#define SILENT_MS  (10 * 60 * 1000) /* librdkafka tries for five minutes, Java's client for two */

struct recall {
    struct rw_log *log;
    int64_t below; /* what the snapshot covers */
    int64_t now_ms;
    struct rw_producers seen;
};

static bool is_lacking(const struct rw_producer *p, int64_t now_ms)
{
    /* Numbers begin at 0: before such a batch there is none. */
    return p && p->batches_n == 1 && now_ms - p->last_seen_ms < SILENT_MS &&
           p->batches[0].last_sequence != p->batches[0].offset_delta;
}

static bool is_same(const struct rw_producer_batch *a, const struct rw_producer_batch *b)
{
    return a->last_offset == b->last_offset && a->last_sequence == b->last_sequence &&
           a->offset_delta == b->offset_delta;
}

/* All that can be known of p. */
static bool is_complete(const struct rw_producer *p)
{
    return p->batches_n == RW_PRODUCER_BATCHES ||
           p->batches[0].last_sequence == p->batches[0].offset_delta;
}

static bool anybody_lacks(const struct recall *r)
{
    const struct rw_producers *ps = &r->log->producers;
    for (size_t i = 0; i < ps->cap; i++) {
        if (!is_lacking(ps->slots[i], r->now_ms))
            continue;
        const struct rw_producer *seen = rw_producers_find(&r->seen, ps->slots[i]->id);
        if (!seen || !seen->batches_n || !is_complete(seen))
            return true;
    }
    return false;
}

static int see_batch(struct recall *r, const struct rw_batch *b)
{
    if (b->producer_id < 0 || rw_batch_is_control(b) || rw_batch_last_offset(b) >= r->below ||
        !is_lacking(rw_producers_find(&r->log->producers, b->producer_id), r->now_ms))
        return RW_OK;
    int rc = rw_producers_reserve(&r->seen, b->producer_id);
    if (!rc)
        rw_producers_add(&r->seen, b, r->now_ms);
    return rc;
}

static int see_range(struct recall *r, size_t i, uint64_t from, uint64_t to)
{
    struct rw_scan scan;
    int rc;
    rw_log_scan(r->log, r->log->segments[i], from, to, rw_log_segment_end(r->log, i), NULL,
                64u << 10, &scan);
    while ((rc = rw_scan_next(&scan)) == 1 && (rc = see_batch(r, &scan.batch)) == RW_OK)
        ;
    rw_scan_deinit(&scan);
    return rc == RW_E_NOMEM ? rc : RW_OK;
}

/* A position where a batch begins, at or before `at`. */
static uint64_t batch_before(struct rw_segment *s, uint64_t at)
{
    struct rw_index_view view;
    uint8_t entry[RW_OFFSET_ENTRY_SIZE];
    int64_t value = at > INT32_MAX ? INT32_MAX : (int64_t)at;
    rw_index_view(&s->offsets, &view);
    if (!rw_index_tail_find(&s->offsets, RW_POSITION_FIELD, value, entry) &&
        !rw_index_view_find(&view, RW_POSITION_FIELD, value, entry))
        return 0;
    return (uint64_t)rw_offset_entry_decode(entry).position;
}

/* The last `bytes` below the snapshot's end, which lies at `to` of the segments[last]. */
static int see_last(struct recall *r, size_t last, uint64_t to, uint64_t bytes, bool *ret_all)
{
    size_t i = last;
    uint64_t begin = to, left = bytes;
    while (begin < left && i > 0) {
        left -= begin;
        begin = r->log->segments[--i]->size;
    }
    *ret_all = begin <= left;
    begin = begin > left ? batch_before(r->log->segments[i], begin - left) : 0;
    int rc = RW_OK;
    for (; i <= last && !rc; i++, begin = 0)
        rc = see_range(r, i, begin, i == last ? to : r->log->segments[i]->size);
    return rc;
}

static void take_over(const struct recall *r)
{
    const struct rw_producers *ps = &r->log->producers;
    for (size_t i = 0; i < ps->cap; i++) {
        struct rw_producer *p = ps->slots[i];
        if (!is_lacking(p, r->now_ms))
            continue;
        const struct rw_producer *seen = rw_producers_find(&r->seen, p->id);
        if (!seen || seen->epoch != p->epoch || !seen->batches_n ||
            !is_same(&seen->batches[seen->batches_n - 1], &p->batches[0]))
            continue;
        memcpy(p->batches, seen->batches, sizeof(p->batches));
        p->batches_n = seen->batches_n;
    }
}

int rw_log_recall_batches(struct rw_log *log, int64_t below, int64_t now_ms)
{
    struct recall r = {.log = log, .below = below, .now_ms = now_ms};
    size_t last = rw_log_segment_at(log, below);
    struct rw_segment *s = log->segments[last];
    struct rw_locate at = {.at = 0};
    bool all = false;
    rw_producers_init(&r.seen);
    if (!anybody_lacks(&r))
        return RW_OK;
    if (below > s->base &&
        rw_log_locate(log, s, s->size, rw_log_segment_end(log, last), below, &at) != RW_OK)
        return RW_OK;
    int rc = RW_OK;
    for (uint64_t bytes = STEP_FIRST;
         rc == RW_OK && !all && bytes <= STEP_LAST && anybody_lacks(&r); bytes *= STEP_GROW) {
        rw_producers_clear(&r.seen);
        rc = see_last(&r, last, at.at, bytes, &all);
    }
    if (rc == RW_OK)
        take_over(&r);
    rw_producers_deinit(&r.seen);
    return rc;
}
