/* Reading what a dead process has left. */
#include "logger/rescue.h"

#include <string.h>
#include "base/mem.h"
#include "logger/clock.h"
#include "logger/collector.h"
#include "logger/site.h"

struct rw_lg_leftover {
    struct rw_lg_ring *ring;
    uint64_t at, end;
};

/* The size of what lies at `at`, when it can be: a record or a pad, not beyond `end` and not beyond the end of the lap. 0: damaged. */
static uint32_t size_at(const struct rw_lg_entry *e, uint64_t at, uint64_t end, uint64_t lap)
{
    uint64_t most = lap - (at & (lap - 1));
    uint32_t size = e->size & ~RW_LG_PAD;
    if (end - at < most)
        most = end - at;
    if (size == 0 || size % 8 || size > most)
        return 0;
    return e->size & RW_LG_PAD || (size >= sizeof(*e) && size <= RW_LG_ENTRY_MAX) ? size : 0;
}

static const struct rw_lg_entry *in_ring(const struct rw_lg_ring *r, uint64_t at)
{
    return (const void *)(r->data + (at & (r->bytes - 1)));
}

/* The journal's last turn may still be in the rings, too. */
static void read_sequences(struct rw_lg_rescue *r)
{
    const struct rw_lg_shared *h = rw_lg_header(&r->map);
    uint64_t at = h->turn_from;
    if (at > r->head || r->head - at > h->journal_bytes)
        return;
    while (at < r->head) {
        const struct rw_lg_entry *e = rw_lg_journal(&r->map, at);
        uint32_t size = size_at(e, at, r->head, h->journal_bytes);
        if (!size)
            return;
        if (!(e->size & RW_LG_PAD) && e->ring < h->rings)
            r->sequences[e->ring] = e->sequence;
        at += size;
    }
}

static uint64_t lowest_cursor(const struct rw_lg_shared *h)
{
    uint64_t floor = UINT64_MAX;
    for (unsigned i = 0; i < RW_LG_APPENDERS; i++)
        if (h->cursors[i].name[0] && h->cursors[i].done < floor)
            floor = h->cursors[i].done;
    return floor;
}

static int look_at_rings(struct rw_lg_rescue *r)
{
    const struct rw_lg_shared *h = rw_lg_header(&r->map);
    r->rings = rw_alloc_array(h->rings, sizeof(*r->rings));
    r->sequences = rw_alloc_array(h->rings, sizeof(*r->sequences));
    if (!r->rings || !r->sequences)
        return RW_E_NOMEM;
    memset(r->sequences, 0, h->rings * sizeof(*r->sequences));
    for (unsigned i = 0; i < h->rings; i++) {
        struct rw_lg_ring *ring = rw_lg_ring(&r->map, i);
        if (ring->head != ring->tail && ring->head - ring->tail <= ring->bytes)
            r->rings[r->n_rings++] = (struct rw_lg_leftover){ring, ring->tail, ring->head};
    }
    return RW_OK;
}

/*
 * Where the oldest record that is whole begins, `journal_bytes` before the head at most. The last lap begins with a record; of the one
 * before it, the first ones are overwritten, and where the next begins can only be told from the lap's end: a place from which
 * sizes lead there exactly.
 */
static uint64_t oldest_in_journal(const struct rw_lg_rescue *r)
{
    const struct rw_lg_shared *h = rw_lg_header(&r->map);
    uint64_t lap = h->journal_bytes, start = r->head ? (r->head - 1) & ~(lap - 1) : 0;
    uint64_t from = r->head > lap ? (r->head - lap + 7) & ~(uint64_t)7 : start, best = start;
    uint8_t *leads = from < start ? rw_zalloc((start - from) / 64 + 1) : NULL;
    for (uint64_t at = start - 8; leads && at >= from && at < start; at -= 8) {
        const struct rw_lg_entry *e = rw_lg_journal(&r->map, at);
        uint32_t size = size_at(e, at, start, lap);
        uint64_t next = (at + size - from) / 8;
        if (!size || (!(e->size & RW_LG_PAD) && !rw_lg_site_find(&r->map, e->site)))
            continue;
        if (at + size == start || leads[next / 8] >> (next % 8) & 1) {
            leads[(at - from) / 64] |= (uint8_t)(1u << ((at - from) / 8 % 8));
            best = at;
        }
    }
    rw_free(leads);
    return best;
}

static int begin(struct rw_lg_rescue *r, bool all)
{
    const struct rw_lg_shared *h = rw_lg_header(&r->map);
    uint64_t floor = lowest_cursor(h);
    r->head = r->at = h->head;
    if (h->closed)
        return RW_OK; /* nothing is left, and the pages of the journal were given back */
    if (all)
        r->at = oldest_in_journal(r);
    else if (floor < r->head && r->head - floor <= h->journal_bytes)
        r->at = floor;
    int rc = look_at_rings(r);
    if (!rc)
        read_sequences(r);
    return rc;
}

