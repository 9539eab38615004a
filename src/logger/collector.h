/*
 * The collector: moves records from the rings of the threads to the journal, in the order of their times. One at a time; whoever
 * calls it holds the engine's turn (engine.c).
 */
#pragma once

#include "logger/clock.h"
#include "logger/entry.h"
#include "logger/shared.h"

struct rw_lg_collector {
    struct rw_lg_map *map;
    struct rw_lg_calibration calibration;
    bool
        claims; /* producers may take records away (drop oldest): a ring is claimed before it is read */
    uint64_t populated; /* the journal's pages are there up to here (first lap only) */
    int64_t *last_ns;   /* by ring: the time of its last record */
    struct rw_lg_source *sources;
};

RW_MUST int rw_lg_collector_init(struct rw_lg_collector *c, struct rw_lg_map *map);
void rw_lg_collector_deinit(struct rw_lg_collector *c);
/* One turn: as much as there was when it began and as the journal has room for, which ends `floor` bytes before what must be kept.
 * Returns how many records; *ret_full: there is more, but no room. */
size_t rw_lg_collect(struct rw_lg_collector *c, uint64_t floor, bool *ret_full);

/* Room at the journal's head for a record of another process (adopt.c), which is there when it was published. NULL: not now. */
struct rw_lg_entry *rw_lg_collector_room(struct rw_lg_collector *c, uint64_t floor, uint32_t size);
void rw_lg_collector_publish(struct rw_lg_collector *c, uint32_t size);

static inline struct rw_lg_entry *rw_lg_journal(const struct rw_lg_map *m, uint64_t position)
{
    const struct rw_lg_shared *h = rw_lg_header(m);
    return (struct rw_lg_entry *)(void *)(m->mem.p + h->journal_at +
                                          (position & (h->journal_bytes - 1)));
}
