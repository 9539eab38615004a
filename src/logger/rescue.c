/* Reading what a dead process has left. */
#include "logger/rescue.h"

#include <string.h>
#include "base/mem.h"
#include "logger/clock.h"
#include "logger/collector.h"
#include "logger/record.h"
#include "logger/site.h"

struct rw_lg_leftover {
    struct rw_lg_ring *ring;
    uint64_t at, end;
    uint32_t thread;
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

static const uint64_t *in_ring(const struct rw_lg_ring *r, uint64_t at)
{
    return (const void *)(r->data + (at & (r->bytes - 1)));
}

/* The same of a ring. */
static uint32_t size_in_ring(const struct rw_lg_leftover *l)
{
    const uint64_t *record = in_ring(l->ring, l->at);
    uint64_t most = l->ring->bytes - (l->at & (l->ring->bytes - 1)), head = record[0];
    uint32_t size = rw_lg_record_size(head), least = RW_LG_RECORD;
    if (l->end - l->at < most)
        most = l->end - l->at;
    if (size == 0 || size > most)
        return 0;
    if (head & RW_LG_RECORD_CONTROL)
        return rw_lg_record_is_owner(head) && size < RW_LG_RECORD ? 0 : size;
    if (head & RW_LG_RECORD_CONTEXT)
        least += 8;
    if (size < least || rw_lg_record_entry_size(head) > RW_LG_ENTRY_MAX)
        return 0;
    return head & RW_LG_RECORD_CONTEXT && (record[2] > size - least || record[2] % 8) ? 0 : size;
}

/* The journal's last turn may still be in the rings, too. */
static void read_places(struct rw_lg_rescue *r)
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
            r->places[e->ring] = e->place;
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
    r->places = rw_alloc_array(h->rings, sizeof(*r->places));
    r->entry = rw_alloc(RW_LG_ENTRY_MAX);
    if (!r->rings || !r->places || !r->entry)
        return RW_E_NOMEM;
    for (unsigned i = 0; i < h->rings; i++) {
        struct rw_lg_ring *ring = rw_lg_ring(&r->map, i);
        r->places[i] = (uint32_t)(ring->tail / 8);
        if (ring->head != ring->tail && ring->head - ring->tail <= ring->bytes &&
            (ring->head | ring->tail) % 8 == 0)
            r->rings[r->n_rings++] = (struct rw_lg_leftover){
                .ring = ring, .at = ring->tail, .end = ring->head, .thread = ring->thread_at_tail};
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
        read_places(r);
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
        const uint64_t *record = in_ring(l->ring, l->at);
        uint32_t size = size_in_ring(l);
        if (!size) {
            r->lost++;
            break;
        }
        uint32_t beyond = (uint32_t)((l->at + size) / 8) - r->places[l->ring->index];
        if (!(record[0] & RW_LG_RECORD_CONTROL) && (int32_t)beyond > 0)
            return true;
        if (rw_lg_record_is_owner(record[0]))
            l->thread = (uint32_t)record[1];
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
        if (look(r, l) && (!best || in_ring(l->ring, l->at)[1] < in_ring(best->ring, best->at)[1]))
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
    const uint64_t *record = in_ring(l->ring, l->at);
    l->at += rw_lg_record_size(record[0]);
    rw_lg_record_expand(record, l->thread, l->ring->index, (uint32_t)(l->at / 8), r->entry);
    *ret_ns = rw_lg_clock_ns(&h->clock, r->entry->ticks);
    return r->entry;
}

void rw_lg_rescue_settle(struct rw_lg_rescue *r)
{
    struct rw_lg_shared *h = rw_lg_header(&r->map);
    for (unsigned i = 0; i < RW_LG_APPENDERS; i++)
        if (h->cursors[i].done < r->at)
            h->cursors[i].done = r->at;
    for (unsigned i = 0; i < r->n_rings; i++) {
        atomic_store(&r->rings[i].ring->thread_at_tail, r->rings[i].thread);
        atomic_store(&r->rings[i].ring->tail, r->rings[i].at);
    }
}

void rw_lg_rescue_close(struct rw_lg_rescue *r, bool remove)
{
    if (remove)
        rw_lg_map_unlink(&r->map);
    rw_lg_map_free(&r->map);
    rw_free(r->rings);
    rw_free(r->places);
    rw_free(r->entry);
}
