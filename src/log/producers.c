/*
 * Producer state: a table from producer id to its epoch and last batches. Invariants: the load of the
 * table stays below 3/4; batches of one producer ascend in offset; sequence numbers wrap from
 * INT32_MAX to 0.
 */
#include "log/producers.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

void rw_producers_init(struct rw_producers *ps)
{
    *ps = (struct rw_producers){0};
}

void rw_producers_clear(struct rw_producers *ps)
{
    for (size_t i = 0; i < ps->cap; i++) {
        rw_free(ps->slots[i]);
        ps->slots[i] = NULL;
    }
    ps->n = 0;
}

void rw_producers_deinit(struct rw_producers *ps)
{
    rw_producers_clear(ps);
    rw_free(ps->slots);
    rw_producers_init(ps);
}

/* Producer ids are handed out one after the other: spread them (the finaliser of MurmurHash3). */
static size_t slot_of(const struct rw_producers *ps, int64_t id)
{
    uint64_t h = (uint64_t)id;
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdu;
    h ^= h >> 33;
    return (size_t)h & (ps->cap - 1);
}

struct rw_producer *rw_producers_find(const struct rw_producers *ps, int64_t id)
{
    if (!ps->cap)
        return NULL;
    for (size_t i = slot_of(ps, id); ps->slots[i]; i = (i + 1) & (ps->cap - 1))
        if (ps->slots[i]->id == id)
            return ps->slots[i];
    return NULL;
}

static void place(struct rw_producers *ps, struct rw_producer *p)
{
    size_t i = slot_of(ps, p->id);
    while (ps->slots[i])
        i = (i + 1) & (ps->cap - 1);
    ps->slots[i] = p;
}

static int grow(struct rw_producers *ps)
{
    if ((ps->n + 1) * 4 <= ps->cap * 3)
        return RW_OK;
    struct rw_producers bigger = {.n = ps->n, .cap = ps->cap ? ps->cap * 2 : 16};
    bigger.slots = rw_zalloc(bigger.cap * sizeof(struct rw_producer *));
    if (!bigger.slots)
        return RW_E_NOMEM;
    for (size_t i = 0; i < ps->cap; i++)
        if (ps->slots[i])
            place(&bigger, ps->slots[i]);
    rw_free(ps->slots);
    *ps = bigger;
    return RW_OK;
}

/* Takes out those whose id is RW_NO_PRODUCER_ID. Removing from an open-addressing table leaves holes that
 * cut probe chains: everything is taken out and the living are put back. */
static void bury(struct rw_producers *ps)
{
    struct rw_producer *chain = NULL; /* the living */
    for (size_t i = 0; i < ps->cap; i++) {
        struct rw_producer *p = ps->slots[i];
        ps->slots[i] = NULL;
        if (!p)
            continue;
        if (p->id == RW_NO_PRODUCER_ID) {
            rw_free(p);
            ps->n--;
        } else {
            p->next = chain;
            chain = p;
        }
    }
    while (chain) {
        struct rw_producer *p = chain;
        chain = p->next;
        place(ps, p);
    }
}

/* Last offset of a producer that may be forgotten; -1: it may not (an open transaction; reserved, and its
 * batch still to come). */
static int64_t forgettable(const struct rw_producer *p)
{
    return p && p->txn_first_offset < 0 && p->batches_n ? p->batches[p->batches_n - 1].last_offset
                                                        : -1;
}