int rw_lg_rescue_open(const char *path, struct rw_lg_rescue *ret_rescue, struct rw_err *ret_err)
{
    struct rw_lg_rescue r = {.lost = 0};
    int rc = rw_lg_map_open(path, &r.map, ret_err);
    if (rc)
        return rc;
    rc = begin(&r, false);
    if (rc) {
        rw_lg_rescue_close(&r, false);
        return rw_err_set(ret_err, rc, "%s: %s", path, rw_code_text(rc));
    }
    *ret_rescue = r;
    return RW_OK;
}

int rw_lg_rescue_look(const char *path, bool all, struct rw_lg_rescue *ret_rescue,
                      struct rw_err *ret_err)
{
    struct rw_lg_rescue r = {.lost = 0};
    int rc = rw_lg_map_copy(path, &r.map, ret_err);
    if (rc)
        return rc;
    rc = begin(&r, all);
    if (rc) {
        rw_lg_rescue_close(&r, false);
        return rw_err_set(ret_err, rc, "%s: %s", path, rw_code_text(rc));
    }
    *ret_rescue = r;
    return RW_OK;
}

/* ---- one after the other ---- */

static const struct rw_lg_entry *next_of_journal(struct rw_lg_rescue *r)
{
    const struct rw_lg_shared *h = rw_lg_header(&r->map);
    while (r->at < r->head) {
        const struct rw_lg_entry *e = rw_lg_journal(&r->map, r->at);
        uint32_t size = size_at(e, r->at, r->head, h->journal_bytes);
        if (!size) {
            r->lost++;
            r->at = r->head;
            return NULL;
        }
        if (!(e->size & RW_LG_PAD))
            return e;
        r->at += size;
    }
    return NULL;
}

/* Steps over pads and over what the journal has; a ring that is damaged ends there. False: nothing is left. */
static bool look(struct rw_lg_rescue *r, struct rw_lg_leftover *l)
{
    while (l->at < l->end) {
        const struct rw_lg_entry *e = in_ring(l->ring, l->at);
        uint32_t size = size_at(e, l->at, l->end, l->ring->bytes);
        if (!size) {
            r->lost++;
            break;
        }
        uint32_t known = r->sequences[l->ring->index];
        if (!(e->size & RW_LG_PAD) && (known == 0 || (int32_t)(e->sequence - known) > 0))
            return true;
        l->at += size;
    }
    l->at = l->end;
    return false;
}

static struct rw_lg_leftover *oldest(struct rw_lg_rescue *r)
{
    struct rw_lg_leftover *best = NULL;
    for (unsigned i = 0; i < r->n_rings; i++) {
        struct rw_lg_leftover *l = &r->rings[i];
        if (look(r, l) &&
            (!best || in_ring(l->ring, l->at)->ticks < in_ring(best->ring, best->at)->ticks))
            best = l;
    }
    return best;
}

const struct rw_lg_entry *rw_lg_rescue_next(struct rw_lg_rescue *r, int64_t *ret_ns,
                                            uint8_t *ret_done)
{
    const struct rw_lg_shared *h = rw_lg_header(&r->map);
    const struct rw_lg_entry *e = next_of_journal(r);
    *ret_done = 0;
    if (e) {
        for (unsigned i = 0; i < RW_LG_APPENDERS; i++)
            if (h->cursors[i].name[0] && h->cursors[i].done > r->at)
                *ret_done |= (uint8_t)(1u << i);
        *ret_ns = (int64_t)e->ticks;
        r->at += e->size;
        return e;
    }
    struct rw_lg_leftover *l = oldest(r);
    if (!l)
        return NULL;
    e = in_ring(l->ring, l->at);
    *ret_ns = rw_lg_clock_ns(&h->clock, e->ticks);
    l->at += e->size;
    return e;
}

void rw_lg_rescue_settle(struct rw_lg_rescue *r)
{
    struct rw_lg_shared *h = rw_lg_header(&r->map);
    for (unsigned i = 0; i < RW_LG_APPENDERS; i++)
        if (h->cursors[i].done < r->at)
            h->cursors[i].done = r->at;
    for (unsigned i = 0; i < r->n_rings; i++)
        r->rings[i].ring->tail = r->rings[i].at;
}

void rw_lg_rescue_close(struct rw_lg_rescue *r, bool remove)
{
    if (remove)
        rw_lg_map_unlink(&r->map);
    rw_lg_map_free(&r->map);
    rw_free(r->rings);
    rw_free(r->sequences);
}