static int compare_offsets(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The eighth that wrote longest ago, so that the table is seldom walked. */
static int forget_some(struct rw_producers *ps)
{
    size_t n = 0;
    int64_t *last = rw_alloc_array(ps->n, sizeof(*last));
    if (!last)
        return RW_E_NOMEM;
    for (size_t i = 0; i < ps->cap; i++)
        if (forgettable(ps->slots[i]) >= 0)
            last[n++] = forgettable(ps->slots[i]);
    qsort(last, n, sizeof(*last), compare_offsets);
    int64_t limit = n ? last[n / 8] : -1;
    rw_free(last);
    for (size_t i = 0; i < ps->cap; i++) {
        int64_t at = forgettable(ps->slots[i]);
        if (at >= 0 && at <= limit)
            ps->slots[i]->id = RW_NO_PRODUCER_ID;
    }
    bury(ps);
    return RW_OK;
}

int rw_producers_reserve(struct rw_producers *ps, int64_t id)
{
    if (rw_producers_find(ps, id))
        return RW_OK;
    int rc = ps->n >= RW_PRODUCERS_MAX ? forget_some(ps) : RW_OK;
    if (!rc)
        rc = grow(ps);
    if (rc)
        return rc;
    struct rw_producer *p = rw_zalloc(sizeof(*p));
    if (!p)
        return RW_E_NOMEM;
    p->id = id;
    p->epoch = RW_NO_PRODUCER_EPOCH;
    p->coordinator_epoch = -1;
    p->txn_first_offset = -1;
    place(ps, p);
    ps->n++;
    return RW_OK;
}

static int32_t first_sequence(const struct rw_producer_batch *b)
{
    int64_t s = (int64_t)b->last_sequence - b->offset_delta;
    return (int32_t)(s < 0 ? s + INT32_MAX + 1 : s);
}

static const struct rw_producer_batch *find_duplicate(const struct rw_producer *p,
                                                      const struct rw_batch *batch)
{
    if (p->epoch != batch->producer_epoch)
        return NULL;
    int32_t last = rw_sequence_add(batch->base_sequence, batch->last_offset_delta);
    for (int i = 0; i < p->batches_n; i++)
        if (first_sequence(&p->batches[i]) == batch->base_sequence &&
            p->batches[i].last_sequence == last)
            return &p->batches[i];
    return NULL;
}

int rw_producers_check(const struct rw_producers *ps, const struct rw_batch *batch,
                       struct rw_producer_verdict *ret_verdict)
{
    *ret_verdict = (struct rw_producer_verdict){0};
    const struct rw_producer *p = rw_producers_find(ps, batch->producer_id);
    if (!p || p->epoch == RW_NO_PRODUCER_EPOCH)
        return RW_OK;
    if (batch->producer_epoch < p->epoch) {
        ret_verdict->why = "the producer epoch is older than the current one";
        return RW_E_FENCED;
    }
    if (batch->producer_epoch > p->epoch) {
        if (batch->base_sequence == 0)
            return RW_OK;
        ret_verdict->why = "the first batch of a new producer epoch must have sequence 0";
        return RW_E_SEQUENCE;
    }
    const struct rw_producer_batch *original = find_duplicate(p, batch);
    if (original) {
        ret_verdict->duplicate = true;
        ret_verdict->first_offset = original->last_offset - original->offset_delta;
        ret_verdict->last_offset = original->last_offset;
        ret_verdict->timestamp = original->timestamp;
        return RW_OK;
    }
    /* Without batches (only a marker was seen in this epoch) the next one is the first. */
    int32_t last = p->batches_n ? p->batches[p->batches_n - 1].last_sequence : RW_NO_SEQUENCE;
    int32_t expected = last == RW_NO_SEQUENCE ? 0 : rw_sequence_add(last, 1);
    if (batch->base_sequence == expected)
        return RW_OK;
    ret_verdict->why = "the sequence number does not follow the last one of this producer";
    return RW_E_SEQUENCE;
}

static void set_epoch(struct rw_producer *p, int16_t epoch)
{
    if (p->epoch != epoch) {
        p->epoch = epoch;
        p->batches_n = 0;
    }
}

void rw_producers_add(struct rw_producers *ps, const struct rw_batch *batch, int64_t now_ms)
{
    struct rw_producer *p = rw_producers_find(ps, batch->producer_id);
    RW_ASSERT(p);
    set_epoch(p, batch->producer_epoch);
    if (p->batches_n == RW_PRODUCER_BATCHES) {
        memmove(p->batches, p->batches + 1, sizeof(p->batches) - sizeof(p->batches[0]));
        p->batches_n--;
    }
    p->batches[p->batches_n++] = (struct rw_producer_batch){
        rw_sequence_add(batch->base_sequence, batch->last_offset_delta), batch->last_offset_delta,
        rw_batch_last_offset(batch), batch->max_timestamp};
    p->last_seen_ms = now_ms;
    if ((batch->attributes & RW_ATTR_TRANSACTIONAL) && p->txn_first_offset < 0)
        p->txn_first_offset = batch->base_offset;
}

void rw_producers_end_txn(struct rw_producers *ps, const struct rw_batch *batch,
                          int32_t coordinator_epoch, int64_t now_ms)
{
    struct rw_producer *p = rw_producers_find(ps, batch->producer_id);
    RW_ASSERT(p);
    set_epoch(p, batch->producer_epoch);
    p->coordinator_epoch = coordinator_epoch;
    p->txn_first_offset = -1;
    p->last_seen_ms = now_ms;
}

void rw_producers_expire(struct rw_producers *ps, int64_t now_ms, int64_t expiry_ms)
{
    bool any = false;
    for (size_t i = 0; i < ps->cap; i++) {
        struct rw_producer *p = ps->slots[i];
        if (p && p->txn_first_offset < 0 && now_ms - p->last_seen_ms >= expiry_ms) {
            p->id = RW_NO_PRODUCER_ID;
            any = true;
        }
    }
    if (any)
        bury(ps);
}

int64_t rw_producers_first_txn(const struct rw_producers *ps)
{
    int64_t first = -1;
    for (size_t i = 0; i < ps->cap; i++) {
        const struct rw_producer *p = ps->slots[i];
        if (p && p->txn_first_offset >= 0 && (first < 0 || p->txn_first_offset < first))
            first = p->txn_first_offset;
    }
    return first;
}
